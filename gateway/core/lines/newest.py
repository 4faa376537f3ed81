"""What a venue, or a proxy before it, tells once more must not become current again: older quotes and candles go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.core.lines.backfill import AHEAD
from schema.capability import Capability
from schema.words.candles import CANDLES, Candle
from schema.words.chains import ORACLE_PRICES
from schema.words.quotes import QUOTES

MOST_BARS = 1_000
"""Candles of one stream that are remembered."""


@dataclass(slots=True)
class Newest:
    """The newest state of one stream that was told; trades have ids, and books numbers of their own.

    A stamp that is more than `AHEAD` in the future is none: it would silence everything that follows it.
    """

    capability: Capability[Any, Any]
    _quoted: datetime | None = None
    _bars: dict[datetime, tuple[Candle, datetime | None]] = field(default_factory=dict)
    """Candles with the stamps of their messages, by open time."""

    def of(
        self, values: Sequence[Any], as_of: datetime | None, now: datetime, *, snapshot: bool = False
    ) -> tuple[Any, ...]:  # fmt: skip
        """The values without those that are older than what was told; they are remembered as told.

        Of candles without stamps a *snapshot* is believed though less was traded: a trade may have been taken back.
        """
        if self.capability in (QUOTES, ORACLE_PRICES):
            return tuple([value for value in values if self._follows(_believed(value.as_of, now))])
        if self.capability is CANDLES:
            stamp = _believed(as_of, now)
            return tuple([bar for bar in values if self._revises(bar, stamp, snapshot=snapshot)])
        return tuple(values)

    def _follows(self, stamp: datetime | None) -> bool:
        if stamp is None:
            return True
        if self._quoted is not None and stamp < self._quoted:
            return False
        self._quoted = stamp
        return True

    def _revises(self, bar: Candle, stamp: datetime | None, *, snapshot: bool) -> bool:
        told = self._bars.get(bar.open_time)
        if told is not None and _older(bar, stamp, *told, snapshot=snapshot):
            return False
        self._bars[bar.open_time] = bar, stamp
        if len(self._bars) > MOST_BARS:
            del self._bars[min(self._bars)]
        return True


def _believed(stamp: datetime | None, now: datetime) -> datetime | None:
    """What is stamped a little ahead is as new as can be, and holds up nothing that comes after it."""
    return None if stamp is None or stamp > now + AHEAD else min(stamp, now)


def _older(
    bar: Candle, stamp: datetime | None, told: Candle, told_stamp: datetime | None, *, snapshot: bool
) -> bool:  # fmt: skip
    """By the stamps of both; without them by what was traded, which only grows; last by what was done already."""
    if stamp is not None and told_stamp is not None:
        return stamp < told_stamp or (stamp == told_stamp and told.closed and not bar.closed)
    if snapshot:
        return False
    for traded, before in ((bar.trade_count, told.trade_count), (bar.volume, told.volume)):
        if traded is not None and before is not None and traded != before:
            return traded < before
    return told.closed and not bar.closed
