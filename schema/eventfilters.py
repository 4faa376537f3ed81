"""Which events somebody wants: names of types, or `price.alert.*`, or `*`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches

MOST = 100
"""Patterns of one filter."""
_PATTERN = re.compile(r"\*|[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*(?:\.\*)?")


class BadFilter(ValueError):
    """A pattern that is none (`malformed`), or that nothing will ever match; `index` is its place."""

    def __init__(self, index: int, reason: str, *, malformed: bool = True) -> None:
        super().__init__(reason)
        self.index, self.malformed = index, malformed


def matches(pattern: str, name: str) -> bool:
    """`*` matches every name, `price.*` those that begin with `price.`, anything else itself alone."""
    if pattern == "*":
        return True
    return name.startswith(pattern[:-1]) if pattern.endswith(".*") else pattern == name


def expanded(patterns: Iterable[str], names: Collection[str]) -> frozenset[str]:
    """The names that any of the patterns matches; BadFilter for one that matches none."""
    found: set[str] = set()
    for index, pattern in enumerate(patterns):
        if index == MOST:
            raise BadFilter(index, f"has more than {MOST} patterns: `*` stands for all types")
        if not _PATTERN.fullmatch(pattern):
            told = f"{pattern[:60]!r} is no type of event: write one such as `apikey.created`, `price.alert.*` or `*`"
            raise BadFilter(index, told)
        matched = {name for name in names if matches(pattern, name)}
        if not matched:
            told = f"{pattern[:60]!r} is no type of event{_meant(pattern, names)}"
            raise BadFilter(index, told, malformed=False)
        found |= matched
    return frozenset(found)


def _meant(pattern: str, names: Collection[str]) -> str:
    near = get_close_matches(pattern.removesuffix(".*"), sorted(names), n=3, cutoff=0.4)
    return f": did you mean {' or '.join(near)}?" if near else ": `eventTypes { name }` lists them"
