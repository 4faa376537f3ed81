"""One ask on its way: who is asked for what, in what order, until every item is settled."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Any

from gateway.core.access import Lane
from gateway.core.account import Account
from gateway.core.failover import no_answer
from gateway.core.fetchlog import Fetched, FetchLog
from gateway.core.guards.cache import Stored
from gateway.core.health import failure_of
from gateway.core.holding import hold
from gateway.core.landing import Outcome
from gateway.core.stamping import remarked
from gateway.core.tracing import Span, code_of, span
from schema.capability import Capability, Terms
from schema.errors import FailureCode, NoAnswer, Timeout, UpstreamError
from schema.provenance import CacheStatus, ProviderFailure
from schema.symbols import InstrumentId

if TYPE_CHECKING:
    from gateway.core.market import MarketData

SUBJECTS = (
    "instrument", "instruments", "base", "currency", "text", "series", "model", "address", "hash", "token", "slug",
    "channel", "id", "topic", "protocol", "asset", "venue", "index", "chain", "country", "countries", "language",
)  # fmt: skip
"""Fields of asks, of which the first that is there says what the ask is about."""
LEAST_S = 0.005
"""Nothing is sent that could be waited for no longer than this."""


@dataclass(slots=True, kw_only=True)
class Plan:
    """What is left to try for one item, and what was tried."""

    lanes: deque[Lane]
    covering: tuple[Lane, ...]
    refused: tuple[UpstreamError, ...]
    attempts: list[ProviderFailure] = field(default_factory=list)
    result: Fetched | NoAnswer | None = None


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
        deadline: float = inf,
    ) -> None:
        self._market, self._capability, self._ask, self._terms, self._log = market, capability, ask, terms, log
        self._account = account
        self._loop = asyncio.get_running_loop()
        self._deadline = min(self._loop.time() + terms.timeout, deadline)
        self._plans: dict[Any, Plan] = {}
        self._failing: dict[str, str] = {}
        self._orders: dict[tuple[Lane, ...], Sequence[Lane]] = {}

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

    def _healthy_first(self, lanes: tuple[Lane, ...]) -> Sequence[Lane]:
        """Who fails often, or is slow, is asked after the others; among equals the priority stands.

        Whom a tenant prefers, and its own keys, come first even so.
        """
        found = self._orders.get(lanes)
        if found is None:
            found = self._orders[lanes] = self._ordered(lanes)
        return found

    def _ordered(self, lanes: tuple[Lane, ...]) -> Sequence[Lane]:
        health, name = self._market.pipeline.health, self._capability.name
        behind = set(health.slower([lane.access.holder for lane in lanes], name))
        for lane in lanes:
            holder = lane.access.holder
            if why := health.behind(holder, name):
                behind.add(holder)
                if health.pulse(holder, name).failing:
                    self._failing[lane.id] = why
        rank = self._account.reach.rank
        if not behind:
            return lanes
        return sorted(lanes, key=lambda lane: (rank(lane.id), not lane.own, lane.access.holder in behind))

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
        budget = left / min(1 + others, 3)
        if self._terms.hedge and others:
            outcomes = await self._race(lane, items, budget)
        else:
            outcomes = await self._carry_out(lane, items, budget)
        failed = []
        for item in items:
            plan, outcome = self._plans[item], outcomes[item]
            if isinstance(outcome, UpstreamError):
                plan.attempts.append(failure_of(outcome))
                failed.append(item)
            else:
                plan.result = self._answer(plan, *outcome)
        await self._settle(failed)

    async def _race(self, lane: Lane, items: list[Any], budget: float) -> dict[Any, Outcome]:
        """Ask the next one too where the first takes longer than it usually does; the first answer counts.

        The call that lost goes on for the cache. It is no failure and is not named.
        """
        first = asyncio.ensure_future(self._carry_out(lane, items, budget))
        patience = self._market.pipeline.health.pulse(lane.access.holder, self._capability.name).p95_s()
        second: asyncio.Future[dict[Any, Outcome]] | None = None
        try:
            await asyncio.wait({first}, timeout=min(patience, budget))
            other = None if first.done() else self._hedge(items)
            if other is None:
                return await first
            left = self._deadline - self._loop.time()
            second = asyncio.ensure_future(self._carry_out(other, items, left))
            await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
            quick, late = (first, second) if first.done() else (second, first)
            found = quick.result()
            missed = [item for item in items if isinstance(found[item], UpstreamError)]
            if not missed:
                if quick is second:
                    self._asked(other, items)
                return found
            self._asked(other, items)
            return self._either(found, await late, items)
        finally:
            for each in (first, second):
                if each is not None and not each.done():
                    each.cancel()

    def _hedge(self, items: list[Any]) -> Lane | None:
        """Who may be asked at the same time: the next one for all of the items, if the budget has a call for it."""
        following = {self._plans[item].lanes[0] for item in items if self._plans[item].lanes}
        lane = next(iter(following), None)
        together = len(following) == 1 and all(self._plans[item].lanes for item in items)
        if lane is None or not together or not self._may_answer(lane):
            return None
        return lane if self._market.pipeline.hedges.spend() else None

    def _asked(self, lane: Lane, items: list[Any]) -> None:
        """It is not asked again."""
        for item in items:
            lanes = self._plans[item].lanes
            if lanes and lanes[0] is lane:
                lanes.popleft()

    def _either(self, found: dict[Any, Outcome], other: dict[Any, Outcome], items: list[Any]) -> dict[Any, Outcome]:
        """Of each item the answer that there is; where both failed, both are told."""
        chosen: dict[Any, Outcome] = {}
        for item in items:
            outcome, second = found[item], other[item]
            if isinstance(outcome, UpstreamError):
                if isinstance(second, UpstreamError):
                    self._plans[item].attempts.append(failure_of(outcome))
                outcome = second
            chosen[item] = outcome
        return chosen

    def _may_answer(self, lane: Lane) -> bool:
        """False for who would refuse at once: no time need be kept for it."""
        return self._market.pipeline.health.hold(lane.access.holder) is None and not lane.shut

    def _hopeless(self, lane: Lane, budget: float) -> bool:
        """Whether so little time is left that a call would be sent and nobody would be there for its answer."""
        usual = self._market.pipeline.health.pulse(lane.access.holder, self._capability.name).p50_s() or 0.0
        return budget < max(LEAST_S, usual / 4)

    async def _carry_out(self, lane: Lane, items: list[Any], budget: float) -> dict[Any, Outcome]:
        if self._hopeless(lane, budget):
            told = f"{max(0, round(budget * 1000))} ms were left, too little to be worth a call"
            return dict.fromkeys(items, Timeout(lane.id, told))
        pieces = self._pieces(lane, items[0])
        wanted = pieces if len(pieces) > 1 else items
        with span(f"ask {lane.id}", provider=lane.id, capability=self._capability.name, items=len(wanted)) as traced:
            found = await self._market.pipeline.fetch(
                lane, self._capability, self._ask, wanted, self._terms, budget, account=self._account
            )
            if traced is not None:
                _tell(traced, found.values())
        age, monotonic = self._market.pipeline.keeper.age, self._market.clock.monotonic()
        hold(self._log, lane, found.values(), self._terms, age, monotonic)
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
                self._capability.name, subject_of(item), plan.attempts, plan.refused,
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


def _tell(traced: Span, outcomes: Iterable[Outcome]) -> None:
    """How many items came by which way, and how the others failed."""
    ways = Counter(code_of(each) if isinstance(each, UpstreamError) else each[1].value.lower() for each in outcomes)
    for way, count in ways.items():
        traced.set(f"marketgate.items.{way.lower()}", count)
    failed = [way for way in ways if way.isupper()]
    if failed and len(failed) == len(ways):
        traced.fail(failed[0])


def subject_of(item: Any) -> str:
    """What an ask is about, as its error names it: instruments, a currency, a text, or everything that there is."""
    if isinstance(item, InstrumentId):
        return str(item)
    found = next(filter(None, (getattr(item, name, None) for name in SUBJECTS)), "all")
    return ", ".join(map(str, found)) if isinstance(found, tuple) else str(found)
