"""A queue in which tenants take turns; of a tenant's own items those of whoever asked first come first."""

from __future__ import annotations

from bisect import insort
from collections import Counter, OrderedDict
from itertools import count
from typing import Generic, NamedTuple, TypeVar

from schema.errors import RateLimited

RETRY_S = 2.0

T = TypeVar("T")


class _Place(NamedTuple):
    """Where an item stands in its tenant's line."""

    since: float
    number: int


class FairQueue(Generic[T]):
    """At most *most* items of a tenant wait; who comes anew stands behind all other tenants.

    Turns go to whoever has the fewest items under way: a tenant whose items take long never has all processes while
    another one waits for a second of them. Within a tenant's line a request that has begun is ended before the next: of
    a hundred that go on together, all would be late.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: OrderedDict[str, list[tuple[_Place, T]]] = OrderedDict()
        self._numbers = count()
        self._under_way: Counter[str] = Counter()

    def add(self, tenant: str, item: T, since: float = 0.0) -> None:
        """Into its tenant's line, behind what was asked by the same instant; RateLimited where that is full."""
        line = self._lines.get(tenant)
        if line is not None and len(line) >= self._most:
            told = f"{self._most} computations of this organisation wait already: try again when some of them are done."
            raise RateLimited(told, limit="computing", retry_after=RETRY_S)
        place = _Place(since, next(self._numbers))
        insort(self._lines.setdefault(tenant, []), (place, item), key=_place_of)

    def take(self) -> tuple[str, T] | None:
        """The next item of the tenant whose turn it is, which then stands behind the others; None where nothing waits.

        It is under way until `done`.
        """
        if not self._lines:
            return None
        tenant = min(self._lines, key=self._under_way.__getitem__)
        line = self._lines[tenant]
        _, item = line.pop(0)
        if line:
            self._lines.move_to_end(tenant)
        else:
            del self._lines[tenant]
        self._under_way[tenant] += 1
        return tenant, item

    def done(self, tenant: str) -> None:
        """One of its items is not under way any more."""
        self._under_way[tenant] -= 1
        if not self._under_way[tenant]:
            del self._under_way[tenant]

    def remove(self, tenant: str, item: T) -> bool:
        """Whether it still waited, and does no more."""
        line = self._lines.get(tenant, [])
        places = [n for n, (_, held) in enumerate(line) if held == item]
        if not places:
            return False
        del line[places[0]]
        if not line:
            del self._lines[tenant]
        return True

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))


def _place_of(entry: tuple[_Place, T]) -> _Place:
    return entry[0]
