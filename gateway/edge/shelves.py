"""What was worked out from frozen values, kept with them: bounded in number and size, dropped all at once."""

from __future__ import annotations

from typing import Any

MOST_KEPT = 100_000
"""Texts and the like in all, some 10 MB; and with them the values that they were made from, for as long."""
USUAL = 100
"""Bytes of a text that takes one place; a longer one takes as many more."""

VARIED = frozenset({str, dict, list})


class Kept:
    """Shelves of entries `id(value): (value, made)`; an entry holds its value, so that its identity stays unique."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most, self._weight = most, 0
        self._shelves: list[dict[int, tuple[Any, Any]]] = []

    def shelf(self) -> dict[int, tuple[Any, Any]]:
        """A new one; it is emptied, never replaced, and forgotten when everything is dropped."""
        return {}

    def keep(self, shelf: dict[int, tuple[Any, Any]], value: Any, made: Any, weight: int) -> Any:
        """Put what was made from a value on a shelf; give it back."""
        weight += _more(made)
        self._weight += weight
        if self._weight > self._most:
            self.drop()
            self._weight = weight
        if not shelf:
            self._shelves.append(shelf)
        shelf[id(value)] = (value, made)
        return made

    def drop(self) -> None:
        """Forget everything, and let go of the values."""
        for each in self._shelves:
            each.clear()
        self._shelves, self._weight = [], 0


def _more(made: Any) -> int:
    """Places that the long texts of an object or a column take besides."""
    if made.__class__ is list:
        # A column is of one kind; what is null is nothing.
        texts = next(filter(None, made), None).__class__ is str
        return sum(map(len, filter(None, made))) // USUAL if texts else 0
    if made.__class__ is dict:
        return sum([
            len(each) // USUAL if each.__class__ is str else _more(each)
            for each in made.values()
            if each.__class__ in VARIED
        ])  # fmt: skip
    return 0
