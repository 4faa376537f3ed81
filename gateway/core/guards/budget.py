"""Budgets of further calls: a share of all calls, so that an outage or a slow hour is not multiplied."""

from __future__ import annotations


class ShareBudget:
    """Each call earns *share* of one more, up to *most*; *saved* are there at the start."""

    def __init__(self, *, share: float, most: float, saved: float) -> None:
        self._share, self._most, self._saved = share, most, saved

    def earn(self) -> None:
        """A call was made."""
        self._saved = min(self._most, self._saved + self._share)

    def spend(self) -> bool:
        """Take one more; False when there is none left."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True


class RetryBudget(ShareBudget):
    """Each call earns three tenths of a retry, up to ten, which are there at once; one per provider and key."""

    def __init__(self) -> None:
        super().__init__(share=0.3, most=10.0, saved=10.0)


class HedgeBudget(ShareBudget):
    """Each call earns a twentieth of a hedge, up to twenty; one per process."""

    def __init__(self) -> None:
        super().__init__(share=0.05, most=20.0, saved=0.0)
