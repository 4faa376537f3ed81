"""One time for all processes: Redis's, reckoned from a process's monotonic clock, whatever its wall clock says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import inf

from gateway.core.clock import Clock

EVERY_S = 60.0
"""How often Redis's time is asked for, beside what is asked anyway."""
GOOD_S = 0.005
"""A measurement that is less exact than this is soon followed by another."""
SOON_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """A moment as a process's two clocks have it, and as Redis has it."""

    now: datetime
    monotonic: float
    fleet: float
    """Unix seconds by Redis's clock."""
    error: float = 0.0
    """Seconds by which `fleet` may be wrong, either way."""

    @property
    def ahead(self) -> float:
        """Seconds that this process's wall clock is ahead of Redis's."""
        return self.now.timestamp() - self.fleet


class FleetTime:
    """Measured with the first question and refreshed; until then it is the wall clock's."""

    def __init__(self, clock: Clock, every_s: float = EVERY_S) -> None:
        self._clock, self._every_s = clock, every_s
        self._offset: float | None = None
        self._error = 0.0
        self._due = -inf

    @property
    def due(self) -> bool:
        """Whether to ask Redis for its time with the next question."""
        return self._clock.monotonic() >= self._due

    def measured(self, asked: float, told: tuple[int, int]) -> None:
        """Redis *told* seconds and microseconds between *asked* (monotonic) and now."""
        heard = self._clock.monotonic()
        self._error = (heard - asked) / 2
        self._offset = told[0] + told[1] / 1e6 - (asked + heard) / 2
        self._due = heard + (self._every_s if self._error <= GOOD_S else SOON_S)

    def forget(self) -> None:
        """It may be another Redis now, or one whose clock was set."""
        self._due = -inf

    def times(self) -> Times:
        """This moment."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        if self._offset is None:
            return Times(now=now, monotonic=monotonic, fleet=now.timestamp())
        return Times(now=now, monotonic=monotonic, fleet=monotonic + self._offset, error=self._error)
