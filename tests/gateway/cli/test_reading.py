"""What users write: intervals, instants, names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.cli.outcome import Code, Stop
from gateway.cli.reading import read_instant, read_interval, read_list, read_word
from schema.words.candles import Adjustment
from schema.words.intervals import Interval


@pytest.mark.parametrize(
    ("text", "interval"),
    [("1m", Interval.M1), ("5m", Interval.M5), ("1h", Interval.H1), ("1d", Interval.D1), ("1w", Interval.W1),
     ("1mo", Interval.MO1), ("30s", Interval.S30), ("M1", Interval.M1), ("H12", Interval.H12), ("MO1", Interval.MO1)],
)  # fmt: skip
def test_an_interval_is_written_short_or_as_the_schema_has_it(text: str, interval: Interval):
    assert read_interval(text) is interval


@pytest.mark.parametrize("text", ["1M", "m1", "1H", "7m", "", "1 h", "hour"])
def test_an_interval_that_may_be_a_slip_is_refused_with_the_choices(text: str):
    with pytest.raises(Stop) as stopped:
        read_interval(text)

    assert stopped.value.code is Code.USAGE
    assert stopped.value.message == (
        f"--interval: {text!r} is not an interval: write one of 1s 5s 15s 30s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h "
        "1d 3d 1w 1mo"
    )


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T12:30:00Z", datetime(2026, 11, 20, 12, 30, tzinfo=UTC)),
        ("2026-11-20T12:30:00+02:00", datetime(2026, 11, 20, 10, 30, tzinfo=UTC)),
    ],
)
def test_an_instant_is_a_date_or_has_its_offset(text: str, instant: datetime):
    assert read_instant("--start", text) == instant


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "20-11-2026", "2026-11-20T12:30:00", "1795176000"])
def test_what_is_no_date_is_refused_by_its_option(text: str):
    with pytest.raises(Stop) as stopped:
        read_instant("--end", text)

    assert stopped.value.code is Code.USAGE
    assert stopped.value.message == (
        f"--end: {text!r} is no date: write 2026-11-20, or an instant such as 2026-11-20T12:00:00Z"
    )


def test_names_are_separated_by_commas():
    assert read_list("--providers", "kraken, binance,") == ["kraken", "binance"]


def test_a_list_that_names_nobody_is_refused():
    with pytest.raises(Stop, match="--providers: names nobody: write ids separated by commas"):
        read_list("--providers", " , ")


@pytest.mark.parametrize("text", ["splits_and_dividends", "SPLITS-AND-DIVIDENDS"])
def test_a_word_may_be_in_any_case(text: str):
    assert read_word("--adjustment", text, Adjustment) is Adjustment.SPLITS_AND_DIVIDENDS


def test_an_unknown_word_is_refused_with_the_choices():
    with pytest.raises(Stop, match="--adjustment: 'all' is not known: write one of none, splits, splits_and_dividends"):
        read_word("--adjustment", "all", Adjustment)
