"""Optimal portfolios and hedges through GraphQL, on panels small enough to reckon by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from math import isclose, sqrt
from pathlib import Path
from statistics import stdev
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.core.contract import Market
from gateway.core.ports import Desk, Position
from plugins.risk.optimising.planning import price_of, quoted_at_once
from schema.words.quotes import Quote
from tests.plugins.risk.doubles import HandDesk, instruments, quote
from tests.plugins.risk.panels import panel
from tests.plugins.risk.watching import BTC, ERRORS, ETH, FOLIO, Watch, watch

PERPETUAL = "crypto:BTC/USD:USD"
FIGURE = "{ value method periodsPerYear count }"
OPTIMIZE = f"""query($i: OptimizeInput!) {{ optimize(input: $i) {{
  objective symbols weights cash current value {FIGURE} expectedReturn {FIGURE} volatility {FIGURE} sharpe {FIGURE}
  riskContributions turnover binding {{ name symbol shadowPrice }} solver {{ name status }} heuristic warnings dropped
  plan {{ currency value costs cash turnover trades {{ symbol side quantity price notional cost }} symbols weights
    warnings conversions {{ from to amount rate received cost }} }}
  data {{ count failures {{ symbol }} }} }} }}"""
FRONTIER = """query($i: EfficientFrontierInput!) { efficientFrontier(input: $i) { symbols expectedReturns volatilities
  sharpes weights expectedReturnMethod covarianceMethod ddof periodsPerYear count start end solver { name } } }"""
HEDGE = f"""query($i: HedgeInput!) {{ hedgeAnalysis(input: $i) {{ currency value unhedged {FIGURE} warnings
  candidates {{
  symbol price contractSize lot spreadBps feeBps fundingPerDay expiry basis {{ absolute relative annual }} warnings
  proposals {{ kind ratio {FIGURE} roundedRatio contracts exactContracts value effectiveness {FIGURE}
    residual {FIGURE} residualValue cost {{ fees spread funding total days }}
    order {{ symbol side quantity price notional }} }} }} }} }}"""
MAKE = f"mutation($i: ConstraintSetCreateInput!) {{ r: constraintSetCreate(input: $i) {{ constraintSet {{ id }} {ERRORS} }} }}"  # noqa: E501
UP = {
    BTC: ["100", "110", "99", "108.9", "98.01", "107.811"],
    ETH: ["10", "10", "10.5", "10.5", "10.395", "10.91475"],
    PERPETUAL: ["101", "111.1", "99.99", "109.989", "98.9901", "108.88911"],
}
BTC_RETURNS, ETH_RETURNS = [0.1, -0.1, 0.1, -0.1, 0.1], [0.0, 0.05, 0.0, -0.01, 0.05]
BOTH = {"symbols": [BTC, ETH]}


@pytest.fixture
async def w(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Watch]:
    async with watch(sqlite_url, tmp_path) as made:
        made.panels.answer = panel(UP)
        prices = {
            BTC: quote(BTC, "100", bid="99.9", ask="100.1"), ETH: quote(ETH, "10"),
            PERPETUAL: quote(PERPETUAL, "101", bid="100.8995", ask="101.1005"),
        }  # fmt: skip
        services = made.house.host.services
        services[Desk] = HandDesk(services[Desk], prices)
        yield made


async def ask(made: Watch, document: str, /, **given: Any) -> dict[str, Any]:
    body = await made.house.ask(document, {"i": given}, token=made.company.tokens["ada"])
    assert "errors" not in body, body
    return dict(next(iter(body["data"].values())))


async def refused(made: Watch, document: str, /, **given: Any) -> dict[str, Any]:
    """Extensions of the one error."""
    (error,) = (await made.house.ask(document, {"i": given}, token=made.company.tokens["ada"]))["errors"]
    return dict(error["extensions"])


def least_variance() -> float:
    """Weight of bitcoin in the portfolio of both with the least variance, in closed form."""
    ours, theirs = stdev(BTC_RETURNS) ** 2, stdev(ETH_RETURNS) ** 2
    centred = [(a - 0.02) * (b - 0.018) for a, b in zip(BTC_RETURNS, ETH_RETURNS, strict=True)]
    together = sum(centred) / 4
    return (theirs - together) / (ours + theirs - 2 * together)


async def test_the_least_variance_of_two_is_that_of_the_closed_form(w: Watch):
    told = await ask(w, OPTIMIZE, universe=BOTH)

    weight = least_variance()
    assert (told["objective"], told["symbols"], told["solver"]["name"]) == ("MINIMUM_VARIANCE", [BTC, ETH], "clarabel")
    assert isclose(told["weights"][0], weight, abs_tol=1e-6)
    assert isclose(sum(told["weights"]), 1.0, abs_tol=1e-9)
    held = [weight * a + (1 - weight) * b for a, b in zip(BTC_RETURNS, ETH_RETURNS, strict=True)]
    assert isclose(told["volatility"]["value"], stdev(held) * sqrt(252), rel_tol=1e-6)
    assert (told["volatility"]["periodsPerYear"], told["volatility"]["count"]) == (252, 5)
    assert (told["current"], told["turnover"], told["plan"], told["heuristic"]) == (None, None, None, None)


async def test_constraints_hold_and_those_that_bind_are_named(w: Watch):
    told = await ask(
        w, OPTIMIZE, universe={**BOTH, "constraints": {"bounds": [{"symbol": "BTC-USD", "min": 0.4, "max": 0.6}]}}
    )

    assert isclose(told["weights"][0], 0.4, abs_tol=1e-7)
    prices = {(each["name"], each["symbol"]): each["shadowPrice"] for each in told["binding"]}
    assert prices.keys() == {(f"bounds.{BTC}.min", BTC), ("total", None)}
    assert prices[f"bounds.{BTC}.min", BTC] > 0


async def test_a_set_that_is_kept_is_taken_without_what_it_says_of_others(w: Watch):
    rules = {
        "bounds": [{"symbol": BTC, "max": 0.1}, {"symbol": "SOL-USD", "max": 0.1}],
        "groups": [{"name": "Coins", "symbols": ["SOL-USD"], "max": 0.1}],
    }
    made = (await w.company.ask("ada", MAKE, name="Careful", constraints=rules))["constraintSet"]["id"]

    told = await ask(w, OPTIMIZE, universe={**BOTH, "constraintSetId": made})

    assert told["weights"][0] <= 0.1 + 1e-7
    assert told["warnings"] == ["constraints: crypto:SOL/USD is not among the assets and was left out"]


async def test_constraints_that_collide_are_an_error_that_names_them(w: Watch):
    error = await refused(
        w, OPTIMIZE,
        universe={**BOTH, "constraints": {
            "maxPosition": 0.4,
        }},
    )  # fmt: skip

    assert error["code"] == "INFEASIBLE"
    assert sorted(error["constraints"]) == ["maxPosition", "total"]


async def test_a_portfolio_is_rebalanced_at_the_prices_of_now_with_costs(w: Watch):
    told = await ask(
        w, OPTIMIZE, costs={"basisPoints": "10"},
        lots=[{"symbol": BTC, "lot": "0.01"}, {"symbol": ETH, "lot": "0.1"}],
        universe={"portfolioId": FOLIO, "constraints": {
            "bounds": [{"symbol": BTC, "min": 0.2, "max": 0.2}, {"symbol": ETH, "min": 0.6, "max": 0.6}],
            "minTotal": 0.8, "maxTotal": 0.8,
        }},
    )  # fmt: skip

    assert told["current"] == [0.4, 0.4]
    assert isclose(told["turnover"], 0.4, abs_tol=1e-6)
    assert isclose(told["cash"], 0.2, abs_tol=1e-9)
    plan = told["plan"]
    assert (plan["currency"], plan["value"], plan["symbols"]) == ("USD", "250.00", [BTC, ETH])
    assert plan["trades"] == [
        {"symbol": BTC, "side": "SELL", "quantity": "0.5", "price": "100", "notional": "50.00", "cost": "0.05"},
        {"symbol": ETH, "side": "BUY", "quantity": plan["trades"][1]["quantity"], "price": "10",
         "notional": plan["trades"][1]["notional"], "cost": "0.05"},
    ]  # fmt: skip
    assert plan["trades"][1]["quantity"] in ("4.9", "5")
    assert plan["costs"] == "0.10"


async def test_amounts_have_the_digits_of_their_currency(w: Watch):
    held = w.portfolios.held[w.company.tenant, FOLIO]
    w.portfolios.held[w.company.tenant, FOLIO] = replace(held, currency="JPY", cash={"JPY": held.cash["USD"]})
    fixed = [{"symbol": BTC, "min": 0.2, "max": 0.2}, {"symbol": ETH, "min": 0.8, "max": 0.8}]

    told = await ask(
        w, OPTIMIZE, universe={"portfolioId": FOLIO, "constraints": {"bounds": fixed}},
        costs={"fixed": "1.4", "basisPoints": "3"}, lots=[{"symbol": each, "lot": "0.01"} for each in (BTC, ETH)],
    )  # fmt: skip
    (hedge,) = (
        await ask(w, HEDGE, portfolioId=FOLIO, candidates=[{"symbol": PERPETUAL, "contractSize": "1", "lot": "0.1"}])
    )["candidates"]

    plan = told["plan"]
    amounts = [plan[name] for name in ("value", "costs", "cash")]
    amounts += [each[name] for each in plan["trades"] for name in ("notional", "cost")]
    amounts += [hedge["proposals"][0][name] for name in ("value", "residualValue")]
    amounts += [hedge["proposals"][0]["cost"][name] for name in ("fees", "spread", "funding", "total")]
    assert [each for each in amounts if "." in each] == []
    # The prices are in dollars: yen are converted, which costs what a trade does.
    assert [(each["from"], each["to"], "." in each["amount"], each["cost"]) for each in plan["conversions"]] == [
        ("JPY", "USD", False, "1")
    ]
    assert (plan["currency"], plan["costs"]) == ("JPY", "3")


async def test_cash_in_another_currency_is_converted_as_far_as_trades_need_it(
    w: Watch, monkeypatch: pytest.MonkeyPatch
):
    async def rate(self: Market, source: str, target: str, *given: Any) -> Any:
        return SimpleNamespace(value={"EUR": Decimal("1.08")}[source])

    monkeypatch.setattr(Market, "rate", rate)
    w.hold({BTC: ("1", "100")}, cash="1180")
    key = (w.company.tenant, FOLIO)
    w.portfolios.held[key] = replace(w.portfolios.held[key], cash={"USD": Decimal(100), "EUR": Decimal(1000)})
    fixed = [{"symbol": BTC, "min": 0.5, "max": 0.5}]

    told = await ask(
        w, OPTIMIZE, costs={"basisPoints": "100"},
        universe={"portfolioId": FOLIO, "constraints": {"bounds": fixed, "minTotal": 0.5, "maxTotal": 0.5}},
        lots=[{"symbol": BTC, "lot": "1"}],
    )  # fmt: skip

    plan = told["plan"]
    # 500 and 5.00 for the trade, 100 of them there: 409.09 come from euros, and cost 4.09 of themselves.
    assert [(each["side"], each["quantity"], each["cost"]) for each in plan["trades"]] == [("BUY", "5", "5.00")]
    assert plan["conversions"] == [
        {"from": "EUR", "to": "USD", "amount": "378.79", "rate": "1.08", "received": "409.09", "cost": "4.09"}
    ]
    assert (plan["value"], plan["costs"], plan["cash"], plan["warnings"]) == ("1280.00", "9.09", "670.91", [])


async def test_prices_of_what_is_not_held_are_asked_at_once():
    asked: list[str] = []
    all_asked = asyncio.Event()

    async def quoted(context: Any, instrument: Any, *given: Any) -> Quote:
        asked.append(str(instrument))
        if len(asked) == 3:
            all_asked.set()
        await all_asked.wait()
        return quote(str(instrument), "1.5")

    context: Any = SimpleNamespace(service=lambda port: SimpleNamespace(quote=quoted))
    wanted = instruments(BTC, ETH, PERPETUAL)

    async with asyncio.timeout(5):
        assert await quoted_at_once(context, wanted, "USD") == dict.fromkeys(wanted, Decimal("1.5"))


def test_a_price_is_the_quote_or_the_quote_at_the_rate_of_the_valuation():
    (bitcoin,) = instruments(BTC)
    cases = [
        # What a weight holds is its value by the price, to so many digits: the price is not what is left of them.
        ("0.069774833124113287", "85990.89", "6000", "85990.89"),
        ("3", "187.15", "561.45", "187.15"),
        ("3", "187.15", "606.366", "202.122"),
        ("0.3", "85990.889", "23737.5250129", "79125.0833763"),
        ("-7", "0.1", "-0.76090293", "0.108700418571"),
        ("2", None, "3", "1.5"),
    ]

    told = [
        price_of(
            Position(
                instrument=bitcoin, quantity=Decimal(quantity), price=None if price is None else Decimal(price),
                value=Decimal(value),
            )
        )
        for quantity, price, value, _ in cases
    ]  # fmt: skip

    assert [format(each, "f") for each in told] == [price for *_, price in cases]


async def test_what_is_not_held_yet_is_bought_at_its_quote(w: Watch):
    w.hold({}, cash="1000")

    told = await ask(
        w, OPTIMIZE,
        universe={"portfolioId": FOLIO, "symbols": [BTC, ETH], "constraints": {
            "bounds": [{"symbol": BTC, "min": 0.5, "max": 0.5}]}},
        lots=[{"symbol": BTC, "lot": "1"}, {"symbol": ETH, "lot": "1"}],
    )  # fmt: skip

    trades = {each["symbol"]: (each["side"], each["quantity"]) for each in told["plan"]["trades"]}
    assert trades == {BTC: ("BUY", trades[BTC][1]), ETH: ("BUY", trades[ETH][1])}
    assert told["current"] == [0.0, 0.0]


async def test_the_frontier_rises_from_the_least_variance(w: Watch):
    told = await ask(w, FRONTIER, universe=BOTH, points=5)

    assert len(told["weights"]) == len(told["expectedReturns"]) == 5
    assert isclose(told["weights"][0][0], least_variance(), abs_tol=1e-6)
    assert told["expectedReturns"] == sorted(told["expectedReturns"])
    assert told["volatilities"] == sorted(told["volatilities"])
    assert (told["periodsPerYear"], told["count"], told["covarianceMethod"], told["ddof"]) == (252, 5, "sample", 1)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"universe": {}}, "symbols"),
    ({"universe": {"symbols": [BTC, "BTC-USD"]}}, "symbols"),
    ({"universe": {"portfolioId": "folio_9"}}, "portfolioId"),
    ({"universe": {**BOTH, "constraints": {"minWeight": 0.5, "maxWeight": 0.4}}}, "constraints.minWeight"),
    ({"universe": {**BOTH, "constraints": {}, "constraintSetId": "cset_1"}}, "constraints"),
    ({"universe": {**BOTH, "constraintSetId": "cset_1"}}, "constraintSetId"),
    ({"universe": {**BOTH, "start": "2026-11-20", "end": "2026-11-19"}}, "start"),
    ({"universe": {**BOTH, "constraints": {"groups": [{"name": "Sun", "symbols": ["SOL-USD"], "min": 0.1}]}}},
     "constraints.groups.Sun"),
    ({"universe": {**BOTH, "expectedReturns": [{"symbol": "SOL-USD", "expectedReturn": 0.1}]}}, "expectedReturns"),
    ({"universe": BOTH, "objective": "RISK_PARITY", "budgets": [{"symbol": "SOL-USD", "weight": 1}]}, "budgets"),
    ({"universe": BOTH, "objective": "TARGET_RETURN"}, "target"),
    ({"universe": BOTH, "objective": "MINIMUM_CVAR", "confidence": 1}, "confidence"),
    ({"universe": {**BOTH, "riskFree": 70}}, "riskFree"),
    ({"universe": {**BOTH, "constraints": {"turnover": 0.1}}}, "portfolioId"),
    ({"universe": {**BOTH, "constraints": {"cardinality": 1}}, "objective": "RISK_PARITY"}, "constraints.cardinality"),
    ({"universe": {**BOTH, "constraints": {"minWeight": 0.1}}, "objective": "HIERARCHICAL_RISK_PARITY"},
     "constraints.minWeight"),
    ({"universe": BOTH, "objective": "TARGET_VOLATILITY", "target": 1e308}, "target"),
    ({"universe": {**BOTH, "expectedReturns": [{"symbol": each, "expectedReturn": 1e308} for each in (BTC, ETH)]},
      "objective": "TARGET_VOLATILITY", "target": 0.2}, f"expectedReturns.{BTC}"),
    ({"universe": {"portfolioId": FOLIO}, "costs": {"fixed": "9" * 40}}, "costs.fixed"),
    ({"universe": {"portfolioId": FOLIO}, "costs": {"fixed": "100000"}}, "costs"),
    ({"universe": {"portfolioId": FOLIO}, "costs": {"basisPoints": "-1"}}, "costs.basisPoints"),
    ({"universe": {"portfolioId": FOLIO}, "smallestTrade": "-1"}, "smallestTrade"),
    ({"universe": {"portfolioId": FOLIO}, "lots": [{"symbol": BTC, "lot": "0"}]}, "lots.0.lot"),
]  # fmt: skip


async def test_bad_input_is_an_error_that_names_its_field(w: Watch):
    told = [await refused(w, OPTIMIZE, **given) for given, _ in BAD]

    assert [(each["code"], each["field"]) for each in told] == [("BAD_USER_INPUT", field) for _, field in BAD]
    assert (await refused(w, FRONTIER, universe=BOTH, points=1))["field"] == "points"


async def test_every_objective_has_an_answer_whose_weights_sum(w: Watch):
    told = []
    for objective, more in [
        ("MINIMUM_VARIANCE", {}), ("MAXIMUM_SHARPE", {}), ("RISK_PARITY", {}), ("HIERARCHICAL_RISK_PARITY", {}),
        ("MINIMUM_CVAR", {}), ("TARGET_RETURN", {"target": 4.6}), ("TARGET_VOLATILITY", {"target": 1.0}),
    ]:  # fmt: skip
        answer = await ask(w, OPTIMIZE, universe=BOTH, objective=objective, **more)
        told.append((answer["objective"], round(sum(answer["weights"]) + answer["cash"], 6)))

    assert [total for _, total in told] == [1.0] * 7


async def test_an_instrument_without_prices_is_refused_by_name(w: Watch):
    error = await refused(w, OPTIMIZE, universe={"symbols": [BTC, "SOL-USD"]})

    assert error["code"] == "NOT_COMPUTABLE"


async def test_a_perpetual_that_moves_alike_hedges_all_but_the_rounding_with_basis_and_cost(w: Watch):
    told = await ask(
        w, HEDGE, position={"symbol": BTC, "quantity": "3"}, days=10,
        candidates=[{
            "symbol": PERPETUAL, "contractSize": "1", "lot": "1", "feeBps": "5", "fundingPerDay": "0.0003",
        }],
    )  # fmt: skip

    assert (told["currency"], told["value"]) == ("USD", "300.00")
    assert isclose(told["unhedged"]["value"], stdev(BTC_RETURNS) * sqrt(252), rel_tol=1e-9)
    (candidate,) = told["candidates"]
    facts = ("symbol", "price", "contractSize", "lot", "feeBps", "fundingPerDay")
    assert {name: candidate[name] for name in facts} == {
        "symbol": PERPETUAL, "price": "101", "contractSize": "1", "lot": "1", "feeBps": "5", "fundingPerDay": "0.0003",
    }  # fmt: skip
    assert candidate["basis"]["absolute"] == "-1"
    assert (candidate["basis"]["relative"], candidate["basis"]["annual"]) == ("-0.01", None)
    (proposal,) = candidate["proposals"]
    assert isclose(proposal["ratio"]["value"], 1.0, rel_tol=1e-9)
    assert (proposal["kind"], proposal["contracts"], proposal["value"]) == ("MINIMUM_VARIANCE", "-3", "-303.00")
    assert proposal["order"] == {
        "symbol": PERPETUAL, "side": "SELL", "quantity": "3", "price": "101", "notional": "303.00",
    }  # fmt: skip
    assert isclose(proposal["residual"]["value"], 0.01 * stdev(BTC_RETURNS) * sqrt(252), rel_tol=1e-6)
    # 2 · 0.0005 · 303, 303 · 0.201 / 101 and -303 · 0.003, each to the cent.
    assert proposal["cost"] == {"fees": "0.30", "spread": "0.60", "funding": "-0.91", "total": "-0.01", "days": 10}


async def test_a_portfolio_is_hedged_as_a_whole_by_beta_too(w: Watch):
    told = await ask(
        w, HEDGE.replace("residualValue", "residualValue rSquared { value }"), portfolioId=FOLIO, benchmark=BTC,
        candidates=[{"symbol": PERPETUAL, "contractSize": "1", "lot": "0.0001", "fundingPerDay": "0"}],
    )  # fmt: skip

    (candidate,) = told["candidates"]
    assert told["value"] == "250.00"
    assert candidate["basis"] is None
    assert [(each["kind"], each["rSquared"] is None) for each in candidate["proposals"]] == [
        ("MINIMUM_VARIANCE", False), ("BETA", True),
    ]  # fmt: skip


async def test_candidates_that_nobody_quotes_or_has_prices_of_are_named_and_the_others_compared(w: Watch):
    w.panels.answer = panel({symbol: UP[symbol] for symbol in (BTC, PERPETUAL)})
    asked = [{"symbol": PERPETUAL, "fundingPerDay": "0"}, {"symbol": ETH}, {"symbol": "SOL-USD"}]

    told = await ask(w, HEDGE, position={"symbol": BTC, "quantity": "1"}, candidates=asked)
    none = await refused(w, HEDGE, position={"symbol": BTC, "quantity": "1"}, candidates=asked[1:])

    assert [each["symbol"] for each in told["candidates"]] == [PERPETUAL]
    assert told["warnings"] == [
        "crypto:SOL/USD: nobody quotes crypto:SOL/USD above 0: what it is worth is not known",
        "crypto:ETH/USD: nobody has candles of crypto:ETH/USD",
    ]
    assert none["code"] == "NOT_COMPUTABLE"


async def test_a_hedge_that_cannot_be_is_refused_by_its_field(w: Watch):
    candidates, position = [{"symbol": PERPETUAL}], {"symbol": BTC, "quantity": "1"}
    told = [
        await refused(w, HEDGE, candidates=candidates),
        await refused(w, HEDGE, candidates=candidates, position=position, portfolioId=FOLIO),
        await refused(w, HEDGE, candidates=[], position=position),
        await refused(w, HEDGE, candidates=[{"symbol": BTC}], position=position),
        await refused(w, HEDGE, candidates=candidates, position={**position, "quantity": "0"}),
        await refused(w, HEDGE, candidates=candidates, position=position, days=0),
        await refused(w, HEDGE, candidates=candidates, portfolioId=FOLIO, currency="EUR"),
        *[
            await refused(w, HEDGE, candidates=candidates, position=position, currency=currency)
            for currency in ("QQQ", "E" * 5_000, "GBX", "")
        ],
        await refused(w, HEDGE, candidates=candidates, position=position, benchmark=ETH, targetBeta=1e308),
        await refused(w, HEDGE, candidates=candidates, position={**position, "quantity": "9" * 40}),
        *[
            await refused(w, HEDGE, candidates=[{"symbol": PERPETUAL, **more}], position=position)
            for more in (
                {"lot": "0"}, {"lot": "-1"}, {"contractSize": "0"}, {"contractSize": "9" * 40}, {"feeBps": "9" * 40},
                {"spreadBps": "-1"}, {"fundingPerDay": "9" * 40},
            )
        ],
    ]  # fmt: skip

    assert [each["field"] for each in told] == [
        "portfolioId", "portfolioId", "candidates", "candidates", "position", "days", "currency",
        "currency", "currency", "currency", "currency", "targetBeta", "position",
        "candidates.0.lot", "candidates.0.lot", "candidates.0.contractSize", "candidates.0.contractSize",
        "candidates.0.feeBps", "candidates.0.spreadBps", "candidates.0.fundingPerDay",
    ]  # fmt: skip
