"""How long a copy of candles stays fresh."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schema.symbols import InstrumentId, crypto, equity
from schema.words.candles import CandlesAsk, freshness
from schema.words.intervals import Interval


@pytest.mark.parametrize(
    ("instrument", "interval", "now", "seconds"),
    [
        # A session opens on the half hour, and so does each of its hours; its day ends on the hour.
        (equity("AAPL"), Interval.H1, datetime(2026, 11, 20, 19, 29, 58, tzinfo=UTC), 2),
        (equity("AAPL"), Interval.D1, datetime(2026, 11, 20, 20, 59, 59, tzinfo=UTC), 1),
        (crypto("BTC", "USD"), Interval.H1, datetime(2026, 11, 20, 19, 29, 58, tzinfo=UTC), 5),
        (crypto("BTC", "USD"), Interval.H1, datetime(2026, 11, 20, 19, 59, 58, tzinfo=UTC), 2),
        (crypto("BTC", "USD"), Interval.W1, datetime(2026, 11, 22, 23, 59, 57, tzinfo=UTC), 3),
    ],
)
def test_a_forming_candle_is_never_kept_past_its_end(
    instrument: InstrumentId, interval: Interval, now: datetime, seconds: int
) -> None:
    ask = CandlesAsk(instrument=instrument, interval=interval, start=now - timedelta(days=1), end=now)

    assert freshness(ask, now) == timedelta(seconds=seconds)


def test_closed_history_keeps_an_hour() -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    ask = CandlesAsk(
        instrument=crypto("BTC", "USD"),
        interval=Interval.H1,
        start=now - timedelta(days=2),
        end=now - timedelta(days=1),
    )

    assert freshness(ask, now) == timedelta(hours=1)
