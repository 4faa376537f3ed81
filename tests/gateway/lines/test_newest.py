"""What a venue tells once more is not current again: by stamps, by what was traded, by what was done."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.core.lines.newest import MOST_BARS, Newest
from schema.symbols import parse_instrument
from schema.words.candles import CANDLES, Candle
from schema.words.quotes import QUOTES, PriceType, Quote
from schema.words.trades import TRADES
from tests.doubles.clocks import NOON

ONE = Decimal(1)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def quote(seconds: float | None) -> Quote:
    as_of = None if seconds is None else at(seconds)
    return Quote(instrument=parse_instrument("crypto:BTC/USD"), price=ONE, price_type=PriceType.LAST, as_of=as_of)


def bar(volume: int | None = None, *, count: int | None = None, closed: bool = False, minute: int = 0) -> Candle:
    return Candle(
        open_time=at(60 * minute), open=ONE, high=ONE, low=ONE, close=ONE,
        volume=None if volume is None else Decimal(volume), trade_count=count, closed=closed,
    )  # fmt: skip


def told(newest: Newest, value: Any, as_of: float | None = None, *, snapshot: bool = False) -> bool:
    stamp = None if as_of is None else at(as_of)
    return bool(newest.of((value,), stamp, at(120), snapshot=snapshot))


def test_an_older_quote_is_left_out_and_one_of_the_same_time_is_told():
    newest = Newest(QUOTES)

    found = [told(newest, quote(seconds)) for seconds in (0, 5, 0.6, 5, 6)]

    assert found == [True, True, False, True, True]


def test_a_quote_without_a_stamp_is_told_and_proves_nothing():
    newest = Newest(QUOTES)

    found = [told(newest, quote(seconds)) for seconds in (5, None, 4, 5)]

    assert found == [True, True, False, True]


def test_a_stamp_in_the_future_silences_nothing_that_follows():
    newest = Newest(QUOTES)

    found = [told(newest, quote(seconds)) for seconds in (0, 3_600, 1, 0)]

    assert found == [True, True, True, False]


def test_a_stamp_a_little_ahead_is_as_new_as_can_be_and_holds_up_nothing():
    newest = Newest(QUOTES)

    found = [bool(newest.of((quote(stamp),), None, at(now))) for stamp, now in ((50, 0), (1, 1), (2, 2), (1, 3))]

    assert found == [True, True, True, False]


def test_of_a_running_candle_the_older_state_is_left_out_by_its_stamp():
    newest = Newest(CANDLES)

    assert told(newest, bar(9), 30)
    assert not told(newest, bar(5), 20)
    assert told(newest, bar(5), 31)
    assert not told(newest, bar(9), 30)


def test_a_closed_candle_is_revised_by_a_later_frame_and_not_reopened_by_an_older_one():
    newest = Newest(CANDLES)

    assert told(newest, bar(9, closed=True), 60)
    assert told(newest, bar(minute=1), 61)
    assert not told(newest, bar(8), 59)
    assert not told(newest, bar(9), 60)
    assert told(newest, bar(10, closed=True), 62)


@pytest.mark.parametrize(
    ("first", "then", "follows"),
    [
        (bar(9), bar(5), False),
        (bar(9), bar(9), True),
        (bar(5), bar(9), True),
        (bar(count=9), bar(count=5), False),
        (bar(9, count=4), bar(8, count=5), True),
        (bar(9, closed=True), bar(9), False),
        (bar(9, closed=True), bar(10), True),
        (bar(), bar(), True),
    ],
)  # fmt: skip
def test_without_stamps_what_was_traded_tells_which_candle_is_older(first: Candle, then: Candle, follows: bool):
    newest = Newest(CANDLES)

    assert told(newest, first)
    assert told(newest, then) is follows


def test_a_snapshot_without_stamps_is_believed_though_less_was_traded():
    newest = Newest(CANDLES)
    told(newest, bar(9))

    assert told(newest, bar(5), snapshot=True)


def test_a_candle_stamped_in_the_future_is_judged_as_one_without_a_stamp():
    newest = Newest(CANDLES)

    assert told(newest, bar(9), 3_600)
    assert told(newest, bar(10), 31)


def test_only_so_many_candles_are_remembered():
    newest = Newest(CANDLES)
    for minute in range(MOST_BARS + 5):
        told(newest, bar(9, minute=minute))

    assert told(newest, bar(5, minute=4))
    assert not told(newest, bar(5, minute=10))


def test_trades_are_not_judged_here():
    assert told(Newest(TRADES), "a trade", -5)
