"""Orders that only reduce and rest, after their position was made smaller otherwise: no broker makes them smaller."""

from __future__ import annotations

from typing import Any, cast

import pytest
from aiohttp import web

from tests.doubles.brokers import LOST
from tests.plugins.trading.brokers.room import REPLACE, SYMBOLS, Room, hold
from tests.plugins.trading.rowsof import D

BOTH = ("tacc_a", "tacc_b")
REASON = "DAILY_LOSS_REACHED: the account has lost as much as it may in a day"


async def rest(room: Room, account: str, quantity: str | None, side: str = "SELL", **given: Any) -> str:
    """One that only reduces."""
    price = {"limitPrice": "120" if side == "SELL" else "80"}
    placed = await room.place(account, side, quantity=quantity, reduceOnly=True, **price | given)
    return str(placed["order"]["id"])


async def trade(room: Room, account: str, side: str, quantity: str, type: str = "MARKET", **given: Any) -> None:
    """Filled at once, at 100, by an order that does not only reduce."""
    venue = room.venue(account)
    venue.fills_at = "100"
    await room.place(account, side, type, quantity=quantity, **given)
    venue.fills_at = None


async def lose(room: Room, account: str, price: str, margin: str = "MARGIN") -> None:
    """What is held is worth so much that the loss of the day is reached, and the broker has answered."""
    await room.limit(account, "50", margin=margin)
    await room.guard(price)
    await room.guard()
    await room.look()


async def stand(room: Room, *ids: str) -> list[tuple[str, str | None]]:
    rows = [await room.order(each) for each in ids]
    return [(row.status, row.reason) for row in rows]


async def again(room: Room, id: str, **terms: str) -> tuple[str, list[str], str]:
    """How other terms are refused."""
    (error,) = (await room.see(REPLACE, orderId=id, **terms))["userErrors"]
    return error["code"], error["field"][1:], error["message"]


@pytest.mark.parametrize("margin", ["CASH", "MARGIN"])
@pytest.mark.parametrize("account", BOTH)
async def test_another_price_is_refused_where_the_order_would_turn_what_is_held_by_now(
    room: Room, account: str, margin: str
) -> None:
    await room.limit(account, None, margin="MARGIN")
    await hold(room, account, "2", loss=None)
    name, id = SYMBOLS[account], await rest(room, account, "2")
    await trade(room, account, "SELL", "1")
    await room.limit(account, None, margin=margin)
    asked = len(room.venue(account).asked)

    told = f"The account holds 1 of {name}: to sell 2 would not only reduce it; at most 1 passes."
    assert await again(room, id, limitPrice="101") == ("REDUCE_ONLY_WOULD_INCREASE", ["orderId"], told)
    assert (len(room.venue(account).asked), (await room.order(id)).limit_price) == (asked, D(120))
    assert (await room.do(REPLACE, orderId=id, limitPrice="101", quantity="1"))["order"]["quantity"] == "1"
    await room.limit(account, None, margin="MARGIN")
    await trade(room, account, "SELL", "1")
    await room.limit(account, None, margin=margin)

    told = f"The account holds nothing of {name}: there is nothing to reduce."
    assert await again(room, id, limitPrice="102") == ("REDUCE_ONLY_WOULD_INCREASE", ["orderId"], told)
    assert [each.price for each in room.venue(account).orders.values() if each.open] == ["101"]


async def test_another_price_of_an_order_of_a_sum_is_refused_with_a_quantity_that_passes(room: Room) -> None:
    await room.limit("tacc_b", None, margin="MARGIN")
    await hold(room, "tacc_b", "2", loss=None)
    id = await rest(room, "tacc_b", None, notional="240")
    await trade(room, "tacc_b", "SELL", "1")

    told = "The account holds 1 of crypto:BTC/USDT: to sell 2 would not only reduce it; at most 1 passes."
    assert await again(room, id, limitPrice="101") == ("REDUCE_ONLY_WOULD_INCREASE", ["orderId"], told)


@pytest.mark.parametrize("account", BOTH)
async def test_orders_that_only_reduce_stay_after_a_loss_in_their_order_as_far_as_what_is_held_goes(
    room: Room, account: str
) -> None:
    await room.limit(account, None, margin="MARGIN")
    await hold(room, account, "5", loss=None)
    first, second, last = [await rest(room, account, each) for each in ("1", "3", "1")]
    await trade(room, account, "SELL", "2")

    await lose(room, account, "50")

    assert await stand(room, first, second, last) == [("ACCEPTED", None), ("CANCELED", REASON), ("ACCEPTED", None)]
    assert [each["canceledOrders"] for each in await room.losses()] == [1]


@pytest.mark.parametrize("margin", ["CASH", "MARGIN"])
async def test_an_order_that_only_reduced_opens_nothing_after_a_loss(room: Room, margin: str) -> None:
    await room.limit("tacc_b", None, margin="MARGIN")
    await hold(room, "tacc_b", "2", loss=None)
    id = await rest(room, "tacc_b", "2")
    room.venue("tacc_b").fills_at = "50"
    await room.place("tacc_b", "SELL", "MARKET", quantity="2")
    room.venue("tacc_b").fills_at = None

    await lose(room, "tacc_b", "50", margin)

    assert await stand(room, id) == [("CANCELED", REASON)]
    assert [each.open for each in room.venue("tacc_b").orders.values()] == [False] * 3


@pytest.mark.parametrize(("bought", "stays"), [("0", True), ("1", False), ("3", False)])
async def test_a_purchase_that_only_reduces_stays_after_a_loss_as_far_as_the_short_goes(
    room: Room, bought: str, stays: bool
) -> None:
    await room.limit("tacc_a", None, margin="MARGIN")
    shares = {"symbol": "equity:AAPL"}
    await trade(room, "tacc_a", "SELL", "2", "LIMIT", **shares)
    id = await rest(room, "tacc_a", "2", "BUY", **shares)
    if bought != "0":
        await trade(room, "tacc_a", "BUY", bought, "LIMIT", **shares)
    held = D(bought) - 2

    await lose(room, "tacc_a", "160" if held < 0 else "40")

    assert len(await room.losses()) == 1
    assert await stand(room, id) == [("ACCEPTED", None) if stays else ("CANCELED", REASON)]


async def test_an_order_that_only_reduces_goes_on_a_later_look_of_that_day_once_its_position_is_closed(
    room: Room,
) -> None:
    await room.limit("tacc_b", None, margin="MARGIN")
    await hold(room, "tacc_b", "2", loss=None)
    first, second = [await rest(room, "tacc_b", each) for each in ("1", "1")]
    sold = (await room.place("tacc_b", "SELL", limitPrice="110"))["order"]["id"]
    venue = room.venue("tacc_b")
    venue.holds_cancels = True
    venue.fill(venue.by_client_id(sold), "1", "110")

    await lose(room, "tacc_b", "50")
    await room.guard()
    await room.look()

    assert await stand(room, first, second, sold) == [("ACCEPTED", None), ("CANCELED", REASON), ("FILLED", None)]


OUTGROWN = "OUTGROWN: a part was filled before it was replaced, and it would have closed more than is held"


def fill_before_replacing(room: Room, monkeypatch: pytest.MonkeyPatch, id: str, quantity: str) -> None:
    """Between our look at an order and its replacement so much of it is filled."""
    venue = room.venue("tacc_a")
    respond = venue.respond

    async def responds(request: web.Request) -> web.Response:
        if request.method == "PATCH":
            venue.fill(venue.by_client_id(id), quantity, "110")
        return cast(web.Response, await respond(request))

    monkeypatch.setattr(venue, "respond", responds)


@pytest.mark.parametrize("hides", [True, False])
@pytest.mark.parametrize(("margin", "reduces"), [("MARGIN", True), ("CASH", True), ("CASH", False)])
async def test_one_that_was_filled_in_part_before_it_was_replaced_is_cancelled_before_it_turns_what_is_held(
    room: Room, monkeypatch: pytest.MonkeyPatch, margin: str, reduces: bool, hides: bool
) -> None:
    await room.limit("tacc_a", None, margin=margin)
    shares, venue = {"symbol": "equity:AAPL"}, room.venue("tacc_a")
    await trade(room, "tacc_a", "BUY", "5", "LIMIT", **shares)
    placed = await room.place("tacc_a", "SELL", limitPrice="110", quantity="5", reduceOnly=reduces, **shares)
    id = placed["order"]["id"]
    venue.hides_fills = hides
    fill_before_replacing(room, monkeypatch, id, "2")

    told = (await room.do(REPLACE, orderId=id, limitPrice="105"))["order"]
    venue.hides_fills = False
    await room.look()

    assert (told["status"], told["reason"], told["quantity"]) == (
        "PENDING_CANCEL" if hides else "CANCELED",
        OUTGROWN,
        "7",
    )
    assert await stand(room, id) == [("CANCELED", OUTGROWN)]
    assert ((await room.holds("tacc_a"))[1], [each for each in venue.orders.values() if each.open]) == (
        {"equity:AAPL": "3"}, [],
    )  # fmt: skip


async def test_one_whose_replacement_was_not_answered_is_cancelled_by_the_next_looks(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room.limit("tacc_a", None, margin="MARGIN")
    venue = room.venue("tacc_a")
    await trade(room, "tacc_a", "BUY", "5")
    id = await rest(room, "tacc_a", "5")
    fill_before_replacing(room, monkeypatch, id, "2")
    venue.faults.append(("PATCH", "", LOST))

    assert (await room.do(REPLACE, orderId=id, limitPrice="115"))["order"]["status"] == "PENDING_REPLACE"
    await room.look()
    await room.look()

    assert await stand(room, id) == [("CANCELED", OUTGROWN)]
    assert [each.status for each in venue.orders.values()] == ["filled", "replaced", "canceled"]


async def test_one_that_was_filled_in_part_and_closes_no_more_than_is_held_works_on(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room.limit("tacc_a", None, margin="MARGIN")
    await trade(room, "tacc_a", "BUY", "7")
    id = await rest(room, "tacc_a", "5")
    fill_before_replacing(room, monkeypatch, id, "2")

    told = (await room.do(REPLACE, orderId=id, limitPrice="115"))["order"]

    assert (told["status"], told["quantity"], told["filledQuantity"]) == ("PARTIALLY_FILLED", "7", "2")
