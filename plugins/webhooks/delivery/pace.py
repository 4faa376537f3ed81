"""How many attempts an endpoint's rate allows now, counted by all processes together. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from plugins.webhooks.delivery.lanes import BURST


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """An endpoint with a rate, as the database has it; the row is held while this is decided."""

    id: str
    rate_per_second: int
    allowed_at: datetime | None
    """When the next attempt is allowed; None where none was made yet."""

    def free(self, now: datetime) -> int:
        """How many attempts may begin."""
        if self.allowed_at is None:
            return self._burst
        behind = (now - self.allowed_at).total_seconds()
        return 0 if behind < 0 else min(self._burst, 1 + int(behind * self.rate_per_second))

    def after(self, now: datetime, begun: int) -> datetime:
        """When the next is allowed, once so many more have begun."""
        earliest = now - timedelta(seconds=(self._burst - 1) / self.rate_per_second)
        since = earliest if self.allowed_at is None else max(self.allowed_at, earliest)
        return since + timedelta(seconds=begun / self.rate_per_second)

    @property
    def _burst(self) -> int:
        return max(1, int(self.rate_per_second * BURST))
