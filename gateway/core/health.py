"""What the gateway knows of each provider's condition: pauses, refused keys, latencies and failures of LIVE calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from cachetools import LRUCache

from gateway.core.clock import Clock
from gateway.core.freshness import Lags, Measured, Trading, lag_of, measure, never_closing
from gateway.core.pulse import Pulse
from schema.errors import Blocked, FailureCode, QuotaExhausted, Throttled, Unauthorized, UpstreamError
from schema.provenance import ProviderFailure

if TYPE_CHECKING:
    from gateway.core.access import Lane

WINDOW = 100
MOST_OWN = 4_000
"""How many tenants' own conditions are held; those that nobody asked about for longest go first."""
PAUSE = {Blocked: 300.0, Throttled: 5.0, QuotaExhausted: 60.0, Unauthorized: 60.0}
"""Seconds to hold back where the upstream does not say how long."""


LARGEST_INT = 2**31 - 1
"""GraphQL has no larger: 24 days in milliseconds."""


class OwnHolder(NamedTuple):
    """A tenant's own key with a provider; another key of the same tenant has another serial number."""

    provider: str
    tenant: str
    serial: int


Holder = str | OwnHolder
"""Whose condition: a provider's by its id, as the platform's key meets it, or as a tenant's own key does."""


class Call(NamedTuple):
    """One finished call: when (monotonic seconds), whether the upstream answered, and how long that took."""

    at: float
    fine: bool
    latency_ms: int | None


@dataclass(slots=True)
class Condition:
    """One provider; the last `WINDOW` calls."""

    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=WINDOW))
    last_success: datetime | None = None
    last_failure: UpstreamError | None = None
    pulses: dict[str, Pulse] = field(default_factory=dict)
    """By capability."""
    lags: dict[str, Lags] = field(default_factory=dict)
    """By capability."""
    held_until: float = 0.0
    held_by: UpstreamError | None = None
    refused: bool | None = None
    """Whether a tenant's own key was refused the last time that this said anything of it."""

    @property
    def error_rate(self) -> float:
        """Share of failed calls, 0 to 1."""
        return sum(not call.fine for call in self.calls) / len(self.calls) if self.calls else 0.0

    def pulse(self, capability: str) -> Pulse:
        """Made at first use."""
        found = self.pulses.get(capability)
        if found is None:
            found = self.pulses[capability] = Pulse()
        return found

    def percentile(self, share: float) -> int | None:
        """Latency in milliseconds."""
        ordered = _latencies(self.calls)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


class Health:
    """All providers' conditions."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._conditions: dict[str, Condition] = {}
        self._own: LRUCache[OwnHolder, Condition] = LRUCache(MOST_OWN)
        self.paused: dict[str, UpstreamError] = {}
        """Providers that the operator holds back, with whatever key they are asked."""
        self.on_key: list[Callable[[str, str, UpstreamError | None], None]] = []
        """Called with tenant, provider and refusal when a tenant's own key is refused; without one when it works."""
        self.trading: Trading = never_closing
        """What trades now, so that the lag of its answers says something; a serving process asks its calendars."""

    def of(self, provider: Holder) -> Condition:
        """Made at first use."""
        found = self._known(provider)
        if found is None:
            found = Condition()
            if isinstance(provider, str):
                self._conditions[provider] = found
            else:
                self._own[provider] = found
        return found

    def _known(self, provider: Holder) -> Condition | None:
        return self._conditions.get(provider) if isinstance(provider, str) else self._own.get(provider)

    def succeeded(self, provider: Holder, latency_ms: int | None, capability: str = "") -> None:
        """A call that the upstream answered; one that set out before a hold does not end it."""
        condition, now = self.of(provider), self._clock.monotonic()
        condition.calls.append(Call(now, True, latency_ms))
        condition.pulse(capability).succeeded(now, latency_ms)
        condition.last_success = self._clock.now()
        self._judge_key(provider, condition, None)

    def measure(self, lane: Lane, found: Mapping[Any, Any]) -> None:
        """How late the answers of a live call were, by item."""
        lag = lag_of(lane, found, self.trading, self._clock.monotonic())
        if lag is not None:
            self.of(lane.access.holder).lags.setdefault(lane.answer.capability.name, Lags()).held.append(lag)

    def freshness(self, provider: Holder) -> dict[str, Measured]:
        """What was measured of late, by capability."""
        condition, now = self._known(provider), self._clock.monotonic()
        found = {} if condition is None else condition.lags
        return {name: told for name, lags in sorted(found.items()) if (told := measure(lags, now)) is not None}

    def failed(self, provider: Holder, error: UpstreamError, capability: str = "") -> None:
        """A call that failed; a throttle or a refused key holds the next ones back."""
        condition = self.of(provider)
        if error.counted:
            condition.calls.append(Call(self._clock.monotonic(), False, None))
            condition.pulse(capability).failed(self._clock.monotonic())
        condition.last_failure = error
        if isinstance(error, Unauthorized):
            self._judge_key(provider, condition, error)
        if error.pauses or isinstance(error, Unauthorized):
            seconds = error.retry_after if error.retry_after is not None else PAUSE.get(type(error), 5.0)
            until = self._clock.monotonic() + seconds
            if condition.held_by is None or until > condition.held_until:
                condition.held_until, condition.held_by = until, error

    def _judge_key(self, holder: Holder, condition: Condition, refusal: UpstreamError | None) -> None:
        """Told at the first word of this process, and at each change."""
        if isinstance(holder, str) or condition.refused is (refusal is not None):
            return
        condition.refused = refusal is not None
        for call in self.on_key:
            call(holder.tenant, holder.provider, refusal)

    def pulse(self, provider: Holder, capability: str) -> Pulse:
        """How it does at a capability now; made at first use."""
        return self.of(provider).pulse(capability)

    def quiet(self, provider: Holder, capability: str) -> bool:
        """Whether nothing speaks against asking it first; cheap."""
        found = self._pulse(provider, capability)
        return found is None or found.quiet

    def behind(self, provider: Holder, capability: str) -> str | None:
        """Why a provider is asked after the others: its calls of late failed often, or took long.

        What is longer ago fades, so that who recovered is tried again. One that refuses at once (held back, breaker
        open) keeps its place: it costs no time.
        """
        found = self._pulse(provider, capability)
        return found.judge(self._clock.monotonic()) if found else None

    def slower(self, providers: Sequence[Holder], capability: str) -> frozenset[Holder]:
        """Those that take far longer of late than the quickest of them."""
        now = self._clock.monotonic()
        known = {each: pulse for each in providers if (pulse := self._pulse(each, capability)) is not None}
        means = [mean for pulse in known.values() if (mean := pulse.mean_ms(now)) is not None]
        if len(means) < 2:
            return frozenset()
        quickest = min(means)
        return frozenset(each for each, pulse in known.items() if pulse.compare(now, quickest))

    def _pulse(self, provider: Holder, capability: str) -> Pulse | None:
        condition = self._known(provider)
        return condition.pulses.get(capability) if condition else None

    def hold(self, provider: Holder) -> UpstreamError | None:
        """The error to answer with while the provider is held back, else None."""
        paused = self.paused.get(provider if isinstance(provider, str) else provider.provider)
        if paused is not None:
            return paused
        condition = self._known(provider)
        if condition is None or condition.held_by is None:
            return None
        left = condition.held_until - self._clock.monotonic()
        if left <= 0:
            condition.held_by = None
            return None
        held = condition.held_by
        return held.retold(f"held back after: {held.detail}", retry_after=left)


def _latencies(calls: Iterable[Call]) -> list[int]:
    return sorted(call.latency_ms for call in calls if call.latency_ms is not None)


def clipped(milliseconds: int) -> int:
    """As GraphQL's Int can hold it."""
    return min(max(-LARGEST_INT, milliseconds), LARGEST_INT)


def failure_of(error: UpstreamError) -> ProviderFailure:
    """An attempt's failure, as answers show it."""
    wait = None if error.retry_after is None else max(0, clipped(round(error.retry_after * 1000)))
    return ProviderFailure(
        provider=error.provider, code=FailureCode(error.code), message=error.detail, retry_after_ms=wait
    )
