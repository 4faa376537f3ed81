"""What an order would cost: nothing of it is kept."""

from __future__ import annotations

from typing import Any

from gateway.core.identity import Scope
from tests.plugins.trading.live.room import BTC, DEAD, PERP, Room, caller, wish

PREVIEW = """query($i: OrderPlaceInput!) { orderPreview(input: $i) {
  accepted status reason currency marketPrice quantity estimatedPrice notional fee
  fills { quantity price fee liquidity realisedPnl } filledQuantity reserved positionBefore positionAfter
  baseCurrency buyingPowerBefore buyingPowerAfter marginUsedBefore marginUsedAfter repeats mode
  userErrors { field code message } } }"""


async def preview(room: Room, *given: Any, **more: Any) -> Any:
    return await room.see(PREVIEW, i=wish(*given, **more))


async def test_a_preview_tells_what_placing_would_do_and_does_nothing(room: Room):
    await room.open("tacc_3", model={"fees": {"maker": "0.001", "taker": "0.002", "least": "0"}})
    before = await room.state()

    bought = await preview(room, "BUY", "MARKET", "2")
    rests = await preview(room, "BUY", "LIMIT", "2", limitPrice="90")
    short = await preview(room, "SELL", "MARKET", "10", accountId="tacc_2", symbol=PERP)
    money = await preview(room, "BUY", "MARKET", None, notional="505")
    taken = await preview(room, "BUY", "MARKET", "2", accountId="tacc_3")
    made = await preview(room, "BUY", "LIMIT", "2", limitPrice="90", accountId="tacc_3")

    assert await room.state() == before
    assert bought == {
        "accepted": True, "status": "FILLED", "reason": None, "currency": "USD", "marketPrice": "101", "quantity": "2",
        "estimatedPrice": "101", "notional": "202", "fee": "0",
        "fills": [{"quantity": "2", "price": "101", "fee": "0", "liquidity": "TAKER", "realisedPnl": "0"}],
        "filledQuantity": "2", "reserved": "0", "positionBefore": "0", "positionAfter": "2", "baseCurrency": "USD",
        "buyingPowerBefore": "10000.00", "buyingPowerAfter": "9798.00", "marginUsedBefore": "0.00",
        "marginUsedAfter": "0.00", "repeats": None, "mode": "LIVE", "userErrors": [],
    }  # fmt: skip
    assert (rests["status"], rests["estimatedPrice"], rests["notional"], rests["reserved"], rests["fills"]) == (
        "ACCEPTED", "90", "180", "180.00", [],
    )  # fmt: skip
    assert rests["buyingPowerAfter"] == "9820.00"
    # 10 x 100 / 5; sold one below the last price
    assert (short["positionAfter"], short["marginUsedAfter"], short["buyingPowerAfter"]) == (
        "-10", "200.00", "48950.00",
    )  # fmt: skip
    assert (taken["fee"], taken["buyingPowerAfter"], made["fee"]) == ("0.4", "9797.60", "0.18")
    assert (money["quantity"], money["estimatedPrice"]) == ("5", "101")


async def test_a_preview_refuses_as_placing_would_and_knows_what_was_placed(room: Room):
    before = await room.state()
    refused = {
        "ORDER_INVALID": await preview(room, "BUY", "MARKET", "1", notional="5"),
        "UNKNOWN_INSTRUMENT": await preview(room, "BUY", "MARKET", symbol="crypto:NOPE/USD"),
        "NO_PRICE": await preview(room, "BUY", "MARKET", symbol=DEAD),
        "NOT_FOUND": await preview(room, "BUY", "MARKET", accountId="tacc_9"),
        "INSUFFICIENT_FUNDS": await preview(room, "BUY", "LIMIT", "200", limitPrice="99"),
        "SHORT_NOT_ALLOWED": await preview(room, "SELL", "MARKET"),
        "PRICE_OFF_TICK": await preview(room, "BUY", "LIMIT", limitPrice="90.001"),
        "POST_ONLY_WOULD_TAKE": await preview(room, "BUY", "LIMIT", limitPrice="101", postOnly=True),
    }
    after = await room.state()
    placed = await room.place("BUY", "MARKET", clientOrderId="k")
    again = await preview(room, "BUY", "MARKET", clientOrderId="k")
    other = await preview(room, "BUY", "MARKET", "2", clientOrderId="k")

    assert {code: [each["code"] for each in found["userErrors"]] for code, found in refused.items()} == {
        code: [code] for code in refused
    }
    assert not any(found["accepted"] or found["status"] for found in refused.values())
    assert after == before
    assert (again["accepted"], again["repeats"], again["userErrors"]) == (True, placed["order"]["id"], [])
    assert [each["code"] for each in other["userErrors"]] == ["IDEMPOTENCY_MISMATCH"]


async def test_who_may_only_look_may_preview_and_strangers_see_no_account(room: Room):
    looking = caller("user_ada", Scope.TRADING_READ, Scope.MARKET_READ)

    seen = await room.see(PREVIEW, looking, i=wish("BUY", "MARKET"))
    strange = await room.see(PREVIEW, caller("user_eve"), i=wish("BUY", "MARKET"))
    without = await room.ask(PREVIEW, caller("user_ada", Scope.TRADING_READ), i=wish("BUY", "MARKET", symbol=BTC))

    assert seen["accepted"] is True
    assert [each["code"] for each in strange["userErrors"]] == ["NOT_FOUND"]
    assert without["errors"][0]["extensions"]["code"] == "FORBIDDEN"
