"""Batches that were at hand as a whole: the same batch is answered at once while nothing it depends on has changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.core.access import Lane
from gateway.core.fetchlog import Fetched, FetchLog

FEWEST = 8
"""Items: smaller batches are found as fast one by one."""
MOST_BATCHES = 16
MOST_ITEMS = 3_200
"""In all of them together: each holds its answer."""
LONGEST_S = 1.0
"""Then the copies are looked up one by one again, so that the cache sees that they are in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Answers by item, what the log is to know of them, and the lanes that they came by."""

    of: Hashable
    """The capability that was asked."""
    parts: Sequence[Any]
    found: Mapping[Any, Fetched]
    """The same mapping each time, for nobody to change."""
    log: FetchLog
    lanes: dict[Any, Lane]
    made: float
    state: Hashable
    """Of the cache and of the routes, when it was put together."""

    def holds(self, now: float, state: Hashable) -> bool:
        """Whether every copy in it is still the one that would be found."""
        return state == self.state and now < self.log.fresh_until and self.made <= now < self.made + LONGEST_S


class Batches:
    """One a process, of answers that all callers share; least recently used ones go first."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Batch] = {}
        self._same: dict[int, Batch] = {}
        """By the identity of their parts: to compare a hundred items costs more than all the rest."""
        self._used: OrderedDict[int, Batch] = OrderedDict()
        """By the identity of the batch, the one used last at the end."""
        self._items = 0

    def find(self, of: Hashable, parts: Sequence[Any], now: float, state: Hashable) -> Batch | None:
        """The batch, if it holds."""
        batch = self._same.get(id(parts))
        if batch is None or batch.parts is not parts or batch.of != of:
            batch = self._kept.get((of, parts))
        if batch is None:
            return None
        if not batch.holds(now, state):
            self._drop(batch)
            return None
        self._used.move_to_end(id(batch))
        return batch

    def keep(self, batch: Batch) -> None:
        """In the place of the oldest."""
        known = self._kept.get((batch.of, batch.parts))
        if known is not None:
            self._drop(known)
        self._kept[batch.of, batch.parts] = self._same[id(batch.parts)] = self._used[id(batch)] = batch
        self._items += len(batch.found)
        while len(self._kept) > MOST_BATCHES or self._items > MOST_ITEMS:
            self._drop(next(iter(self._used.values())))

    def _drop(self, batch: Batch) -> None:
        del self._kept[batch.of, batch.parts], self._used[id(batch)]
        self._same.pop(id(batch.parts), None)
        self._items -= len(batch.found)
