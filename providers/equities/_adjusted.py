"""Adjusting whole bars where an upstream adjusts the close alone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Context, Decimal

from providers.row import Row
from schema.words.candles import Bars

# A factor is a quotient without a natural end: as many digits as a double has.
SCALE = Context(prec=17)


def with_dividends(bars: Bars, adjusted: tuple[Decimal, ...], table: Row) -> Bars:
    """The adjusted close as sent; open, high and low by the factor that it stands for, which is one for a whole day."""
    if not all(bars.close):
        table.broken("has a close of zero")

    def scaled(v: Decimal, old: Decimal, new: Decimal) -> Decimal:
        # What needs no factor keeps its digits; a high that is the close stays so, rounding must not put it below.
        if old == new or v == old:
            return v if old == new else new
        return SCALE.divide(SCALE.multiply(v, new), old)

    def each(column: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
        return tuple(map(scaled, column, bars.close, adjusted))

    return replace(bars, open=each(bars.open), high=each(bars.high), low=each(bars.low), close=adjusted)
