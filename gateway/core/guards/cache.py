"""The memory cache: answers per provider and item, bounded by bytes, served by age and never by chance."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from gateway.core.guards.sizes import size_of
from gateway.core.metrics import counter, gauge
from schema.errors import UpstreamError
from schema.provenance import Provenance

MOST_BYTES = 128 * 2**20
ENTRY_BYTES = 1_200
"""Of every entry besides its value: the key with its instrument, the stamp, and the places in the tables."""
COUNTED = 16
"""Hits are counted in steps of so many: a counter costs more than a hit."""

READS = counter(
    "marketgate_cache_reads", f"Reads by tier and outcome; memory hits in steps of {COUNTED}.", "tier", "outcome"
)
MEMORY_HITS, MEMORY_MISSES = READS.labels("memory", "hit"), READS.labels("memory", "miss")
BYTES = gauge("marketgate_cache_bytes", "Estimated bytes that the memory cache holds.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One answer, stamped; or, as a negative entry, the error that says there is none.

    `fetched` and `fresh_until` are readings of the monotonic clock.
    """

    value: Any
    provenance: Provenance
    fetched: float
    fresh_until: float
    error: UpstreamError | None = None


def weight(stored: Stored) -> int:
    """Bytes that an entry holds, about."""
    return ENTRY_BYTES + size_of(stored.value) + (size_of(stored.error.detail) if stored.error else 0)


class MemoryCache:
    """Least recently used entries go first; a stale entry stays until then, for `staleIfError`."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes, self.bytes = most_bytes, 0
        self.changes = 0
        """Grows whenever an entry comes or goes."""
        self._entries: OrderedDict[Hashable, tuple[Stored, int]] = OrderedDict()
        """With their weights."""

    def get(self, key: Hashable) -> Stored | None:
        """Whatever is held, fresh or not."""
        held = self._entries.get(key)
        if held is None:
            return None
        self._entries.move_to_end(key)
        return held[0]

    def put(self, key: Hashable, stored: Stored) -> None:
        """An entry larger than the whole cache is not kept."""
        size = weight(stored)
        self.changes += 1
        self._remove(key)
        if size <= self.most_bytes:
            self._entries[key] = (stored, size)
            self.bytes += size
            while self.bytes > self.most_bytes:
                self._remove(next(iter(self._entries)))
        BYTES.set(self.bytes)

    def drop(self, unwanted: Callable[[Any], bool]) -> int:
        """Remove the entries whose keys are *unwanted*; how many there were."""
        found = [key for key in self._entries if unwanted(key)]
        for key in found:
            self._remove(key)
        BYTES.set(self.bytes)
        return len(found)

    def _remove(self, key: Hashable) -> None:
        removed = self._entries.pop(key, None)
        if removed is not None:
            self.bytes -= removed[1]
            self.changes += 1

    def __len__(self) -> int:
        return len(self._entries)
