"""When a delivery that failed is tried again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

JITTER = 0.2
"""Of a delay, at most: receivers that failed together are not asked together again."""
LONGEST_WISH_S = 86_400.0
WAITS_AS_ASKED = frozenset({429, 502, 503, 504})
"""Statuses whose `Retry-After` counts."""
PAUSES_ALL = frozenset({429, 503})
"""Of them, those that speak of the whole receiver: nothing else is sent there meanwhile."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Seconds from one attempt to the next; the last attempt comes behind the last of them."""

    delays_s: tuple[float, ...]

    def delay_s(self, failed: int, chance: float) -> float | None:
        """How long to wait after so many failed attempts; None where that was the last. *chance* is in [0, 1)."""
        if failed > len(self.delays_s):
            return None
        return self.delays_s[failed - 1] * (1 + JITTER * (2 * chance - 1))

    @property
    def attempts(self) -> int:
        """How many there are."""
        return len(self.delays_s) + 1


def wished_s(status: int, headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that the receiver asks for, a day at most; None where it asks for none that can be read."""
    text = headers.get("retry-after", "").strip()
    if status not in WAITS_AS_ASKED or not text:
        return None
    if text.isascii() and text.isdigit():
        # A number of any length: what is longer than this many digits is longer than a day.
        return min(float(text[:12]), LONGEST_WISH_S)
    try:
        at = parsedate_to_datetime(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        wished = (at - now).total_seconds()
    except (ValueError, OverflowError, TypeError):
        # Years, hours and zones of any length: what no datetime holds is no wish.
        return None
    return min(max(wished, 0.0), LONGEST_WISH_S)
