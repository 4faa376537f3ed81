"""Orders whose size is not known yet: a notional that waits for its condition, and the exits that wait for it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.trading.orders.pit import BTC, GROUP, REPLACE, Pit

DIPS: dict[str, Any] = {"condition": {"price": {"symbol": BTC, "crossing": "BELOW", "level": "50"}}}
LATER: dict[str, Any] = {"condition": {"time": "2026-11-21T00:00:00Z"}}


@pytest.mark.parametrize("account", ["tacc_1", "tacc_2"])
async def test_an_exit_whose_entry_has_no_size_yet_is_replaced_and_holds_nothing(pit: Pit, account: str):
    placed = await pit.place(
        "BUY", "LIMIT", None, notional="1000", limitPrice="100", takeProfit={"limitPrice": "120"},
        stopLoss={"stopPrice": "80"}, accountId=account, **DIPS,
    )  # fmt: skip
    profit, loss = (each["id"] for each in placed["children"])

    moved = [
        (await pit.do(REPLACE, orderId=profit, limitPrice="121"))["order"],
        (await pit.do(REPLACE, orderId=loss, stopPrice="81"))["order"],
    ]

    assert [(each["limitPrice"], each["stopPrice"], each["quantity"], each["reserved"]) for each in moved] == [
        ("121", None, None, "0"), (None, "81", None, "0")
    ]  # fmt: skip
    assert (await pit.held(account))[1] == "0"


async def test_a_child_that_waits_for_its_own_condition_with_a_notional_waits_on_after_the_first_is_filled(pit: Pit):
    first = {"symbol": BTC, "side": "BUY", "type": "MARKET", "quantity": "1"}
    child = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "notional": "500", "limitPrice": "95", **LATER}

    placed = await pit.do(GROUP, accountId="tacc_1", rule="OTO", orders=[first, child])

    assert [(each["status"], each["quantity"], each["reason"]) for each in placed["orders"]] == [
        ("FILLED", "1", None), ("NEW", None, None)
    ]  # fmt: skip


async def test_an_end_that_lies_before_the_time_that_an_order_waits_for_is_no_other_term(pit: Pit):
    ends: dict[str, Any] = {"timeInForce": "GTD", "expiresAt": "2026-11-22T00:00:00Z"}
    placed = await pit.place("BUY", "LIMIT", limitPrice="90", **ends, **LATER)
    order = placed["order"]["id"]

    refused = await pit.refused(REPLACE, orderId=order, expiresAt="2026-11-21T00:00:00Z")
    moved = await pit.do(REPLACE, orderId=order, expiresAt="2026-11-21T00:00:01Z")

    assert refused == (
        "ORDER_INVALID", "input.expiresAt",
        "The order is GTD and ends at 2026-11-21T00:00:00Z, so that it never comes to 2026-11-21T00:00:00Z: a time "
        "before its end would pass, an expiresAt after 2026-11-21T00:00:00Z, or GTC, which has no end.",
    )  # fmt: skip
    assert moved["order"]["expiresAt"] == "2026-11-21T00:00:01Z"
