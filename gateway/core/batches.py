"""Batches that were at hand as a whole: the same batch is answered at once while nothing it depends on has changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
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

    found: dict[Any, Fetched]
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
        self._kept: OrderedDict[Hashable, Batch] = OrderedDict()
        self._items = 0

    def find(self, key: Hashable, now: float, state: Hashable) -> Batch | None:
        """The batch, if it holds."""
        batch = self._kept.get(key)
        if batch is None:
            return None
        if not batch.holds(now, state):
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return batch

    def keep(self, key: Hashable, batch: Batch) -> None:
        """In the place of the oldest."""
        self._drop(key)
        self._kept[key] = batch
        self._items += len(batch.found)
        while len(self._kept) > MOST_BATCHES or self._items > MOST_ITEMS:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self._items -= len(dropped.found)
