"""The hedge budget: second questions are a share of all calls, so that a slow hour is not doubled."""

from __future__ import annotations

SHARE = 0.05
MOST = 20.0


class HedgeBudget:
    """Each call earns a twentieth of a hedge, up to twenty; one per process."""

    def __init__(self) -> None:
        self._saved = 0.0

    def earn(self) -> None:
        """A call was made."""
        self._saved = min(MOST, self._saved + SHARE)

    def spend(self) -> bool:
        """Take one hedge; False when there is none left."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True
