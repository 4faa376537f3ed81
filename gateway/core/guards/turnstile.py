"""The way through an upstream's limits: at once where there is room, in fair turn where not, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Protocol

import structlog

from gateway.core.clock import Clock
from gateway.core.guards.quota import Claim, Standing, Ticket
from gateway.core.metrics import counter
from schema.errors import QuotaReached

RESERVED = counter("marketgate_quota_reserved", "Calls that were reserved in an upstream's quota.", "provider")
REFUSED = counter("marketgate_quota_refused", "Calls that an upstream's quota had no room for in time.", "provider")
WAITED = counter("marketgate_quota_waited_seconds", "Seconds that calls waited for an upstream's quota.", "provider")
SPARE_S = 0.01
"""A waiter gives up this long before its time is over: nothing can be sent then."""
ASKED_FOR = 32
"""Claims that one question to the counter names at most."""

log = structlog.get_logger(__name__)


class Counter(Protocol):
    """What counts: this process alone, or all of them over Redis."""

    def possible(self, weight: int) -> bool:
        """Whether such a call ever fits."""

    def at_once(self, claim: Claim, now: float) -> Ticket | None:
        """A ticket where that needs no waiting at all."""

    async def take(self, claims: Sequence[Claim], now: float) -> tuple[dict[int, Ticket], float]:
        """Tickets by the claim's place, in fair turn; and in how many seconds the next has room at the soonest."""

    def ended(self, ticket: Ticket, now: float) -> None:
        """The call is over."""

    def given_back(self, ticket: Ticket) -> None:
        """Nothing was sent."""

    def seen(self, used: Sequence[tuple[int, int]], now: float) -> None:
        """Units that the upstream says are used, by the window's place: what is more than our own count is added."""

    def pause(self, seconds: float) -> None:
        """Nobody with this key sends anything; this process holds itself back (`Health`)."""

    def standing(self, now: float) -> list[Standing]:
        """What is left of each window, as this process last knew."""


@dataclass(slots=True, eq=False)
class _Waiter:
    claim: Claim
    left: Callable[[], float]
    turn: asyncio.Future[Ticket]


@dataclass(slots=True, eq=False)
class Turnstile:
    """One key with one upstream."""

    provider: str
    counter: Counter
    clock: Clock
    _waiting: list[_Waiter] = field(default_factory=list)
    _pump: asyncio.Task[None] | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def pass_(self, claim: Claim, left: Callable[[], float]) -> Ticket:
        """A ticket for one request; QuotaReached where there is none within the seconds *left*."""
        if not self._waiting:
            ticket = self.counter.at_once(claim, self.clock.monotonic())
            if ticket is not None:
                RESERVED.labels(self.provider).inc()
                return ticket
        if not self.counter.possible(claim.weight):
            REFUSED.labels(self.provider).inc()
            raise QuotaReached(self.provider, f"one call costs {claim.weight}, more than it ever grants us")
        waiter = _Waiter(claim, left, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        self._news.set()
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._run(), name="quota.turns")
        began = self.clock.monotonic()
        try:
            while not waiter.turn.done() and (seconds := left() - SPARE_S) > 0:
                await asyncio.wait({waiter.turn}, timeout=seconds)
            if not waiter.turn.done():
                raise self._refusal(None)
            ticket = waiter.turn.result()
        except asyncio.CancelledError:
            if waiter.turn.done() and not waiter.turn.cancelled() and waiter.turn.exception() is None:
                self.give_back(waiter.turn.result())
            raise
        except QuotaReached:
            REFUSED.labels(self.provider).inc()
            raise
        finally:
            self._leave(waiter)
            WAITED.labels(self.provider).inc(max(self.clock.monotonic() - began, 0.0))
        RESERVED.labels(self.provider).inc()
        return ticket

    def end(self, ticket: Ticket) -> None:
        """The request is over, however it went."""
        self.counter.ended(ticket, self.clock.monotonic())
        self._news.set()

    def give_back(self, ticket: Ticket) -> None:
        """Nothing was sent."""
        self.counter.given_back(ticket)
        self._news.set()

    def seen(self, used: Sequence[tuple[int, int]]) -> None:
        """What the upstream says of its own count."""
        if used:
            self.counter.seen(used, self.clock.monotonic())

    def standing(self) -> list[Standing]:
        """What is left of each of the profile's limits."""
        return self.counter.standing(self.clock.monotonic())

    def _leave(self, waiter: _Waiter) -> None:
        waiter.turn.cancel()
        if waiter in self._waiting:
            self._waiting.remove(waiter)

    async def _run(self) -> None:
        try:
            while self._waiting:
                self._news.clear()
                waiters = self._front()
                granted, wait = await self.counter.take([each.claim for each in waiters], self.clock.monotonic())
                self._hand_out(waiters, granted)
                if self._waiting and wait > 0:
                    self._send_away(wait)
                if self._waiting and wait > 0:
                    await self._until_news(wait)
        except Exception as defect:
            log.exception("quota_not_counted", provider=self.provider)
            for waiter in self._waiting:
                if not waiter.turn.done():
                    waiter.turn.set_exception(defect)
            self._waiting.clear()

    def _front(self) -> list[_Waiter]:
        """Each tenant's first ones, so that a long queue of one hides nobody."""
        ranks: dict[str, int] = {}
        ranked = []
        for waiter in self._waiting:
            rank = ranks[waiter.claim.tenant] = ranks.get(waiter.claim.tenant, 0) + 1
            ranked.append((rank, waiter))
        return [waiter for _, waiter in sorted(ranked, key=lambda each: each[0])[:ASKED_FOR]]

    def _hand_out(self, waiters: Sequence[_Waiter], granted: dict[int, Ticket]) -> None:
        for place, ticket in granted.items():
            waiter = waiters[place]
            if waiter.turn.done():  # left meanwhile
                self.give_back(ticket)
                continue
            waiter.turn.set_result(ticket)
            self._waiting.remove(waiter)

    def _send_away(self, wait: float) -> None:
        """Whoever cannot be served in time is told at once, so that another provider is asked."""
        for waiter in tuple(self._waiting):
            if waiter.left() - SPARE_S < wait and not waiter.turn.done():
                waiter.turn.set_exception(self._refusal(wait))
                self._waiting.remove(waiter)

    async def _until_news(self, wait: float) -> None:
        """A call that ended, or was given back, may have made room sooner."""
        news = asyncio.ensure_future(self._news.wait())
        sleep = asyncio.ensure_future(self.clock.sleep(wait))
        try:
            await asyncio.wait({news, sleep}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()
            sleep.cancel()

    def _refusal(self, wait: float | None) -> QuotaReached:
        told = "the quota that it grants us is used up for now, nothing was sent"
        return QuotaReached(self.provider, told, retry_after=wait if wait is not None and isfinite(wait) else None)
