"""Scalars, cursors and errors: what crosses the wire as text."""

from __future__ import annotations

import base64
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import errors
from schema.errors import BadInput, FailureCode, NoAnswer, UpstreamError
from schema.paging import check_page_size, listed_by, make_cursor, page_of, read_cursor, skipped
from schema.provenance import ProviderFailure
from schema.scalars import (
    SCALARS,
    datetime_text,
    decimal_text,
    parse_cursor,
    parse_date,
    parse_datetime,
    parse_decimal,
)

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])
MOMENTS = st.builds(datetime.replace, st.datetimes(datetime(1000, 1, 2), datetime(8999, 12, 30)), tzinfo=ZONES)  # noqa: DTZ001 - the zones come beside it
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50) | st.lists(st.integers())


@given(NUMBERS)
def test_a_decimal_comes_back_digit_by_digit(number: Decimal) -> None:
    text = decimal_text(number)

    assert "E" not in text
    assert (parse_decimal(text), decimal_text(parse_decimal(text))) == (number, text)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("91234.123456789012345", "91234.123456789012345"), ("1E-8", "0.00000001"), ("1E+3", "1000"), ("1.10", "1.10"),
        ("0E-10", "0.0000000000"), ("-0", "-0"), ("1E-120", "0." + "0" * 119 + "1"),
    ],
)  # fmt: skip
def test_every_digit_is_written_and_no_exponent(number: str, text: str) -> None:
    assert decimal_text(Decimal(number)) == text


@pytest.mark.parametrize("number", ["NaN", "NaN123", "sNaN", "sNaN7", "Infinity", "-Infinity", "1E+121", "1E-121"])
def test_what_is_no_number_on_the_wire_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="Decimal cannot represent"):
        decimal_text(Decimal(number))


@pytest.mark.parametrize("value", [1, 1.5, "1", None, True])
def test_only_decimals_are_written_as_decimals(value: Any) -> None:
    with pytest.raises(TypeError):
        decimal_text(value)


@pytest.mark.parametrize(
    "value",
    [1.5, "NaN", "Infinity", "1e5", "", " 1", "1 ", "1_000", "\uff11", "1.", ".5", "--1", "9" * 61,
     "1." + "9" * 61, True, None, 10**60, [], "1\n"],
)  # fmt: skip
def test_what_is_not_a_plain_decimal_is_no_input(value: object) -> None:
    with pytest.raises(ValueError, match="Decimal must be a text"):
        parse_decimal(value)


@given(MOMENTS)
def test_an_instant_comes_back_in_utc(moment: datetime) -> None:
    utc, text = moment.astimezone(UTC), datetime_text(moment)

    assert text.endswith("Z")
    assert parse_datetime(text) == utc
    assert parse_datetime(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T12:00:00Z", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ("2026-11-20T14:00:00.5+02:00", datetime(2026, 11, 20, 12, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_instants_are_read_with_their_offset(text: str, moment: datetime) -> None:
    assert parse_datetime(text) == moment


@pytest.mark.parametrize(
    "value",
    ["2026-11-20T12:00:00", "", "now", "2026-13-01", "2026-11-31", 1763600000, None, True,
     "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-20T25:00:00Z", "x" * 1000],
)  # fmt: skip
def test_what_is_no_instant_is_no_input(value: object) -> None:
    with pytest.raises(ValueError, match="DateTime"):
        parse_datetime(value)


@pytest.mark.parametrize(
    "text", ["0001-01-01", "0999-12-31", "9000-01-01", "9999-12-31", "9999-12-31T23:59:59.999999Z",
             "0999-12-31T23:00:00Z", "1000-01-01T00:00:00+01:00", "8999-12-31T23:00:00-01:00"],
)  # fmt: skip
def test_a_year_that_no_reckoning_can_start_from_is_no_input(text: str) -> None:
    for parse in [parse_datetime, *([parse_date] if len(text) == 10 else [])]:
        with pytest.raises(ValueError, match="is out of range: years are 1000 to 8999; leave an open end out"):
            parse(text)


@pytest.mark.parametrize("day", [date(1000, 1, 1), date(8999, 12, 31)])
def test_the_first_and_the_last_day_are_input(day: date) -> None:
    assert parse_date(day.isoformat()) == parse_datetime(day.isoformat()).date() == day


@given(st.dates(date(1000, 1, 1), date(8999, 12, 31)))
def test_a_date_comes_back(day: date) -> None:
    assert parse_date(day.isoformat()) == day


@given(ANYTHING)
def test_no_input_breaks_a_scalar(value: Any) -> None:
    for kind in (Decimal, datetime, date):
        parse = SCALARS[kind].parse_value
        try:
            parse(value)
        except ValueError:
            continue
    if isinstance(value, str):
        assert parse_cursor(value) == value
    else:
        with pytest.raises(ValueError, match="Cursor must be a text that the server gave"):
            parse_cursor(value)


@given(st.text(max_size=30))
def test_a_cursor_brings_its_position_back(position: str) -> None:
    try:
        position.encode()
    except UnicodeEncodeError:
        return
    if "\0" in position:
        # No database has a text with it: nobody was given such a cursor.
        with pytest.raises(BadInput):
            read_cursor("list", make_cursor("list", position))
        return
    assert read_cursor("list", make_cursor("list", position)) == position


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_a_strange_cursor_is_bad_input_and_nothing_else(cursor: str) -> None:
    with suppress(BadInput):
        page_of(["a"], kind="list", first=1, after=cursor)


@pytest.mark.parametrize(
    "cursor",
    ["", "=", "====", "a", "ü", "\x00", encoded("other:1"), encoded("list"), encoded("list:"), encoded("list:-1"),
     encoded("list:x"), encoded("list:1.5"), encoded("list:" + "9" * 10), encoded("list:²"), "x" * 100_000,
     encoded("list:1@"), encoded("list:1@A b"), encoded("list:1\n")],
)  # fmt: skip
def test_a_cursor_of_another_list_or_of_none_is_refused(cursor: str) -> None:
    with pytest.raises(BadInput, match="after: is not a cursor of this list"):
        page_of(["a"], kind="list", first=1, after=cursor)
    with pytest.raises(BadInput, match="after: is not a cursor of this list"):
        skipped("list", cursor)


@pytest.mark.parametrize(("written", "read"), [("alpha", "beta"), ("alpha", ""), ("", "alpha")])
def test_a_cursor_of_one_providers_list_is_none_of_anothers(written: str, read: str) -> None:
    cursor = page_of([1, 2], kind="n", first=1, after=None, provider=written).info.end_cursor

    assert listed_by("n", cursor) == written
    with pytest.raises(BadInput, match="after: goes on in another provider's list than the one that answered"):
        page_of([1, 2], kind="n", first=1, after=cursor, provider=read)


@given(st.integers(0, 30), st.integers(1, 7), st.sampled_from(("", "alpha", "mempool_space")))
def test_pages_go_through_the_whole_list_once(length: int, first: int, provider: str) -> None:
    items, after = list(range(length)), None
    seen: list[int] = []
    for _ in range(40):
        page = page_of(items, kind="n", first=first, after=after, provider=provider)
        seen += page.items
        assert page.info.has_previous_page == (after is not None and length > 0)
        after = page.info.end_cursor
        if not page.info.has_next_page:
            break

    assert seen == items


@pytest.mark.parametrize("first", [0, -1, 101, 100_000])
def test_a_page_has_bounds(first: int) -> None:
    with pytest.raises(BadInput, match=f"first: must be 1 to 100, not {first}"):
        check_page_size(first)


UPSTREAM = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, UpstreamError)]
TABLE = {
    # retried, counted by the breaker, pauses the provider
    "Timeout": ("UPSTREAM_UNAVAILABLE", True, True, False),
    "ConnectionFailed": ("UPSTREAM_UNAVAILABLE", True, True, False),
    "Overloaded": ("UPSTREAM_UNAVAILABLE", True, True, False),
    "CircuitOpen": ("UPSTREAM_UNAVAILABLE", False, False, False),
    "Throttled": ("UPSTREAM_THROTTLED", False, False, True),
    "QuotaExhausted": ("UPSTREAM_QUOTA", False, False, True),
    "BudgetReached": ("RATE_LIMITED", False, False, False),
    "QuotaReached": ("UPSTREAM_QUOTA", False, False, False),
    "KeyMissing": ("PROVIDER_KEY_MISSING", False, False, False),
    "Unauthorized": ("PROVIDER_MISCONFIGURED", False, False, False),
    "NotCovered": ("NOT_COVERED", False, False, False),
    "Blocked": ("NOT_COVERED", False, False, True),
    "UnknownInstrument": ("UNKNOWN_INSTRUMENT", False, False, False),
    "Malformed": ("UPSTREAM_MALFORMED", False, True, False),
    "Stale": ("DATA_STALE", False, False, False),
    "NotRecorded": ("NOT_RECORDED", False, False, False),
    "SwitchedOff": ("UPSTREAM_UNAVAILABLE", False, False, False),
}


@pytest.mark.parametrize("kind", UPSTREAM, ids=lambda kind: kind.__name__)
def test_every_upstream_error_follows_the_table(kind: type[UpstreamError]) -> None:
    if kind is not UpstreamError:
        assert (str(kind.code), kind.retried, kind.counted, kind.pauses) == TABLE[kind.__name__]
    assert FailureCode(kind.code).value == kind.code


def test_an_error_in_other_words_stays_what_it_is() -> None:
    error = errors.Throttled("alpha", "slow", retry_after=7.0)

    again = error.retold("slower", retry_after=3.0)

    assert (type(again), again.detail, again.retry_after, str(again)) == (
        errors.Throttled,
        "slower",
        3.0,
        "alpha: slower",
    )
    assert error.retold("x").extensions()["retryAfterMs"] == 7000


def test_the_error_of_an_ask_says_what_the_caller_can_do() -> None:
    attempts = [
        ProviderFailure(provider="alpha", code=FailureCode.UPSTREAM_THROTTLED, message="slow", retry_after_ms=7000),
        ProviderFailure(provider="beta", code=FailureCode.UPSTREAM_QUOTA, message="used up", retry_after_ms=3000),
    ]

    found = NoAnswer("BTC", FailureCode.UPSTREAM_THROTTLED, "no quotes", attempts).extensions()

    assert found == {
        "code": "UPSTREAM_THROTTLED", "docs": "/docs/errors/UPSTREAM_THROTTLED", "symbol": "BTC", "provider": "alpha",
        "retryAfterMs": 7000,
        "attempts": [
            {"provider": "alpha", "code": "UPSTREAM_THROTTLED", "message": "slow", "retryAfterMs": 7000},
            {"provider": "beta", "code": "UPSTREAM_QUOTA", "message": "used up", "retryAfterMs": 3000},
        ],
    }  # fmt: skip
