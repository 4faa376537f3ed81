"""Indicators over closes, as talipp reckons them: in floats, as statistics are."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from plugins.alerts.conditions import Condition, IndicatorKind

SETTLING = 10
"""How many times its length an indicator is fed before its value is taken: averages that look back without end."""
LEAST_FED = 100


def fed(length: int) -> int:
    """Candles that an indicator of a length is reckoned from."""
    return max(LEAST_FED, SETTLING * length)


def values_of(condition: Condition, closes: Sequence[Decimal]) -> list[Decimal | None]:
    """The indicator's value at each close; None as long as there are too few."""
    # Imported where it is spoken: few processes ever reckon one.
    from talipp.indicators import EMA, RSI, SMA  # type: ignore[import-untyped]

    kinds = {IndicatorKind.SMA: SMA, IndicatorKind.EMA: EMA, IndicatorKind.RSI: RSI}
    if condition.indicator is None:
        raise ValueError("no indicator")
    made = kinds[condition.indicator](period=condition.length, input_values=[float(close) for close in closes])
    return [None if value is None else Decimal(str(round(value, 8))) for value in made]
