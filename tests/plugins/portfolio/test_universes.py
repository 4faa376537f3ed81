"""Universes: who is in them, their prices, returns and risk; saved ones on both databases."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from plugins.portfolio.tables import universes
from schema.words.caps import MarketCap
from tests.plugins.portfolio.conftest import Room
from tests.plugins.portfolio.tapes import days
from tests.plugins.portfolio.test_portfolios import ERRORS

FIGURE = "{ value periodsPerYear count start end }"
GAPS = "completeness { gaps { symbol dates } late { symbol first last } failures { symbol code } }"
WHO = """query($i: UniverseInput!, $quote: String, $stablecoins: Boolean) {
  universe(input: $i, quote: $quote, stablecoins: $stablecoins) { name leftOut provenance { provider }
  members { symbol rank marketCap volume24h } failures { symbol code } } }"""
PRICES = f"""query($i: UniverseInput!, $start: Date!, $end: Date, $currency: String, $interval: Interval) {{ universe(input: $i) {{
  prices(start: $start, end: $end, currency: $currency, interval: $interval) {{ dates periodsPerYear
  columns {{ symbol currency closes }} {GAPS} provenance {{ provider conversion {{ from to rate }} }} }}
  returns(start: $start, end: $end, currency: $currency, interval: $interval) {{ dates columns {{ symbol returns }} }} }} }}"""  # noqa: E501
RISK = f"""query($i: UniverseInput!, $start: Date!, $end: Date, $benchmark: String, $riskFree: Float) {{
  universe(input: $i) {{ risk(start: $start, end: $end, benchmark: $benchmark, riskFree: $riskFree) {{
  assets {{ symbol totalReturn {FIGURE} volatility {FIGURE} sharpe {FIGURE} maxDrawdown {FIGURE}
    valueAtRisk95 {FIGURE} beta {FIGURE} missing warnings }} warnings {GAPS} }} }} }}"""
CREATE = f"mutation($i: UniverseCreateInput!) {{ r: universeCreate(input: $i) {{ universe {{ id name symbols }} {ERRORS} }} }}"  # noqa: E501
UPDATE = f"mutation($i: UniverseUpdateInput!) {{ r: universeUpdate(input: $i) {{ universe {{ id name symbols }} {ERRORS} }} }}"  # noqa: E501
DELETE = f"mutation($i: UniverseDeleteInput!) {{ r: universeDelete(input: $i) {{ universeId {ERRORS} }} }}"
BTC, ETH = "crypto:BTC/USD", "crypto:ETH/USD"


def cap(rank: int, asset: str, amount: str, volume: str | None) -> MarketCap:
    return MarketCap(
        rank=rank, asset=asset, name=asset, currency="USD", price=Decimal(1), market_cap=Decimal(amount),
        volume24h=None if volume is None else Decimal(volume),
    )  # fmt: skip


RANKING = [
    cap(1, "BTC", "100", "10"), cap(2, "ETH", "90", "20"), cap(3, "USDT", "80", "30"), cap(4, "wei rd", "70", "99"),
    cap(5, "SOL", "60", None), cap(6, "XRP", "50", "40"),
]  # fmt: skip


def names(found: dict[str, Any]) -> list[str]:
    return [member["symbol"] for member in found["members"]]


async def test_the_largest_by_capitalisation_say_who_ranked_them(room: Room):
    room.tapes.caps = RANKING

    found = await room.see(WHO, i={"topByMarketCap": 4})

    assert found["members"][0] == {"symbol": BTC, "rank": 1, "marketCap": "100", "volume24h": "10"}
    assert names(found) == [BTC, ETH, "crypto:USDT/USD", "crypto:SOL/USD"]
    assert (found["leftOut"], found["provenance"], found["name"]) == (["wei rd"], {"provider": "alpha"}, None)
    assert names(await room.see(WHO, i={"topByMarketCap": 3}, stablecoins=False)) == [BTC, ETH, "crypto:SOL/USD"]
    assert names(await room.see(WHO, i={"topByMarketCap": 2}, quote="USDT")) == ["crypto:BTC/USDT", "crypto:ETH/USDT"]


async def test_the_most_traded_are_ranked_by_volume(room: Room):
    room.tapes.caps = RANKING

    found = await room.see(WHO, i={"topByVolume": 3})

    assert names(found) == ["crypto:XRP/USD", "crypto:USDT/USD", ETH]
    assert (room.tapes.asked[-1].first, found["leftOut"]) == (1000, ["wei rd"])


async def test_a_list_keeps_its_order_and_tells_what_cannot_be_read(room: Room):
    found = await room.see(WHO, i={"symbols": ["ETH-USD", "no such thing!", "AAPL", "LINK"]})

    assert names(found) == [ETH, "equity:AAPL"]
    assert found["failures"] == [
        {"symbol": "no such thing!", "code": "UNKNOWN_INSTRUMENT"}, {"symbol": "LINK", "code": "AMBIGUOUS_INSTRUMENT"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"symbols": []}, "symbols: has 0 symbols: give 1 to 200"),
        ({"symbols": ["BTC-USD", "crypto:BTC/USD"]}, "symbols: has crypto:BTC/USD twice: give each once"),
        ({"symbols": [f"crypto:C{n}/USD" for n in range(1000)]}, "symbols: has 1000 symbols: give 1 to 200"),
        ({"topByMarketCap": 0}, "topByMarketCap: must be 1 to 200, not 0"),
        ({"topByVolume": 201}, "topByVolume: must be 1 to 200, not 201"),
        ({"saved": "nothing"}, "saved: your organisation has no universe with this id: `universes` lists them"),
    ],
)
async def test_what_is_no_universe_is_refused(room: Room, given: dict[str, Any], message: str):
    assert await room.error(WHO, i=given) == ("BAD_USER_INPUT", message)


async def test_prices_and_returns_are_columns_on_common_dates(room: Room):
    room.tapes.closes |= {BTC: days("2026-11-02", "100", "110", "", "99"), ETH: days("2026-11-03", "10", "12", "9")}

    found = await room.see(PRICES, i={"symbols": [BTC, ETH, "crypto:NO/USD"]}, start="2026-11-02", end="2026-11-06")

    assert found["prices"] == {
        "dates": ["2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05"], "periodsPerYear": 365,
        "columns": [
            {"symbol": BTC, "currency": "USD", "closes": ["100", "110", None, "99"]},
            {"symbol": ETH, "currency": "USD", "closes": [None, "10", "12", "9"]},
        ],
        "completeness": {
            "gaps": [{"symbol": BTC, "dates": ["2026-11-04"]}],
            "late": [{"symbol": ETH, "first": "2026-11-03", "last": "2026-11-05"}],
            "failures": [{"symbol": "crypto:NO/USD", "code": "UNKNOWN_INSTRUMENT"}],
        },
        "provenance": [{"provider": "alpha", "conversion": None}],
    }  # fmt: skip
    assert found["returns"]["columns"] == [
        {"symbol": BTC, "returns": [None, pytest.approx(0.1), None, pytest.approx(-0.1)]},
        {"symbol": ETH, "returns": [None, None, pytest.approx(0.2), -0.25]},
    ]


async def test_converted_prices_say_by_which_rate(room: Room):
    room.tapes.closes[BTC] = days("2026-11-02", "100", "110")
    room.tapes.rates["EUR/USD"] = {"2026-11-02": "1.25"}

    found = await room.see(PRICES, i={"symbols": [BTC]}, start="2026-11-02", end="2026-11-04", currency="EUR")

    assert found["prices"]["columns"] == [{"symbol": BTC, "currency": "EUR", "closes": ["80.0", "88.0"]}]
    assert found["prices"]["provenance"][0]["conversion"] == {"from": "USD", "to": "EUR", "rate": "0.8"}


async def test_risk_is_told_by_asset_each_by_its_own_year(room: Room):
    room.tapes.closes |= {
        BTC: days("2026-11-05", "100", "110", "99", "99", "108.9", "98.01"),
        "equity:AAPL": {"2026-11-05": "50", "2026-11-06": "55", "2026-11-09": "49.5", "2026-11-10": "54.45"},
        ETH: days("2026-11-05", "1"),
    }

    found = (await room.see(
        RISK, i={"symbols": [BTC, "AAPL", ETH, "crypto:NO/USD"]}, start="2026-11-05", end="2026-11-11",
        benchmark=BTC, riskFree=0.02,
    ))["risk"]  # fmt: skip

    bitcoin, apple, ether = found["assets"]
    assert bitcoin["totalReturn"]["value"] == pytest.approx(-0.0199)
    assert (bitcoin["volatility"]["periodsPerYear"], bitcoin["volatility"]["count"]) == (365, 5)
    assert bitcoin["beta"]["value"] == pytest.approx(1)
    assert bitcoin["maxDrawdown"]["value"] == pytest.approx(-0.109)
    # Quantile 5 % of -0.1, -0.1, 0, 0.1, 0.1 by R's type 7.
    assert bitcoin["valueAtRisk95"]["value"] == pytest.approx(0.1)
    assert (apple["volatility"]["periodsPerYear"], apple["totalReturn"]["count"]) == (252, 3)
    assert apple["totalReturn"]["value"] == pytest.approx(0.089)
    assert (apple["missing"], apple["warnings"]) == ([], [])
    assert (ether["totalReturn"], ether["symbol"]) == (None, ETH)
    assert "returns" in ether["warnings"][0]
    assert found["completeness"]["failures"] == [{"symbol": "crypto:NO/USD", "code": "UNKNOWN_INSTRUMENT"}]


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({"start": "2026-11-05", "end": "2026-11-05"}, "BAD_USER_INPUT",
         "start: must be before end: the range is empty"),
        ({"start": "2026-11-05", "riskFree": 11}, "BAD_USER_INPUT",
         "riskFree: must be above -1 and below 10: 0.03 is 3 % a year"),
    ],
)  # fmt: skip
async def test_what_cannot_be_computed_is_an_error(room: Room, given: dict[str, Any], code: str, message: str):
    room.tapes.closes[BTC] = days("2026-11-02", "100", "110")

    assert await room.error(RISK, i={"symbols": [BTC]}, **given) == (code, message)


async def test_universes_are_saved_read_changed_and_deleted(room: Room):
    await room.company.guest("eve", "Eve and Sons")
    made = (await room.do(CREATE, name=" Majors ", symbols=["BTC-USD", "AAPL", "crypto:BTC/USD"]))["universe"]
    id = made["id"]

    assert made == {"id": id, "name": "Majors", "symbols": [BTC, "equity:AAPL"]}
    found = await room.see(WHO, by="vic", i={"saved": id})
    assert (names(found), found["name"]) == ([BTC, "equity:AAPL"], "Majors")
    changed = (await room.do(UPDATE, id=id, symbols=["ETH-USD"]))["universe"]
    assert changed == {"id": id, "name": "Majors", "symbols": [ETH]}
    listed = await room.see("{ universes { nodes { id name } pageInfo { hasNextPage } } }", by="vic")
    assert listed == {"nodes": [{"id": id, "name": "Majors"}], "pageInfo": {"hasNextPage": False}}
    assert await room.see("query($id: ID!) { node(id: $id) { id } }", id=id) == {"id": id}
    assert (await room.error(WHO, by="eve", i={"saved": id}))[0] == "BAD_USER_INPUT"
    for document, more in ((UPDATE, {"name": "Mine"}), (DELETE, {})):
        assert (await room.do(document, by="eve", id=id, **more))["userErrors"][0]["code"] == "NOT_FOUND"
    assert await room.company.refusal("vic", DELETE, id=id) == "FORBIDDEN"
    assert await room.do(DELETE, id=id) == {"universeId": id, "userErrors": []}
    assert await room.company.count(universes) == 0
    assert await room.company.acts() == ["universe.created", "universe.deleted", "universe.updated"]


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"name": ""}, "NAME_INVALID", ["name"]),
        ({"symbols": []}, "TOO_MANY_SYMBOLS", ["symbols"]),
        ({"symbols": ["AAPL", "no such thing!"]}, "SYMBOL_INVALID", ["symbols", "1"]),
        ({"symbols": ["LINK"]}, "SYMBOL_AMBIGUOUS", ["symbols", "0"]),
    ],
)
async def test_what_cannot_be_saved_is_refused(room: Room, given: dict[str, Any], code: str, field: list[str]):
    payload = await room.do(CREATE, **{"name": "Majors", "symbols": ["AAPL"], **given})

    assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [(code, ["input", *field])]
    assert await room.company.count(universes) == 0
