"""Joining a long series from pages, over a gateway that does as it is told."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.cli import candles
from gateway.cli.candles import Wish
from gateway.cli.link import Answer, Problem, Where
from gateway.cli.outcome import Code, Stop
from gateway.cli.output import Form
from schema.scalars import datetime_text
from schema.words.intervals import Interval

NOW = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
START = datetime(2026, 11, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Rule = Callable[[Mapping[str, Any]], Answer | None]


@dataclass
class StandingClock:
    """Notes what is waited for."""

    waited: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        await asyncio.sleep(0)


@dataclass
class Minutes:
    """A gateway that has every minute up to now, the running one included; a rule may answer instead."""

    rule: Rule = lambda _: None
    provider: str = "kraken"
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    offline: bool = False

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Answer:
        assert variables is not None
        self.asked.append(variables)
        await asyncio.sleep(0)
        return self.rule(variables) or Answer(data={"candles": self.page(variables)})

    async def close(self) -> None:
        """Nothing is open."""

    def page(self, asked: Mapping[str, Any], mode: str = "LIVE", currency: str = "USD") -> dict[str, Any]:
        end = min(datetime.fromisoformat(asked.get("before") or asked.get("end") or datetime_text(NOW)), NOW)
        count = asked.get("last")
        floor = end.replace(second=0) + (MINUTE if end.second else timedelta(0))
        start = floor - MINUTE * count if count else datetime.fromisoformat(asked["start"])
        times = [start + MINUTE * n for n in range(max(0, -((start - end) // MINUTE)))]
        texts = [datetime_text(moment) for moment in times]
        wanted = asked["route"].get("providers", [self.provider])
        page: dict[str, Any] = {
            "instrument": {"id": "crypto:BTC/USD"}, "interval": "M1", "currency": currency, "timeZone": "UTC",
            "adjustment": "NONE", "hours": "REGULAR", "gaps": [],
            "pageInfo": {
                "hasNextPage": False, "hasPreviousPage": True, "startCursor": texts[0], "endCursor": texts[-1],
            },
            "provenance": [{"provider": wanted[0], "mode": mode}],
        }  # fmt: skip
        if asked["asRows"]:
            page["rows"] = [self.row(text) for text in texts]
        else:
            rows = [self.row(text) for text in texts]
            page["columns"] = {name: [row[name] for row in rows] for name in rows[0]}
        return page

    @staticmethod
    def row(time: str) -> dict[str, Any]:
        price = "91234.123456789012345"
        closed = datetime.fromisoformat(time) + MINUTE <= NOW
        return {
            "openTime": time,
            "open": price,
            "high": price,
            "low": price,
            "close": price,
            "volume": None,
            "closed": closed,
        }


def refused(code: str, message: str, **details: Any) -> Answer:
    return Answer(data={}, problems=(Problem(message=message, code=code, details=details),))


@pytest.fixture
def fetch(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs the command over a given gateway."""

    def run(gateway: Minutes, clock: StandingClock | None = None, **wish: Any) -> tuple[Code, list[str], str]:
        @asynccontextmanager
        async def connect(_: Where) -> AsyncIterator[Minutes]:
            yield gateway

        monkeypatch.setattr(candles, "connect", connect)
        whole = Wish(**{"symbol": "BTC/USD", "interval": Interval.M1, "start": START, **wish})
        code = asyncio.run(candles.run(Where(), whole, clock or StandingClock()))
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return run


def minutes_from(start: datetime, end: datetime) -> list[str]:
    return [datetime_text(start + MINUTE * n) for n in range((end - start) // MINUTE)]


def test_pages_are_joined_without_gap_or_overlap_and_the_running_candle_comes_once(fetch):
    gateway = Minutes()

    code, lines, err = fetch(gateway)

    rows = [line.split("\t") for line in lines]
    assert (code, err) == (Code.ALL, "")
    assert rows[0] == ["openTime", "sessionDate", "open", "high", "low", "close", "volume", "closed"]
    assert [row[0] for row in rows[1:]] == minutes_from(START, NOW.replace(second=0) + MINUTE)
    assert [row[0] for row in rows[1:] if row[-1] == "false"] == ["2026-11-20T12:00:00Z"]
    assert {row[2] for row in rows[1:]} == {"91234.123456789012345"}
    assert len(gateway.asked) == 6


def test_no_page_is_longer_than_the_gateway_gives_and_each_allows_its_provider_time(fetch):
    gateway = Minutes()

    fetch(gateway)

    bounds = [(datetime.fromisoformat(a["start"]), datetime.fromisoformat(a["end"])) for a in gateway.asked]
    assert max(end - start for start, end in bounds) == MINUTE * 5000
    assert {a["route"]["timeoutMs"] for a in gateway.asked} == {30_000}


def test_the_provider_of_the_first_page_is_asked_for_the_others(fetch):
    gateway = Minutes(provider="okx")

    fetch(gateway)

    assert [a["route"].get("providers") for a in gateway.asked] == [None] + [["okx"]] * 5


def test_where_that_provider_fails_another_one_answers_and_a_line_says_so(fetch):
    def rule(asked: Mapping[str, Any]) -> Answer | None:
        early = asked["start"] < "2026-11-05"
        return None if early or "providers" not in asked["route"] else refused("NOT_COVERED", "too far")

    code, lines, err = fetch(Minutes(rule=rule, provider="okx"))

    assert (code, len(lines)) == (Code.ALL, 1 + len(minutes_from(START, NOW.replace(second=0) + MINUTE)))
    assert err.splitlines()[0] == (
        "marketgate: BTC/USD: okx does not answer all of the range, others are asked for the rest"
    )


def test_a_throttled_page_is_asked_again_when_the_upstream_says(fetch):
    clock, refusals = StandingClock(), [refused("UPSTREAM_THROTTLED", "slow down", retryAfterMs=7000)] * 2

    code, lines, err = fetch(
        Minutes(rule=lambda _: refusals.pop() if refusals else None), clock, start=NOW - 10 * MINUTE
    )

    assert (code, len(lines), err) == (Code.ALL, 11, "")
    assert clock.waited == [7.1, 7.1]


def test_a_page_that_stays_throttled_is_given_up_after_six_tries(fetch):
    gateway, clock = (
        Minutes(rule=lambda _: refused("UPSTREAM_THROTTLED", "slow down", retryAfterMs=1000)),
        StandingClock(),
    )

    with pytest.raises(Stop, match=r"BTC/USD: slow down \(UPSTREAM_THROTTLED: wait for"):
        fetch(gateway, clock)

    assert (len(gateway.asked), len(clock.waited)) == (6, 5)


def failing_from(day: str) -> Rule:
    return lambda asked: refused("UPSTREAM_MALFORMED", "broken") if asked["start"] >= day else None


def test_a_failure_within_the_range_ends_it_there_with_what_came_before(fetch):
    code, lines, err = fetch(Minutes(rule=failing_from("2026-11-10")))

    whole = minutes_from(START, NOW)
    assert code is Code.PARTIAL
    assert [line.split("\t")[0] for line in lines[1:]] == whole[: len(lines) - 1]
    assert len(lines) - 1 == 14_240
    assert err.splitlines()[-1] == (
        "marketgate: BTC/USD: broken (UPSTREAM_MALFORMED: pin another provider, and report the message: the provider "
        "may have changed its format); written are 14240 candles up to there"
    )


def test_json_stays_one_document_when_the_range_breaks_off(fetch):
    code, lines, _ = fetch(Minutes(rule=failing_from("2026-11-10")), form=Form.JSON)

    series = json.loads("\n".join(lines))["candles"]
    assert code is Code.PARTIAL
    assert len(series["rows"]) == 14_240
    assert series["pageInfo"]["startCursor"] == "2026-11-01T00:00:00Z"
    assert series["provenance"] == [{"provider": "kraken", "mode": "LIVE"}]


def test_csv_is_the_same_series(fetch):
    _, lines, _ = fetch(Minutes(), start=NOW.replace(second=0) - MINUTE, form=Form.CSV)

    price = "91234.123456789012345"
    assert lines == [
        "openTime,sessionDate,open,high,low,close,volume,closed",
        f"2026-11-20T11:59:00Z,,{price},{price},{price},{price},,true",
        f"2026-11-20T12:00:00Z,,{price},{price},{price},{price},,false",
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"mode": "RECORDED"}, "LIVE and RECORDED data must not be joined in one series"),
        ({"currency": "EUR"}, "currency changes from USD to EUR within the range"),
    ],
)
def test_pages_of_different_kinds_are_never_joined(fetch, change: dict[str, str], told: str):
    gateway = Minutes()
    gateway.rule = lambda asked: (
        Answer(data={"candles": gateway.page(asked, **change)}) if asked["start"] >= "2026-11-10" else None
    )

    code, lines, err = fetch(gateway)

    assert (code, len(lines)) == (Code.PARTIAL, 14_241)
    assert f"marketgate: BTC/USD: {told}; written are 14240 candles up to there" in err.splitlines()


def closed_between(gateway: Minutes, first: str, last: str) -> Rule:
    """Nobody is asked for a piece without trading time: it comes back empty and without provenance."""

    def rule(asked: Mapping[str, Any]) -> Answer | None:
        if not first < asked["start"] < last:
            return None
        return Answer(data={"candles": {**gateway.page(asked), "columns": {"openTime": []}, "provenance": []}})

    return rule


def test_pieces_without_trading_are_passed_over(fetch):
    gateway = Minutes()
    gateway.rule = closed_between(gateway, "2026-11-08", "2026-11-12")

    code, lines, err = fetch(gateway)

    assert (code, err) == (Code.ALL, "")
    assert len(lines) - 1 == len(minutes_from(START, NOW.replace(second=0) + MINUTE)) - 5000


def test_a_range_without_any_trading_is_an_error_of_the_user(fetch):
    gateway = Minutes()
    gateway.rule = closed_between(gateway, "2026", "2027")

    with pytest.raises(Stop) as stopped:
        fetch(gateway)

    assert stopped.value.code is Code.USAGE
    assert stopped.value.message == "BTC/USD: the range holds no trading time: choose another one"


def test_more_of_the_newest_than_a_page_holds_are_paged_backwards(fetch):
    gateway = Minutes()

    code, lines, _ = fetch(gateway, start=None, last=12_000)

    end = NOW.replace(second=0) + MINUTE
    assert code is Code.ALL
    assert [line.split("\t")[0] for line in lines[1:]] == minutes_from(end - 12_000 * MINUTE, end)
    assert [a["last"] for a in gateway.asked] == [5000, 5000, 2000]


def test_gaps_are_told_and_a_cut_through_one_does_not_make_two(fetch):
    def rule(asked: Mapping[str, Any]) -> Answer:
        page = gateway.page(asked)
        page["gaps"] = [{"start": asked["start"], "end": asked["end"], "missing": 2}]
        return Answer(data={"candles": page})

    gateway = Minutes(rule=rule)

    code, lines, err = fetch(gateway, form=Form.JSON)

    gaps = json.loads("\n".join(lines))["candles"]["gaps"]
    assert code is Code.ALL
    assert gaps == [{"start": "2026-11-01T00:00:00Z", "end": gateway.asked[-1]["end"], "missing": 12}]
    assert err == "marketgate: BTC/USD: 12 missing candles in 1 gap\n"


@pytest.mark.parametrize("form", [Form.LINES, Form.TABLE])
def test_a_long_range_shows_its_progress_on_a_terminal_and_nothing_of_it_in_the_data(
    fetch, monkeypatch: pytest.MonkeyPatch, form: Form
):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    _, lines, err = fetch(Minutes(), form=form)

    assert "BTC/USD M1" in err
    assert [line.split("\t")[0] for line in lines[1:]] == minutes_from(START, NOW.replace(second=0) + MINUTE)


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"end": START}, "--end: must be after --start: ranges are [start, end)"),
        ({"last": 0}, "--last: must be 1 to 100,000, not 0; --start fetches longer series"),
        ({"last": 100_001}, "--last: must be 1 to 100,000, not 100001; --start fetches longer series"),
        ({"start": NOW}, "--start: is in the future"),
    ],
)
def test_what_no_gateway_could_answer_is_refused_before_any_is_asked(fetch, wish: dict[str, Any], told: str):
    gateway = Minutes()

    with pytest.raises(Stop) as stopped:
        fetch(gateway, **wish)

    assert (stopped.value.message, stopped.value.code, gateway.asked) == (told, Code.USAGE, [])
