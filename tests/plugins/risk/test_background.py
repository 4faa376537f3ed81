"""Heavy questions as jobs, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from plugins.jobs.runner import JobRunner
from tests.plugins.risk.panels import panel
from tests.plugins.risk.watching import BTC, ERRORS, ETH, FOLIO, Watch, watch

STARTED = f"{{ job {{ id kind state }} {ERRORS} }}"
OPTIMIZE = f"mutation($i: OptimizationStartInput!) {{ r: optimizationStart(input: $i) {STARTED} }}"
REPORT = (
    f"mutation($i: RiskReportStartInput!) {{ r: riskReportStart(input: $i) {{ job {{ id kind state }} {ERRORS} }} }}"
)
JOB = """query($id: ID!) { job(id: $id) { state progress error { code message } result { warnings __typename
  ... on OptimizationResult { objective symbols weights plan { currency value } data { count } }
  ... on RiskReport { portfolioId symbols weights volatility { exPost { value method } } tails { method confidence }
    components { symbols } exposure { leverage } stress { outcomes { name } } data { count } } } } }"""
UP = {BTC: ["100", "110", "99", "108.9", "98.01"], ETH: ["10", "10", "11", "11", "12.1"]}


@pytest.fixture
async def w(database: str, tmp_path: Path) -> AsyncIterator[Watch]:
    async with watch(database, tmp_path) as made:
        made.panels.answer = panel(UP)
        yield made


async def done(made: Watch, job_id: str) -> dict[str, Any]:
    """The job, once it has been worked on."""
    runner = made.house.host.service(JobRunner)
    await runner.turn()
    await asyncio.gather(*(each.task for each in runner._running.values() if each.task), return_exceptions=True)
    body = await made.house.ask(JOB, {"id": job_id}, token=made.company.tokens["ada"])
    assert "errors" not in body, body
    return dict(body["data"]["job"])


async def test_an_optimisation_as_a_job_answers_as_the_query_does(w: Watch):
    wish = {"universe": {"portfolioId": FOLIO, "constraints": {"bounds": [{"symbol": BTC, "max": 0.3}]}}}
    started = await w.company.ask("ada", OPTIMIZE, optimize=wish)

    job = await done(w, started["job"]["id"])

    assert started == {
        "job": {"id": started["job"]["id"], "kind": "risk.optimize", "state": "QUEUED"}, "userErrors": [],
    }  # fmt: skip
    assert (job["state"], job["progress"], job["error"]) == ("SUCCEEDED", 1.0, None)
    result = job["result"]
    assert (result["__typename"], result["objective"], result["symbols"]) == (
        "OptimizationResult", "MINIMUM_VARIANCE", [BTC, ETH],
    )  # fmt: skip
    assert result["weights"][0] <= 0.3 + 1e-7
    assert (result["plan"], result["data"]) == ({"currency": "USD", "value": "250.00"}, {"count": 5})


async def test_a_report_as_a_job_holds_the_whole_risk_in_one_piece(w: Watch):
    started = await w.company.ask("ada", REPORT, risk={"portfolioId": FOLIO})

    job = await done(w, started["job"]["id"])

    assert (job["state"], job["error"]) == ("SUCCEEDED", None)
    result = job["result"]
    assert (result["__typename"], result["portfolioId"], result["weights"]) == ("RiskReport", FOLIO, [0.4, 0.4])
    assert len(result["tails"]) == 8
    assert len(result["stress"]["outcomes"]) == 8
    assert (result["components"]["symbols"], result["exposure"]["leverage"]) == ([BTC, ETH], "0.8")
    assert result["volatility"]["exPost"]["value"] > 0


async def test_a_report_on_nothing_but_cash_has_its_exposure_and_says_why_there_is_no_more(w: Watch):
    w.hold({}, cash="100")
    started = await w.company.ask("ada", REPORT, risk={"portfolioId": FOLIO})

    job = await done(w, started["job"]["id"])

    assert (job["state"], job["error"]) == ("SUCCEEDED", None)
    result = job["result"]
    assert [result[name] for name in ("symbols", "volatility", "tails", "components")] == [[], None, None, None]
    assert (result["exposure"]["leverage"], len(result["stress"]["outcomes"])) == ("0", 8)
    assert result["warnings"] == [
        "volatility, tails, components: the portfolio holds nothing but cash, which has no risk here"
    ]


async def test_a_question_that_cannot_be_answered_fails_its_job_with_code_and_words(w: Watch):
    collide = {"maxWeight": 0.2}
    infeasible = await w.company.ask(
        "ada", OPTIMIZE, optimize={"universe": {"symbols": [BTC, ETH], "constraints": collide}}
    )
    wrong = await w.company.ask("ada", REPORT, risk={"portfolioId": "folio_9"})

    told = [(await done(w, each["job"]["id"])) for each in (infeasible, wrong)]

    assert [(each["state"], each["error"]["code"]) for each in told] == [
        ("FAILED", "INFEASIBLE"), ("FAILED", "BAD_USER_INPUT"),
    ]  # fmt: skip


async def test_the_same_key_begins_one_job_and_other_input_none(w: Watch):
    first = await w.company.ask("ada", REPORT, risk={"portfolioId": FOLIO}, idempotencyKey="k")
    again = await w.company.ask("ada", REPORT, risk={"portfolioId": FOLIO}, idempotencyKey="k")
    other = await w.company.codes("ada", REPORT, risk={"portfolioId": FOLIO, "seed": 1}, idempotencyKey="k")

    assert again == first
    assert other == ["INPUT_INVALID"]
