"""What a feed asks over HTTP (snapshots, addresses), behind the same guards as any call of its provider."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from traceback import format_exc
from typing import TYPE_CHECKING, TypeVar

import structlog

from gateway.core.access import Lane
from gateway.core.callfacts import CallFacts, call_facts
from gateway.core.guards.flight import Flight
from gateway.core.guards.quota import Claim
from gateway.core.guards.toll import Toll
from gateway.core.verdicts import note_failure, note_success
from providers.contract import Http
from schema.errors import Malformed, Timeout, UpstreamError

if TYPE_CHECKING:
    from gateway.core.guards.breaker import Admission
    from gateway.core.pipeline import Pipeline

T = TypeVar("T")

PATIENCE_S = 10.0
"""Seconds, waiting for the upstream's quota included."""
PLATFORM = "live"
"""Under this name live streams have their turn at an upstream's quota."""

log = structlog.get_logger(__name__)


class GuardedHttp:
    """gateway.core.lines.connection.Guarded over one lane."""

    def __init__(self, pipeline: Pipeline, lane: Lane) -> None:
        self._pipeline, self._lane = pipeline, lane

    async def __call__(self, call: Callable[[Http], Awaitable[T]], weight: int = 1, /) -> T:
        """Hold, quota, breaker, deadline; the verdict is told to breaker and health."""
        lane, health = self._lane, self._pipeline.health
        refusal = health.hold(lane.access.holder) or (
            lane.trunk.refusal() if lane.trunk is not None and lane.shut else None
        )
        if refusal is not None:
            raise refusal
        flight, facts = Flight(PATIENCE_S), CallFacts(capability=lane.answer.capability.name, keep=False)
        admission: Admission | None = None
        try:
            facts.toll = await self._pay(weight, flight)
            admission = await lane.breaker.enter()
            found = await self._carried_out(call, flight, facts)
        except UpstreamError as caught:
            error = self._pipeline.scrubbed(lane, caught)
            if admission is not None:
                note_failure(health, lane, admission, error, facts)
            raise error from None
        except BaseException:
            if admission is not None:
                lane.breaker.let_go(admission)
            raise
        finally:
            if facts.toll is not None:
                facts.toll.close()
        lane.breaker.succeeded(admission)
        note_success(health, lane, facts)
        return found

    async def _pay(self, weight: int, flight: Flight) -> Toll | None:
        turnstile = self._lane.access.turnstile
        if turnstile is None:
            return None
        claim = Claim(PLATFORM, 1.0, weight)
        toll = Toll(self._lane.id, None, turnstile, claim, self._pipeline.clock, lambda: flight.left)
        await toll.pay_ahead()
        return toll

    async def _carried_out(self, call: Callable[[Http], Awaitable[T]], flight: Flight, facts: CallFacts) -> T:
        lane = self._lane
        token = call_facts.set(facts)
        try:
            async with flight.limit():
                return await call(lane.provider.http)
        except TimeoutError:
            raise Timeout(lane.id, "no answer in time") from None
        except (UpstreamError, asyncio.CancelledError):
            raise
        except Exception:  # noqa: BLE001 - a feed's own defect must not end the connection's task
            log.error("feed_defect", provider=lane.id, exception=lane.access.redact(format_exc()))
            raise Malformed(lane.id, "its answer broke the feed") from None
        finally:
            with suppress(ValueError):
                call_facts.reset(token)
