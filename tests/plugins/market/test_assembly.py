"""From a provider's bars to a series."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from plugins.market import grid
from plugins.market.assembly import assemble
from plugins.market.grid import Slot
from schema.words.candles import Bars, Fill, Gap
from schema.words.intervals import Interval

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def hours(*offsets: int) -> tuple[datetime, ...]:
    return tuple(NOON + timedelta(hours=n) for n in offsets)


def bars(*times: datetime, days: tuple[date, ...] | None = None, closed: tuple[bool, ...] | None = None) -> Bars:
    prices = tuple(Decimal(100 + n) for n in range(len(times)))
    return Bars(
        open_time=times, open=prices, high=prices, low=prices, close=prices, volume=prices, session_date=days,
        closed=closed,
    )  # fmt: skip


def slots(count: int) -> list[Slot]:
    return grid.forward(Interval.H1, NOON, NOON + timedelta(days=9), count)


def test_rows_outside_of_the_range_are_cut_and_the_last_one_is_still_forming() -> None:
    made = assemble(bars(*hours(-1, 0, 1, 2, 3)), slots(3), Interval.H1, "UTC", hours(2)[0], Fill.NONE)

    assert made.bars.open_time == hours(0, 1, 2)
    assert made.bars.closed == (True, True, False)
    assert made.gaps == []


def test_a_missing_run_is_one_gap_and_the_forming_slot_is_none() -> None:
    made = assemble(bars(*hours(0, 3)), slots(6), Interval.H1, "UTC", hours(5)[0], Fill.NONE)

    assert made.bars.open_time == hours(0, 3)
    assert made.gaps == [
        Gap(start=hours(1)[0], end=hours(3)[0], missing=2),
        Gap(start=hours(4)[0], end=hours(5)[0], missing=1),
    ]


def test_filling_is_marked_and_never_stands_before_the_first_real_row() -> None:
    made = assemble(bars(*hours(1, 3)), slots(5), Interval.H1, "UTC", hours(9)[0], Fill.PREVIOUS_CLOSE)

    assert made.bars.open_time == hours(1, 2, 3, 4)
    assert made.bars.filled == (False, True, False, True)
    assert made.bars.close == (Decimal(100), Decimal(100), Decimal(101), Decimal(101))
    assert made.bars.volume == (Decimal(100), Decimal(0), Decimal(101), Decimal(0))
    assert [gap.missing for gap in made.gaps] == [1, 1, 1]


def test_the_providers_own_mark_of_a_closed_candle_counts() -> None:
    made = assemble(bars(*hours(0), closed=(False,)), slots(1), Interval.H1, "UTC", hours(9)[0], Fill.NONE)

    assert made.bars.closed == (False,)


def test_a_daily_bar_at_midnight_moves_to_its_sessions_opening() -> None:
    friday, monday = date(2026, 11, 20), date(2026, 11, 23)
    opens = datetime(2026, 11, 20, 14, 30, tzinfo=UTC), datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
    days = [
        Slot(moment, moment + timedelta(hours=6.5), day) for moment, day in zip(opens, (friday, monday), strict=True)
    ]
    midnights = tuple(datetime(d.year, d.month, d.day, tzinfo=UTC) for d in (friday, monday))

    made = assemble(bars(*midnights, days=(friday, monday)), days, Interval.D1, "America/New_York", opens[1], Fill.NONE)

    assert made.bars.open_time == opens
    assert made.bars.session_date == (friday, monday)
    assert made.bars.closed == (True, False)


def test_an_hour_that_a_provider_counts_otherwise_still_has_its_place() -> None:
    opening = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
    session = [Slot(opening + timedelta(hours=n), opening + timedelta(hours=n + 1)) for n in range(3)]
    clock_hours = tuple(datetime(2026, 11, 20, hour, tzinfo=UTC) for hour in (15, 16, 17))

    made = assemble(bars(*clock_hours), session, Interval.H1, "America/New_York", NOON + timedelta(days=1), Fill.NONE)

    assert made.bars.open_time == clock_hours
    assert made.gaps == []
