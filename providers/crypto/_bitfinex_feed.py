"""Bitfinex's socket, version 2. Docs: https://docs.bitfinex.com/docs/ws-general"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import zip_longest

from providers.books import Book, Order, signed_crc32, spanning
from providers.contract import Clock, Profile
from providers.crypto._running import Running
from providers.crypto._spot import percent
from providers.feeds import Alive, Confirmed, Feed, Gap, News, Out, Pong, Refused, Restart, Said, Topic, text
from providers.row import Row, ascending
from schema.errors import NotCovered, UnknownInstrument
from schema.symbols import InstrumentId
from schema.words.books import PriceLevel
from schema.words.candles import Candle
from schema.words.quotes import PriceType, Quote, StatsWindow
from schema.words.trades import Side, Trade

SEQUENCE, CHECKSUM = 65_536, 131_072
DEPTH, CHECKED = 100, 25
FAREWELLS = {20051: "Bitfinex restarts its servers", 20060: "Bitfinex is in maintenance"}
WORDS = ("hb", "cs", "te", "tu")


class BitfinexFeed(Feed):
    """A channel is what is streamed and the symbol, or of candles the key: `book:tBTCUSD`, `candles:trade:1m:tBTCUSD`.

    Every frame of data has a number of the connection behind it, and books have a checksum of the best 25 levels. A
    connection takes 25 channels, and twenty may be opened in a minute. The venue names a channel by a number.
    """

    address = "wss://api-pub.bitfinex.com/ws/2"
    topics_per_connection = 25
    frames_per_second = 5.0

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._names: dict[int, str] = {}
        self._books: dict[str, Book] = {}
        self._bars = Running()
        self._held: int | None = None

    def forget(self, channel: str) -> None:
        """Book and candle. Its number stays until it is unsubscribed."""
        self._books.pop(channel, None)
        self._bars.forget(channel)

    def greet(self) -> Sequence[Out]:
        """Numbers and checksums are asked for: https://docs.bitfinex.com/docs/ws-websocket-checksum"""
        return [text({"event": "conf", "flags": SEQUENCE + CHECKSUM})]

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """A frame for each channel."""
        return [text({"event": "subscribe", **_asked(topic.channel)}) for topic in topics]

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """By number; a channel that has none yet is let go when it gets one."""
        gone = {topic.channel for topic in topics}
        numbers = [number for number, channel in self._names.items() if channel in gone]
        for number in numbers:
            del self._names[number]
        return list(map(_farewell, numbers))

    def read(self, frame: Row) -> Iterable[News]:
        """`[channel, data, number]`, or an event."""
        return self._event(frame) if isinstance(frame.value, dict) else self._numbered(frame)

    def _event(self, frame: Row) -> Iterable[News]:
        event = frame.text("event")
        if event == "info" and "code" in frame:
            said = FAREWELLS.get(frame.integer("code"))
            return [Restart(said)] if said else []
        if event == "subscribed":
            return self._subscribed(_named(frame), frame.integer("chanId"))
        if event == "error" and "channel" in frame:
            return self._refused(_named(frame), frame)
        return []

    def _subscribed(self, channel: str, number: int) -> Iterable[News]:
        if channel not in self.topics:
            return [Pong(_farewell(number))]
        self._names[number] = channel
        return [Confirmed(channel)]

    def _refused(self, channel: str, frame: Row) -> Iterable[News]:
        """A channel that is held twice goes on."""
        code, said = frame.integer("code"), frame.text("msg")
        if channel not in self.topics or code == 10301:
            return []
        kind = UnknownInstrument if "symbol" in said or "pair" in said else NotCovered
        return [Refused(channel, kind(self.provider, f"error {code}: {said}"))]

    def _numbered(self, frame: Row) -> Iterable[News]:
        """The number is behind the data, which stand behind a word or alone.

        Heartbeats and checksums are counted, too, as the venue's own client expects of every frame; one that repeats
        the number before it is told nevertheless.
        """
        word = frame[1].value if frame[1].value in WORDS else ""
        place = 2 if word in ("", "hb") else 3
        if len(frame) > place:
            held, number = self._held, frame.integer(place)
            same = word in ("hb", "cs") and number == held
            order = Order.NEXT if held is None or same else spanning(held, number, number)
            if order is Order.GAP:
                return [Restart(f"frame {held} is followed by {number}")]
            if order is Order.OLD:
                return []
            self._held = number
        topic = self.topics.get(self._names.get(frame.integer(0), ""))
        return [] if topic is None else self._said(topic, word, frame[1 if place == 2 else 2])

    def _said(self, topic: Topic, word: str, data: Row) -> Iterable[News]:
        channel = topic.channel
        kind = channel.partition(":")[0]
        if word == "hb":
            return [Alive(channel)]
        if word == "cs":
            return self._checked(channel, data.integer())
        if kind == "trades":
            # What is executed ("te") is told once more ("tu"), with nothing new.
            return _traded(channel, data, snapshot=not word) if word != "tu" else []
        if kind == "book":
            return self._booked(topic, data)
        return self._barred(channel, data) if kind == "candles" else _ticked(topic, data)

    def _barred(self, channel: str, data: Row) -> Iterable[News]:
        if not len(data):
            return []
        listed = _many(data)
        bars = ascending([parse_bar(row) for row in (data if listed else [data])], lambda bar: bar.open_time)
        values = tuple([told for bar in bars for told in self._bars.told(channel, bar)])
        # Of a list each candle but the last is said twice, first as one that runs.
        final = {bar.open_time: bar for bar in values}
        return [Said(channel=channel, values=tuple(final.values()), snapshot=listed)]

    def _booked(self, topic: Topic, data: Row) -> Iterable[News]:
        channel = topic.channel
        snapshot = _many(data)
        book = self._books.get(channel)
        if snapshot:
            book = self._books[channel] = Book(topic.instrument, DEPTH)
            rows = [_level(row) for row in data]
            bids, asks = [level for level, bid in rows if bid], [level for level, bid in rows if not bid]
            book.start(tuple(bids), tuple(asks))
        elif book is None:
            return []
        else:
            level, bid = _level(data)
            book.change((level,) if bid else (), () if bid else (level,))
        shown = book.shown(as_of=None, sequence=None, verified=self._held is not None)
        return [Said(channel=channel, values=(shown,), snapshot=snapshot)]

    def _checked(self, channel: str, told: int) -> Iterable[News]:
        book = self._books.get(channel)
        if book is None or checksum(book) == told:
            return [Alive(channel)]
        del self._books[channel]
        return [Gap(channel, f"the checksum is {checksum(book)}, not {told}")]


def _asked(channel: str) -> dict[str, object]:
    kind, _, rest = channel.partition(":")
    if kind == "candles":
        return {"channel": kind, "key": rest}
    more = {"prec": "P0", "freq": "F0", "len": str(DEPTH)} if kind == "book" else {}
    return {"channel": kind, "symbol": rest, **more}


def _named(frame: Row) -> str:
    return f"{frame.text('channel')}:{frame.text('key' if 'key' in frame else 'symbol')}"


def _farewell(number: int) -> Out:
    return text({"event": "unsubscribe", "chanId": number})


def _many(data: Row) -> bool:
    """Whether it is a list of rows, as at first, and not one row."""
    return not len(data) or isinstance(data[0].value, list)


def _ticked(topic: Topic, data: Row) -> Iterable[News]:
    if data.positive(6) is None:
        return []
    return [Said(channel=topic.channel, values=(parse_quote(topic.instrument, data),))]


def _traded(channel: str, data: Row, *, snapshot: bool) -> Iterable[News]:
    rows = data if snapshot else [data]
    values = ascending([parse_trade(row) for row in rows], lambda trade: (trade.time, len(trade.id), trade.id))
    as_of = values[-1].time if values else None
    return [Said(channel=channel, values=values, as_of=as_of, snapshot=snapshot)] if values else []


def _level(row: Row) -> tuple[PriceLevel, bool]:
    """[price, number of orders, size], asks negative; without orders the price is gone, and 1 or -1 says the side."""
    count, size = row.integer(1), row.decimal(2)
    kept = size.copy_abs() if count else Decimal(0)
    return PriceLevel(price=row.decimal(0), size=kept, order_count=count), size > 0


def checksum(book: Book) -> int:
    """A signed CRC32 over the best 25 bids and asks in turn, prices and sizes as JavaScript writes numbers."""
    pairs = zip_longest(book.bids(CHECKED), book.asks(CHECKED))
    sides = [level for bid, ask in pairs for level in (bid, ask and replace(ask, size=ask.size.copy_negate())) if level]
    return signed_crc32(":".join([f"{_written(level.price)}:{_written(level.size)}" for level in sides]))


def _written(number: Decimal) -> str:
    """`7000`, `0.000001`, `1e-7`: both switch to exponents below a millionth."""
    digits, exponent, power = str(number).lower().partition("e")
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + exponent + power


def parse_quote(instrument: InstrumentId, row: Row, at: int = 0) -> Quote:
    """From place *at*: [bid, bids, ask, asks, change, change as a fraction, last, volume, high, low].

    `bids` and `asks` are the sums of the best 25 levels, no sizes at the best price.
    """
    last = row.decimal(at + 6)
    return Quote(
        instrument=instrument,
        price=last,
        price_type=PriceType.LAST,
        bid=row.positive(at),
        ask=row.positive(at + 2),
        last=last,
        high=row.positive(at + 8),
        low=row.positive(at + 9),
        change=row.maybe(at + 4),
        change_percent=percent(row, at + 5),
        volume=row.maybe(at + 7),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_bar(row: Row) -> Candle:
    """[time, open, CLOSE, high, low, volume]."""
    return Candle(
        open_time=row.epoch(0, "ms"), open=row.decimal(1), close=row.decimal(2), high=row.decimal(3),
        low=row.decimal(4), volume=row.maybe(5),
    )  # fmt: skip


def parse_trade(row: Row) -> Trade:
    """[id, time, size, price]; what the taker sold is negative."""
    size: Decimal = row.decimal(2)
    return Trade(
        id=row.label(0),
        time=row.epoch(1, "ms"),
        price=row.decimal(3),
        size=size.copy_abs(),
        side=Side.BUY if size > 0 else Side.SELL,
    )
