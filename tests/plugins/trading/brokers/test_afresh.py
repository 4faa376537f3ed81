"""What closes a position is judged by what is filled at the broker by now: of shares also what is bought back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.brokers import DOWN
from tests.plugins.trading.brokers import room as rooms
from tests.plugins.trading.brokers.room import CLOSE, PLACE, SYMBOLS, Room, open_room
from tests.plugins.trading.rowsof import D

STOCK = "equity:AAPL"
BOTH = ("tacc_a", "tacc_b")


@pytest.fixture
async def shares(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    """The account at Alpaca trades shares, and borrows them; their market is open."""
    monkeypatch.setitem(rooms.SYMBOLS, "tacc_a", STOCK)
    async with open_room(sqlite_url, tmp_path) as opened:
        opened.house.clock.turn(4 * 3600)
        await opened.limit("tacc_a", None, margin="MARGIN", leverage=D(2))
        yield opened


async def filled_unseen(room: Room, account: str, side: str, **given: Any) -> str:
    """An order that is filled a moment after it was answered, and nobody has looked since."""
    id = str((await room.place(account, side, "MARKET", **given))["order"]["id"])
    venue = room.venue(account)
    placed = venue.by_client_id(id)
    venue.fill(placed, str(placed.quantity), "100")
    return id


def closing(account: str, **given: Any) -> dict[str, Any]:
    return {"accountId": account, "symbol": SYMBOLS[account], **given}


def stop(side: str, quantity: str = "5") -> dict[str, Any]:
    price = "90" if side == "SELL" else "110"
    terms = {"type": "STOP_MARKET", "stopPrice": price, "quantity": quantity, "reduceOnly": True}
    return closing("tacc_a", side=side, **terms)


@pytest.mark.parametrize(("side", "other"), [("BUY", "SELL"), ("SELL", "BUY")])
async def test_a_stop_is_placed_as_soon_as_what_it_protects_is_filled_bought_or_sold_short(
    shares: Room, side: str, other: str
) -> None:
    id = await filled_unseen(shares, "tacc_a", side, quantity="5")

    status = (await shares.do(PLACE, **stop(other)))["order"]["status"]

    assert (status, (await shares.order(id)).status) == ("ACCEPTED", "FILLED")


async def test_a_purchase_that_would_more_than_close_a_short_is_refused_once_its_broker_was_asked(shares: Room) -> None:
    await filled_unseen(shares, "tacc_a", "SELL", quantity="5")

    (error,) = (await shares.see(PLACE, **stop("BUY", "6")))["userErrors"]

    told = f"The account holds -5 of {STOCK}: to buy 6 would not only reduce it; at most 5 passes."
    assert (error["code"], error["message"]) == ("REDUCE_ONLY_WOULD_INCREASE", told)
    assert shares.venue("tacc_a").count("POST", "/orders") == 1


@pytest.mark.parametrize("account", BOTH)
async def test_a_position_is_closed_as_soon_as_it_is_filled(room: Room, account: str) -> None:
    id = await filled_unseen(room, account, "BUY")

    order = (await room.do(CLOSE, **closing(account)))["order"]

    assert (order["quantity"], (await room.order(id)).status) == ("1", "FILLED")


async def test_a_short_is_closed_as_soon_as_it_is_filled(shares: Room) -> None:
    await filled_unseen(shares, "tacc_a", "SELL", quantity="5")

    order = (await shares.do(CLOSE, **closing("tacc_a")))["order"]

    assert (order["quantity"], (await shares.orders("tacc_a"))[-1].side) == ("5", "BUY")


@pytest.mark.parametrize("account", BOTH)
async def test_nothing_is_closed_where_the_broker_does_not_say_what_is_filled(room: Room, account: str) -> None:
    id, venue = await filled_unseen(room, account, "BUY"), room.venue(account)
    venue.faults.append(("GET", "/1" if account == "tacc_a" else "/order", DOWN))

    (error,) = (await room.see(CLOSE, **closing(account)))["userErrors"]

    assert error["message"] == f"The account holds nothing of {SYMBOLS[account]}."
    assert (venue.faults, (await room.order(id)).status, venue.count("POST", "")) == ([], "ACCEPTED", 1)


@pytest.mark.parametrize("account", BOTH)
async def test_a_broker_is_asked_nothing_where_no_order_may_have_brought_what_is_to_be_closed(
    room: Room, account: str
) -> None:
    assert await room.code(CLOSE, **closing(account)) == "REDUCE_ONLY_WOULD_INCREASE"
    assert room.venue(account).asked == []
