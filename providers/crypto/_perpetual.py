"""What perpetuals of the venues have in common: those that may be asked, and settled rates in order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from providers.row import Key, Row
from schema.symbols import AssetClass, InstrumentId
from schema.words.derivatives import FundingHistoryAsk, FundingRate

HOUR_MS = 3_600_000


def is_linear_of(venue: str, instrument: InstrumentId, settles: tuple[str, ...] = ("USDT",)) -> bool:
    """A perpetual that may be asked of *venue* and settles in its quote asset: crypto:BTC/USDT:USDT."""
    return (
        instrument.asset_class is AssetClass.CRYPTO
        and instrument.venue in ("", venue)
        and not instrument.expiry
        and instrument.settle == instrument.quote
        and instrument.settle in settles
        and "_" not in instrument.base
    )


def is_inverse_of(venue: str, instrument: InstrumentId) -> bool:
    """A perpetual that may be asked of *venue*, is quoted in dollars and settles in its base: crypto:BTC/USD:BTC."""
    return (
        instrument.asset_class is AssetClass.CRYPTO
        and instrument.venue in ("", venue)
        and not instrument.expiry
        and instrument.quote == "USD"
        and instrument.settle == instrument.base
    )


def settled(
    ask: FundingHistoryAsk, rows: Iterable[Row], *, rate: Key, time: Key, unit: str = "ms"
) -> tuple[FundingRate, ...]:
    """What was paid and when, inside of the range that was asked: ascending, the newest `limit`, each time once."""
    kept: dict[datetime, FundingRate] = {}
    for row in rows:
        when = row.epoch(time, unit)
        if (ask.start is None or when >= ask.start) and (ask.end is None or when < ask.end):
            kept[when] = FundingRate(instrument=ask.instrument, rate=row.decimal(rate), time=when, settled=True)
    return tuple([kept[when] for when in sorted(kept)][-ask.limit :])
