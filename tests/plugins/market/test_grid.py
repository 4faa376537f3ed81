"""The grid that candles stand on."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.calendars import ExchangeCalendars, fx_open, fx_sessions
from plugins.market import grid
from plugins.market.grid import Slot
from schema.symbols import equity
from schema.words.intervals import Interval
from schema.words.venues import TradingHours


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + ("+00:00" if "T" in text else "T00:00:00+00:00"))


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    assert grid.floor(Interval.W1, at("2026-11-20T13:00")) == at("2026-11-16")
    assert grid.floor(Interval.MO1, at("2026-11-20T13:00")) == at("2026-11-01")
    assert grid.following(Interval.MO1, at("2026-12-01")) == at("2027-01-01")
    assert grid.ceiling(Interval.H4, at("2026-11-20T13:00")) == at("2026-11-20T16:00")
    assert grid.ceiling(Interval.H4, at("2026-11-20T16:00")) == at("2026-11-20T16:00")


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(list(Interval)),
    st.integers(1, 40),
)
def test_forward_and_backward_give_the_same_unbroken_run(moment: datetime, interval: Interval, count: int) -> None:
    run = grid.forward(interval, moment, datetime(2150, 1, 1, tzinfo=UTC), count)

    assert len(run) == count
    assert run[0].start >= moment
    assert all(a.end == b.start for a, b in pairwise(run))
    assert grid.backward(interval, moment, run[-1].end, count) == run


async def test_hours_of_a_session_count_from_its_opening_and_the_last_is_short() -> None:
    sessions = await ExchangeCalendars().sessions(
        equity("AAPL"), date(2026, 11, 20), date(2026, 11, 21), TradingHours.REGULAR
    )

    slots = grid.in_sessions(Interval.H1, sessions or (), "America/New_York")

    assert [slot.start for slot in slots] == [at("2026-11-20T14:30") + timedelta(hours=n) for n in range(7)]
    assert slots[-1] == Slot(at("2026-11-20T20:30"), at("2026-11-20T21:00"))


async def test_a_day_is_a_session_and_a_holiday_is_none() -> None:
    sessions = await ExchangeCalendars().sessions(
        equity("AAPL"), date(2026, 11, 25), date(2026, 12, 1), TradingHours.REGULAR
    )

    slots = grid.in_sessions(Interval.D1, sessions or (), "America/New_York")

    assert [slot.day for slot in slots] == [date(2026, 11, 25), date(2026, 11, 27), date(2026, 11, 30)]
    assert slots[1] == Slot(at("2026-11-27T14:30"), at("2026-11-27T18:00"), date(2026, 11, 27))


async def test_weeks_and_months_of_sessions_are_named_by_monday_and_by_the_first() -> None:
    sessions = await ExchangeCalendars().sessions(
        equity("AAPL"), date(2026, 11, 25), date(2026, 12, 4), TradingHours.REGULAR
    )

    weeks = grid.in_sessions(Interval.W1, sessions or (), "America/New_York")
    months = grid.in_sessions(Interval.MO1, sessions or (), "America/New_York")

    assert [slot.day for slot in weeks] == [date(2026, 11, 23), date(2026, 11, 30)]
    assert [slot.day for slot in months] == [date(2026, 11, 1), date(2026, 12, 1)]


def test_currencies_trade_from_sunday_evening_to_friday_evening_in_new_york() -> None:
    # 2026-11-20 is a Friday; New York is at UTC-5, so the week ends at 22:00 UTC.
    assert fx_open(at("2026-11-20T21:59"))
    assert not fx_open(at("2026-11-20T22:00"))
    assert not fx_open(at("2026-11-22T21:59"))
    assert fx_open(at("2026-11-22T22:00"))
    assert [s.opens for s in fx_sessions(date(2026, 11, 20), date(2026, 11, 24))] == [
        at("2026-11-19T22:00"),
        at("2026-11-22T22:00"),
    ]
