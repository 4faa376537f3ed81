"""The breaker: the `circuitbreaker` package holds state and error, this guard adds what it lacks.

One trial call while half-open, a failure rate over a sliding window as well as consecutive failures, cancellation
that is neutral, and results of calls admitted before a change of state that no longer count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from circuitbreaker import STATE_CLOSED, STATE_HALF_OPEN, CircuitBreaker

from gateway.core.clock import Clock
from schema.errors import CircuitOpen, UpstreamError
from schema.words.registry import BreakerState


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """Opens at `rate` failures of at least `least` calls in `window` s, or at `in_a_row`; rests `rest` s.

    An upstream that fails three calls in ten still answers seven: with five in a row, of five at least, chance alone
    shut all such providers at once, and their queries found nobody.
    """

    rate: float = 0.6
    least: int = 20
    window: float = 30.0
    in_a_row: int = 10
    rest: float = 15.0


class _State(CircuitBreaker):
    """The package's state over the injected clock."""

    def __init__(self, name: str, rest: float, monotonic: Callable[[], float]) -> None:
        super().__init__(failure_threshold=1, recovery_timeout=rest, expected_exception=UpstreamError, name=name)
        self._rest, self._monotonic, self._tripped = rest, monotonic, 0.0

    @property
    def open_remaining(self) -> float:
        """Seconds until a trial may be made."""
        return self._tripped + self._rest - self._monotonic()

    def trip(self, error: UpstreamError) -> None:
        """Open, and remember why."""
        self._tripped = self._monotonic()
        self.__exit__(type(error), error, None)


Changed = Callable[[str, str, BreakerState, str], None]


@dataclass(frozen=True, slots=True)
class Admission:
    """The right to make one call; tied to the state in which it was given."""

    generation: int
    trial: bool


class Breaker:
    """One per provider and capability."""

    def __init__(
        self, provider: str, capability: str, clock: Clock, policy: BreakerPolicy | None = None,
        changed: Changed | None = None,
    ) -> None:  # fmt: skip
        self.provider, self.capability = provider, capability
        self._clock, self._policy, self._changed = clock, policy or BreakerPolicy(), changed
        self._held = _State(f"{provider}.{capability}", self._policy.rest, clock.monotonic)
        self._recent: deque[tuple[float, bool]] = deque(maxlen=10_000)
        self._in_a_row = 0
        self._generation = 0
        self._trial_out = self._trial_told = False

    @property
    def state(self) -> BreakerState:
        """As it is now; time turns OPEN into HALF_OPEN."""
        state = self._held.state
        if state == STATE_CLOSED:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if state == STATE_HALF_OPEN else BreakerState.OPEN

    def admit(self) -> Admission:
        """The right to call, or CircuitOpen."""
        state = self.state
        if state is BreakerState.CLOSED:
            return Admission(self._generation, trial=False)
        if state is BreakerState.HALF_OPEN and not self._trial_out:
            self._trial_out = True
            if not self._trial_told and self._changed:
                self._changed(self.provider, self.capability, state, "one trial call may pass")
            self._trial_told = True
            return Admission(self._generation, trial=True)
        raise self.refusal()

    def refusal(self) -> CircuitOpen:
        """The error of a call that is not let through."""
        wait = max(self._held.open_remaining, 0.0)
        last = self._held.last_failure
        why = f" after: {last.detail}" if isinstance(last, UpstreamError) else ""
        return CircuitOpen(self.provider, f"paused by its circuit breaker{why}", retry_after=wait or 1.0)

    def succeeded(self, admission: Admission) -> None:
        """A late success of an earlier generation does not close an open breaker."""
        if admission.generation != self._generation:
            return
        if admission.trial:
            self._close()
            return
        self._recent.append((self._clock.monotonic(), True))
        self._in_a_row = 0

    def failed(self, admission: Admission, error: UpstreamError) -> None:
        """Counts; opens at the policy's thresholds; a failed trial opens again."""
        if admission.generation != self._generation:
            return
        if admission.trial:
            self._open(error)
            return
        self._recent.append((self._clock.monotonic(), False))
        self._in_a_row += 1
        if self._in_a_row >= self._policy.in_a_row or self._too_many():
            self._open(error)

    def trip(self, reason: str) -> None:
        """Open by hand. As after failures, one trial call may close it once it has rested."""
        self._open(CircuitOpen(self.provider, reason))

    def reset(self, reason: str) -> None:
        """Close by hand."""
        if self.state is not BreakerState.CLOSED:
            self._held.reset()
            self._turn(BreakerState.CLOSED, reason)

    def let_go(self, admission: Admission) -> None:
        """The call ended without a verdict (cancelled, refused by the caller's own fault): neutral."""
        if admission.trial and admission.generation == self._generation:
            self._trial_out = False

    def _too_many(self) -> bool:
        since = self._clock.monotonic() - self._policy.window
        while self._recent and self._recent[0][0] < since:
            self._recent.popleft()
        failures = sum(not fine for _, fine in self._recent)
        return len(self._recent) >= self._policy.least and failures >= self._policy.rate * len(self._recent)

    def _open(self, error: UpstreamError) -> None:
        self._held.trip(error)
        self._turn(BreakerState.OPEN, error.detail)

    def _close(self) -> None:
        self._held.reset()
        self._turn(BreakerState.CLOSED, "the trial call succeeded")

    def _turn(self, state: BreakerState, why: str) -> None:
        self._generation += 1
        self._trial_out = self._trial_told = False
        self._recent.clear()
        self._in_a_row = 0
        if self._changed:
            self._changed(self.provider, self.capability, state, why)
