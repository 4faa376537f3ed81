"""What the engine reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from plugins.webhooks.delivery.verdict import Answer, Verdict
from plugins.webhooks.rows import ENABLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery that is this process's until its lease runs out."""

    tenant_id: str
    id: str
    endpoint_id: str
    event_id: str
    event_type: str
    attempts: int
    earlier_attempts: int

    @property
    def failed(self) -> int:
        """Attempts since it was last sent anew."""
        return self.attempts - self.earlier_attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What may have changed of an endpoint since it was read."""

    tenant_id: str
    id: str
    status: str
    changed_at: datetime
    failing_since: datetime | None
    rate_per_second: int | None
    allowed_at: datetime | None
    """Before then nothing is sent there, by its rate or by its own wish."""

    def pause_s(self, now: datetime) -> float:
        """For how long nothing is sent to it that may be sent to it at all."""
        if self.allowed_at is None or self.status != ENABLED:
            return 0.0
        return max((self.allowed_at - now).total_seconds(), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An endpoint, and when the first of its deliveries is due or was."""

    endpoint_id: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """An attempt that is over."""

    claimed: Claimed
    lease: datetime
    url: str
    answer: Answer
    verdict: Verdict
