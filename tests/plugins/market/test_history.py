"""Prices of the past, and a consensus on exchange rates and index levels; spoken by fakes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from schema.symbols import parse_instrument
from schema.words.candles import Adjustment
from schema.words.history import HISTORICAL_QUOTE, PRICE_HISTORY, PriceHistoryAsk, PricePoint, check_points
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote
from tests.plugins.speakers import NOON, Room, Speaker, speaker

MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)


def points(ask: PriceHistoryAsk) -> tuple[PricePoint, ...]:
    return tuple(
        PricePoint(time=datetime(2026, 11, day, tzinfo=UTC), price=Decimal(day), currency="USD") for day in (17, 18, 19)
    )


@pytest.fixture(scope="module")
def alpha() -> type[Speaker]:
    return speaker({
        HISTORICAL_QUOTE: lambda ask: Quote(
            instrument=ask.instrument, price=Decimal("0.383261"), price_type=PriceType.INDEX,
            as_of=ask.at - timedelta(seconds=126),
        ),
        PRICE_HISTORY: points,
    })  # fmt: skip


@pytest.fixture(scope="module")
def room(alpha: type[Speaker]) -> Room:
    return Room(alpha)


async def test_a_price_of_the_past_says_of_when_it_is(room: Room) -> None:
    found = await room.data(
        '{ historicalQuote(symbol: "BTC/USD", at: "2024-09-16T01:46:40Z") { price priceType provenance { asOf } } }'
    )

    assert found == {"price": "0.383261", "priceType": "INDEX", "provenance": {"asOf": "2024-09-16T01:44:34Z"}}


@pytest.mark.parametrize("told", [timedelta(seconds=1), None])
async def test_a_price_that_is_later_than_the_instant_or_of_no_time_is_none_of_it(told: timedelta | None) -> None:
    careless = speaker({
        HISTORICAL_QUOTE: lambda ask: Quote(
            instrument=ask.instrument, price=Decimal(7), price_type=PriceType.LAST,
            as_of=None if told is None else ask.at + told,
        ),
    })  # fmt: skip

    code, message = await Room(careless).error(
        '{ historicalQuote(symbol: "BTC/USD", at: "2024-09-16T01:46:40Z") { price } }'
    )

    assert (code, message) == (
        "UPSTREAM_MALFORMED",
        "no historicalQuote for crypto:BTC/USD: alpha told a price that is not surely of 2024-09-16T01:46:40+00:00 or "
        "before",
    )


async def test_a_line_of_prices_ends_with_the_interval_that_has_begun(room: Room, alpha: type[Speaker]) -> None:
    found = await room.data(
        '{ priceHistory(symbol: "BTC/USD", start: "2026-11-18T00:00:00Z") { time price currency adjustment } }'
    )

    assert [(each["price"], each["adjustment"]) for each in found] == [("18", "NONE"), ("19", "NONE")]
    asked = [ask for ask in alpha.asked if isinstance(ask, PriceHistoryAsk)]
    assert [(ask.interval, ask.end) for ask in asked] == [(Interval.D1, MIDNIGHT)]


def line(symbol: str, *adjustments: Adjustment) -> list[str]:
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    ask = PriceHistoryAsk(instrument=parse_instrument(symbol), interval=Interval.D1, start=begin, end=MIDNIGHT)
    days = [begin + timedelta(days=day) for day in range(len(adjustments))]
    return list(
        check_points(
            ask,
            [
                PricePoint(time=day, price=Decimal(1), currency="USD", adjustment=adjustment)
                for day, adjustment in zip(days, adjustments, strict=True)
            ],
        )
    )


def test_adjustments_are_never_mixed_in_one_line_and_only_securities_have_any() -> None:
    assert line("equity:AAPL", Adjustment.SPLITS, Adjustment.SPLITS) == []
    assert line("equity:AAPL", Adjustment.NONE, Adjustment.SPLITS) == ["adjustments are mixed in one series"]
    assert line("crypto:BTC/USD", Adjustment.SPLITS) == ["2026-11-01T00:00:00+00:00: SPLITS"]


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ('historicalQuote(symbol: "BTC/USD", at: "2026-11-20T12:00:01Z") { price }', "at: is in the future"),
        (
            'priceHistory(symbol: "BTC/USD", start: "2026-01-01T00:00:00Z", interval: M1) { price }',
            "start: the range has more than 5000 points: ask for less, or a longer interval",
        ),
    ],
)
async def test_what_cannot_be_asked_is_refused(room: Room, field: str, told: str) -> None:
    assert await room.error(f"{{ {field} }}") == ("BAD_USER_INPUT", told)


@pytest.mark.parametrize(("symbol", "kind"), [("fx:EUR/USD", PriceType.MID), ("index:SPX", PriceType.INDEX)])
async def test_several_providers_agree_on_an_exchange_rate_and_on_an_index(symbol: str, kind: PriceType) -> None:
    def says(price: str) -> dict[object, object]:
        quote = Quote(
            instrument=parse_instrument(symbol), price=Decimal(price), price_type=kind, currency="USD", as_of=NOON
        )
        return {QUOTES: lambda ask: [quote]}

    speakers = [
        speaker(says(price), name=name)  # type: ignore[arg-type]
        for name, price in (("alpha", "1.1604"), ("beta", "1.1606"), ("gamma", "1.1605"), ("delta", "1.3"))
    ]

    found = await Room(*speakers).data(
        f'{{ consensus(symbol: "{symbol}", quorum: 3) {{ median used asked outliers {{ provider }} }} }}'
    )

    assert found == {"median": "1.1605", "used": 3, "asked": 4, "outliers": [{"provider": "delta"}]}
