"""What all feeds share: topics, numbers of requests, batches, packed frames."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest

from gateway.core.check.replay import StoppedClock
from providers.feeds import LARGEST_FRAME, MOST_REQUESTS, Topic, batches, text, unzipped
from schema.errors import Malformed
from schema.symbols import parse_instrument
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, QuotesAsk
from schema.words.trades import TRADES, TradesAsk
from tests.doubles.tape import Tape, TapeFeed

BTC = parse_instrument("crypto:BTC/USD")
QUOTE = Topic(channel="q:BTC/USD", capability=QUOTES, ask=QuotesAsk(instruments=(BTC,)))
TRADE = Topic(channel="t:BTC/USD", capability=TRADES, ask=TradesAsk(instrument=BTC))


def feed() -> TapeFeed:
    return TapeFeed(Tape.profile, {}, StoppedClock(moment=datetime(2026, 11, 20, tzinfo=UTC)))


def test_a_topic_knows_its_instrument_whatever_its_ask_is():
    assert QUOTE.instrument == TRADE.instrument == BTC


def test_topics_are_remembered_until_they_are_left():
    made = feed()

    made.enter([QUOTE, TRADE])
    made.leave([QUOTE])

    assert made.topics == {"t:BTC/USD": TRADE}


def test_a_request_is_known_by_its_number_once_and_not_for_ever():
    made = feed()

    first = made.number([QUOTE, TRADE])

    assert made.numbered(first) == ("q:BTC/USD", "t:BTC/USD")
    assert made.numbered(first) == made.numbered(None) == made.numbered(99) == ()
    numbers = [made.number([QUOTE]) for _ in range(MOST_REQUESTS + 1)]
    assert made.numbered(numbers[0]) == ()
    assert made.numbered(numbers[1]) == ("q:BTC/USD",)


def test_declared_streams_are_found_by_capability_and_take_their_intervals_alone():
    stream = Tape.streams["candles"]

    assert (stream.feed, stream.method) == (TapeFeed, "candle_channel")
    assert set(Tape.streams) == {"quotes", "trades", "candles", "orderBook"}
    assert stream.intervals == (Interval.M1,)


def test_frames_are_compact_and_batches_keep_their_order():
    assert text({"op": "sub", "args": ["a", 1]}) == '{"op":"sub","args":["a",1]}'
    assert batches([1, 2, 3], 2) == [[1, 2], [3]]
    assert batches([], 2) == []


def test_packed_frames_are_opened_within_bounds():
    assert unzipped("htx", gzip.compress(b'{"ping":1}')) == b'{"ping":1}'
    assert unzipped("htx", "as it is") == b"as it is"
    for broken in (b"not gzip", gzip.compress(b"cut off")[:-3], gzip.compress(b"0" * (LARGEST_FRAME + 1))):
        with pytest.raises(Malformed, match="htx: a frame"):
            unzipped("htx", broken)
