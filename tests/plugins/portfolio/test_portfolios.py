"""Portfolios through GraphQL, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.core.store import new_id
from plugins.portfolio.desk import MOST_PORTFOLIOS
from plugins.portfolio.store import PortfolioStore
from plugins.portfolio.tables import portfolios, transactions
from tests.plugins.portfolio.conftest import Room

ERRORS = "userErrors { field code message }"
SHOWN = "id name currency benchmark method tracksCash notional version weights { symbol weight }"
CREATE = (
    f"mutation($i: PortfolioCreateInput!) {{ r: portfolioCreate(input: $i) {{ portfolio {{ {SHOWN} }} {ERRORS} }} }}"
)
UPDATE = (
    f"mutation($i: PortfolioUpdateInput!) {{ r: portfolioUpdate(input: $i) {{ portfolio {{ {SHOWN} }} {ERRORS} }} }}"
)
DELETE = f"mutation($i: PortfolioDeleteInput!) {{ r: portfolioDelete(input: $i) {{ portfolioId {ERRORS} }} }}"
RECORD = f"""mutation($i: PortfolioTransactionRecordInput!) {{ r: portfolioTransactionRecord(input: $i) {{
  portfolio {{ version }} transaction {{ id kind at symbol quantity price amount fee ratio currency note }}
  {ERRORS} }} }}"""
UNRECORD = f"""mutation($i: PortfolioTransactionDeleteInput!) {{ r: portfolioTransactionDelete(input: $i) {{
  portfolio {{ version }} transactionId {ERRORS} }} }}"""
LIST = "query($first: Int, $after: Cursor) { portfolios(first: $first, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } }"  # noqa: E501
ONE = f"query($id: ID!) {{ portfolio(id: $id) {{ {SHOWN} }} }}"
BUY = {
    "kind": "BUY",
    "at": "2026-11-03T15:00:00Z",
    "symbol": "AAPL",
    "quantity": "4",
    "price": "100",
    "currency": "USD",
}


async def made(room: Room, **given: Any) -> dict[str, Any]:
    payload = await room.do(CREATE, **{"name": "Core", "currency": "USD", **given})
    assert payload["userErrors"] == []
    portfolio: dict[str, Any] = payload["portfolio"]
    return portfolio


async def test_a_portfolio_is_made_read_changed_and_deleted(room: Room):
    portfolio = await made(room, name=" Core ", currency="eur", benchmark="SPY", method="FIFO")
    id = portfolio["id"]

    assert portfolio == {
        "id": id, "name": "Core", "currency": "EUR", "benchmark": "equity:SPY", "method": "FIFO", "tracksCash": True,
        "notional": None, "version": 1, "weights": None,
    }  # fmt: skip
    assert await room.see(ONE, by="vic", id=id) == portfolio
    changed = (await room.do(UPDATE, id=id, name="Other", benchmark=None, version=1))["portfolio"]
    assert changed == {**portfolio, "name": "Other", "benchmark": None, "version": 2}
    assert (await room.do(UPDATE, id=id, method="AVERAGE_COST"))["portfolio"]["version"] == 3
    assert await room.do(DELETE, id=id, version=3) == {"portfolioId": id, "userErrors": []}
    assert await room.see(ONE, id=id) is None
    assert await room.company.acts() == [
        "portfolio.created", "portfolio.deleted", "portfolio.updated", "portfolio.updated",
    ]  # fmt: skip


async def test_somebody_elses_change_is_a_conflict_and_nothing_happens(room: Room):
    id = (await made(room))["id"]
    await room.do(UPDATE, id=id, name="Second")

    for document, given in (
        (UPDATE, {"id": id, "name": "Third", "version": 1}),
        (DELETE, {"id": id, "version": 1}),
        (RECORD, {"portfolioId": id, "version": 1, **BUY}),
    ):
        (error,) = (await room.do(document, **given))["userErrors"]
        assert (error["code"], error["field"]) == ("VERSION_CONFLICT", ["input", "version"])
        assert error["message"] == "The portfolio is at version 2, not 1: read it again, then change it."
    assert (await room.see(ONE, id=id))["name"] == "Second"
    assert await room.company.count(transactions) == 0


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"name": ""}, "NAME_INVALID", ["name"]),
        ({"currency": "ZZZ"}, "CURRENCY_INVALID", ["currency"]),
        ({"currency": "GBX"}, "CURRENCY_INVALID", ["currency"]),
        ({"benchmark": "no such thing!"}, "SYMBOL_INVALID", ["benchmark"]),
        ({"benchmark": "LINK"}, "SYMBOL_AMBIGUOUS", ["benchmark"]),
        ({"weights": [{"symbol": "AAPL", "weight": "0.5"}], "notional": "100"}, "WEIGHTS_INVALID", ["weights"]),
        ({"weights": [{"symbol": "AAPL", "weight": "0.5"}, {"symbol": "equity:AAPL", "weight": "0.5"}],
          "notional": "100"}, "WEIGHTS_INVALID", ["weights", "1"]),
        ({"weights": [{"symbol": "AAPL", "weight": "0"}], "notional": "100"}, "WEIGHTS_INVALID",
         ["weights", "0", "weight"]),
        ({"weights": [{"symbol": "AAPL", "weight": "1"}]}, "NOTIONAL_INVALID", ["notional"]),
        ({"weights": [], "notional": "1"}, "WEIGHTS_INVALID", ["weights"]),
        ({"notional": "1"}, "NOTIONAL_INVALID", ["notional"]),
        ({"holdings": [{"symbol": "BTC-USD", "quantity": "0", "price": "1"}]}, "NUMBER_INVALID",
         ["holdings", "0", "quantity"]),
        ({"holdings": [{"symbol": "AAPL", "quantity": "1", "price": "1"}]}, "CURRENCY_NEEDED",
         ["holdings", "0", "currency"]),
        ({"holdings": [{"symbol": "BTC-USD", "quantity": "1", "price": "1", "currency": "EUR"}]}, "CURRENCY_MISMATCH",
         ["holdings", "0", "currency"]),
    ],
)  # fmt: skip
async def test_what_cannot_be_a_portfolio_is_refused(room: Room, given: dict[str, Any], code: str, field: list[str]):
    payload = await room.do(CREATE, **{"name": "Core", "currency": "USD", **given})

    assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [(code, ["input", *field])]
    assert await room.company.count(portfolios) == 0


async def test_weights_sum_to_one_with_cash_and_may_be_short(room: Room):
    weights = [{"symbol": "AAPL", "weight": "1.5"}, {"symbol": "BTC-USD", "weight": "-0.7"}]

    portfolio = await made(room, weights=weights, cashWeight="0.2", notional="1000")

    kept = [{"symbol": "equity:AAPL", "weight": "1.5"}, {"symbol": "crypto:BTC/USD", "weight": "-0.7"}]
    assert (portfolio["weights"], portfolio["notional"]) == (kept, "1000")
    changed = (await room.do(UPDATE, id=portfolio["id"], notional="5"))["portfolio"]
    assert (changed["weights"], changed["notional"]) == (kept, "5")
    refused = await room.do(RECORD, portfolioId=portfolio["id"], **BUY)
    assert refused["userErrors"][0]["code"] == "KIND_INVALID"


async def test_of_two_who_change_weights_at_once_none_undoes_the_other(room: Room):
    weights = [{"symbol": "AAPL", "weight": "1"}]
    id = (await made(room, weights=weights, notional="1000"))["id"]
    changes: list[dict[str, Any]] = [{"notional": "2000"}, {"weights": [{"symbol": "MSFT", "weight": "1"}]}]

    answers = await asyncio.gather(*(room.do(UPDATE, id=id, **change) for change in changes))

    held = await room.see(ONE, id=id)
    codes = [error["code"] for answer in answers for error in answer["userErrors"]]
    both = (held["notional"], held["weights"][0]["symbol"]) == ("2000", "equity:MSFT")
    assert (codes, both) in (([], True), (["VERSION_CONFLICT"], False))
    assert held["version"] == 3 - len(codes)


async def test_a_key_makes_one_portfolio_and_one_transaction(room: Room):
    first = await made(room, idempotencyKey="k1")
    again = await made(room, idempotencyKey="k1")
    other = await room.do(CREATE, name="Other", currency="USD", idempotencyKey="k1")
    moves = [await room.do(RECORD, portfolioId=first["id"], idempotencyKey="t1", **BUY) for _ in range(2)]
    wrong = await room.do(RECORD, portfolioId=first["id"], idempotencyKey="t1", **{**BUY, "quantity": "5"})

    assert first == again
    assert other["userErrors"][0]["code"] == "IDEMPOTENCY_MISMATCH"
    assert moves[0] == moves[1]
    assert wrong["userErrors"][0]["code"] == "IDEMPOTENCY_MISMATCH"
    assert (await room.company.count(portfolios), await room.company.count(transactions)) == (1, 1)


async def test_parallel_asks_with_one_key_make_one_portfolio(room: Room):
    answers = await asyncio.gather(*(made(room, idempotencyKey="k") for _ in range(4)))

    assert len({each["id"] for each in answers}) == 1
    assert await room.company.count(portfolios) == 1


async def test_transactions_are_recorded_listed_in_pages_and_deleted(room: Room):
    id = (await made(room))["id"]
    await room.do(RECORD, portfolioId=id, kind="DEPOSIT", at="2026-11-03T15:00:00Z", amount="500")
    bought = (await room.do(RECORD, portfolioId=id, fee="1.5", note="first", **BUY))["transaction"]
    # Of the past, and in the currency of what is there.
    await room.do(RECORD, portfolioId=id, kind="SPLIT", at="2026-11-02", symbol="AAPL", ratio="4")

    assert bought == {
        "id": bought["id"], **BUY, "symbol": "equity:AAPL", "amount": None, "fee": "1.5", "ratio": None,
        "note": "first",
    }  # fmt: skip
    page = "query($id: ID!, $after: Cursor) { portfolio(id: $id) { version transactions(first: 2, after: $after) { nodes { kind currency } pageInfo { hasNextPage endCursor } } } }"  # noqa: E501
    one = await room.see(page, id=id)
    two = await room.see(page, id=id, after=one["transactions"]["pageInfo"]["endCursor"])
    assert (one["version"], [n["kind"] for n in one["transactions"]["nodes"]]) == (4, ["BUY", "DEPOSIT"])
    assert two["transactions"] == {
        "nodes": [{"kind": "SPLIT", "currency": "USD"}],
        "pageInfo": {"hasNextPage": False, "endCursor": two["transactions"]["pageInfo"]["endCursor"]},
    }
    gone = await room.do(UNRECORD, portfolioId=id, transactionId=bought["id"])
    assert gone == {"portfolio": {"version": 5}, "transactionId": bought["id"], "userErrors": []}
    again = await room.do(UNRECORD, portfolioId=id, transactionId=bought["id"])
    assert again["userErrors"][0]["code"] == "NOT_FOUND"
    assert await room.company.count(transactions) == 2


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"at": "2030-01-01"}, "TIME_INVALID", "at"),
        ({"at": "1969-01-01"}, "TIME_INVALID", "at"),
        ({"quantity": None}, "FIELD_MISSING", "quantity"),
        ({"amount": "1"}, "FIELD_UNEXPECTED", "amount"),
        ({"quantity": "-4"}, "NUMBER_INVALID", "quantity"),
        ({"price": "-1"}, "NUMBER_INVALID", "price"),
        ({"fee": "-1"}, "NUMBER_INVALID", "fee"),
        ({"quantity": "1" + "0" * 19}, "NUMBER_INVALID", "quantity"),
        ({"quantity": "0.0000000000000000001"}, "NUMBER_INVALID", "quantity"),
        ({"note": "x" * 501}, "NOTE_INVALID", "note"),
        ({"currency": None}, "CURRENCY_NEEDED", "currency"),
        ({"currency": "XYZ"}, "CURRENCY_INVALID", "currency"),
        ({"symbol": "BTC-USD", "currency": "EUR"}, "CURRENCY_MISMATCH", "currency"),
        ({"symbol": "no such thing!"}, "SYMBOL_INVALID", "symbol"),
        ({"kind": "DEPOSIT"}, "FIELD_UNEXPECTED", "symbol"),
        ({"kind": "SPLIT", "quantity": None, "price": None, "ratio": "0"}, "NUMBER_INVALID", "ratio"),
    ],
)
async def test_what_cannot_have_happened_is_refused(room: Room, given: dict[str, Any], code: str, field: str):
    id = (await made(room))["id"]

    payload = await room.do(RECORD, portfolioId=id, **{**BUY, **given})

    assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [(code, ["input", field])]
    assert (payload["transaction"], await room.company.count(transactions)) == (None, 0)


async def test_an_instrument_has_one_currency_in_a_portfolio(room: Room):
    id = (await made(room))["id"]
    await room.do(RECORD, portfolioId=id, **BUY)

    payload = await room.do(RECORD, portfolioId=id, **{**BUY, "currency": "EUR"})

    assert [e["message"] for e in payload["userErrors"]] == ["equity:AAPL is priced in USD here, not in EUR."]


async def test_a_portfolio_has_only_so_many_transactions_and_instruments(room: Room, monkeypatch: pytest.MonkeyPatch):
    from plugins.portfolio import recording

    monkeypatch.setattr(recording, "MOST_TRANSACTIONS", 2)
    monkeypatch.setattr(recording, "MOST_HELD", 1)
    id = (await made(room))["id"]
    await room.do(RECORD, portfolioId=id, **BUY)

    another = await room.do(RECORD, portfolioId=id, **{**BUY, "symbol": "MSFT"})
    answers = await asyncio.gather(*(room.do(RECORD, portfolioId=id, **BUY) for _ in range(2)))

    assert another["userErrors"][0]["code"] == "TOO_MANY_TRANSACTIONS"
    assert [len(answer["userErrors"]) for answer in answers].count(1) == 1
    assert await room.company.count(transactions) == 2


async def test_without_cash_nothing_is_paid_in(room: Room):
    id = (await made(room, tracksCash=False))["id"]

    payload = await room.do(RECORD, portfolioId=id, kind="DEPOSIT", at="2026-11-03", amount="5")

    assert payload["userErrors"][0]["code"] == "KIND_INVALID"


async def test_a_viewer_reads_and_changes_nothing_and_a_stranger_sees_nothing(room: Room):
    id = (await made(room))["id"]
    await room.company.guest("eve", "Eve and Sons")

    assert await room.company.refusal("vic", UPDATE, id=id, name="Mine") == "FORBIDDEN"
    assert await room.company.refusal("vic", RECORD, portfolioId=id, **BUY) == "FORBIDDEN"
    assert await room.see(ONE, by="eve", id=id) is None
    assert (await room.do(UPDATE, by="eve", id=id, name="Mine"))["userErrors"][0]["code"] == "NOT_FOUND"
    assert (await room.do(DELETE, by="eve", id=id))["userErrors"][0]["code"] == "NOT_FOUND"
    assert (await room.do(RECORD, by="eve", portfolioId=id, **BUY))["userErrors"][0]["code"] == "NOT_FOUND"
    node = await room.see("query($id: ID!) { node(id: $id) { id } }", by="vic", id=id)
    assert node == {"id": id}


async def test_holdings_say_by_which_prices_and_rates_they_are_valued(room: Room):
    id = (await made(room, currency="EUR"))["id"]
    await room.do(RECORD, portfolioId=id, **BUY)
    await room.do(RECORD, portfolioId=id, kind="DEPOSIT", at="2026-11-02", amount="500.004")
    room.tapes.quotes |= {"equity:AAPL": "125.005", "fx:EUR/USD": "1.25"}
    asked = """query($id: ID!) { portfolio(id: $id) { holdings { at currency value invested cashValue
      positions { symbol quantity price priceCurrency value weight stale provenance { provider } }
      cash { currency amount value } exposure { long short gross net leverage } failures { symbol }
      conversions { from to rate provenance { provider } } } } }"""

    found = (await room.see(asked, id=id))["holdings"]

    assert found == {
        "at": "2026-11-20T12:00:00Z", "currency": "EUR", "value": "580.02", "invested": "400.02",
        "cashValue": "180.00", "failures": [],
        "positions": [{
            "symbol": "equity:AAPL", "quantity": "4", "price": "125.005", "priceCurrency": "USD", "value": "400.02",
            "weight": "0.6896589773", "stale": False, "provenance": {"provider": "alpha"},
        }],
        "cash": [
            {"currency": "EUR", "amount": "500.00", "value": "500.00"},
            {"currency": "USD", "amount": "-400.00", "value": "-320.00"},
        ],
        "exposure": {
            "long": "400.02", "short": "0.00", "gross": "400.02", "net": "400.02", "leverage": "0.6896589773",
        },
        "conversions": [{"from": "USD", "to": "EUR", "rate": "0.8", "provenance": {"provider": "alpha"}}],
    }  # fmt: skip


async def test_portfolios_come_in_pages_the_oldest_first(room: Room):
    for name in ("first", "second", "third"):
        await made(room, name=name)
        room.company.house.clock.turn(1)

    one = await room.see(LIST, first=2)
    two = await room.see(LIST, first=2, after=one["pageInfo"]["endCursor"])

    assert [node["name"] for node in one["nodes"]] == ["first", "second"]
    assert [node["name"] for node in two["nodes"]] == ["third"]
    assert await room.error(LIST, after="bm9uc2Vuc2U") == (
        "BAD_USER_INPUT", "after: is not a cursor of this list; give back what `pageInfo` or an edge gave",
    )  # fmt: skip


async def test_an_organisation_has_at_most_two_hundred(room: Room):
    from dataclasses import replace

    id = (await made(room))["id"]
    store = PortfolioStore()
    async with room.company.house.store.write() as tx:
        held = await store.find(tx, room.company.tenant, id)
        assert held is not None
        for _ in range(MOST_PORTFOLIOS - 2):
            await store.add(tx, room.company.tenant, replace(held, id=new_id("portfolio")))

    answers = await asyncio.gather(*(room.do(CREATE, name="Last", currency="USD") for _ in range(2)))

    codes = sorted(error["code"] for answer in answers for error in answer["userErrors"])
    assert codes == ["TOO_MANY_PORTFOLIOS"]
    assert await room.company.count(portfolios) == MOST_PORTFOLIOS


async def test_an_organisation_takes_its_portfolios_along_and_leaves_none(room: Room):
    from plugins.portfolio.plugin import erase, export

    id = (await made(room))["id"]
    await room.do(RECORD, portfolioId=id, **BUY)
    house = room.company.house

    async with house.store.read() as tx:
        told = await export(house.host, tx, room.company.tenant)
    async with house.store.write() as tx:
        await erase(house.host, tx, room.company.tenant)

    assert [row["name"] for row in told["portfolios"]] == ["Core"]
    assert [(row["instrument"], str(row["quantity"])) for row in told["transactions"]] == [("equity:AAPL", "4")]
    assert (await room.company.count(portfolios), await room.company.count(transactions)) == (0, 0)
