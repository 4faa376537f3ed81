"""When the US market trades, as Tradier tells it, and how Tradier writes lists."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from providers.equities._listed import NEW_YORK
from providers.row import Row
from schema.words.sessions import MarketStatus
from schema.words.venues import MarketState, TradingHours, TradingSession

CLOSING = time(16)
STATES = {
    "premarket": MarketState.PRE, "open": MarketState.REGULAR, "postmarket": MarketState.POST,
    "closed": MarketState.CLOSED,
}  # fmt: skip


def several(parent: Row, key: str) -> Row:
    """The items of a list, which is null where there is none and the item itself where there is one."""
    held = parent.get(key)
    if held is None or isinstance(held.value, list):
        return Row(parent.provider, [], parent, key) if held is None else held
    return Row(parent.provider, [held.value], parent, key)


def parse_clock(venue: str, body: Row) -> MarketStatus:
    """`{"clock": {"date", "state", "timestamp", "next_change", "next_state", "description"}}`."""
    clock = body["clock"]
    state, coming = STATES.get(clock.text("state"), MarketState.UNKNOWN), clock.maybe_text("next_state")
    # Behind `closed` stands an hour of a day that is not told.
    change = None if state is MarketState.CLOSED else at(clock.day("date"), clock, "next_change")
    return MarketStatus(
        as_of=clock.epoch("timestamp"),
        venue=venue,
        state=state,
        reason=clock.maybe_text("description") if state is MarketState.CLOSED else None,
        next_open=change if coming == "open" else None,
        next_close=change if state is MarketState.REGULAR else None,
    )


def at(day: date, row: Row, key: str) -> datetime:
    """An hour such as `09:30` of a day in New York."""
    local = Row(row.provider, f"{day.isoformat()}T{row.text(key)}", row, key).instant()
    return local.replace(tzinfo=ZoneInfo(NEW_YORK)).astimezone(UTC)


def months(start: date, end: date) -> Iterator[date]:
    """The first day of every month that `[start, end)` touches."""
    month = start.replace(day=1)
    while month < end:
        yield month
        month = (month + timedelta(days=31)).replace(day=1)


def parse_calendar(body: Row) -> Iterator[TradingSession]:
    """`{"calendar": {"days": {"day": [{"date", "status", "premarket", "open", "postmarket"}]}}}`."""
    for row in several(body["calendar"]["days"], "day"):
        if row.text("status") != "open":
            continue
        day, regular = row.day("date"), row["open"]
        opens, closes = at(day, regular, "start"), at(day, regular, "end")
        early = closes.astimezone(ZoneInfo(NEW_YORK)).time() < CLOSING
        yield TradingSession(date=day, opens=opens, closes=closes, hours=TradingHours.REGULAR, early_close=early)
        before, after = row.get("premarket"), row.get("postmarket")
        if before is not None and after is not None:
            opens, closes = at(day, before, "start"), at(day, after, "end")
            yield TradingSession(date=day, opens=opens, closes=closes, hours=TradingHours.EXTENDED, early_close=early)
