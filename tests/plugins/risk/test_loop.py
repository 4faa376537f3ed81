"""The event loop is never held up by questions of risk, however long the series."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.core.ports import Computing, Panel
from schema.symbols import crypto
from tests.loopmonitor import MOST_S, watched_loop
from tests.plugins.risk.watching import Watch, watch

ASSETS, DATES, TRIES = 60, 1_000, 2
NAMES = [f"A{number}" for number in range(ASSETS)]
RISK = """query($i: RiskInput!) { risk(input: $i) { valueAtRisk { value count } volatility { exAnte { value } }
  components { component: volatility { component } } } }"""
CORRELATION = "query($s: [String!]!) { correlation(symbols: $s) { matrix } }"
OPTIMIZE = "query($i: OptimizeInput!) { optimize(input: $i) { weights } }"


@pytest.fixture
async def w(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Watch]:
    async with watch(sqlite_url, tmp_path) as made:
        yield made


def long_panel() -> Panel:
    """Closes that go up and down, each at a pace of its own."""
    first, ids = date(2019, 1, 1), tuple(crypto(name, "USD") for name in NAMES)
    closes = tuple(
        tuple(Decimal(100 + (row * (7 + column % 89) + column * column) % 101) for row in range(DATES))
        for column in range(ASSETS)
    )
    return Panel(
        instruments=ids, dates=tuple(first + timedelta(days=row) for row in range(DATES)), closes=closes,
        currencies=("USD",) * ASSETS, periods=365,
    )  # fmt: skip


async def test_long_panels_do_not_hold_up_the_loop(w: Watch):
    held = long_panel()
    w.house.host.services[Computing] = w.computing.real
    symbols = [f"crypto:{name}/USD" for name in NAMES]
    w.panels.answer = lambda ask: held
    weights = [{"symbol": symbol, "weight": 1 / ASSETS} for symbol in symbols]
    questions: list[tuple[str, dict[str, Any]]] = [
        (RISK, {"i": {"weights": weights}}), (CORRELATION, {"s": symbols}),
        (OPTIMIZE, {"i": {"universe": {"symbols": symbols}}}),
    ]  # fmt: skip
    stalls = {
        document: [await stall(w, document, variables) for _ in range(TRIES)] for document, variables in questions
    }

    # Other work of the machine only ever adds to it.
    assert max(min(tries) for tries in stalls.values()) < MOST_S, stalls


async def stall(w: Watch, document: str, variables: dict[str, Any]) -> float:
    """The longest one while a question is answered."""
    async with watched_loop() as stalls:
        body = await w.house.ask(document, variables, token=w.company.tokens["ada"])
    assert "errors" not in body, body["errors"][:1]
    return stalls.busiest
