"""Holidays, early closes, parts of a day and the next turns, against what the exchanges themselves have published."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from gateway.core.calendars import ExchangeCalendars
from schema.words.venues import SessionPhase, Turns

CALENDARS = ExchangeCalendars()

# nyse.com/markets/hours-calendars; 9 January 2025 was a day of mourning.
NEW_YORK = {
    2024: "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25",
    2025: "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25",
    2026: "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25",
}
EARLY_IN_NEW_YORK = {2024: "07-03 11-29 12-24", 2025: "07-03 11-28 12-24", 2026: "11-27 12-24"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def days(mic: str, year: int, *, early: bool) -> str:
    found = await CALENDARS.venue_holidays(mic, date(year, 1, 1), date(year + 1, 1, 1))
    return " ".join(f"{each.date:%m-%d}" for each in found if each.early_close is early)


@pytest.mark.parametrize("year", NEW_YORK)
async def test_new_york_keeps_its_published_holidays(year: int) -> None:
    assert await days("XNYS", year, early=False) == NEW_YORK[year]
    assert await days("XNAS", year, early=True) == EARLY_IN_NEW_YORK[year]


@pytest.mark.parametrize(
    ("mic", "closed", "early"),
    [
        ("XLON", "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28", "12-24 12-31"),
        ("XETR", "01-01 04-03 04-06 05-01 12-24 12-25 12-31", "12-30"),
        ("XTSE", "01-01 02-16 04-03 05-18 07-01 08-03 09-07 10-12 12-25 12-28", "12-24"),
        # 22 September lies between two holidays, and is one by law.
        (
            "XTKS",
            "01-01 01-02 01-12 02-11 02-23 03-20 04-29 05-04 05-05 05-06 07-20 08-11 09-21 09-22 09-23 10-12 11-03 "
            "11-23 12-31",
            "",
        ),
    ],
)
async def test_other_venues_keep_their_own_in_2026(mic: str, closed: str, early: str) -> None:
    assert await days(mic, 2026, early=False) == closed
    assert await days(mic, 2026, early=True) == early


async def test_a_holiday_has_its_name_and_an_early_close_its_hour() -> None:
    found = await CALENDARS.venue_holidays("XNYS", date(2026, 11, 26), date(2026, 11, 28))
    mourning = await CALENDARS.venue_holidays("XNYS", date(2025, 1, 9), date(2025, 1, 10))
    tokyo = await CALENDARS.venue_holidays("XTKS", date(2026, 7, 20), date(2026, 7, 21))

    assert [(each.name, each.early_close, each.closes) for each in found] == [
        ("Thanksgiving", False, None), ("Black Friday", True, at("2026-11-27T18:00:00")),
    ]  # fmt: skip
    assert [each.name for each in mourning] == [None]
    assert [each.name for each in tokyo] == ["Marine Day"]


async def test_a_weekday_that_always_ends_early_is_no_holiday() -> None:
    assert await CALENDARS.venue_holidays("XTAE", date(2026, 11, 1), date(2026, 12, 1)) == []


@pytest.mark.parametrize(
    ("start", "end"),
    [(date.min, date(1980, 1, 1)), (date(9000, 1, 1), date.max), (date(2026, 11, 26), date(2026, 11, 26))],
)
async def test_beyond_the_calendar_nothing_is_made_up(start: date, end: date) -> None:
    assert await CALENDARS.venue_holidays("XNYS", start, end) == []
    assert await CALENDARS.venue_phases("XNYS", start, end) == []


async def test_an_unknown_venue_has_no_days_no_turns_and_no_zone() -> None:
    week = date(2026, 11, 23), date(2026, 11, 30)

    assert await CALENDARS.venue_holidays("ZZZZ", *week) == ()
    assert await CALENDARS.venue_phases("ZZZZ", *week) == ()
    assert await CALENDARS.venue_turns("ZZZZ", at("2026-11-28T12:00:00")) == Turns()
    assert await CALENDARS.venue_turns("XNYS", at("2200-11-28T12:00:00")) == Turns()
    assert await CALENDARS.venue_zone("ZZZZ") is None
    assert await CALENDARS.venue_zone("XBUE") == "America/Argentina/Buenos_Aires"


def told(phase: SessionPhase) -> str:
    return f"{phase.kind} {phase.opens:%d %H:%M} {phase.closes:%H:%M}"


async def test_a_day_has_its_parts_and_a_short_one_shorter_late_trading() -> None:
    found = await CALENDARS.venue_phases("XNAS", date(2026, 11, 25), date(2026, 11, 28))

    assert [told(each) for each in found] == [
        "PRE 25 09:00 14:30", "REGULAR 25 14:30 21:00", "POST 25 21:00 01:00",
        "PRE 27 09:00 14:30", "REGULAR 27 14:30 18:00", "POST 27 18:00 22:00",
    ]  # fmt: skip


async def test_a_break_at_noon_parts_the_regular_day() -> None:
    found = await CALENDARS.venue_phases("XTKS", date(2026, 11, 20), date(2026, 11, 21))

    assert [told(each) for each in found] == ["REGULAR 20 00:00 02:30", "REGULAR 20 03:30 06:30"]


@pytest.mark.parametrize(
    ("mic", "moment", "opens", "closes"),
    [
        # A Saturday; Thanksgiving; while it is open; on the stroke of the closing bell.
        ("XNAS", "2026-11-28T12:00:00", "2026-11-30T14:30:00", "2026-11-30T21:00:00"),
        ("XNYS", "2026-11-26T15:00:00", "2026-11-27T14:30:00", "2026-11-27T18:00:00"),
        ("XNYS", "2026-11-27T15:00:00", "2026-11-30T14:30:00", "2026-11-27T18:00:00"),
        ("XNYS", "2026-11-27T18:00:00", "2026-11-30T14:30:00", "2026-11-30T21:00:00"),
        # Summer time begins on 8 March in New York, and three weeks later in London.
        ("XNYS", "2026-03-07T12:00:00", "2026-03-09T13:30:00", "2026-03-09T20:00:00"),
        ("XLON", "2026-03-07T12:00:00", "2026-03-09T08:00:00", "2026-03-09T16:30:00"),
        ("XLON", "2026-03-28T12:00:00", "2026-03-30T07:00:00", "2026-03-30T15:30:00"),
        # Before the break in Tokyo, and in it; over the longest holidays of Shanghai.
        ("XTKS", "2026-11-20T01:00:00", "2026-11-20T03:30:00", "2026-11-20T02:30:00"),
        ("XTKS", "2026-11-20T03:00:00", "2026-11-20T03:30:00", "2026-11-20T06:30:00"),
        ("XSHG", "2026-09-30T08:00:00", "2026-10-08T01:30:00", "2026-10-08T03:30:00"),
    ],
)  # fmt: skip
async def test_the_next_opening_and_closing_of_regular_trading(mic: str, moment: str, opens: str, closes: str) -> None:
    assert await CALENDARS.venue_turns(mic, at(moment)) == Turns(at(opens), at(closes))
