"""Upbit's socket. Docs: https://docs.upbit.com/kr/reference/websocket-guide"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from providers.contract import Clock, Profile
from providers.crypto._running import Running
from providers.crypto._spot import levels, percent
from providers.crypto._upbit import TAKER, market_of
from providers.crypto._whole import WholeBooks
from providers.feeds import Feed, News, Out, Refused, Said, Topic, text
from providers.row import Row
from schema.errors import NotCovered
from schema.symbols import InstrumentId
from schema.words.books import OrderBook
from schema.words.candles import Candle
from schema.words.intervals import Interval
from schema.words.quotes import PriceType, Quote, StatsWindow
from schema.words.trades import Trade

# Days, weeks and months are not streamed.
BARS = {
    Interval.M1: "candle.1m", Interval.M3: "candle.3m", Interval.M5: "candle.5m", Interval.M15: "candle.15m",
    Interval.M30: "candle.30m", Interval.H1: "candle.60m", Interval.H4: "candle.240m",
}  # fmt: skip
TICKER, TRADED, BOOK = "ticker", "trade", "orderbook"
DEEPEST = 30


class UpbitFeed(Feed):
    """A channel is a type and a market: `orderbook:KRW-BTC`, `candle.1m:KRW-BTC`.

    Requests are counted for each connection (https://docs.upbit.com/kr/reference/rate-limits); this stays below five
    a second and a hundred a minute. Each names everything that is wanted, whether or not the one before still holds;
    it has no answer. Frames are binary.
    """

    address = "wss://api.upbit.com/websocket/v1"
    topics_per_connection = 100
    frames_per_second = 1.5
    confirms = False

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._asked: set[str] = set()
        self._bars = Running()
        self._books = WholeBooks()
        self._heard: set[str] = set()

    def forget(self, channel: str) -> None:
        """The running candle, the age of its book, and that it was heard of."""
        self._bars.forget(channel)
        self._books.forget(channel)
        self._heard.discard(channel)

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """Everything that is wanted now, in one frame."""
        self._asked = {topic.channel for topic in topics}
        return [self._request(topics)]

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """What is left; a request for nothing would be refused, and nobody listens then."""
        return [self._request(topics)] if self.topics else []

    def _request(self, topics: Sequence[Topic]) -> Out:
        """Trades without the last one, which was told before."""
        markets: dict[str, list[str]] = {}
        for topic in self.topics.values():
            markets.setdefault(topic.channel.partition(":")[0], []).append(market_of(topic.instrument))
        wanted = [
            {"type": kind, "codes": codes, **({"is_only_realtime": True} if kind == TRADED else {})}
            for kind, codes in markets.items()
        ]
        return text([{"ticket": str(self.number(topics))}, *wanted, {"format": "SIMPLE"}])

    def read(self, frame: Row) -> Iterable[News]:
        """`{"ty", "cd", …}`, an error, or that the server is up."""
        if "error" in frame:
            return self._refused(frame["error"])
        if "ty" not in frame:
            return []
        kind, topic = frame.text("ty"), self.topics.get(f"{frame.text('ty')}:{frame.text('cd')}")
        if topic is None:
            return []
        self._heard.add(topic.channel)
        if kind == TICKER:
            return _ticked(topic, frame)
        if kind == TRADED:
            trade = parse_trade(frame)
            return [Said(channel=topic.channel, values=(trade,), as_of=trade.time)]
        if kind == BOOK:
            return self._books.told(topic.channel, parse_book(topic.instrument, frame))
        bars = self._bars.told(topic.channel, parse_bar(frame))
        return [Said(channel=topic.channel, values=bars, as_of=frame.maybe_epoch("tms", "ms"))]

    def _refused(self, error: Row) -> Iterable[News]:
        """It names no market: what was asked last and has not been heard of is refused."""
        said = NotCovered(self.provider, f"{error.text('name')}: {error.maybe_text('message') or ''}")
        channels = [name for name in self.topics if name in self._asked and name not in self._heard]
        return [Refused(channel, said) for channel in channels]


def _ticked(topic: Topic, row: Row) -> Iterable[News]:
    if row.positive("tp") is None:
        return []
    quote = parse_quote(topic.instrument, row)
    return [Said(channel=topic.channel, values=(quote,), as_of=quote.as_of)]


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """As over HTTP, by short names: statistics and volumes are of the UTC day; there is no bid and no ask."""
    last = row.decimal("tp")
    return Quote(
        instrument=instrument,
        as_of=row.maybe_epoch("ttms", "ms"),
        price=last,
        price_type=PriceType.LAST,
        last=last,
        last_size=row.positive("tv"),
        open=row.positive("op"),
        high=row.positive("hp"),
        low=row.positive("lp"),
        previous_close=row.positive("pcp"),
        change=row.maybe("scp"),
        change_percent=percent(row, "scr"),
        volume=row.maybe("atv"),
        quote_volume=row.maybe("atp"),
        stats_window=StatsWindow.UTC_DAY,
    )


def parse_trade(row: Row) -> Trade:
    """`ab` is the taker's side."""
    return Trade(
        id=row.label("sid"),
        time=row.epoch("ttms", "ms"),
        price=row.decimal("tp"),
        size=row.decimal("tv"),
        side=TAKER.get(row.text("ab")),
    )


def parse_book(instrument: InstrumentId, row: Row) -> OrderBook:
    """The whole book, one row with a bid and an ask for each level."""
    units = row["obu"]
    return OrderBook(
        instrument=instrument,
        as_of=row.maybe_epoch("tms", "ms"),
        bids=levels(units, price="bp", size="bs", depth=DEEPEST),
        asks=levels(units, price="ap", size="as", depth=DEEPEST),
    )


def parse_bar(row: Row) -> Candle:
    """Named by its start in UTC."""
    return Candle(
        open_time=row.instant("cdttmu"), open=row.decimal("op"), high=row.decimal("hp"), low=row.decimal("lp"),
        close=row.decimal("tp"), volume=row.maybe("catv"), quote_volume=row.maybe("catp"),
    )  # fmt: skip
