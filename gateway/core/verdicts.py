"""What breaker and health are told of a call that ended."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.core.access import Lane
from gateway.core.callfacts import CallFacts
from gateway.core.guards.breaker import Admission
from gateway.core.health import PAUSE, Health
from gateway.core.metrics import counter, histogram
from schema.errors import BudgetReached, KeyMissing, NotRecorded, QuotaExhausted, QuotaReached, Throttled, UpstreamError
from schema.provenance import DataMode

CALLS = counter("marketgate_provider_calls", "Calls of a provider, by how they ended.", "provider", "outcome")
SECONDS = histogram(
    "marketgate_provider_seconds", "Seconds that a provider took for the requests of a call.", "provider"
)
NOTHING: Mapping[Any, Any] = MappingProxyType({})


def note_success(health: Health, lane: Lane, facts: CallFacts, found: Mapping[Any, Any] = NOTHING) -> None:
    """The upstream answered: *found*, by item, unless the answer came in parts."""
    _count(lane, facts, "answered")
    if facts.recorded is None and facts.requests:
        health.succeeded(lane.access.holder, facts.latency_ms, lane.answer.capability.name)
        health.measure(lane, found)


def note_failure(health: Health, lane: Lane, admission: Admission, error: UpstreamError, facts: CallFacts) -> None:
    """A recorded or a simulated failure, and a request that was never sent, say nothing about the upstream."""
    _count(lane, facts, str(error.code).lower())
    unsent = isinstance(error, KeyMissing | NotRecorded | QuotaReached | BudgetReached)
    if facts.recorded is not None or error.pauses or unsent:
        lane.breaker.let_go(admission)
    elif error.counted:
        lane.breaker.failed(admission, error)
    else:
        lane.breaker.succeeded(admission)
    live = facts.recorded is None and lane.provider.profile.mode is DataMode.LIVE
    if live and not isinstance(error, NotRecorded | QuotaReached | BudgetReached):
        health.failed(lane.access.holder, error, lane.answer.capability.name)
        if lane.access.turnstile is not None and isinstance(error, Throttled | QuotaExhausted):
            lane.access.turnstile.counter.pause(error.retry_after or PAUSE.get(type(error), 5.0))


def _count(lane: Lane, facts: CallFacts, outcome: str) -> None:
    CALLS.labels(lane.id, outcome).inc()
    if facts.latency_ms is not None:
        SECONDS.labels(lane.id).observe(facts.latency_ms / 1000)
