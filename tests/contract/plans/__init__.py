"""Captures of the provider families, one module each: which file, which ask, or why a capture is left out.

A module has three tables: FILES (a provider's file below the captures' folder), ASKED (makers of plans by provider and
call) and LEFT_OUT (reasons by provider and call).
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from tests.contract.captured_asks import Asking

FILES: dict[str, str] = {}
ASKED: dict[tuple[str, str], tuple[Asking, ...]] = {}
LEFT_OUT: dict[tuple[str, str], str] = {}

for found in iter_modules(__path__, f"{__name__}."):
    family = import_module(found.name)
    FILES |= family.FILES
    ASKED |= family.ASKED
    LEFT_OUT |= family.LEFT_OUT
