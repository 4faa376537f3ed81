"""HTX's sockets for spot pairs. Docs: https://huobiapi.github.io/docs/spot/v1/en/#websocket-market-data"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from providers.books import Change, NumberedBook, Order, changes
from providers.contract import Clock, Profile
from providers.crypto._running import Running
from providers.crypto._spot import SIDES, levels
from providers.feeds import Confirmed, Feed, Gap, News, Out, Pong, Refused, Said, Topic, text, unzipped
from providers.latest import Latest
from providers.row import Row, ascending
from schema.errors import NotCovered, Throttled, UnknownInstrument
from schema.symbols import InstrumentId
from schema.words.candles import Candle
from schema.words.quotes import QUOTES, PriceType, Quote, StatsWindow
from schema.words.trades import Trade

DETAIL, BEST, TRADED, BAR, BOOK = ".detail", ".bbo", ".trade.detail", ".kline.", ".mbp.150"
DEPTH = 150
GZIP = b"\x1f\x8b"
UNKNOWN = ("invalid symbol", "invalid topic", "symbol trade not open now")


class _HtxSocket(Feed):
    """What both sockets have in common: frames are packed, the server pings, requests are numbered."""

    frames_per_second = 5.0

    def decode(self, data: str | bytes) -> Row:
        """JSON in gzip; what is not packed, as frames are kept in archives, is read as it is."""
        packed = isinstance(data, bytes) and data.startswith(GZIP)
        return super().decode(unzipped(self.provider, data) if packed else data)

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """A frame for each name."""
        return [self._request("sub", name, topic) for topic in topics for name in _names(topic)]

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """The same the other way round."""
        return [self._request("unsub", name, topic) for topic in topics for name in _names(topic)]

    def _request(self, kind: str, name: str, topic: Topic) -> Out:
        """Answers to who leaves are about nobody: the same channel may have come again meanwhile."""
        return text({kind: name, "id": str(self.number([] if kind == "unsub" else [topic]))})

    def read(self, frame: Row) -> Iterable[News]:
        """A ping, `{"ch", "ts", "tick"}`, or the answer to a request, with its number as a text."""
        if "ping" in frame:
            return [Pong(text({"pong": frame.integer("ping")}))]
        if "ch" in frame:
            name = frame.text("ch")
            topic = self.topics.get(_channel(name))
            return [] if topic is None else self._said(topic, name, frame)
        if "status" not in frame or "id" not in frame:
            return []
        channels = [channel for channel in self.numbered(frame.integer("id")) if channel in self.topics]
        return self._answered(channels, frame)

    def _answered(self, channels: Sequence[str], frame: Row) -> Iterable[News]:
        if frame.text("status") == "ok":
            return list(map(Confirmed, channels))
        said = frame.text("err-msg")
        unlisted, often = said.startswith(UNKNOWN), said.startswith("429")
        kind = UnknownInstrument if unlisted else Throttled if often else NotCovered
        return [Refused(channel, kind(self.provider, said)) for channel in channels]

    def _said(self, topic: Topic, name: str, frame: Row) -> Iterable[News]:
        raise NotImplementedError


class HtxFeed(_HtxSocket):
    """A channel is a topic: `market.btcusdt.trade.detail`; the best prices (`bbo`) come beside the statistics.

    HTX states no limit of topics, but advises against too many on one connection. It pings every five seconds, and
    closes when two pings are not answered.
    """

    address = "wss://api.huobi.pro/ws"
    topics_per_connection = 50

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._latest = Latest(clock)
        self._quotes: dict[str, Quote] = {}
        self._bars = Running()

    def forget(self, channel: str) -> None:
        """Quote and candle."""
        self._latest.forget(channel)
        self._quotes.pop(channel, None)
        self._bars.forget(channel)

    def _said(self, topic: Topic, name: str, frame: Row) -> Iterable[News]:
        channel, tick, as_of = topic.channel, frame["tick"], frame.maybe_epoch("ts", "ms")
        if name.endswith(TRADED):
            values = parse_match(tick)
            return [Said(channel=channel, values=values, as_of=values[-1].time)] if values else []
        if BAR in name:
            return [Said(channel=channel, values=self._bars.told(channel, parse_bar(tick)), as_of=as_of)]
        known, best = self._quotes.get(channel), name.endswith(BEST)
        if self._latest.passed(channel, name, tick.maybe_epoch("quoteTime", "ms") if best else as_of):
            return []
        if best:
            quote = None if known is None else bettered(known, tick)
        else:
            quote = counted(topic.instrument, frame, known) if tick.positive("close") else None
        if quote is None:
            return []
        self._quotes[channel] = quote
        return [Said(channel=channel, values=(quote,), as_of=quote.as_of)]


class HtxBookFeed(_HtxSocket):
    """Books are changed ten times a second; each change names the one before it, and the snapshot is asked for here.

    A connection may ask for one every 100 ms.
    """

    address = "wss://api.huobi.pro/feed"
    topics_per_connection = 50

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._books: dict[str, NumberedBook] = {}

    def forget(self, channel: str) -> None:
        """The book."""
        self._books.pop(channel, None)

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """Changes first, then the snapshot that they wait for."""
        outs: list[Out] = []
        for topic in topics:
            self._books[topic.channel] = NumberedBook(topic.instrument, DEPTH)
            outs += [self._request("sub", topic.channel, topic), self._request("req", topic.channel, topic)]
        return outs

    def _answered(self, channels: Sequence[str], frame: Row) -> Iterable[News]:
        if "rep" not in frame or frame.text("status") != "ok":
            return super()._answered(channels, frame)
        return [news for channel in channels for news in self._begun(channel, frame["data"])]

    def _begun(self, channel: str, data: Row) -> Iterable[News]:
        book = self._books.get(channel)
        if book is None or book.started:
            return []
        if book.begin(data.integer("seqNum"), levels(data["bids"]), levels(data["asks"])) is Order.GAP:
            del self._books[channel]
            return [Gap(channel, "the snapshot is older than the first change after it")]
        shown = book.shown(as_of=None, sequence=str(book.held), verified=True)
        return [Said(channel=channel, values=(shown,), snapshot=True)]

    def _said(self, topic: Topic, name: str, frame: Row) -> Iterable[News]:
        book, tick = self._books.get(name), frame["tick"]
        if book is None:
            return []
        held, before, final = book.held, tick.integer("prevSeqNum"), tick.integer("seqNum")
        bids, asks = [changes(tick.get(side) or []) for side in ("bids", "asks")]
        order = book.take(Change(first=before + 1, final=final, bids=bids, asks=asks))
        if order is Order.GAP:
            del self._books[name]
            return [Gap(name, f"change {held} is followed by one after {before}")]
        if order is Order.OLD:
            return []
        as_of = frame.maybe_epoch("ts", "ms")
        shown = book.shown(as_of=as_of, sequence=str(final), verified=True)
        return [Said(channel=name, values=(shown,), as_of=as_of)]


def _names(topic: Topic) -> list[str]:
    best = [topic.channel.removesuffix(DETAIL) + BEST] if topic.capability is QUOTES else []
    return [topic.channel, *best]


def _channel(name: str) -> str:
    return name.removesuffix(BEST) + DETAIL if name.endswith(BEST) else name


def counted(instrument: InstrumentId, frame: Row, known: Quote | None) -> Quote:
    """Statistics of 24 hours, with the best prices that are known; as of the later of the two."""
    row = frame["tick"]
    last = row.decimal("close")
    times = [time for time in (known.as_of if known else None, frame.maybe_epoch("ts", "ms")) if time]
    return Quote(
        instrument=instrument,
        as_of=max(times, default=None),
        price=last,
        price_type=PriceType.LAST,
        bid=known.bid if known else None,
        ask=known.ask if known else None,
        bid_size=known.bid_size if known else None,
        ask_size=known.ask_size if known else None,
        last=last,
        open=row.positive("open"),
        high=row.positive("high"),
        low=row.positive("low"),
        volume=row.maybe("amount"),
        quote_volume=row.maybe("vol"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def bettered(quote: Quote, row: Row) -> Quote:
    """A quote with other best prices."""
    bid, ask = row.positive("bid"), row.positive("ask")
    times = [time for time in (quote.as_of, row.maybe_epoch("quoteTime", "ms")) if time]
    return replace(
        quote, as_of=max(times, default=None), bid=bid, ask=ask,
        bid_size=row.positive("bidSize") if bid else None, ask_size=row.positive("askSize") if ask else None,
    )  # fmt: skip


def parse_bar(row: Row) -> Candle:
    """`id` is the open time in seconds."""
    return Candle(
        open_time=row.epoch("id"), open=row.decimal("open"), high=row.decimal("high"), low=row.decimal("low"),
        close=row.decimal("close"), volume=row.maybe("amount"), quote_volume=row.maybe("vol"),
        trade_count=row.integer("count"),
    )  # fmt: skip


def parse_match(row: Row) -> tuple[Trade, ...]:
    """The trades of one match."""
    trades = [parse_trade(each) for each in row["data"]]
    return ascending(trades, lambda trade: (trade.time, len(trade.id), trade.id))


def parse_trade(row: Row) -> Trade:
    """`id` is wider than 64 bits, the trade's own number is not; the side is the taker's."""
    named = next((name for name in ("tradeId", "trade-id") if name in row), "id")
    return Trade(
        id=row.label(named),
        time=row.epoch("ts", "ms"),
        price=row.decimal("price"),
        size=row.decimal("amount"),
        side=SIDES.get(row.text("direction")),
    )
