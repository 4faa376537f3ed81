"""Polygon's socket of US stocks. Docs: https://polygon.io/docs/websocket/stocks/overview"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time

from providers.contract import Clock, Http, Profile
from providers.equities._live_quotes import ZONE, LiveQuotes
from providers.feeds import Confirmed, Feed, News, Out, Pong, Refused, Restart, Said, Topic, Wants, batches, text
from providers.latest import Latest
from providers.row import Row
from schema.errors import NotCovered, Unauthorized
from schema.symbols import InstrumentId
from schema.words.candles import Adjustment, Candle, CandlesAsk
from schema.words.quotes import QUOTES, PriceType, Quote, StatsWindow
from schema.words.venues import TradingHours

SNAPSHOTS = "/v2/snapshot/locale/us/markets/stocks/tickers"
OPENING, CLOSING = time(9, 30), time(16)
CHANNELS = {"quotes": ("T", "Q", "A"), "bars": ("AM",)}
KINDS = {"T": "quotes", "Q": "quotes", "A": "quotes", "AM": "bars"}
TOPICS_A_FRAME = 100
SUBSCRIBED = "subscribed to: "
CONNECTION = {
    "auth_timeout": "the login did not come in time",
    "max_connections": "the key's connections are all in use",
}


class PolygonFeed(Feed):
    """A channel is a kind and a symbol: `quotes:MSFT`, `bars:MSFT`. Sockets are part of paid plans alone.

    A key has one connection to each cluster (stocks, currencies, …), with as many tickers as are read fast enough:
    https://polygon.io/knowledge-base/categories/websockets. Each stream is confirmed by its name, a refusal has none.
    A quote is the snapshot over HTTP with what came since; the first trade of another day asks for a new one.
    """

    address = "wss://socket.polygon.io/stocks"
    topics_per_connection = 1000
    connections = 1

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._admitted = False
        self._confirmed: set[str] = set()
        self._latest = Latest(clock)
        self._quotes = LiveQuotes(changed, traded_at)

    def forget(self, channel: str) -> None:
        """Its quote, and that it was confirmed."""
        self._confirmed.discard(channel)
        self._quotes.forget(channel)
        self._latest.forget(channel)

    def greet(self) -> Sequence[Out]:
        """The login."""
        return [text({"action": "auth", "params": self.key["key"]})]

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """Nothing is taken before the login is confirmed."""
        return requests("subscribe", topics) if self._admitted else ()

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """The same the other way round."""
        return requests("unsubscribe", topics) if self._admitted else ()

    def read(self, frame: Row) -> Iterable[News]:
        """A list of events, each with its kind."""
        for event in frame:
            kind = event.text("ev")
            if kind == "status":
                yield from self._status(event.text("status"), event.maybe_text("message") or "")
            elif kind in KINDS:
                topic = self.topics.get(f"{KINDS[kind]}:{event.text('sym')}")
                if topic is not None:
                    yield from self._changed(topic, event) if topic.capability is QUOTES else barred(topic, event)

    def _status(self, status: str, message: str) -> Iterable[News]:
        if status == "auth_success":
            self._admitted = True
            yield from map(Pong, requests("subscribe", list(self.topics.values())))
        elif status == "success" and message.startswith(SUBSCRIBED):
            yield from self._accepted(message.removeprefix(SUBSCRIBED).split(","))
        elif status == "auth_failed" and "plan" not in message.lower():
            error = Unauthorized(self.provider, "the key is invalid")
            yield from [Refused(channel, error) for channel in self.topics]
        elif status in ("auth_failed", "error"):
            barring = NotCovered(self.provider, "the key's plan does not include this stream")
            yield from [Refused(channel, barring) for channel in self.topics if channel not in self._confirmed]
        elif status in CONNECTION:
            yield Restart(CONNECTION[status])

    def _accepted(self, streams: Sequence[str]) -> Iterable[News]:
        for stream in streams:
            kind, _, symbol = stream.strip().partition(".")
            topic = self.topics.get(f"{KINDS.get(kind, '')}:{symbol}")
            if topic is not None and topic.channel not in self._confirmed:
                self._confirmed.add(topic.channel)
                yield Confirmed(topic.channel)
                if topic.capability is QUOTES and self._quotes.wants(topic.channel, self.clock.now()):
                    yield wanted(topic)

    def _changed(self, topic: Topic, event: Row) -> Iterable[News]:
        channel, kind, at = topic.channel, event.text("ev"), event.epoch("t" if "t" in event else "e", "ms")
        if kind == "Q" and self._latest.passed(channel, kind, at):
            return
        quote = self._quotes.take(channel, kind, event)
        if quote is not None:
            yield Said(channel=channel, values=(quote,), as_of=at if kind == "Q" else quote.as_of)
        elif kind == "T" and self._quotes.wants(channel, at):
            yield wanted(topic)

    def given(self, channel: str, row: Row) -> Iterable[News]:
        """The snapshot and what came since it was asked for."""
        topic = self.topics.get(channel)
        quote = None if topic is None else self._quotes.begin(channel, parse_snapshot(topic.instrument, row["ticker"]))
        if quote is not None:
            yield Said(channel=channel, values=(quote,), as_of=quote.as_of, snapshot=True)


def requests(action: str, topics: Sequence[Topic]) -> list[Out]:
    """All streams of some channels, in lists."""
    return [
        text({"action": action, "params": ",".join(name for topic in batch for name in streams_of(topic.channel))})
        for batch in batches(topics, TOPICS_A_FRAME)
    ]


def streams_of(channel: str) -> list[str]:
    """Trades first: without best prices a quote is a quote."""
    kind, _, symbol = channel.partition(":")
    return [f"{name}.{symbol}" for name in CHANNELS[kind]]


def wanted(topic: Topic) -> Wants:
    """The snapshot of a symbol."""
    path = f"{SNAPSHOTS}/{topic.channel.partition(':')[2]}"

    async def fetch(http: Http) -> Row:
        return await http.get(path)

    return Wants(topic.channel, fetch)


def traded_at(event: Row) -> datetime | None:
    """Of trades."""
    return event.epoch("t", "ms") if event.text("ev") == "T" else None


def in_session(moment: datetime) -> bool:
    """Between opening and closing in New York."""
    return OPENING <= moment.astimezone(ZONE).time() < CLOSING


def changed(quote: Quote, event: Row) -> Quote:
    """With a trade (that is not older), the best prices, or the day so far. Sizes of bid and ask: see the adapter."""
    kind = event.text("ev")
    if kind == "Q":
        return replace(quote, bid=event.positive("bp"), ask=event.positive("ap"))
    if kind == "A":
        return summed(quote, event)
    at = event.epoch("t", "ms")
    if quote.as_of is not None and at < quote.as_of:
        return quote
    return replace(quote, price=event.decimal("p"), price_type=PriceType.LAST, last_size=event.positive("s"), as_of=at)


def summed(quote: Quote, event: Row) -> Quote:
    """A second of the day: sums of the whole day, and a range that may be the day's new one in its session."""
    widens = in_session(event.epoch("s", "ms"))
    high, low = (event.decimal("h"), event.decimal("l")) if widens else (None, None)
    return replace(
        quote,
        open=event.positive("op") or quote.open,
        high=max((each for each in (quote.high, high) if each is not None), default=None),
        low=min((each for each in (quote.low, low) if each is not None), default=None),
        volume=event.positive("av") or quote.volume,
        vwap=event.positive("a") or quote.vwap,
    )


def minutely(ask: CandlesAsk) -> bool:
    """Of the session; the newest minutes are the same with and without splits."""
    return ask.hours is TradingHours.REGULAR and ask.adjustment is not Adjustment.SPLITS_AND_DIVIDENDS


def barred(topic: Topic, event: Row) -> Iterable[News]:
    """A minute of the session when it is over."""
    begin = event.epoch("s", "ms")
    if in_session(begin):
        bar = Candle(
            open_time=begin, open=event.decimal("o"), high=event.decimal("h"), low=event.decimal("l"),
            close=event.decimal("c"), volume=event.decimal("v"), vwap=event.positive("vw"),
        )  # fmt: skip
        yield Said(channel=topic.channel, values=(bar,), as_of=event.epoch("e", "ms"))


def parse_snapshot(instrument: InstrumentId, row: Row) -> Quote:
    """A day without a trade so far is all zeros; without the trades that a plan lacks its close is the last price."""
    trade, quote, day, before = (row.get(name) for name in ("lastTrade", "lastQuote", "day", "prevDay"))
    kind, as_of = PriceType.LAST, row.maybe_epoch("updated", "ns")
    price = None if trade is None else trade.positive("p")
    if price is not None:
        as_of = row["lastTrade"].maybe_epoch("t", "ns") or as_of
    elif not (price := row["day"].decimal("c")):
        price, kind, as_of = row["prevDay"].decimal("c"), PriceType.CLOSE, None
    return Quote(
        instrument=instrument,
        price=price,
        price_type=kind,
        currency="USD",
        bid=None if quote is None else quote.positive("p"),
        ask=None if quote is None else quote.positive("P"),
        last_size=None if trade is None else trade.positive("s"),
        open=None if day is None else day.positive("o"),
        high=None if day is None else day.positive("h"),
        low=None if day is None else day.positive("l"),
        volume=None if day is None else day.positive("v"),
        vwap=None if day is None else day.positive("vw"),
        previous_close=None if before is None or kind is PriceType.CLOSE else before.positive("c"),
        stats_window=StatsWindow.SESSION,
        as_of=as_of,
    )
