"""After trouble: the candles and trades that were missed, fetched over HTTP before live ones go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gateway.core.clock import Clock
from gateway.core.lines.grid import candles_at, ending
from gateway.core.lines.line import LOSSES, Event, Trouble, Update
from schema.capability import Capability
from schema.errors import UpstreamError
from schema.words.candles import CANDLES, CandlesAsk
from schema.words.live import NoticeCode
from schema.words.trades import TRADES, Trade

MOST_TRADES = 1_000
SHORT = "Trades may be missing: the last {} do not reach back far enough."

Fetch = Callable[[Any], Awaitable["Any | UpstreamError"]]
"""The provider's answer to an ask, as now as it can be."""


class Gapless:
    """Watches one line's events; what comes after a loss is led in by what was missed, or by a GAP.

    A snapshot that reaches back to what was told last leaves nothing to fetch.
    Of trades none is told twice: a venue repeats its last ones at every subscription.
    """

    def __init__(self, capability: Capability[Any, Any], ask: Any, fetch: Fetch, clock: Clock) -> None:
        self._capability, self._ask, self._fetch, self._clock = capability, ask, fetch, clock
        self._lost = False
        self._last: datetime | None = None
        """Time of the last trade, open time of the last candle."""
        self._told: dict[str, datetime] = {}
        """The last trades' times by their ids."""
        self._horizon: datetime | None = None
        """What is not newer may have been told already, or was before the stream."""

    async def through(self, event: Event) -> Sequence[Event]:
        """The event with what has to be told before it."""
        if isinstance(event, Trouble):
            self._lost = self._lost or event.code in LOSSES
            return [event]
        if not isinstance(event, Update) or self._capability not in (CANDLES, TRADES):
            return [event]
        told: list[Event] = []
        last = self._last
        if last is not None and not (event.snapshot and any(self._time(value) <= last for value in event.values)):
            # Of candles that are polled seldom, some may lie between two rounds.
            if self._lost or (event.snapshot and self._capability is CANDLES):
                told += await self._filled(event, last)
            elif event.snapshot:
                told.append(self._gap(SHORT.format(len(event.values))))
        self._lost = False
        fresh = self._unseen(event)
        self._remember(fresh.values)
        return [*told, fresh] if fresh.values else told

    async def _filled(self, event: Update, last: datetime) -> list[Event]:
        found = await self._fetch(self._missing_ask(event, last))
        if isinstance(found, UpstreamError):
            return [self._gap(f"What was missed could not be fetched: {found.message}")]
        if self._capability is CANDLES:
            missed: tuple[Any, ...] = candles_at(found, self._ask.interval, self._clock.now())
        else:
            missed = self._new_of(found)
        told: list[Event] = []
        if self._capability is TRADES and not any(trade.time <= last for trade in found):
            told.append(self._gap(SHORT.format(len(found))))
        if missed:
            self._remember(missed)
            told.append(Update(values=missed, as_of=None, snapshot=False, received=self._clock.now()))
        return told

    def _missing_ask(self, event: Update, last: datetime) -> Any:
        if self._capability is TRADES:
            return replace(self._ask, last=MOST_TRADES)
        ask: CandlesAsk = self._ask
        newest = max(bar.open_time for bar in event.values)
        return replace(ask, start=last, end=ending(ask.interval, max(newest, last)))

    def _new_of(self, trades: Sequence[Trade]) -> tuple[Trade, ...]:
        last = self._last
        return tuple([each for each in trades if (last is None or each.time >= last) and each.id not in self._told])

    def _unseen(self, event: Update) -> Update:
        if self._capability is not TRADES or self._last is None:
            return event
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
