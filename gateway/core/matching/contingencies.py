"""Orders that depend on each other: what the others do when one is filled, or ends.

Bracket: an ENTRY, and a TAKE_PROFIT and a STOP_LOSS (either alone, too) that have it as parent and share a group.
- They wait (NEW) until the entry opens something, and then protect that: what it opens more, they grow by, and they
  meet every message from the next on, also one that fills more of the entry.
- What one of them fills, the other protects no more: its quantity shrinks by it, and at nothing it is cancelled.
- Once one of them is filled whole, the position that it protects is closed: what is left of the entry is cancelled.
- An entry that ends without having opened anything ends them too; one that has, leaves them on that.
A TAKE_PROFIT and a STOP_LOSS of one group without a parent protect a position that is there: both stay as large as
what is left of it, and once one is filled whole, the other is cancelled.
Whatever else reduces a position, its exits follow (`fitted`): together they never exceed what is held. A stop that was
triggered, and has nothing left to close then, has done its work: what is left of the entry is cancelled with it.
OCO: orders of one group. The first fill of one, even a part, cancels the others.
Orders of one group without a leg have nothing in common but its name: a hedge's.
OTO: an order with a parent waits until that is filled whole; it is cancelled where the parent ends otherwise.
Source: FIX 4.4/5.0 ContingencyType (1385): 1 OCO, 2 OTO, 3 one-updates-the-other by absolute quantity (the exits).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from gateway.core.matching.lifecycle import NEW, TERMINAL
from gateway.core.matching.rounding import EXACT, ZERO
from schema.words.orders import OrderLeg, OrderStatus

PARENT_ENDED = "PARENT_ENDED"
ENTRY_CLOSED = "ENTRY_CLOSED"
OTHER_FILLED = "OTHER_FILLED"
EXIT_FILLED = "EXIT_FILLED"
CLOSED = "CLOSED"
EXITS = frozenset({OrderLeg.TAKE_PROFIT, OrderLeg.STOP_LOSS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """An order as the others of its group, its parent and its children see it."""

    id: str
    status: OrderStatus
    quantity: Decimal
    filled: Decimal = ZERO
    leg: OrderLeg | None = None
    parent: str | None = None
    group: str | None = None
    triggered: bool = False
    """Whether it is a stop that waits for its price no more: it would close at any price what it protects next."""

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL

    @property
    def left(self) -> Decimal:
        return EXACT.subtract(self.quantity, self.filled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """It goes to the venue now, with a quantity."""

    id: str
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """It keeps its place, with another quantity."""

    id: str
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """It ends."""

    id: str
    reason: str


Consequence = Wake | Resize | Cancel


def consequences(changed: Linked, others: Iterable[Linked], opened: Decimal = ZERO) -> tuple[Consequence, ...]:
    """What the others do once one has changed. `others` are its parent, its children and its group, ended ones too.

    `opened` is what its newest fill has opened, beside what that has closed. Asked again with what they have become,
    and nothing opened since, it tells nothing more: it may be asked after every change.
    """
    family = {each.id: each for each in others if each.id != changed.id}
    return tuple(_consequences(changed, family, opened))


def fitted(exits: Iterable[Linked], filling: Collection[str], held: Decimal) -> tuple[Consequence, ...]:
    """What working exits of one side do where so much is held that they can close, whatever has reduced it.

    `exits` stand in the order of placing. Those of one group protect the same; the groups that were placed last give
    way first. Where nothing is left they end, but for those whose entry is `filling` yet: they stay, of no size, for
    what it opens; a stop that was triggered ends it as well, as if it had been filled whole.
    """
    groups: dict[str, list[Linked]] = {}
    for each in exits:
        groups.setdefault(each.group or each.id, []).append(each)
    found: list[Consequence] = []
    for group in groups.values():
        part = min(max(each.left for each in group), held)
        held = EXACT.subtract(held, part)
        for each in group:
            found += _fitted(each, part, filling)
    return tuple(found)


def _fitted(exit_: Linked, part: Decimal, filling: Collection[str]) -> Iterator[Consequence]:
    waits = exit_.parent is not None and exit_.parent in filling
    if not part and (exit_.triggered or not waits):
        yield Cancel(id=exit_.id, reason=CLOSED)
        if exit_.parent is not None and waits:
            yield Cancel(id=exit_.parent, reason=EXIT_FILLED)
    elif exit_.left > part:
        yield Resize(id=exit_.id, quantity=EXACT.add(exit_.filled, part))


def _consequences(changed: Linked, family: dict[str, Linked], opened: Decimal) -> Iterator[Consequence]:
    for other in family.values():
        if other.ended:
            continue
        if other.parent == changed.id:
            yield from _child(other, changed, opened)
        elif other.id == changed.parent:
            if changed.leg in EXITS and changed.status is OrderStatus.FILLED:
                yield Cancel(id=other.id, reason=EXIT_FILLED)
        elif other.group is not None and other.group == changed.group and changed.filled:
            yield from _grouped(other, changed)


def _child(child: Linked, parent: Linked, opened: Decimal) -> Iterator[Consequence]:
    if child.leg in EXITS:
        yield from _protect(child, parent, opened)
    elif parent.status is OrderStatus.FILLED and child.status is NEW:
        yield Wake(id=child.id, quantity=child.quantity)
    elif parent.ended and child.status is NEW:
        yield Cancel(id=child.id, reason=PARENT_ENDED)


def _protect(child: Linked, entry: Linked, opened: Decimal) -> Iterator[Consequence]:
    """An exit protects what its entry opens, and has nothing to wait for once that has ended without."""
    if opened and child.status is NEW:
        yield Wake(id=child.id, quantity=opened)
    elif opened:
        yield Resize(id=child.id, quantity=EXACT.add(child.quantity, opened))
    elif entry.ended and child.status is NEW:
        yield Cancel(id=child.id, reason=ENTRY_CLOSED if entry.filled else PARENT_ENDED)
    elif entry.ended and child.left <= 0:
        yield Cancel(id=child.id, reason=CLOSED)


def _grouped(other: Linked, changed: Linked) -> Iterator[Consequence]:
    """Of a group, once one is filled: exits keep one size, all others end."""
    if changed.leg is None or other.leg is None:
        return
    if not (changed.leg in EXITS and other.leg in EXITS) or changed.status is OrderStatus.FILLED:
        yield Cancel(id=other.id, reason=OTHER_FILLED)
        return
    quantity = EXACT.add(other.filled, changed.left)
    if not changed.ended and quantity != other.quantity:
        yield Resize(id=other.id, quantity=quantity)
