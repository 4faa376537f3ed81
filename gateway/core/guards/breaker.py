"""The breaker: the `circuitbreaker` package holds state and error, this guard adds what it lacks.

One trial call while half-open, a failure rate over a sliding window as well as consecutive failures, cancellation
that is neutral, and results of calls admitted before a change of state that no longer count.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Protocol

from circuitbreaker import STATE_HALF_OPEN, CircuitBreaker

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

    def trip(self, error: UpstreamError, left: float | None = None) -> None:
        """Open, and remember why; *left* is what is left of a rest that began elsewhere."""
        self._tripped = self._monotonic() - (0.0 if left is None else self._rest - left)
        self.__exit__(type(error), error, None)


Changed = Callable[[str, str, BreakerState, str], None]
OPERATOR, FLEET = "operator", "fleet"
"""Causes of a turn besides the kinds of error: by hand, or as another process did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One change of state, or an order to change that found it done."""

    state: BreakerState
    why: str
    cause: str
    """The error's kind, such as `timeout`; `trial` for a closing; OPERATOR; FLEET."""
    changed: bool = True
    began: bool = False
    """Whether it ended a time of being closed."""
    after_trial: bool = False
    order: str = ""
    """The id of the operator's order."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The right to make one call; tied to the state in which it was given."""

    generation: int
    trial: bool


class Overseer(Protocol):
    """Who is told of a breaker's turns, and who grants the right to its trial call."""

    async def claim(self, breaker: Breaker) -> bool:
        """Whether this process may make the trial call. The breaker may have turned meanwhile."""

    def let_go(self, breaker: Breaker) -> None:
        """The trial call ended without a verdict."""

    def turned(self, breaker: Breaker, turn: Turn) -> None:
        """After each turn; must not wait."""


class Breaker:
    """One per provider and capability."""

    def __init__(
        self, provider: str, capability: str, clock: Clock, policy: BreakerPolicy | None = None,
        changed: Changed | None = None, overseer: Overseer | None = None,
    ) -> None:  # fmt: skip
        self.provider, self.capability = provider, capability
        self._clock, self._policy, self._changed = clock, policy or BreakerPolicy(), changed
        self._overseer = overseer
        self._plain = Admission(0, trial=False)
        self._in_a_row = 0
        self._generation = 0
        self._trial_out = self._trial_told = False
        self._no_claim_until = 0.0
        self.trips = 0
        """How often it opened since the start of the process; a failed trial opens it again."""
        self.opened_at: datetime | None = None
        """When it opened last, unless it is closed."""
        self.reason: str | None = None
        """Why it is not closed."""

    # There is one for each way to each provider, and most are never used: what holds calls is made at the first.
    @cached_property
    def _held(self) -> _State:
        return _State(f"{self.provider}.{self.capability}", self._policy.rest, self._clock.monotonic)

    @cached_property
    def _recent(self) -> deque[tuple[float, bool]]:
        return deque(maxlen=10_000)

    @property
    def rest(self) -> float:
        """Seconds between an opening and the trial."""
        return self._policy.rest

    @property
    def rest_left(self) -> float:
        """Seconds until a trial call may pass; 0 where one may, or where it is closed."""
        return 0.0 if self.opened_at is None else max(self._held.open_remaining, 0.0)

    @property
    def next_trial_at(self) -> datetime | None:
        """When a trial call may pass; None while it is closed."""
        return None if self.opened_at is None else self._clock.now() + timedelta(seconds=self.rest_left)

    @property
    def state(self) -> BreakerState:
        """As it is now; time turns OPEN into HALF_OPEN."""
        if self.opened_at is None:
            return BreakerState.CLOSED
        state = self._held.state
        return BreakerState.HALF_OPEN if state == STATE_HALF_OPEN else BreakerState.OPEN

    async def enter(self) -> Admission:
        """The right to call, or CircuitOpen. Of a fleet that shares its view one process makes the trial call."""
        admission = self.admit()
        if not admission.trial or self._overseer is None:
            return admission
        granted = False
        try:
            granted = await self._overseer.claim(self)
        finally:
            if not granted and admission.generation == self._generation:
                self._trial_out = False
        if admission.generation != self._generation:
            # What was learned of the others: it is closed, or opened once more.
            return await self.enter()
        if not granted:
            raise self.refusal()
        return admission

    def admit(self) -> Admission:
        """The right to call as this process alone sees it, or CircuitOpen."""
        state = self.state
        if state is BreakerState.CLOSED:
            return self._plain
        waits = self._trial_out or self._clock.monotonic() < self._no_claim_until
        if state is BreakerState.HALF_OPEN and not waits:
            self._trial_out = True
            if not self._trial_told and self._changed:
                self._changed(self.provider, self.capability, state, "one trial call may pass")
            self._trial_told = True
            return Admission(self._generation, trial=True)
        raise self.refusal()

    def refusal(self) -> CircuitOpen:
        """The error of a call that is not let through."""
        wait = max(self._held.open_remaining, 0.0)
        why = f" after: {self.reason}" if self.reason else ""
        return CircuitOpen(self.provider, f"paused by its circuit breaker{why}", retry_after=wait or 1.0)

    def succeeded(self, admission: Admission) -> None:
        """A late success of an earlier generation does not close an open breaker."""
        if admission.generation != self._generation:
            return
        if admission.trial:
            self._close("the trial call succeeded", "trial", after_trial=True)
            return
        self._recent.append((self._clock.monotonic(), True))
        self._in_a_row = 0

    def failed(self, admission: Admission, error: UpstreamError) -> None:
        """Counts; opens at the policy's thresholds; a failed trial opens again."""
        if admission.generation != self._generation:
            return
        if admission.trial:
            self._open(error, _kind(error), after_trial=True)
            return
        self._recent.append((self._clock.monotonic(), False))
        self._in_a_row += 1
        if self._in_a_row >= self._policy.in_a_row or self._too_many():
            self._open(error, _kind(error))

    def trip(self, reason: str, order: str = "") -> None:
        """Open by hand. As after failures, one trial call may close it once it has rested."""
        self._open(CircuitOpen(self.provider, reason), OPERATOR, order=order)

    def reset(self, reason: str, order: str = "") -> None:
        """Close by hand."""
        if self.state is not BreakerState.CLOSED:
            self._close(reason, OPERATOR, order=order)
        elif self._overseer is not None:
            turn = Turn(state=BreakerState.CLOSED, why=reason, cause=OPERATOR, order=order, changed=False)
            self._overseer.turned(self, turn)

    def follow_open(self, reason: str, left: float) -> None:
        """Open as another process did, whose rest lasts *left* seconds more."""
        error, left = CircuitOpen(self.provider, reason), min(left, self.rest)
        if self.state is BreakerState.OPEN:
            self._rest_again(error, left)
        else:
            self._open(error, FLEET, left=left)

    def follow_closed(self, reason: str) -> None:
        """Close as another process did."""
        if self.opened_at is not None:
            self._close(reason, FLEET)

    def hold_claims(self, seconds: float) -> None:
        """Another process makes the trial call: nobody asks for the right to it for a while."""
        self._no_claim_until = self._clock.monotonic() + seconds

    def let_go(self, admission: Admission) -> None:
        """The call ended without a verdict (cancelled, refused by the caller's own fault): neutral."""
        if admission.trial and admission.generation == self._generation:
            self._trial_out = False
            if self._overseer is not None:
                self._overseer.let_go(self)

    def _too_many(self) -> bool:
        since = self._clock.monotonic() - self._policy.window
        while self._recent and self._recent[0][0] < since:
            self._recent.popleft()
        failures = sum(not fine for _, fine in self._recent)
        return len(self._recent) >= self._policy.least and failures >= self._policy.rate * len(self._recent)

    def _open(
        self, error: UpstreamError, cause: str, *, after_trial: bool = False, order: str = "", left: float | None = None
    ) -> None:
        began = self.opened_at is None
        self._rest_again(error, left)
        self.trips += 1
        state = BreakerState.OPEN
        self._turn(Turn(state=state, why=error.detail, cause=cause, began=began, after_trial=after_trial, order=order))

    def _rest_again(self, error: UpstreamError, left: float | None) -> None:
        self._held.trip(error, left)
        rested = 0.0 if left is None else self.rest - left
        self.opened_at, self.reason = self._clock.now() - timedelta(seconds=rested), error.detail

    def _close(self, why: str, cause: str, *, after_trial: bool = False, order: str = "") -> None:
        self._held.reset()
        self.opened_at = self.reason = None
        state = BreakerState.CLOSED
        self._turn(Turn(state=state, why=why, cause=cause, after_trial=after_trial, order=order))

    def _turn(self, turn: Turn) -> None:
        self._generation += 1
        self._plain = Admission(self._generation, trial=False)
        self._trial_out = self._trial_told = False
        self._no_claim_until = 0.0
        self._recent.clear()
        self._in_a_row = 0
        if self._changed:
            self._changed(self.provider, self.capability, turn.state, turn.why)
        if self._overseer is not None:
            self._overseer.turned(self, turn)


def _kind(error: UpstreamError) -> str:
    """`ConnectionFailed` is `connection_failed`: as many kinds as there are classes."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()
