"""Prices and rates of what an account holds as they change: streams where there are any, else looks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from gateway.core.contract import Context, Delivery, Market
from gateway.core.matching.model import ExecutionModel
from plugins.trading.markets.marks import Mark, Marks
from plugins.trading.markets.prices import Prices
from plugins.trading.markets.specs import is_derivative
from plugins.trading.markets.ticks import age_of, is_open, tick_of
from schema.capability import DEFAULT_TERMS, Terms
from schema.errors import BadInput, NoAnswer
from schema.symbols import parse_instrument
from schema.words.live import NoticeCode, StreamNotice
from schema.words.quotes import QUOTES, Quote, QuotesAsk

LOOK_S = 5.0
"""How often rates, and prices that nobody streams, are looked at."""
MOST_STREAMED = 200
"""Instruments of an account whose prices are streamed; more are looked at."""


@dataclass(slots=True)
class Ticker:
    """The newest marks of what one account holds. `heard` is called whenever there is something new."""

    context: Context
    currency: str
    heard: Callable[[], None]
    model: ExecutionModel = field(default_factory=ExecutionModel)
    marks: Marks = field(init=False)
    changed: set[str] = field(default_factory=set)
    """Instruments whose marks are new."""
    rated: bool = False
    """Whether rates are new."""
    notices: list[StreamNotice] = field(default_factory=list)
    skipped: int = 0
    names: frozenset[str] = frozenset()
    currencies: frozenset[str] = frozenset()
    _streamed: dict[str, Mark] = field(default_factory=dict)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _first: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.marks = Marks(currency=self.currency)

    async def follow(self, model: ExecutionModel, names: Collection[str], currencies: Collection[str]) -> None:
        """From now on these, with a mark of each that anybody prices."""
        wanted, money = frozenset(names), frozenset(currencies)
        if (model, wanted, money) == (self.model, self.names, self.currencies) and self._tasks:
            return
        await self.close()
        if model != self.model:
            self._streamed = {}
        self.model, self.names, self.currencies = model, wanted, money
        self._streamed = {name: mark for name, mark in self._streamed.items() if name in wanted}
        self._first = asyncio.Event()
        self._begin(self._looks())
        if wanted:
            self._begin(self._streams(sorted(wanted)[:MOST_STREAMED]))
        await self._first.wait()
        self.check()

    def check(self) -> None:
        """Raise what has ended a task."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def close(self) -> None:
        """Listen no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def take(self) -> tuple[set[str], bool, list[StreamNotice], int]:
        """What is new since this was asked last: instruments, whether rates are, notices, what was merged."""
        told = self.changed & self.names, self.rated, self.notices, self.skipped
        self.changed, self.rated, self.notices, self.skipped = set(), False, [], 0
        return told

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._first.set()
            self.heard()

    async def _looks(self) -> None:
        market = _apart(self.context)

        async def look(fresh: Market) -> Sequence[Marks]:
            prices = Prices.of(replace(self.context, market=fresh, local={}))
            unseen = self.names - self._streamed.keys()
            money = {*self.currencies, *(mark.currency for mark in self._streamed.values())}
            return [await prices.marks(unseen, money, self.currency, self.model)]

        async for seen in market.watch(look, _summed, LOOK_S):
            for marks in seen.items:
                self._looked(marks)
            self.notices += seen.notices
            self._first.set()
            self.heard()

    def _looked(self, found: Marks) -> None:
        before = self.marks
        self.marks = replace(found, prices={**found.prices, **self._streamed})
        self.changed |= {name for name, mark in found.prices.items() if _news(before.prices.get(name), mark)}
        self.rated |= {name: each.rate for name, each in before.rates.items()} != {
            name: each.rate for name, each in found.rates.items()
        }

    async def _streams(self, names: Sequence[str]) -> None:
        asks = {name: QuotesAsk(instruments=(parse_instrument(name),)) for name in names}
        provider = self.model.provider
        terms = DEFAULT_TERMS if provider is None else Terms(providers=(provider,))
        # What nobody streams, or not any more, is looked at.
        with suppress(BadInput, NoAnswer):
            async with _apart(self.context).live(QUOTES, asks, terms) as deliveries:
                async for delivery in deliveries:
                    await self._take(delivery)
                    self.heard()
        self._streamed = {}

    async def _take(self, delivery: Delivery) -> None:
        self.skipped += delivery.skipped
        for item in delivery.items:
            for quote in item.values[-1:]:
                name = str(quote.instrument)
                self.skipped += name in self.changed
                self._streamed[name] = await self._mark(quote)
                self.changed.add(name)
        for notice in delivery.notices:
            # A symbol that nobody streams is looked at: that is no news.
            if notice.code is not NoticeCode.UNKNOWN_INSTRUMENT:
                self.notices.append(notice)
            mark = self._streamed.get(notice.symbol or "")
            if mark is not None and notice.code in (NoticeCode.STALE, NoticeCode.FRESH_AGAIN):
                stale = notice.code is NoticeCode.STALE
                self._streamed[str(notice.symbol)] = replace(mark, stale=stale)
                self.changed.add(str(notice.symbol))
        self.marks = replace(self.marks, prices={**self.marks.prices, **self._streamed})

    async def _mark(self, quote: Quote) -> Mark:
        now = self.context.host.clock.now()
        tick = tick_of(quote, now)
        state = await Prices.of(self.context).state(quote.instrument, quote)
        opened = is_open(state, extended=self.model.extended_hours)
        old = opened and age_of(tick, now) > timedelta(milliseconds=self.model.max_age_ms)
        return Mark(
            price=quote.price, currency=quote.currency, provenance=quote.provenance, stale=old, open=opened,
            derivative=is_derivative(quote.instrument), bid=quote.bid, ask=quote.ask,
        )  # fmt: skip


def _apart(context: Context) -> Market:
    """The caller's market, for streams within a stream: its cursor is none of theirs, and nobody joins them."""
    return replace(context.market, after=None, subscriptions=[])


def _summed(found: Marks) -> str:
    prices = sorted((name, each.price, each.stale, each.open) for name, each in found.prices.items())
    return repr((prices, sorted((name, each.rate) for name, each in found.rates.items()), sorted(found.failures)))


def _news(before: Mark | None, mark: Mark) -> bool:
    if before is None:
        return True
    return (before.price, before.stale, before.open) != (mark.price, mark.stale, mark.open)
