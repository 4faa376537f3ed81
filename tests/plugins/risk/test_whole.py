"""A stored portfolio, the sandbox's candles, the processes that compute: nothing is a double but live prices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from plugins.risk.evaluation.engine import Engine
from schema.symbols import parse_instrument
from tests.gateway.live.handlines import HandLines
from tests.house import House, open_house
from tests.plugins.accounts.organisations.company import Company, found
from tests.plugins.risk.watching import BTC, CREATE, ERRORS, ETH, told

PORTFOLIO = f"mutation($i: PortfolioCreateInput!) {{ r: portfolioCreate(input: $i) {{ portfolio {{ id }} {ERRORS} }} }}"
RECORD = f"mutation($i: PortfolioTransactionRecordInput!) {{ r: portfolioTransactionRecord(input: $i) {{ {ERRORS} }} }}"
RISK = """query($i: RiskInput!) { risk(input: $i) { symbols weights cash
  valueAtRisk { value count method } conditionalValueAtRisk { value } volatility { exAnte { value } }
  components { volatility { share } } exposure { leverage }
  data { count periodsPerYear failures { symbol message } } } }"""
OPTIMIZE = """query($i: OptimizeInput!) { optimize(input: $i) { weights solver { status }
  plan { trades { symbol side quantity } } } }"""
HEDGE = """query($i: HedgeInput!) { hedgeAnalysis(input: $i) { warnings candidates { basis { relative }
  proposals { ratio { value } order { symbol side } } } } }"""
LINES = HandLines()


@pytest.fixture
async def house(sqlite_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(sqlite_url, tmp_path, lines=LINES) as opened:
        yield opened


@pytest.fixture
async def company(house: House) -> Company:
    made = await found(house)
    await made.upgrade()
    return made


async def ask(company: Company, document: str, **given: Any) -> dict[str, Any]:
    body = await company.house.ask(document, {"i": given}, token=company.tokens["ada"])
    assert "errors" not in body, body
    return dict(next(iter(body["data"].values())))


async def test_a_portfolio_is_made_measured_optimised_and_watched(house: House, company: Company):
    held = [{"symbol": BTC, "quantity": "1", "price": "100"}, {"symbol": ETH, "quantity": "10", "price": "10"}]
    made = await company.ask("ada", PORTFOLIO, name="Growth", currency="USD", holdings=held)
    assert made["userErrors"] == []
    portfolio = made["portfolio"]["id"]

    risk = await ask(company, RISK, portfolioId=portfolio)
    optimum = await ask(company, OPTIMIZE, universe={"portfolioId": portfolio})
    limit = await company.ask("ada", CREATE, portfolioId=portfolio, kind="VALUE_AT_RISK", threshold="0.000001")
    engine = house.host.service(Engine)
    await engine.look()
    await engine.settled()

    assert risk["symbols"] == [BTC, ETH]
    assert abs(sum(risk["weights"]) + risk["cash"] - 1) < 1e-9
    assert risk["data"]["failures"] == []
    assert 0 < risk["valueAtRisk"]["value"] <= risk["conditionalValueAtRisk"]["value"]
    assert abs(sum(risk["components"]["volatility"]["share"]) - 1) < 1e-9
    assert abs(sum(optimum["weights"]) - 1) < 1e-7
    assert limit["userErrors"] == []
    (breach,) = await told(house, company.tenant)
    assert (breach["portfolioId"], breach["portfolioName"], breach["currency"]) == (portfolio, "Growth", "USD")
    await engine.close()


async def test_a_coin_is_hedged_by_the_sandboxs_perpetual(company: Company):
    position = {"symbol": "crypto:BTC/USDT", "quantity": "2"}
    candidates = [{"symbol": "crypto:BTC/USDT:USDT", "fundingPerDay": "0.0003"}]

    told = await ask(company, HEDGE, position=position, candidates=candidates)

    assert told["warnings"] == []
    (candidate,) = told["candidates"]
    (proposal,) = candidate["proposals"]
    assert 0.999 < proposal["ratio"]["value"] < 1.001
    assert 0 < abs(Decimal(candidate["basis"]["relative"])) < Decimal("0.01")
    assert (proposal["order"]["symbol"], proposal["order"]["side"]) == ("crypto:BTC/USDT:USDT", "SELL")


async def test_what_the_prices_refuse_is_an_error_that_names_its_field(company: Company):
    many = [{"symbol": f"crypto:A{number}/USD", "weight": 0.001} for number in range(1_000)]
    half = [{"symbol": BTC, "weight": 0.5}, {"symbol": ETH, "weight": 0.5}]
    told = []
    for given in (
        {"weights": many, "start": "2006-01-01"}, {"weights": half, "currency": "QQQ"},
        {"weights": half, "start": "2026-11-19", "end": "2026-11-20"},
    ):  # fmt: skip
        body = await company.house.ask(RISK, {"i": given}, token=company.tokens["ada"])
        told.append({(each["extensions"]["code"], each["extensions"].get("field")) for each in body["errors"]})

    assert told == [
        {("BAD_USER_INPUT", "weights")}, {("BAD_USER_INPUT", "currency")}, {("NOT_COMPUTABLE", None)},
    ]  # fmt: skip


async def test_a_tick_of_a_real_holding_breaches_its_limit(house: House, company: Company):
    held = [{"symbol": BTC, "quantity": "1", "price": "100"}]
    portfolio = (await company.ask("ada", PORTFOLIO, name="One", currency="USD", holdings=held))["portfolio"]["id"]
    await company.ask("ada", CREATE, portfolioId=portfolio, kind="DRAWDOWN", threshold="0.5")
    engine = house.host.service(Engine)
    await engine.look()
    await engine.settled()

    LINES.price("sandbox", "0.01", instrument=parse_instrument(BTC))
    for _ in range(100):
        await asyncio.sleep(0)
    await engine.settled()

    assert [each["kind"] for each in await told(house, company.tenant)] == ["DRAWDOWN"]
    await engine.close()


async def test_a_fee_is_a_drawdown_and_what_is_paid_in_or_out_is_none(house: House, company: Company):
    portfolio = (await company.ask("ada", PORTFOLIO, name="One", currency="USD"))["portfolio"]["id"]
    engine = house.host.service(Engine)
    seen: list[Any] = []
    for kind, amount in (("DEPOSIT", "1000"), ("DEPOSIT", "500"), ("WITHDRAWAL", "1200"), ("FEE", "30")):
        given = {"kind": kind, "amount": amount, "at": house.clock.now().isoformat()}
        assert (await company.ask("ada", RECORD, portfolioId=portfolio, **given))["userErrors"] == []
        if not seen:
            await company.ask("ada", CREATE, portfolioId=portfolio, kind="DRAWDOWN", threshold="0.05")
        await engine.look()
        engine.refresh(portfolio)
        for _ in range(100):
            await asyncio.sleep(0)
        await engine.settled()
        seen.append([each["value"] for each in await told(house, company.tenant)])

    assert seen == [[], [], [], ["0.1"]]
    await engine.close()
