"""What protects a position: how large it is, and how it is taken away."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from gateway.core.matching.contingencies import CLOSED, EXITS, Consequence, fitted
from gateway.core.matching.rounding import EXACT
from gateway.core.matching.venue import closable
from plugins.trading.ledger.chart import shown
from plugins.trading.orders.turning import is_triggered, linked
from plugins.trading.orders.wishes import AT_ONCE
from plugins.trading.rows import OrderRow
from schema.words.orders import OrderCause, OrderLeg, OrderStatus, OrderType
from schema.words.problems import Refused
from schema.words.trades import Side

if TYPE_CHECKING:
    from plugins.trading.orders.floor import Floor

ZERO = Decimal(0)
CLOSING = frozenset({OrderCause.CLOSE, OrderCause.LIQUIDATION})
BRACKET = EXITS | {OrderLeg.ENTRY}


def fitting(rows: Collection[OrderRow], held: Decimal, filled: str | None = None) -> Iterator[Consequence]:
    """What the exits, and what only closes, among an instrument's open orders do where so much is held.

    Those of an entry that was *filled* just now, perhaps to its end, are still to hear what it has opened.
    """
    bound = sorted((row for row in rows if protects(row) or closes(row)), key=lambda row: row.number)
    if not bound:
        return
    filling = {row.id for row in rows} | ({filled} if filled else set())
    for side in Side:
        for some in (protects, closes):
            orders = [linked(row) for row in bound if row.side == side and some(row)]
            yield from fitted(orders, filling, closable(side, held))


def protects(row: OrderRow) -> bool:
    """Whether it is an exit that works, or would once its entry opens more; not one that waits for the first of it."""
    return row.open and row.leg in EXITS and row.status != OrderStatus.NEW


def idles(row: OrderRow) -> bool:
    """Whether it waits for what another order is yet to do: NEW, or an exit of no size."""
    return row.status == OrderStatus.NEW or row.quantity == row.filled


def exits_behind(floor: Floor, entry: OrderRow) -> list[OrderRow]:
    """What protects what an entry has opened, or waits for that."""
    return [row for row in floor.open if row.parent_id == entry.id and row.leg in EXITS]


def closes(row: OrderRow) -> bool:
    """Whether it is what is left of a `positionClose`, or of a liquidation, which is of the position that was there."""
    return row.open and row.reduce_only and row.cause in CLOSING and row.status != OrderStatus.NEW


def take_away(floor: Floor, instrument: str, reason: str) -> list[OrderRow]:
    """End what protects a position, and not what waits for an entry, nor what is of no size for what an entry of the
    other side opens next; as it stood."""
    side = Side.SELL if floor.held(instrument) > 0 else Side.BUY
    gone = [row for row in floor.open if row.instrument == instrument and row.side == side and protects(row)]
    floor.end_all([row.id for row in gone], OrderStatus.CANCELED, reason)
    return gone


def close_down(floor: Floor, instrument: str) -> None:
    """A position is closed whole: what protects it ends, and what is left of the entries that have opened it, and of
    orders that would open it again at once."""
    take_away(floor, instrument, CLOSED)
    rest = [*_filling(floor, instrument), *_taking(floor, instrument)]
    floor.end_all([row.id for row in rest], OrderStatus.CANCELED, CLOSED)


def cover(floor: Floor, instrument: str, exits: Collection[OrderRow]) -> list[OrderRow]:
    """New exits of a position grow with the entry that fills it further, as if they had been placed with it: with the
    last one, where there are several. What is left of the others is cancelled, as nothing would protect it: those."""
    entries = _filling(floor, instrument)
    if not entries or not exits:
        return []
    for row in exits:
        floor.put(replace(floor.orders[row.id], parent_id=entries[-1].id))
    floor.end_all([row.id for row in entries[:-1]], OrderStatus.CANCELED, "EXITS_REPLACED")
    return entries[:-1]


def _filling(floor: Floor, instrument: str) -> list[OrderRow]:
    """Entries that have opened some of a position and are filled further, once no exit of theirs is left."""
    parents, held = {row.parent_id for row in floor.open}, floor.held(instrument)
    side = Side.BUY if held > 0 else Side.SELL
    return [
        row
        for row in floor.open
        if row.instrument == instrument and row.leg == OrderLeg.ENTRY and row.side == side and row.filled
        and row.id not in parents
    ]  # fmt: skip


def _taking(floor: Floor, instrument: str) -> list[OrderRow]:
    """Orders beside brackets that enlarge a position with whatever is offered next: at the market, or until it has met
    one message."""
    side = Side.BUY if floor.held(instrument) > 0 else Side.SELL
    return [
        row
        for row in floor.open
        if row.instrument == instrument and row.side == side and row.leg not in BRACKET
        and row.status != OrderStatus.NEW and (row.time_in_force in AT_ONCE or _at_market(row))
    ]  # fmt: skip


def _at_market(row: OrderRow) -> bool:
    return row.limit_price is None and (row.type == OrderType.MARKET or is_triggered(row))


def check_size_kept(row: OrderRow, after: OrderRow) -> None:
    """An exit is as large as what it protects, and nobody else says how large."""
    if row.leg not in EXITS or row.quantity == after.quantity:
        return
    what = f"it protects, {shown(row.quantity or ZERO)} now" if protects(row) else "its entry opens"
    raise Refused("ORDER_INVALID", f"A {row.leg} is as large as what {what}: leave quantity out.", "quantity")


def check_still_opens(floor: Floor, entry: OrderRow) -> None:
    """An entry of another size has something to open yet for the exits that wait for it."""
    exits, held = exits_behind(floor, entry), floor.held(entry.instrument)
    least = EXACT.add(entry.filled, closable(Side(entry.side), held))
    if entry.quantity is None or entry.quantity > least or not any(row.status == OrderStatus.NEW for row in exits):
        return
    told = (
        f"The order would only make the position of {shown(held)} smaller, and leave nothing for its exits to close: "
        f"a quantity above {shown(least)} would pass."
    )
    raise Refused("ORDER_INVALID", told, "quantity")
