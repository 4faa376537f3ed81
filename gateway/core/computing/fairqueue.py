"""A queue in which tenants take turns; a tenant's own items come in their order."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from typing import Generic, TypeVar

from schema.errors import RateLimited

RETRY_S = 2.0

T = TypeVar("T")


class FairQueue(Generic[T]):
    """At most *most* items of a tenant wait; who comes anew stands behind all other tenants.

    Turns go to whoever has the fewest items under way: a tenant whose items take long never has all processes while
    another one waits for a second of them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: OrderedDict[str, deque[T]] = OrderedDict()
        self._under_way: Counter[str] = Counter()

    def add(self, tenant: str, item: T) -> None:
        """To the end of its tenant's line; RateLimited where that is full."""
        line = self._lines.get(tenant)
        if line is not None and len(line) >= self._most:
            told = f"{self._most} computations of this organisation wait already: try again when some of them are done."
            raise RateLimited(told, limit="computing", retry_after=RETRY_S)
        self._lines.setdefault(tenant, deque()).append(item)

    def take(self) -> tuple[str, T] | None:
        """The next item of the tenant whose turn it is, which then stands behind the others; None where nothing waits.

        It is under way until `done`.
        """
        if not self._lines:
            return None
        tenant = min(self._lines, key=self._under_way.__getitem__)
        line = self._lines[tenant]
        item = line.popleft()
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
        line = self._lines.get(tenant, ())
        if item not in line:
            return False
        self._lines[tenant].remove(item)
        if not self._lines[tenant]:
            del self._lines[tenant]
        return True

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))
