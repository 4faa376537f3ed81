"""Gemini's socket, version 2 of market data. Docs: https://docs.gemini.com/websocket/archived/v2"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from providers.books import Book, changes
from providers.contract import Clock, Profile
from providers.crypto._running import Running
from providers.crypto._spot import SIDES
from providers.feeds import Feed, Gap, News, Out, Refused, Said, Topic, text
from providers.row import Row, ascending
from schema.errors import NotCovered, UnknownInstrument
from schema.words.candles import Candle
from schema.words.trades import Trade

BOOK, EXECUTIONS = "book", "trades"
SIBLING = {BOOK: EXECUTIONS, EXECUTIONS: BOOK}
LEVELS = "l2"


class GeminiFeed(Feed):
    """A channel is what is streamed and the symbol: `book:BTCUSD`, `trades:BTCUSD`, `candles_5m:BTCUSD`.

    Book and trades come in one subscription of the venue. There is no ticker, so quotes are polled. No limits are
    stated, changes have no numbers and no time, and a subscription is not acknowledged: its first frame is the state.
    """

    address = "wss://api.gemini.com/v2/marketdata"
    topics_per_connection = 200
    frames_per_second = 5.0
    confirms = False

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._books: dict[str, Book] = {}
        self._running = Running()
        self._begun: set[str] = set()

    def forget(self, channel: str) -> None:
        """Book and running candle."""
        self._books.pop(channel, None)
        self._running.forget(channel)
        self._begun.discard(channel)

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """A book whose trades are streamed already, or the other way round, is asked for anew: it begins with all."""
        names = {topic.channel for topic in topics}
        held = [topic for topic in topics if (other := _sibling(topic.channel)) in self.topics and other not in names]
        again = [_frame("unsubscribe", held)] if held else []
        return [*again, _frame("subscribe", topics)]

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """What another channel still needs stays."""
        left = [topic for topic in topics if _sibling(topic.channel) not in self.topics]
        return [_frame("unsubscribe", left)] if left else []

    def read(self, frame: Row) -> Iterable[News]:
        """Told apart by `type`; a refusal has none."""
        kind = frame.maybe_text("type")
        if kind == "l2_updates":
            return [*self._changed(frame), *self._traded(frame, frame.get("trades"))]
        if kind == "trade":
            return self._traded(frame, [frame])
        if kind is None:
            return self._refused(frame)
        if kind.startswith("candles_"):
            return self._bars(f"{kind.removesuffix('_updates')}:{frame.text('symbol')}", frame["changes"])
        return []

    def _changed(self, frame: Row) -> Iterable[News]:
        """The first frame has trades too: it is the whole book. What is lost shows by a crossed book alone."""
        channel, snapshot = f"{BOOK}:{frame.text('symbol')}", "trades" in frame
        topic = self.topics.get(channel)
        if topic is None or not (snapshot or channel in self._books):
            return []
        rows = list(frame["changes"])
        bids = changes((row for row in rows if row.text(0) == "buy"), price=1, size=2)
        asks = changes((row for row in rows if row.text(0) == "sell"), price=1, size=2)
        book = Book(topic.instrument) if snapshot else self._books[channel]
        (book.start if snapshot else book.change)(bids, asks)
        self._books[channel] = book
        if book.crossed:
            del self._books[channel]
            return [Gap(channel, "its best bid is not below its best ask")]
        shown = book.shown(as_of=None, sequence=None, verified=False)
        return [Said(channel=channel, values=(shown,), snapshot=snapshot)]

    def _traded(self, frame: Row, rows: Iterable[Row] | None) -> Iterable[News]:
        """The last fifty come with the book, newest first."""
        channel = f"{EXECUTIONS}:{frame.text('symbol')}"
        if rows is None or channel not in self.topics:
            return []
        numbered = sorted(rows, key=lambda row: row.integer("event_id"))
        trades = ascending([parse_trade(row) for row in numbered], lambda trade: trade.time)
        return (
            [Said(channel=channel, values=trades, as_of=trades[-1].time, snapshot="trades" in frame)] if trades else []
        )

    def _bars(self, channel: str, rows: Row) -> Iterable[News]:
        """Newest first; at first all of a day."""
        if channel not in self.topics:
            return []
        bars = sorted([parse_bar(row) for row in rows], key=lambda bar: bar.open_time)
        told = {each.open_time: each for bar in bars for each in self._running.told(channel, bar)}
        if not told:
            return []
        first = channel not in self._begun
        self._begun.add(channel)
        return [Said(channel=channel, values=tuple(told.values()), snapshot=first)]

    def _refused(self, frame: Row) -> Iterable[News]:
        """`{"result": "error", "reason": …, "message": …}`, as over HTTP: the symbol stands in quotes."""
        if "result" not in frame or frame["result"].value != "error":
            return []
        said = f"{frame.maybe_text('reason') or 'error'}: {frame.maybe_text('message') or ''}"
        kind = UnknownInstrument if "symbol" in said.lower() else NotCovered
        named = [channel for channel in self.topics if f"'{_symbol(channel)}'" in said.upper()]
        return [Refused(channel, kind(self.provider, said)) for channel in named]


def _symbol(channel: str) -> str:
    return channel.partition(":")[2]


def _sibling(channel: str) -> str:
    kind, _, symbol = channel.partition(":")
    return f"{SIBLING.get(kind, '')}:{symbol}"


def _frame(kind: str, topics: Sequence[Topic]) -> Out:
    wanted: dict[str, dict[str, None]] = {}
    for topic in topics:
        name, _, symbol = topic.channel.partition(":")
        wanted.setdefault(LEVELS if name in SIBLING else name, {})[symbol] = None
    subscriptions = [{"name": name, "symbols": list(symbols)} for name, symbols in wanted.items()]
    return text({"type": kind, "subscriptions": subscriptions})


def parse_trade(row: Row) -> Trade:
    """`tid` is the number over HTTP; former frames had the event's alone."""
    return Trade(
        id=row.label("tid" if "tid" in row else "event_id"),
        time=row.epoch("timestamp", "ms"),
        price=row.decimal("price"),
        size=row.decimal("quantity"),
        side=SIDES.get(row.text("side")),
    )


def parse_bar(row: Row) -> Candle:
    """[time, open, high, low, close, volume], all numbers; it may still be running."""
    return Candle(
        open_time=row.epoch(0, "ms"), open=row.decimal(1), high=row.decimal(2), low=row.decimal(3),
        close=row.decimal(4), volume=row.maybe(5), closed=False,
    )  # fmt: skip
