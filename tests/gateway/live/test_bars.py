"""Folding a tape into candles: exact, the same in whatever pieces it comes, revised by late trades."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, Inexact
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.lines.grid import ending, opening
from gateway.core.live.bars import KEPT, BarFold, Print, Rung, first_whole, ladder
from schema.words.candles import Candle
from schema.words.intervals import Interval

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NEVER_ROUNDED = Context(prec=200, traps=[Inexact])

numbers = st.decimals(min_value="0.00000001", max_value="999999999", places=8, allow_nan=False)
steps = st.integers(min_value=0, max_value=20_000)
intervals = st.sampled_from([Interval.S1, Interval.S5, Interval.M1, Interval.M3, Interval.H1])


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def printed(number: int, second: float, price: str, size: str | None = "1") -> Print:
    return Print(id=str(number), time=at(second), price=Decimal(price), size=Decimal(size) if size else None)


@st.composite
def tapes(draw: st.DrawFn) -> list[Print]:
    """Ascending by time, several in one millisecond too."""
    count = draw(st.integers(min_value=1, max_value=40))
    moment, made = NOON, []
    for number in range(count):
        moment += timedelta(milliseconds=draw(steps))
        made.append(Print(id=str(number), time=moment, price=draw(numbers), size=draw(numbers)))
    return made


def naive(tape: Sequence[Print], interval: Interval) -> list[Candle]:
    """Each candle from all of its trades at once."""
    made = []
    for begin, group in groupby(tape, lambda each: opening(interval, each.time)):
        trades = list(group)
        prices = [each.price for each in trades]
        volume = worth = Decimal(0)
        for each in trades:
            volume = NEVER_ROUNDED.add(volume, each.size or Decimal(0))
            worth = NEVER_ROUNDED.add(worth, NEVER_ROUNDED.multiply(each.price, each.size or Decimal(0)))
        made.append(
            Candle(
                open_time=begin, open=prices[0], high=max(prices), low=min(prices), close=prices[-1], volume=volume,
                quote_volume=worth, vwap=Context(prec=28).divide(worth, volume), trade_count=len(trades), closed=True,
            )
        )  # fmt: skip
    return made


def folded(interval: Interval, *pieces: Sequence[Print]) -> list[Candle]:
    fold = BarFold(interval)
    fold.start(NOON)
    for piece in pieces:
        fold.take(piece)
    return list(fold.told(fold.times(), NOON + timedelta(days=400)))


@given(tape=tapes(), interval=intervals, cut=st.integers(min_value=0, max_value=40))
def test_a_tape_in_whatever_pieces_makes_the_candles_that_all_of_its_trades_make(tape, interval, cut) -> None:
    found = folded(interval, tape[:cut], tape[cut:])

    assert found == naive(tape, interval)[-KEPT:]


@given(tape=tapes(), interval=intervals)
def test_candles_hold_their_invariants_and_no_volume_is_lost(tape, interval) -> None:
    found = folded(interval, tape)

    for candle in found:
        assert candle.low <= min(candle.open, candle.close) <= max(candle.open, candle.close) <= candle.high
        assert opening(interval, candle.open_time) == candle.open_time
    assert all(ending(interval, one.open_time) <= other.open_time for one, other in pairwise(found))
    if len(found) < KEPT:
        assert sum(each.volume or Decimal(0) for each in found) == sum(each.size or Decimal(0) for each in tape)
        assert sum(each.trade_count or 0 for each in found) == len(tape)


@given(tape=tapes(), interval=intervals, again=st.integers(min_value=0, max_value=40))
def test_a_trade_that_comes_twice_counts_once(tape, interval, again) -> None:
    assert folded(interval, tape, tape[again:]) == folded(interval, tape)


@given(tape=tapes(), cut=st.integers(min_value=1, max_value=39))
def test_a_candle_of_whole_shorter_ones_and_the_rest_of_the_tape_is_the_candle_of_the_tape(tape, cut) -> None:
    joint = opening(Interval.M1, tape[min(cut, len(tape) - 1)].time)
    parts = [each for each in folded(Interval.M1, tape) if each.open_time < joint]
    fold = BarFold(Interval.H1)
    fold.start(joint, parts)
    fold.take(tape)

    if len(folded(Interval.M1, tape)) < KEPT:
        assert list(fold.told(fold.times(), NOON + timedelta(days=1))) == folded(Interval.H1, tape)


def test_a_late_trade_revises_the_candle_it_belongs_to_by_its_own_time() -> None:
    fold = BarFold(Interval.M1)
    fold.start(NOON)
    fold.take([printed(2, 10, "5"), printed(3, 70, "9")])

    changed = fold.take([printed(1, 5, "4"), printed(4, 20, "7")])
    (candle,) = fold.told(changed, at(120))

    assert (str(candle.open), str(candle.high), str(candle.low), str(candle.close)) == ("4", "7", "4", "7")
    assert (candle.open_time, candle.trade_count, str(candle.vwap)) == (NOON, 3, "5.333333333333333333333333333")


def test_a_candle_is_closed_when_its_time_is_over_and_told_so_once() -> None:
    fold = BarFold(Interval.M1)
    fold.start(NOON)
    fold.take([printed(1, 59, "5")])

    assert [each.closed for each in fold.told(fold.times(), at(59))] == [False]
    assert (fold.next_end(), fold.over(at(59.9)), fold.over(at(60))) == (at(60), [], [NOON])
    assert [each.closed for each in fold.told(fold.over(at(60)), at(60))] == [True]
    assert (fold.next_end(), fold.over(at(61))) == (None, [])


def test_what_came_before_the_floor_and_after_all_that_is_held_counts_nowhere() -> None:
    fold = BarFold(Interval.S1)
    fold.start(at(1))

    assert fold.take([printed(1, 0.5, "5")]) == []
    assert fold.take([printed(1 + n, n, "5") for n in range(1, KEPT + 3)]) == [at(n) for n in range(3, KEPT + 3)]
    assert fold.take([printed(500, 2, "1")]) == []
    assert fold.last == at(KEPT + 2)


def test_of_prices_without_sizes_no_volume_and_no_count_is_known() -> None:
    fold = BarFold(Interval.M1)
    fold.start(NOON)
    fold.take([printed(1, 1, "5", None), printed(2, 2, "6", None)])
    (candle,) = fold.told(fold.times(), NOON)

    assert (str(candle.high), candle.volume, candle.quote_volume, candle.vwap, candle.trade_count) == (
        "6", None, None, None, None,
    )  # fmt: skip


def test_what_a_part_does_not_tell_is_not_known_of_the_whole() -> None:
    part = Candle(
        open_time=NOON, open=Decimal(1), high=Decimal(3), low=Decimal(1), close=Decimal(2), volume=Decimal("0.5")
    )
    fold = BarFold(Interval.H1)
    fold.start(at(60), [part])
    fold.take([printed(1, 30, "100"), printed(2, 60, "4")])
    (candle,) = fold.told(fold.times(), NOON)

    assert (str(candle.open), str(candle.high), str(candle.close), str(candle.volume)) == ("1", "4", "4", "1.5")
    assert (candle.quote_volume, candle.vwap, candle.trade_count) == (None, None, None)


def test_a_ladder_takes_the_longest_candles_that_fit_and_ends_where_it_has_to() -> None:
    offered = (Interval.M1, Interval.M5, Interval.M15, Interval.H1, Interval.H6)

    found = ladder(NOON.replace(hour=0), at(37 * 60), offered, 2_000)

    assert found == [
        Rung(interval=Interval.H6, start=NOON.replace(hour=0), end=NOON),
        Rung(interval=Interval.M15, start=NOON, end=at(30 * 60)),
        Rung(interval=Interval.M5, start=at(30 * 60), end=at(35 * 60)),
        Rung(interval=Interval.M1, start=at(35 * 60), end=at(37 * 60)),
    ]


def test_a_month_is_made_of_days_because_its_weeks_are_not_its_own() -> None:
    begin = datetime(2026, 11, 1, tzinfo=UTC)

    found = ladder(begin, NOON, (Interval.W1, Interval.D1, Interval.H12), 2_000)

    assert [(each.interval, each.end.day) for each in found or ()] == [(Interval.D1, 20), (Interval.H12, 20)]


@pytest.mark.parametrize(
    ("until", "offered", "most"),
    [(at(90), (Interval.M1,), 10), (at(3600), (Interval.M1,), 59), (at(60), (), 10)],
    ids=["between two", "too many", "none"],
)
def test_a_ladder_that_does_not_reach_is_none(until, offered, most) -> None:
    assert ladder(NOON, until, offered, most) is None


def test_of_the_moment_a_tape_begins_with_some_trades_may_be_lacking() -> None:
    assert first_whole(Interval.M1, NOON) == at(60)
    assert first_whole(Interval.M1, NOON - timedelta(microseconds=1)) == NOON
