"""Risk, correlation, components and stress through GraphQL, on panels small enough to reckon by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from math import isclose, sqrt
from pathlib import Path
from statistics import stdev
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.core.contract import Market
from gateway.core.identity import Scope
from gateway.core.ports import Panel
from plugins.accounts.keys.desk import KeyDesk
from plugins.risk.tables import limits
from tests.plugins.risk.panels import panel
from tests.plugins.risk.watching import BTC, CREATE, ETH, FOLIO, UPDATE, Watch, watch

FIGURE = "{ value method periodsPerYear ddof count start end }"
RISK = f"""query($i: RiskInput!) {{ risk(input: $i) {{
  portfolioId symbols weights cash volatility {{ exPost {FIGURE} exAnte {FIGURE} }}
  valueAtRisk(confidence: 0.75) {FIGURE} conditionalValueAtRisk(confidence: 0.75) {FIGURE}
  tails {{ method confidence valueAtRisk {FIGURE} conditionalValueAtRisk {FIGURE} }}
  covariance {{ method shrinkage rank assets }}
  components(confidence: 0.75) {{ symbols volatility {{ total {{ value }} component share }}
    tailMean {{ total {{ value }} component }} incrementalValueAtRisk }}
  warnings dropped data {{ symbols start end count periodsPerYear missing {{ symbol dates }}
    failures {{ symbol code message }} }} }} }}"""
SHORT = "query($i: RiskInput!) { risk(input: $i) { valueAtRisk { value count } data { failures { symbol code } missing { symbol dates } } dropped } }"  # noqa: E501
EXPOSURE = """query($i: RiskInput!) { risk(input: $i) { exposure { currency value cash long short gross net leverage
  byClass { concentration groups { key gross grossWeight } } byCurrency { groups { key net } }
  bySector { groups { key } } byName { groups { key netWeight } } } } }"""
STRESS = """query($i: StressTestInput!) { stressTest(input: $i) { symbols weights outcomes {
  name historical method start end change drawdown changes contributions warnings } } }"""
STRESSED = """query($i: StressTestInput!) { stressTest(input: $i) { outcomes { name count dropped
  data { symbols count missing { symbol dates } provenance { provider } } } } }"""
CORRELATION = """query($s: [String!]!, $m: CorrelationMethod!, $w: Int) {
  correlation(symbols: $s, method: $m, window: $w) { symbols method matrix average { value count }
    rolling { window dates pairs { first second values } } count start end } }"""
PCA = """query($s: [String!]!, $n: Int!) { principalComponents(symbols: $s, components: $n) { symbols basis
  totalVariance { value } variances ratios rank loadings dates factorReturns } }"""
UP = {BTC: ["100", "110", "99", "108.9", "98.01"], ETH: ["10", "10", "11", "11", "12.1"]}
"""Bitcoin goes up and down by a tenth, ether stays and rises by a tenth."""
HALF = {"weights": [{"symbol": BTC, "weight": 0.5}, {"symbol": ETH, "weight": 0.5}]}
RETURNS = [0.05, 0.0, 0.05, 0.0]
"""Of both by half."""


@pytest.fixture
async def w(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Watch]:
    async with watch(sqlite_url, tmp_path) as made:
        made.panels.answer = panel(UP)
        yield made


async def ask(made: Watch, document: str, /, **variables: Any) -> dict[str, Any]:
    body = await made.house.ask(document, variables, token=made.company.tokens["ada"])
    assert "errors" not in body, body
    return dict(next(iter(body["data"].values())))


async def refusal(made: Watch, document: str, /, **variables: Any) -> tuple[str, str]:
    """Code and message of the first error."""
    error = (await made.house.ask(document, variables, token=made.company.tokens["ada"]))["errors"][0]
    return str(error["extensions"]["code"]), str(error["message"])


async def test_the_risk_of_weights_is_that_of_their_returns_each_figure_with_its_convention(w: Watch):
    told = await ask(w, RISK, i={**HALF, "confidences": [0.75]})

    span = {"count": 4, "start": "2026-11-03", "end": "2026-11-06"}
    volatility = told["volatility"]["exPost"]
    assert isclose(volatility.pop("value"), stdev(RETURNS) * sqrt(252), rel_tol=1e-12)
    assert volatility == {
        "method": "standard deviation of the portfolio's returns, times √n", "periodsPerYear": 252, "ddof": 1, **span,
    }  # fmt: skip
    assert isclose(told["volatility"]["exAnte"]["value"], stdev(RETURNS) * sqrt(252), rel_tol=1e-12)
    assert isclose(told["valueAtRisk"]["value"], 0.0, abs_tol=1e-12)
    assert {name: told["valueAtRisk"][name] for name in span} == span
    assert (told["symbols"], told["weights"], told["cash"]) == ([BTC, ETH], [0.5, 0.5], 0.0)
    assert [(each["method"], each["confidence"]) for each in told["tails"]] == [
        ("HISTORICAL", 0.75), ("PARAMETRIC", 0.75), ("CORNISH_FISHER", 0.75), ("MONTE_CARLO", 0.75),
    ]  # fmt: skip
    assert told["covariance"] == {"method": told["covariance"]["method"], "shrinkage": None, "rank": 1, "assets": 2}
    parts = told["components"]
    assert isclose(sum(parts["volatility"]["component"]), parts["volatility"]["total"]["value"], rel_tol=1e-12)
    assert isclose(sum(parts["volatility"]["share"]), 1.0, rel_tol=1e-12)
    assert isclose(sum(parts["tailMean"]["component"]), parts["tailMean"]["total"]["value"], abs_tol=1e-12)
    assert told["data"] == {
        "symbols": [BTC, ETH], "start": "2026-11-02", "end": "2026-11-06", "count": 5, "periodsPerYear": 252,
        "missing": [], "failures": [],
    }  # fmt: skip


async def test_fields_of_one_analysis_share_its_prices_and_its_computing(w: Watch):
    await ask(w, RISK, i={**HALF, "confidences": [0.75]})

    assert len(w.panels.asked) == 1
    assert sorted(w.computing.ran) == [
        "gateway.core.quant.tasks_risk:contributions", "gateway.core.quant.tasks_risk:risk",
    ]  # fmt: skip


async def test_a_question_that_nobody_waits_for_any_more_is_not_computed(w: Watch):
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def run(*given: Any, **how: Any) -> Any:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    w.computing.run = run  # type: ignore[method-assign]
    asking = asyncio.create_task(w.house.ask(SHORT, {"i": HALF}, token=w.company.tokens["ada"]))
    await begun.wait()
    asking.cancel()
    await asyncio.wait({asking})
    await asyncio.sleep(0)

    assert stopped.is_set()


async def test_a_stored_portfolio_is_weighed_as_it_is_held_now_in_its_own_currency(w: Watch):
    told = await ask(w, RISK, i={"portfolioId": FOLIO, "confidences": [0.75]})

    assert (told["portfolioId"], told["symbols"], told["weights"], told["cash"]) == (FOLIO, [BTC, ETH], [0.4, 0.4], 0.2)
    (asked,) = w.panels.asked
    assert (asked.currency, str(asked.start.date()), str(asked.end.date())) == ("USD", "2025-11-20", "2026-11-20")


async def test_a_portfolio_is_compared_with_a_benchmark_on_common_dates(w: Watch):
    document = f"""query($i: RiskInput!) {{ risk(input: $i) {{ relative(benchmark: "BTC-USD") {{
      benchmark beta {FIGURE} correlation {{ value }} trackingError {{ value }} upCapture {{ value }}
      downCapture {{ value }} warnings }} }} }}"""

    told = (await ask(w, document, i=HALF))["relative"]

    # By half, the portfolio earns 0.05 where bitcoin earns 0.1, and 0 where it loses 0.1.
    assert (told["benchmark"], told["warnings"]) == (BTC, [])
    assert isclose(told["beta"]["value"], 0.25, rel_tol=1e-9)
    assert told["beta"] == {**told["beta"], "ddof": 1, "count": 4, "start": "2026-11-03", "end": "2026-11-06"}
    assert isclose(told["correlation"]["value"], 1.0, rel_tol=1e-9)
    assert isclose(told["trackingError"]["value"], stdev([-0.05, 0.1, -0.05, 0.1]) * sqrt(252), rel_tol=1e-9)
    assert isclose(told["upCapture"]["value"], 0.5, rel_tol=1e-9)
    assert isclose(told["downCapture"]["value"], 0.0, abs_tol=1e-12)


async def test_exposure_is_exact_and_by_whatever_positions_share(w: Watch):
    w.hold({BTC: ("1", "100"), ETH: ("-5", "10")}, cash="50")

    told = (await ask(w, EXPOSURE, i={"portfolioId": FOLIO}))["exposure"]

    assert told == {
        "currency": "USD", "value": "100.00", "cash": "50.00", "long": "100.00", "short": "-50.00",
        "gross": "150.00", "net": "50.00",
        "leverage": "1.5",
        "byClass": {"concentration": "1", "groups": [{"key": "CRYPTO", "gross": "150.00", "grossWeight": "1.5"}]},
        "byCurrency": {"groups": [{"key": "USD", "net": "100.00"}]}, "bySector": {"groups": [{"key": "UNKNOWN"}]},
        "byName": {"groups": [{"key": BTC, "netWeight": "1"}, {"key": ETH, "netWeight": "-0.5"}]},
    }  # fmt: skip


async def test_the_exposure_of_weights_counts_their_cash(w: Watch):
    wanted = (
        "query($i: RiskInput!) { risk(input: $i) { exposure { value cash leverage byName { groups { grossWeight } } "
        "byCurrency { groups { key net } } } } }"
    )
    told = []
    for first, second, cash in ((1.2, 0.8, -1), (0.6, 0.3, 0.1), (-0.5, 0, 1.5)):
        given = [{"symbol": BTC, "weight": first}, {"symbol": ETH, "weight": second}]
        found = (await ask(w, wanted, i={"weights": given, "cash": cash, "currency": "EUR"}))["exposure"]
        names = [each["grossWeight"] for each in found["byName"]["groups"]]
        told.append((found["value"], found["cash"], found["leverage"], names))
        assert {"key": "EUR", "net": found["cash"]} in found["byCurrency"]["groups"]

    assert told == [
        ("1", "-1", "2", ["1.2", "0.8"]), ("1", "0.1", "0.9", ["0.6", "0.3"]), ("1", "1.5", "0.5", ["0.5", "0"]),
    ]  # fmt: skip


async def test_money_of_an_exposure_has_the_digits_of_its_currency(w: Watch):
    w.hold({BTC: ("0.3", "85990.889"), ETH: ("-1", "10.005")}, cash="0.001")

    told = (await ask(w, EXPOSURE, i={"portfolioId": FOLIO}))["exposure"]

    assert [told[name] for name in ("value", "cash", "long", "short", "gross", "net")] == [
        "25787.26", "0.00", "25797.27", "-10.00", "25807.27", "25787.26",
    ]  # fmt: skip
    assert told["byClass"]["groups"][0]["gross"] == "25807.27"


async def test_a_portfolio_of_cash_alone_has_an_exposure_and_says_of_its_figures_why_there_are_none(w: Watch):
    w.hold({}, cash="100")
    wanted = """query($i: RiskInput!) { risk(input: $i) { symbols cash exposure { value leverage }
      stress(windows: [COVID_2020], scenarios: [{name: "X", shocks: [{currency: "EUR", change: -0.1}]}]) {
        outcomes { name change count } }
      volatility { exPost { value } } relative(benchmark: "BTC-USD") { benchmark } data { count } } }"""

    body = await w.house.ask(wanted, {"i": {"portfolioId": FOLIO}}, token=w.company.tokens["ada"])

    assert body["data"]["risk"] == {
        "symbols": [], "cash": 1.0, "exposure": {"value": "100.00", "leverage": "0"}, "volatility": None,
        "stress": {"outcomes": [
            {"name": "COVID_2020", "change": 0.0, "count": None}, {"name": "X", "change": 0.0, "count": None},
        ]},
        "relative": None, "data": {"count": 0},
    }  # fmt: skip
    assert {(each["path"][1], each["message"]) for each in body["errors"]} == {
        (name, "the portfolio holds nothing but cash, which has no risk here") for name in ("volatility", "relative")
    }
    assert w.panels.asked == []


async def test_cash_stands_under_its_currencies_at_the_rates_of_now(w: Watch, monkeypatch: pytest.MonkeyPatch):
    async def rate(self: Market, source: str, target: str, *given: Any) -> Any:
        return SimpleNamespace(value={"EUR": Decimal(2)}[source])

    monkeypatch.setattr(Market, "rate", rate)
    w.hold({BTC: ("1", "100")}, cash="80")
    key = (w.company.tenant, FOLIO)
    held = w.portfolios.held[key]
    w.portfolios.held[key] = replace(held, cash={"USD": Decimal(20), "EUR": Decimal(30), "GBP": Decimal(0)})

    told = (await ask(w, EXPOSURE, i={"portfolioId": FOLIO}))["exposure"]

    assert told["byCurrency"]["groups"] == [{"key": "USD", "net": "120.00"}, {"key": "EUR", "net": "60.00"}]


async def test_weights_with_cash_sum_to_one(w: Watch):
    given = {"weights": [{"symbol": BTC, "weight": 0.3}, {"symbol": ETH, "weight": 0.2}], "cash": 0.5}

    told = await ask(w, RISK, i={**given, "confidences": [0.75]})

    assert told["cash"] == 0.5
    assert isclose(told["volatility"]["exPost"]["value"], stdev([0.03, -0.01, 0.03, -0.01]) * sqrt(252), rel_tol=1e-9)


async def test_gaps_are_refused_by_name_or_left_out_and_reported_never_filled(w: Watch):
    w.panels.answer = panel({**UP, ETH: ["10", None, "11", "11", "12.1"]})

    refused = await refusal(w, SHORT, i=HALF)
    told = await ask(w, SHORT, i={**HALF, "missing": "DROP_ROWS"})

    assert refused[0] == "NOT_COMPUTABLE"
    assert ETH in refused[1]
    assert told["data"]["missing"] == [{"symbol": ETH, "dates": ["2026-11-03"]}]
    assert told["dropped"] == ["2026-11-03"]
    assert told["valueAtRisk"]["count"] == 3


async def test_an_instrument_without_prices_is_named_and_its_figures_are_refused(w: Watch):
    w.panels.answer = panel({BTC: UP[BTC]})

    body = await w.house.ask(SHORT, {"i": HALF}, token=w.company.tokens["ada"])

    assert body["data"]["risk"]["valueAtRisk"] is None
    assert body["data"]["risk"]["data"]["failures"] == [{"symbol": ETH, "code": "NOT_COVERED"}]
    assert {error["extensions"]["code"] for error in body["errors"]} == {"NOT_COMPUTABLE"}


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "portfolioId"),
    ({**HALF, "portfolioId": FOLIO}, "portfolioId"),
    ({"portfolioId": "folio_9"}, "portfolioId"),
    ({"weights": []}, "weights"),
    ({"weights": [*HALF["weights"], {"symbol": "BTC-USD", "weight": 0}]}, "weights"),
    ({"weights": [{"symbol": BTC, "weight": 0.5}]}, "weights"),
    ({"weights": [{"symbol": BTC, "weight": 0.5}], "cash": 0.4}, "weights"),
    ({"portfolioId": FOLIO, "cash": 0.4}, "cash"),
    ({**HALF, "start": "2026-11-20", "end": "2026-11-20"}, "start"),
    ({**HALF, "start": "2026-11-21", "end": "2026-11-20"}, "start"),
    ({**HALF, "start": "1900-01-01"}, "start"),
    ({**HALF, "confidences": [1]}, "confidences"),
    ({**HALF, "confidences": []}, "confidences"),
    ({**HALF, "confidences": [0.99]}, "confidence"),
    ({**HALF, "horizon": 0}, "horizon"),
    ({**HALF, "draws": 0}, "draws"),
    ({**HALF, "seed": -1}, "seed"),
]


async def test_bad_input_is_an_error_that_names_its_field(w: Watch):
    told = []
    for given, _ in BAD:
        body = await w.house.ask(SHORT, {"i": given}, token=w.company.tokens["ada"])
        told.append({(error["extensions"]["code"], error["extensions"]["field"]) for error in body["errors"]})

    assert told == [{("BAD_USER_INPUT", field)} for _, field in BAD]


async def test_too_few_observations_and_worthless_portfolios_are_refused_in_words(w: Watch):
    w.panels.answer = panel({BTC: ["100", "110"], ETH: ["10", "11"]})
    few = await refusal(w, "query($i: RiskInput!) { risk(input: $i) { volatility { exPost { value } } } }", i=HALF)
    w.hold({BTC: ("1", "100")}, cash="-100")
    worthless = await refusal(w, SHORT, i={"portfolioId": FOLIO})
    w.hold({BTC: ("1", None)})
    unpriced = await refusal(w, SHORT, i={"portfolioId": FOLIO})

    assert [each[0] for each in (few, worthless, unpriced)] == ["NOT_COMPUTABLE"] * 3
    assert worthless[1] == "the portfolio is worth 0 USD: weights need a value above 0"
    assert unpriced[1] == "no price of crypto:BTC/USD: what the portfolio weighs is not known"


async def test_a_constant_series_has_no_correlation_and_says_so(w: Watch):
    w.panels.answer = panel({BTC: UP[BTC], ETH: ["10", "10", "10", "10", "10"]})

    code, message = await refusal(w, CORRELATION, s=[BTC, ETH], m="PEARSON", w=None)

    assert code == "NOT_COMPUTABLE"
    assert ETH in message


async def test_correlation_is_a_matrix_its_average_and_windows(w: Watch):
    told = await ask(w, CORRELATION, s=[BTC, "ETH-USD"], m="PEARSON", w=3)

    assert told["symbols"] == [BTC, ETH]
    assert isclose(told["matrix"][0][1], -1.0, rel_tol=1e-12)
    assert isclose(told["average"]["value"], -1.0, rel_tol=1e-12)
    assert (told["count"], told["start"], told["end"]) == (4, "2026-11-03", "2026-11-06")
    (pair,) = told["rolling"]["pairs"]
    assert (pair["first"], pair["second"], told["rolling"]["dates"]) == (BTC, ETH, ["2026-11-05", "2026-11-06"])
    assert [round(value, 12) for value in pair["values"]] == [-1.0, -1.0]


async def test_windows_that_are_too_short_or_too_many_are_refused(w: Watch):
    many = [f"crypto:A{number}/USD" for number in range(40)]
    short, large = (
        await refusal(w, CORRELATION, s=[BTC, ETH], m="PEARSON", w=2),
        await refusal(w, CORRELATION, s=many, m="PEARSON", w=30),
    )

    assert (short[0], large[0]) == ("BAD_USER_INPUT", "BAD_USER_INPUT")
    assert "284,700 values" in large[1]
    assert w.panels.asked == []


async def test_components_explain_the_trace_and_are_no_more_than_the_data_have(w: Watch):
    told = await ask(w, PCA, s=[BTC, ETH], n=2)

    variances = [stdev([0.1, -0.1, 0.1, -0.1]) ** 2, stdev([0.0, 0.1, 0.0, 0.1]) ** 2]
    assert isclose(told["totalVariance"]["value"], sum(variances), rel_tol=1e-10)
    assert isclose(sum(told["variances"]), sum(variances), rel_tol=1e-10)
    assert told["rank"] == 1
    assert [len(row) for row in told["factorReturns"]] == [4, 4]
    assert isclose(stdev(told["factorReturns"][0]) ** 2, told["variances"][0], rel_tol=1e-10)


async def test_shocks_hit_symbols_before_classes_and_need_no_prices(w: Watch):
    told = await ask(
        w, STRESS,
        i={
            **HALF,
            "scenarios": [
                {"name": "Crash", "shocks": [
                    {"symbol": "BTC-USD", "change": -0.5}, {"assetClass": "CRYPTO", "change": -0.2},
                ]},
                {"name": "Dollar", "shocks": [{"currency": "usd", "change": 0.1}]},
            ],
        },
    )  # fmt: skip

    crash, dollar = told["outcomes"]
    assert (crash["name"], crash["historical"], round(crash["change"], 12)) == ("Crash", False, -0.35)
    assert [round(each, 12) for each in crash["changes"]] == [-0.5, -0.2]
    assert [round(each, 12) for each in crash["contributions"]] == [-0.25, -0.1]
    assert isclose(dollar["change"], 0.1, rel_tol=1e-12)
    assert w.panels.asked == []


async def test_shocks_of_currencies_move_foreign_cash_and_none_is_of_the_portfolios_own(
    w: Watch, monkeypatch: pytest.MonkeyPatch
):
    async def rate(self: Market, source: str, target: str, *given: Any) -> Any:
        return SimpleNamespace(value={"EUR": Decimal("1.25")}[source])

    monkeypatch.setattr(Market, "rate", rate)
    w.hold({BTC: ("1", "80")}, cash="20")
    key = (w.company.tenant, FOLIO)
    w.portfolios.held[key] = replace(w.portfolios.held[key], cash={"EUR": Decimal(8), "USD": Decimal(10)})
    wanted = STRESS.replace("contributions", "contributions cashContribution")

    def given(currency: str) -> dict[str, Any]:
        return {
            "portfolioId": FOLIO,
            "scenarios": [{"name": "X", "shocks": [{"currency": currency, "change": -0.2}]}],
        }

    (euro,) = (await ask(w, wanted, i=given("eur")))["outcomes"]
    own = (await w.house.ask(wanted, {"i": given(" usd")}, token=w.company.tokens["ada"]))["errors"][0]["extensions"]

    assert [round(each, 12) for each in (euro["change"], euro["cashContribution"])] == [-0.02, -0.02]
    assert (euro["contributions"], euro["warnings"]) == ([0.0], [])
    assert (own["code"], own["field"]) == ("BAD_USER_INPUT", "scenarios.0.shocks.0.currency")


async def test_what_venues_quote_in_is_no_currency_to_value_or_to_shock(w: Watch):
    async def refusal(document: str, given: dict[str, Any]) -> tuple[str, str]:
        (error,) = (await w.house.ask(document, given, token=w.company.tokens["ada"]))["errors"]
        return error["extensions"]["code"], error["extensions"]["field"]

    def shocked(code: str) -> dict[str, Any]:
        shocks = [{"symbol": BTC, "change": -0.1}, {"currency": code, "change": -0.1}]
        return {"i": {**HALF, "scenarios": [{"name": "X", "shocks": shocks}]}}

    w.hold({BTC: ("1", "80")}, cash="20")
    correlation = 'query($c: String) { correlation(symbols: ["crypto:BTC/USD"], currency: $c) { matrix } }'
    optimize = "query($i: OptimizeInput!) { optimize(input: $i) { weights } }"
    universe = {"symbols": [BTC, ETH], "currency": "GBp"}

    for document, given, field in (
        (SHORT, {"i": {**HALF, "currency": "GBp"}}, "currency"),
        (SHORT, {"i": {"portfolioId": FOLIO, "currency": "GBp"}}, "currency"),
        (STRESS, {"i": {**HALF, "currency": "GBp"}}, "currency"),
        (optimize, {"i": {"objective": "MINIMUM_VARIANCE", "universe": universe}}, "currency"),
        (correlation, {"c": "ILA"}, "currency"),
        (STRESS, shocked("GBp"), "scenarios.0.shocks.1.currency"),
        (STRESS, shocked("ILA"), "scenarios.0.shocks.1.currency"),
    ):
        assert await refusal(document, given) == ("BAD_USER_INPUT", field), given


async def test_a_shock_may_be_of_any_coin_that_pairs_are_quoted_in(w: Watch):
    w.panels.answer = panel({"crypto:SOL/BNB": ["1", "2", "1", "2", "1"]})
    given = {
        "weights": [{"symbol": "crypto:SOL/BNB", "weight": 1.0}],
        "scenarios": [{"name": "X", "shocks": [{"currency": "bnb", "change": -0.25}]}],
    }

    (told,) = (await ask(w, STRESS, i=given))["outcomes"]

    assert (told["change"], told["warnings"]) == (-0.25, [])


async def test_a_scenario_that_cannot_be_reckoned_says_why_and_leaves_the_others_as_they_are(w: Watch):
    w.panels.answer = panel({**UP, ETH: ["10", None, "11", "11", "12.1"], "index:SPX": [*"12132"]})
    wanted = {
        "periods": [{"name": "Mine", "start": "2026-11-02", "end": "2026-11-04"}],
        "scenarios": [
            {"name": name, "shocks": [{"change": -0.1, kind: key}]}
            for name, kind, key in (
                ("Gap", "factor", "index:SPX"),
                ("None", "factor", "equity:XYZ"),
                ("Fall", "symbol", BTC),
            )
        ],
    }

    told = (await ask(w, STRESS, i={**HALF, **wanted}))["outcomes"]
    future = {**HALF, "periods": [{"name": "Later", "start": "2026-11-02", "end": "2027-11-04"}]}
    later = (await w.house.ask(STRESS, {"i": future}, token=w.company.tokens["ada"]))["errors"][0]

    assert [(each["name"], each["change"] and round(each["change"], 12)) for each in told] == [
        ("Mine", 0.045), ("Gap", None), ("None", None), ("Fall", -0.05),
    ]  # fmt: skip
    assert "no close of crypto:ETH/USD on 2026-11-03" in told[1]["warnings"][0]
    assert told[1]["changes"] == told[1]["contributions"] == [None, None]
    assert "no prices of equity:XYZ" in told[2]["warnings"][0]
    w.panels.answer = panel({**UP, ETH: ["10", "1e31", "11", "11", "12.1"], "index:SPX": [*"12132"]})
    extreme = (await ask(w, STRESS, i={**HALF, **wanted}))["outcomes"]
    assert [each["change"] and round(each["change"], 12) for each in extreme] == [None, None, None, -0.05]
    assert all("crypto:ETH/USD: the close of 2026-11-03 is 1e+31" in each["warnings"][0] for each in extreme[:2])
    assert later["extensions"]["field"] == "periods"
    assert later["message"] == "periods: Later ends on 2027-11-04, which is in the future: give a day that is over"


async def test_a_period_is_replayed_from_its_first_close_to_its_last(w: Watch):
    told = await ask(w, STRESS, i={**HALF, "periods": [{"name": "Mine", "start": "2026-11-02", "end": "2026-11-04"}]})

    (mine,) = told["outcomes"]
    assert (mine["name"], mine["historical"], mine["start"], mine["end"]) == ("Mine", True, "2026-11-02", "2026-11-04")
    assert [round(each, 12) for each in mine["changes"]] == [-0.01, 0.1]
    assert isclose(mine["change"], 0.045, rel_tol=1e-9)
    (asked,) = w.panels.asked
    assert (str(asked.start.date()), str(asked.end.date())) == ("2026-10-25", "2026-11-05")


async def test_a_window_without_prices_has_no_change_and_names_who_lacks_them(w: Watch):
    w.panels.answer = panel({BTC: UP[BTC]})

    told = await ask(w, STRESS, i={**HALF, "windows": ["COVID_2020"]})

    (covid,) = told["outcomes"]
    assert (covid["name"], covid["change"], covid["changes"]) == ("COVID_2020", None, [None, None])
    assert any(ETH in warning for warning in covid["warnings"])


async def test_all_named_windows_are_replayed_where_nothing_is_asked_for(w: Watch):
    told = await ask(w, STRESS, i=HALF)

    assert len(told["outcomes"]) == len(w.panels.asked) == 8


async def test_factors_move_what_is_held_by_its_betas(w: Watch):
    told = await ask(
        w, STRESS,
        i={"weights": [{"symbol": ETH, "weight": 1}], "scenarios": [
            {"name": "Fall", "shocks": [{"factor": BTC, "change": -0.1}]},
        ]},
    )  # fmt: skip

    (fall,) = told["outcomes"]
    assert isclose(fall["change"], 0.05, rel_tol=1e-9)
    assert (fall["start"], fall["end"]) == ("2026-11-03", "2026-11-06")


async def test_dates_that_a_stress_test_leaves_out_are_told_with_its_prices(w: Watch):
    w.panels.answer = panel(
        {BTC: ["100", "90", "99", "105", "103"], ETH: ["10", None, "11", "12", "13"], "index:SPX": [*"12132"]}
    )
    shocks = [{"change": -0.1, "factor": "index:SPX"}]
    wanted = {
        "periods": [{"name": "Mine", "start": "2026-11-02", "end": "2026-11-04"}],
        "scenarios": [
            {"name": "Index", "shocks": shocks},
            {"name": "Fall", "shocks": [{"change": -0.1, "symbol": BTC}]},
        ],
        "missing": "DROP_ROWS",
    }

    told = await ask(w, STRESSED, i={**HALF, **wanted})

    mine, index, fall = told["outcomes"]
    assert (mine["count"], mine["dropped"]) == (2, ["2026-11-03"])
    assert mine["data"]["symbols"] == [BTC, ETH]
    assert mine["data"]["missing"] == [{"symbol": ETH, "dates": ["2026-11-03"]}]
    assert (index["count"], index["dropped"], index["data"]["symbols"][2]) == (3, ["2026-11-03"], "index:SPX")
    assert (fall["count"], fall["dropped"], fall["data"]) == (None, [], None)


async def test_shocks_that_need_no_prices_have_none(w: Watch):
    scenario = {"name": "Fall", "shocks": [{"change": -0.1, "symbol": BTC}]}

    told = await ask(w, STRESSED, i={**HALF, "scenarios": [scenario]})

    assert [(each["count"], each["dropped"], each["data"]) for each in told["outcomes"]] == [(None, [], None)]


async def test_shocks_that_cannot_be_are_refused(w: Watch):
    shocks: list[list[dict[str, Any]]] = [
        [],
        [{"change": -0.1}],
        [{"change": -0.1, "symbol": BTC, "currency": "USD"}],
        [{"change": -1.1, "symbol": BTC}],
        [{"change": -0.1, "symbol": BTC}, {"change": -0.2, "symbol": "BTC-USD"}],
    ]
    told = [await refusal(w, STRESS, i={**HALF, "scenarios": [{"name": "X", "shocks": each}]}) for each in shocks]
    turned = await refusal(
        w, STRESS, i={**HALF, "periods": [{"name": "X", "start": "2020-01-02", "end": "2020-01-02"}]}
    )

    assert [code for code, _ in [*told, turned]] == ["BAD_USER_INPUT"] * 6


def test_a_panel_in_hand_reports_what_it_lacks():
    from gateway.core.ports import PanelAsk
    from tests.gateway.doubles import NOON
    from tests.plugins.risk.doubles import instruments

    made: Panel = panel({BTC: [None, "1"]})(PanelAsk(instruments=instruments(BTC, ETH), start=NOON, end=NOON))

    assert made.late[0].first == date(2026, 11, 3)
    assert list(made.failures or ()) == list(instruments(ETH))


async def test_a_key_for_portfolios_alone_sees_nothing_that_is_reckoned_from_prices(w: Watch):
    async with w.house.store.write() as tx:
        _, key = await w.house.host.service(KeyDesk).create(
            tx, w.company.tenant, name="k", scopes=(Scope.PORTFOLIO_READ, Scope.PORTFOLIO_WRITE), created_by="usr_x"
        )
    limit = await w.limit("SINGLE_NAME", "0.9")

    made = {"portfolioId": FOLIO, "kind": "LEVERAGE", "threshold": "5"}
    asked: list[tuple[str, dict[str, Any]]] = [
        (PCA, {"s": [BTC, ETH], "n": 1}),
        ("{ riskLimits { nodes { value } } }", {}),
        (CREATE, {"i": made}),
        (UPDATE, {"i": {"id": limit, "threshold": "0.1"}}),
    ]

    told = [(await w.house.ask(document, given, key=key))["errors"] for document, given in asked]
    node = await w.house.ask("query($id: ID!) { node(id: $id) { id } }", {"id": limit}, key=key)

    assert [(each["extensions"]["code"], each["message"]) for each, *_ in told] == [
        ("FORBIDDEN", f"{name} needs the scope market:read, which this API key does not carry.")
        for name in ("principalComponents", "riskLimits", "riskLimitCreate", "riskLimitUpdate")
    ]
    assert [each["extensions"]["code"] for each in node["errors"]] == ["FORBIDDEN"]
    assert await w.company.count(limits) == 1
    assert w.panels.asked == []
