"""Orders that depend on each other: what the others do when one is filled, or ends.

Bracket: an ENTRY, and a TAKE_PROFIT and a STOP_LOSS (either alone, too) that have it as parent and share a group.
- They wait (NEW) until the entry is filled, even in part, and then protect what is filled: their quantity follows,
  and they meet every message from the next on, also one that fills more of the entry.
- What one of them fills, the other protects no more: its quantity shrinks by it, and at nothing it is cancelled.
- Once one of them is filled whole, the position that it protects is closed: what is left of the entry is cancelled.
- An entry that ends without a fill ends them too; one that ends with a part filled leaves them on that part.
A TAKE_PROFIT and a STOP_LOSS of one group without a parent protect a position that is there: both stay as large as
what is left of it, and once one is filled whole, the other is cancelled.
OCO: orders of one group. The first fill of one, even a part, cancels the others.
Orders of one group without a leg have nothing in common but its name: a hedge's.
OTO: an order with a parent waits until that is filled whole; it is cancelled where the parent ends otherwise.
Source: FIX 4.4/5.0 ContingencyType (1385): 1 OCO, 2 OTO, 3 one-updates-the-other by absolute quantity (the exits).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from gateway.core.matching.lifecycle import NEW, TERMINAL
from gateway.core.matching.rounding import EXACT, ZERO, total_of
from schema.words.orders import OrderLeg, OrderStatus

PARENT_ENDED = "PARENT_ENDED"
OTHER_FILLED = "OTHER_FILLED"
EXIT_FILLED = "EXIT_FILLED"
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

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL


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


def consequences(changed: Linked, others: Iterable[Linked]) -> tuple[Consequence, ...]:
    """What the others do once one has changed. `others` are its parent, its children and its group, ended ones too.

    Asked again with what they have become it tells nothing more: it may be asked after every change.
    """
    family = {each.id: each for each in others if each.id != changed.id}
    return tuple(_consequences(changed, family))


def _consequences(changed: Linked, family: dict[str, Linked]) -> Iterator[Consequence]:
    everyone = (changed, *family.values())
    for other in family.values():
        if other.ended:
            continue
        if other.parent == changed.id:
            yield from _child(other, changed, everyone)
        elif changed.leg in EXITS and changed.parent is not None:
            yield from _kin(other, changed, everyone)
        elif other.group is not None and other.group == changed.group and changed.filled and other.id != changed.parent:
            yield from _grouped(other, changed)


def _child(child: Linked, parent: Linked, everyone: tuple[Linked, ...]) -> Iterator[Consequence]:
    if child.leg in EXITS:
        yield from _protect(child, parent, everyone)
    elif parent.status is OrderStatus.FILLED and child.status is NEW:
        yield Wake(id=child.id, quantity=child.quantity)
    elif parent.ended and child.status is NEW:
        yield Cancel(id=child.id, reason=PARENT_ENDED)


def _kin(other: Linked, exit_: Linked, everyone: tuple[Linked, ...]) -> Iterator[Consequence]:
    """What an exit's change means to the other exit, and to the entry."""
    if other.id == exit_.parent:
        if exit_.status is OrderStatus.FILLED:
            yield Cancel(id=other.id, reason=EXIT_FILLED)
    elif other.leg in EXITS and other.parent == exit_.parent:
        entry = next((each for each in everyone if each.id == exit_.parent), None)
        if entry is not None:
            yield from _protect(other, entry, everyone)


def _grouped(other: Linked, changed: Linked) -> Iterator[Consequence]:
    """Of a group, once one is filled: exits without an entry keep one size, all others end."""
    if changed.leg is None or other.leg is None:
        return
    if not (changed.leg in EXITS and other.leg in EXITS) or changed.status is OrderStatus.FILLED:
        yield Cancel(id=other.id, reason=OTHER_FILLED)
        return
    quantity = EXACT.subtract(EXACT.add(other.filled, changed.quantity), changed.filled)
    if not changed.ended and quantity != other.quantity:
        yield Resize(id=other.id, quantity=quantity)


def _protect(child: Linked, entry: Linked, everyone: tuple[Linked, ...]) -> Iterator[Consequence]:
    """An exit's quantity is what the entry has filled, less what the other exits have."""
    if not entry.filled:
        if entry.ended:
            yield Cancel(id=child.id, reason=PARENT_ENDED)
        return
    siblings = (each for each in everyone if each.parent == entry.id and each.leg in EXITS and each.id != child.id)
    quantity = EXACT.subtract(entry.filled, total_of(each.filled for each in siblings))
    if quantity <= child.filled:
        yield Cancel(id=child.id, reason=OTHER_FILLED)
    elif child.status is NEW:
        yield Wake(id=child.id, quantity=quantity)
    elif quantity != child.quantity:
        yield Resize(id=child.id, quantity=quantity)
