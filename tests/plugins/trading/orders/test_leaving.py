"""A fill that an account cannot pay for, only because a message offers so little: it is left out, the order waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.core.matching.model import Bar, Level
from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.drafts import deposit
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.wishes import Exit
from plugins.trading.writing import writing
from schema.words.orders import TimeInForce
from tests.plugins.trading.engine.floorhouse import hall, wish
from tests.plugins.trading.orders.slate import D, Slate, slate

DEAR: dict[str, Any] = {"fees": {"maker": "0", "taker": "0", "least": "8"}}
"""Whatever a message fills costs eight dollars."""


def dear(**model: Any) -> Slate:
    """An account of 500 dollars, which all stand in 4.92 bitcoins; its model from then on."""
    desk = slate("500", model=DEAR)
    desk.place(
        wish("BUY", "MARKET", "4.92", stop_loss=Exit(stop_price=D(90)), take_profit=Exit(limit_price=D(150)))
    )  # fmt: skip
    assert desk.floor.cash["USD"] == 0
    desk.floor.w.account = replace(desk.floor.w.account, model=DEAR | model)
    return desk


def test_a_stop_that_finds_too_few_buyers_to_pay_its_fee_waits_for_more():
    desk = dear()
    _, profit, loss = desk.floor.orders.values()

    desk.meet("89", size="0.05")
    triggered = desk.floor.orders[loss.id]
    desk.meet("91", size="0.08")
    again, left = desk.floor.orders[loss.id], desk.floor.offers.of(desk.ground.market)
    desk.meet("88", size="50")

    assert (triggered.status, triggered.filled, triggered.reason) == ("TRIGGERED", D(0), None)
    assert again is triggered
    assert left is not None
    assert left.touched is False
    assert (desk.stand(loss), desk.stand(profit)) == (("FILLED", "4.92"), ("CANCELED", "0"))
    assert (desk.sold, desk.floor.cash["USD"]) == ([("4.92", "88")], D("424.96"))


def test_what_could_not_be_paid_for_whole_either_ends():
    desk = slate("13", model=DEAR)
    _, loss = desk.place(wish("BUY", "MARKET", "0.05", stop_loss=Exit(stop_price=D(90))))

    desk.meet("89", size="0.01")

    told = "INSUFFICIENT_FUNDS: its fill costs 7.11 USD more than it brings, and 0 is free"
    assert (desk.floor.orders[loss.id].status, desk.floor.orders[loss.id].reason) == ("REJECTED", told)


def test_what_waits_for_nothing_ends():
    desk = dear(latency_ms=500)
    (sale,) = desk.place(wish("SELL", "LIMIT", "4.92", limit_price="100", time_in_force=TimeInForce.IOC))

    desk.meet("100", size="0.05")

    assert desk.stand(sale) == ("REJECTED", "0")


def test_what_reaches_a_thin_market_late_waits_there():
    desk = dear(latency_ms=500)
    (sale,) = desk.place(wish("SELL", "MARKET", "4.92"))

    desk.meet("100", size="0.05")
    reached = desk.floor.orders[sale.id]
    desk.meet("99", size="0.05")
    again = desk.floor.orders[sale.id]
    desk.meet("99", size="4")

    assert (reached.status, reached.due_at) == ("ACCEPTED", None)
    assert again is reached
    assert desk.sold == [("4", "99")]


@pytest.mark.parametrize("source", ["BOOK", "BARS"])
def test_so_it_is_against_books_and_bars(source: str):
    desk = dear(source=source)
    _, profit, _ = desk.floor.orders.values()

    def message(size: str) -> None:
        desk.price("149")
        desk.floor.now += timedelta(minutes=1)
        at = desk.floor.now
        bar = Bar(
            start=at - timedelta(minutes=1), end=at, open=D(149), high=D(151), low=D(149), close=D(150), volume=D(size)
        )  # fmt: skip
        desk.tick = replace(desk.tick, at=at, as_of=at, bids=(Level(price=D(150), size=D(size)),), bar=bar)
        desk.meet_now()

    message("0.05")
    waits = desk.floor.orders[profit.id]
    message("1")

    assert (waits.status, waits.filled) == ("ACCEPTED", D(0))
    assert desk.sold == [("1", "150")]


async def test_messages_of_as_little_are_not_looked_at_again_until_the_account_has_changed(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = list[str]()
    real = Floor.opened.__func__  # type: ignore[attr-defined]

    async def opened(cls: type[Floor], host: Any, w: Any, *given: Any) -> Floor:
        looks.append(w.account.id)
        made: Floor = await real(cls, host, w, *given)
        return made

    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("500", model=DEAR)
        _, loss = await made.place(
            account, wish("BUY", "MARKET", "4.92", stop_loss=Exit(stop_price=D(90))), price="100"
        )  # fmt: skip
        await made.look()
        await made.tick("89", bid="89", ask="90", bid_size="0.05")
        version = (await made.order(loss.id)).version
        monkeypatch.setattr(Floor, "opened", classmethod(opened))
        for bid in ("89", "88.5", "88"):
            await made.tick(bid, bid=bid, ask="90", bid_size="0.05")
        quiet = len(looks)
        await made.tick("89", bid="89", ask="90", bid_size="0.06")
        more = len(looks)
        waits = await made.order(loss.id)
        async with writing(made.house.host, account.tenant_id, account.id) as w:
            await LedgerBook().post(w, [deposit("USD", D(5))], at=made.house.clock.now(), made_by="user_ada")
        await made.look()
        await made.tick("88", bid="88", ask="90", bid_size="0.05")
        part = await made.stand(loss.id)
        await made.tick("88", bid="88", ask="90", bid_size="50")

        assert (quiet, more) == (0, 1)
        assert (waits.status, waits.version) == ("TRIGGERED", version)
        assert part == ("PARTIALLY_FILLED", "0.05")
        assert await made.stand(loss.id) == ("FILLED", "4.92")


async def test_a_purchase_that_was_left_out_is_filled_by_what_is_cheaper(sqlite_url: str, tmp_path: Path) -> None:
    slips = {"kind": "VOLUME_SHARE", "impact": "0.5", "most": "0.5"}
    model = {"slippage": slips, "fees": {"maker": "0", "taker": "0", "least": "0"}}
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("1050", model=model)
        (order,) = await made.place(account, wish("BUY", "STOP_MARKET", "10", stop_price="100"), price="90")
        await made.look()
        made.house.clock.turn(1)
        await made.tick("99.5", bid="99", ask="100", ask_size="10")
        waits = await made.stand(order.id)
        made.house.clock.turn(1)
        await made.tick("80.5", bid="80", ask="81", ask_size="100000")

        assert (waits, await made.stand(order.id)) == (("TRIGGERED", "0"), ("FILLED", "10"))
