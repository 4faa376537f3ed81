"""When a failed delivery is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ports import Posted
from gateway.core.settings import Settings
from plugins.webhooks.delivery.schedule import Schedule, wished_s
from plugins.webhooks.delivery.verdict import Answer, Outcome, excerpt_of, judge

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SCHEDULE = Schedule((5.0, 30.0))


def answered(status: int, body: bytes = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    posted = Posted(status=status, headers=named, body=body, latency_s=0.0204)
    return Answer(at=NOW - timedelta(seconds=1), ended=NOW, posted=posted)


def test_the_default_schedule_lasts_three_days():
    delays = Settings().webhook_schedule

    assert delays == (5, 30, 120, 600, 1800, 3600, 10800, 21600, 43200, 86400, 86400)
    assert 2.9 < sum(delays) / 86_400 < 3.1
    assert Schedule(delays).attempts == 12


def test_delays_vary_by_a_fifth_to_both_sides():
    assert [SCHEDULE.delay_s(1, chance) for chance in (0.0, 0.5)] == [4.0, 5.0]
    assert SCHEDULE.delay_s(2, 1.0) == 36.0
    assert SCHEDULE.delay_s(3, 0.5) is None


@given(failed=st.integers(1, 11), chance=st.floats(0, 1, exclude_max=True))
def test_no_delay_leaves_its_bounds(failed: int, chance: float):
    schedule = Schedule(Settings().webhook_schedule)
    delay = schedule.delay_s(failed, chance)

    assert delay is not None
    assert 0.8 * schedule.delays_s[failed - 1] <= delay <= 1.2 * schedule.delays_s[failed - 1]


@pytest.mark.parametrize(
    ("status", "text", "wished"),
    [
        (429, "120", 120.0),
        (502, "0", 0.0),
        (503, "Fri, 20 Nov 2026 12:01:00 GMT", 60.0),
        (504, "Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        (503, "Fri, 20 Nov 2026 12:01:00 -0000", 60.0),
        (429, "999999999999999999999999999", 86_400.0),
        (429, "Fri, 20 Nov 2099 12:00:00 GMT", 86_400.0),
        (500, "120", None),
        (429, "soon", None),
        (429, "-5", None),
        (429, "1.5", None),
        (429, "", None),
        (429, "٣", None),
        (429, "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        (429, "Fri, 20 Nov 2026 99999999999999999999:00:00 GMT", None),
        (429, "Fri, 20 Nov 2026 12:00:00 +99999999999999999999", None),
        (503, "Fri, 31 Dec 9999 23:59:59 -2359", 86_400.0),
    ],
)
def test_retry_after_counts_for_four_statuses_up_to_a_day(status: int, text: str, wished: float | None):
    assert wished_s(status, {"retry-after": text}, NOW) == wished


@given(text=st.text(max_size=60))
def test_any_retry_after_is_read_or_passed_over(text: str):
    wished = wished_s(429, {"retry-after": text}, NOW)

    assert wished is None or 0 <= wished <= 86_400


_NUMBER = st.integers(0, 10**25).map(str)


@given(day=_NUMBER, year=_NUMBER, hour=_NUMBER, minute=_NUMBER, sign=st.sampled_from("+-"), zone=_NUMBER)
def test_any_date_of_retry_after_is_read_or_passed_over(
    day: str, year: str, hour: str, minute: str, sign: str, zone: str
):
    wished = wished_s(503, {"retry-after": f"Mon, {day} Jan {year} {hour}:{minute}:00 {sign}{zone}"}, NOW)

    assert wished is None or 0 <= wished <= 86_400


def test_the_receivers_wish_lengthens_a_delay_and_never_shortens_it():
    longer = judge(answered(429, retry_after="3600"), 0, SCHEDULE, 0.5)
    shorter = judge(answered(429, retry_after="1"), 0, SCHEDULE, 0.5)

    assert (longer.due_at, shorter.due_at) == (NOW + timedelta(hours=1), NOW + timedelta(seconds=5))


@pytest.mark.parametrize(
    ("status", "headers", "until"),
    [
        (429, {"retry_after": "3600"}, NOW + timedelta(hours=1)),
        (503, {"retry_after": "999999"}, NOW + timedelta(days=1)),
        (503, {"retry_after": "0"}, NOW),
        (429, {}, None),
        (502, {"retry_after": "3600"}, None),
        (504, {"retry_after": "3600"}, None),
        (200, {"retry_after": "3600"}, None),
    ],
)
@pytest.mark.parametrize("failed_before", [0, 2], ids=["first attempt", "last attempt"])
def test_who_is_asked_too_much_is_left_alone(
    status: int, headers: dict[str, str], until: datetime | None, failed_before: int
):
    assert judge(answered(status, b"", **headers), failed_before, SCHEDULE, 0.5).paused_until == until


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_each_2xx_is_success(status: int):
    verdict = judge(answered(status, b"fine"), 0, SCHEDULE, 0.5)

    assert (verdict.outcome, verdict.due_at, verdict.status, verdict.error, verdict.excerpt) == (
        Outcome.SUCCEEDED, None, status, None, "fine",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (199, "it answered 199"),
        (301, "it answered 301: redirects are not followed"),
        (302, "it answered 302: redirects are not followed"),
        (304, "it answered 304: redirects are not followed"),
        (400, "it answered 400"),
        (404, "it answered 404"),
        (500, "it answered 500"),
    ],
)
def test_everything_else_is_tried_again(status: int, error: str):
    verdict = judge(answered(status), 0, SCHEDULE, 0.5)

    assert (verdict.outcome, verdict.due_at, verdict.error, verdict.gone) == (
        Outcome.RETRYING, NOW + timedelta(seconds=5), error, False,
    )  # fmt: skip


def test_the_last_attempt_exhausts_a_delivery():
    verdict = judge(answered(500), 2, SCHEDULE, 0.5)

    assert (verdict.outcome, verdict.due_at) == (Outcome.EXHAUSTED, None)


def test_gone_is_for_good():
    verdict = judge(answered(410, retry_after="5"), 0, SCHEDULE, 0.5)

    assert (verdict.outcome, verdict.due_at, verdict.gone) == (Outcome.EXHAUSTED, None, True)


def test_no_answer_is_tried_again_and_says_why():
    answer = Answer(at=NOW - timedelta(seconds=15), ended=NOW, posted=None, error="no answer in 15 s")
    verdict = judge(answer, 0, SCHEDULE, 0.5)

    assert (verdict.outcome, verdict.status, verdict.error, verdict.excerpt) == (
        Outcome.RETRYING, None, "no answer in 15 s", None,
    )  # fmt: skip
    assert (answer.latency_ms, answered(200).latency_ms) == (15_000, 20)


def test_an_excerpt_can_be_printed_and_is_short():
    assert excerpt_of(b"a\x00b\x1b[31m\nc\xff") == "a�b�[31m\nc�"
    assert len(excerpt_of("é".encode() * 10_000)) == 2_048
