"""Whether what is asked for again and again still moves: a provider that froze answers as well as one that lives."""

from __future__ import annotations

from dataclasses import dataclass

FLAT_S = 300.0
"""Seconds that stamped values may stay as they are, at least."""
PACES = 5.0
"""Or so many times as long as they stayed until now, where that is longer: of a pair that trades seldom."""
RECENT = 0.2
"""The weight of the last change in the pace."""


@dataclass(slots=True)
class Motion:
    """When the values of one line changed last, and how often they do; all times are seconds."""

    moved: float | None = None
    pace: float = 0.0
    warned: bool = False
    """It is known not to move any more."""
    _changed: bool = False

    def change(self, at: float, age: float) -> None:
        """Values came that were not there. Of the first ones nothing but their *age* tells how often they change."""
        if self.moved is None:
            self.pace = max(age, 0.0)
        elif self._changed:
            self.pace += RECENT * (at - self.moved - self.pace)
        else:
            self.pace, self._changed = at - self.moved, True
        self.moved, self.warned = at, False

    def excuse(self, at: float) -> None:
        """Nothing has to move now."""
        self.moved = at if self.moved is not None else None

    def still(self, at: float) -> float:
        """For how long they have not changed, where that is too long: twice as long where it is known; else 0."""
        since = at - self.moved if self.moved is not None else 0.0
        longest = max(FLAT_S, PACES * self.pace)
        return since if since > longest * (2 if self.warned else 1) else 0.0
