"""Sizes that cost nothing, and the least ones that are told in their place."""

from __future__ import annotations

from tests.plugins.trading.orders.pit import FREE, PLACE, Pit, wish

LITTLE = "SIZE_BELOW_MINIMUM"


async def test_a_sum_that_costs_nothing_where_the_market_is_is_refused_and_the_one_that_is_told_is_filled(pit: Pit):
    """0.002 units are worth 0.05 USD at the limit, and 0.002 at the market, where they are filled."""
    await pit.open("tacc_free", model={"collar_bps": None, "fees": {"maker": "0", "taker": "0", "least": "0"}})
    pit.price("1", "1", FREE)
    high = {"symbol": FREE, "accountId": "tacc_free", "limitPrice": "25"}

    refused = await pit.refused(PLACE, **wish("BUY", "LIMIT", None, notional="0.05", **high))
    placed = await pit.place("BUY", "LIMIT", None, notional="0.25", **high)

    assert refused == (LITTLE, "input.notional", "notional must be at least 0.25 USD: 0.01 at 25.")
    assert [(each["quantity"], each["price"]) for each in placed["fills"]] == [("0.01", "1")]


async def test_what_only_reduces_is_told_the_whole_position_where_the_least_size_is_greater(pit: Pit):
    pit.price("1", "1", FREE)
    await pit.place("BUY", "MARKET", "2", symbol=FREE)
    pit.price("0.004", "0.004", FREE)
    reducing = {"symbol": FREE, "reduceOnly": True}

    by_size = await pit.refused(PLACE, **wish("SELL", "MARKET", "1", **reducing))
    by_sum = await pit.refused(PLACE, **wish("SELL", "MARKET", None, notional="0.004", **reducing))
    closed = await pit.place("SELL", "MARKET", "2", **reducing)

    assert by_size == (LITTLE, "input.quantity", "quantity must be 2, which closes the position.")
    assert by_sum == (LITTLE, "input.notional", "notional must be 0.008, which closes the position.")
    assert closed["order"]["status"] == "FILLED"
