"""Feeds of Bitstamp, Bitfinex, KuCoin, HTX and Upbit: what depends on who comes and goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.check.replay import StoppedClock
from providers.books import Book, signed_crc32
from providers.contract import Provider
from providers.crypto._bitfinex_feed import checksum
from providers.crypto._running import Running
from providers.crypto._two_channels import Best, TwoChannels
from providers.crypto.bitfinex import Bitfinex
from providers.crypto.bitstamp import Bitstamp
from providers.crypto.htx import Htx
from providers.crypto.kucoin import Kucoin
from providers.crypto.upbit import Upbit
from providers.feeds import Confirmed, Feed, News, Out, Pong, Refused, Said, Topic
from providers.latest import Latest
from providers.row import Row
from schema.errors import Malformed
from schema.symbols import parse_instrument
from schema.words.books import ORDER_BOOK, OrderBookAsk, PriceLevel
from schema.words.candles import Candle
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from schema.words.trades import TRADES, TradesAsk
from tests.contract.suite import PROVIDERS

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BTC, ETH = parse_instrument("crypto:BTC/USDT"), parse_instrument("crypto:ETH/USDT")


def feed_of(provider: type[Provider], capability: str = "trades") -> Feed:
    return provider.streams[capability].feed(provider.profile, {}, StoppedClock(moment=NOON))


def book(channel: str, instrument: Any = BTC) -> Topic:
    return Topic(channel=channel, capability=ORDER_BOOK, ask=OrderBookAsk(instrument=instrument))


def trades(channel: str, instrument: Any = BTC) -> Topic:
    return Topic(channel=channel, capability=TRADES, ask=TradesAsk(instrument=instrument))


def quotes(channel: str) -> Topic:
    return Topic(channel=channel, capability=QUOTES, ask=QuotesAsk(instruments=(BTC,)))


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def heard(feed: Feed, frame: object) -> list[News]:
    return list(feed.read(feed.decode(json.dumps(frame))))


def read(outs: Sequence[Out]) -> list[Any]:
    return [json.loads(out) for out in outs]


def bar(minute: int, close: str) -> Candle:
    price = Decimal(close)
    return Candle(open_time=NOON + timedelta(minutes=minute), open=price, high=price, low=price, close=price)


def test_a_candle_is_done_when_the_next_one_begins():
    running = Running()

    told = [running.told("c", each) for each in (bar(0, "1"), bar(0, "2"), bar(1, "3"), bar(0, "4"), bar(1, "5"))]

    assert [[(each.close, each.closed) for each in values] for values in told] == [
        [(Decimal(1), False)],
        [(Decimal(2), False)],
        [(Decimal(2), True), (Decimal(3), False)],
        [(Decimal(4), True)],
        [(Decimal(5), False)],
    ]


def test_candles_of_channels_have_nothing_to_do_with_each_other_and_are_forgotten():
    running = Running()
    running.told("c", bar(5, "1"))

    other = running.told("d", bar(0, "2"))
    running.forget("c")
    again = running.told("c", bar(0, "3"))

    assert [each.closed for each in (*other, *again)] == [False, False]


def test_an_older_state_of_the_running_candle_says_nothing_and_is_not_what_is_done():
    running = Running()
    least, most = (replace(bar(0, close), volume=Decimal(close)) for close in ("1", "2"))

    told = [running.told("c", each) for each in (least, most, least, bar(1, "3"))]

    assert [[(each.close, each.closed) for each in values] for values in told] == [
        [(Decimal(1), False)],
        [(Decimal(2), False)],
        [],
        [(Decimal(2), True), (Decimal(3), False)],
    ]


def test_what_is_older_than_its_part_was_told_has_passed_but_no_stamp_of_the_future_makes_it_so():
    latest = Latest(StoppedClock(moment=NOON))
    # One that is half a minute ahead counts as of now.
    stamps = [0, 3_600, -5, None, 30, 0]

    passed = [latest.passed("c", "best", None if at is None else NOON + timedelta(seconds=at)) for at in stamps]
    other = latest.passed("c", "statistics", NOON)
    latest.forget("c")

    assert passed == [False, False, True, False, False, False]
    assert (other, latest.passed("c", "best", NOON)) == (False, False)


def test_best_prices_that_are_sent_once_more_are_not_current_again_beside_newer_statistics():
    channels = TwoChannels(StoppedClock(moment=at(60)))
    price = Decimal(9)
    channels.ticked("c", Quote(instrument=BTC, price=price, price_type=PriceType.LAST, as_of=NOON))
    old, new = (Best(bid=Decimal(bid), ask=None, bid_size=None, ask_size=None, as_of=at(bid)) for bid in (1, 2))

    told = [list(channels.bettered("c", best)) for best in (old, new, old)]

    assert [[each.values[0].bid for each in news if isinstance(each, Said)] for news in told] == [
        [Decimal(1)],
        [Decimal(2)],
        [],
    ]


@pytest.mark.parametrize(
    ("provider", "channel", "frames"),
    [
        (
            "binance", "btcusdt@ticker",
            lambda at, price: {"stream": "btcusdt@ticker", "data": {
                "E": ms(at), "c": price, "b": "1", "a": "2", "B": "1", "A": "1", "Q": "1", "o": "1", "h": "1", "l": "1",
                "p": "0", "P": "0", "v": "1", "q": "1", "w": "1",
            }},
        ),
        (
            "kucoin", "/market/ticker:BTC-USDT",
            lambda at, price: {"type": "message", "topic": "/market/ticker:BTC-USDT", "data": {
                "price": price, "bestBid": "1", "bestAsk": "2", "bestBidSize": "1", "bestAskSize": "1", "size": "1",
                "time": ms(at),
            }},
        ),
        (
            "htx", "market.btcusdt.detail",
            lambda at, price: {"ch": "market.btcusdt.detail", "ts": ms(at), "tick": {
                "close": price, "open": 1, "high": 1, "low": 1, "amount": 1, "vol": 1,
            }},
        ),
    ],
)  # fmt: skip
def test_a_feed_that_joins_parts_of_a_quote_keeps_the_newest_of_each(
    provider: str, channel: str, frames: Any
):  # fmt: skip
    feed = feed_of(PROVIDERS[provider], "quotes")
    feed.enter([quotes(channel)])

    told = [heard(feed, frames(at(second - 60), str(price))) for second, price in ((1, 1), (2, 2), (1, 1), (3, 3))]

    assert [[str(each.values[0].price) for each in news if isinstance(each, Said)] for news in told] == [
        ["1"], ["2"], [], ["3"],
    ]  # fmt: skip


@given(minutes=st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_one_candle_of_a_channel_runs_and_it_is_the_newest(minutes: list[int]):
    running, last = Running(), {}

    for minute in minutes:
        for told in running.told("c", bar(minute, "1")):
            last[told.open_time] = told.closed

    assert [time for time, closed in last.items() if not closed] == [max(last)]


@pytest.mark.parametrize(
    ("price", "size", "written"),
    [
        ("7000", "0.5", "7000:0.5"),
        ("7000.10", "1.0", "7000.1:1"),
        ("0.000001", "1E-7", "0.000001:1e-7"),
        ("0.00000012", "100", "1.2e-7:100"),
    ],
)
def test_bitfinex_sums_numbers_as_javascript_writes_them(price: str, size: str, written: str):
    kept = Book(BTC)
    kept.start((PriceLevel(price=Decimal(price), size=Decimal(size)),), ())

    assert checksum(kept) == signed_crc32(written)


def test_bitfinex_sums_the_best_25_of_each_side_in_turn():
    kept = Book(BTC)
    level = [PriceLevel(price=Decimal(price), size=Decimal(1)) for price in range(1, 101)]
    kept.start(tuple(level[:40]), tuple(level[41:43]))
    bids = [f"{price}:1" for price in range(40, 15, -1)]

    written = [bids[0], "42:-1", bids[1], "43:-1", *bids[2:]]

    assert checksum(kept) == signed_crc32(":".join(written))


def test_bitfinex_lets_go_of_a_channel_by_the_number_that_it_has():
    feed, topic = feed_of(Bitfinex), trades("trades:tBTCUST")
    subscribed = {"event": "subscribed", "channel": "trades", "chanId": 17, "symbol": "tBTCUST"}
    feed.enter([topic])
    heard(feed, subscribed)

    first, second = feed.leave([topic]), feed.leave([topic])

    assert read(first) == [{"event": "unsubscribe", "chanId": 17}]
    assert second == []
    assert heard(feed, [17, "te", [1, 1795176000000, 1, 2], 1]) == []
    assert heard(feed, subscribed) == [Pong(first[0])]


def test_bitstamp_refuses_nobody_for_an_error_about_who_has_left():
    feed, gone, left = feed_of(Bitstamp), trades("live_trades_abcusd"), trades("live_trades_btcusd")
    feed.enter([gone, left])
    feed.leave([gone])

    refused = heard(feed, {"event": "bts:error", "channel": "", "data": {"code": None, "message": "Bad."}})
    confirmed = heard(feed, {"event": "bts:subscription_succeeded", "channel": left.channel, "data": {}})

    assert (refused, confirmed) == ([], [Confirmed(left.channel)])


def test_upbit_is_asked_for_everything_each_time_and_for_nothing_never():
    feed = feed_of(Upbit)
    first, second = trades("trade:USDT-BTC"), book("orderbook:USDT-ETH", ETH)

    outs = [*feed.enter([first]), *feed.enter([second]), *feed.leave([first])]

    trade = {"type": "trade", "codes": ["USDT-BTC"], "is_only_realtime": True}
    books = {"type": "orderbook", "codes": ["USDT-ETH"]}
    assert [request[1:-1] for request in read(outs)] == [[trade], [trade, books], [books]]
    assert feed.leave([second]) == []


def test_upbit_refuses_what_was_asked_last():
    feed = feed_of(Upbit)
    feed.enter([trades("trade:USDT-BTC")])
    feed.enter([book("orderbook:USDT-ETH", ETH)])

    news = heard(feed, {"error": {"name": "INVALID_PARAM", "message": ""}})

    assert [each.channel for each in news if isinstance(each, Refused)] == ["orderbook:USDT-ETH"]


@pytest.mark.parametrize(
    ("provider", "channel", "answer"),
    [
        (Htx, "market.btcusdt.trade.detail", {"status": "error", "id": "2", "err-code": "bad-request"}),
        (Kucoin, "/market/match:BTC-USDT", {"id": "2", "type": "error", "code": 404}),
    ],
)
def test_the_answer_to_who_left_is_not_about_who_came_since(
    provider: type[Provider], channel: str, answer: dict[str, object]
):
    feed, topic = feed_of(provider), trades(channel)
    feed.enter([topic])
    left = read(feed.leave([topic]))
    feed.enter([topic])

    news = heard(feed, {**answer, "err-msg": "unsub with not subbed topic", "data": "no such topic"})

    assert [request["id"] for request in left] == ["2"]
    assert news == []


def test_a_quote_of_kucoin_and_of_htx_is_two_topics_that_come_and_go_together():
    kucoin, htx = feed_of(Kucoin), feed_of(Htx)
    on_kucoin, on_htx = quotes("/market/ticker:BTC-USDT"), quotes("market.btcusdt.detail")

    came = [*read(kucoin.enter([on_kucoin])), *read(htx.enter([on_htx]))]
    went = [*read(kucoin.leave([on_kucoin])), *read(htx.leave([on_htx]))]

    names = ["/market/ticker:BTC-USDT", "/market/snapshot:BTC-USDT", "market.btcusdt.detail", "market.btcusdt.bbo"]
    assert [each.get("topic") or each["sub"] for each in came] == names
    assert [each.get("topic") or each["unsub"] for each in went] == names


class Bullet:
    """Answers where KuCoin's sockets are."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    async def post(self, path: str, body: object, params: Any = None, *, host: str = "") -> Row:
        return Row("kucoin", {"data": {"token": "t", "instanceServers": [{"endpoint": self._endpoint}]}})


async def test_kucoin_may_not_send_us_to_an_address_without_encryption():
    http: Any = Bullet("ws://sockets.example/")

    with pytest.raises(Malformed, match=r"\[0\]\.endpoint is no address of a socket \(got 'ws://sockets\.example/'\)"):
        await feed_of(Kucoin).locate(http, [])
