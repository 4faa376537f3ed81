"""Binance's socket. Docs: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from providers.books import Change, NumberedBook, Order, changes
from providers.contract import Clock, Http, Params, Profile
from providers.crypto._joined import wire_symbol
from providers.crypto._spot import levels
from providers.crypto._trade_numbers import TradeNumbers
from providers.feeds import Confirmed, Feed, Gap, News, Out, Refused, Restart, Said, Topic, Wants, batches, text
from providers.latest import Latest
from providers.row import Row
from schema.errors import NotCovered
from schema.symbols import InstrumentId
from schema.words.books import ORDER_BOOK
from schema.words.candles import Candle
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, StatsWindow
from schema.words.trades import Side, Trade

# There are three-day candles too, but nothing says which day they are counted from.
INTERVALS = {
    Interval.S1: "1s", Interval.M1: "1m", Interval.M3: "3m", Interval.M5: "5m", Interval.M15: "15m",
    Interval.M30: "30m", Interval.H1: "1h", Interval.H2: "2h", Interval.H4: "4h", Interval.H6: "6h",
    Interval.H8: "8h", Interval.H12: "12h", Interval.D1: "1d", Interval.W1: "1w", Interval.MO1: "1M",
}  # fmt: skip
SNAPSHOT, SNAPSHOT_WEIGHT = 1000, 50
STREAMS_A_FRAME = 200
TICKER, BEST = "@ticker", "@bookTicker"


class BinanceFeed(Feed):
    """A channel is the name of a stream. A connection takes 1,024 streams, of which a quote is two, and five frames a
    second, pongs among them.
    """

    address = "wss://stream.binance.com:9443/stream"
    topics_per_connection = 500
    frames_per_second = 4.0

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._books: dict[str, NumberedBook] = {}
        self._latest = Latest(clock)
        self._trades = TradeNumbers()
        self._quotes: dict[str, Quote] = {}

    def forget(self, channel: str) -> None:
        """Book, quote, and the number of the last trade."""
        self._latest.forget(channel)
        self._trades.forget(channel)
        self._books.pop(channel, None)
        self._quotes.pop(channel, None)

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """Streams that do not exist are accepted, and say nothing."""
        for topic in topics:
            if topic.capability is ORDER_BOOK:
                self._books[topic.channel] = NumberedBook(topic.instrument)
        return self._requests_for("SUBSCRIBE", topics)

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """The same the other way round."""
        return self._requests_for("UNSUBSCRIBE", topics)

    def _requests_for(self, method: str, topics: Sequence[Topic]) -> list[Out]:
        return [
            text({"method": method, "params": _streams(batch), "id": self.number(batch)})
            for batch in batches(topics, STREAMS_A_FRAME // 2)
        ]

    def read(self, frame: Row) -> Iterable[News]:
        """`{"stream", "data"}`, the answer to a request, or a word before the server goes down."""
        if "stream" not in frame:
            return self._answered(frame)
        stream, data = frame.text("stream"), frame["data"]
        channel = stream.removesuffix(BEST) + TICKER if stream.endswith(BEST) else stream
        topic = self.topics.get(channel)
        if topic is None:
            return _farewell(data)
        kind = stream.partition("@")[2].partition("_")[0]
        if kind == "ticker":
            late = self._latest.passed(channel, TICKER, data.maybe_epoch("E", "ms"))
            return [] if late else self._ticked(topic, parse_ticker(topic.instrument, data))
        if kind == "bookTicker":
            return self._bettered(topic, data)
        if kind == "kline":
            return [parse_bar(channel, data)]
        if kind == "aggTrade":
            return self._traded(channel, data)
        return self._changed(topic, data)

    def _traded(self, channel: str, data: Row) -> Iterable[News]:
        """Those of one order at one price, as one; a pair's are numbered one by one."""
        trade, lacking = parse_trade(data), self._trades.lacking(channel, data.integer("a"))
        if lacking:
            yield Gap(channel, lacking)
        yield Said(channel=channel, values=(trade,), as_of=trade.time)

    def _answered(self, frame: Row) -> Iterable[News]:
        if frame.get("id") is None:
            return _farewell(frame)
        channels = [channel for channel in self.numbered(frame.integer("id")) if channel in self.topics]
        error = frame.get("error") or (frame if "code" in frame else None)
        if error is not None:
            said = NotCovered(self.provider, f"error {error['code'].value}: {error['msg'].value}")
            return [Refused(channel, said) for channel in channels]
        books = [channel for channel in channels if channel in self._books and not self._books[channel].started]
        return [*map(Confirmed, channels), *map(self._wanted, books)]

    def _wanted(self, channel: str) -> Wants:
        """Changes wait meanwhile: see "How to manage a local order book correctly"."""
        params: Params = {"symbol": wire_symbol(self.topics[channel].instrument), "limit": SNAPSHOT}

        async def fetch(http: Http) -> Row:
            return await http.get("/api/v3/depth", params)

        return Wants(channel, fetch, SNAPSHOT_WEIGHT)

    def given(self, channel: str, row: Row) -> Iterable[News]:
        """The snapshot and what came since."""
        book = self._books.get(channel)
        if book is None or book.started:
            return []
        if book.begin(row.integer("lastUpdateId"), levels(row["bids"]), levels(row["asks"])) is Order.GAP:
            del self._books[channel]
            return [Gap(channel, "the snapshot is older than the first change after it")]
        shown = book.shown(as_of=None, sequence=str(book.held), verified=True)
        return [Said(channel=channel, values=(shown,), snapshot=True)]

    def _changed(self, topic: Topic, data: Row) -> Iterable[News]:
        channel = topic.channel
        book = self._books.get(channel)
        if book is None:
            return []
        first, final, as_of = data.integer("U"), data.integer("u"), data.epoch("E", "ms")
        held = book.held
        order = book.take(Change(first=first, final=final, bids=changes(data["b"]), asks=changes(data["a"])))
        if order is Order.GAP:
            del self._books[channel]
            return [Gap(channel, f"change {held} is followed by {first}")]
        if order is Order.OLD:
            return []
        shown = book.shown(as_of=as_of, sequence=str(final), verified=True)
        return [Said(channel=channel, values=(shown,), as_of=as_of)]

    def _ticked(self, topic: Topic, quote: Quote | None) -> Iterable[News]:
        if quote is None:
            return []
        self._quotes[topic.channel] = quote
        return [Said(channel=topic.channel, values=(quote,), as_of=quote.as_of)]

    def _bettered(self, topic: Topic, data: Row) -> Iterable[News]:
        """Best prices alone are no quote; they have no time of their own."""
        quote = self._quotes.get(topic.channel)
        if quote is None:
            return []
        bid, ask = data.positive("b"), data.positive("a")
        better = replace(
            quote, bid=bid, ask=ask, bid_size=data.positive("B") if bid else None,
            ask_size=data.positive("A") if ask else None,
        )  # fmt: skip
        return self._ticked(topic, better)


def _farewell(data: Row) -> list[News]:
    last = "e" in data and data["e"].value == "serverShutdown"
    return [Restart("the server is about to shut down")] if last else []


def _streams(topics: Sequence[Topic]) -> list[str]:
    quotes = [topic.channel for topic in topics if topic.capability is QUOTES]
    return [topic.channel for topic in topics] + [name.removesuffix(TICKER) + BEST for name in quotes]


def parse_ticker(instrument: InstrumentId, row: Row) -> Quote | None:
    """None for a pair that never traded."""
    last = row.positive("c")
    if last is None:
        return None
    bid, ask = row.positive("b"), row.positive("a")
    return Quote(
        instrument=instrument,
        as_of=row.maybe_epoch("E", "ms"),
        price=last,
        price_type=PriceType.LAST,
        bid=bid,
        ask=ask,
        bid_size=row.positive("B") if bid else None,
        ask_size=row.positive("A") if ask else None,
        last=last,
        last_size=row.positive("Q"),
        open=row.positive("o"),
        high=row.positive("h"),
        low=row.positive("l"),
        change=row.maybe("p"),
        change_percent=row.maybe("P"),
        volume=row.maybe("v"),
        quote_volume=row.maybe("q"),
        vwap=row.positive("w"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_bar(channel: str, data: Row) -> Said:
    """The candle as it is now; `x` says whether it is done."""
    row = data["k"]
    bar = Candle(
        open_time=row.epoch("t", "ms"), open=row.decimal("o"), high=row.decimal("h"), low=row.decimal("l"),
        close=row.decimal("c"), volume=row.maybe("v"), quote_volume=row.maybe("q"), trade_count=row.integer("n"),
        closed=row.flag("x"),
    )  # fmt: skip
    return Said(channel=channel, values=(bar,), as_of=data.maybe_epoch("E", "ms"))


def parse_trade(row: Row) -> Trade:
    """All three shapes: aggTrade of the socket and /aggTrades have keys of one letter, /trades has words."""
    number, time, price, size, maker = "a", "T", "p", "q", "m"
    if "id" in row:
        number, time, price, size, maker = "id", "time", "price", "qty", "isBuyerMaker"
    return Trade(
        id=row.label(number),
        time=row.epoch(time, "ms"),
        price=row.decimal(price),
        size=row.decimal(size),
        # The buyer was waiting in the book: then the taker sold.
        side=(Side.SELL if row.flag(maker) else Side.BUY) if maker in row else None,
    )
