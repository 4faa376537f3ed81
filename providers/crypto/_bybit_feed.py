"""Bybit's socket of spot pairs. Docs: https://bybit-exchange.github.io/docs/v5/ws/connect"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from providers.books import Book, changes
from providers.contract import Clock, Profile
from providers.crypto._spot import percent
from providers.crypto._two_channels import Best, TwoChannels
from providers.feeds import Confirmed, Feed, Gap, Heartbeat, News, Out, Refused, Said, Topic, text
from providers.row import Row, ascending
from schema.errors import NotCovered, UnknownInstrument
from schema.symbols import InstrumentId
from schema.words.candles import Candle
from schema.words.quotes import QUOTES, PriceType, Quote, StatsWindow
from schema.words.trades import Side, Trade

SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
DEPTH = 200
BEST = "orderbook.1."
TICKER = "tickers."


@dataclass(slots=True)
class _Counted:
    """A book and the number of its last change."""

    book: Book
    held: int


class BybitFeed(Feed):
    """A channel is the venue's topic, and a quote's are two: statistics come without the best prices.

    A request has ten topics at most; how many a connection may have is not stated for spot, and an address may open 500
    connections in five minutes. A ping is wanted every 20 seconds. Books count their changes one by one; those of one
    level come whole, and again after three seconds: https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
    """

    address = "wss://stream.bybit.com/v5/public/spot"
    topics_per_connection = 100
    frames_per_second = 10.0
    heartbeat = Heartbeat(every=timedelta(seconds=20), text=text({"op": "ping"}))

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._books: dict[str, _Counted] = {}
        self._quotes = TwoChannels(clock)

    def forget(self, channel: str) -> None:
        """Book and quote."""
        self._books.pop(channel, None)
        self._quotes.forget(channel)

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """A request for each channel: one pair that there is not would spoil it for others."""
        return [
            text({"req_id": str(self.number([topic])), "op": "subscribe", "args": _topics(topic)}) for topic in topics
        ]

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """The same the other way round."""
        return [text({"op": "unsubscribe", "args": _topics(topic)}) for topic in topics]

    def read(self, frame: Row) -> Iterable[News]:
        """`{"topic", "type", "ts", "data"}`, or the answer to a request."""
        if "topic" not in frame:
            return self._answered(frame)
        name, data = frame.text("topic"), frame["data"]
        channel = name.replace(BEST, TICKER, 1) if name.startswith(BEST) else name
        topic = self.topics.get(channel)
        if topic is None:
            return []
        kind, as_of = name.partition(".")[0], frame.maybe_epoch("ts", "ms")
        if topic.capability is QUOTES:
            return self._quoted(topic, data, as_of, best=name != channel)
        if kind == "publicTrade":
            trades = ascending([parse_trade(row) for row in data], lambda trade: trade.time)
            return [Said(channel=channel, values=trades, as_of=as_of)]
        if kind == "kline":
            return [Said(channel=channel, values=tuple([parse_bar(row) for row in data]), as_of=as_of)]
        return self._booked(topic, data, as_of, frame.text("type") == "snapshot")

    def _answered(self, frame: Row) -> Iterable[News]:
        op = frame.get("op")
        if op is None or op.value != "subscribe" or frame.get("req_id") is None:
            return []
        channels = self.numbered(frame.integer("req_id"))
        if frame.flag("success"):
            return [Confirmed(channel) for channel in channels]
        said = frame.text("ret_msg")
        unknown = "symbol" in said.lower() or "handler not found" in said
        kind = UnknownInstrument if unknown else NotCovered
        return [Refused(channel, kind(self.provider, said)) for channel in channels]

    def _quoted(self, topic: Topic, data: Row, as_of: datetime | None, best: bool) -> Iterable[News]:
        """Best prices come again every three seconds, also without a change."""
        if best:
            return self._quotes.bettered(topic.channel, parse_best(data, as_of))
        if data.positive("lastPrice") is None:
            return []
        return self._quotes.ticked(topic.channel, parse_quote(topic.instrument, data, as_of))

    def _booked(self, topic: Topic, data: Row, as_of: datetime | None, snapshot: bool) -> Iterable[News]:
        """A snapshot may come at any time, and takes the place of everything."""
        channel, counted = topic.channel, self._books.get(topic.channel)
        bids, asks, number = changes(data["b"]), changes(data["a"]), data.integer("u")
        if snapshot:
            counted = self._books[channel] = _Counted(Book(topic.instrument, DEPTH), number)
            counted.book.start(bids, asks)
        elif counted is None or number == counted.held:
            return []
        elif number != counted.held + 1:
            del self._books[channel]
            return [Gap(channel, f"change {number} follows {counted.held}")]
        else:
            counted.held = number
            counted.book.change(bids, asks)
        shown = counted.book.shown(as_of=as_of, sequence=str(number), verified=True)
        return [Said(channel=channel, values=(shown,), as_of=as_of, snapshot=snapshot)]


def _topics(topic: Topic) -> list[str]:
    best = [BEST + topic.channel.removeprefix(TICKER)] if topic.capability is QUOTES else []
    return [topic.channel, *best]


def parse_quote(instrument: InstrumentId, row: Row, as_of: datetime | None) -> Quote:
    """Rows have no time of their own, the whole answer has one. The change is sent as a fraction of four digits.

    Over HTTP there are the best prices too.
    """
    last = row.decimal("lastPrice")
    bid, ask = row.positive("bid1Price"), row.positive("ask1Price")
    return Quote(
        instrument=instrument,
        as_of=as_of,
        price=last,
        price_type=PriceType.LAST,
        bid=bid,
        ask=ask,
        bid_size=row.positive("bid1Size") if bid else None,
        ask_size=row.positive("ask1Size") if ask else None,
        last=last,
        open=row.positive("prevPrice24h"),
        high=row.positive("highPrice24h"),
        low=row.positive("lowPrice24h"),
        change_percent=percent(row, "price24hPcnt"),
        volume=row.maybe("volume24h"),
        quote_volume=row.maybe("turnover24h"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_best(data: Row, as_of: datetime | None) -> Best:
    """A book of one level."""
    bids, asks = changes(data["b"]), changes(data["a"])
    return Best(
        bid=bids[0].price if bids else None, ask=asks[0].price if asks else None,
        bid_size=bids[0].size if bids else None, ask_size=asks[0].size if asks else None, as_of=as_of,
    )  # fmt: skip


def parse_trade(row: Row) -> Trade:
    """Both shapes: over HTTP keys are words. `side` is the taker's."""
    number, time, price, size, side = "i", "T", "p", "v", "S"
    if "execId" in row:
        number, time, price, size, side = "execId", "time", "price", "size", "side"
    return Trade(
        id=row.label(number),
        time=row.epoch(time, "ms"),
        price=row.decimal(price),
        size=row.decimal(size),
        side=SIDES.get(row.text(side)),
    )


def parse_bar(row: Row) -> Candle:
    """`confirm` says whether it is done."""
    return Candle(
        open_time=row.epoch("start", "ms"), open=row.decimal("open"), high=row.decimal("high"),
        low=row.decimal("low"), close=row.decimal("close"), volume=row.maybe("volume"),
        quote_volume=row.maybe("turnover"), closed=row.flag("confirm"),
    )  # fmt: skip
