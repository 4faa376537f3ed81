"""Values that conditions wait for: indicators of closed daily candles, in floats, as statistics are.

`SMA:20:crypto:BTC/USD` is how far the last close lies above the average of 20 days; `RSI:14:…` is the index itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import structlog

from gateway.core.contract import Context
from gateway.core.ports import Desk
from schema.errors import MarketgateError
from schema.symbols import parse_instrument
from schema.words.candles import rows_of
from schema.words.intervals import Interval

LEAST_FED, SETTLING = 100, 10
"""Candles that an indicator is reckoned from: so many, or so many times its length, as averages look back far."""

LOG = structlog.get_logger(__name__)


async def find_values(context: Context, keys: Iterable[str]) -> dict[str, Decimal]:
    """As the candles of now tell; those that cannot be had are left out, and keep no others from being told."""
    found = {}
    for key in sorted(keys):
        try:
            value = await find_value(context, key)
        except Exception:
            LOG.exception("trading_indicator_failed", key=key)
            continue
        if value is not None:
            found[key] = value
    return found


async def find_value(context: Context, key: str) -> Decimal | None:
    """As the candles of now tell; None where they cannot be had, or are too few."""
    kind, period, symbol = key.split(":", 2)
    length = int(period)
    try:
        series = await context.service(Desk).candles(
            context, parse_instrument(symbol), Interval.D1, None, None, fed(length)
        )
    except MarketgateError as error:
        LOG.warning("trading_indicator_unknown", key=key, reason=error.message)
        return None
    if series is None:
        return None
    return value_of(kind, length, [bar.close for bar in rows_of(series.bars) if bar.closed])


def fed(length: int) -> int:
    """Candles to ask for: one of them may still form."""
    return max(LEAST_FED, SETTLING * length) + 1


def value_of(kind: str, length: int, closes: Sequence[Decimal]) -> Decimal | None:
    """Of closes, the oldest first; None where they are too few."""
    # Imported where it is spoken: few processes ever reckon one.
    from talipp.indicators import EMA, RSI, SMA  # type: ignore[import-untyped]

    made = {"SMA": SMA, "EMA": EMA, "RSI": RSI}[kind](period=length, input_values=[float(each) for each in closes])
    if not made or made[-1] is None:
        return None
    value = Decimal(str(round(made[-1], 8)))
    return value if kind == "RSI" else closes[-1] - value
