"""Points follow the work: instruments, days, draws, windows."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.edge.cost import PriceList
from gateway.edge.documents import DocumentReader
from gateway.edge.execute import ANY_OPERATION
from gateway.edge.graphqlcore import core_schema
from gateway.edge.limits import EdgeSettings
from tests.house import own_schema

SCHEMA = core_schema(own_schema())
PRICES, READER = PriceList(SCHEMA), DocumentReader(SCHEMA, EdgeSettings())
RISK = "query($i: RiskInput!) { risk(input: $i) { volatility { exAnte { value } } stress { symbols } } }"
STRESS = "query($i: StressTestInput!) { stressTest(input: $i) { symbols } }"
TOGETHER = (
    "query($s: [String!]!, $start: Date, $end: Date) { correlation(symbols: $s, start: $start, end: $end) { symbols } }"
)
HEDGE = "query($i: HedgeInput!) { hedgeAnalysis(input: $i) { currency } }"
OPTIMIZE = "query($i: OptimizeInput!) { optimize(input: $i) { symbols } }"
FRONTIER = "query($i: EfficientFrontierInput!) { efficientFrontier(input: $i) { symbols } }"
REPORT = "mutation($i: RiskReportStartInput!) { riskReportStart(input: $i) { job { id } } }"
START = "mutation($i: OptimizationStartInput!) { optimizationStart(input: $i) { job { id } } }"
PERFORMANCE = "mutation($i: PortfolioPerformanceStartInput!) { portfolioPerformanceStart(input: $i) { job { id } } }"
TEN_YEARS = {"start": "2016-01-01", "end": "2026-01-01"}


def cost(source: str, **variables: Any) -> int:
    document = READER.read(source, None, ANY_OPERATION)
    return PRICES.price(document, document.operations[0], variables).cost


def weights(count: int) -> list[dict[str, Any]]:
    return [{"symbol": f"crypto:A{n}/USD", "weight": 1 / count} for n in range(count)]


def symbols(count: int) -> list[str]:
    return [each["symbol"] for each in weights(count)]


@pytest.mark.parametrize(("count", "points"), [(1, 11 + 59), (50, 60 + 59), (51, 61 + 2 * 59), (200, 210 + 4 * 59)])
def test_risk_costs_by_its_instruments(count: int, points: int):
    assert cost(RISK, i={"weights": weights(count)}) == points


@pytest.mark.parametrize(
    ("more", "points"),
    [
        ({}, 79),
        ({"draws": 1_000_000}, 79 + 45),
        (TEN_YEARS, 79 + 30),
        ({"start": "2016-01-01"}, 79 + 30),
    ],
)
def test_a_portfolio_counts_as_ten_instruments_by_its_days_and_draws(more: dict[str, Any], points: int):
    assert cost(RISK, i={"portfolioId": "folio_1", **more}) == points


def test_a_stress_test_costs_by_its_windows_and_their_prices():
    one = {"weights": weights(100), "windows": ["COVID_2020"]}
    long = {"weights": weights(100), "periods": [{"name": "Mine", **TEN_YEARS}]}
    shock = {"name": "Fall", "shocks": [{"change": -0.2, "assetClass": "CRYPTO"}]}

    assert cost(STRESS, i=one) == 10 + 100 + 3 + 3
    assert cost(STRESS, i=long) == 10 + 100 + 3 + 365
    assert cost(STRESS, i={"weights": weights(100)}) == 10 + 100 + 24 + 239
    assert cost(STRESS, i={"weights": weights(100), "scenarios": [shock, shock], **TEN_YEARS}) == 10 + 6 + 400


def test_correlation_costs_by_its_instruments_and_days():
    assert cost(TOGETHER, s=symbols(20)) == 30
    assert cost(TOGETHER, s=symbols(20), **TEN_YEARS) == 90


def test_hedges_cost_by_their_candidates_and_days():
    held = {"position": {"symbol": "crypto:BTC/USD", "quantity": "1"}}
    candidates = [{"symbol": symbol} for symbol in symbols(2)]

    assert cost(HEDGE, i={**held, "candidates": candidates}) == 10 + 6 + 3
    assert cost(HEDGE, i={**held, "candidates": candidates, **TEN_YEARS}) == 10 + 6 + 12
    assert cost(HEDGE, i={"portfolioId": "folio_1", "candidates": candidates}) == 10 + 6 + 13


def test_optimisation_costs_by_its_instruments_days_and_points():
    assert cost(OPTIMIZE, i={"universe": {"symbols": symbols(20)}}) == 20 + 20
    assert cost(OPTIMIZE, i={"universe": {"symbols": symbols(200), **TEN_YEARS}}) == 80 + 800
    assert cost(OPTIMIZE, i={"universe": {"portfolioId": "folio_1"}}) == 20 + 10
    assert cost(FRONTIER, i={"universe": {"symbols": symbols(20)}, "points": 50}) == 20 + 20 + 50


def test_jobs_cost_as_their_questions_and_more():
    optimize = {"universe": {"symbols": symbols(20)}}

    assert cost(START, i={"optimize": optimize}) == 20 + 40
    assert cost(REPORT, i={"risk": {"portfolioId": "folio_1"}}) == 20 + 20 + 20 + 44
    assert cost(PERFORMANCE, i={"portfolioId": "folio_1", **TEN_YEARS}) == 20 + 20 + 36
    assert cost(PERFORMANCE, i={"portfolioId": "folio_1", "start": "2025-12-01", "end": "2026-01-01"}) == 40
