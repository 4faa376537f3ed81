"""Row: exact values, named paths, and never an error of another kind, whatever an upstream sends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from providers.row import Row
from schema.errors import Malformed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EXACT = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from(
        ["1", "1.5", "NaN", "-Infinity", "sNaN", "1e999999999", "1_000", "\uff11\uff12", " 7 ", "0x10", "2026-11-20",
         "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "99999999999999999999", "253402300800", "1e17",
         "../../etc/passwd", "America", "Europe/Berlin", "\x00", "\ud800"]
    )
)  # fmt: skip
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=5),
    max_leaves=25,
)
READERS: dict[str, Callable[[Row], Any]] = {
    "decimal": lambda row: row.decimal(),
    "integer": lambda row: row.integer(),
    "text": lambda row: row.text(),
    "label": lambda row: row.label(),
    "flag": lambda row: row.flag(),
    "epoch": lambda row: row.epoch(),
    "epoch in ns": lambda row: row.epoch(unit="ns"),
    "instant": lambda row: row.instant(),
    "day": lambda row: row.day(),
    "day in a form": lambda row: row.day(form="%d/%m/%Y"),
    "zone": lambda row: row.zone(),
    "items": lambda row: list(row.items()),
    "iteration": lambda row: list(row),
    "len": len,
    "member": lambda row: row["a"]["b"],
    "index": lambda row: row[0][-1],
    "a member's decimal": lambda row: row.decimal("a"),
    "an element's decimal": lambda row: row.decimal(0),
    "maybe": lambda row: row.maybe("a"),
    "maybe an element": lambda row: row.maybe(0),
    "positive": lambda row: row.positive("a"),
    "maybe_epoch": lambda row: row.maybe_epoch("a", "ms"),
    "maybe_epoch of an element": lambda row: row.maybe_epoch(0),
    "maybe_instant": lambda row: row.maybe_instant("a"),
    "maybe_text": lambda row: row.maybe_text("a"),
    "get": lambda row: row.get("a"),
    "column": lambda row: row.column("a", int),
    "column of odd parts": lambda row: row.column(0, lambda value: value["x"].lower()),
    "decimals": lambda row: row.decimals(0),
    "decimals of objects": lambda row: row.decimals("a"),
    "bars of lists": lambda row: row.bars(time=0, open=1, high=1, low=1, close=1, volume=1, trade_count=1),
    "bars in ns": lambda row: row.bars(time=0, open=1, high=1, low=1, close=1, unit="ns"),
    "bars of objects": lambda row: row.bars(time="a", open="a", high="a", low="a", close="a", unit="s"),
    "bars with a mark": lambda row: row.bars(
        time=0, open=1, high=1, low=1, close=1, closed=lambda mark: mark.lower() == "1", closed_key=2
    ),
}


def refusal(read: Callable[[], Any]) -> Malformed | None:
    """What reading raises; anything but Malformed fails the test."""
    try:
        read()
    except Malformed as error:
        return error
    return None


@settings(max_examples=200)
@given(JSON)
@example([[10**17, 1, 1]])
@example([[1e17, 1, 1]])
@example([["67768036191676800000", "1", "1"]])
@example([[None]])
@example([{"a": True}])
@example({"a": {"b": 1}})
@example("0001-01-01T00:00:00+14:00")
def test_whatever_comes_is_read_or_malformed(value: Any) -> None:
    body = json.dumps(value).encode()
    for read in READERS.values():
        error = refusal(lambda read=read: read(Row.json("alpha", body)))  # type: ignore[misc]
        assert error is None or (error.detail.startswith("$") and len(error.detail) < 250)


@given(st.binary(max_size=60))
@example(b"1" * 5000)
@example(b"1E99999999999999999999")
@example(b"[" * 5000 + b"]" * 5000)
@example(b'"\xff"')
@example(b'"\\ud800"')
def test_whatever_bytes_come_are_json_csv_and_xml_or_malformed(body: bytes) -> None:
    for read in (Row.json, Row.csv, Row.xml):
        refusal(lambda read=read: read("alpha", body))  # type: ignore[misc]


@given(EXACT)
def test_a_number_is_exact_as_a_number_and_as_a_text(number: Decimal) -> None:
    plain = format(number, "f")

    assert format(Row.json("a", f'{{"x": {plain}}}'.encode()).decimal("x"), "f") in (plain, plain.removeprefix("-"))
    assert format(Row.json("a", f'{{"x": "{plain}"}}'.encode()).decimal("x"), "f") == plain
    assert Row.json("a", f"[[0, {plain}]]".encode()).decimals(1) == (number,)


@given(st.lists(EXACT, min_size=1, max_size=20))
def test_a_column_is_exact_in_either_order(numbers: list[Decimal]) -> None:
    rows = [[n * 60_000, format(number, "f")] for n, number in enumerate(numbers)]

    for sent in (rows, rows[::-1]):
        bars = Row("a", sent).bars(time=0, open=1, high=1, low=1, close=1)
        assert [format(price, "f") for price in bars.open] == [format(number, "f") for number in numbers]
        assert bars.open_time == tuple(EPOCH + timedelta(minutes=n) for n in range(len(numbers)))


@given(st.integers(-(10**10), 10**11), st.sampled_from(["s", "ms", "us", "ns"]))
def test_unix_times_are_exact_to_the_microsecond(seconds: int, unit: str) -> None:
    scale = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]

    assert Row("a", seconds * scale).epoch(unit=unit) == EPOCH + timedelta(seconds=seconds)
    assert Row("a", str(seconds * scale)).epoch(unit=unit) == EPOCH + timedelta(seconds=seconds)


def test_a_time_keeps_its_fraction() -> None:
    assert Row("a", "1763600000.123456").epoch() == EPOCH + timedelta(seconds=1763600000, microseconds=123456)
    assert Row("a", "2026-11-20T12:00:00.123456789Z").instant().microsecond == 123456


PATHS: list[tuple[Any, Callable[[Row], Any], str]] = [
    ({"a": [{"b": "x"}]}, lambda r: r["a"][0].decimal("b"), "$.a[0].b is not a number (got 'x')"),
    ({"a": [{"b": "x"}]}, lambda r: r["a"][0]["c"], "$.a[0] has no 'c' (got {'b': 'x'})"),
    ({"a": []}, lambda r: r["a"][0], "$.a has no 0 (got [])"),
    ({"a": None}, lambda r: r.decimal("a"), "$.a is not a number (got None)"),
    ({"a": True}, lambda r: r.decimal("a"), "$.a is not a number (got True)"),
    ({"a": "1.5"}, lambda r: r.integer("a"), "$.a is not a whole number (got '1.5')"),
    ({"a": ""}, lambda r: r.text("a"), "$.a is not a text (got '')"),
    ({"a": 1}, lambda r: r.flag("a"), "$.a is not true or false (got 1)"),
    ({"a": 10**30}, lambda r: r.epoch("a"), "$.a is not a Unix time in s (got 1000000000000000000000000000000)"),
    ({"a": "soon"}, lambda r: r.instant("a"), "$.a is not a time (got 'soon')"),
    ({"a": "0001-01-01T00:00+14:00"}, lambda r: r.instant("a"), "$.a is not a time (got '0001-01-01T00:00+14:00')"),
    ({"a": "x"}, lambda r: r.day("a"), "$.a is not a date (got 'x')"),
    ({"a": "Mars/Base"}, lambda r: r.zone("a"), "$.a is not a time zone (got 'Mars/Base')"),
    ([["0", "1"], ["60000", "x"]], lambda r: bars(r), "$[1][1] is not what belongs here (got 'x')"),
    ([["0", "1"], ["60000", True]], lambda r: bars(r), "$[1][1] is not what belongs here (got True)"),
    ([["0", "1"], ["6", [0, [1, 2], -1]]], lambda r: bars(r), "$[1][1] is not what belongs here (got [0, [1, 2], -1])"),
    ([["0", "1"], ["60000"]], lambda r: bars(r), "$[1] has no 1 (got ['60000'])"),
    ([["1" * 21, "1"]], lambda r: bars(r), f"$ has no Unix times in ms (got [['{'1' * 21}', '1']])"),
    ({"a": 1}, lambda r: bars(r), "$ is not a list (got {'a': 1})"),
    ({"1": "12"}, lambda r: r.decimals(0), "$ is not a list (got {'1': '12'})"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "times", "opens"),
    [
        ([[1, "1"], [2, "2"], [3, "3"]], (1, 2, 3), "1 2 3"),
        ([[3, "3"], [2, "2"], [1, "1"]], (1, 2, 3), "1 2 3"),
        ([[9, "9"], [7, "7"], [1, "1"]], (1, 7, 9), "1 7 9"),
        ([[2, "2"], [1, "1"], [2, "5"]], (1, 2), "1 5"),
        ([[1, "1"], [1, "4"]], (1,), "4"),
        ([[5, "5"]], (5,), "5"),
        ([], (), ""),
    ],
)
def test_bars_ascend_and_of_two_at_one_time_the_later_row_counts(
    rows: list[list[Any]], times: tuple[int, ...], opens: str
) -> None:
    found = Row("alpha", rows).bars(time=0, open=1, high=1, low=1, close=1, unit="s")

    assert tuple(int(moment.timestamp()) for moment in found.open_time) == times
    assert " ".join(map(str, found.open)) == opens


def bars(row: Row) -> Any:
    return row.bars(time=0, open=1, high=1, low=1, close=1)


@pytest.mark.parametrize(("value", "read", "message"), PATHS)
def test_a_broken_value_is_named_by_its_path(value: Any, read: Callable[[Row], Any], message: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(Row("alpha", value))

    assert caught.value.detail == message


@pytest.mark.parametrize(
    "text", ["1_000", "\uff11\uff12", "\u0663", "0x10", "1,5", "1 000", "NaN", "Infinity", "1e61", "--1", "+-1"]
)
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    with pytest.raises(Malformed):
        Row("alpha", text).decimal()
    with pytest.raises(Malformed):
        Row("alpha", [[0, text]]).decimals(1)


@pytest.mark.parametrize("absent", [None, "", "-", ".", "None", "null", "N/A", "NA", "N/D", "NaN"])
def test_absence_is_written_in_many_ways(absent: Any) -> None:
    assert Row("alpha", {"a": absent}).maybe("a") is None
    assert Row("alpha", {"a": absent}).positive("a") is None
    assert Row("alpha", {}).maybe("a") is None


@pytest.mark.parametrize("absent", [None, "", "-", "N/A", 0, "0", "0.000"])
def test_a_time_that_was_not_sent_is_none(absent: Any) -> None:
    assert Row("alpha", {"a": absent}).maybe_epoch("a", "ms") is None
    assert Row("alpha", {}).maybe_epoch("a") is None
    assert Row("alpha", [absent]).maybe_epoch(0) is None


@pytest.mark.parametrize("absent", [None, "", "-", "N/A"])
def test_a_written_time_that_was_not_sent_is_none(absent: Any) -> None:
    assert Row("alpha", {"a": absent}).maybe_instant("a") is None


def test_a_time_that_was_sent_is_read_or_malformed() -> None:
    row = Row("alpha", {"ms": "1763600000123", "at": "2026-11-20T12:00:00Z", "bad": "soon"})

    assert row.maybe_epoch("ms", "ms") == EPOCH + timedelta(seconds=1763600000, milliseconds=123)
    assert row.maybe_instant("at") == datetime(2026, 11, 20, 12, tzinfo=UTC)
    for read in (row.maybe_epoch, row.maybe_instant):
        with pytest.raises(Malformed, match=r"\$\.bad is not a "):
            read("bad")


def test_zero_is_absence_only_where_it_means_that() -> None:
    assert Row("alpha", {"a": "0.00"}).positive("a") is None
    assert Row("alpha", {"a": "0.00"}).maybe("a") == 0


def test_a_huge_payload_is_told_in_short_and_at_once() -> None:
    row = Row("alpha", {"rows": [{"a": "x" * 100, "b": list(range(50))} for _ in range(100_000)]})
    started = time.perf_counter()

    with pytest.raises(Malformed) as caught:
        row["nothing"]

    # Writing all of it out takes a second; no more than an excerpt may be made.
    assert time.perf_counter() - started < 0.05
    assert caught.value.detail == "$ has no 'nothing' (got {'rows': [{'a': '" + "x" * 40 + "...)"


def test_a_deep_payload_is_told_too() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]

    with pytest.raises(Malformed, match=r"is not a number \(got \[{57}\.\.\.\)"):
        Row("alpha", value).decimal()


def test_csv_is_rows_of_texts() -> None:
    row = Row.csv("alpha", b"\xef\xbb\xbfdate,rate\r\n2026-11-20,1.0834567890123456789\r\n")

    assert str(row[0].decimal("rate")) == "1.0834567890123456789"
    assert row[0].day("date").isoformat() == "2026-11-20"


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"a,b\n1\n", b"a,b\n1,2,3\n", b'a,b\n"1,2\n', b"\xff,\xfe\n"])
def test_what_is_no_table_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed, match=r"\$ is not CSV"):
        Row.csv("alpha", body)


def test_xml_is_elements_without_namespaces() -> None:
    row = Row.xml("alpha", b'<a xmlns="urn:x"><b rate="1.10">t</b></a>')

    assert (row["tag"].value, row["children"][0]["@rate"].value, row["children"][0]["text"].value) == ("a", "1.10", "t")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"no", b"<a>", b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', b"<a>" * 100_000,
    ],
)  # fmt: skip
def test_hostile_xml_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed, match=r"\$ is not XML"):
        Row.xml("alpha", body)


def test_deep_xml_is_malformed() -> None:
    with pytest.raises(Malformed, match=r"\$ is not XML"):
        Row.xml("alpha", b"<a>" * 50_000 + b"</a>" * 50_000)
