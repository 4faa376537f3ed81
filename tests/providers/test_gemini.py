"""Gemini's book and trades are one subscription of the venue."""

from __future__ import annotations

from tests.contract.streams import feed_of, out_of, topics_of
from tests.contract.suite import PROVIDERS

GEMINI = PROVIDERS["gemini"]
BTC = {"instrument": "crypto:BTC/USD"}
BOOK = topics_of(GEMINI, GEMINI.streams["orderBook"], [BTC])
TRADES = topics_of(GEMINI, GEMINI.streams["trades"], [BTC])
L2 = [{"name": "l2", "symbols": ["BTCUSD"]}]
ON, OFF = {"type": "subscribe", "subscriptions": L2}, {"type": "unsubscribe", "subscriptions": L2}


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
