"""Answers that come in parts: the next provider is asked as long as nothing has come, and never after that."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import replace
from traceback import format_exc
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from gateway.core.access import CONCURRENT, Lane
from gateway.core.account import Account
from gateway.core.callfacts import CallFacts, call_facts
from gateway.core.errand import subject_of
from gateway.core.failover import no_answer
from gateway.core.fetchlog import FetchLog
from gateway.core.guards.flight import Flight
from gateway.core.health import failure_of
from gateway.core.parts import ended
from gateway.core.stamping import Stamper
from gateway.core.upstream import SILENCE
from gateway.core.verdicts import note_failure, note_success
from schema.capability import Capability, Terms
from schema.errors import Malformed, Timeout, UpstreamError
from schema.provenance import CacheStatus, ProviderFailure

if TYPE_CHECKING:
    from gateway.core.guards.breaker import Admission
    from gateway.core.market import MarketData

A = TypeVar("A")
M = TypeVar("M")

LOG = structlog.get_logger(__name__)
LONGEST_S = 600.0
"""No answer comes in parts for longer."""


async def stream(
    market: MarketData,
    capability: Capability[A, M],
    ask: A,
    terms: Terms,
    log: FetchLog,
    account: Account,
) -> AsyncGenerator[M]:
    """The parts of one answer; NoAnswer where nobody began, the provider's error where it broke off.

    `terms.timeout` is the time until the first part.
    """
    loop = asyncio.get_running_loop()
    last_start = loop.time() + terms.timeout
    route = market.registry.route(capability, ask, terms, account)
    attempts: list[ProviderFailure] = []
    for lane in route.lanes:
        if loop.time() >= last_start:
            break
        call = _Call(market, lane, capability, ask, account, last_start - loop.time())
        try:
            async with aclosing(call.parts(log, tuple(attempts))) as parts:
                async for part in parts:
                    yield part
            return
        except UpstreamError as error:
            if call.begun:
                raise
            attempts.append(failure_of(error))
    raise no_answer(
        capability.name, subject_of(ask), attempts, route.refused,
        out_of_time=bool(route.lanes) and loop.time() >= last_start, pinned=terms.providers is not None,
    )  # fmt: skip


class _Call:
    """One provider's answer, through the guards of a call that nobody else shares."""

    def __init__(
        self,
        market: MarketData,
        lane: Lane,
        capability: Capability[Any, Any],
        ask: Any,
        account: Account,
        budget: float,
    ) -> None:
        self._market, self._lane, self._capability, self._ask = market, lane, capability, ask
        self._flight = Flight(budget, account)
        self._facts = CallFacts(capability=capability.name, keep=False)
        self.begun = False
        """Whether a part has been handed on."""

    async def parts(self, log: FetchLog, before: tuple[ProviderFailure, ...]) -> AsyncGenerator[Any]:
        """Stamped; an UpstreamError in the gateway's own words where it cannot go on."""
        lane, pipeline, facts = self._lane, self._market.pipeline, self._facts
        refusal = pipeline.health.hold(lane.access.holder) or (
            lane.trunk.refusal() if lane.trunk is not None and lane.shut else None
        )
        if refusal is not None:
            raise refusal
        await self._enter()
        admission: Admission | None = None
        try:
            counted = pipeline.registry.counts(lane.provider.profile)
            facts.toll = await pipeline.budgets.pay(lane, self._ask, self._flight, counted=counted)
            admission = await lane.breaker.enter()
            async with aclosing(self._stamped(log, before)) as stamped:
                async for part in stamped:
                    self.begun = True
                    yield part
        except (asyncio.CancelledError, GeneratorExit):
            if admission is not None:
                lane.breaker.let_go(admission)
            raise
        except UpstreamError as caught:
            error = pipeline.scrubbed(lane, caught)
            if admission is not None:
                note_failure(pipeline.health, lane, admission, error, facts)
            raise error from None
        else:
            lane.breaker.succeeded(admission)
            note_success(pipeline.health, lane, facts)
        finally:
            if facts.toll is not None:
                facts.toll.close()
            lane.access.gate.release()

    async def _enter(self) -> None:
        try:
            async with self._flight.limit():
                await self._lane.access.gate.acquire()
        except TimeoutError:
            told = f"{CONCURRENT} calls were under way, and none of them ended in time"
            raise Timeout(self._lane.id, told) from None

    async def _stamped(self, log: FetchLog, before: tuple[ProviderFailure, ...]) -> AsyncGenerator[Any]:
        """All parts of one answer share a provenance: that of the first, with the time that it took."""
        lane, stamper = self._lane, Stamper(self._market.clock)
        started = time.perf_counter()
        provenance = None
        async with aclosing(self._within_bounds()) as coming:
            async for part in coming:
                if provenance is None:
                    if self._facts.recorded is None and self._facts.requests:
                        self._facts.latency_ms = round((time.perf_counter() - started) * 1000)
                    _, made = stamper.stamp(lane, self._capability, part, self._facts)
                    provenance = replace(made, fallback_from=before) if before else made
                    log.note(provenance, CacheStatus.MISS)
                yield replace(part, provenance=provenance)

    async def _within_bounds(self) -> AsyncGenerator[Any]:
        """The adapter's parts: the first within the caller's time, each further one within the time of a silence."""
        lane, loop = self._lane, asyncio.get_running_loop()
        end = loop.time() + LONGEST_S
        async with aclosing(ended(lane.id, self._capability, lane.method(self._ask))) as answers:
            limit = self._flight.deadline
            while True:
                try:
                    async with asyncio.timeout_at(min(limit, end)):
                        part = await self._next(answers)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    raise Timeout(lane.id, "no answer in time") from None
                yield part
                limit = loop.time() + SILENCE

    async def _next(self, answers: AsyncGenerator[Any]) -> Any:
        """The next part; the facts of the call are known to the port while the adapter runs, and to nobody else."""
        token = call_facts.set(self._facts)
        try:
            return await anext(answers)
        except (UpstreamError, StopAsyncIteration, TimeoutError, asyncio.CancelledError):
            raise
        except Exception:  # noqa: BLE001 - an adapter's own defect must not take the operation down
            told = self._lane.access.redact(format_exc())
            LOG.error("adapter_defect", provider=self._lane.id, capability=self._capability.name, exception=told)
            raise Malformed(self._lane.id, "its answer broke the adapter") from None
        finally:
            with suppress(ValueError):
                call_facts.reset(token)
