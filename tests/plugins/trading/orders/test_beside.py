"""What others hold beside an order of any size, by sums: the same as reckoning each of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plugins.trading.orders.beside import Beside
from plugins.trading.orders.reckoning import Reserves, parts_of, reckoned, shifted
from plugins.trading.orders.rowbook import RowBook
from plugins.trading.rows import OrderRow
from tests.plugins.trading import rowsof
from tests.plugins.trading.engine.floorhouse import wish
from tests.plugins.trading.orders.slate import D, Slate, slate

SIDES = st.sampled_from(["BUY", "SELL"])
HELD = st.integers(-90, 90)
TYPES = st.sampled_from(["MARKET", "LIMIT", "STOP_MARKET"])
ORDERS = st.lists(st.tuples(SIDES, TYPES, st.integers(1, 40)), min_size=1, max_size=12)


def desk_of(held: int, orders: list[Any]) -> Slate:
    """An account that holds so much, and orders that hold what they were to open at another price."""
    desk = slate("100000", margin="MARGIN", leverage=D(3))
    (first,) = desk.place(wish("BUY", "LIMIT", "1", limit_price="95"))
    floor, floor.orders = desk.floor, RowBook()
    if held:
        floor.positions[first.instrument] = rowsof.position(first.instrument, f"{held}", f"{held * 100}")
    for number, (side, type_, size) in enumerate(orders, start=1):
        row = replace(first, id=f"ord_{number}", number=number, side=side, type=type_, quantity=D(size))
        floor.orders[row.id] = replace(row, limit_price=D(99) if type_ == "LIMIT" else None, reserved=D(size * 7))
    return desk


@given(
    held=HELD, orders=ORDERS, which=st.integers(0, 11), size=st.integers(1, 200), then=HELD, type_=TYPES,
    new=st.booleans(), priced=st.booleans(),
)  # fmt: skip
def test_sums_are_what_reckoning_each_order_comes_to(
    held: int, orders: list[Any], which: int, size: int, then: int, type_: str, new: bool, priced: bool
):
    desk = desk_of(held, orders)
    floor, rows = desk.floor, desk.floor.open
    row = replace(rows[which % len(rows)], type=type_, quantity=D(size), reserved=D(0))
    row = replace(row, id="ord_new", number=0) if new else row
    others = [each for each in rows if each.id != row.id]
    market = desk.ground.market if priced else replace(desk.ground.market, tick=None)
    name, now, reserves = row.instrument, D(held), Reserves(D(3))

    beside = Beside(floor, market, row)

    parts, anew = parts_of([*others, row], D(then)), list(reckoned([*others, row], D(then), market, reserves))
    moved = shifted([*others, row], floor.shifts.parts(name), now, market, reserves)
    assert beside.opens(row, D(then)) == parts[row.id].opens
    assert beside.changed(row, D(then)) == more(anew, row)
    assert beside.shifted(row) == (D(0) if new else more(moved, row))


def more(found: Any, row: OrderRow) -> Decimal:
    return sum((holds - each.reserved for each, holds in found if each.id != row.id), D(0))
