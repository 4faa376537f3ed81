"""How many orders of an account may be open, and that its positions can be closed and protected beside them."""

from __future__ import annotations

from decimal import Decimal

from plugins.trading.tables import orders
from tests.contract.tenants import row_of
from tests.plugins.trading.ledger.books import TENANT
from tests.plugins.trading.orders.pit import BTC, CLOSE, ETH, PERP, PLACE, PROTECT, D, Pit, wish

FULL = (
    "The account has {} open orders, and 1000 at most: cancel some first. Orders that only reduce "
    "are taken beside them."
)
RESTING = (
    "The account has {} open orders, and 1100 at most with those that only reduce: cancel some first. What reduces at "
    "once is taken beside them."
)
LAST = "The account has {} open orders, and 1200 at most with those that only reduce: cancel some first."


async def crowd(pit: Pit, first: int, last: int, account: str = "tacc_1") -> None:
    """Open purchases far from the market, so numbered."""
    row = row_of(orders, TENANT) | {
        "account_id": account, "open": True, "instrument": BTC, "side": "BUY", "type": "LIMIT", "status": "ACCEPTED",
        "time_in_force": "GTC", "cause": "USER", "limit_price": D(50), "reserved": D(0), "parent_id": None,
        "group_id": None, "leg": None, "condition": None, "client_order_id": None, "broker_order_id": None,
        "quantity": D(1), "notional": None, "filled": D(0), "paid": D(0), "fills": 0, "reduce_only": False,
    }  # fmt: skip
    async with pit.house.store.write() as tx:
        many = [row | {"id": f"ord_{account}_{n}", "number": -n} for n in range(first, last)]
        await tx.run(orders.insert(), many)


async def test_an_account_has_a_bounded_number_of_open_orders(pit: Pit):
    await crowd(pit, 0, 999)

    bracket = await pit.refused(PLACE, **wish("BUY", "LIMIT", limitPrice="90", stopLoss={"stopPrice": "80"}))
    last = await pit.place("BUY", "LIMIT", limitPrice="90")
    full = await pit.refused(PLACE, **wish("BUY", "MARKET"))

    assert bracket == ("TOO_MANY_ORDERS", "input.accountId", FULL.format(999))
    assert full == ("TOO_MANY_ORDERS", "input.accountId", FULL.format(1000))
    assert last["order"]["status"] == "ACCEPTED"


async def test_among_as_many_orders_as_there_may_be_a_position_is_protected_reduced_and_closed(pit: Pit):
    await pit.place("BUY", "MARKET", "4")
    await pit.place("BUY", "MARKET", "4", symbol=ETH)
    await crowd(pit, 0, 1_000)

    first = await pit.do(PROTECT, accountId="tacc_1", symbol=BTC, stopLoss={"stopPrice": "80"})
    stop = await pit.place("SELL", "STOP_MARKET", "1", symbol=ETH, stopPrice="40", reduceOnly=True)
    sold = await pit.place("SELL", "MARKET", "1")
    await crowd(pit, 1_000, 1_098)
    rests = await pit.refused(PLACE, **wish("SELL", "LIMIT", symbol=ETH, limitPrice="60", reduceOnly=True))
    again = await pit.do(PROTECT, accountId="tacc_1", symbol=BTC, stopLoss={"stopPrice": "81"})
    part = await pit.do(CLOSE, accountId="tacc_1", symbol=ETH, quantity="1")
    at_once = await pit.place("SELL", "LIMIT", "1", limitPrice="90", timeInForce="IOC")
    whole = [await pit.do(CLOSE, accountId="tacc_1", symbol=each) for each in (BTC, ETH)]

    assert rests == ("TOO_MANY_ORDERS", "input.accountId", RESTING.format(1100))
    assert [each["orders"][0]["status"] for each in (first, again)] == ["ACCEPTED", "ACCEPTED"]
    told = [each["order"]["status"] for each in (stop, sold, part, at_once, *whole)]
    assert told == ["ACCEPTED", "FILLED", "FILLED", "FILLED", "FILLED", "FILLED"]
    assert await pit.positions() == {}


async def test_a_margin_account_takes_beside_as_many_orders_only_what_is_said_to_reduce(pit: Pit):
    await pit.place("SELL", "MARKET", "2", accountId="tacc_2", symbol=PERP)
    await crowd(pit, 0, 1_000, "tacc_2")

    plain = await pit.refused(PLACE, **wish("BUY", "MARKET", accountId="tacc_2", symbol=PERP))
    reduced = await pit.place("BUY", "MARKET", accountId="tacc_2", symbol=PERP, reduceOnly=True)
    closed = await pit.do(CLOSE, accountId="tacc_2", symbol=PERP)

    assert plain == ("TOO_MANY_ORDERS", "input.accountId", FULL.format(1000))
    assert [each["order"]["status"] for each in (reduced, closed)] == ["FILLED", "FILLED"]


async def test_what_waits_for_size_to_close_is_bounded_too(pit: Pit):
    await pit.place("BUY", "MARKET", "4")
    await crowd(pit, 0, 1_199)
    pit.price("99", "101", size="0.001")

    last = await pit.do(CLOSE, accountId="tacc_1", symbol=BTC, quantity="1")
    full = await pit.refused(CLOSE, accountId="tacc_1", symbol=BTC, quantity="1")

    assert (last["order"]["status"], Decimal(last["order"]["filledQuantity"])) == ("PARTIALLY_FILLED", D("0.001"))
    assert full == ("TOO_MANY_ORDERS", "input.accountId", LAST.format(1200))
