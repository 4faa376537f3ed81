"""Candles through a live gateway: alignment, sessions, adjustments, gaps, pages and chunks."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from tests.e2e.market import exchanges
from tests.e2e.market.numbers import bar_at
from tests.e2e.market.process import Gateway
from tests.e2e.market.upstream import Upstream, plain

CANDLES = """query (
  $symbol: String!, $interval: Interval!, $start: DateTime, $end: DateTime, $first: Int, $after: Cursor, $last: Int,
  $before: Cursor, $adjustment: Adjustment = SPLITS, $hours: TradingHours = REGULAR, $fill: Fill = NONE, $route:
  RouteInput
) { candles(
  symbol: $symbol, interval: $interval, start: $start, end: $end, first: $first, after: $after, last: $last,
  before: $before, adjustment: $adjustment, hours: $hours, fill: $fill, route: $route
) {
  interval currency timeZone adjustment hours gaps { start end missing }
  rows { openTime sessionDate open high low close volume closed filled }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } provenance { provider mode asOf cacheStatus }
} }"""
HOUR, DAY, WEEK = 3600, 86_400, 604_800


def when(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def stamp(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def times(series: dict[str, Any]) -> list[str]:
    return [row["openTime"] for row in series["rows"]]


@pytest.mark.parametrize("provider", ["binance", "okx", "bybit", "kraken", "bitstamp", "coinbaseexchange"])
def test_hours_of_a_pair_are_exact_ascend_and_end_with_the_forming_one(
    gateway: Gateway, upstream: Upstream, provider: str
) -> None:
    symbol = "crypto:BTC/USD" if provider in ("kraken", "bitstamp", "coinbaseexchange") else "crypto:BTC/USDT"

    series = gateway.ask(CANDLES, symbol=symbol, interval="H1", last=30, route={"providers": [provider]})["candles"]

    now = int(datetime.now(UTC).timestamp()) // HOUR * HOUR
    assert times(series) == [stamp(now - HOUR * n) for n in range(29, -1, -1)]
    assert [row["closed"] for row in series["rows"]] == [True] * 29 + [False]
    bar = bar_at(now - HOUR * 29, HOUR)
    assert series["rows"][0] == {
        "openTime": stamp(bar.time), "sessionDate": None, "open": bar.open, "high": bar.high, "low": bar.low,
        "close": bar.close, "volume": bar.volume, "closed": True, "filled": False,
    }  # fmt: skip
    assert series["gaps"] == []
    assert (series["timeZone"], series["adjustment"], series["currency"]) == ("UTC", "NONE", symbol.rpartition("/")[2])
    assert [(p["provider"], p["mode"]) for p in series["provenance"]] == [(provider, "LIVE")]


def test_the_forming_candle_is_soon_asked_again_and_history_is_kept(gateway: Gateway, upstream: Upstream) -> None:
    past = {"symbol": "crypto:ETH/USD", "interval": "H1", "start": "2026-11-01", "end": "2026-11-02"}

    first = gateway.ask(CANDLES, **past)["candles"]
    second = gateway.ask(CANDLES, **past)["candles"]

    assert first["provenance"][0]["cacheStatus"] == "MISS"
    assert second["provenance"][0]["cacheStatus"] == "HIT"
    assert second["rows"] == first["rows"]
    assert len(first["rows"]) == 24


def test_weeks_begin_on_monday_whatever_day_the_range_begins(gateway: Gateway, upstream: Upstream) -> None:
    series = gateway.ask(
        CANDLES,
        symbol="crypto:BTC/USDT",
        interval="W1",
        start="2026-10-01",
        end="2026-11-01",
        route={"providers": ["okx"]},
    )["candles"]

    assert times(series) == [f"2026-10-{day:02d}T00:00:00Z" for day in (5, 12, 19, 26)]


def test_a_missing_hour_is_a_gap_and_is_never_invented(gateway: Gateway, upstream: Upstream) -> None:
    holes = [when("2026-11-03T05:00Z"), when("2026-11-03T06:00Z"), when("2026-11-03T20:00Z")]
    upstream.on("bitstamp", partial(exchanges.bitstamp, holes=holes))

    series = gateway.ask(CANDLES, symbol="crypto:SOL/USD", interval="H1", start="2026-11-03", end="2026-11-04")[
        "candles"
    ]

    assert len(series["rows"]) == 21
    assert series["gaps"] == [
        {"start": "2026-11-03T05:00:00Z", "end": "2026-11-03T07:00:00Z", "missing": 2},
        {"start": "2026-11-03T20:00:00Z", "end": "2026-11-03T21:00:00Z", "missing": 1},
    ]


def test_filling_is_opt_in_and_marks_its_rows(gateway: Gateway, upstream: Upstream) -> None:
    holes = [when("2026-11-03T05:00Z"), when("2026-11-03T06:00Z")]
    upstream.on("bitstamp", partial(exchanges.bitstamp, holes=holes))
    asked = {"symbol": "crypto:LTC/USD", "interval": "H1", "start": "2026-11-03", "end": "2026-11-04"}

    series = gateway.ask(CANDLES, **asked, fill="PREVIOUS_CLOSE")["candles"]
    plain = gateway.ask(CANDLES, **asked)["candles"]

    close = bar_at(when("2026-11-03T04:00Z"), HOUR).close
    assert len(series["rows"]) == 24
    assert [row for row in series["rows"] if row["filled"]] == [
        {
            "openTime": f"2026-11-03T0{hour}:00:00Z", "sessionDate": None, "open": close, "high": close, "low": close,
            "close": close, "volume": "0", "closed": True, "filled": True,
        }
        for hour in (5, 6)
    ]  # fmt: skip
    assert series["gaps"] == plain["gaps"] != []
    assert len(plain["rows"]) == 22


SESSIONS = ["2025-11-24", "2025-11-25", "2025-11-26", "2025-11-28", "2025-12-01", "2025-12-02"]


@pytest.mark.parametrize(
    ("adjustment", "provider", "open"),
    [("NONE", "alphavantage", "1416.50"), ("SPLITS", "alphavantage", "708.25"), ("SPLITS", "yahoo", "1416.5")],
)
def test_days_of_a_holiday_week_are_its_sessions(
    gateway: Gateway, upstream: Upstream, adjustment: str, provider: str, open: str
) -> None:
    series = gateway.ask(
        CANDLES, symbol="AAPL", interval="D1", start="2025-11-24", end="2025-12-03", adjustment=adjustment,
        route={"providers": [provider]},
    )["candles"]  # fmt: skip

    assert [row["sessionDate"] for row in series["rows"]] == SESSIONS
    assert times(series) == [f"{day}T14:30:00Z" for day in SESSIONS]
    assert series["rows"][0]["open"] == open
    assert (series["gaps"], series["adjustment"], series["timeZone"]) == ([], adjustment, "America/New_York")
    assert all(row["closed"] for row in series["rows"])


@pytest.mark.parametrize(
    ("adjustment", "interval", "hours", "providers"),
    [
        ("NONE", "D1", "REGULAR", ["alphavantage"]),
        ("SPLITS", "H1", "REGULAR", ["yahoo"]),
        ("NONE", "H1", "REGULAR", ["alphavantage"]),
        ("SPLITS_AND_DIVIDENDS", "H1", "REGULAR", ["alphavantage"]),
        ("SPLITS", "H1", "EXTENDED", ["yahoo"]),
    ],
)
def test_only_a_provider_that_can_give_the_adjustment_is_asked(
    gateway: Gateway, upstream: Upstream, adjustment: str, interval: str, hours: str, providers: list[str]
) -> None:
    series = gateway.ask(
        CANDLES,
        symbol="AAPL",
        interval=interval,
        start="2026-11-10",
        end="2026-11-12",
        adjustment=adjustment,
        hours=hours,
    )["candles"]

    assert [made["provider"] for made in series["provenance"]] == providers
    assert series["adjustment"] == adjustment
    assert {asked.provider for asked in upstream.log} == set(providers)


def test_an_adjustment_that_nobody_gives_is_refused_with_the_reason(gateway: Gateway, upstream: Upstream) -> None:
    error = gateway.refusal(
        CANDLES, symbol="AAPL", interval="W1", last=5, adjustment="SPLITS_AND_DIVIDENDS", route={"providers": ["yahoo"]}
    )

    assert error["code"] == "NOT_COVERED"
    assert upstream.log == []


def test_hours_of_a_share_count_from_the_opening_and_skip_the_night(gateway: Gateway, upstream: Upstream) -> None:
    series = gateway.ask(CANDLES, symbol="AAPL", interval="H1", start="2026-11-13", end="2026-11-17")["candles"]

    halves = [f"{hour}:30" for hour in range(14, 21)]
    assert times(series) == [f"2026-11-{day}T{half}:00Z" for day in (13, 16) for half in halves]
    assert series["gaps"] == []


def test_an_early_close_is_no_gap(gateway: Gateway, upstream: Upstream) -> None:
    series = gateway.ask(
        CANDLES, symbol="AAPL", interval="M30", start="2025-11-28", end="2025-11-29", adjustment="NONE"
    )["candles"]

    assert times(series)[0] == "2025-11-28T14:30:00Z"
    assert times(series)[-1] == "2025-11-28T17:30:00Z"
    assert (len(series["rows"]), series["gaps"]) == (7, [])


def test_extended_hours_reach_from_four_to_eight(gateway: Gateway, upstream: Upstream) -> None:
    series = gateway.ask(
        CANDLES, symbol="AAPL", interval="H1", start="2026-11-12", end="2026-11-14", hours="EXTENDED"
    )["candles"]  # fmt: skip

    assert (times(series)[0], times(series)[-1]) == ("2026-11-12T00:00:00Z", "2026-11-13T23:00:00Z")
    assert series["hours"] == "EXTENDED"
    assert series["gaps"] == []


def test_a_weekend_of_currencies_is_no_gap(gateway: Gateway, upstream: Upstream) -> None:
    series = gateway.ask(CANDLES, symbol="EURUSD", interval="D1", start="2026-11-05", end="2026-11-12")["candles"]

    assert [row["sessionDate"] for row in series["rows"]] == [f"2026-11-{day:02d}" for day in (5, 6, 9, 10, 11)]
    assert series["gaps"] == []


def test_pence_are_pounds_in_candles_too(gateway: Gateway, upstream: Upstream) -> None:
    series = gateway.ask(CANDLES, symbol="VOD@XLON", interval="D1", last=2)["candles"]

    assert series["currency"] == "GBP"
    assert series["rows"][0]["open"].startswith("1")
    assert len(series["rows"][0]["open"].partition(".")[0]) == 2


RANGE = {"symbol": "crypto:BTC/USDT", "interval": "H1", "start": "2026-10-01T00:30:00Z", "end": "2026-10-04T07:00:00Z"}
WHOLE = [stamp(when("2026-10-01T01:00Z") + HOUR * n) for n in range(78)]


def test_pages_forward_cover_a_range_exactly_once(gateway: Gateway, upstream: Upstream) -> None:
    found: list[str] = []
    page: dict[str, Any] = {}
    cursor, pages = None, 0
    while not pages or page["hasNextPage"]:
        series = gateway.ask(CANDLES, **RANGE, first=17, after=cursor)["candles"]
        page, pages = series["pageInfo"], pages + 1
        assert page["hasPreviousPage"] is (pages > 1)
        found, cursor = found + times(series), page["endCursor"]

    assert found == WHOLE
    assert pages == 5


def test_pages_backward_cover_a_range_exactly_once(gateway: Gateway, upstream: Upstream) -> None:
    found: list[str] = []
    page: dict[str, Any] = {}
    cursor, pages = None, 0
    while not pages or page["hasPreviousPage"]:
        series = gateway.ask(CANDLES, **RANGE, last=17, before=cursor)["candles"]
        page, pages = series["pageInfo"], pages + 1
        assert page["hasNextPage"] is (pages > 1)
        found, cursor = times(series) + found, page["startCursor"]

    assert found == WHOLE
    assert pages == 5


def test_pages_of_sessions_cover_a_range_exactly_once(gateway: Gateway, upstream: Upstream) -> None:
    asked = {"symbol": "AAPL", "interval": "D1", "start": "2025-11-20", "end": "2025-12-31", "adjustment": "NONE"}
    whole = [row["sessionDate"] for row in gateway.ask(CANDLES, **asked)["candles"]["rows"]]
    forward: list[str] = []
    backward: list[str] = []
    after = before = None
    for _ in range(6):
        ahead = gateway.ask(CANDLES, **asked, first=5, after=after)["candles"]
        back = gateway.ask(CANDLES, **asked, last=5, before=before)["candles"]
        forward += [row["sessionDate"] for row in ahead["rows"]]
        backward = [row["sessionDate"] for row in back["rows"]] + backward
        after, before = ahead["pageInfo"]["endCursor"], back["pageInfo"]["startCursor"]

    assert len(whole) == 27
    assert forward == backward == whole
    assert not ahead["pageInfo"]["hasNextPage"]
    assert not back["pageInfo"]["hasPreviousPage"]


def test_what_follows_the_newest_candle_is_an_empty_page(gateway: Gateway, upstream: Upstream) -> None:
    newest = gateway.ask(CANDLES, symbol="crypto:BTC/USD", interval="D1", last=1)["candles"]

    series = gateway.ask(
        CANDLES, symbol="crypto:BTC/USD", interval="D1", first=5, after=newest["pageInfo"]["endCursor"]
    )["candles"]

    assert series["rows"] == []
    assert series["pageInfo"] == series["pageInfo"] | {"hasNextPage": False, "hasPreviousPage": True}


def test_a_quarter_of_minutes_comes_in_chunks_without_gap_or_overlap(gateway: Gateway, upstream: Upstream) -> None:
    query = """query ($start: DateTime!, $end: DateTime!) {
      candles(symbol: "crypto:BTC/USDT", interval: M1, start: $start, end: $end, first: 5000, route: {providers:
      ["binance"], timeoutMs: 30000}) {
        columns { openTime close } gaps { missing } pageInfo { hasNextPage } provenance { provider } } }"""
    start = datetime(2026, 8, 1, tzinfo=UTC)
    found: list[str] = []

    for _ in range(10):
        series = gateway.ask(query, start=start.isoformat(), end=(start + timedelta(minutes=5000)).isoformat())[
            "candles"
        ]
        found += series["columns"]["openTime"]
        assert (series["gaps"], len(series["provenance"])) == ([], 1)
        start += timedelta(minutes=5000)

    assert found == [stamp(when("2026-08-01T00:00Z") + 60 * n) for n in range(50_000)]
    assert all(int(asked.params["limit"]) <= 1000 for asked in upstream.asked("binance"))
    assert len(upstream.asked("binance")) <= 61


def test_a_chunk_that_fails_sends_the_whole_range_to_the_next_provider(gateway: Gateway, upstream: Upstream) -> None:
    cut = when("2026-07-02T00:00Z")
    upstream.on(
        "bitstamp",
        lambda asked: plain({}, 503) if int(asked.params["start"]) > cut else exchanges.bitstamp(asked),
    )

    series = gateway.ask(
        CANDLES, symbol="crypto:BTC/USD", interval="M1", start="2026-07-01", end="2026-07-04",
        route={"providers": ["bitstamp", "coinbaseexchange"]},
    )["candles"]  # fmt: skip

    assert [made["provider"] for made in series["provenance"]] == ["coinbaseexchange"]
    assert len(series["rows"]) == 3 * 1440
    assert series["gaps"] == []


def test_candles_nested_under_an_instrument(gateway: Gateway, upstream: Upstream) -> None:
    query = '{ instrument(symbol: "crypto:BTC/USD") { candles(interval: D1, last: 3) { rows { openTime closed } } } }'

    rows = gateway.ask(query)["instrument"]["candles"]["rows"]

    today = int(time.time()) // DAY * DAY
    assert [row["openTime"] for row in rows] == [stamp(today - 2 * DAY), stamp(today - DAY), stamp(today)]
    assert [row["closed"] for row in rows] == [True, True, False]
