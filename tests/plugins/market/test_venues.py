"""Venues and whether they trade: a provider's word before the calendar's; spoken by fakes, on a Friday at noon."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from schema.errors import Overloaded
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from schema.words.sessions import MARKET_STATUS, TRADING_SESSIONS, MarketStatus, MarketStatusAsk
from schema.words.venues import MarketState, TradingHours, TradingSession
from tests.plugins.speakers import NOON, Room, Speaker, speaker

NO_VENUE = "is no venue: give a MIC such as XNYS, or the id of an exchange's provider"
STATUS = "{ marketStatus(venue: %s) { venue state reason basis asOf nextOpen nextClose provenance { provider } } }"


def session(day: int) -> TradingSession:
    opens = datetime(2026, 11, day, 14, 30, tzinfo=UTC)
    return TradingSession(
        date=date(2026, 11, day), opens=opens, closes=opens + timedelta(hours=6.5), hours=TradingHours.REGULAR,
        early_close=False,
    )  # fmt: skip


def saying(say: Callable[[MarketStatusAsk], MarketStatus]) -> type[Speaker]:
    return speaker({MARKET_STATUS: say, TRADING_SESSIONS: lambda ask: (session(19), session(20), session(23))})


def silent(ask: MarketStatusAsk) -> MarketStatus:
    raise Overloaded("alpha", "HTTP 503")


async def test_a_halt_is_told_as_the_provider_tells_it_without_the_calendars_hours() -> None:
    alpha = saying(lambda ask: MarketStatus(venue=ask.venue, state=MarketState.HALTED, reason="circuit breaker"))

    status = await Room(alpha).data(STATUS % '"xnas"')

    assert status == {
        "venue": "XNAS", "state": "HALTED", "reason": "circuit breaker", "basis": "PROVIDER", "asOf": None,
        "nextOpen": None, "nextClose": None, "provenance": {"provider": "alpha"},
    }  # fmt: skip
    assert alpha.asked == [MarketStatusAsk(venue="XNAS")]


async def test_what_a_provider_leaves_out_is_the_calendars_where_both_agree() -> None:
    alpha = saying(lambda ask: MarketStatus(venue=ask.venue, state=MarketState.PRE, as_of=NOON))

    status = await Room(alpha).data(STATUS % '"XNYS"')

    assert (status["basis"], status["asOf"]) == ("PROVIDER", "2026-11-20T12:00:00Z")
    assert (status["nextOpen"], status["nextClose"]) == ("2026-11-20T14:30:00Z", "2026-11-20T21:00:00Z")


async def test_where_they_differ_the_calendar_adds_nothing() -> None:
    alpha = saying(lambda ask: MarketStatus(venue=ask.venue, state=MarketState.CLOSED, reason="a storm"))

    status = await Room(alpha).data(STATUS % '"XNYS"')

    assert (status["state"], status["reason"], status["nextOpen"]) == ("CLOSED", "a storm", None)


async def test_without_a_providers_word_the_calendar_speaks_and_says_so() -> None:
    status = await Room(saying(silent)).data(STATUS % '"XNYS"')

    assert status == {
        "venue": "XNYS", "state": "PRE", "reason": None, "basis": "CALENDAR", "asOf": "2026-11-20T12:00:00Z",
        "nextOpen": "2026-11-20T14:30:00Z", "nextClose": "2026-11-20T21:00:00Z", "provenance": None,
    }  # fmt: skip


async def test_a_pinned_provider_is_not_replaced_by_the_calendar() -> None:
    code, _ = await Room(saying(silent)).error(
        '{ marketStatus(venue: "XNYS", route: {providers: ["alpha"]}) { state } }'
    )

    assert code == "UPSTREAM_UNAVAILABLE"


async def test_a_crypto_exchange_trades_always_and_an_unknown_mic_is_unknown() -> None:
    room = Room(saying(silent))

    crypto, unknown = await room.data(STATUS % '"alpha"'), await room.data(STATUS % '"ZZZZ"')

    assert (crypto["state"], crypto["nextOpen"], crypto["nextClose"]) == ("REGULAR", None, None)
    assert (unknown["state"], unknown["basis"], unknown["nextOpen"]) == ("UNKNOWN", "CALENDAR", None)
    assert await room.error(STATUS % '"nobody"') == (
        "BAD_USER_INPUT",
        "venue: 'nobody' is no venue: give a MIC such as XNYS, or the id of an exchange's provider",
    )


async def test_a_venue_has_its_parts_and_its_holidays() -> None:
    found = await Room(saying(silent)).data(
        """{ venue(id: "xnas") { id name timeZone state
          sessions(start: "2026-11-27", end: "2026-11-28") { closes earlyClose }
          phases(start: "2026-11-27", end: "2026-11-28") { kind opens }
          holidays(start: "2026-11-26", end: "2026-11-28") { date name earlyClose closes } } }"""
    )

    assert found == {
        "id": "XNAS", "name": "Nasdaq", "timeZone": "America/New_York", "state": "PRE",
        "sessions": [{"closes": "2026-11-27T18:00:00Z", "earlyClose": True}],
        "phases": [
            {"kind": "PRE", "opens": "2026-11-27T09:00:00Z"}, {"kind": "REGULAR", "opens": "2026-11-27T14:30:00Z"},
            {"kind": "POST", "opens": "2026-11-27T18:00:00Z"},
        ],
        "holidays": [
            {"date": "2026-11-26", "name": "Thanksgiving", "earlyClose": False, "closes": None},
            {"date": "2026-11-27", "name": "Black Friday", "earlyClose": True, "closes": "2026-11-27T18:00:00Z"},
        ],
    }  # fmt: skip


async def test_a_crypto_exchange_is_a_venue_without_holidays_and_nobody_is_none() -> None:
    room = Room(saying(silent))

    crypto = await room.data(
        '{ venue(id: "alpha") { name timeZone state holidays(start: "2026-12-24", end: "2026-12-26") { name } } }'
    )

    assert crypto == {"name": "Alpha", "timeZone": "UTC", "state": "REGULAR", "holidays": []}
    assert await room.data('{ venue(id: "ZZZZ") { id } }') is None
    assert await room.data('{ venue(id: "nobody") { id } }') is None


async def test_a_providers_id_of_four_letters_is_no_mic() -> None:
    room = Room(speaker({MARKET_STATUS: silent}, name="mexc"))

    assert await room.data('{ venue(id: "mexc") { id name } }') == {"id": "mexc", "name": "Mexc"}
    assert await room.data('{ venue(id: "MEXC") { id } }') is None


SESSIONS = (
    '{ tradingSessions(%sstart: "2026-11-20", end: "2026-11-23") { date opens closes basis provenance { provider } } }'
)


async def test_sessions_of_a_provider_are_cut_to_their_days_and_say_whose_they_are() -> None:
    sessions = await Room(saying(silent)).data(SESSIONS % "")

    assert sessions == [
        {
            "date": "2026-11-20", "opens": "2026-11-20T14:30:00Z", "closes": "2026-11-20T21:00:00Z",
            "basis": "PROVIDER", "provenance": {"provider": "alpha"},
        }
    ]  # fmt: skip


async def test_sessions_that_nobody_tells_are_the_calendars_and_say_so() -> None:
    sessions = await Room(speaker({TRADING_SESSIONS: silent})).data(SESSIONS % 'venue: "XLON", ')

    assert sessions == [
        {
            "date": "2026-11-20", "opens": "2026-11-20T08:00:00Z", "closes": "2026-11-20T16:30:00Z",
            "basis": "CALENDAR", "provenance": None,
        }
    ]  # fmt: skip


@pytest.mark.parametrize("wanted", ['route: {providers: ["alpha"]}, ', 'venue: "ZZZZ", ', 'venue: "alpha", '])
async def test_pinned_providers_and_venues_without_a_calendar_have_no_sessions_but_told_ones(wanted: str) -> None:
    code, _ = await Room(speaker({TRADING_SESSIONS: silent})).error(SESSIONS % wanted)

    assert code == "UPSTREAM_UNAVAILABLE"


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ('marketStatus(venue: "New York") { state }', f"venue: {NO_VENUE}"),
        ('venue(id: "") { id }', f"id: {NO_VENUE}"),
        (
            'venue(id: "XNYS") { holidays(start: "2026-11-28", end: "2026-11-27") { name } }',
            "end: must be after start, and at most 400 days after it",
        ),
        (
            'tradingSessions(start: "2026-11-01", end: "2028-11-01") { date }',
            "end: must be after start, and at most 400 days after it",
        ),
    ],
)
async def test_what_cannot_be_asked_is_refused(field: str, told: str) -> None:
    assert await Room(saying(silent)).error(f"{{ {field} }}") == ("BAD_USER_INPUT", told)


async def test_the_newest_price_of_a_closed_market_is_not_stale_by_the_calendar() -> None:
    """A Friday noon in London is before the opening in New York: Thursday's last price is the newest."""
    said = {
        "equity:AAPL": datetime(2026, 11, 19, 20, 59, tzinfo=UTC),
        "equity:MSFT": datetime(2026, 11, 18, tzinfo=UTC),
    }

    def say(ask: QuotesAsk) -> list[Quote]:
        return [
            Quote(instrument=i, price=Decimal(1), price_type=PriceType.LAST, currency="USD", as_of=said[str(i)])
            for i in ask.instruments
        ]

    room = Room(speaker({QUOTES: say}))

    found = await room.data(
        '{ quotes(symbols: ["equity:AAPL", "equity:MSFT"], route: {maxAgeMs: 60000}) '
        "{ nodes { price } failures { symbol code } } }"
    )

    assert found == {"nodes": [{"price": "1"}, None], "failures": [{"symbol": "equity:MSFT", "code": "DATA_STALE"}]}
