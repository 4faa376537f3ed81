"""Candles are done when their time is over, also where nothing more comes: told by the clock, revised by the venue."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from gateway.core.clock import Clock
from gateway.core.lines.grid import ending
from gateway.core.lines.line import LOSSES, Event, Trouble, Update
from schema.symbols import AssetClass
from schema.words.candles import Candle, CandlesAsk
from schema.words.intervals import Interval

LATE = timedelta(seconds=3)
"""After its end a venue that says by itself that a candle is done has said so."""
NEVER_CLOSING = frozenset({AssetClass.CRYPTO, AssetClass.DEX})


def over(interval: Interval, opened: datetime, now: datetime, grace: timedelta) -> bool:
    """Whether a candle's time and the grace for late trades are over."""
    return ending(interval, opened) + grace <= now


class Closing:
    """Of one feed's line of candles. After a loss a candle may lack something: only the venue closes it then."""

    def __init__(self, ask: CandlesAsk, clock: Clock, grace: timedelta = LATE) -> None:
        self._interval, self._clock, self._grace = ask.interval, clock, grace
        # Days and weeks of a venue with sessions end with its session, not at midnight.
        self._on_grid = ask.interval.intraday or ask.instrument.asset_class in NEVER_CLOSING
        self._running: dict[datetime, Candle] = {}
        self._as_of: datetime | None = None

    @property
    def next(self) -> datetime | None:
        """When the next candle is to be told closed."""
        return ending(self._interval, min(self._running)) + self._grace if self._running else None

    def through(self, event: Event) -> Event:
        """The event, its candles closed where they are."""
        if isinstance(event, Trouble) and event.code in LOSSES:
            self._running.clear()
        if not isinstance(event, Update) or not self._on_grid:
            return event
        now, self._as_of = self._clock.now(), event.as_of or self._as_of
        if event.snapshot:
            self._running.clear()
        values = tuple([self._judged(bar, now) for bar in event.values])
        return replace(event, values=values)

    def due(self) -> Update | None:
        """The candles whose time has come since they were told."""
        now = self._clock.now()
        done = [at for at in sorted(self._running) if over(self._interval, at, now, self._grace)]
        if not done:
            return None
        values = tuple([replace(self._running.pop(at), closed=True) for at in done])
        return Update(values=values, as_of=self._as_of, snapshot=False, received=now)

    def _judged(self, bar: Candle, now: datetime) -> Candle:
        if not bar.closed and over(self._interval, bar.open_time, now, self._grace):
            bar = replace(bar, closed=True)
        if bar.closed:
            self._running.pop(bar.open_time, None)
        else:
            self._running[bar.open_time] = bar
        return bar
