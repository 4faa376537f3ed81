"""Poloniex's socket for spot pairs. Docs: https://api-docs.poloniex.com/spot/websocket"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from providers.books import changes
from providers.contract import Clock, Profile
from providers.crypto._chained import ChainedBooks
from providers.crypto._running import Running
from providers.crypto._spot import SIDES, percent
from providers.crypto._trade_numbers import TradeNumbers
from providers.feeds import Confirmed, Feed, Gap, Heartbeat, News, Out, Refused, Restart, Said, Topic, text
from providers.row import Row, ascending
from schema.errors import NotCovered, UnknownInstrument
from schema.symbols import InstrumentId
from schema.words.candles import Candle
from schema.words.quotes import PriceType, Quote, StatsWindow
from schema.words.trades import Trade

TICKER, TRADES, BOOK, CANDLES = "ticker", "trades", "book_lv2", "candles_"
DEPTH = 20


class PoloniexFeed(Feed):
    """A channel is the venue's channel and the pair: `candles_minute_5:BTC_USDT`.

    An address has 2,000 connections, and each takes 500 requests a second; what says nothing for half a minute is
    closed. A book is the best twenty levels; each change names the one before, as for contracts
    (https://api-docs.poloniex.com/v3/futures/websocket/public/get-order-book-v2). Tickers have no bid and no ask.
    """

    address = "wss://ws.poloniex.com/ws/public"
    topics_per_connection = 200
    frames_per_second = 50.0
    heartbeat = Heartbeat(every=timedelta(seconds=15), text=text({"event": "ping"}))

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._books = ChainedBooks(DEPTH)
        self._running = Running()
        self._trades = TradeNumbers()

    def forget(self, channel: str) -> None:
        """Book, running candle, and the number of the last trade."""
        self._trades.forget(channel)
        self._books.forget(channel)
        self._running.forget(channel)

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """One by one: a refusal names nothing but what is in its text."""
        return [_request("subscribe", topic.channel) for topic in topics]

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """The same the other way round."""
        return [_request("unsubscribe", topic.channel) for topic in topics]

    def read(self, frame: Row) -> Iterable[News]:
        """`{"channel", "data"}`, or the answer to a request, which is an event."""
        event = frame.maybe_text("event")
        if event == "error":
            return self._refused(frame.text("message"))
        kind = frame.maybe_text("channel")
        if kind is None:
            return []
        if event is not None:
            return self._answered(event, kind, frame)
        if kind == TRADES:
            return self._traded(frame["data"])
        snapshot = kind == BOOK and frame.text("action") == "snapshot"
        return [news for row in frame["data"] for news in self._told(f"{kind}:{row.text('symbol')}", row, snapshot)]

    def _told(self, channel: str, row: Row, snapshot: bool) -> Iterable[News]:
        topic = self.topics.get(channel)
        if topic is None:
            return []
        if channel.startswith(BOOK):
            return self._changed(topic, row, snapshot)
        if channel.startswith(CANDLES):
            as_of = row.epoch("ts", "ms")
            bars = self._running.told(channel, parse_bar(row))
            return [Said(channel=channel, values=bars, as_of=as_of)]
        if row.positive("close") is None:
            return []
        quote = parse_quote(topic.instrument, row)
        return [Said(channel=channel, values=(quote,), as_of=quote.as_of)]

    def _answered(self, event: str, kind: str, frame: Row) -> Iterable[News]:
        if event != "subscribe":
            return []
        channels = [f"{kind}:{row.text()}" for row in frame.get("symbols") or []]
        return [Confirmed(channel) for channel in channels if channel in self.topics]

    def _refused(self, said: str) -> Iterable[News]:
        """The words are nowhere written down: a pair that stands in them is not served."""
        if "maintenance" in said.lower():
            return [Restart("Poloniex is in maintenance")]
        kind = UnknownInstrument if "symbol" in said.lower() else NotCovered
        words = _words(said)
        named = [channel for channel in self.topics if channel.partition(":")[2] in words]
        return [Refused(channel, kind(self.provider, said)) for channel in named]

    def _traded(self, rows: Row) -> Iterable[News]:
        """A pair's trades are numbered one by one."""
        by_channel: dict[str, list[Row]] = {}
        for row in rows:
            by_channel.setdefault(f"{TRADES}:{row.text('symbol')}", []).append(row)
        for channel, found in by_channel.items():
            if channel in self.topics:
                numbered = sorted(found, key=lambda row: row.integer("id"))
                if lacking := self._trades.lacking_any(channel, [row.integer("id") for row in numbered]):
                    yield Gap(channel, lacking)
                trades = ascending([parse_trade(row) for row in numbered], lambda trade: trade.time)
                yield Said(channel=channel, values=trades, as_of=trades[-1].time)

    def _changed(self, topic: Topic, row: Row, snapshot: bool) -> Iterable[News]:
        number, as_of = row.integer("id"), row.maybe_epoch("createTime", "ms")
        bids, asks = changes(row["bids"]), changes(row["asks"])
        if snapshot:
            return self._books.begin(topic, number, bids, asks, as_of)
        return self._books.follow(topic, row.integer("lastId"), number, bids, asks, as_of)


def _request(event: str, channel: str) -> Out:
    kind, _, symbol = channel.partition(":")
    return text({"event": event, "channel": [kind], "symbols": [symbol]})


def _words(said: str) -> set[str]:
    return set("".join(sign if sign.isalnum() or sign == "_" else " " for sign in said).split())


def parse_bar(row: Row) -> Candle:
    """It may still be running; `quantity` is the volume, `amount` the turnover."""
    return Candle(
        open_time=row.epoch("startTime", "ms"), open=row.decimal("open"), high=row.decimal("high"),
        low=row.decimal("low"), close=row.decimal("close"), volume=row.maybe("quantity"),
        quote_volume=row.maybe("amount"), trade_count=row.integer("tradeCount"),
        closed=False,
    )  # fmt: skip


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """`quantity` is the volume and `amount` the turnover; the change is a fraction."""
    last = row.decimal("close")
    bid, ask = row.positive("bid"), row.positive("ask")
    return Quote(
        instrument=instrument,
        as_of=row.maybe_epoch("ts", "ms"),
        price=last,
        price_type=PriceType.LAST,
        bid=bid,
        ask=ask,
        bid_size=row.positive("bidQuantity") if bid else None,
        ask_size=row.positive("askQuantity") if ask else None,
        last=last,
        open=row.positive("open"),
        high=row.positive("high"),
        low=row.positive("low"),
        change_percent=percent(row, "dailyChange"),
        volume=row.maybe("quantity"),
        quote_volume=row.maybe("amount"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_trade(row: Row) -> Trade:
    """`createTime` is the trade's, `ts` is when it was published; the socket writes sides in small letters."""
    return Trade(
        id=row.label("id"),
        time=row.epoch("createTime", "ms"),
        price=row.decimal("price"),
        size=row.decimal("quantity"),
        side=SIDES.get(row.text("takerSide").lower()),
    )
