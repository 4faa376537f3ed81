"""A venue of our own for tests of the machine: a provider with a feed, in a dialect of a few letters.

`{"q": "BTC/USD", "p": "1"}` is a quote (`"at"`: its stamp), `"t"` a trade with its `id`, `"c"` a bar of a minute with
its open time `at` (`"r"`: it runs; `"v"`: its volume; `"e"`: when it was sent), `"b"` a change of a book with its
number `n` (`"s": true` a snapshot). `{"ok": channel}`, `{"no": channel}`, `{"want": channel}`, `{"gap": channel}`,
`{"ping": 1}` and `{"bye": reason}` are what they say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from providers.books import Book, Order, changes, spanning
from providers.contract import Clock, Licence, Profile, Provider, answers, per_second
from providers.feeds import (
    Confirmed,
    Feed,
    Gap,
    Heartbeat,
    News,
    Out,
    Pong,
    Refused,
    Restart,
    Said,
    Topic,
    Wants,
    streams,
    text,
)
from providers.row import Row
from schema.errors import UnknownInstrument
from schema.symbols import AssetClass, InstrumentId
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.candles import CANDLES, Bars, Candle, CandlesAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from schema.words.trades import TRADES, Trade, TradesAsk

SILENCE = timedelta(seconds=60)


def symbol_of(instrument: InstrumentId) -> str:
    return f"{instrument.base}/{instrument.quote}"


class TapeFeed(Feed):
    """Every channel is a letter and a pair."""

    address = "wss://tape.example/live"
    topics_per_connection = 3
    frames_per_second = 10.0
    heartbeat = Heartbeat(every=timedelta(seconds=20))

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self.books: dict[str, tuple[Book, int]] = {}

    def forget(self, channel: str) -> None:
        self.books.pop(channel, None)

    def greet(self) -> Sequence[Out]:
        return [text({"hello": self.key.get("key", "")})]

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        return [text({"sub": [topic.channel for topic in topics]})]

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        return [text({"unsub": [topic.channel for topic in topics]})]

    def read(self, frame: Row) -> Iterable[News]:
        if "ping" in frame:
            return [Pong(text({"pong": frame.integer("ping")}))]
        if "bye" in frame:
            return [Restart(frame.text("bye"))]
        if "ok" in frame:
            return [Confirmed(frame.text("ok"))]
        if "no" in frame:
            return [Refused(frame.text("no"), UnknownInstrument(self.provider, "it is not listed"))]
        if "gap" in frame:
            return [Gap(frame.text("gap"), "trade 4 follows 2")]
        if "want" in frame:
            return [Wants(frame.text("want"), lambda http: http.get("/book"))]
        letter = next(letter for letter in "qtcb" if letter in frame)
        channel = f"{letter}:{frame.text(letter)}"
        topic = self.topics.get(channel)
        return [] if topic is None else self._values(letter, topic, frame)

    def given(self, channel: str, row: Row) -> Iterable[News]:
        return self._book(self.topics[channel], row)

    def _values(self, letter: str, topic: Topic, frame: Row) -> Iterable[News]:
        channel = topic.channel
        if letter == "q":
            as_of = frame.epoch("at") if "at" in frame else None
            quote = Quote(instrument=topic.instrument, price=frame.decimal("p"), price_type=PriceType.LAST, as_of=as_of)
            return [Said(channel=channel, values=(quote,), as_of=as_of, snapshot=True)]
        if letter == "t":
            trade = Trade(
                id=frame.label("id"), time=frame.epoch("at"), price=frame.decimal("p"), size=frame.decimal("p")
            )
            return [Said(channel=channel, values=(trade,), as_of=trade.time)]
        if letter == "c":
            price = frame.decimal("p")
            begin, done = frame.epoch("at"), "r" not in frame
            volume, sent = frame.decimal("v") if "v" in frame else None, frame.epoch("e") if "e" in frame else None
            bar = Candle(open_time=begin, open=price, high=price, low=price, close=price, volume=volume, closed=done)
            return [Said(channel=channel, values=(bar,), as_of=sent)]
        return self._book(topic, frame)

    def _book(self, topic: Topic, frame: Row) -> Iterable[News]:
        channel, number, snapshot = topic.channel, frame.integer("n"), "s" in frame
        bids, asks = changes(frame["bids"]), changes(frame["asks"])
        if snapshot:
            book = Book(topic.instrument)
            book.start(bids, asks)
        elif channel not in self.books:
            return []
        else:
            book, held = self.books[channel]
            order = spanning(held, number, number)
            if order is Order.GAP:
                del self.books[channel]
                return [Gap(channel, f"{held} is followed by {number}")]
            if order is Order.OLD:
                return []
            book.change(bids, asks)
        self.books[channel] = (book, number)
        shown = book.shown(as_of=None, sequence=str(number), verified=True)
        return [Said(channel=channel, values=(shown,), snapshot=snapshot)]


class Tape(Provider):
    """Streams everything, and answers over HTTP as well."""

    profile = Profile(
        id="tape", name="Tape", base_url="https://tape.example", docs="https://docs.example",
        asset_classes=(AssetClass.CRYPTO,), licence=Licence(note="None."), limits=(per_second(10),),
    )  # fmt: skip

    @streams(QUOTES, feed=TapeFeed, covers=lambda ask: True, silence=SILENCE)
    def quote_channel(self, ask: QuotesAsk) -> str:
        return f"q:{symbol_of(ask.instruments[0])}"

    @streams(TRADES, feed=TapeFeed, covers=lambda ask: True)
    def trade_channel(self, ask: TradesAsk) -> str:
        return f"t:{symbol_of(ask.instrument)}"

    @streams(CANDLES, feed=TapeFeed, covers=lambda ask: True, intervals=(Interval.M1,))
    def candle_channel(self, ask: CandlesAsk) -> str:
        return f"c:{symbol_of(ask.instrument)}"

    @streams(ORDER_BOOK, feed=TapeFeed, covers=lambda ask: True)
    def book_channel(self, ask: OrderBookAsk) -> str:
        return f"b:{symbol_of(ask.instrument)}"

    @answers(QUOTES)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        body = await self.http.get("/quotes")
        as_of = body.epoch("at") if "at" in body else None
        return [
            Quote(instrument=instrument, price=body.decimal("p"), price_type=PriceType.LAST, as_of=as_of)
            for instrument in ask.instruments
        ]

    @answers(TRADES)
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        body = await self.http.get("/trades")
        return tuple(
            Trade(id=row.label("id"), time=row.epoch("at"), price=row.decimal("p"), size=row.decimal("p"))
            for row in body
        )

    @answers(ORDER_BOOK)
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        body = await self.http.get("/book")
        return OrderBook(instrument=ask.instrument, bids=changes(body["bids"]), asks=changes(body["asks"]))

    @answers(CANDLES, intervals=(Interval.M1,))
    async def candles(self, ask: CandlesAsk) -> Bars:
        body = await self.http.get("/candles")
        return body.bars(time="at", open="p", high="p", low="p", close="p", unit="s")
