"""Every public figure of performance says by which formula and from which source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from inspect import getdoc, getmembers, isfunction
from typing import Any

MODULES = ("returns", "drawdowns", "calendar_tables", "rolling", "moments", "ratios", "relative", "cashflows")
FORMULA = re.compile("`.*[=/∏Σ√^#(].*`")


def figures() -> Iterator[tuple[str, str, str]]:
    """Module and function, the words of the function, and of its module."""
    for name in MODULES:
        module: Any = import_module(f"gateway.core.quant.{name}")
        for function, found in getmembers(module, isfunction):
            if found.__module__ == module.__name__ and not function.startswith("_"):
                yield f"{name}.{function}", getdoc(found) or "", getdoc(module) or ""


def test_each_has_a_formula():
    assert [name for name, told, _ in figures() if not FORMULA.search(told)] == []


def test_each_has_a_source_of_its_own_or_that_of_its_module():
    assert [name for name, told, module in figures() if "Source" not in told + module] == []
