"""What shows market prices, or what is reckoned from them alone, needs `market:read` besides its own scope."""

from __future__ import annotations

import pytest

from gateway.edge.cost import PriceList
from gateway.edge.graphqlcore import core_schema
from schema.scopes import Scope
from tests.house import own_schema

PRICES = PriceList(core_schema(own_schema()))
PRICED = [
    ("Query", "risk"), ("Query", "correlation"), ("Query", "principalComponents"), ("Query", "stressTest"),
    ("Query", "optimize"), ("Query", "efficientFrontier"), ("Query", "hedgeAnalysis"), ("Query", "universe"),
    ("Mutation", "optimizationStart"), ("Mutation", "riskReportStart"), ("Mutation", "portfolioPerformanceStart"),
    ("Subscription", "portfolio"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), PRICED)
def test_analytics_of_prices_need_both_scopes(kind: str, name: str) -> None:
    stated = PRICES.facts_of(kind, name)

    assert stated.scopes == (Scope.PORTFOLIO_READ, Scope.MARKET_READ)


@pytest.mark.parametrize("name", ["result", "resultJson"])
def test_what_came_of_a_job_was_computed_from_prices(name: str) -> None:
    assert PRICES.facts_of("Job", name).scopes == (Scope.MARKET_READ,)


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        ("PortfolioCreatePayload", "portfolio"), ("PortfolioUpdatePayload", "portfolio"),
        ("PortfolioTransactionRecordPayload", "portfolio"), ("PortfolioTransactionRecordPayload", "transaction"),
        ("PortfolioTransactionDeletePayload", "portfolio"), ("PortfolioImportPayload", "portfolio"),
        ("UniverseCreatePayload", "universe"), ("UniverseUpdatePayload", "universe"),
    ],
)  # fmt: skip
def test_who_may_only_write_is_not_shown_what_there_is(payload: str, name: str) -> None:
    assert PRICES.facts_of(payload, name).scopes == (Scope.PORTFOLIO_READ,)
