"""Orders are found by instrument and by whom they belong to, without going through all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from plugins.trading.orders.rowbook import RowBook
from plugins.trading.orders.wishes import Exit
from schema.words.orders import OrderStatus
from tests.plugins.trading.engine.floorhouse import wish
from tests.plugins.trading.orders.slate import BTC, D, slate


class Walked(RowBook):
    """How often all of it is gone through."""

    times = 0

    def values(self) -> Any:
        self.times += 1
        return super().values()


def test_many_orders_end_without_a_walk_through_all_of_them_for_each():
    desk = slate("100000", margin="MARGIN", leverage=D(5))
    exit = Exit(limit_price=D(120))
    for _ in range(30):
        desk.place(wish("BUY", "LIMIT", "1", limit_price="90", take_profit=exit))
    rows = [row for row in desk.floor.open if row.leg == "ENTRY"]
    desk.floor.orders = walked = Walked(desk.floor.orders)

    desk.floor.end_all([row.id for row in rows], OrderStatus.CANCELED, "CANCELED")

    walks = walked.times
    assert (walks, desk.floor.open) == (1, [])


def test_orders_are_found_by_instrument_by_group_and_by_whom_they_wait_for():
    desk = slate("1000")
    exits: dict[str, Any] = {"take_profit": Exit(limit_price=D(120)), "stop_loss": Exit(stop_price=D(80))}
    entry, profit, loss = desk.place(wish("BUY", "LIMIT", "1", limit_price="90", **exits))
    (alone,) = desk.place(wish("BUY", "LIMIT", "1", limit_price="91"))
    book = desk.floor.orders

    assert [row.id for row in book.open_of(str(BTC))] == [entry.id, profit.id, loss.id, alone.id]
    assert [[kin.id for kin in book.kin(row)] for row in (entry, profit, alone)] == [
        [profit.id, loss.id], [entry.id, loss.id], []
    ]  # fmt: skip


def test_what_waits_for_another_order_from_now_on_is_found_by_that_one_alone():
    desk = slate("1000")
    first, second, child = (desk.place(wish("BUY", "LIMIT", "1", limit_price="90"))[0] for _ in range(3))
    book = desk.floor.orders
    book[child.id] = replace(child, parent_id=first.id)
    copied = book.copy()

    book[child.id] = replace(child, parent_id=second.id, open=False)
    book.setdefault(child.id, child)

    assert [[kin.id for kin in each.kin(row)] for each in (copied, book) for row in (first, second)] == [
        [child.id], [], [], [child.id]
    ]  # fmt: skip
    assert [row.id for row in book.open_of(str(BTC))] == [first.id, second.id]


def test_what_open_orders_hold_is_known_without_one_of_them_and_as_they_change():
    desk = slate("1000")
    first, second, third = (desk.place(wish("BUY", "LIMIT", size, limit_price="90"))[0] for size in ("1", "2", "3"))
    book = desk.floor.orders
    book[third.id] = replace(third, currency="EUR")

    before = book.reserved(), book.reserved(but=first.id), book.reserved(but=third.id)
    book[first.id] = replace(first, open=False)
    book[second.id] = replace(second, reserved=D(10))
    book[third.id] = replace(third, currency="EUR", reserved=D(0))
    after = book.reserved(), book.reserved(but=first.id), book.reserved(but=second.id)

    assert before == ({"USD": D(270), "EUR": D(270)}, {"USD": D(180), "EUR": D(270)}, {"USD": D(270)})
    assert after == ({"USD": D(10)}, {"USD": D(10)}, {})
