"""Gate's socket of spot pairs, version 4. Docs: https://www.gate.com/docs/developers/apiv4/ws/en/"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from providers.books import Book, Levels, Order, changes, spanning
from providers.contract import Clock, Profile
from providers.crypto._spot import SIDES
from providers.crypto._two_channels import Best, TwoChannels
from providers.feeds import Confirmed, Feed, Gap, News, Out, Refused, Restart, Said, Topic, text
from providers.row import Key, Row
from schema.errors import NotCovered, Overloaded, UnknownInstrument, UpstreamError
from schema.symbols import InstrumentId
from schema.words.candles import Candle
from schema.words.quotes import PriceType, Quote, StatsWindow
from schema.words.trades import Trade

DEPTH = 400
TICKERS, BEST, BARS, BOOKS = "spot.tickers", "spot.book_ticker", "spot.candlesticks", "spot.obu"
SYSTEM = "spot.system"
SERVER_SIDE = 3


@dataclass(slots=True)
class _Numbered:
    """A book and the number of its last change."""

    book: Book
    held: int


class GateioFeed(Feed):
    """A channel is the venue's and what is asked of it: `spot.trades:BTC_USDT`, `spot.obu:ob.BTC_USDT.400`; a quote's
    are two, for statistics come once a second and without sizes.

    The venue pings by itself, wants a request's time to be within a minute of its own, and states no limits of its
    public channels; before it closes for an upgrade it says so. Books come whole at first, and whenever the venue
    likes; changes say which numbers they cover, and who misses one subscribes anew:
    https://www.gate.com/announcements/article/45317
    """

    address = "wss://api.gateio.ws/ws/v4/"
    topics_per_connection = 100
    frames_per_second = 10.0

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._books: dict[str, _Numbered] = {}
        self._quotes = TwoChannels(clock)

    def forget(self, channel: str) -> None:
        """Book and quote."""
        self._books.pop(channel, None)
        self._quotes.forget(channel)

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """A request for each channel: one pair that there is not spoils it for others."""
        return [out for topic in topics for out in self._requests_for("subscribe", topic, id=self.number([topic]))]

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """The same the other way round."""
        return [out for topic in topics for out in self._requests_for("unsubscribe", topic)]

    def _requests_for(self, event: str, topic: Topic, **more: int) -> list[Out]:
        """What is refused is said of the first alone."""
        channel, _, asked = topic.channel.partition(":")
        first = self._request(event, channel, _payload(channel, asked), **more)
        return [first, self._request(event, BEST, [asked])] if channel == TICKERS else [first]

    def _request(self, event: str, channel: str, payload: list[str], **more: int) -> Out:
        time = int(self.clock.now().timestamp())
        return text({"time": time, "channel": channel, "event": event, "payload": payload, **more})

    def read(self, frame: Row) -> Iterable[News]:
        """`{"time", "channel", "event", "result"}`; what is told is an update, anything else answers a request."""
        event = frame.maybe_text("event")
        if event == "subscribe":
            return self._answered(frame)
        if event != "update":
            return []
        kind, result = frame.text("channel"), frame["result"]
        if kind == SYSTEM:
            return [Restart(result.text("msg"))] if result.maybe_text("type") == "upgrade" else []
        topic = self.topics.get(f"{TICKERS if kind == BEST else kind}:{_asked(kind, result)}")
        if topic is None:
            return []
        if kind == BOOKS:
            return self._booked(topic, result)
        at = _sent(frame)
        if kind == BARS:
            bar = parse_bar(result, topic.ask.interval.delta, at)
            return [Said(channel=topic.channel, values=(bar,), as_of=at)]
        if kind == "spot.trades":
            trade = parse_trade(result)
            return [Said(channel=topic.channel, values=(trade,), as_of=trade.time)]
        if kind == BEST:
            return self._quotes.bettered(topic.channel, parse_best(result))
        if result.positive("last") is None:
            return []
        return self._quotes.ticked(topic.channel, parse_quote(topic.instrument, result, at))

    def _answered(self, frame: Row) -> Iterable[News]:
        if frame.get("id") is None:
            return []
        channels, error = self.numbered(frame.integer("id")), frame.get("error")
        if error is None:
            return [Confirmed(channel) for channel in channels]
        code, message = error.integer("code"), error.text("message")
        kind: type[UpstreamError] = Overloaded if code == SERVER_SIDE else NotCovered
        if "currency pair" in message.lower():
            kind = UnknownInstrument
        return [Refused(channel, kind(self.provider, f"error {code}: {message}")) for channel in channels]

    def _booked(self, topic: Topic, data: Row) -> Iterable[News]:
        """`full` is a snapshot; a side without a change may be missing."""
        channel, numbered = topic.channel, self._books.get(topic.channel)
        bids, asks, number = _side(data, "b"), _side(data, "a"), data.integer("u")
        snapshot = "full" in data and data.flag("full")
        if snapshot:
            numbered = self._books[channel] = _Numbered(Book(topic.instrument, DEPTH), number)
            numbered.book.start(bids, asks)
        elif numbered is None:
            return []
        else:
            first = data.integer("U")
            order = spanning(numbered.held, first, number)
            if order is Order.OLD:
                return []
            if order is Order.GAP:
                del self._books[channel]
                return [Gap(channel, f"changes from {first} follow {numbered.held}")]
            numbered.held = number
            numbered.book.change(bids, asks)
        as_of = data.maybe_epoch("t", "ms")
        shown = numbered.book.shown(as_of=as_of, sequence=str(number), verified=True)
        return [Said(channel=channel, values=(shown,), as_of=as_of, snapshot=snapshot)]


def _payload(channel: str, asked: str) -> list[str]:
    """Of candles the interval and the pair are two."""
    return asked.split("_", 1) if channel == BARS else [asked]


def _asked(channel: str, result: Row) -> str:
    return result.text({BARS: "n", BOOKS: "s", BEST: "s"}.get(channel, "currency_pair"))


def _sent(frame: Row) -> datetime | None:
    """When the venue sent it; milliseconds came later."""
    return frame.epoch("time_ms", "ms") if "time_ms" in frame else frame.maybe_epoch("time")


def _side(data: Row, key: Key) -> Levels:
    rows = data.get(key)
    return () if rows is None else changes(rows)


def parse_quote(instrument: InstrumentId, row: Row, as_of: datetime | None = None) -> Quote:
    """The change is sent in percent, of two digits; the open is not sent, nor are sizes over the socket."""
    last = row.decimal("last")
    bid, ask = row.positive("highest_bid"), row.positive("lowest_ask")
    return Quote(
        instrument=instrument,
        as_of=as_of,
        price=last,
        price_type=PriceType.LAST,
        bid=bid,
        ask=ask,
        bid_size=row.positive("highest_size") if bid else None,
        ask_size=row.positive("lowest_size") if ask else None,
        last=last,
        high=row.positive("high_24h"),
        low=row.positive("low_24h"),
        change_percent=row.maybe("change_percentage"),
        volume=row.maybe("base_volume"),
        quote_volume=row.maybe("quote_volume"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_trade(row: Row) -> Trade:
    """The milliseconds have a fraction; `side` is the taker's."""
    return Trade(
        id=row.label("id"),
        time=row.epoch("create_time_ms", "ms"),
        price=row.decimal("price"),
        size=row.decimal("amount"),
        side=SIDES.get(row.text("side")),
    )


def parse_best(row: Row) -> Best:
    """Prices are small letters, sizes capital ones."""
    return Best(
        bid=row.positive("b"), ask=row.positive("a"), bid_size=row.positive("B"), ask_size=row.positive("A"),
        as_of=row.maybe_epoch("t", "ms"),
    )  # fmt: skip


def parse_bar(row: Row, length: timedelta, at: datetime | None) -> Candle:
    """`v` is in the quote asset; `a`, the base asset's, came later, as did `w`: done, which may be missing where it is.

    Then it is done when its time was over at that of the frame.
    """
    begin = row.epoch("t")
    return Candle(
        open_time=begin, open=row.decimal("o"), high=row.decimal("h"), low=row.decimal("l"),
        close=row.decimal("c"), volume=row.maybe("a"), quote_volume=row.maybe("v"),
        closed=("w" in row and row.flag("w")) or (at is not None and begin + length <= at),
    )  # fmt: skip
