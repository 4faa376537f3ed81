"""Lines in hand: what upstreams say, whenever a test says it, and how many of them are open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from inspect import isawaitable
from typing import Any

from gateway.core.access import Lane
from gateway.core.lines.line import Ended, Event, Trouble, Update
from gateway.core.live.leader import Upstream
from schema.capability import Capability
from schema.errors import NotCovered, UpstreamError
from schema.symbols import InstrumentId
from schema.words.candles import CANDLES, Candle, CandlesAsk
from schema.words.intervals import Interval
from schema.words.live import NoticeCode
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from schema.words.trades import Trade
from tests.gateway.doubles import BTC, NOON, World


class HandLines:
    """gateway.core.lines.line.Lines: one queue for each provider and instrument."""

    def __init__(self) -> None:
        self.queues: dict[tuple[str, InstrumentId], asyncio.Queue[Event]] = {}
        self.open_now: list[str] = []
        self.opened: list[str] = []
        self.asked: list[tuple[str, Any]] = []
        self.answers: dict[tuple[str, str], Callable[[Any], Any]] = {}
        """What a provider answers over HTTP, by its id and the capability's name."""

    @asynccontextmanager
    async def open(
        self, lane: Lane, capability: Capability[Any, Any], ask: Any
    ) -> AsyncGenerator[AsyncIterator[Event]]:
        """See `Lines`."""
        self.opened.append(lane.id)
        self.open_now.append(lane.id)
        try:
            yield self._events(lane.id, capability.items.of(ask)[0] if capability.items else ask.instrument)
        finally:
            self.open_now.remove(lane.id)

    async def ask(self, lane: Lane, capability: Capability[Any, Any], ask: Any) -> Any:
        """See `Lines`."""
        self.asked.append((lane.id, ask))
        answer = self.answers.get((lane.id, capability.name))
        found = answer(ask) if answer else NotCovered(lane.id, "does not answer")
        return await found if isawaitable(found) else found

    async def close(self) -> None:
        """See `Lines`."""

    async def _events(self, provider: str, instrument: InstrumentId) -> AsyncIterator[Event]:
        while True:
            event = await self._queue(provider, instrument).get()
            yield event
            if isinstance(event, Ended):
                return

    def _queue(self, provider: str, instrument: InstrumentId = BTC) -> asyncio.Queue[Event]:
        return self.queues.setdefault((provider, instrument), asyncio.Queue())

    def price(self, provider: str, *prices: str, instrument: InstrumentId = BTC, snapshot: bool = False) -> None:
        """The provider says prices, one update each."""
        for price in prices:
            quote = Quote(instrument=instrument, price=Decimal(price), price_type=PriceType.LAST, as_of=NOON)
            update = Update(values=(quote,), as_of=NOON, snapshot=snapshot, received=NOON)
            self._queue(provider, instrument).put_nowait(update)

    def quoted(self, provider: str, *prices: tuple[float, str], kind: PriceType = PriceType.LAST) -> None:
        """Prices, stamped so many seconds past noon, one update each."""
        for second, price in prices:
            at = NOON + timedelta(seconds=second)
            quote = Quote(instrument=BTC, price=Decimal(price), price_type=kind, as_of=at)
            self._queue(provider).put_nowait(Update(values=(quote,), as_of=at, snapshot=True, received=at))

    def bars(self, provider: str, *bars: tuple[int, str], snapshot: bool = False) -> None:
        """One update of candles: minutes past noon, and closes."""
        values = tuple(bar(minute, close) for minute, close in bars)
        self._queue(provider).put_nowait(Update(values=values, as_of=NOON, snapshot=snapshot, received=NOON))

    def trades(self, provider: str, *trades: Trade, snapshot: bool = False) -> None:
        """One update of trades."""
        update = Update(values=trades, as_of=trades[-1].time, snapshot=snapshot, received=NOON)
        self._queue(provider).put_nowait(update)

    def trouble(self, provider: str, code: NoticeCode, message: str = "trouble") -> None:
        """The provider's line says what is wrong with it."""
        self._queue(provider).put_nowait(Trouble(code=code, message=message, at=NOON))

    def end(self, provider: str, error: UpstreamError) -> None:
        """The line is over."""
        self._queue(provider).put_nowait(Ended(error=error))


def bar(minute: int, close: str) -> Candle:
    """A candle whose prices are all the same."""
    price, at = Decimal(close), NOON + timedelta(minutes=minute)
    return Candle(open_time=at, open=price, high=price, low=price, close=price, closed=False)


def trade(number: int, second: float, price: str, size: str = "1") -> Trade:
    """The trade of that number, so many seconds past noon."""
    at = NOON + timedelta(seconds=second)
    return Trade(id=str(number), time=at, price=Decimal(price), size=Decimal(size))


def quotes_of(world: World, instrument: InstrumentId = BTC) -> tuple[Upstream, ...]:
    """The providers that a quote is asked of, in order."""
    ask = QuotesAsk(instruments=(instrument,))
    route = world.data.registry.lanes_of("quotes")
    return tuple(Upstream(lane=lane, capability=QUOTES, ask=ask) for lane in route)


def minutes_of(world: World, instrument: InstrumentId = BTC, start: datetime = NOON) -> tuple[Upstream, ...]:
    """The providers that minutes are asked of, in order."""
    ask = CandlesAsk(instrument=instrument, interval=Interval.M1, start=start, end=start + timedelta(minutes=1))
    return tuple(Upstream(lane=lane, capability=CANDLES, ask=ask) for lane in world.data.registry.lanes_of("candles"))
