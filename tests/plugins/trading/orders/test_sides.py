"""Stops and take-profits on the wrong side of the market are refused, with the nearest price that is not."""

from __future__ import annotations

from typing import Any

from tests.plugins.trading.orders.pit import BTC, DEAD, ETH, GROUP, OLD, PLACE, PROTECT, REPLACE, Pit, wish

WRONG = "WRONG_SIDE_OF_MARKET"
CASES: list[tuple[dict[str, Any], str, str]] = [
    (wish("SELL", "STOP_MARKET", stopPrice="99", accountId="tacc_2"), "stopPrice",
     "stopPrice 99 of a SELL must lie below 99, else it is met at once: at most 98.99."),
    (wish("BUY", "STOP_LIMIT", stopPrice="100.5", limitPrice="103"), "stopPrice",
     "stopPrice 100.5 of a BUY must lie above 101, else it is met at once: at least 101.01."),
    (wish("BUY", "MARKET_IF_TOUCHED", stopPrice="101"), "stopPrice",
     "stopPrice 101 of a BUY must lie below 101, else it is met at once: at most 100.99."),
    (wish("SELL", "MARKET_IF_TOUCHED", stopPrice="90", accountId="tacc_2"), "stopPrice",
     "stopPrice 90 of a SELL must lie above 99, else it is met at once: at least 99.01."),
    (wish("BUY", "MARKET", stopLoss={"stopPrice": "105"}), "stopLoss.stopPrice",
     "stopPrice 105 of a SELL must lie below 99, else it is met at once: at most 98.99."),
    (wish("BUY", "MARKET", takeProfit={"limitPrice": "98"}), "takeProfit.limitPrice",
     "limitPrice 98 of a SELL must lie above 99, else it is met at once: at least 99.01."),
    (wish("SELL", "MARKET", stopLoss={"stopPrice": "95", "limitPrice": "94"}, accountId="tacc_2"), "stopLoss.stopPrice",
     "stopPrice 95 of a BUY must lie above 101, else it is met at once: at least 101.01."),
    # What waits is judged by its own price: the market will be there when it is filled.
    (wish("BUY", "LIMIT", limitPrice="90", stopLoss={"stopPrice": "95"}), "stopLoss.stopPrice",
     "stopPrice 95 of a SELL must lie below 90, else it is met at once: at most 89.99."),
    (wish("BUY", "STOP_MARKET", stopPrice="110", takeProfit={"limitPrice": "105"}), "takeProfit.limitPrice",
     "limitPrice 105 of a SELL must lie above 110, else it is met at once: at least 110.01."),
    # Triggered at its stop, it is filled at its limit or better.
    (wish("BUY", "STOP_LIMIT", stopPrice="105", limitPrice="99", stopLoss={"stopPrice": "102"}), "stopLoss.stopPrice",
     "stopPrice 102 of a SELL must lie below 99, else it is met at once: at most 98.99."),
    (wish("SELL", "STOP_LIMIT", stopPrice="95", limitPrice="100", stopLoss={"stopPrice": "98"}, accountId="tacc_2"),
     "stopLoss.stopPrice",
     "stopPrice 98 of a BUY must lie above 100, else it is met at once: at least 100.01."),
]  # fmt: skip


async def test_what_would_be_met_at_once_is_refused_with_the_nearest_price(pit: Pit):
    found = [await pit.refused(PLACE, **given) for given, *_ in CASES]

    assert found == [(WRONG, f"input.{field}", message) for _, field, message in CASES]


async def test_what_waits_on_its_side_or_cannot_be_judged_is_taken(pit: Pit):
    passing = [
        wish("BUY", "MARKET", stopLoss={"stopPrice": "98.99"}, takeProfit={"limitPrice": "99.01"}),
        wish("BUY", "LIMIT", limitPrice="90", stopLoss={"stopPrice": "89.99"}, takeProfit={"limitPrice": "95"}),
        wish("BUY", "STOP_MARKET", stopPrice="110", stopLoss={"stopPrice": "105"}),
        wish("BUY", "STOP_LIMIT", stopPrice="105", limitPrice="99", takeProfit={"limitPrice": "102"},
             stopLoss={"stopPrice": "95"}, accountId="tacc_2"),
        wish("BUY", "TRAILING_STOP", trailAmount="4", stopLoss={"stopPrice": "150"}, accountId="tacc_2"),
        wish("SELL", "STOP_MARKET", stopPrice="150", symbol=OLD, accountId="tacc_2"),
        wish("SELL", "STOP_MARKET", stopPrice="150", symbol=DEAD, accountId="tacc_2"),
    ]  # fmt: skip

    placed = [(await pit.do(PLACE, **each))["order"]["status"] for each in passing]

    assert placed == ["FILLED", *["ACCEPTED"] * 6]


async def test_a_position_is_protected_and_orders_are_replaced_on_their_side_only(pit: Pit):
    waiting = await pit.place(
        "BUY", "LIMIT", limitPrice="90", stopLoss={"stopPrice": "80"}, takeProfit={"limitPrice": "95"}
    )
    profit, loss = (each["id"] for each in waiting["children"])
    await pit.place("BUY", "MARKET", "2")
    position: dict[str, Any] = {"accountId": "tacc_1", "symbol": BTC}
    kept = await pit.do(PROTECT, **position, stopLoss={"stopPrice": "95"}, takeProfit={"limitPrice": "105"})
    target, stop = (each["id"] for each in kept["orders"])

    found = [
        await pit.refused(PROTECT, **position, stopLoss={"stopPrice": "100"}),
        await pit.refused(PROTECT, **position, takeProfit={"limitPrice": "99"}),
        await pit.refused(PROTECT, **position, takeProfit={"limitPrice": "50"}),
        await pit.refused(REPLACE, orderId=stop, stopPrice="99.5"),
        await pit.refused(REPLACE, orderId=target, limitPrice="90"),
        await pit.refused(REPLACE, orderId=loss, stopPrice="92"),
        await pit.refused(REPLACE, orderId=profit, limitPrice="89.5"),
    ]  # fmt: skip
    moved = [
        (await pit.do(REPLACE, **given))["order"]["status"]
        for given in (
            {"orderId": stop, "stopPrice": "98.99"}, {"orderId": target, "limitPrice": "99.01"},
            {"orderId": loss, "stopPrice": "85"}, {"orderId": profit, "limitPrice": "91"},
        )
    ]  # fmt: skip

    assert [(code, field) for code, field, _ in found] == [
        (WRONG, "input.stopLoss.stopPrice"), (WRONG, "input.takeProfit.limitPrice"),
        (WRONG, "input.takeProfit.limitPrice"), (WRONG, "input.stopPrice"), (WRONG, "input.limitPrice"),
        (WRONG, "input.stopPrice"), (WRONG, "input.limitPrice"),
    ]  # fmt: skip
    assert [message.rpartition(": ")[2] for *_, message in found] == [
        "at most 98.99.", "at least 99.01.", "at least 99.01.", "at most 98.99.", "at least 99.01.", "at most 89.99.",
        "at least 90.01.",
    ]  # fmt: skip
    assert moved == ["ACCEPTED", "ACCEPTED", "NEW", "NEW"]


async def test_a_child_is_judged_by_the_market_that_wakes_it(pit: Pit):
    oto: dict[str, Any] = {"accountId": "tacc_1", "rule": "OTO"}
    stop = _bare(wish("SELL", "STOP_MARKET", stopPrice="97"))
    beyond = _bare(wish("SELL", "STOP_MARKET", stopPrice="110"))

    at_once = await pit.refused(GROUP, **oto, orders=[_bare(wish("BUY", "MARKET")), beyond])
    elsewhere = await pit.refused(
        GROUP,
        **oto,
        orders=[_bare(wish("BUY", "MARKET")), _bare(wish("BUY", "STOP_MARKET", stopPrice="45", symbol=ETH))],
    )
    waiting = await pit.do(GROUP, **oto, orders=[_bare(wish("BUY", "LIMIT", limitPrice="98")), stop, beyond])
    pit.price("97.5", "98")
    await pit.tick()
    found = [await pit.order(each["id"]) for each in waiting["orders"]]

    told = "stopPrice 110 of a SELL must lie below {}, else it is met at once: at most {}."
    assert at_once == (WRONG, "input.orders.1", f"The order would be rejected: {told.format(99, 98.99)}.")
    assert elsewhere[:2] == (WRONG, "input.orders.1.stopPrice")
    assert [(each["status"], each["reason"]) for each in found] == [
        ("FILLED", None), ("ACCEPTED", None), ("REJECTED", f"{WRONG}: {told.format(97.5, 97.49)}"),
    ]  # fmt: skip


def _bare(given: dict[str, Any]) -> dict[str, Any]:
    """As one of a group."""
    return {name: value for name, value in given.items() if name != "accountId"}
