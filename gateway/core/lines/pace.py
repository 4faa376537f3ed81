"""How long a channel may be silent, by its own pace: a book that comes ten times a second not for two minutes."""

from __future__ import annotations

from dataclasses import dataclass

WINDOW_S = 60.0
"""Seconds that are looked at together; the last window that is whole, and the one that runs, tell what is usual."""
ENOUGH = 100
"""Messages in a window, below which a channel has no pace of its own."""
SHORTEST_S = 10.0
MEANS, GAPS = 20.0, 5.0
"""So many times the mean distance, and the longest, of its messages is too long."""


def allowed(flat: float, count: int, span: float, longest: float) -> float:
    """Seconds of silence, by *count* messages in *span* seconds and the *longest* distance; at most the *flat* number.

    max(10, 20 x span / count, 5 x longest); the flat number where there are too few to tell.
    """
    if count < ENOUGH:
        return flat
    return min(flat, max(SHORTEST_S, MEANS * span / count, GAPS * longest))


@dataclass(slots=True)
class Pace:
    """Distances of one channel's messages, in seconds."""

    _last: float | None = None
    _since: float = 0.0
    _count: int = 0
    _longest: float = 0.0
    _before: tuple[int, float, float] = (0, 0.0, 0.0)
    """Count, span and longest distance of the last whole window."""

    def beat(self, at: float) -> None:
        """A message came."""
        if self._last is None:
            self._since = at
        else:
            self._count, self._longest = self._count + 1, max(self._longest, at - self._last)
        self._last = at
        if at - self._since >= WINDOW_S:
            self._before = self._count, at - self._since, self._longest
            self._since, self._count, self._longest = at, 0, 0.0

    def allowed(self, flat: float) -> float:
        """Seconds of silence, at most the flat number."""
        count, span, longest = self._before
        return allowed(flat, count, span, max(longest, self._longest))
