"""Requests that were answered before from kept bytes: what need not be found out anew when the same one comes again."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from gateway.core.courses import Course
from gateway.core.identity import Principal
from gateway.edge.endings import courses_of
from gateway.edge.execute import RequestFacts
from gateway.edge.kept import Wanted
from gateway.edge.responses import Entry, Place

MOST = 8_192
MOST_BYTES = 8_000_000
LONGEST = 32_768
"""Bytes of a request that is remembered."""
LASTS_S = 9.0
"""A tenant's own provider keys are believed for as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memo:
    """Nothing in it is believed: credential, policy, limits and freshness are checked at each use."""

    facts: RequestFacts
    place: Place
    principal: Principal
    answer: Hashable
    """The key of the kept answer."""
    wanted: Wanted
    size: int
    courses: tuple[Course, ...]
    """Where it is counted."""
    until: float
    """When it is found out anew on the whole way (monotonic), whoever missed a message."""


class Memos:
    """Bounded in number and in bytes, each document among them once; those that nobody sent for longest go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Memo] = OrderedDict()
        self._documents: Counter[int] = Counter()
        """How many memos hold each document, by its identity: a dropped one may be read anew."""
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> Memo | None:
        """What is known of a request."""
        memo = self._kept.get(key)
        if memo is not None:
            self._kept.move_to_end(key)
        return memo

    def put(
        self, key: Hashable, size: int, facts: RequestFacts, kept: tuple[Place, Entry], wanted: Wanted, now: float
    ) -> None:  # fmt: skip
        """Remember a request of *size* bytes, and forget those at the front that have expired."""
        place, entry = kept
        self.drop(key)
        self._sweep(now)
        if size > LONGEST:
            return
        self._kept[key] = Memo(
            facts=facts,
            place=place,
            principal=place.principal,
            answer=entry.key,
            wanted=wanted,
            size=size,
            until=now + LASTS_S,
            courses=courses_of(place.prepared, place.principal),
        )
        self._bytes += size
        document = place.prepared.document
        self._documents[id(document)] += 1
        if self._documents[id(document)] == 1:
            self._bytes += document.weight
        while len(self._kept) > MOST or self._bytes > MOST_BYTES:
            self.drop(next(iter(self._kept)))

    def drop(self, key: Hashable) -> None:
        """Forget a request."""
        memo = self._kept.pop(key, None)
        if memo is None:
            return
        self._bytes -= memo.size
        document = memo.place.prepared.document
        self._documents[id(document)] -= 1
        if not self._documents[id(document)]:
            del self._documents[id(document)]
            self._bytes -= document.weight

    def _sweep(self, now: float) -> None:
        while self._kept:
            key, memo = next(iter(self._kept.items()))
            if memo.until > now:
                return
            self.drop(key)


class Pieces:
    """What connections' peers sent that was one whole request, and as what it was read."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[int, Any]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, sent: Hashable) -> Any:
        """None where it is not known."""
        found = self._kept.get(sent)
        if found is None:
            return None
        self._kept.move_to_end(sent)
        return found[1]

    def put(self, sent: Hashable, size: int, known: Any) -> None:
        """Remember a request of *size* bytes; those that nobody sent for longest go first."""
        if size > LONGEST or sent in self._kept:
            return
        self._kept[sent] = (size, known)
        self._bytes += size
        while len(self._kept) > MOST or self._bytes > MOST_BYTES:
            _, (gone, _) = self._kept.popitem(last=False)
            self._bytes -= gone
