"""Other terms are asked for only once it is known what is filled: a broker would fill that once more."""

from __future__ import annotations

import pytest

from tests.doubles.brokers import DOWN, GARBAGE, LIMITED
from tests.plugins.trading.brokers.gates import Gate
from tests.plugins.trading.brokers.room import BROKERS, REPLACE, Room
from tests.plugins.trading.brokers.test_replacing import resting
from tests.plugins.trading.rowsof import D

BOTH = ("tacc_a", "tacc_b")


async def refused(room: Room, id: str, why: str) -> None:
    """Another price is, as long as it is not known how much is filled; and nothing is sent."""
    venue = room.venue((await room.order(id)).account_id)
    (error,) = (await room.see(REPLACE, orderId=id, limitPrice="105"))["userErrors"]
    told = f"How much of the order is filled is not known, and would be ordered once more: {why}."
    assert (error["code"], error["field"]) == ("BROKER_UNAVAILABLE", ["input", "orderId"])
    assert error["message"] == f"{told} Nothing was changed: try again in a few seconds."
    assert [each[0] for each in venue.asked if each[0] == "PATCH" or each[1].endswith("cancelReplace")] == []
    row = await room.order(id)
    assert (row.status, row.limit_price, row.quantity, row.replacements) == ("ACCEPTED", D(100), D(1), 0)


@pytest.mark.parametrize(
    ("account", "what", "why"),
    [
        ("tacc_a", DOWN, "alpaca_paper answered with status 500"),
        ("tacc_a", LIMITED, "alpaca_paper says that it was asked too often: again in 7 s"),
        ("tacc_a", GARBAGE, "alpaca_paper GET /v2/orders/1: the answer is no JSON"),
        ("tacc_b", DOWN, "binance_testnet: Internal error"),
        ("tacc_b", LIMITED, "binance_testnet says that it was asked too often: again in 7 s"),
        ("tacc_b", GARBAGE, "binance_testnet GET /api/v3/order: the answer is no JSON"),
    ],
)
async def test_an_order_of_which_nobody_tells_how_much_is_filled_is_not_replaced(
    room: Room, account: str, what: str, why: str
) -> None:
    id = await resting(room, account)
    venue = room.venue(account)
    venue.fill(venue.orders["1"], "0.4", "100")
    venue.faults.append(("GET", "/orders/1" if account == "tacc_a" else "/order", what))

    await refused(room, id, why)

    room.house.clock.turn(8)
    assert await room.code(REPLACE, orderId=id, limitPrice="105") == "ORDER_INVALID"
    assert [(each.status, each.filled) for each in venue.orders.values()] == [("partially_filled", D("0.4"))]
    assert (await room.order(id)).filled == D("0.4")


async def test_an_order_is_not_replaced_while_our_own_share_of_orders_is_used_up(room: Room) -> None:
    id = await resting(room, "tacc_a")
    venue = room.venue("tacc_a")
    venue.left = "5"
    await room.look()
    venue.fill(venue.orders["1"], "0.4", "100")
    asked = len(venue.asked)

    await refused(room, id, "alpaca_paper takes no more requests for 13.5 s")

    assert len(venue.asked) == asked


@pytest.mark.parametrize("account", BOTH)
async def test_an_order_is_not_replaced_while_its_fills_are_counted_and_not_listed(room: Room, account: str) -> None:
    id = await resting(room, account)
    venue = room.venue(account)
    venue.fill(venue.orders["1"], "0.4", "100")
    venue.hides_fills = True

    await refused(room, id, f"{BROKERS[account]} counts more than it lists")

    venue.hides_fills = False
    assert await room.code(REPLACE, orderId=id, limitPrice="105") == "ORDER_INVALID"


@pytest.mark.parametrize("account", BOTH)
async def test_an_order_that_its_broker_does_not_know_now_is_not_replaced(room: Room, account: str) -> None:
    id = await resting(room, account)
    venue = room.venue(account)
    there, venue.orders = venue.orders, {}

    await refused(room, id, f"{BROKERS[account]} does not know it now")

    venue.orders = there
    assert (await room.do(REPLACE, orderId=id, limitPrice="105"))["order"]["status"] == "ACCEPTED"


@pytest.mark.parametrize("account", BOTH)
async def test_of_two_who_replace_an_order_at_once_one_looks_at_it_again(room: Room, account: str) -> None:
    id = await resting(room, account)
    venue = room.venue(account)
    gate = Gate(venue, "GET", "/orders/1" if account == "tacc_a" else "/order", answered=True)
    late = await gate.holding(room.see(REPLACE, orderId=id, limitPrice="105"))
    await room.do(REPLACE, orderId=id, limitPrice="106")
    venue.fill(venue.orders["2"], "0.4", "106")

    gate.open()

    (error,) = (await late)["userErrors"]
    assert error["code"] == "BROKER_UNAVAILABLE"
    assert "not known, and would be ordered once more: somebody has replaced it meanwhile." in error["message"]
    assert (sorted(venue.orders), (await room.order(id)).limit_price) == (["1", "2"], D(106))
