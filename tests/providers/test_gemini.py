"""Gemini's book and trades are one subscription of the venue; candles close when the next one opens."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from providers.crypto._running import Running
from schema.words.candles import Candle
from tests.contract.streams import feed_of, out_of, topics_of
from tests.contract.suite import PROVIDERS

GEMINI = PROVIDERS["gemini"]
BTC = {"instrument": "crypto:BTC/USD"}
BOOK = topics_of(GEMINI, GEMINI.streams["orderBook"], [BTC])
TRADES = topics_of(GEMINI, GEMINI.streams["trades"], [BTC])
L2 = [{"name": "l2", "symbols": ["BTCUSD"]}]
ON, OFF = {"type": "subscribe", "subscriptions": L2}, {"type": "unsubscribe", "subscriptions": L2}
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ONE = Decimal(1)
FIRST = Candle(open_time=NOON, open=ONE, high=ONE, low=ONE, close=ONE, closed=False)
SECOND = replace(FIRST, open_time=NOON + timedelta(minutes=1))


def test_book_and_trades_that_are_asked_for_together_are_one_subscription():
    feed = feed_of(GEMINI, GEMINI.streams["trades"])

    assert [out_of(out) for out in feed.enter([*BOOK, *TRADES])] == [ON]


def test_a_book_that_joins_its_trades_begins_the_subscription_anew_for_it_to_come_whole():
    feed = feed_of(GEMINI, GEMINI.streams["trades"])
    feed.enter(TRADES)

    assert [out_of(out) for out in feed.enter(BOOK)] == [OFF, ON]


def test_what_the_trades_still_need_stays_when_the_book_is_left():
    feed = feed_of(GEMINI, GEMINI.streams["trades"])
    feed.enter([*BOOK, *TRADES])

    assert [out_of(out) for out in (*feed.leave(BOOK), *feed.leave(TRADES))] == [OFF]


def test_a_candle_is_told_once_more_and_closed_when_the_next_one_opens():
    running = Running()

    told = [running.told("a", [FIRST]), running.told("a", [SECOND]), running.told("a", [SECOND])]

    assert told == [(FIRST,), (replace(FIRST, closed=True), SECOND), (SECOND,)]


def test_of_candles_that_come_newest_first_all_but_the_newest_are_closed():
    assert Running().told("a", [SECOND, FIRST]) == (replace(FIRST, closed=True), SECOND)


def test_an_older_candle_that_comes_late_is_closed_and_changes_nothing():
    running = Running()
    running.told("a", [SECOND])

    assert running.told("a", [FIRST]) == (replace(FIRST, closed=True),)
    assert running.told("a", [SECOND]) == (SECOND,)


def test_a_candle_that_the_venue_closed_itself_is_not_told_twice():
    running = Running()
    running.told("a", [replace(FIRST, closed=True)])

    assert running.told("a", [SECOND]) == (SECOND,)
    assert running.told("a", []) == ()


def test_a_forgotten_channel_has_no_candle_to_close():
    running = Running()
    running.told("a", [FIRST])

    running.forget("a")

    assert "a" not in running
    assert running.told("a", [SECOND]) == (SECOND,)
