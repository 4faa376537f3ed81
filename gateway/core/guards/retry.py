"""The retry budget: retries are a share of calls, so that an outage is not multiplied."""

from __future__ import annotations

SHARE = 0.3
MOST = 10.0


class RetryBudget:
    """Each call earns three tenths of a retry, up to ten; one per provider."""

    def __init__(self) -> None:
        self._saved = MOST

    def earn(self) -> None:
        """A first attempt was made."""
        self._saved = min(MOST, self._saved + SHARE)

    def spend(self) -> bool:
        """Take one retry; False when there is none left."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True
