"""No rule of sizes keeps what only reduces from closing, on paper: the greatest of bitcoin is 100, its step 0.001."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.trading.orders.pit import (
    BTC,
    CLOSE,
    ETH,
    GROUP,
    PLACE,
    PROTECT,
    REPLACE,
    D,
    Pit,
    mutation,
    wish,
)

HEDGE = mutation("hedgeExecute", "HedgeExecuteInput", "hedge { id orders { id status quantity } }")
UNDO = mutation("hedgeClose", "HedgeCloseInput", "hedge { orders { status cause quantity } }")
OF: dict[str, Any] = {"accountId": "tacc_big", "symbol": BTC}


async def hold(pit: Pit, margin: str, *quantities: str) -> None:
    """So much of bitcoin."""
    await pit.open("tacc_big", "100000", margin=margin, leverage=D(1 if margin == "CASH" else 5))
    for each in quantities:
        await pit.place("BUY", "MARKET", each, accountId="tacc_big")


@pytest.mark.parametrize("margin", ["CASH", "MARGIN"])
async def test_a_position_above_the_greatest_size_is_protected_and_closed(pit: Pit, margin: str):
    await hold(pit, margin, "100", "80")

    kept = await pit.do(PROTECT, **OF, stopLoss={"stopPrice": "95"}, takeProfit={"limitPrice": "110"})
    moved = await pit.do(REPLACE, orderId=kept["orders"][1]["id"], stopPrice="96")
    part = await pit.do(CLOSE, **OF, quantity="20")
    closed = await pit.do(CLOSE, **OF)

    assert [each["quantity"] for each in kept["orders"]] == ["180", "180"]
    assert (moved["order"]["status"], moved["order"]["stopPrice"]) == ("ACCEPTED", "96")
    assert [each["order"]["filledQuantity"] for each in (part, closed)] == ["20", "160"]
    assert (await pit.positions("tacc_big"), await pit.findings()) == ({}, [])


async def test_a_stop_above_the_greatest_size_sells_the_whole(pit: Pit):
    await hold(pit, "MARGIN", "100", "80")
    kept = await pit.do(PROTECT, **OF, stopLoss={"stopPrice": "95"})

    pit.price("94", "95", size="120")
    await pit.tick("tacc_big")
    half = await pit.order(kept["orders"][0]["id"])
    pit.price("94", "95", size="120")
    await pit.tick("tacc_big")

    assert (half["status"], half["filledQuantity"]) == ("PARTIALLY_FILLED", "120")
    assert (await pit.order(kept["orders"][0]["id"]))["status"] == "FILLED"
    assert await pit.positions("tacc_big") == {}


@pytest.mark.parametrize(
    ("margin", "more"), [("CASH", {}), ("CASH", {"reduceOnly": True}), ("MARGIN", {"reduceOnly": True})]
)
async def test_what_only_reduces_has_no_greatest_size_but_a_step_and_a_least_one_in_part(
    pit: Pit, margin: str, more: dict[str, Any]
):
    await hold(pit, margin, "100", "80")
    given = {"accountId": "tacc_big", **more}

    found = [
        await pit.refused(PLACE, **wish("SELL", "MARKET", quantity, **given))
        for quantity in ("150.0005", "0.0005", "0.05")
    ]
    sold = await pit.place("SELL", "MARKET", "150", **given)
    waits = await pit.place("SELL", "STOP_MARKET", "30", stopPrice="90", **given)

    assert [each[0] for each in found] == ["SIZE_OFF_STEP", "SIZE_BELOW_MINIMUM", "NOTIONAL_BELOW_MINIMUM"]
    assert found[0][2] == "quantity must be a multiple of 0.001: 150 or 150.001."
    assert [each["order"]["status"] for each in (sold, waits)] == ["FILLED", "ACCEPTED"]


async def test_an_exit_that_is_less_than_the_least_size_is_moved_beside_what_else_is_held(pit: Pit):
    await pit.place("BUY", "MARKET", "1")
    pit.price("99", "101", size="0.05")
    made = await pit.place("BUY", "LIMIT", "1", limitPrice="101", stopLoss={"stopPrice": "90"})
    (stop,) = made["children"]

    moved = await pit.do(REPLACE, orderId=stop["id"], stopPrice="91")

    assert (stop["quantity"], stop["status"]) == ("0.05", "ACCEPTED")
    assert (moved["order"]["quantity"], moved["order"]["stopPrice"]) == ("0.05", "91")


async def test_what_opens_keeps_its_greatest_size(pit: Pit):
    await hold(pit, "MARGIN", "100", "80")
    above: list[dict[str, Any]] = [
        wish("BUY", "MARKET", "101", accountId="tacc_big"),
        # It may open by the time that it is filled.
        wish("SELL", "MARKET", "150", accountId="tacc_big"),
        wish("BUY", "LIMIT", "101", limitPrice="90", accountId="tacc_big", stopLoss={"stopPrice": "80"}),
    ]

    found = [await pit.refused(PLACE, **each) for each in above]

    assert found == [("SIZE_ABOVE_MAXIMUM", "input.quantity", "quantity must be at most 100.")] * 3


async def test_what_another_order_wakes_to_reduce_has_no_greatest_size(pit: Pit):
    await hold(pit, "MARGIN", "100", "80")
    first = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "quantity": "1", "limitPrice": "98"}
    stop = {
        "symbol": BTC,
        "side": "SELL",
        "type": "STOP_MARKET",
        "quantity": "150",
        "stopPrice": "90",
        "reduceOnly": True,
    }
    group = await pit.do(GROUP, accountId="tacc_big", rule="OTO", orders=[first, stop])

    pit.price("97", "98")
    await pit.tick("tacc_big")

    assert [(await pit.order(each["id"]))["status"] for each in group["orders"]] == ["FILLED", "ACCEPTED"]


async def test_a_hedge_is_closed_though_what_is_filled_of_it_is_below_the_least_size(pit: Pit):
    await pit.place("SELL", "MARKET", "2", symbol=ETH, accountId="tacc_2")
    pit.price("49", "51", ETH, size="0.1")
    legs = [{"symbol": ETH, "side": "SELL", "quantity": "1"}]
    made = await pit.do(HEDGE, accountId="tacc_2", legs=legs)

    pit.price("49", "51", ETH)
    told = await pit.do(UNDO, accountId="tacc_2", hedgeId=made["hedge"]["id"])

    assert [(each["status"], each["cause"], each["quantity"]) for each in told["hedge"]["orders"]] == [
        ("CANCELED", "HEDGE", "1"), ("FILLED", "CLOSE", "0.1")
    ]  # fmt: skip
    assert await pit.positions("tacc_2") == {ETH: "-2"}


async def test_a_hedge_after_the_loss_of_the_day_is_told_what_would_pass(pit: Pit):
    await pit.open("tacc_lost", margin="MARGIN", loss_day="2026-11-20", max_daily_loss=D(50))
    await pit.open("tacc_cash", loss_day="2026-11-20", max_daily_loss=D(50))
    legs = [{"symbol": ETH, "side": "BUY", "quantity": "1"}]

    found = [await pit.refused(HEDGE, accountId=account, legs=legs) for account in ("tacc_lost", "tacc_cash")]

    assert [each[:2] for each in found] == [("DAILY_LOSS_REACHED", "input.accountId")] * 2
    assert found[0][2].endswith(
        "until the next UTC day only what reduces is taken: orders with reduceOnly, `positionClose` and `hedgeClose`."
    )
    assert found[1][2].endswith("until the next UTC day only sales are taken.")


async def test_what_is_taken_while_the_loss_of_the_day_cannot_be_judged_is_said(pit: Pit):
    for account, margin in (("tacc_owes", "MARGIN"), ("tacc_cash", "CASH")):
        await pit.open(account, margin=margin, max_daily_loss=D(50), currency="EUR")
        await pit.pay_in(account, "USD", "1000")

    found = [await pit.refused(PLACE, **wish("BUY", "MARKET", accountId=each)) for each in ("tacc_owes", "tacc_cash")]

    why = "maxDailyLoss cannot be judged, as the account cannot be valued: no rate from USD to EUR. Until then only"
    assert found == [
        ("NO_PRICE", "input.accountId",
         f"{why} what reduces is taken: orders with reduceOnly, `positionClose` and `hedgeClose`."),
        ("NO_PRICE", "input.accountId", f"{why} sales are taken."),
    ]  # fmt: skip
