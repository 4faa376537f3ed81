"""Where one limit stands as its value runs: a breach is told once, until the value has gone back. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from plugins.risk.limits.kinds import LimitState

BPS = Decimal(10_000)


class Act(StrEnum):
    """What became of a limit."""

    BREACHED = "BREACHED"
    ARMED = "ARMED"


@dataclass(slots=True, kw_only=True, eq=False)
class Gauge:
    """The threshold itself is no breach; armed again at or below `threshold · (1 − hysteresis)`."""

    threshold: Decimal
    hysteresis_bps: int = 0
    state: LimitState = LimitState.ARMED
    arm: int = 1
    """Rises each time that it is armed again."""

    def step(self, value: Decimal | None) -> Act | None:
        """The next value, None being beyond every limit; None where nothing became of it."""
        if self.state is LimitState.ARMED:
            if value is not None and value <= self.threshold:
                return None
            self.state = LimitState.BREACHED
            return Act.BREACHED
        if value is None or value > self.threshold * (1 - self.hysteresis_bps / BPS):
            return None
        self.state, self.arm = LimitState.ARMED, self.arm + 1
        return Act.ARMED
