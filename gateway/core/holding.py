"""How long, and for whom, the outcomes of a fetch hold: what an answer made of them may be kept for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from math import inf

from gateway.core.access import Lane
from gateway.core.fetchlog import FetchLog
from gateway.core.guards.cache import Stored
from schema.capability import Terms
from schema.errors import NotCovered, NotRecorded, UnknownInstrument, UpstreamError
from schema.facts import Shared
from schema.provenance import CacheStatus

ABSENT_FOR = 5.0
"""How long it holds that a provider has no answer; that one failed holds no longer than the operation that saw it."""
ABSENCES = (UnknownInstrument, NotCovered, NotRecorded)


def hold(
    log: FetchLog, lane: Lane, found: Iterable[tuple[Stored, CacheStatus] | UpstreamError], terms: Terms,
    age: Callable[[Stored], timedelta], monotonic: float,
) -> None:  # fmt: skip
    """Tell the log of all outcomes on one lane at once."""
    until, failed, answered = inf, False, False
    for outcome in found:
        if isinstance(outcome, UpstreamError):
            until = min(until, monotonic + ABSENT_FOR)
            failed = failed or not isinstance(outcome, ABSENCES)
            continue
        answered, stored = True, outcome[0]
        if stored.fresh_until < until:
            until = stored.fresh_until
        if terms.max_age is not None:
            until = min(until, monotonic + (terms.max_age - age(stored)).total_seconds())
    log.hold(until, Shared.NONE if failed else shared_by(lane) if answered else Shared.PUBLIC)


def shared_by(lane: Lane) -> Shared:
    """What the licence and the key that paid for an answer allow."""
    if not lane.rights.keep:
        return Shared.NONE
    return Shared.PUBLIC if lane.scope is None and lane.rights.share else Shared.TENANT
