"""After trouble: the candles and trades that were missed, fetched over HTTP before live ones go on."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.core.clock import Clock
from gateway.core.live.line import Event, Trouble, Update
from schema.capability import Capability
from schema.errors import UpstreamError
from schema.words.candles import CANDLES, Candle, CandlesAsk, rows_of
from schema.words.live import NoticeCode
from schema.words.trades import TRADES, Trade

MOST_TRADES = 1_000
LOSSES = frozenset({NoticeCode.RECONNECTING, NoticeCode.GAP, NoticeCode.STALE})

Fetch = Callable[[Any], Awaitable["Any | UpstreamError"]]
"""The provider's answer to an ask, as now as it can be."""


class Gapless:
    """Watches one line's events; what comes after a loss is led in by what was missed, or by a GAP.

    Of trades none is told twice: a venue repeats its last ones at every subscription.
    """

    def __init__(self, capability: Capability[Any, Any], ask: Any, fetch: Fetch, clock: Clock) -> None:
        self._capability, self._ask, self._fetch, self._clock = capability, ask, fetch, clock
        self._lost = False
        self._last: datetime | None = None
        """Time of the last trade, open time of the last candle."""
        self._ids: deque[str] = deque(maxlen=MOST_TRADES)

    async def through(self, event: Event) -> Sequence[Event]:
        """The event with what has to be told before it."""
        if isinstance(event, Trouble):
            self._lost = self._lost or event.code in LOSSES
            return [event]
        if not isinstance(event, Update) or self._capability not in (CANDLES, TRADES):
            return [event]
        told: list[Event] = []
        if self._lost and self._last is not None:
            told += await self._filled(event, self._last)
        elif event.snapshot and self._capability is TRADES and self._missed_some(event):
            told.append(self._gap(f"Trades may be missing: the last {len(event.values)} do not reach back far enough."))
        self._lost = False
        fresh = self._unseen(event)
        self._remember(fresh.values)
        return [*told, fresh] if fresh.values else told

    async def _filled(self, event: Update, last: datetime) -> list[Event]:
        found = await self._fetch(self._missing_ask(event, last))
        if isinstance(found, UpstreamError):
            return [self._gap(f"What was missed could not be fetched: {found.message}")]
        missed = self._missed_candles(found) if self._capability is CANDLES else self._new_of(found)
        told: list[Event] = []
        if self._capability is TRADES and not any(trade.time <= last for trade in found):
            told.append(self._gap(f"Trades are missing: the last {len(found)} do not reach back far enough."))
        if missed:
            self._remember(missed)
            told.append(Update(values=missed, as_of=None, snapshot=False, received=self._clock.now()))
        return told

    def _missing_ask(self, event: Update, last: datetime) -> Any:
        if self._capability is TRADES:
            return replace(self._ask, last=MOST_TRADES)
        ask: CandlesAsk = self._ask
        newest = max(bar.open_time for bar in event.values)
        return replace(ask, start=last, end=max(newest, last) + ask.interval.delta)

    def _missed_candles(self, bars: Any) -> tuple[Candle, ...]:
        """From the one that was running when the connection was lost."""
        now, delta = self._clock.now(), self._ask.interval.delta
        rows = rows_of(bars)
        if bars.closed is None:
            rows = [replace(row, closed=row.open_time + delta <= now) for row in rows]
        return tuple(rows)

    def _missed_some(self, event: Update) -> bool:
        return self._last is not None and all(trade.time > self._last for trade in event.values)

    def _new_of(self, trades: Sequence[Trade]) -> tuple[Trade, ...]:
        last = self._last
        return tuple([each for each in trades if (last is None or each.time >= last) and each.id not in self._ids])

    def _unseen(self, event: Update) -> Update:
        if self._capability is not TRADES or self._last is None:
            return event
        return replace(event, values=self._new_of(event.values), snapshot=False)

    def _remember(self, values: Sequence[Any]) -> None:
        trades = self._capability is TRADES
        if trades:
            self._ids.extend(trade.id for trade in values)
        moments = [value.time if trades else value.open_time for value in values]
        self._last = max([*moments, *([self._last] if self._last else [])], default=None)

    def _gap(self, message: str) -> Trouble:
        return Trouble(code=NoticeCode.GAP, message=message, at=self._clock.now())
