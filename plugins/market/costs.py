"""What the market's root fields cost, in points; what is out of bounds costs as much as the bound, and is refused."""

from __future__ import annotations

from schema.facts import Arguments

SYMBOLS_A_POINT = 10
MOST_SYMBOLS = 200
DAYS_A_POINT = 100
LONGEST_RATES = 366 * 5
DEFAULT_SOURCES = 5
MOST_SOURCES = 20


def count_of_symbols(arguments: Arguments) -> int:
    """How many quotes the fields below may be asked of."""
    return min(max(1, len(arguments.get("symbols") or ())), MOST_SYMBOLS)


def cost_of_quotes(arguments: Arguments) -> int:
    """Batches travel together: ten symbols a point."""
    return -(-count_of_symbols(arguments) // SYMBOLS_A_POINT)


def count_of_sources(arguments: Arguments) -> int:
    """How many providers a consensus may ask."""
    return min(len(arguments.get("providers") or ()) or DEFAULT_SOURCES, MOST_SOURCES)


def cost_of_rates(arguments: Arguments) -> int:
    """The newest for a point, a range for one more each hundred days; an open range counts as the longest."""
    start, end = arguments.get("start"), arguments.get("end")
    if start is None:
        return 1
    days = LONGEST_RATES if end is None else (end - start).days
    return 1 + min(max(0, days), LONGEST_RATES) // DAYS_A_POINT
