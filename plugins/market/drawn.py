"""Series that were put together: the same copy on the same slots, all of them over, gives the same rows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from plugins.market.assembly import Assembled
from schema.words.candles import Bars

MOST_ROWS_KEPT = 40_000
"""Rows in all, those of the copies that they are held for included: some 20 MB."""


class Drawn:
    """One a process. An entry holds its copy, so that its identity stays unique; least recently used ones go first."""

    def __init__(self, most: int = MOST_ROWS_KEPT) -> None:
        self._most, self._rows = most, 0
        self._entries: OrderedDict[Hashable, tuple[Bars, Assembled, int]] = OrderedDict()

    def find(self, bars: Bars, key: Hashable) -> Assembled | None:
        """What was made of this very copy."""
        entry = self._entries.get((id(bars), key))
        if entry is None:
            return None
        self._entries.move_to_end((id(bars), key))
        return entry[1]

    def drop(self) -> None:
        """Forget everything, and let go of the copies."""
        self._entries.clear()
        self._rows = 0

    def keep(self, bars: Bars, key: Hashable, made: Assembled, rows: int) -> None:
        """Longer ones than all of the room are not kept."""
        rows += len(bars.open_time)
        if rows > self._most or (id(bars), key) in self._entries:
            return
        self._entries[id(bars), key] = (bars, made, rows)
        self._rows += rows
        while self._rows > self._most:
            self._rows -= self._entries.popitem(last=False)[1][2]
