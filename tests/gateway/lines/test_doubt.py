"""What HTTP tells of a silent channel: whether the channel should have told it, too."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.core.lines.doubt import missed, patience
from providers.feeds import Said, Topic
from schema.symbols import parse_instrument
from schema.words.books import ORDER_BOOK, OrderBookAsk
from schema.words.candles import CANDLES, Candle, CandlesAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from schema.words.trades import TRADES, Trade, TradesAsk
from tests.doubles.clocks import NOON

BTC = parse_instrument("crypto:BTC/USD")
ONE = Decimal(1)


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def minutes(interval: Interval = Interval.M1) -> Topic:
    ask = CandlesAsk(instrument=BTC, interval=interval, start=NOON, end=at(60))
    return Topic(channel="c", capability=CANDLES, ask=ask)


TAPE = Topic(channel="t", capability=TRADES, ask=TradesAsk(instrument=BTC))
PRICES = Topic(channel="q", capability=QUOTES, ask=QuotesAsk(instruments=(BTC,)))
BOOK = Topic(channel="b", capability=ORDER_BOOK, ask=OrderBookAsk(instrument=BTC))


def trade(second: float) -> Trade:
    return Trade(id=str(second), time=at(second), price=ONE, size=ONE)


def quote(price: int, second: float | None) -> Quote:
    stamp = None if second is None else at(second)
    return Quote(instrument=BTC, price=Decimal(price), price_type=PriceType.LAST, as_of=stamp)


def bar(minute: int, close: int = 1, *, closed: bool = False, volume: int | None = 5) -> Candle:
    size = None if volume is None else Decimal(volume)
    return Candle(
        open_time=at(60 * minute), open=ONE, high=ONE, low=ONE, close=Decimal(close), closed=closed, volume=size
    )  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "last", "found", "is_missed"),
    [
        (TAPE, trade(0), (trade(0), trade(1.5)), False),
        (TAPE, trade(0), (trade(0), trade(2.5)), True),
        (TAPE, trade(0), (), False),
        (TAPE, None, (trade(-5), trade(1)), False),
        (TAPE, None, (trade(3),), True),
        (PRICES, quote(1, 0), (quote(2, 9),), True),
        (PRICES, quote(1, 0), (quote(1, 9),), False),
        (PRICES, quote(1, 0), (quote(2, -900),), False),
        (PRICES, quote(1, 0), (quote(2, None),), False),
        (PRICES, quote(1, None), (quote(2, 9),), False),
        (PRICES, None, (quote(1, 9),), True),
        (minutes(), bar(0), (bar(0),), False),
        (minutes(), bar(0), (bar(0, 2),), True),
        (minutes(), bar(0, closed=True), (bar(0, 2),), False),
        (minutes(), bar(0), (bar(0), bar(2)), True),
        (minutes(), bar(0), (bar(0), bar(2, volume=0)), False),
        (minutes(), bar(0, closed=True), (bar(0), bar(2)), False),
        (minutes(), bar(0, closed=True), (bar(0), bar(1)), True),
        (minutes(), bar(0, closed=True), (bar(0), bar(1, volume=None)), True),
        (minutes(), None, (bar(-1), bar(0)), False),
        (minutes(), None, (bar(0), bar(1)), True),
        (BOOK, None, (object(),), False),
    ],
)
def test_only_what_is_surely_newer_was_missed(topic: Topic, last: Any, found: tuple[Any, ...], is_missed: bool):
    said = None if last is None else Said(channel=topic.channel, values=(last,))

    assert missed(topic, said, NOON, found, at(126)) is is_missed


@pytest.mark.parametrize(
    ("topic", "seconds"),
    [(TAPE, 60), (BOOK, 60), (minutes(Interval.S1), 16), (minutes(), 75), (minutes(Interval.H1), 75)],
)
def test_a_candle_is_waited_for_as_long_as_one_takes(topic: Topic, seconds: float):
    assert patience(topic) == seconds
