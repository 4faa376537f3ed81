"""A bounded map whose entries hold for a while: read on every request, so a read is two look-ups and a comparison."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Timed(Generic[K, V]):
    """The least recently read entries go first where there are more than *most*; each holds for *lasts* seconds."""

    def __init__(self, most: int, lasts: float, timer: Callable[[], float]) -> None:
        self._most, self._lasts, self._timer = most, lasts, timer
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """What was put there, unless it is too long ago."""
        found = self._entries.get(key)
        if found is None:
            return None
        if self._timer() >= found[0]:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return found[1]

    def __setitem__(self, key: K, value: V) -> None:
        self._entries[key] = (self._timer() + self._lasts, value)
        self._entries.move_to_end(key)
        if len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def __iter__(self) -> Iterator[K]:
        """Keys, of entries that are over too while they are not forgotten."""
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def pop(self, key: K) -> None:
        """Forget an entry, if there is one."""
        self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
