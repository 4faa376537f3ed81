"""The order of guards, from the ask down to the upstream call; read it top to bottom.

memory cache → single flight → shared cache and lock (Redis) → concurrency → retry budget → hold (throttle, refused key)
→ tenant's budget → provider quota → breaker → deadline → adapter. What is kept of an answer: `gateway/core/keeping.py`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import islice
from traceback import format_exc
from typing import TYPE_CHECKING, Any

import structlog

from gateway.core.access import CONCURRENT, Lane
from gateway.core.account import NOBODY, Account
from gateway.core.aside import carried_out
from gateway.core.callfacts import CallFacts, call_facts
from gateway.core.calltraces import traced_call
from gateway.core.clock import Clock
from gateway.core.guards.budget import HedgeBudget
from gateway.core.guards.cache import COUNTED, MEMORY_HITS, MEMORY_MISSES, MOST_BYTES, MemoryCache, Stored
from gateway.core.guards.flight import Flight, Found
from gateway.core.guards.keys import cache_key, is_of
from gateway.core.guards.toll import Budgets
from gateway.core.health import Health
from gateway.core.keeping import Keeper
from gateway.core.landing import Outcome, Party, land
from gateway.core.routing import Registry
from gateway.core.secrets import Redactor
from gateway.core.verdicts import note_failure, note_success
from schema.capability import Capability, Terms
from schema.errors import (
    Blocked,
    BudgetReached,
    CircuitOpen,
    Malformed,
    NotCovered,
    NotRecorded,
    QuotaReached,
    Stale,
    Timeout,
    UnknownInstrument,
    UpstreamError,
)
from schema.provenance import CacheStatus
from schema.words.registry import BreakerState

if TYPE_CHECKING:
    from gateway.core.guards.fleet import Fleet

FLIGHT_LEAST = 2.5
BACKOFF = (0.03, 0.12)
SPLIT = (UnknownInstrument, NotCovered, NotRecorded)
"""Errors of a batch that may be one item's fault: the batch is halved and asked again."""

JUST_BEGUN_S = 0.1
"""A call that began so short ago tells what is now."""
UNSENT = (CircuitOpen, QuotaReached, BudgetReached)
"""Refusals before anything was sent."""

log = structlog.get_logger(__name__)


class Pipeline:
    """Carries out asks on one lane at a time."""

    fleet: Fleet | None = None
    """The other processes; None without Redis."""
    on_read: Callable[[Lane, Capability[Any, Any], Any], None] | None = None
    """Told of one memory hit in `COUNTED`: what is read most is loaded first by the next process."""

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        *,
        redact: Redactor | None = None,
        cache_bytes: int = MOST_BYTES,
        chance: random.Random | None = None,
    ) -> None:
        self.registry, self.clock = registry, clock
        self.health = Health(clock)
        self.cache = MemoryCache(cache_bytes)
        self.hedges, self.budgets = HedgeBudget(), Budgets(clock)
        self.keeper = Keeper(self.cache, clock, chance or random.Random())
        self._redact = redact or Redactor()
        self._flights: dict[Hashable, Flight] = {}
        self._hits = 0

    async def fetch(
        self, lane: Lane, capability: Capability[Any, Any], ask: Any, items: Sequence[Any], terms: Terms,
        budget: float, *, account: Account = NOBODY, judge_age: bool = True,
    ) -> dict[Any, Outcome]:  # fmt: skip
        """An outcome for each item; never raises for what goes wrong upstream.

        *account* is whose share of the upstream's quota a call takes that nobody else has under way.
        Without *judge_age* a newest value that is older than `max_age` is an answer and not `Stale`.
        """
        party = self._party(lane, capability, ask, items, terms, budget, account)
        if party.waiting:
            await self._land([party], capability, ask, terms, budget, account)
        if terms.max_age is None or not judge_age:
            return {item: party.outcomes[item] for item in items}
        return {item: self._young_enough(lane, party.outcomes[item], terms) for item in items}

    async def fetch_each(
        self, lanes: Sequence[Lane], capability: Capability[Any, Any], ask: Any, item: Any, terms: Terms,
        budget: float, account: Account,
    ) -> list[Outcome]:  # fmt: skip
        """The same item on several lanes at once, waited for together; no outcome is too old."""
        parties = [self._party(lane, capability, ask, (item,), terms, budget, account) for lane in lanes]
        await self._land(parties, capability, ask, terms, budget, account)
        return [party.outcomes[item] for party in parties]

    def _party(
        self, lane: Lane, capability: Capability[Any, Any], ask: Any, items: Sequence[Any], terms: Terms,
        budget: float, account: Account,
    ) -> Party:  # fmt: skip
        """What is held of the items, and flights for the others; nothing is waited for."""
        party = Party(lane=lane)
        cold: list[Any] = []
        for item in items:
            key = cache_key(lane, capability, item)
            held = self.cache.get(key)
            if held is not None and self._serves(held, lane, capability, ask, item, key, terms, account):
                party.outcomes[item] = held.error or (held, CacheStatus.HIT)
            elif (flight := self._flights.get(key)) is not None and not capability.private and _joins(flight, terms):
                party.waiting[item] = (flight, CacheStatus.COALESCED)
                flight.wait_for(budget)
            else:
                cold.append(item)
        if cold:
            MEMORY_MISSES.inc(len(cold))
            self._ask_for(party, capability, ask, cold, terms, budget, account)
        return party

    def _serves(
        self, held: Stored, lane: Lane, capability: Capability[Any, Any], ask: Any, item: Any, key: Hashable,
        terms: Terms, account: Account,
    ) -> bool:  # fmt: skip
        """Whether our copy is the answer; one that is past its window is fetched anew behind the caller's back."""
        if not self.keeper.fits(held, terms):
            if not self.keeper.served_late(held, capability, terms):
                return False
            if key not in self._flights:
                self._take_off(lane, capability, ask, [item], 0.0, account, Terms())
        self._count_hit(lane, capability, item)
        return True

    def _count_hit(self, lane: Lane, capability: Capability[Any, Any], item: Any) -> None:
        self._hits += 1
        if self._hits % COUNTED == 0:
            MEMORY_HITS.inc(COUNTED)
            if self.on_read is not None:
                self.on_read(lane, capability, item)

    def count_hits(self, capability: Capability[Any, Any], lanes: Mapping[Any, Lane]) -> None:
        """Hits of a whole batch: its items, and the lanes that they came by."""
        first = COUNTED - 1 - self._hits % COUNTED
        self._hits += len(lanes)
        counted = list(islice(lanes.items(), first, None, COUNTED))
        MEMORY_HITS.inc(COUNTED * len(counted))
        if self.on_read is not None:
            for item, lane in counted:
                self.on_read(lane, capability, item)

    def _ask_for(
        self, party: Party, capability: Capability[Any, Any], ask: Any, items: Sequence[Any], terms: Terms,
        budget: float, account: Account, *, anew: bool = False,
    ) -> None:  # fmt: skip
        """Flights for what is neither held nor under way."""
        # Pieces of a range are asks of their own; only items of a batch travel together.
        size = party.lane.answer.max_batch or len(items) if capability.items else 1
        for start in range(0, len(items), size):
            chunk = list(items[start : start + size])
            flight = self._take_off(party.lane, capability, ask, chunk, budget, account, terms, anew=anew)
            flight.keep = terms.keep
            party.waiting.update(dict.fromkeys(chunk, (flight, CacheStatus.MISS)))

    async def _land(
        self, parties: Sequence[Party], capability: Capability[Any, Any], ask: Any, terms: Terms, budget: float,
        account: Account,
    ) -> None:  # fmt: skip
        """Wait for all flights; ask anew where one that somebody else began has ended in a shared copy that is too
        old for this caller."""
        await land(parties, budget)
        if terms.max_age is None:
            return
        again = [(party, old) for party in parties if (old := self._too_old(party, terms.max_age))]
        for party, old in again:
            party.waiting = {}
            self._ask_for(party, capability, ask, old, terms, budget, account, anew=True)
        await land([party for party, _ in again], budget)

    def _too_old(self, party: Party, limit: timedelta) -> list[Any]:
        """Items whose copies came from the shared cache and are older than that."""
        return [
            item
            for item, (flight, _) in party.waiting.items()
            if flight.shared.get(item) is CacheStatus.HIT
            and not isinstance(outcome := party.outcomes[item], UpstreamError)
            and self.keeper.age(outcome[0]) > limit
        ]

    def drop(self, provider: str, capability: str | None = None, symbol: str | None = None) -> int:
        """Forget what memory holds of a provider, and let nothing be kept of what is under way; how many entries."""
        unwanted = partial(is_of, provider=provider, capability=capability, symbol=symbol)
        for key in [key for key in self._flights if unwanted(key)]:
            self._flights.pop(key).dropped = True
        return self.cache.drop(unwanted)

    def fresh(self, lane: Lane, capability: Capability[Any, Any], item: Any, now: float) -> Stored | None:
        """Our copy, if it is an answer and its window is not over at *now* (monotonic)."""
        held = self.cache.get(cache_key(lane, capability, item))
        if held is None or held.error is not None or now >= held.fresh_until:
            return None
        self._count_hit(lane, capability, item)
        return held

    def stale(self, lane: Lane, capability: Capability[Any, Any], item: Any, terms: Terms) -> Stored | None:
        """Our old copy, if it is no older than the caller accepts when every provider fails."""
        held = self.cache.get(cache_key(lane, capability, item))
        if held is None or held.error is not None:
            return None
        late = self.clock.monotonic() - held.fresh_until
        if late > capability.keep_for.total_seconds():
            return None
        if terms.max_age is not None:
            late = (self.keeper.age(held) - terms.max_age).total_seconds()
        return held if late <= terms.stale_if_error.total_seconds() else None

    def _young_enough(self, lane: Lane, outcome: Outcome, terms: Terms) -> Outcome:
        # 0 asks anew, and what comes is the newest that there is.
        if isinstance(outcome, UpstreamError) or not terms.max_age:
            return outcome
        age = self.keeper.age(outcome[0])
        if age <= terms.max_age:
            return outcome
        shown, limit = (round(x.total_seconds() * 1000) for x in (age, terms.max_age))
        return Stale(lane.id, f"its newest value is {shown} ms old, maxAgeMs is {limit}")

    def _take_off(
        self, lane: Lane, capability: Capability[Any, Any], ask: Any, chunk: list[Any], budget: float,
        account: Account, terms: Terms, *, anew: bool = False,
    ) -> Flight:  # fmt: skip
        """Start a call that outlives its first caller, so that others may wait for it and the cache gets it.

        *anew*: whatever the shared cache holds.
        """
        flight = Flight(max(budget, FLIGHT_LEAST), account, anew=anew)

        async def call(items: Sequence[Any]) -> Found:
            return await self._fly(lane, capability, ask, items, flight)

        def usable(stored: Stored) -> bool:
            return self.keeper.fits(stored, terms)

        # Another process's call may have been under way for long.
        shared = self.fleet if terms.keep and not capability.private and not _is_now(terms) else None
        flight.alone = shared is None
        way = call(chunk) if shared is None else shared.find(lane, capability, chunk, flight, usable, call)
        self.hedges.earn()
        flight.task = asyncio.create_task(way)
        keys = [cache_key(lane, capability, item) for item in chunk]
        self._flights.update({} if capability.private else dict.fromkeys(keys, flight))

        def gone(task: asyncio.Task[Found]) -> None:
            for key in keys:
                if self._flights.get(key) is flight:
                    del self._flights[key]
            if flight.dropped:
                self.cache.drop(set(keys).__contains__)
            if not task.cancelled() and (defect := task.exception()):  # all who waited may have left
                log.error("flight_failed", provider=lane.id, capability=capability.name, exc_info=defect)

        flight.task.add_done_callback(gone)
        return flight

    def _worth_halving(self, refusal: UpstreamError, flight: Flight, *, halved: bool) -> bool:
        """An unknown instrument is searched for to the end; a refusal without a reason gets one second chance.

        Asking the recordings costs nobody a call.
        """
        if isinstance(refusal, NotRecorded):
            return True
        if isinstance(refusal, Blocked):
            return False
        return not (halved and isinstance(refusal, NotCovered)) and flight.may_split()

    async def _fly(
        self, lane: Lane, capability: Capability[Any, Any], ask: Any, chunk: Sequence[Any], flight: Flight, *,
        halved: bool = False,
    ) -> Found:  # fmt: skip
        """One call for a chunk of items, halved where one item may have spoiled it."""
        found = await self._call(lane, capability, ask, chunk, flight)
        if not isinstance(found, UpstreamError):
            return found
        if isinstance(found, SPLIT) and len(chunk) > 1 and self._worth_halving(found, flight, halved=halved):
            half = len(chunk) // 2
            parts = await asyncio.gather(
                self._fly(lane, capability, ask, chunk[:half], flight, halved=True),
                self._fly(lane, capability, ask, chunk[half:], flight, halved=True),
            )
            return {**parts[0], **parts[1]}
        if isinstance(found, UnknownInstrument):
            if len(chunk) > 1:  # which of them is unknown was not found out
                found = NotCovered(lane.id, f"refused a batch of {len(chunk)} with this in it: {found.detail}")
            else:
                self.keeper.remember_absence(lane, capability, chunk, found)
        return dict.fromkeys(chunk, found)

    async def _call(
        self, lane: Lane, capability: Capability[Any, Any], ask: Any, chunk: Sequence[Any], flight: Flight
    ) -> Found | UpstreamError:
        gate, budget = lane.access.gate, lane.access.budget
        asked = capability.items.only(ask, tuple(chunk)) if capability.items else chunk[0]
        budget.earn()
        if not await self._enter(gate, flight):
            return Timeout(lane.id, f"{CONCURRENT} calls were under way, and none of them ended in time")
        try:
            found = await self._attempt(lane, capability, asked, chunk, flight)
            if not isinstance(found, UpstreamError) or not found.retried or capability.private:
                return found
            pause = max(random.uniform(*BACKOFF), found.retry_after or 0.0)
            if pause >= flight.left or lane.breaker.state is not BreakerState.CLOSED or not budget.spend():
                return found
            await self.clock.sleep(pause)
            return await self._attempt(lane, capability, asked, chunk, flight)
        finally:
            gate.release()

    async def _enter(self, gate: asyncio.Semaphore, flight: Flight) -> bool:
        if not gate.locked():  # then it does not wait, and needs no limit
            return await gate.acquire()
        try:
            async with flight.limit():
                return await gate.acquire()
        except TimeoutError:
            return False

    @traced_call
    async def _attempt(
        self, lane: Lane, capability: Capability[Any, Any], asked: Any, chunk: Sequence[Any], flight: Flight
    ) -> Found | UpstreamError:
        """One upstream call through hold and breaker, its verdict told to both."""
        held = self.health.hold(lane.access.holder)
        if held is not None:
            return held
        if lane.trunk is not None and lane.trunk.state is BreakerState.OPEN:
            return lane.trunk.refusal()
        facts = CallFacts(capability=capability.name, keep=flight.keep)
        try:
            counted = self.registry.counts(lane.provider.profile)
            facts.toll = await self.budgets.pay(lane, asked, flight, counted=counted)
            admission = await lane.breaker.enter()
        except BaseException as refused:
            if facts.toll is not None:
                facts.toll.close()
            if isinstance(refused, UNSENT):
                return refused
            raise
        token = call_facts.set(facts)
        error: UpstreamError
        try:
            async with flight.limit():
                call = lane.method(asked)
                value = await (carried_out(call, facts) if lane.provider.stateless else call)
            found = await self.keeper.sort_out(lane, capability, asked, chunk, value, facts)
        except UpstreamError as caught:
            error = self.scrubbed(lane, caught)
        except TimeoutError:
            error = Timeout(lane.id, "no answer in time")
        except asyncio.CancelledError:
            lane.breaker.let_go(admission)
            raise
        except Exception:  # noqa: BLE001 - an adapter's own defect must not take the query down
            told = lane.access.redact(format_exc())
            log.error("adapter_defect", provider=lane.id, capability=capability.name, exception=told)
            error = Malformed(lane.id, "its answer broke the adapter")
        else:
            lane.breaker.succeeded(admission)
            note_success(self.health, lane, facts, found)
            return found
        finally:
            if facts.toll is not None:
                facts.toll.close()
            with suppress(ValueError):
                call_facts.reset(token)
        note_failure(self.health, lane, admission, error, facts)
        return error

    def scrubbed(self, lane: Lane, error: UpstreamError) -> UpstreamError:
        """The error as it may be kept: without keys and without frames, which hold whole replies."""
        error.__traceback__ = error.__context__ = error.__cause__ = None
        detail = lane.access.redact(self._redact(error.detail))
        return error if detail == error.detail else error.retold(detail)


def _is_now(terms: Terms) -> bool:
    """Whether only what an upstream says to this caller will do."""
    return terms.max_age is not None and not terms.max_age


def _joins(flight: Flight, terms: Terms) -> bool:
    return not _is_now(terms) or (flight.alone and flight.lasted <= JUST_BEGUN_S)
