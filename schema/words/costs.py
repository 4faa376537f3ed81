"""What market data costs, in points: one for a value that one upstream call may bring."""

from __future__ import annotations

from schema.facts import Arguments
from schema.paging import DEFAULT_PAGE, LARGEST_PAGE

ROWS_A_POINT = 500
DEFAULT_ROWS = 100
LONGEST_SERIES = 5_000
MOST_CANDIDATES = 10


def cost_of_series(arguments: Arguments) -> int:
    """500 rows a point; a range whose length is not told counts as the longest."""
    bounds = [arguments[name] for name in ("first", "last") if arguments.get(name) is not None]
    unbounded = DEFAULT_ROWS if arguments.get("start") is None else LONGEST_SERIES
    rows = min(bounds) if bounds else unbounded
    return 1 + int(max(0, min(rows, LONGEST_SERIES))) // ROWS_A_POINT


def count_of_candidates(arguments: Arguments) -> int:
    """How many instruments an ambiguous symbol may mean."""
    return MOST_CANDIDATES


def page_length(arguments: Arguments) -> int:
    """How many nodes a page may hold."""
    first: int | None = arguments.get("first")
    return min(max(1, DEFAULT_PAGE if first is None else first), LARGEST_PAGE)
