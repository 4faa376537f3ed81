"""An upstream's own limits, counted exactly by one process: a call is reserved in all windows, or told when to try.

A call may reach the upstream at any moment between its reservation and its end. So it counts from its reservation until
a whole window after its end: whatever windows the upstream keeps, sliding or fixed, it never counts more than we do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from providers.contract import Limit

MARGIN = 0.05
"""The share of each limit that is left unused."""


@dataclass(slots=True, eq=False)
class Ticket:
    """One reserved call."""

    weight: int


@dataclass(slots=True, kw_only=True)
class _Window:
    per: float
    most: int
    weighed: bool
    under_way: int = 0
    ended: deque[tuple[float, int]] = field(default_factory=deque)
    counted: int = 0

    def units(self, weight: int) -> int:
        return weight if self.weighed else 1

    def wait(self, units: int, now: float) -> float:
        """Seconds until there is room; infinite where only the end of calls under way makes some, or nothing does."""
        while self.ended and self.ended[0][0] + self.per <= now:
            self.counted -= self.ended.popleft()[1]
        over = self.under_way + self.counted + units - self.most
        if over <= 0:
            return 0.0
        for end, each in self.ended:
            over -= each
            if over <= 0:
                return end + self.per - now
        return inf


class Windows:
    """All of one key's windows with one upstream."""

    def __init__(self, limits: Sequence[Limit], *, margin: float = MARGIN) -> None:
        self._windows = [
            _Window(
                per=limit.per.total_seconds(), most=usable(limit.count, margin), weighed=limit.unit != "requests"
            )
            for limit in limits
        ]  # fmt: skip

    def reserve(self, weight: int, now: float) -> Ticket | float:
        """A ticket to hand back with `ended`; or in how many seconds to try again, and then nothing is reserved."""
        wait = max((window.wait(window.units(weight), now) for window in self._windows), default=0.0)
        if wait > 0:
            return wait
        for window in self._windows:
            window.under_way += window.units(weight)
        return Ticket(weight)

    def ended(self, ticket: Ticket, now: float) -> None:
        """The call is over, however it went: it may have reached the upstream until now."""
        for window in self._windows:
            units = window.units(ticket.weight)
            window.under_way -= units
            window.counted += units
            window.ended.append((now, units))


def usable(count: int, margin: float) -> int:
    """What a margin leaves of a limit: a limit of 1 stays 1."""
    return max(1, int(count * (1 - margin)))
