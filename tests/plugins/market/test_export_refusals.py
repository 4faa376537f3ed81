"""Who may not have a range, or asks for none, is told before the first byte; nothing is fetched and nothing charged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schema.scopes import Scope
from tests.plugins.market.exporting import DAY, SYMBOL, Export, exporting


@pytest.fixture
async def export(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Export]:
    async with exporting(sqlite_url, tmp_path, anonymous=False) as made:
        yield made


async def refusal(export: Export, query: str = DAY, ending: str = "csv", **headers: str) -> tuple[int, str, str]:
    """Status, code and message."""
    answer = await export.get(ending, query, **headers)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["extensions"]["requestId"] == answer.headers["x-request-id"]
    (error,) = answer.json()["errors"]
    assert export.wire.requests == []
    assert export.under_way == 0
    return answer.status_code, error["extensions"]["code"], error["message"]


@pytest.mark.parametrize("ending", ["csv", "ndjson", "parquet"])
async def test_without_a_credential_it_asks_for_one(export: Export, ending: str):
    status, code, message = await refusal(export, ending=ending)

    assert (status, code) == (401, "UNAUTHENTICATED")
    assert message == f"Sign in, or send an API key: candles.{ending} needs the scope market:read."


async def test_a_key_that_is_none_and_one_without_the_scope(export: Export):
    unknown = await refusal(export, x_api_key="mg_live_0123456789abcdef_nonsense")
    narrow = await refusal(export, authorization=f"Bearer {await export.key(Scope.KEYS_READ)}")

    assert unknown[:2] == (401, "UNAUTHENTICATED")
    assert narrow[:2] == (403, "FORBIDDEN")


async def test_what_the_points_of_a_minute_do_not_pay_for_is_refused_up_front(export: Export):
    key = await export.key(plan="free")
    month = f"{SYMBOL}&start=2026-10-20&end=2026-11-20"

    status, code, message = await refusal(export, month, x_api_key=key)
    left = await export.get("csv", DAY, marketgate_cost="only", x_api_key=key)

    assert (status, code) == (429, "RATE_LIMITED")
    told = "The plan allows 60 points a minute, and this operation costs 90: "
    assert message == f"{told}waiting does not help, ask for less at once."
    assert left.json()["extensions"]["cost"]["remaining"] == 60


async def test_when_the_points_are_spent_it_says_until_when(export: Export):
    key = await export.key(plan="free")
    twenty_days = f"{SYMBOL}&start=2026-10-31&end=2026-11-20"
    first = await export.get("csv", twenty_days, x_api_key=key)
    export.wire.requests.clear()

    second = await export.get("csv", twenty_days, x_api_key=key)

    assert (first.status_code, second.status_code) == (200, 429)
    assert second.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert int(second.headers["retry-after"]) > 0
    assert second.headers["ratelimit"].startswith('"points";r=2;')
    assert export.wire.requests == []


async def test_the_history_of_the_plan_bounds_it(export: Export):
    status, code, message = await refusal(
        export, "symbol=BTC-USD&interval=1d&start=2020-01-01", x_api_key=await export.key(plan="free")
    )

    assert (status, code) == (400, "BAD_USER_INPUT")
    assert message.startswith("start: your plan's history reaches back 365 days: begin on 2025-11-20")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("interval=1m&start=2026-11-19", "symbol: is missing"),
        ("symbol=BTC-USD&start=2026-11-19", "interval: is missing"),
        ("symbol=BTC-USD&interval=1m", "start: is missing: give the first open time, such as 2026-01-01"),
        ("symbol=BTC-USD&interval=1x&start=2026-11-19", "interval: '1x' is none; there are 1s 5s 15s"),
        ("symbol=BTC-USD&interval=M1&start=yesterday", "start: DateTime must be a text such as"),
        ("symbol=BTC-USD&interval=M1&start=2026-11-19T00:00:00", "start: DateTime needs an offset"),
        ("symbol=BTC-USD&interval=M1&start=2026-11-19&end=2026-11-18", "end: must be after start"),
        ("symbol=BTC-USD&interval=M1&start=2027-01-01", "start: is in the future"),
        (f"{DAY}&adjustment=dividends", "adjustment: 'dividends' is not known; there are NONE, SPLITS"),
        (f"{DAY}&hours=night", "hours: 'night' is not known; there are REGULAR, EXTENDED"),
        (f"{DAY}&assetClass=shoes", "assetClass: 'shoes' is not known; there are CRYPTO"),
        (f"{DAY}&providers=,", "providers: give 1 to 20 provider ids"),
        (f"{DAY}&fill=none", "fill: is not a parameter; there are symbol, assetClass"),
        (f"{DAY}&interval=1m", "interval: is given twice"),
    ],
)
async def test_a_parameter_that_is_wrong_is_named(export: Export, query: str, told: str):
    status, code, message = await refusal(export, query, x_api_key=await export.key())

    assert (status, code) == (400, "BAD_USER_INPUT")
    assert message.startswith(told)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("symbol=nonsense&interval=1d&start=2026-11-01", 400, "UNKNOWN_INSTRUMENT"),
        (f"{DAY}&providers=nobody", 400, "BAD_USER_INPUT"),
        ("symbol=crypto:BTC/USD&interval=3m&start=2026-11-19", 404, "NOT_COVERED"),
    ],
)
async def test_what_nobody_can_answer(export: Export, query: str, status: int, code: str):
    assert (await refusal(export, query, x_api_key=await export.key()))[:2] == (status, code)


async def test_a_page_elsewhere_cannot_make_a_browser_fetch_one(export: Export):
    headers = {"sec_fetch_mode": "no-cors", "sec_fetch_site": "cross-site", "x_api_key": await export.key()}

    assert (await refusal(export, **headers))[:2] == (403, "CSRF_PREVENTED")


@pytest.mark.parametrize("ending", ["csv", "ndjson", "parquet"])
async def test_what_a_licence_lets_nobody_keep_is_in_no_file(sqlite_url: str, tmp_path: Path, ending: str):
    async with exporting(sqlite_url, tmp_path, unkept=("alpha",)) as export:
        status, code, message = await refusal(export, ending=ending)

    assert (status, code) == (404, "NOT_COVERED")
    assert message.endswith("alpha may not be kept, by its licence")


async def test_the_file_comes_from_the_next_whose_licence_allows_it(sqlite_url: str, tmp_path: Path):
    async with exporting(sqlite_url, tmp_path, ("alpha", "beta"), unkept=("alpha",)) as export:
        text = await export.text("ndjson")

        assert (export.wire.asked("alpha"), '"provider":"beta"' in text) == ([], True)
