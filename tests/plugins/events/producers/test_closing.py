"""Which candles of a stream are complete, which are told, and what was missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from plugins.events.producers.closing import MOST_MISSED, Closing, Step, following, joined, preceding
from plugins.events.producers.telling import Told, read
from schema.words.candles import Candle
from schema.words.intervals import Interval
from tests.gateway.doubles import NOON
from tests.gateway.live.handlines import bar


def at(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def done(number: int, close: str = "1") -> Candle:
    return replace(bar(number, close), closed=True)


def series(mark: int | None = 0) -> Closing:
    return Closing(interval=Interval.M1, mark=None if mark is None else at(mark))


def minute(moment: datetime) -> int:
    return int((moment - NOON).total_seconds() // 60)


def shown(step: Step) -> tuple[list[int], list[int], tuple[int, int] | None]:
    closed, again = ([minute(each.open_time) for each in part] for part in (step.closed, step.again))
    return closed, again, step.missing and (minute(step.missing[0]), minute(step.missing[1]))


def test_months_follow_each_other_and_weeks_too():
    december, january = datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

    assert (following(Interval.MO1, december), preceding(Interval.MO1, january)) == (january, december)
    assert following(Interval.W1, datetime(2026, 11, 16, tzinfo=UTC)) == datetime(2026, 11, 23, tzinfo=UTC)


def test_a_series_begins_behind_what_is_complete_when_it_is_asked_for():
    assert series(None).first_mark([done(3), bar(4, "1")]) == at(3)
    assert series(None).first_mark([bar(4, "1")]) == at(3)
    assert series(None).first_mark([]) is None


def test_a_candle_closes_where_its_feed_says_so_and_comes_again_as_known():
    closing = series()

    first = shown(closing.take([bar(1, "5")], broken=False))
    second = shown(closing.take([done(1, "6")], broken=False))
    closing.mark = at(1)
    third = shown(closing.take([done(1, "6"), bar(2, "7")], broken=False))

    assert (first, second, third) == (([], [], None), ([1], [], None), ([], [1], None))


def test_the_beginning_of_the_next_candle_closes_one_whose_feed_says_nothing():
    closing = series()
    closing.take([bar(1, "5")], broken=False)

    step = closing.take([bar(2, "6")], broken=False)

    assert [(each.open_time, each.close) for each in step.closed] == [(at(1), Decimal(5))]
    assert step.missing is None


def test_a_candle_that_went_on_unseen_is_not_closed_by_what_was_seen_of_it_but_fetched():
    closing = series()
    closing.take([bar(1, "5")], broken=False)
    closing.take([], broken=True)

    step = shown(closing.take([bar(3, "7")], broken=False))
    same = shown(closing.take([bar(3, "8")], broken=False))

    assert step == ([], [], (1, 3))
    assert same == ([], [], None)


def test_what_is_missing_is_looked_for_once_and_never_further_back_than_so_far():
    closing = series()

    far = closing.take([done(500), bar(501, "1")], broken=False)

    assert far.missing == (at(501 - MOST_MISSED), at(500))
    assert [each.open_time for each in far.closed] == [at(500)]


def test_what_came_counts_before_what_was_fetched():
    step = Step(closed=(done(3, "9"),), missing=(at(1), at(3)))

    found = joined([done(0), done(1, "1"), done(2, "2"), done(3, "3")], step, at(0))

    assert [(each.open_time, each.close) for each in found] == [
        (at(1), Decimal(1)), (at(2), Decimal(2)), (at(3), Decimal(9)),
    ]  # fmt: skip


def test_a_revision_is_another_value_of_the_same_provider():
    known = Told(provider="alpha", revision=0, candle=done(1, "5"))

    assert not known.differs("alpha", replace(done(1, "5.00"), trade_count=7))
    assert not known.differs("beta", done(1, "6"))
    assert known.differs("alpha", done(1, "6"))
    assert not known.differs("alpha", replace(done(1, "5"), volume=Decimal(3)))
    assert read(known.next(done(1, "6")).text(), at(1)) == Told(provider="alpha", revision=1, candle=done(1, "6"))
