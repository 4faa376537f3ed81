"""After trouble: the candles and trades that were missed, fetched over HTTP before live ones go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gateway.core.clock import Clock
from gateway.core.lines.grid import candles_at, ending, opening
from gateway.core.lines.line import LOSSES, Event, Trouble, Update
from schema.capability import Capability
from schema.errors import UpstreamError
from schema.words.candles import CANDLES, Candle, CandlesAsk
from schema.words.intervals import Interval
from schema.words.live import NoticeCode
from schema.words.trades import TRADES, Trade

MOST_TRADES = 1_000
SHORT = "Trades may be missing: the last {} do not reach back far enough."
LACKING = (
    "No candles were found of {} times from {:%Y-%m-%d %H:%M:%S} to {:%Y-%m-%d %H:%M:%S} UTC: nothing was traded "
    "then, or they are missing."
)
MOST_LACKING = 1_000
AHEAD = timedelta(minutes=1)
"""By how much a trade may be ahead of our clock and of the trade before it: clocks differ, an hour is a mistake."""
AHEAD_TOLD = (
    "{} trades are left out that the provider has stamped with times to come, such as {:%Y-%m-%d %H:%M:%S} UTC."
)

Fetch = Callable[[Any], Awaitable["Any | UpstreamError"]]
"""The provider's answer to an ask, as now as it can be."""

TradesAt = Callable[[datetime], Awaitable[bool]]
"""Whether the market was open at a time."""


async def always(at: datetime) -> bool:
    """A market that never closes."""
    return True


class Gapless:
    """Watches one line's events; what comes after a loss is led in by what was missed, or by a GAP.

    A snapshot that reaches back to what was told last leaves nothing to fetch. *since* is what was told last by a line
    before this one, between which and this one something may be missing.
    Of trades none is told twice: a venue repeats its last ones at every subscription.
    """

    def __init__(
        self, capability: Capability[Any, Any], ask: Any, fetch: Fetch, clock: Clock,
        since: Sequence[Any] | None = None, trades_at: TradesAt = always,
    ) -> None:  # fmt: skip
        self._trades_at = trades_at
        self._capability, self._ask, self._fetch, self._clock = capability, ask, fetch, clock
        self._lost = False
        self._last: datetime | None = None
        """Time of the last trade, open time of the last candle."""
        self._told: dict[str, datetime] = {}
        """The last trades' times by their ids."""
        self._horizon: datetime | None = None
        """What is not newer may have been told already, or was before the stream."""
        if since and capability in (CANDLES, TRADES):
            self._lost = True
            self._remember(since)

    async def through(self, event: Event) -> Sequence[Event]:
        """The event with what has to be told before it."""
        if isinstance(event, Trouble):
            self._lost = self._lost or event.code in LOSSES
            if event.quiet and self._lost and self._last is not None:
                # Still lost: what happened just now may not be found over HTTP yet.
                return [event, *await self._filled((), self._last)]
            return [event]
        if not isinstance(event, Update) or self._capability not in (CANDLES, TRADES):
            return [event]
        event, told = self._timely(event)
        if not event.values:
            return told
        last = self._last
        if last is not None and not (event.snapshot and any(self._time(value) <= last for value in event.values)):
            # Of candles that are polled seldom, some may lie between two rounds.
            if self._lost or (event.snapshot and self._capability is CANDLES):
                told += await self._filled(event.values, last)
            elif event.snapshot:
                told.append(self._gap(SHORT.format(len(event.values))))
        self._lost = False
        fresh = self._unseen(event, whole=not any(isinstance(each, Trouble) for each in told))
        self._remember(fresh.values)
        return [*told, fresh] if fresh.values else told

    def _timely(self, event: Update) -> tuple[Update, list[Event]]:
        """Without trades of the future: one would be newer than everything that follows it, and open a bar to come."""
        if self._capability is not TRADES:
            return event, []
        now = self._clock.now()
        latest = max(now, self._last or now)
        wrong = [each for each in event.values if each.time > latest + AHEAD]
        if not wrong:
            return event, []
        kept = tuple([each for each in event.values if each.time <= latest + AHEAD])
        return replace(event, values=kept), [self._gap(AHEAD_TOLD.format(len(wrong), wrong[0].time))]

    async def _filled(self, values: Sequence[Any], last: datetime) -> list[Event]:
        found = await self._fetch(self._missing_ask(values, last))
        if isinstance(found, UpstreamError):
            return [self._gap(f"What was missed could not be fetched: {found.message}")]
        told: list[Event] = []
        if self._capability is CANDLES:
            missed: tuple[Any, ...] = candles_at(found, self._ask.interval, self._clock.now())
            if self._lost:
                told += await self._lacking([*missed, *values], last)
        else:
            missed = self._new_of(found)
        if self._capability is TRADES and not any(trade.time <= last for trade in found):
            told.append(self._gap(SHORT.format(len(found))))
        if missed:
            self._remember(missed)
            told.append(Update(values=missed, as_of=None, snapshot=False, received=self._clock.now()))
        return told

    async def _lacking(self, bars: Sequence[Candle], last: datetime) -> list[Event]:
        """A GAP where the bars from the last that was told to the newest leave some out."""
        interval: Interval = self._ask.interval
        there = {bar.open_time for bar in bars}
        newest, at, lacking = max(there, default=last), last, list[datetime]()
        if opening(interval, last) != last:
            return []  # its days are those of a session
        while at < newest and len(lacking) < MOST_LACKING:
            if at not in there and await self._trades_at(at):
                lacking.append(at)
            at = ending(interval, at)
        return [self._gap(LACKING.format(len(lacking), lacking[0], lacking[-1]))] if lacking else []

    def _missing_ask(self, values: Sequence[Any], last: datetime) -> Any:
        if self._capability is TRADES:
            return replace(self._ask, last=MOST_TRADES)
        ask: CandlesAsk = self._ask
        newest = max((bar.open_time for bar in values), default=opening(ask.interval, self._clock.now()))
        return replace(ask, start=last, end=ending(ask.interval, max(newest, last)))

    def _new_of(self, trades: Sequence[Trade]) -> tuple[Trade, ...]:
        last = self._last
        return tuple([each for each in trades if (last is None or each.time >= last) and each.id not in self._told])

    def _unseen(self, event: Update, *, whole: bool) -> Update:
        """What follows without a gap is no snapshot, though the venue tells the last ones anew."""
        if self._last is None:
            return event
        if self._capability is CANDLES:
            return replace(event, snapshot=event.snapshot and not whole)
        horizon = self._horizon
        new = [each for each in event.values if (not horizon or each.time > horizon) and each.id not in self._told]
        return replace(event, values=tuple(new), snapshot=False)

    def _remember(self, values: Sequence[Any]) -> None:
        if self._capability is TRADES:
            self._told.update({trade.id: trade.time for trade in values})
            if self._horizon is None and self._told:
                self._horizon = min(self._told.values()) - timedelta(microseconds=1)
            while len(self._told) > MOST_TRADES:
                gone = self._told.pop(next(iter(self._told)))
                self._horizon = max(self._horizon or gone, gone)
        self._last = max([*map(self._time, values), *([self._last] if self._last else [])], default=None)

    def _time(self, value: Any) -> datetime:
        found: datetime = value.time if self._capability is TRADES else value.open_time
        return found

    def _gap(self, message: str) -> Trouble:
        return Trouble(code=NoticeCode.GAP, message=message, at=self._clock.now())
