"""Long arithmetic in steps: a generator that yields where others may go first, and returns what it found. Pure."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

Steps = Generator[None, None, T]
"""Between two of its yields there is no more than a row, a day or a column of work."""


def whole(steps: Steps[T]) -> T:
    """What it finds, without a pause."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: T = done.value
            return found
