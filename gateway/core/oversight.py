"""What is told of breakers: log lines, metrics, and events for whoever listens on the bus."""

from __future__ import annotations

import asyncio

import structlog

from gateway.core.bus import Bus
from gateway.core.clock import Clock
from gateway.core.guards.breaker import FLEET, Breaker, Turn
from gateway.core.metrics import Readings, counter
from schema.events import Event, ProviderDegraded, ProviderRecovered
from schema.words.registry import BreakerState

STATES = Readings(
    "marketgate_breaker_state", "A breaker as this process sees it: 0 closed, 1 half-open, 2 open.",
    "provider", "capability",
)  # fmt: skip
TRIPS = counter(
    "marketgate_breaker_trips", "Openings of a breaker by what caused them; `fleet` followed another process.",
    "provider", "capability", "reason",
)  # fmt: skip
NUMBERS = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}

log = structlog.get_logger(__name__)


class BreakerOversight:
    """Serves `Overseer` for a process that keeps its breakers to itself."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus, self._clock = bus, clock
        self._sending: set[asyncio.Task[None]] = set()

    def watch(self, breaker: Breaker) -> None:
        """Show its state among the metrics; read when they are."""
        STATES.watch(lambda: NUMBERS[breaker.state], breaker.provider, breaker.capability)

    async def claim(self, breaker: Breaker) -> bool:
        """See `Overseer`."""
        self.tell_trial(breaker)
        return True

    def let_go(self, breaker: Breaker) -> None:
        """See `Overseer`."""

    def turned(self, breaker: Breaker, turn: Turn) -> None:
        """See `Overseer`."""
        self.tell(breaker, turn)
        if (event := self.event_of(breaker, turn)) is not None:
            self.publish(event)

    def tell(self, breaker: Breaker, turn: Turn) -> None:
        """Log and count."""
        if not turn.changed:
            return
        log.warning(
            "breaker_changed", provider=breaker.provider, capability=breaker.capability, state=turn.state.value,
            reason=turn.why, cause=turn.cause,
        )  # fmt: skip
        if turn.state is BreakerState.OPEN:
            TRIPS.labels(breaker.provider, breaker.capability, turn.cause).inc()

    def tell_trial(self, breaker: Breaker) -> None:
        """One call goes out to see whether the provider is back."""
        log.info("breaker_trial", provider=breaker.provider, capability=breaker.capability)

    def event_of(self, breaker: Breaker, turn: Turn) -> Event | None:
        """What others may want to know: a provider went, a provider is back. Opening again is no news."""
        if turn.cause == FLEET or not turn.changed or (turn.state is BreakerState.OPEN and not turn.began):
            return None
        kind = ProviderDegraded if turn.state is BreakerState.OPEN else ProviderRecovered
        return kind(
            provider=breaker.provider, capability=breaker.capability, state=turn.state.value, reason=turn.why,
            since=self._clock.now(),
        )  # fmt: skip

    def publish(self, event: Event) -> None:
        """To this process at once, to the others soon; nobody waits for it."""
        task = asyncio.get_running_loop().create_task(self._bus.publish(event.name, event.payload()))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def look(self) -> None:
        """There is nobody to learn from."""

    async def close(self) -> None:
        """Send what waits."""
        if self._sending:
            await asyncio.wait(set(self._sending))
