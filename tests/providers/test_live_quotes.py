"""Quotes that are a snapshot with what came since, and what feeds of shares do by the key's plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.core.check.replay import KEY, StoppedClock
from providers.equities._alpaca_feed import AlpacaFeed
from providers.equities._live_quotes import LiveQuotes
from providers.equities._polygon_feed import minutely
from providers.equities.alpaca import Alpaca
from providers.feeds import Refused, Topic
from providers.row import Row
from schema.errors import UpstreamError
from schema.symbols import parse_instrument
from schema.words.candles import Adjustment, CandlesAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from schema.words.venues import TradingHours

IBM = parse_instrument("equity:IBM")
# Midnight in New York is five hours later than in UTC.
FRIDAY = datetime(2026, 11, 20, 18, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 14, 30, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def quote(price: str, at: datetime | None) -> Quote:
    return Quote(instrument=IBM, price=Decimal(price), price_type=PriceType.LAST, currency="USD", as_of=at)


def message(price: str, at: datetime | None) -> Row:
    return Row("x", {"price": Decimal(price), "at": at})


def quotes() -> LiveQuotes:
    def changed(held: Quote, row: Row) -> Quote:
        at = row["at"].value
        return replace(held, price=row.decimal("price"), as_of=at or held.as_of)

    return LiveQuotes(changed, lambda row: row["at"].value)


def test_a_snapshot_is_asked_for_once_until_it_comes_and_never_while_it_holds():
    made = quotes()

    assert [made.wants("c", FRIDAY), made.wants("c", FRIDAY + MINUTE), made.wants("d", FRIDAY)] == [True, False, True]
    assert made.begin("c", quote("1", FRIDAY)) == quote("1", FRIDAY)
    assert not made.wants("c", FRIDAY + 2 * MINUTE)


def test_what_comes_before_the_snapshot_waits_for_it_the_newest_of_each_kind():
    made = quotes()

    waiting = [made.take("c", "t", message(price, FRIDAY)) for price in ("2", "3")]

    assert waiting == [None, None]
    assert made.begin("c", quote("1", FRIDAY)) == quote("3", FRIDAY)
    assert made.take("c", "t", message("3", FRIDAY)) is None
    assert made.take("c", "t", message("4", FRIDAY + MINUTE)) == quote("4", FRIDAY + MINUTE)


def test_a_trade_of_a_later_day_drops_the_quote_and_a_snapshot_of_the_day_before_is_asked_for_again_a_minute_later():
    made = quotes()
    assert made.wants("c", FRIDAY)
    made.begin("c", quote("1", FRIDAY))

    assert made.take("c", "t", message("2", MONDAY)) is None
    assert made.wants("c", MONDAY)
    assert made.begin("c", quote("1", FRIDAY)) is None
    assert [made.wants("c", MONDAY - MINUTE), made.wants("c", MONDAY), made.wants("c", MONDAY + MINUTE)] == [
        False, False, True,
    ]  # fmt: skip
    assert made.begin("c", quote("1.5", MONDAY)) == quote("2", MONDAY)


def test_the_day_is_new_yorks_and_messages_without_a_time_begin_none():
    made = quotes()
    made.begin("c", quote("1", datetime(2026, 11, 20, 23, tzinfo=UTC)))

    late = datetime(2026, 11, 21, 0, 30, tzinfo=UTC)

    assert made.take("c", "t", message("2", late)) == quote("2", late)
    assert made.take("c", "q", message("3", None)) == quote("3", late)


def test_a_quote_without_a_time_is_older_than_any_trade():
    made = quotes()
    made.begin("c", quote("1", None))

    assert made.take("c", "t", message("2", FRIDAY)) is None
    assert made.begin("c", quote("1", FRIDAY)) == quote("2", FRIDAY)


def test_nothing_of_a_forgotten_channel_is_left():
    made = quotes()
    assert made.wants("c", FRIDAY)
    made.take("c", "t", message("9", FRIDAY))

    made.forget("c")

    assert made.wants("c", FRIDAY)
    assert made.begin("c", quote("1", FRIDAY)) == quote("1", FRIDAY)


@pytest.mark.parametrize(("tier", "feed"), [(None, "iex"), ("plus", "sip")])
async def test_alpacas_paid_plan_streams_the_prices_of_all_exchanges(tier: str | None, feed: str):
    limits = Alpaca.profile.tiers[tier].limits if tier else None
    profile = replace(Alpaca.profile, limits=limits) if limits else Alpaca.profile
    http: Any = None

    made = AlpacaFeed(profile, {}, StoppedClock(moment=FRIDAY))

    assert await made.locate(http, []) == f"wss://stream.data.alpaca.markets/v2/{feed}"


def test_a_refused_login_names_no_key():
    made = AlpacaFeed(Alpaca.profile, {"key": KEY, "secret": KEY}, StoppedClock(moment=FRIDAY))
    made.enter([Topic(channel="quotes:IBM", capability=QUOTES, ask=QuotesAsk(instruments=(IBM,)))])

    (refused,) = made.read(Row("alpaca", [{"T": "error", "code": 402, "msg": f"auth failed for {KEY}"}]))

    assert isinstance(refused, Refused)
    assert isinstance(refused.error, UpstreamError)
    assert refused.error.message == "alpaca: the key or its secret is invalid"


def test_polygon_streams_the_minutes_of_the_session_without_dividends():
    plain = CandlesAsk(instrument=IBM, interval=Interval.M1, start=FRIDAY, end=FRIDAY + MINUTE)

    assert minutely(plain)
    assert minutely(replace(plain, adjustment=Adjustment.NONE))
    assert not minutely(replace(plain, adjustment=Adjustment.SPLITS_AND_DIVIDENDS))
    assert not minutely(replace(plain, hours=TradingHours.EXTENDED))
