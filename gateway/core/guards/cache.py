"""The memory cache: answers per provider and item, bounded by rows, served by age and never by chance."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from cachetools import LRUCache

from schema.errors import UpstreamError
from schema.provenance import Provenance
from schema.words.books import OrderBook
from schema.words.quotes import Quote

MOST_ROWS = 400_000
QUOTE_ROWS = 4


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
    """Rows held: candles, trades, listings and book levels count each row; a quote is worth a few."""
    value = stored.value
    if isinstance(value, Quote):
        return QUOTE_ROWS
    if isinstance(value, OrderBook):
        return len(value.bids) + len(value.asks) + 1
    return len(value) + 1 if hasattr(value, "__len__") else 1


class MemoryCache:
    """Least recently used entries go first; a stale entry stays until then, for `staleIfError`."""

    def __init__(self, rows: int = MOST_ROWS) -> None:
        self._entries: LRUCache[Hashable, Stored] = LRUCache(rows, getsizeof=weight)

    def get(self, key: Hashable) -> Stored | None:
        """Whatever is held, fresh or not."""
        return self._entries.get(key)

    def put(self, key: Hashable, stored: Stored) -> None:
        """An entry larger than the whole cache is not kept."""
        if weight(stored) <= self._entries.maxsize:
            self._entries[key] = stored

    def __len__(self) -> int:
        return len(self._entries)
