"""What is told of quotas."""

from __future__ import annotations

from typing import Self

import strawberry

from plugins.billing.usage.thresholds import PERCENT, QuotaThreshold
from schema.events import Event, event
from schema.model import computed, described


def resolve_percent(root: strawberry.Parent[QuotaThresholdReached]) -> int | None:
    """Null for the soft quota, which is a number of its own."""
    return PERCENT.get(root.threshold)


@event(
    "quota.threshold_reached",
    "Your organisation has used half, four fifths, or all of its month's points. Once for each threshold and month.",
)
class QuotaThresholdReached(Event):
    """As counted when it was noticed."""

    month: str = described("The month, such as `2026-11` (UTC).")
    threshold: QuotaThreshold = described("Which threshold.")
    points: int = described("Points that were used by then.")
    quota: int = described("Points of the month that it is measured by.")
    percent = computed(resolve_percent, "The threshold in percent of the hard quota; null for the soft one.")

    @property
    def subject(self) -> str:
        """The month."""
        return self.month

    @classmethod
    def sample(cls) -> Self:
        """Four fifths of a million."""
        return cls(month="2026-11", threshold=QuotaThreshold.FOUR_FIFTHS, points=800_120, quota=1_000_000)
