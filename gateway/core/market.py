"""MarketData: put an ask to the providers that cover it; fail over, fill up, join, and say how it went."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from gateway.core.access import Lane
from gateway.core.account import NOBODY, Account
from gateway.core.clock import Clock
from gateway.core.consensus import Rules, agree
from gateway.core.failover import no_answer
from gateway.core.fetchlog import Fetched, FetchLog
from gateway.core.guards.cache import Stored
from gateway.core.health import failure_of
from gateway.core.holding import hold
from gateway.core.pipeline import Outcome, Pipeline
from gateway.core.routing import Registry
from gateway.core.stamping import remarked
from schema.capability import DEFAULT_TERMS, Capability, Terms
from schema.errors import FailureCode, NoAnswer, UpstreamError
from schema.provenance import CacheStatus, DataMode, ProviderFailure
from schema.symbols import AssetClass, InstrumentId
from schema.words.consensus import Consensus
from schema.words.quotes import QUOTES, QuotesAsk

A = TypeVar("A")
M = TypeVar("M")


@dataclass(slots=True, kw_only=True)
class Plan:
    """What is left to try for one item, and what was tried."""

    lanes: deque[Lane]
    covering: tuple[Lane, ...]
    refused: tuple[UpstreamError, ...]
    attempts: list[ProviderFailure] = field(default_factory=list)
    result: Fetched | NoAnswer | None = None


class MarketData:
    """The one way to upstream data. Safe to share between all operations of a process."""

    def __init__(self, registry: Registry, pipeline: Pipeline, clock: Clock) -> None:
        self.registry, self.pipeline, self.clock = registry, pipeline, clock
        self.on_forget: list[Callable[[str], None]] = []
        """Called with a tenant whose own keys have changed."""

    def offering(
        self,
        capability: Capability[A, M],
        ask: A,
        terms: Terms = DEFAULT_TERMS,
        asset_class: AssetClass | None = None,
        account: Account = NOBODY,
    ) -> tuple[str, ...]:
        """Ids of the providers that would be asked, in order of routing, or those of them that have an asset class.

        For nobody in particular only those whose answers may be shared by all.
        """
        return tuple(
            lane.id
            for lane in self.registry.route(capability, ask, terms, account).lanes
            if (asset_class is None or asset_class in lane.provider.profile.asset_classes)
            and (account.tenant or lane.provider.profile.licence.shareable)
        )

    def name_of(self, provider: str) -> str | None:
        """A provider's name in words; None where there is no such provider."""
        found = self.registry.providers.get(provider)
        return found.profile.name if found else None

    def shareable(self, provider: str) -> bool:
        """Whether its licence lets an answer fetched for one tenant serve another."""
        found = self.registry.providers.get(provider)
        return found is not None and found.profile.licence.shareable

    def forget(self, tenant: str) -> None:
        """The tenant's own keys have changed."""
        self.registry.own.forget(tenant)
        for call in self.on_forget:
            call(tenant)

    async def fetch(
        self,
        capability: Capability[A, M],
        ask: A,
        terms: Terms = DEFAULT_TERMS,
        log: FetchLog | None = None,
        account: Account = NOBODY,
    ) -> Fetched:
        """One answer; NoAnswer lists every attempt."""
        found = (await self.fetch_many(capability, ask, terms, log, account))[capability.parts(ask)[0]]
        if isinstance(found, NoAnswer):
            raise found
        return found

    async def fetch_many(
        self,
        capability: Capability[A, M],
        ask: A,
        terms: Terms = DEFAULT_TERMS,
        log: FetchLog | None = None,
        account: Account = NOBODY,
    ) -> dict[Any, Fetched | NoAnswer]:
        """An answer or a NoAnswer for each item of the ask, in the order of the ask."""
        if account.history_days is not None:
            venue = getattr(getattr(ask, "instrument", None), "venue", "")
            account.check_depth(ask, self.now(replace(terms, providers=(venue,)) if venue else terms))
        errand = Errand(self, capability, ask, terms, log or FetchLog(), account)
        return await errand.run()

    def now(self, terms: Terms) -> datetime:
        """The present: in the offline market, for pinned providers, the moment of their recordings."""
        pinned = [self.registry.providers[name] for name in terms.providers or () if name in self.registry.providers]
        if self.registry.mode is DataMode.LIVE or not pinned:
            return self.clock.now()
        return min(provider.clock.now() for provider in pinned)

    async def consensus(
        self,
        instrument: InstrumentId,
        terms: Terms,
        quorum: int,
        now: datetime,
        log: FetchLog,
        account: Account = NOBODY,
    ) -> Consensus:
        """Ask every provider that covers the instrument (or the pinned ones) at once, and see what they agree on."""
        ask = QuotesAsk(instruments=(instrument,))
        route = self.registry.route(QUOTES, ask, terms, account)
        answers = await self.ask_each(QUOTES, ask, route.lanes, terms, log, account)
        if terms.providers is not None:
            answers.update((error.provider, error) for error in route.refused)
        return agree(instrument, answers, Rules(quorum=quorum, max_age=terms.max_age, now=now))

    async def ask_each(
        self,
        capability: Capability[A, M],
        ask: A,
        lanes: Iterable[Lane],
        terms: Terms,
        log: FetchLog,
        account: Account = NOBODY,
    ) -> dict[str, Fetched | UpstreamError]:
        """The same ask of one item to several providers at once, no failover: for a consensus.

        What is older than `max_age` although it was asked for anew is answered all the same: a consensus shows it.
        """
        item = capability.parts(ask)[0]

        async def one(lane: Lane) -> Fetched | UpstreamError:
            found = await self.pipeline.fetch(
                lane, capability, ask, [item], terms, terms.timeout, account=account, judge_age=False
            )
            outcome = found[item]
            hold(log, lane, (outcome,), terms, self.clock.now(), self.clock.monotonic())
            if isinstance(outcome, UpstreamError):
                return outcome
            log.note(outcome[0].provenance, outcome[1])
            return Fetched(value=outcome[0].value, provenance=outcome[0].provenance)

        lanes = list(lanes)
        found = await asyncio.gather(*(one(lane) for lane in lanes))
        return {lane.id: answer for lane, answer in zip(lanes, found, strict=True)}


class Errand:
    """One ask on its way: each item walks down its own list of lanes, items on one lane travel together."""

    def __init__(
        self,
        market: MarketData,
        capability: Capability[Any, Any],
        ask: Any,
        terms: Terms,
        log: FetchLog,
        account: Account,
    ) -> None:
        self._market, self._capability, self._ask, self._terms, self._log = market, capability, ask, terms, log
        self._account = account
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + terms.timeout
        self._plans: dict[Any, Plan] = {}
        self._failing: dict[str, str | None] = {}
        self._behind: dict[str, bool] = {}

    async def run(self) -> dict[Any, Fetched | NoAnswer]:
        """Settle every item."""
        capability = self._capability
        parts = capability.parts(self._ask)
        for part in dict.fromkeys(parts):
            single = capability.items.only(self._ask, (part,)) if capability.items else part
            route = self._market.registry.route(capability, single, self._terms, self._account)
            lanes = self._healthy_first(route.lanes) if self._terms.providers is None else route.lanes
            self._plans[part] = Plan(lanes=deque(lanes), covering=route.lanes, refused=route.refused)
        await self._settle(list(self._plans))
        return {part: self._close(part, self._plans[part]) for part in parts}

    def _healthy_first(self, lanes: Sequence[Lane]) -> Sequence[Lane]:
        """Who fails often or is slow is asked after the others; among equals the priority stands.

        A tenant's own keys come first even so.
        """
        health = self._market.pipeline.health
        for lane in lanes:
            if lane.id not in self._failing:
                holder = lane.access.holder
                self._failing[lane.id] = health.failing(holder)
                self._behind[lane.id] = bool(self._failing[lane.id]) or health.slow(holder)
        if not any(self._behind[lane.id] for lane in lanes):
            return lanes
        return sorted(lanes, key=lambda lane: (not lane.own, self._behind[lane.id]))

    def _fallback(self, plan: Plan, provider: str) -> tuple[ProviderFailure, ...]:
        """Who was passed over for failing, then who was asked before and failed."""
        tried = {provider, *(attempt.provider for attempt in plan.attempts)}
        before = []
        for lane in plan.covering:
            if lane.id == provider:
                break
            if lane.id not in tried and (failing := self._failing.get(lane.id)):
                told, code = f"passed over: {failing}", FailureCode.UPSTREAM_UNAVAILABLE
                before.append(ProviderFailure(provider=lane.id, code=code, message=told))
        return (*before, *plan.attempts)

    async def _settle(self, items: Sequence[Any]) -> None:
        groups: dict[Lane, list[Any]] = {}
        for item in items:
            if self._plans[item].lanes:
                groups.setdefault(self._plans[item].lanes.popleft(), []).append(item)
        if len(groups) == 1:
            await self._try(*next(iter(groups.items())))
        elif groups:
            await asyncio.gather(*(self._try(lane, group) for lane, group in groups.items()))

    async def _try(self, lane: Lane, items: list[Any]) -> None:
        left = self._deadline - self._loop.time()
        if left <= 0:
            return
        others = max(sum(map(self._may_answer, self._plans[item].lanes)) for item in items)
        # A third at most, so that the later ones of many have more than a moment.
        outcomes = await self._carry_out(lane, items, left / min(1 + others, 3))
        failed = []
        for item in items:
            plan, outcome = self._plans[item], outcomes[item]
            if isinstance(outcome, UpstreamError):
                plan.attempts.append(failure_of(outcome))
                failed.append(item)
            else:
                plan.result = self._answer(plan, *outcome)
        await self._settle(failed)

    def _may_answer(self, lane: Lane) -> bool:
        """False for who would refuse at once: no time need be kept for it."""
        return self._market.pipeline.health.hold(lane.access.holder) is None and not lane.shut

    async def _carry_out(self, lane: Lane, items: list[Any], budget: float) -> dict[Any, Outcome]:
        pieces = self._pieces(lane, items[0])
        wanted = pieces if len(pieces) > 1 else items
        found = await self._market.pipeline.fetch(
            lane, self._capability, self._ask, wanted, self._terms, budget, account=self._account
        )
        clock = self._market.clock
        hold(self._log, lane, found.values(), self._terms, clock.now(), clock.monotonic())
        if len(pieces) < 2:
            return found
        stored: list[tuple[Stored, CacheStatus]] = []
        for outcome in (found[piece] for piece in pieces):
            if isinstance(outcome, UpstreamError):
                return {items[0]: outcome}
            stored.append(outcome)
        return {items[0]: self._joined(items[0], stored)}

    def _pieces(self, lane: Lane, item: Any) -> Sequence[Any]:
        """What a range is asked in; the item itself where one call will do."""
        ranges, rows = self._capability.ranges, lane.answer.max_rows
        return ranges.split(item, rows) if ranges and rows else (item,)

    def _joined(self, item: Any, pieces: Sequence[tuple[Stored, CacheStatus]]) -> tuple[Stored, CacheStatus]:
        """As old as its oldest piece."""
        oldest, status = min(pieces, key=lambda each: each[0].provenance.fetched_at)
        ranges = self._capability.ranges
        if ranges is None or len(pieces) == 1:
            return oldest, status
        return replace(oldest, value=ranges.join(item, [each.value for each, _ in pieces])), status

    def _answer(self, plan: Plan, stored: Stored, status: CacheStatus) -> Fetched:
        value, provenance = stored.value, stored.provenance
        before = self._fallback(plan, provenance.provider)
        if before:
            provenance = replace(provenance, fallback_from=before)
            value = remarked(value, provenance)
        self._log.note_all(value, provenance, status)
        return Fetched(value=value, provenance=provenance)

    def _close(self, item: Any, plan: Plan) -> Fetched | NoAnswer:
        if plan.result is None:
            plan.result = self._old_copy(item, plan) or no_answer(
                self._capability.name, _subject(item), plan.attempts, plan.refused,
                out_of_time=bool(plan.covering) and self._loop.time() >= self._deadline,
                pinned=self._terms.providers is not None,
            )  # fmt: skip
        return plan.result

    def _old_copy(self, item: Any, plan: Plan) -> Fetched | None:
        if not self._terms.stale_if_error:
            return None
        for lane in plan.covering:
            held = [
                (stored, CacheStatus.STALE)
                for piece in self._pieces(lane, item)
                if (stored := self._market.pipeline.stale(lane, self._capability, piece, self._terms)) is not None
            ]
            if len(held) == len(self._pieces(lane, item)):
                stored, _ = self._joined(item, held)
                # A copy of its own: the stored provenance may be shared with reads that are not stale.
                own = replace(stored.provenance)
                marked = replace(stored, provenance=own, value=remarked(stored.value, own))
                return self._answer(plan, marked, CacheStatus.STALE)
        return None


def _subject(item: Any) -> str:
    """What an ask is about, as its error names it: an instrument, a currency, a text, or everything that there is."""
    if isinstance(item, InstrumentId):
        return str(item)
    named = (getattr(item, name, None) for name in ("instrument", "base", "currency", "text"))
    return str(next((found for found in named if found), "all"))
