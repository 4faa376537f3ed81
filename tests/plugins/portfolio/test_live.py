"""A portfolio's value as prices change, on lines that a test speaks for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from graphql import OperationType

from gateway.core.identity import Role
from gateway.edge.execute import OperationRequest, RequestFacts
from plugins.portfolio.valuation.holdings import Appraiser
from tests.gateway.live.handlines import HandLines
from tests.house import open_house
from tests.plugins.accounts.organisations.company import Company, found
from tests.plugins.portfolio.conftest import Room
from tests.plugins.portfolio.test_portfolios import CREATE, DELETE, RECORD

LIVE = """subscription($id: ID!, $everyMs: Int) { portfolio(id: $id, everyMs: $everyMs) {
  snapshot version currency value invested cashValue realised unrealised totalPnl
  exposure { long short gross net leverage } positions { symbol quantity price value weight stale }
  notices { code } } }"""


@dataclass
class Screen:
    """Ada looks at a portfolio."""

    company: Company
    lines: HandLines

    async def made(self, **given: Any) -> str:
        usual = {"name": "Core", "currency": "USD"}
        return str((await self.company.ask("ada", CREATE, **{**usual, **given}))["portfolio"]["id"])

    @asynccontextmanager
    async def looking(self, id: str, by: str = "ada", **given: Any) -> AsyncIterator[AsyncGenerator[dict[str, Any]]]:
        executor = self.company.house.executor
        headers = {"authorization": f"Bearer {self.company.tokens[by]}"}
        facts = RequestFacts(request_id="r", transport="websocket", client_ip="127.0.0.1", headers=headers)
        principal = await executor.identify(facts)
        request = OperationRequest(query=LIVE, variables={"id": id, **given})
        prepared = executor.prepare(request, frozenset({OperationType.SUBSCRIPTION}))
        results = executor.subscribe(prepared, facts, principal)
        try:
            yield self._bodies(results)
        finally:
            await results.aclose()

    @staticmethod
    async def _bodies(results: Any) -> AsyncGenerator[dict[str, Any]]:
        async for result in results:
            body = result.body()
            yield body["data"]["portfolio"] if body.get("data") else body


@pytest.fixture
async def screen(database: str, tmp_path: Path) -> AsyncIterator[Screen]:
    lines = HandLines()
    async with open_house(database, tmp_path, lines=lines) as house:
        company = await found(house)
        await company.hire("vic", Role.VIEWER)
        await company.upgrade()
        yield Screen(company, lines)


HELD = [{"symbol": "BTC-USD", "quantity": "2", "price": "90"}]


async def test_value_profit_and_exposure_follow_the_price(screen: Screen):
    id = await screen.made(holdings=HELD)
    screen.lines.price("sandbox", "100")
    appraiser = screen.company.house.host.service(Appraiser)

    with patch.object(appraiser, "transactions", wraps=appraiser.transactions) as reads:
        async with screen.looking(id, by="vic", everyMs=0) as updates:
            first = await anext(updates)
            screen.lines.price("sandbox", "120")
            second = await anext(updates)

    assert reads.await_count == 1

    assert first == {
        "snapshot": True, "version": 1, "currency": "USD", "value": "200.00", "invested": "200.00",
        "cashValue": "0.00", "realised": "0.00", "unrealised": "20.00", "totalPnl": "20.00",
        "exposure": {"long": "200.00", "short": "0.00", "gross": "200.00", "net": "200.00", "leverage": "1.0000000000"},
        "positions": [{
            "symbol": "crypto:BTC/USD", "quantity": "2", "price": "100", "value": "200.00", "weight": "1.0000000000",
            "stale": False,
        }],
        "notices": [],
    }  # fmt: skip
    assert (second["snapshot"], second["value"], second["unrealised"]) == (False, "240.00", "60.00")
    assert [(p["symbol"], p["price"]) for p in second["positions"]] == [("crypto:BTC/USD", "120")]


async def test_what_others_change_is_shown_once_and_then_what_is_new(screen: Screen):
    id = await screen.made(holdings=HELD)
    screen.lines.price("sandbox", "100")

    async with screen.looking(id, everyMs=0) as updates:
        assert (await anext(updates))["value"] == "200.00"
        move = {"kind": "SELL", "at": "2026-11-20T12:00:00Z", "symbol": "BTC-USD", "quantity": "1", "price": "110"}
        await screen.company.ask("ada", RECORD, portfolioId=id, **move)
        changed = await anext(updates)
        screen.lines.price("sandbox", "101")
        after = await anext(updates)

    assert (changed["snapshot"], changed["version"], changed["realised"], changed["cashValue"]) == (
        True, 2, "20.00", "110.00",
    )  # fmt: skip
    assert (after["snapshot"], after["version"], after["invested"]) == (False, 2, "101.00")
    assert screen.company.house.clock.slept.count(0.0) >= 2


async def test_it_ends_where_the_portfolio_is_deleted(screen: Screen):
    id = await screen.made(holdings=HELD)
    screen.lines.price("sandbox", "100")

    async with screen.looking(id, everyMs=0) as updates:
        await anext(updates)
        await screen.company.ask("ada", DELETE, id=id)
        rest = [each async for each in updates]

    assert rest == []


async def test_weights_have_a_value_and_no_profit(screen: Screen):
    id = await screen.made(weights=[{"symbol": "BTC-USD", "weight": "0.5"}], cashWeight="0.5", notional="1000")
    screen.lines.price("sandbox", "100")

    async with screen.looking(id, everyMs=0) as updates:
        first = await anext(updates)
        screen.lines.price("sandbox", "200")
        second = await anext(updates)

    assert (first["value"], first["invested"], first["cashValue"], first["totalPnl"]) == (
        "1000.00", "500.00", "500.00", None,
    )  # fmt: skip
    shown = [(float(p["quantity"]), p["price"], p["value"]) for each in (first, second) for p in each["positions"]]
    assert shown == [(5, "100", "500.00"), (2.5, "200", "500.00")]


async def test_a_portfolio_without_instruments_shows_its_cash_and_what_changes_of_it(screen: Screen):
    id = await screen.made()
    move = {"kind": "DEPOSIT", "at": "2026-11-20T12:00:00Z", "amount": "5"}
    await screen.company.ask("ada", RECORD, portfolioId=id, **move)

    async with screen.looking(id) as updates:
        first = await anext(updates)

    assert (first["snapshot"], first["value"], first["positions"]) == (True, "5.00", [])


async def test_what_nobody_streams_is_looked_at(room: Room):
    screen = Screen(room.company, HandLines())
    id = await screen.made(holdings=HELD)
    room.tapes.quotes["crypto:BTC/USD"] = "105"

    async with screen.looking(id) as updates:
        first = await anext(updates)

    assert (first["snapshot"], first["value"], first["unrealised"]) == (True, "210.00", "30.00")


async def test_who_may_not_sees_nothing(screen: Screen):
    await screen.company.guest("eve", "Eve and Sons")
    id = await screen.made(holdings=HELD)

    async with screen.looking(id, by="eve") as updates:
        (strange,) = [each async for each in updates]
    async with screen.looking(id, everyMs=-1) as updates:
        (wrong,) = [each async for each in updates]

    assert strange["errors"][0]["message"] == (
        "id: your organisation has no portfolio with this id: `portfolios` lists them"
    )
    assert wrong["errors"][0]["message"] == "everyMs: must be 0 to 60000, not -1"
