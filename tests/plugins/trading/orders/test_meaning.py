"""What came with a client's id before is the same order, however it is written."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.matching.model import ExecutionModel
from plugins.trading.markets.priced import Priced
from plugins.trading.markets.prices import Prices
from schema.errors import FailureCode, NoAnswer
from schema.symbols import InstrumentId
from schema.words.orders import FillSource
from tests.plugins.trading.orders.pit import BTC, CLOSE, ETH, PLACE, Pit, wish


async def test_the_same_order_written_otherwise_is_the_same_order(pit: Pit):
    first = await pit.place("BUY", "LIMIT", "0.50", limitPrice="90.0", clientOrderId="mine")
    again = [
        await pit.place("BUY", "LIMIT", "0.5", limitPrice="90", clientOrderId="mine", symbol=symbol)
        for symbol in (BTC, "BTC/USD", "BTC-USD")
    ]
    other = await pit.refused(PLACE, **wish("BUY", "LIMIT", "0.51", limitPrice="90", clientOrderId="mine"))

    assert [each["order"]["id"] for each in again] == [first["order"]["id"]] * 3
    assert other[0] == "IDEMPOTENCY_MISMATCH"


async def test_a_position_that_was_closed_is_closed_once_however_it_is_named(pit: Pit):
    await pit.place("BUY", "MARKET", "2")
    closing: dict[str, Any] = {"accountId": "tacc_1", "clientOrderId": "out"}
    first = await pit.do(CLOSE, **closing, symbol="BTC/USD", quantity="0.50")
    again = await pit.do(CLOSE, **closing, symbol="BTC-USD", quantity="0.5")

    assert again["order"]["id"] == first["order"]["id"]
    assert await pit.positions() == {BTC: "1.5"}


async def test_a_condition_that_can_never_come_is_refused(pit: Pit):
    """Of an unknown instrument, of another account's order, of one that has ended otherwise."""
    foreign = await pit.place("BUY", "LIMIT", limitPrice="90", accountId="tacc_2")
    filled = await pit.place("BUY", "MARKET", clientOrderId="first")
    late = wish("BUY", "LIMIT", limitPrice="90", clientOrderId="late", condition={"orderFilled": filled["order"]["id"]})
    ended = await pit.place("BUY", "LIMIT", limitPrice="90", timeInForce="IOC")
    nowhere = {"symbol": "NOSUCH/USD", "crossing": "ABOVE"}

    found = [
        (await pit.refused(PLACE, **wish("BUY", "MARKET", condition=condition)))[:2]
        for condition in (
            {"price": {**nowhere, "level": "1"}}, {"indicator": {**nowhere, "indicator": "SMA", "period": 5}},
            {"orderFilled": "ord_nobody"}, {"orderFilled": foreign["order"]["id"]},
            {"orderFilled": ended["order"]["id"]},
        )
    ]  # fmt: skip
    waiting = await pit.do(PLACE, **late)

    where = "input.condition."
    assert found == [
        ("UNKNOWN_INSTRUMENT", f"{where}price.symbol"), ("UNKNOWN_INSTRUMENT", f"{where}indicator.symbol"),
        ("NOT_FOUND", f"{where}orderFilled"), ("NOT_FOUND", f"{where}orderFilled"),
        ("ORDER_INVALID", f"{where}orderFilled"),
    ]  # fmt: skip
    assert waiting["order"]["status"] == "NEW"
    known: dict[str, Any] = {"condition": {"price": {"symbol": ETH, "crossing": "ABOVE", "level": "60"}}}
    assert (await pit.place("BUY", "MARKET", **known))["order"]["status"] == "NEW"


@pytest.mark.parametrize("code", [FailureCode.NOT_COVERED, FailureCode.UPSTREAM_UNAVAILABLE])
async def test_a_condition_on_what_nobody_could_ever_price_is_refused(
    pit: Pit, monkeypatch: pytest.MonkeyPatch, code: FailureCode
):
    told, asked = Prices.told, list[ExecutionModel]()

    async def nobody(self: Prices, instrument: InstrumentId, model: ExecutionModel, *field: str) -> Priced | NoAnswer:
        if str(instrument) != ETH:
            return await told(self, instrument, model, *field)
        asked.append(model)
        return NoAnswer(ETH, code, "no quotes for ether", ())

    monkeypatch.setattr(Prices, "told", nobody)
    await pit.open("tacc_3", model={"source": "BOOK"})
    above = {"symbol": ETH, "crossing": "ABOVE"}
    waits = {"price": {**above, "level": "60"}}, {"indicator": {**above, "indicator": "SMA", "period": 5}}
    payloads = [
        await pit.see(PLACE, i=wish("BUY", "MARKET", accountId="tacc_3", condition=condition)) for condition in waits
    ]

    covered = code is not FailureCode.NOT_COVERED
    assert [each["order"] is not None and each["order"]["status"] for each in payloads] == [covered and "NEW"] * 2
    message = f"Nobody prices {ETH}, so that this condition never comes: no quotes for ether."
    assert [each["userErrors"] for each in payloads] == [
        [] if covered else [{"field": ["input", "condition", kind, "symbol"], "code": "ORDER_INVALID",
                             "message": message}]
        for kind in ("price", "indicator")
    ]  # fmt: skip
    assert {each.source for each in asked} == {FillSource.QUOTES}


async def test_a_preview_says_the_same_of_a_condition(pit: Pit):
    preview = "query($i: OrderPlaceInput!) { r: orderPreview(input: $i) { accepted userErrors { field code } } }"

    found = await pit.see(preview, i=wish("BUY", "MARKET", condition={"orderFilled": "ord_nobody"}))

    assert found == {
        "accepted": False,
        "userErrors": [{"field": ["input", "condition", "orderFilled"], "code": "NOT_FOUND"}],
    }
