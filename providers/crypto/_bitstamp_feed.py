"""Bitstamp's socket, version 2. Docs: https://www.bitstamp.net/websocket/v2/"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from providers.contract import Clock, Profile
from providers.crypto._spot import levels
from providers.crypto._whole import WholeBooks
from providers.feeds import Confirmed, Feed, Heartbeat, News, Out, Refused, Restart, Said, Topic, text
from providers.row import Row
from schema.errors import UnknownInstrument
from schema.symbols import InstrumentId
from schema.words.books import OrderBook
from schema.words.trades import Side, Trade

SIDES = {"0": Side.BUY, "1": Side.SELL}
TRADES_OF, BOOK_OF = "live_trades_", "order_book_"
DEPTH = 100


class BitstampFeed(Feed):
    """A channel is the venue's own: `live_trades_btcusd`, `order_book_btcusd`.

    Of a book the best hundred levels of each side come whole each time: changes alone (`diff_order_book_`) have no
    number that would show a lost one. Bitstamp states no limit of channels. There are no tickers and no candles.
    """

    address = "wss://ws.bitstamp.net"
    topics_per_connection = 100
    frames_per_second = 5.0
    heartbeat = Heartbeat(every=timedelta(seconds=15), text=text({"event": "bts:heartbeat"}))

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._unanswered: dict[str, None] = {}
        self._errors: list[str] = []
        self._books = WholeBooks()

    def forget(self, channel: str) -> None:
        """The age of its book; whoever left before the answer is answered all the same."""
        self._books.forget(channel)

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """A frame for each channel; each has an answer."""
        self._unanswered.update(dict.fromkeys([topic.channel for topic in topics]))
        return _requests("bts:subscribe", topics)

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """The same the other way round."""
        return _requests("bts:unsubscribe", topics)

    def read(self, frame: Row) -> Iterable[News]:
        """`{"event", "channel", "data"}`, always."""
        event = frame.text("event")
        if event == "bts:request_reconnect":
            return [Restart("Bitstamp asks for another connection")]
        if event == "bts:error":
            self._errors.append(frame["data"].text("message"))
            return self._refused()
        channel = frame.maybe_text("channel") or ""
        if event == "bts:subscription_succeeded":
            self._unanswered.pop(channel, None)
            return [*([Confirmed(channel)] if channel in self.topics else []), *self._refused()]
        topic = self.topics.get(channel)
        if topic is None:
            return []
        if event == "trade" and topic.channel.startswith(TRADES_OF):
            trade = parse_live_trade(frame["data"])
            return [Said(channel=topic.channel, values=(trade,), as_of=trade.time)]
        if event != "data" or not topic.channel.startswith(BOOK_OF):
            return []
        return self._books.told(topic.channel, parse_book(topic.instrument, frame["data"], DEPTH))

    def _refused(self) -> Iterable[News]:
        """An error does not name its channel: it is known when as many are refused as are not answered."""
        if not self._errors or len(self._errors) < len(self._unanswered):
            return []
        said = UnknownInstrument(self.provider, self._errors[-1])
        channels, self._unanswered, self._errors = list(self._unanswered), {}, []
        return [Refused(channel, said) for channel in channels if channel in self.topics]


def _requests(event: str, topics: Sequence[Topic]) -> list[Out]:
    return [text({"event": event, "data": {"channel": topic.channel}}) for topic in topics]


def parse_book(instrument: InstrumentId, body: Row, depth: int) -> OrderBook:
    """The time in microseconds is the book's number too: two states never share it."""
    precise = body.maybe_epoch("microtimestamp", "us")
    return OrderBook(
        instrument=instrument,
        as_of=precise or body.maybe_epoch("timestamp"),
        bids=levels(body["bids"], depth=depth),
        asks=levels(body["asks"], depth=depth),
        sequence=None if precise is None else body.label("microtimestamp"),
    )


def parse_live_trade(row: Row) -> Trade:
    """Beside the numbers stand their texts, with all places."""
    return Trade(
        id=row.label("id"),
        time=row.epoch("microtimestamp", "us"),
        price=row.decimal("price_str"),
        size=row.decimal("amount_str"),
        side=SIDES.get(row.label("type")),
    )
