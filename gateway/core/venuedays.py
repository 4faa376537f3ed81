"""What a venue's days are made of: parts of a session, days that fall out, the next opening and closing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from schema.words.venues import MarketState, SessionPhase, TradingSession, Turns, VenueHoliday

WEEK = "1111100"
_SINCE = re.compile(r"( \(\d{4} onwards\)| including and after \d{4})$")


def phases_of(
    regular: TradingSession, extended: TradingSession, pause: datetime | None, resume: datetime | None
) -> Iterator[SessionPhase]:
    """Ascending; what has no length is left out."""
    parts = [(MarketState.PRE, extended.opens, regular.opens)]
    if pause is None or resume is None:
        parts.append((MarketState.REGULAR, regular.opens, regular.closes))
    else:
        parts += [(MarketState.REGULAR, regular.opens, pause), (MarketState.REGULAR, resume, regular.closes)]
    parts.append((MarketState.POST, regular.closes, extended.closes))
    for kind, opens, closes in parts:
        if opens < closes:
            yield SessionPhase(date=regular.date, kind=kind, opens=opens, closes=closes)


def turns_of(phases: Sequence[SessionPhase], at: datetime) -> Turns:
    """The first regular opening after an instant, and the first end of regular trading after it."""
    regular = [phase for phase in phases if phase.kind is MarketState.REGULAR]
    return Turns(
        opens=next((phase.opens for phase in regular if phase.opens > at), None),
        closes=next((phase.closes for phase in regular if phase.closes > at), None),
    )


def holidays_of(calendar: Any, start: date, end: date, sessions: Sequence[TradingSession]) -> list[VenueHoliday]:
    """Days of the venue's week without a session, and early closes, ascending; within the calendar's reach.

    *calendar* is one of the package `exchange-calendars`. Closures for one occasion (a day of mourning) have no name;
    a day of the week that always ends early is none.
    """
    week = getattr(calendar, "weekmask", WEEK)
    open_on = {session.date: session for session in sessions}
    closed = _named(getattr(calendar, "regular_holidays", None), start, end)
    rules = [rule for _, rule in getattr(calendar, "special_closes", ())]
    early = {day: name for rule in rules for day, name in _named(rule, start, end).items()}
    found = []
    for number in range((end - start).days):
        day = start + timedelta(days=number)
        session = open_on.get(day)
        if session is None and week[day.weekday()] == "1":
            found.append(VenueHoliday(date=day, name=closed.get(day), early_close=False))
        elif session is not None and session.early_close and early.get(day, "") is not None:
            found.append(VenueHoliday(date=day, name=early.get(day), early_close=True, closes=session.closes))
    return found


def _named(rules: Any, start: date, end: date) -> dict[date, str | None]:
    """Days and their names; None for those of a rule that tells no name, which is a habit of the week."""
    from pandas import Timestamp  # the calendar has loaded it

    if rules is None or isinstance(rules, int):
        return {}
    told = rules.holidays(Timestamp(start), Timestamp(end), return_name=True)
    if not hasattr(told, "items"):
        return {stamp.date(): None for stamp in told}
    return {stamp.date(): _SINCE.sub("", name) for stamp, name in told.items()}
