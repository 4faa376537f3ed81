"""The order of guards, from the ask down to the upstream call; read it top to bottom.

memory cache → single flight → concurrency → retry budget → hold (throttle, refused key) → breaker → deadline → adapter.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Hashable, Sequence
from contextlib import suppress
from datetime import timedelta
from traceback import format_exc
from typing import Any

import structlog

from gateway.core.access import CONCURRENT, Lane
from gateway.core.account import NOBODY, Account
from gateway.core.clock import Clock
from gateway.core.guards.cache import MemoryCache, Stored
from gateway.core.guards.flight import Flight, Found
from gateway.core.guards.hedge import HedgeBudget
from gateway.core.health import Health
from gateway.core.routing import Registry
from gateway.core.secrets import Redactor
from gateway.core.stamping import Stamper, age_of
from gateway.core.upstream import CallFacts, call_facts
from schema.capability import Capability, Terms
from schema.errors import (
    Blocked,
    CircuitOpen,
    KeyMissing,
    Malformed,
    NotCovered,
    NotRecorded,
    Stale,
    Timeout,
    UnknownInstrument,
    UpstreamError,
)
from schema.provenance import CacheStatus, DataMode
from schema.words.registry import BreakerState

Outcome = tuple[Stored, CacheStatus] | UpstreamError
Waiting = dict[Any, tuple[Flight, CacheStatus]]

FLIGHT_LEAST = 2.5
NEGATIVE_FOR = 30.0
BACKOFF = (0.03, 0.12)
SPLIT = (UnknownInstrument, NotCovered, NotRecorded)
"""Errors of a batch that may be one item's fault: the batch is halved and asked again."""

log = structlog.get_logger(__name__)


class Pipeline:
    """Carries out asks on one lane at a time."""

    def __init__(
        self, registry: Registry, clock: Clock, *, redact: Redactor | None = None, rows: int | None = None
    ) -> None:
        self.registry, self.clock = registry, clock
        self.health = Health(clock)
        self.cache = MemoryCache(rows) if rows is not None else MemoryCache()
        self.hedges = HedgeBudget()
        self._stamper = Stamper(clock)
        self._redact = redact or Redactor()
        self._flights: dict[Hashable, Flight] = {}

    async def fetch(
        self, lane: Lane, capability: Capability[Any, Any], ask: Any, items: Sequence[Any], terms: Terms,
        budget: float, *, account: Account = NOBODY, judge_age: bool = True,
    ) -> dict[Any, Outcome]:  # fmt: skip
        """An outcome for each item; never raises for what goes wrong upstream.

        *account* is whose share of the upstream's quota a call takes that nobody else has under way.
        Without *judge_age* a newest value that is older than `max_age` is an answer and not `Stale`.
        """
        outcomes: dict[Any, Outcome] = {}
        waiting: Waiting = {}
        cold: list[Any] = []
        for item in items:
            key = cache_key(lane, capability, item)
            held = self._usable(key, terms)
            if held is not None:
                outcomes[item] = held.error or (held, CacheStatus.HIT)
            elif key in self._flights:
                waiting[item] = (self._flights[key], CacheStatus.COALESCED)
                self._flights[key].wait_for(budget)
            else:
                cold.append(item)
        # Pieces of a range are asks of their own; only items of a batch travel together.
        size = (lane.answer.max_batch or len(cold) or 1) if capability.items else 1
        for start in range(0, len(cold), size):
            chunk = cold[start : start + size]
            flight = self._take_off(lane, capability, ask, chunk, budget, account)
            flight.keep = terms.keep
            waiting.update((item, (flight, CacheStatus.MISS)) for item in chunk)
        await self._land(lane, waiting, outcomes, budget)
        return {
            item: self._young_enough(lane, outcomes[item], terms) if judge_age else outcomes[item] for item in items
        }

    def fresh(self, lane: Lane, capability: Capability[Any, Any], item: Any, now: float) -> Stored | None:
        """Our copy, if it is an answer and its window is not over at *now* (monotonic)."""
        held = self.cache.get(cache_key(lane, capability, item))
        return held if held is not None and held.error is None and now < held.fresh_until else None

    def stale(self, lane: Lane, capability: Capability[Any, Any], item: Any, terms: Terms) -> Stored | None:
        """Our old copy, if it is no older than the caller accepts when every provider fails."""
        held = self.cache.get(cache_key(lane, capability, item))
        if held is None or held.error is not None:
            return None
        late = self.clock.monotonic() - held.fresh_until
        if terms.max_age is not None:
            late = (self._age(held) - terms.max_age).total_seconds()
        return held if late <= terms.stale_if_error.total_seconds() else None

    def _usable(self, key: Hashable, terms: Terms) -> Stored | None:
        held = self.cache.get(key)
        if held is None or self.clock.monotonic() >= held.fresh_until:
            return None
        if held.error is None and terms.max_age is not None and self._age(held) > terms.max_age:
            return None
        return held

    def _age(self, stored: Stored) -> timedelta:
        return age_of(stored.value, stored.provenance, self.clock.now())

    def _young_enough(self, lane: Lane, outcome: Outcome, terms: Terms) -> Outcome:
        if isinstance(outcome, UpstreamError) or terms.max_age is None:
            return outcome
        age = self._age(outcome[0])
        if age <= terms.max_age:
            return outcome
        shown, limit = (round(x.total_seconds() * 1000) for x in (age, terms.max_age))
        return Stale(lane.id, f"its newest value is {shown} ms old, maxAgeMs is {limit}")

    def _take_off(
        self, lane: Lane, capability: Capability[Any, Any], ask: Any, chunk: list[Any], budget: float, account: Account
    ) -> Flight:
        """Start a call that outlives its first caller, so that others may wait for it and the cache gets it."""
        flight = Flight(max(budget, FLIGHT_LEAST), account)
        self.hedges.earn()
        flight.task = asyncio.create_task(self._fly(lane, capability, ask, chunk, flight))
        keys = [cache_key(lane, capability, item) for item in chunk]
        self._flights.update(dict.fromkeys(keys, flight))

        def gone(task: asyncio.Task[Found]) -> None:
            for key in keys:
                self._flights.pop(key, None)
            if not task.cancelled() and (defect := task.exception()):  # all who waited may have left
                log.error("flight_failed", provider=lane.id, capability=capability.name, exc_info=defect)

        flight.task.add_done_callback(gone)
        return flight

    async def _land(self, lane: Lane, waiting: Waiting, outcomes: dict[Any, Outcome], budget: float) -> None:
        if waiting:
            await asyncio.wait({flight.task for flight, _ in waiting.values()}, timeout=max(budget, 0.0))
        for item, (flight, status) in waiting.items():
            if not flight.task.done():
                outcomes[item] = Timeout(lane.id, f"no answer within {round(budget * 1000)} ms")
                continue
            found = flight.task.result()[item]
            outcomes[item] = found if isinstance(found, UpstreamError) else (found, status)

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
        self,
        lane: Lane,
        capability: Capability[Any, Any],
        ask: Any,
        chunk: Sequence[Any],
        flight: Flight,
        *,
        halved: bool = False,
    ) -> Found:
        """One call for a chunk of items, halved where one item may have spoiled it."""
        found = await self._call(lane, capability, ask, chunk, flight)
        if isinstance(found, SPLIT) and len(chunk) > 1 and self._worth_halving(found, flight, halved=halved):
            half = len(chunk) // 2
            parts = await asyncio.gather(
                self._fly(lane, capability, ask, chunk[:half], flight, halved=True),
                self._fly(lane, capability, ask, chunk[half:], flight, halved=True),
            )
            return {**parts[0], **parts[1]}
        if isinstance(found, UpstreamError):
            if isinstance(found, UnknownInstrument):
                if len(chunk) > 1:  # which of them is unknown was not found out
                    found = NotCovered(lane.id, f"refused a batch of {len(chunk)} with this in it: {found.detail}")
                else:
                    self._remember_absence(lane, capability, chunk, found)
            return dict.fromkeys(chunk, found)
        return found

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
            if not isinstance(found, UpstreamError) or not found.retried:
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

    async def _attempt(
        self, lane: Lane, capability: Capability[Any, Any], asked: Any, chunk: Sequence[Any], flight: Flight
    ) -> Found | UpstreamError:
        """One upstream call through hold and breaker, its verdict told to both."""
        held = self.health.hold(lane.access.holder)
        if held is not None:
            return held
        if lane.trunk is not None and lane.trunk.state is BreakerState.OPEN:
            return lane.trunk.refusal()
        try:
            admission = await lane.breaker.enter()
        except CircuitOpen as refused:
            return refused
        facts = CallFacts(capability=capability.name, keep=flight.keep)
        token = call_facts.set(facts)
        error: UpstreamError
        try:
            async with flight.limit():
                value = await lane.method(asked)
            found = self._stamp(lane, capability, asked, chunk, value, facts)
        except UpstreamError as caught:
            error = self._scrubbed(lane, without_frames(caught))
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
            self._note_success(lane, facts)
            return found
        finally:
            with suppress(ValueError):
                call_facts.reset(token)
        self._note_failure(lane, admission, error, facts)
        return error

    def _note_success(self, lane: Lane, facts: CallFacts) -> None:
        if facts.recorded is None and facts.requests:
            self.health.succeeded(lane.access.holder, facts.latency_ms, lane.answer.capability.name)

    def _note_failure(self, lane: Lane, admission: Any, error: UpstreamError, facts: CallFacts) -> None:
        """A recorded or a simulated failure says nothing about the upstream."""
        if facts.recorded is not None or error.pauses or isinstance(error, KeyMissing | NotRecorded):
            lane.breaker.let_go(admission)
        elif error.counted:
            lane.breaker.failed(admission, error)
        else:
            lane.breaker.succeeded(admission)
        live = facts.recorded is None and lane.provider.profile.mode is DataMode.LIVE
        if live and not isinstance(error, NotRecorded):
            self.health.failed(lane.access.holder, error, lane.answer.capability.name)

    def _stamp(
        self,
        lane: Lane,
        capability: Capability[Any, Any],
        asked: Any,
        chunk: Sequence[Any],
        value: Any,
        facts: CallFacts,
    ) -> Found:
        """Stamp, store and sort out the answer: an item that is not in it is unknown to this provider."""
        if capability.items is None:
            stored = self._keep(lane, capability, chunk[0], asked, value, facts)
            return {chunk[0]: stored}
        by_item = {capability.items.key(answer): answer for answer in value}
        found: dict[Any, Stored | UpstreamError] = {}
        for item in chunk:
            if item in by_item:
                found[item] = self._keep(lane, capability, item, asked, by_item[item], facts)
            else:
                error = UnknownInstrument(lane.id, f"does not list {item}")
                self._remember_absence(lane, capability, [item], error)
                found[item] = error
        return found

    def _keep(
        self, lane: Lane, capability: Capability[Any, Any], item: Any, asked: Any, value: Any, facts: CallFacts
    ) -> Stored:
        now = self.clock.monotonic()
        window = (lane.answer.fresh_for or capability.window(asked, self.clock.now())).total_seconds()
        if capability.ranges is not None and capability.ranges.cut is not None:
            value = capability.ranges.cut(asked, value)
        value, provenance = self._stamper.stamp(lane, capability, value, facts)
        stored = Stored(value=value, provenance=provenance, fetched=now, fresh_until=now + window)
        if lane.provider.profile.licence.cacheable and facts.keep:
            self.cache.put(cache_key(lane, capability, item), stored)
        return stored

    def _remember_absence(
        self, lane: Lane, capability: Capability[Any, Any], items: Sequence[Any], error: UpstreamError
    ) -> None:
        now = self.clock.monotonic()
        for item in items:
            provenance = self._stamper.blank(lane)
            entry = Stored(value=None, provenance=provenance, fetched=now, fresh_until=now + NEGATIVE_FOR, error=error)
            self.cache.put(cache_key(lane, capability, item), entry)

    def _scrubbed(self, lane: Lane, error: UpstreamError) -> UpstreamError:
        detail = lane.access.redact(self._redact(error.detail))
        return error if detail == error.detail else error.retold(detail)


def without_frames(error: UpstreamError) -> UpstreamError:
    """An error that is kept must not keep the frames it went through: they hold whole replies."""
    error.__traceback__ = error.__context__ = error.__cause__ = None
    return error


def cache_key(lane: Lane, capability: Capability[Any, Any], item: Any) -> Hashable:
    """Equality of asks is the key; terms are no part of it. What is one tenant's alone has a key of its own."""
    if lane.scope is None:
        return (capability.name, capability.version, lane.id, item)
    return (capability.name, capability.version, lane.id, item, lane.scope)
