"""Performance as a job, on both databases; and how long the event loop stands still meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from plugins.jobs.runner import JobRunner
from plugins.portfolio.jobs import run
from tests.plugins.portfolio.conftest import Room
from tests.plugins.portfolio.tapes import days
from tests.plugins.portfolio.test_performance import BTC, deposit, recorded, trade
from tests.plugins.portfolio.test_portfolios import ERRORS

START = f"""mutation($i: PortfolioPerformanceStartInput!) {{ r: portfolioPerformanceStart(input: $i) {{
  job {{ id kind state }} {ERRORS} }} }}"""
JOB = """query($id: ID!) { job(id: $id) { state progress error { code message } result { __typename warnings
  ... on PortfolioPerformanceResult { performance { start end figures { totalReturn { value count } }
    values { dates values } } } } } }"""


@pytest.fixture
async def office(room: Room) -> AsyncIterator[Room]:
    yield room
    await room.service(JobRunner).finish()


async def done(room: Room, job: dict[str, Any]) -> dict[str, Any]:
    runner = room.service(JobRunner)
    await runner.turn()
    for task in [each.task for each in runner._running.values() if each.task]:
        await task
    found: dict[str, Any] = await room.see(JOB, id=job["id"])
    return found


async def test_performance_is_computed_by_whoever_has_time_and_kept(office: Room):
    id = await recorded(office, deposit("2026-11-02", "1000"), trade("2026-11-02", "BUY", "10", "100"))
    office.tapes.closes[BTC] = days("2026-11-02", "100", "110", "121")

    begun = await office.do(START, portfolioId=id, end="2026-11-05", idempotencyKey="k")
    again = await office.do(START, portfolioId=id, end="2026-11-05", idempotencyKey="k")
    found = await done(office, begun["job"])

    assert (begun["job"]["kind"], begun["job"]["state"], begun["userErrors"]) == ("portfolio.performance", "QUEUED", [])
    assert again["job"]["id"] == begun["job"]["id"]
    assert (found["state"], found["progress"], found["error"]) == ("SUCCEEDED", 1, None)
    told = list[tuple[float, str]]()
    row = {"portfolio": id, "benchmark": None, "start": None, "end": "2026-11-05", "risk_free": 0.0, "window": None}
    await run(office.context(), {**row, "garch": False}, lambda part, words: told.append((round(part, 2), words)))
    assert told == [
        (0.05, "asking for prices"), (0.6, "asking for prices"), (0.65, "valuing each day"), (0.8, "computing figures"),
        (0.9, "computing the money-weighted return"), (0.95, "writing it down"),
    ]  # fmt: skip
    result = found["result"]
    assert result["__typename"] == "PortfolioPerformanceResult"
    assert result["performance"]["figures"]["totalReturn"] == {"value": pytest.approx(0.21), "count": 3}
    assert result["performance"]["values"]["values"] == ["0.00", "1000.00", "1100.00", "1210.00"]


async def test_what_cannot_be_computed_fails_the_job_with_its_code(office: Room):
    id = await recorded(office)

    found = await done(office, (await office.do(START, portfolioId=id))["job"])

    assert (found["state"], found["error"]["code"], found["result"]) == ("FAILED", "NOT_COMPUTABLE", None)


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"portfolioId": "portfolio_none"}, "NOT_FOUND", "portfolioId"),
        ({"benchmark": "no such thing!"}, "SYMBOL_INVALID", "benchmark"),
        ({"benchmark": "LINK"}, "SYMBOL_AMBIGUOUS", "benchmark"),
        ({"riskFree": -1.0}, "INPUT_INVALID", "riskFree"),
        ({"riskFree": 1e308}, "INPUT_INVALID", "riskFree"),
        ({"window": 1}, "INPUT_INVALID", "window"),
        ({"start": "2026-11-05", "end": "2026-11-05"}, "INPUT_INVALID", "start"),
        ({"window": 2_147_483_647}, "INPUT_INVALID", "window"),
        ({"start": "1800-01-01"}, "INPUT_INVALID", "start"),
        ({"start": "2030-01-01"}, "INPUT_INVALID", "start"),
        ({"idempotencyKey": ""}, "INPUT_INVALID", "idempotencyKey"),
    ],
)
async def test_what_is_no_question_begins_no_job(office: Room, given: dict[str, Any], code: str, field: str):
    id = await recorded(office)

    payload = await office.do(START, **{"portfolioId": id, **given})

    assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [(code, ["input", field])]
    assert payload["job"] is None
