"""What open orders hold of a margin once what they were to close is gone, and that no fill passes the leverage."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from plugins.trading.rows import AccountRow, OrderRow, PositionRow
from plugins.trading.tables import orders, positions
from schema.words.orders import OrderStatus
from tests.plugins.trading.engine.floorhouse import BTC, ETH, Hall, hall, wish
from tests.plugins.trading.orders.pit import GROUP, REPLACE, Pit
from tests.plugins.trading.orders.pit import wish as wish_of
from tests.plugins.trading.orders.slate import FREE, slate

SOL = "crypto:SOL/USD"
D = Decimal


async def stood(made: Hall, account: AccountRow) -> tuple[list[OrderRow], dict[str, Decimal]]:
    async with made.house.store.read() as tx:
        mine = select(orders).where(orders.c.account_id == account.id).order_by(orders.c.number)
        held = await tx.all(select(positions).where(positions.c.account_id == account.id), PositionRow)
        return await tx.all(mine, OrderRow), {row.instrument: row.quantity for row in held}


async def leave_resting(made: Hall, account: AccountRow, symbol: str, quantity: str) -> None:
    """A purchase, a sale at a limit that is to close it, and one that closes it before."""
    await made.place(account, wish("BUY", "MARKET", quantity, symbol=symbol), price="100")
    await made.place(account, wish("SELL", "LIMIT", quantity, symbol=symbol, limit_price="101"), price="100")
    await made.place(account, wish("SELL", "MARKET", quantity, symbol=symbol, reduce_only=True), price="100")


async def test_a_resting_order_holds_a_margin_once_what_it_was_to_close_is_gone(sqlite_url, tmp_path):
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account("1000", margin="MARGIN", leverage=D(5))

        await leave_resting(made, account, BTC, "48")

        rows, held = await stood(made, account)
        # 48 at 101, a fifth of it.
        assert ([row.reserved for row in rows], held) == ([D(0), D("969.6"), D(0)], {})


async def test_fills_of_resting_orders_never_pass_the_leverage(sqlite_url, tmp_path):
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100", ETH: "100", SOL: "100"}
        account = await made.account("1000", margin="MARGIN", leverage=D(5))
        await made.look()
        for symbol in (BTC, ETH):
            await made.place(account, wish("BUY", "MARKET", "24", symbol=symbol), price="100")
            await made.place(account, wish("SELL", "LIMIT", "24", symbol=symbol, limit_price="101"), price="100")
            await made.place(account, wish("SELL", "STOP_MARKET", "24", symbol=symbol, stop_price="99"), price="100")
        for symbol in (BTC, ETH):
            await made.place(account, wish("SELL", "MARKET", "24", symbol=symbol, reduce_only=True), price="100")
        await made.look()
        await made.settle()

        for symbol in (BTC, ETH):
            await made.tick("101", symbol)
            await made.tick("99", symbol)
        await made.settle()

        rows, held = await stood(made, account)
        ended = [row for row in rows if row.status == OrderStatus.REJECTED]
        # What the others of it may open still is held back: the last two are taken.
        assert held == {ETH: D(-48)}
        assert [row.filled for row in ended] == [D(0), D(0)]
        assert {str(row.reason).partition(":")[0] for row in ended} == {"INSUFFICIENT_MARGIN"}


async def test_what_closes_is_filled_where_the_margin_for_the_rest_is_gone(sqlite_url, tmp_path):
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100", ETH: "100"}
        account = await made.account("1000", margin="MARGIN", leverage=D(5))
        await made.look()
        await made.place(account, wish("BUY", "MARKET", "10"), price="100")
        (turns,) = await made.place(account, wish("SELL", "LIMIT", "30", limit_price="101"), price="100")
        await made.place(account, wish("SELL", "MARKET", "19", symbol=ETH), price="100")
        await made.look()
        await made.settle()

        await made.tick("118", ETH)
        await made.tick("101")
        await made.settle()

        rows, held = await stood(made, account)
        (after,) = (row for row in rows if row.id == turns.id)
        assert (after.status, after.filled) == (OrderStatus.CANCELED, D(10))
        assert str(after.reason).startswith("INSUFFICIENT_MARGIN: its fill takes a margin of ")
        assert held == {ETH: D(-19)}


async def test_what_is_filled_at_once_closes_before_a_take_profit_that_rests(sqlite_url, tmp_path):
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("1000", margin="MARGIN", leverage=D(5))
        await made.place(account, wish("BUY", "MARKET", "40"), price="100")
        await made.place(account, wish("SELL", "LIMIT", "40", limit_price="105"), price="100")
        (stop,) = await made.place(account, wish("SELL", "STOP_MARKET", "40", stop_price="95"), price="100")

        (closes,) = await made.place(account, wish("SELL", "MARKET", "40"), price="100")

        rows, held = await stood(made, account)
        assert (stop.reserved, closes.status, held) == (D(0), OrderStatus.FILLED, {})
        # 40 at 105, and at 100 with half the collar more, a fifth of each.
        assert [row.reserved for row in rows] == [D(0), D(840), D(840), D(0)]


async def test_what_ends_with_another_instruments_fill_frees_those_behind_it(pit: Pit):
    mine: dict[str, Any] = {"accountId": "tacc_2"}
    await pit.place("BUY", "MARKET", "10", symbol=ETH, **mine)
    parts = [wish_of("BUY", "LIMIT", "1", limitPrice="90"), wish_of("SELL", "LIMIT", "10", limitPrice="60", symbol=ETH)]
    for part in parts:
        del part["accountId"]
    first = (await pit.do(GROUP, rule="OCO", orders=parts, **mine))["orders"][0]["id"]
    behind = (await pit.place("SELL", "LIMIT", "10", limitPrice="65", symbol=ETH, **mine))["order"]

    await pit.do(REPLACE, orderId=first, limitPrice="105")

    # Ten at 65, a fifth of it and 0.13 of fee; they close then.
    assert (behind["reserved"], (await pit.order(behind["id"]))["reserved"]) == ("130.13", "0")


def test_by_a_bar_what_has_no_price_of_its_own_is_reserved_for_at_its_close():
    desk = slate(margin="MARGIN", leverage=D(1), model={**FREE, "source": "BARS"})
    (trails,) = desk.place(wish("BUY", "TRAILING_STOP", "5", trail_amount="10"))
    (limit,) = desk.place(wish("BUY", "LIMIT", "1", limit_price="99"))

    desk.meet_bar("100", "100", "98", "98")

    assert desk.stand(limit) == ("FILLED", "1")
    # 5 at 100, then at 98, with half the collar more.
    assert (trails.reserved, desk.floor.orders[trails.id].reserved) == (D(525), D("514.5"))


@pytest.mark.parametrize(("bid", "reserved"), [("101", D("424.2")), (None, D(525))])
def test_by_a_book_without_asks_a_purchase_is_reserved_for_at_its_bids(bid: str | None, reserved: Decimal):
    desk = slate(margin="MARGIN", leverage=D(1))
    (behind,) = desk.place(wish("SELL", "LIMIT", "1", limit_price="101"))
    (trails,) = desk.place(wish("BUY", "TRAILING_STOP", "5", trail_amount="30"))
    desk.price("101")
    desk.tick = replace(desk.tick, bid=None if bid is None else D(bid), ask=None, last=None)

    if bid is None:
        desk.floor.end_all([behind.id], OrderStatus.CANCELED, "CANCELED")
        with desk.floor.shifts.reckoning(trails.instrument, desk.ground.market):
            pass
    else:
        desk.meet_now()

    # 5 at 100, then 4 at 101 as one of them closes, with half the collar more.
    assert (trails.reserved, desk.floor.orders[trails.id].reserved) == (D(525), reserved)
