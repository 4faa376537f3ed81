"""When instruments trade."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.core import calendars
from gateway.core.calendars import _ZONES, ExchangeCalendars, fx_open, fx_sessions
from schema.symbols import parse_instrument
from schema.words.venues import MarketState, TradingHours, TradingSession

CALENDARS = ExchangeCalendars()
AAPL, VOD, BTC, EUR = (
    parse_instrument(text) for text in ("equity:AAPL", "equity:VOD@XLON", "crypto:BTC/USD", "fx:EUR/USD")
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        ("2026-11-20T14:29:59", "PRE"), ("2026-11-20T14:30:00", "REGULAR"), ("2026-11-20T20:59:59", "REGULAR"),
        ("2026-11-20T21:00:00", "POST"), ("2026-11-21T00:59:59", "POST"), ("2026-11-21T01:00:00", "CLOSED"),
        ("2026-11-20T08:59:59", "CLOSED"), ("2026-11-20T09:00:00", "PRE"),
        # Saturday; Thanksgiving; the day after closes at 13:00, with four hours of late trading.
        ("2026-11-21T15:00:00", "CLOSED"), ("2026-11-26T15:00:00", "CLOSED"),
        ("2026-11-27T17:59:59", "REGULAR"), ("2026-11-27T18:00:00", "POST"), ("2026-11-27T22:00:00", "CLOSED"),
        # Summer time moves the opening by an hour in UTC: 8 March and 1 November 2026.
        ("2026-03-06T14:00:00", "PRE"), ("2026-03-09T13:30:00", "REGULAR"), ("2026-10-30T13:30:00", "REGULAR"),
        ("2026-11-02T14:00:00", "PRE"), ("2026-11-02T14:30:00", "REGULAR"),
    ],
)  # fmt: skip
async def test_new_york_by_the_hour(moment: str, state: str) -> None:
    assert (await CALENDARS.state(AAPL, at(moment))).value == state
    assert (await CALENDARS.venue_state("XNAS", at(moment))).value == state


async def test_other_venues_have_hours_of_their_own_and_no_extended_ones() -> None:
    assert await CALENDARS.state(VOD, at("2026-11-20T08:00:00")) is MarketState.REGULAR
    assert await CALENDARS.state(VOD, at("2026-11-20T16:30:00")) is MarketState.CLOSED
    # London is on summer time until 25 October, and has a holiday on 28 December for the 26th.
    assert await CALENDARS.state(VOD, at("2026-10-23T07:00:00")) is MarketState.REGULAR
    assert await CALENDARS.state(VOD, at("2026-12-28T12:00:00")) is MarketState.CLOSED


async def test_crypto_never_closes_and_an_unknown_venue_is_unknown() -> None:
    assert await CALENDARS.state(BTC, at("2026-12-25T00:00:00")) is MarketState.REGULAR
    assert await CALENDARS.venue_state("binance", at("2026-12-25T00:00:00")) is MarketState.REGULAR
    assert await CALENDARS.venue_state("ZZZZ", at("2026-11-20T12:00:00")) is MarketState.UNKNOWN
    assert await CALENDARS.state(parse_instrument("equity:X@ZZZZ"), at("2026-11-20T12:00:00")) is MarketState.UNKNOWN
    assert await CALENDARS.sessions(BTC, date(2026, 1, 1), date(2026, 2, 1), TradingHours.REGULAR) is None
    assert await CALENDARS.venue_sessions("ZZZZ", date(2026, 1, 1), date(2026, 2, 1)) == ()
    assert await CALENDARS.state(parse_instrument("macro:US.CPI"), at("2026-11-20T12:00:00")) is MarketState.UNKNOWN


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00", "1969-07-20T20:17:00", "9999-12-31T23:59:59", "2200-01-04T15:00:00"]
)
async def test_a_moment_that_no_calendar_reaches_is_unknown(moment: str) -> None:
    assert await CALENDARS.state(AAPL, at(moment)) is MarketState.UNKNOWN


def times(session: TradingSession) -> tuple[str, str, str, bool]:
    return (
        session.date.isoformat(), session.opens.strftime("%d %H:%M"), session.closes.strftime("%d %H:%M"),
        session.early_close,
    )  # fmt: skip


async def test_sessions_leave_out_holidays_and_mark_early_closes() -> None:
    found = await CALENDARS.venue_sessions("XNYS", date(2026, 11, 25), date(2026, 12, 1))

    assert [times(session) for session in found] == [
        ("2026-11-25", "25 14:30", "25 21:00", False),
        ("2026-11-27", "27 14:30", "27 18:00", True),
        ("2026-11-30", "30 14:30", "30 21:00", False),
    ]


async def test_extended_sessions_have_the_venues_own_clock() -> None:
    found = await CALENDARS.sessions(AAPL, date(2026, 10, 30), date(2026, 11, 3), TradingHours.EXTENDED)

    assert found is not None
    assert [times(session) for session in found] == [
        ("2026-10-30", "30 08:00", "31 00:00", False), ("2026-11-02", "02 09:00", "03 01:00", False),
    ]  # fmt: skip
    assert {session.hours for session in found} == {TradingHours.EXTENDED}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2026, 11, 21), date(2026, 11, 23)), (date(2026, 11, 20), date(2026, 11, 20)),
        (date(2026, 11, 20), date(2026, 11, 19)), (date.min, date.min), (date.max, date.max),
        (date.min, date(1980, 1, 1)), (date(9000, 1, 1), date.max),
    ],
)  # fmt: skip
async def test_an_empty_range_has_no_sessions(start: date, end: date) -> None:
    assert list(await CALENDARS.venue_sessions("XNYS", start, end)) == []


@pytest.mark.parametrize("mic", sorted(_ZONES))
async def test_every_venue_with_a_zone_has_a_calendar_in_that_zone(mic: str) -> None:
    found = await CALENDARS.venue_sessions(mic, date(2026, 11, 9), date(2026, 11, 21))

    assert 8 <= len(found) <= 10
    assert CALENDARS.time_zone(parse_instrument(f"equity:X@{mic}")) == _ZONES[mic]
    assert all(5 <= session.opens.astimezone(ZoneInfo(_ZONES[mic])).hour <= 12 for session in found)
    assert all(session.opens.astimezone(ZoneInfo(_ZONES[mic])).date() == session.date for session in found)


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2026-11-20T21:59:59", True), ("2026-11-20T22:00:00", False), ("2026-11-21T12:00:00", False),
        ("2026-11-22T21:59:59", False), ("2026-11-22T22:00:00", True), ("2026-11-25T22:00:00", True),
        # In summer New York is an hour nearer to UTC.
        ("2026-07-17T20:59:59", True), ("2026-07-17T21:00:00", False), ("2026-07-19T21:00:00", True),
    ],
)  # fmt: skip
async def test_currencies_trade_from_sunday_to_friday_evening_in_new_york(moment: str, open_: bool) -> None:
    assert fx_open(at(moment)) is open_
    assert (await CALENDARS.state(EUR, at(moment))) is (MarketState.REGULAR if open_ else MarketState.CLOSED)


def test_a_currencys_day_begins_the_evening_before_also_over_a_change_of_clocks() -> None:
    found = fx_sessions(date(2026, 3, 6), date(2026, 3, 11))

    assert [times(session)[:3] for session in found] == [
        ("2026-03-06", "05 22:00", "06 22:00"),
        ("2026-03-09", "08 21:00", "09 21:00"),
        ("2026-03-10", "09 21:00", "10 21:00"),
    ]
    assert fx_sessions(date.min, date.min) == []


async def test_a_calendar_is_built_once_however_many_ask_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import exchange_calendars

    built: list[str] = []
    real = exchange_calendars.get_calendar

    def counting(name: str, **facts: Any) -> Any:
        built.append(name)
        return real(name, **facts)

    monkeypatch.setattr(exchange_calendars, "get_calendar", counting)
    calendars._built.cache_clear()

    await asyncio.gather(*(ExchangeCalendars().venue_state("XNYS", at("2026-11-20T15:00:00")) for _ in range(20)))

    assert built == ["XNYS"]


async def test_unknown_venues_do_not_push_known_ones_out(monkeypatch: pytest.MonkeyPatch) -> None:
    import exchange_calendars

    await CALENDARS.venue_state("XNYS", at("2026-11-20T15:00:00"))
    monkeypatch.setattr(exchange_calendars, "get_calendar", None)
    for number in range(200):
        assert await CALENDARS.venue_state(f"ZZ{number}", at("2026-11-20T15:00:00")) is MarketState.UNKNOWN

    assert await CALENDARS.venue_state("XNYS", at("2026-11-19T15:00:00")) is MarketState.REGULAR


async def test_the_loop_goes_on_while_a_calendar_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    import exchange_calendars

    begun, go_on, real = asyncio.Event(), threading.Event(), exchange_calendars.get_calendar
    loop = asyncio.get_running_loop()

    def slow(name: str, **facts: Any) -> Any:
        loop.call_soon_threadsafe(begun.set)
        assert go_on.wait(10)
        return real(name, **facts)

    monkeypatch.setattr(exchange_calendars, "get_calendar", slow)
    calendars._built.cache_clear()
    task = asyncio.create_task(ExchangeCalendars().venue_state("XPAR", at("2026-11-20T15:00:00")))

    await asyncio.wait_for(begun.wait(), 10)
    go_on.set()

    assert await task is MarketState.REGULAR


async def test_an_answer_that_is_known_needs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    await CALENDARS.venue_state("XNYS", at("2026-11-20T15:00:00"))
    monkeypatch.setattr(asyncio, "to_thread", None)

    assert await CALENDARS.venue_state("XNYS", at("2026-11-20T16:00:00")) is MarketState.REGULAR


async def test_a_lunch_break_is_not_trading() -> None:
    # 12:00 to 13:00 in Hong Kong.
    assert await CALENDARS.venue_state("XHKG", at("2026-11-20T03:59:00")) is MarketState.REGULAR
    assert await CALENDARS.venue_state("XHKG", at("2026-11-20T04:30:00")) is MarketState.CLOSED
    assert await CALENDARS.venue_state("XHKG", at("2026-11-20T05:00:00")) is MarketState.REGULAR


async def test_what_trades_is_told_at_once_and_a_calendar_is_read_for_the_next_who_asks() -> None:
    fresh, noon = ExchangeCalendars(), at("2026-11-20T17:00:00")

    first = [fresh.trading(each, noon) for each in (AAPL, AAPL, BTC, EUR, parse_instrument("macro:US.CPI"))]
    async with asyncio.timeout(30):
        while fresh._learning:  # noqa: ASYNC110 - a thread reads, and tells only the calendar
            await asyncio.sleep(0)

    assert first == [False, False, True, True, False]
    assert fresh.trading(AAPL, noon)
    assert not fresh.trading(AAPL, at("2026-11-20T08:00:00"))
    assert not fresh.trading(EUR, at("2026-11-21T12:00:00"))


@pytest.mark.parametrize(
    ("text", "moment", "began"),
    [
        # On a Saturday Friday's short session is the last; while it runs, and before the first of a week.
        ("equity:AAPL", "2026-11-28T12:00:00", "2026-11-27T14:30:00"), ("equity:AAPL", "2026-11-27T15:00:00", None),
        ("equity:AAPL", "2026-11-27T18:00:00", "2026-11-27T14:30:00"),
        ("equity:AAPL", "2026-11-30T14:29:59", "2026-11-27T14:30:00"), ("equity:AAPL", "2026-11-30T14:30:00", None),
        # In the break of Tokyo the morning counts; over a week of holidays in Shanghai the day before them.
        ("equity:7203@XTKS", "2026-11-20T03:00:00", "2026-11-20T00:00:00"),
        ("equity:600519@XSHG", "2026-10-07T03:00:00", "2026-09-30T01:30:00"),
        ("fx:EUR/USD", "2026-11-28T12:00:00", "2026-11-26T22:00:00"), ("fx:EUR/USD", "2026-11-27T12:00:00", None),
        ("crypto:BTC/USD", "2026-11-28T12:00:00", None), ("equity:X@ZZZZ", "2026-11-28T12:00:00", None),
    ],
)  # fmt: skip
async def test_the_session_that_the_newest_price_may_be_of(text: str, moment: str, began: str | None) -> None:
    instrument = parse_instrument(text)

    await CALENDARS.prepare([instrument], at(moment))

    assert CALENDARS.newest(instrument, at(moment)) == (at(began) if began else None)


def test_without_its_calendar_nothing_is_known_of_the_last_session() -> None:
    assert ExchangeCalendars().newest(AAPL, at("2026-11-28T12:00:00")) is None
