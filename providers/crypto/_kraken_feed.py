"""Kraken's socket, version 2. Docs: https://docs.kraken.com/api/docs/websocket-v2/ticker"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby

from providers.books import Book, changes, crc32
from providers.contract import Clock, Profile
from providers.crypto._spot import SIDES
from providers.crypto._trade_numbers import TradeNumbers
from providers.feeds import Confirmed, Feed, Gap, Heartbeat, News, Out, Refused, Restart, Said, Topic, text
from providers.row import Row
from schema.errors import NotCovered, UnknownInstrument
from schema.symbols import InstrumentId
from schema.words.books import PriceLevel
from schema.words.candles import Candle
from schema.words.quotes import PriceType, Quote, StatsWindow
from schema.words.trades import Side, Trade

WIRE = {"BTC": "XBT", "DOGE": "XDG"}
OURS = {wire: ours for ours, wire in WIRE.items()}
DEPTH, CHECKED = 100, 10
SHORT_SIDES = {"b": Side.BUY, "s": Side.SELL}
OPTIONS: dict[str, dict[str, object]] = {"ticker": {"event_trigger": "bbo"}, "book": {"depth": DEPTH}}


class KrakenFeed(Feed):
    """A channel is what is streamed, the pair, and of candles the minutes: `ohlc:BTC/USD:5`.

    Kraken states no limit of subscriptions; connections are limited to about 150 in ten minutes. An idle connection
    is closed after a minute.
    """

    address = "wss://ws.kraken.com/v2"
    topics_per_connection = 200
    frames_per_second = 5.0
    heartbeat = Heartbeat(every=timedelta(seconds=20), text=text({"method": "ping"}))

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._books: dict[str, Book] = {}
        self._traded = TradeNumbers()

    def forget(self, channel: str) -> None:
        """The book, and the number of the last trade."""
        self._books.pop(channel, None)
        self._traded.forget(channel)

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """A frame for each kind of channel, with all its pairs."""
        return self._requests_for("subscribe", topics)

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """The same the other way round."""
        return self._requests_for("unsubscribe", topics)

    def _requests_for(self, method: str, topics: Sequence[Topic]) -> list[Out]:
        outs: list[Out] = []
        for (kind, minutes), group in groupby(sorted(topics, key=_kind), _kind):
            batch = list(group)
            params = {"channel": kind, "symbol": [_parts(topic.channel)[1] for topic in batch], **OPTIONS.get(kind, {})}
            if minutes:
                params["interval"] = int(minutes)
            outs.append(text({"method": method, "params": params, "req_id": self.number(batch)}))
        return outs

    def read(self, frame: Row) -> Iterable[News]:
        """`{"channel", "type", "data"}` or the answer to a request; a list is a frame of version 1."""
        if isinstance(frame.value, list):
            return self._first_version(frame)
        if "method" in frame:
            return self._answered(frame)
        kind = frame.maybe_text("channel") if "channel" in frame else None
        if kind == "status":
            return self._status(frame["data"])
        if kind not in ("ticker", "trade", "ohlc", "book"):
            return []
        snapshot = frame.text("type") == "snapshot"
        if kind == "ohlc":
            return self._bars(frame, snapshot)
        if kind == "trade":
            return self._trades(frame["data"], snapshot)
        read = self._ticked if kind == "ticker" else self._booked
        return [news for row in frame["data"] for news in read(f"{kind}:{row.text('symbol')}", row, snapshot)]

    def _answered(self, frame: Row) -> Iterable[News]:
        """One answer for each pair: the pair stands in its result, or beside its error."""
        if frame.text("method") != "subscribe":
            return []
        # The number comes with every pair's answer, so it is not used up by the first.
        if frame.flag("success"):
            result = frame["result"]
            minutes = f":{result.integer('interval')}" if "interval" in result else ""
            return [Confirmed(f"{result.text('channel')}:{result.text('symbol')}{minutes}")]
        said = frame.text("error")
        symbol = frame.maybe_text("symbol") if "symbol" in frame else None
        asked = self._requests.get(frame.integer("req_id"), ()) if "req_id" in frame else ()
        channels = [channel for channel in asked if symbol in (None, _parts(channel)[1])]
        kind = UnknownInstrument if "pair" in said else NotCovered
        return [Refused(channel, kind(self.provider, said)) for channel in channels]

    def _status(self, rows: Row) -> Iterable[News]:
        return [Restart("Kraken is in maintenance") for row in rows if row.maybe_text("system") == "maintenance"]

    def _ticked(self, channel: str, row: Row, snapshot: bool) -> Iterable[News]:
        topic = self.topics.get(channel)
        if topic is None or row.positive("last") is None:
            return
        quote = parse_ticker(topic.instrument, row)
        yield Said(channel=channel, values=(quote,), as_of=quote.as_of, snapshot=snapshot)

    def _trades(self, rows: Row, snapshot: bool) -> Iterable[News]:
        """A pair's trades are numbered one by one."""
        for symbol, group in groupby(rows, lambda row: row.text("symbol")):
            channel, found = f"trade:{symbol}", list(group)
            if channel in self.topics:
                numbers = sorted([row.integer("trade_id") for row in found])
                if snapshot:
                    self._traded.begin(channel, numbers[-1])
                elif lacking := self._traded.lacking_any(channel, numbers):
                    yield Gap(channel, lacking)
                values = tuple([parse_execution(row) for row in found])
                yield Said(channel=channel, values=values, as_of=values[-1].time, snapshot=snapshot)

    def _bars(self, frame: Row, snapshot: bool) -> Iterable[News]:
        """Kraken does not say when a candle is done: it is when its interval was over at the time of the frame."""
        at = frame.maybe_instant("timestamp") if "timestamp" in frame else None
        for channel, group in groupby(frame["data"], _bar_channel):
            if channel in self.topics:
                values = tuple([parse_bar(row, at) for row in group])
                yield Said(channel=channel, values=values, as_of=at, snapshot=snapshot)

    def _booked(self, channel: str, row: Row, snapshot: bool) -> Iterable[News]:
        topic = self.topics.get(channel)
        if topic is None or not (snapshot or channel in self._books):
            return
        bids = changes(row["bids"], price="price", size="qty")
        asks = changes(row["asks"], price="price", size="qty")
        if snapshot:
            book = self._books[channel] = Book(topic.instrument, DEPTH)
            book.start(bids, asks)
        else:
            book = self._books[channel]
            book.change(bids, asks)
        if checksum(book) != row.integer("checksum"):
            del self._books[channel]
            yield Gap(channel, f"the checksum is {checksum(book)}, not {row.integer('checksum')}")
            return
        as_of = row.maybe_instant("timestamp") if "timestamp" in row else None
        shown = book.shown(as_of=as_of, sequence=None, verified=True)
        yield Said(channel=channel, values=(shown,), as_of=as_of, snapshot=snapshot)

    def _first_version(self, frame: Row) -> Iterable[News]:
        """`[number, data, "trade", "XBT/USD"]`: what proxies and archives of the first version still send."""
        if len(frame) != 4:
            return []
        kind, pair = frame.text(2), frame.text(3)
        channel = f"{kind}:{'/'.join(OURS.get(code, code) for code in pair.split('/'))}"
        topic = self.topics.get(channel)
        if topic is None or kind not in ("ticker", "trade"):
            return []
        if kind == "ticker":
            return [Said(channel=channel, values=(parse_quote(topic.instrument, frame[1]),))]
        values = tuple([parse_trade(row) for row in frame[1]])
        return [Said(channel=channel, values=values, as_of=values[-1].time if values else None)]


def _parts(channel: str) -> tuple[str, str, str]:
    kind, _, rest = channel.partition(":")
    symbol, _, minutes = rest.partition(":")
    return kind, symbol, minutes


def _kind(topic: Topic) -> tuple[str, str]:
    kind, _, minutes = _parts(topic.channel)
    return kind, minutes


def _bar_channel(row: Row) -> str:
    return f"ohlc:{row.text('symbol')}:{row.integer('interval')}"


def checksum(book: Book) -> int:
    """CRC32 over the best ten asks, then bids, as digits: https://docs.kraken.com/api/docs/guides/spot-ws-book-v2"""
    return crc32("".join(map(_digits, [*book.asks(CHECKED), *book.bids(CHECKED)])))


def _digits(level: PriceLevel) -> str:
    return _bare(level.price) + _bare(level.size)


def _bare(number: Decimal) -> str:
    return format(number, "f").replace(".", "").lstrip("0")


def parse_ticker(instrument: InstrumentId, row: Row) -> Quote:
    """Statistics are those of 24 hours."""
    bid, ask = row.positive("bid"), row.positive("ask")
    return Quote(
        instrument=instrument,
        as_of=row.maybe_instant("timestamp") if "timestamp" in row else None,
        price=row.decimal("last"),
        price_type=PriceType.LAST,
        bid=bid,
        ask=ask,
        bid_size=row.positive("bid_qty") if bid else None,
        ask_size=row.positive("ask_qty") if ask else None,
        last=row.decimal("last"),
        high=row.positive("high"),
        low=row.positive("low"),
        change=row.maybe("change"),
        change_percent=row.maybe("change_pct"),
        volume=row.maybe("volume"),
        vwap=row.positive("vwap"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_execution(row: Row) -> Trade:
    """A trade of version 2."""
    return Trade(
        id=row.label("trade_id"), time=row.instant("timestamp"), price=row.decimal("price"), size=row.decimal("qty"),
        side=SIDES.get(row.text("side")),
    )  # fmt: skip


def parse_bar(row: Row, at: datetime | None) -> Candle:
    """A candle as it was at that time; without one it may still be running."""
    begin = row.instant("interval_begin")
    return Candle(
        open_time=begin, open=row.decimal("open"), high=row.decimal("high"), low=row.decimal("low"),
        close=row.decimal("close"), volume=row.maybe("volume"), vwap=row.positive("vwap"),
        trade_count=row.integer("trades"),
        closed=at is not None and begin + timedelta(minutes=row.integer("interval")) <= at,
    )  # fmt: skip


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """Statistics are [today, 24 hours]; `o` is today's open and would not belong to the 24 hours, so there is none."""
    # All but the last trade may be missing.
    nothing = Row(row.provider, [None] * 3)
    bid, ask, close = row.get("b") or nothing, row.get("a") or nothing, row["c"]
    last = close.decimal(0)
    best_bid, best_ask = bid.positive(0), ask.positive(0)
    return Quote(
        instrument=instrument,
        price=last,
        price_type=PriceType.LAST,
        bid=best_bid,
        ask=best_ask,
        bid_size=None if best_bid is None else bid.positive(2),
        ask_size=None if best_ask is None else ask.positive(2),
        last=last,
        last_size=close.positive(1),
        high=(row.get("h") or nothing).positive(1),
        low=(row.get("l") or nothing).positive(1),
        volume=(row.get("v") or nothing).maybe(1),
        vwap=(row.get("p") or nothing).positive(1),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_trade(row: Row) -> Trade:
    return Trade(
        # Recordings from before 2022 have no id: the time tells trades apart as well as anything there.
        id=row.label(6) if len(row) > 6 else str(row.decimal(2)),
        time=row.epoch(2),
        price=row.decimal(0),
        size=row.decimal(1),
        side=SHORT_SIDES.get(row.text(3)),
    )
