"""What the recordings of OKX, Bybit, Coinbase Exchange, Bitget and Gate cannot say of their feeds by themselves."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.feeds import Feed, Gap, News, Said, Topic
from providers.recording import wire
from schema.words.books import OrderBook
from tests.contract.streams import feed_of, topics_of
from tests.contract.suite import PROVIDERS

Level = tuple[str, str]
Side = dict[str, str]
Change = tuple[list[Level], list[Level]]

PAIR = "crypto:BTC/USDT"
BIDS = st.lists(st.tuples(st.sampled_from(["99.1", "99.2", "99.30"]), st.sampled_from(["0", "1.50", "2"])), max_size=3)
ASKS = st.lists(st.tuples(st.sampled_from(["101.1", "101.2"]), st.sampled_from(["0", "0.25", "3"])), max_size=3)
# A side that is told empties no book: a level stays on either side.
START: Change = ([("98.0", "5")], [("102.0", "7")])


def entered(provider: str, capability: str, *asks: Any) -> tuple[Feed, list[Topic]]:
    """A feed that has subscribed."""
    cls = PROVIDERS[provider]
    feed = feed_of(cls, cls.streams[capability])
    topics = topics_of(cls, cls.streams[capability], asks)
    feed.enter(topics)
    return feed, topics


def okx(number: int, change: Change, _: tuple[Side, Side]) -> Any:
    bids, asks = ([[*level, "0", "1"] for level in side] for side in change)
    data = {"bids": bids, "asks": asks, "ts": "1795176000000", "checksum": 0, "prevSeqId": number * 7 - 7}
    action = "update" if number else "snapshot"
    return {"arg": {"channel": "books", "instId": "BTC-USDT"}, "action": action, "data": [data | {"seqId": number * 7}]}


def bybit(number: int, change: Change, _: tuple[Side, Side]) -> Any:
    kind, (bids, asks) = "delta" if number else "snapshot", change
    data = {"s": "BTCUSDT", "b": bids, "a": asks, "u": 100 + number}
    return {"topic": "orderbook.200.BTCUSDT", "type": kind, "ts": 1795176000000, "data": data}


def bitget(number: int, change: Change, book: tuple[Side, Side]) -> Any:
    """With numbers that only rise, and a checksum."""
    action, (bids, asks) = "update" if number else "snapshot", change
    data = {"bids": bids, "asks": asks, "ts": "1795176000000", "seq": 100 + 3 * number, "checksum": summed(*book)}
    return {"arg": {"instType": "SPOT", "channel": "books", "instId": "BTCUSDT"}, "action": action, "data": [data]}


def bitget_of_late(number: int, change: Change, book: tuple[Side, Side]) -> Any:
    """With the number of the change before."""
    frame = bitget(number, change, book)
    (data,) = frame["data"]
    del data["checksum"]
    return frame | {"data": [data | {"pseq": data["seq"] - 3 if number else 0}]}


def gateio(number: int, change: Change, _: tuple[Side, Side]) -> Any:
    bids, asks = change
    numbers = {"U": 100 + 4 * number - 3} if number else {"full": True}
    result = {"t": 1795176000000, "s": "ob.BTC_USDT.400", "u": 100 + 4 * number, "b": bids, "a": asks, **numbers}
    return {"channel": "spot.obu", "event": "update", "result": result}


def summed(bids: Side, asks: Side) -> int:
    """Bitget's rule, over dictionaries."""
    best = sorted(bids.items(), reverse=True), sorted(asks.items())
    parts = [":".join(side[place]) for place in range(25) for side in best if place < len(side)]
    found = zlib.crc32(":".join(parts).encode())
    return found - (1 << 32) if found >= 1 << 31 else found


VENUES: dict[str, Callable[[int, Change, tuple[Side, Side]], Any]] = {
    "okx": okx, "bybit": bybit, "bitget": bitget, "bitget of late": bitget_of_late, "gateio": gateio,
}  # fmt: skip


def conversation(venue: str, changes: Sequence[Change]) -> tuple[list[Any], tuple[Side, Side]]:
    """Frames of a snapshot and changes, and the book that they come to."""
    book: tuple[Side, Side] = {}, {}
    frames = []
    for number, change in enumerate(changes):
        for side, levels in zip(book, change, strict=True):
            side.update(levels)
            for price in [price for price, size in side.items() if size == "0"]:
                del side[price]
        frames.append(VENUES[venue](number, change, book))
    return frames, book


def heard(venue: str, frames: Sequence[Any]) -> list[News]:
    feed, _ = entered(venue.split()[0], "orderBook", {"instrument": PAIR})
    return [news for frame in frames for news in feed.read(feed.decode(wire(frame)))]


@pytest.mark.parametrize("venue", VENUES)
@given(changes=st.lists(st.tuples(BIDS, ASKS).filter(any), max_size=6))
def test_a_book_is_what_its_changes_come_to(venue: str, changes: list[Change]):
    frames, (bids, asks) = conversation(venue, [START, *changes])

    news = heard(venue, frames)

    assert [each.snapshot for each in news if isinstance(each, Said)] == [True] + [False] * len(changes)
    book = news[-1].values[0]  # type: ignore[union-attr]
    assert isinstance(book, OrderBook)
    assert [(level.price, level.size) for level in book.bids] == as_levels(sorted(bids.items(), reverse=True))
    assert [(level.price, level.size) for level in book.asks] == as_levels(sorted(asks.items()))
    assert book.verified is (venue != "bitget" or len(changes) > 0)


def as_levels(rows: Sequence[tuple[str, str]]) -> list[tuple[Decimal, Decimal]]:
    return [(Decimal(price), Decimal(size)) for price, size in rows]


@pytest.mark.parametrize("venue", VENUES)
@given(before=st.integers(0, 3), after=st.integers(1, 3))
def test_a_change_that_is_missing_is_one_gap_and_then_nothing_is_believed(venue: str, before: int, after: int):
    changes: list[Change] = [([(f"97.{number}", "1")], []) for number in range(before + 1 + after)]
    frames, _ = conversation(venue, [START, *changes])

    news = heard(venue, frames[: 1 + before] + frames[2 + before :])

    assert [type(each) for each in news] == [Said] * (1 + before) + [Gap]


@pytest.mark.parametrize("venue", VENUES)
def test_who_subscribes_anew_believes_nothing_before_a_snapshot(venue: str):
    (snapshot, change), _ = conversation(venue, [START, ([("97.5", "1")], [])])
    feed, topics = entered(venue.split()[0], "orderBook", {"instrument": PAIR})

    read = list(feed.read(feed.decode(wire(snapshot))))
    feed.leave(topics)
    feed.enter(topics)

    assert [type(each) for each in read] == [Said]
    assert list(feed.read(feed.decode(wire(change)))) == []


def test_heartbeats_of_a_product_go_on_while_another_channel_of_it_is_left():
    cls = PROVIDERS["coinbaseexchange"]
    feed, quotes = entered("coinbaseexchange", "quotes", {"instruments": ["crypto:BTC/USD"]})
    trades = topics_of(cls, cls.streams["trades"], [{"instrument": "crypto:BTC/USD"}])
    feed.enter(trades)

    first, last = feed.leave(quotes), feed.leave(trades)

    assert [[each["name"] for each in json.loads(out)["channels"]] for out in (*first, *last)] == [
        ["ticker"],
        ["matches", "heartbeat"],
    ]


@pytest.mark.parametrize("provider", ["okx", "bitget"])
def test_a_request_has_fifty_channels_at_most(provider: str):
    asks = [{"instruments": [f"crypto:A{number}/USDT"]} for number in range(120)]
    feed, topics = entered(provider, "quotes", *asks)

    sent = feed.unsubscribe(topics)

    assert [len(json.loads(out)["args"]) for out in sent] == [50, 50, 20]


def test_candles_of_okx_are_told_on_a_path_of_their_own():
    streams = PROVIDERS["okx"].streams

    assert streams["candles"].feed.address == "wss://ws.okx.com:8443/ws/v5/business"
    assert {streams[name].feed.address for name in ("quotes", "trades", "orderBook")} == {
        "wss://ws.okx.com:8443/ws/v5/public"
    }


def test_a_socket_that_does_not_say_when_a_candle_is_done_streams_no_months():
    """Months differ in length. Three minutes are not among the channels that Bitget documents."""
    cls = PROVIDERS["bitget"]

    left_out = set(cls.offers["candles"].intervals) - set(cls.streams["candles"].intervals)

    assert {interval.value for interval in left_out} == {"M3", "MO1"}
