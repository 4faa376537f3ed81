"""The live side of the market as one operation sees it: streams, what several of them agree on, and what is watched."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, Self, TypeVar

from gateway.core.account import NOBODY, Account
from gateway.core.agreeing import Agreed, Agreement
from gateway.core.fetchlog import FetchLog
from gateway.core.live import cursors
from gateway.core.live.asking import upstreams
from gateway.core.live.hub import Hub
from gateway.core.live.leader import Upstream
from gateway.core.live.subscription import Subscription
from gateway.core.market import MarketData
from gateway.core.watching import Joinable, Watch
from schema.capability import DEFAULT_TERMS, Capability, Terms
from schema.errors import BadInput
from schema.facts import Shared
from schema.symbols import InstrumentId
from schema.words.live import NoticeCode, StreamNotice
from schema.words.quotes import QUOTES, QuotesAsk

A = TypeVar("A")
M = TypeVar("M")


@dataclass(slots=True, kw_only=True)
class LiveMarket:
    """Streams on the account of an operation's caller."""

    data: MarketData
    log: FetchLog
    account: Account | None = NOBODY
    """None until it is read, at the first fetch."""
    find: Callable[[], Awaitable[Account]] | None = None
    deadline: float = inf
    """When (the loop's time) the operation ends: no fetch of it takes longer."""
    hub: Hub | None = None
    """Where live streams come from; None for who has no process of its own, such as a test."""
    after: str | None = None
    """Where a client that comes back was, where it did not say it in an argument."""
    subscriptions: list[Joinable] = field(default_factory=list)
    """What the operation listens to."""

    async def whose(self) -> Account:
        """The caller's account: own keys, and the bounds of the plan."""
        if self.account is None and self.find is not None:
            self.account = await self.find()
        return self.account or NOBODY

    def endless(self) -> None:
        """A stream has no end: what is fetched for one of its messages has the time of that message's terms."""
        self.deadline = inf

    @asynccontextmanager
    async def live(
        self,
        capability: Capability[A, M],
        asks: Mapping[str, A],
        terms: Terms = DEFAULT_TERMS,
        after: str | None = None,
        every_s: float = 0.0,
        notices: Sequence[StreamNotice] = (),
    ) -> AsyncGenerator[Subscription]:
        """Asks of one item each, by the symbols as they were written, as one stream; see `gateway.core.live.hub`.

        A symbol that nobody can stream is a notice; NoAnswer where that is so of all of them. BadInput for a cursor
        that is none.
        """
        if self.hub is None:
            raise RuntimeError("this process has no live streams")
        account = self.account or await self.whose()
        try:
            cursor = after or self.after
            positions = cursors.read(cursor) if cursor else None
        except cursors.BadCursor as bad:
            raise BadInput("after", str(bad)) from None
        subjects: dict[str, Sequence[Upstream]] = {}
        told = list(notices)
        for symbol, ask in asks.items():
            found, refused = upstreams(self.data.registry, capability, ask, terms, account)
            if found:
                subjects[symbol] = found
                continue
            why = "; ".join(f"{each.provider}: {each.detail}" for each in refused) or "no provider streams it"
            unknown, now = NoticeCode.UNKNOWN_INSTRUMENT, self.data.clock.now()
            told.append(StreamNotice(code=unknown, message=why, symbol=symbol, at=now))
        if not subjects:
            raise BadInput("symbol", f"nobody streams it: {told[-1].message}")
        self.endless()
        async with self.hub.subscribe(subjects, positions, every_s, told) as subscription:
            self.subscriptions.append(subscription)
            yield subscription

    @asynccontextmanager
    async def agreeing(
        self, instrument: InstrumentId, symbol: str, terms: Terms, *, quorum: int, most: int, every_s: float
    ) -> AsyncGenerator[AsyncGenerator[Agreed]]:
        """What the streams of up to *most* providers agree on, anew whenever one of them has spoken.

        Each message is whole: who comes back with a cursor begins with the present. NoAnswer where nobody streams it.
        """
        ask, account = QuotesAsk(instruments=(instrument,)), self.account or await self.whose()
        found, refused = upstreams(self.data.registry, QUOTES, ask, terms, account)
        found, refused = found[:most], refused if terms.providers is not None else ()
        providers = [upstream.lane.id for upstream in found]
        if self.hub is None or not found:
            raise BadInput("symbol", "nobody streams it")
        agreement = Agreement(instrument, symbol, providers, refused, quorum=quorum, max_age=terms.max_age)
        self.endless()
        subjects = {name: [upstream] for name, upstream in zip(providers, found, strict=True)}
        async with self.hub.subscribe(subjects, every_s=every_s) as subscription:
            self.subscriptions.append(subscription)

            async def steps() -> AsyncGenerator[Agreed]:
                async for delivery in subscription:
                    yield agreement.take(delivery, self.data.now(terms))

            async with aclosing(steps()) as agreed:
                yield agreed

    def watch(
        self, look: Callable[[Self], Awaitable[Sequence[M]]], mark: Callable[[M], str], every_s: float, **how: Any
    ) -> Watch[M]:
        """What has no stream of its own, looked at every so often with a log of its own; see `Watch`."""
        self.endless()

        async def again() -> Sequence[M]:
            fresh = replace(self, log=FetchLog())
            found = await look(fresh)
            made.private = made.private or fresh.log.shared is not Shared.PUBLIC
            return found

        made = Watch(self.data.clock, every_s, again, mark, after=how.pop("after", None) or self.after, **how)
        self.subscriptions.append(made)
        return made
