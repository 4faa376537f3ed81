"""A capability is a typed pair, the question asked and the answer owed, with the facts that guards need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

A = TypeVar("A")
M = TypeVar("M")


@dataclass(frozen=True, slots=True, kw_only=True)
class Items(Generic[A]):
    """How a batch ask is taken apart and joined: the ask's parts, and which part an answer belongs to."""

    of: Callable[[A], tuple[Any, ...]]
    only: Callable[[A, tuple[Any, ...]], A]
    key: Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges(Generic[A, M]):
    """How a long range ask is cut into pieces of at most so many rows, and how their answers are joined.

    `cut` takes from an answer what lies outside of its ask: upstreams send more than they are asked for.
    """

    split: Callable[[A, int], tuple[A, ...]]
    join: Callable[[A, Sequence[M]], M]
    cut: Callable[[A, M], M] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Capability(Generic[A, M]):
    """One question that providers may declare to answer.

    `answer` is the type of one answer; a batch capability (`items` is set) answers a sequence of it.
    `fresh_for` is how long our copy may be served without asking again (counted from fetching);
    `freshness(ask, now)` refines it, for example for a range that is closed history.
    `revalidate_for` is how much longer a copy is answered at once while one refresh of it is under way. It is zero
    where a late value does harm (prices, books, trades, candles: their windows are all that a caller is shown without
    asking for more), and long where lists change by the day. `keep_for` is how long after its window a copy is kept
    between processes for callers who accept old ones when every provider fails; without their word it is not served.
    `check` says what is wrong with an answer to an ask (of a batch: the sequence) that the types do not say, for the
    contract suite: order, ranges, units that cannot be. A `private` answer belongs to its caller alone: it is never
    cached, never shared with somebody who asks the same at the same time, and not asked for twice at one provider.
    With `ends` the answer comes in parts: an adapter's method is an async generator of `answer`s, one of which says
    that it is the end; a stream without such a part has broken off. `current` says that the answer is of the present:
    how far its `as_of` lies behind its arrival is the lag of the feed, which is measured.
    """

    name: str
    version: int = 1
    ask: type[A]
    answer: type[M]
    description: str
    fresh_for: timedelta
    freshness: Callable[[A, datetime], timedelta] | None = None
    revalidate_for: timedelta = timedelta(0)
    keep_for: timedelta = timedelta(minutes=10)
    items: Items[A] | None = None
    ranges: Ranges[A, M] | None = None
    as_of: Callable[[Any], datetime | None] | None = None
    check: Callable[[A, Any], Iterable[str]] | None = None
    private: bool = False
    ends: Callable[[M], bool] | None = None
    current: bool = False

    def window(self, ask: A, now: datetime) -> timedelta:
        """How long the answer to *ask*, fetched at *now*, stays fresh."""
        return self.freshness(ask, now) if self.freshness else self.fresh_for

    def parts(self, ask: A) -> Sequence[Any]:
        """The items of a batch ask, or the ask itself."""
        return self.items.of(ask) if self.items else (ask,)


class Right(StrEnum):
    """What somebody wants to do with an answer besides showing it to its caller.

    SHARE: let it serve other tenants. DELIVER: put it into events that leave. KEEP: hold it, for replay or in a file.
    """

    SHARE = "SHARE"
    DELIVER = "DELIVER"
    KEEP = "KEEP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How an ask is to be carried out; no part of a cache key.

    `providers` pins: only these, in this order. `max_age` refuses older values (None: the capability's window).
    `stale_if_error` accepts a copy that much older when every provider fails. `timeout` is in seconds. Without `keep`
    what is fetched is handed on and not held: a long range must not push out what others ask for. `hedge` asks the
    next provider too where the first takes longer than it usually does. `rights` asks only those whose licence gives
    all of them.
    """

    providers: tuple[str, ...] | None = None
    exclude: frozenset[str] = frozenset()
    max_age: timedelta | None = None
    stale_if_error: timedelta = timedelta(0)
    timeout: float = 5.0
    keep: bool = True
    hedge: bool = False
    rights: frozenset[Right] = frozenset()


DEFAULT_TERMS = Terms()
