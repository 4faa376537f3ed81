"""What closes at a broker, beside what closes already: together no more than is held, or than a hedge has opened."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.doubles.brokers import DOWN, DOWN_AFTER
from tests.plugins.trading.brokers.room import CANCEL, CLOSE, PLACE, REPLACE, SYMBOLS, Room
from tests.plugins.trading.brokers.test_hedges import BTC, MINE, SHUT, executed

BOTH = ("tacc_a", "tacc_b")


async def hold_one(room: Room, account: str) -> None:
    """One of bitcoin, in an account that may be short; what comes next rests."""
    await room.limit(account, None, margin="MARGIN")
    venue = room.venue(account)
    venue.fills_at = "100"
    await room.place(account, type="MARKET")
    venue.fills_at = None


async def fill(room: Room, account: str, *ids: str) -> None:
    """Whole, as a market order at Alpaca is a moment after it was answered."""
    venue = room.venue(account)
    for id in ids:
        placed = venue.by_client_id(id)
        venue.fill(placed, str(placed.quantity), "100")
    await room.look()


async def units(room: Room, account: str) -> dict[str, str]:
    return (await room.holds(account))[1]


def closing(account: str, **given: Any) -> dict[str, Any]:
    return {"accountId": account, "symbol": SYMBOLS[account], **given}


def reducing(account: str, quantity: str, **given: Any) -> dict[str, Any]:
    return closing(account, side="SELL", reduceOnly=True, quantity=quantity, **given)


def told(account: str, words: str) -> list[dict[str, Any]]:
    message = f"The account holds 1 of {SYMBOLS[account]}, {words}."
    return [{"field": ["input", "quantity"], "code": "REDUCE_ONLY_WOULD_INCREASE", "message": message}]


ALL = "all of which other open orders with reduceOnly close: cancel one of them first, or wait until it has ended"


@pytest.mark.parametrize("account", BOTH)
async def test_a_position_is_closed_once_however_often_it_is_asked_for_before_it_is_filled(
    room: Room, account: str
) -> None:
    await hold_one(room, account)

    first = await room.do(CLOSE, **closing(account))
    again = await room.see(CLOSE, **closing(account))
    await fill(room, account, first["order"]["id"])

    assert (again["order"], again["userErrors"]) == (None, told(account, ALL))
    assert (await units(room, account), len(await room.orders(account))) == ({}, 2)


@pytest.mark.parametrize("account", BOTH)
async def test_a_position_of_which_a_part_is_being_closed_is_closed_by_the_rest(room: Room, account: str) -> None:
    await hold_one(room, account)
    rests = await room.do(PLACE, **reducing(account, "0.4", type="LIMIT", limitPrice="110"))

    whole = await room.see(CLOSE, **closing(account))
    rest = await room.do(CLOSE, **closing(account, quantity="0.6"))
    await fill(room, account, rest["order"]["id"], rests["order"]["id"])

    most = "of which other open orders with reduceOnly close 0.4: to sell 1 would not only reduce it; at most"
    assert whole["userErrors"] == told(account, f"{most} 0.6 passes")
    assert await units(room, account) == {}


@pytest.mark.parametrize("account", BOTH)
async def test_two_orders_that_only_reduce_rest_together_for_no_more_than_is_held(room: Room, account: str) -> None:
    await hold_one(room, account)
    limit = {"type": "LIMIT", "limitPrice": "110"}
    first = await room.do(PLACE, **reducing(account, "0.5", **limit))
    second = await room.do(PLACE, **reducing(account, "0.5", **limit))

    third = await room.see(PLACE, **reducing(account, "0.1", **limit))
    larger = await room.see(REPLACE, orderId=second["order"]["id"], quantity="0.6")
    await room.do(REPLACE, orderId=second["order"]["id"], quantity="0.4")
    await room.do(CANCEL, orderId=first["order"]["id"])
    await room.do(PLACE, **reducing(account, "0.6", **limit))

    assert third["userErrors"] == told(account, ALL)
    most = "of which other open orders with reduceOnly close 0.5: to sell 0.6 would not only reduce it; at most"
    assert larger["userErrors"] == told(account, f"{most} 0.5 passes")


@pytest.mark.parametrize("account", BOTH)
async def test_what_is_about_to_be_bought_takes_nothing_from_what_may_be_closed(room: Room, account: str) -> None:
    await hold_one(room, account)
    await room.place(account, quantity="3")

    closed = await room.do(CLOSE, **closing(account))
    await fill(room, account, closed["order"]["id"])

    assert await units(room, account) == {}


async def test_a_hedge_is_closed_once_by_three_at_once_without_a_key(room: Room) -> None:
    made = await executed(room, "1")
    await room.place(MINE, type="MARKET", quantity="5")
    shut = {"accountId": MINE, "hedgeId": made["hedge"]["id"]}

    answers = await asyncio.gather(*[room.see(SHUT, **shut) for _ in range(3)])

    assert await units(room, MINE) == {BTC: "5"}
    assert {each["code"] for answer in answers for each in answer["userErrors"]} <= {"HEDGE_CLOSED"}
    assert [row.side for row in await room.orders(MINE)] == ["BUY", "BUY", "SELL"]


async def test_a_hedge_whose_closing_nobody_has_answered_is_not_closed_once_more(room: Room) -> None:
    made = await executed(room, "1")
    await room.place(MINE, type="MARKET", quantity="5")
    shut = {"accountId": MINE, "hedgeId": made["hedge"]["id"]}
    venue = room.venue(MINE)
    venue.faults += [("POST", "/order", DOWN_AFTER), ("GET", "/order", DOWN)]

    first = await room.see(SHUT, **shut)
    again = await room.see(SHUT, **shut)
    await room.look()
    await room.look()
    late = await room.see(SHUT, **shut)

    for answer in (first, again):
        assert (answer["userErrors"], answer["hedge"]["open"]) == ([], [{"symbol": BTC, "quantity": "1"}])
        assert [each["status"] for each in answer["hedge"]["orders"]] == ["FILLED", "NEW"]
    assert [each["code"] for each in late["userErrors"]] == ["HEDGE_CLOSED"]
    assert await units(room, MINE) == {BTC: "5"}
    assert venue.count("DELETE", "/order") == 0


async def test_a_hedge_is_not_closed_beside_an_order_that_closes_its_position(room: Room) -> None:
    made = await executed(room, "1")
    room.venue(MINE).fills_at = None
    closed = await room.do(CLOSE, **closing(MINE))

    shut = await room.see(SHUT, accountId=MINE, hedgeId=made["hedge"]["id"])
    await fill(room, MINE, closed["order"]["id"])

    message = f"The account holds 1 of {BTC}, {ALL}."
    assert shut["userErrors"] == [
        {"field": ["input", "hedgeId"], "code": "REDUCE_ONLY_WOULD_INCREASE", "message": message}
    ]  # fmt: skip
    assert await units(room, MINE) == {}


async def test_of_a_hedge_that_is_being_closed_in_part_the_rest_is_closed(room: Room) -> None:
    made = await executed(room, "1")
    venue = room.venue(MINE)
    venue.fills_at = None
    shut = {"accountId": MINE, "hedgeId": made["hedge"]["id"]}
    first = (await room.see(SHUT, **shut))["hedge"]["orders"]
    venue.fill(venue.orders["3"], "0.3", "100")
    venue.orders["3"].status = "canceled"
    await room.look()

    venue.fills_at = "100"
    rest = await room.see(SHUT, **shut)

    assert [each["status"] for each in first] == ["FILLED", "ACCEPTED"]
    assert [(each["quantity"], each["status"]) for each in rest["hedge"]["orders"]] == [
        ("1", "FILLED"), ("1", "CANCELED"), ("0.7", "FILLED")
    ]  # fmt: skip
    assert (rest["userErrors"], await units(room, MINE)) == ([], {})


@pytest.mark.parametrize(
    ("fee", "words", "passes"),
    [
        ("0.0001234", "0.9998766 of {}: to sell 1 would not only reduce it; at most 0.999 passes", "0.999"),
        ("0.9991", "0.0009 of {}: to sell 1 would not only reduce it; no order passes for so little", None),
    ],
)
async def test_what_is_told_to_pass_at_a_broker_is_whole_steps(
    room: Room, fee: str, words: str, passes: str | None
) -> None:
    venue = room.venue(MINE)
    venue.fills_at, venue.fee = "100", (fee, "BTC")
    await room.place(MINE, type="MARKET")
    venue.fee = ("0", "USDT")

    refused = await room.see(PLACE, **reducing(MINE, "1", type="MARKET"))

    assert [each["message"] for each in refused["userErrors"]] == [f"The account holds {words.format(BTC)}."]
    if passes is not None:
        await room.do(PLACE, **reducing(MINE, passes, type="MARKET"))
