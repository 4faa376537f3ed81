"""What every house of a test process would work out anew, and always finds the same: documents, and words of SQL."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import replace
from functools import cache
from threading import Lock
from typing import Any

from cachetools import LRUCache
from graphql import OperationType

from gateway.core.store import Store
from gateway.edge.documents import Document, DocumentReader

MOST_BYTES = 60_000_000
"""Of documents, by their weight, which is twice what they take."""
MOST_STATEMENTS = 1_000
"""Of each kind of database."""

_read: LRUCache[tuple[object, ...], Document] = LRUCache(MOST_BYTES, lambda document: document.weight)
_lock = Lock()


class RememberingReader(DocumentReader):
    """For readers of one schema and of settings that allow the same: a text is read and validated once a process.

    What is wrong with one is found each time.
    """

    def _read(
        self, source: str, digest: str, operation_name: str | None, allowed: frozenset[OperationType]
    ) -> Document:  # fmt: skip
        key = (digest, operation_name, allowed)
        with _lock:
            found = _read.get(key)
        if found is None:
            found = super()._read(source, digest, operation_name, allowed)
            with _lock:
                _read[key] = found
        # What an executor notes of a document is its own.
        return replace(found, notes={})


class Statements(MutableMapping[tuple[Any, ...], Any]):
    """SQLAlchemy's compiled statements of all engines for one kind of database: the dialect, which is each engine's
    own, stands first in its keys and is left out here."""

    def __init__(self) -> None:
        self._kept: LRUCache[tuple[Any, ...], Any] = LRUCache(MOST_STATEMENTS)

    def __getitem__(self, key: tuple[Any, ...]) -> Any:
        return self._kept[key[1:]]

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        self._kept[key[1:]] = compiled

    def __delitem__(self, key: tuple[Any, ...]) -> None:
        del self._kept[key[1:]]

    def __iter__(self) -> Any:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


@cache
def _statements(backend: str) -> Statements:
    return Statements()


def share_statements(store: Store) -> None:
    """A store that has not been used yet finds the statements that others have compiled."""
    store.engine.sync_engine._compiled_cache = _statements(store.url.get_backend_name())
