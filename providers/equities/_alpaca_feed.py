"""Alpaca's socket of US stocks. Docs: https://docs.alpaca.markets/docs/real-time-stock-pricing-data"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time

from providers.contract import Clock, Http, Params, Profile
from providers.equities._live_quotes import ZONE, LiveQuotes
from providers.feeds import Confirmed, Feed, News, Out, Pong, Refused, Restart, Said, Topic, Wants, text
from providers.latest import Latest
from providers.row import Row
from schema.errors import NotCovered, QuotaReached, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import InstrumentId
from schema.words.candles import Candle
from schema.words.quotes import QUOTES, PriceType, Quote, StatsWindow

OPENING, CLOSING = time(9, 30), time(16)
PAID = "wss://stream.data.alpaca.markets/v2/sip"
CHANNELS = {"quotes": ("trades", "quotes", "dailyBars"), "bars": ("bars", "updatedBars")}
KINDS = {"t": "quotes", "q": "quotes", "d": "quotes", "b": "bars", "u": "bars"}
# https://docs.alpaca.markets/docs/streaming-market-data: of the login, of one request, of the connection.
LOGIN: Mapping[int, tuple[type[UpstreamError], str]] = {
    402: (Unauthorized, "the key or its secret is invalid"),
    409: (NotCovered, "the key's plan does not include this feed"),
}
REQUEST: Mapping[int, tuple[type[UpstreamError], str]] = {
    400: (NotCovered, "a subscription that the stream does not understand"),
    405: (QuotaReached, "the plan's number of streamed symbols is reached"),
    410: (NotCovered, "a channel that the stream does not have"),
}
CONNECTION = {
    401: "the login did not come first",
    404: "the login did not come in time",
    406: "the key's connections are all in use",
    407: "the connection is too slow for what comes",
    500: "the stream has an internal error",
}


class AlpacaFeed(Feed):
    """A channel is a kind and a symbol: `quotes:MSFT`, `bars:MSFT`. Without a paid plan prices are those of IEX alone.

    A key has one connection, and without a paid plan 30 symbols; the stream says itself when they are used up, so
    each symbol is asked for in a frame of its own. The answers come in the order of the requests. A quote is the
    snapshot over HTTP with what came since; the first trade of another day asks for a new one.
    """

    address = "wss://stream.data.alpaca.markets/v2/iex"
    topics_per_connection = 1000
    frames_per_second = 10.0
    connections = 1

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._admitted = False
        self._asked: deque[str] = deque()
        """Channels of the requests that are not answered yet; empty where none is waiting for the answer."""
        self._latest = Latest(clock)
        self._quotes = LiveQuotes(changed, traded_at)

    async def locate(self, http: Http, topics: Sequence[Topic]) -> str:
        """A paid plan has the prices of all exchanges; nothing is asked for that."""
        paid = self.profile.limits == self.profile.tiers["plus"].limits
        return PAID if paid else self.address

    def forget(self, channel: str) -> None:
        """Its quote."""
        self._quotes.forget(channel)
        self._latest.forget(channel)

    def greet(self) -> Sequence[Out]:
        """The login, within ten seconds."""
        return [text({"action": "auth", "key": self.key["key"], "secret": self.key["secret"]})]

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """Nothing is taken before the login is confirmed."""
        return [self._request("subscribe", topic) for topic in topics] if self._admitted else ()

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """The same the other way round."""
        return [self._request("unsubscribe", topic) for topic in topics] if self._admitted else ()

    def _request(self, action: str, topic: Topic) -> Out:
        self._asked.append(topic.channel if action == "subscribe" else "")
        kind, _, symbol = topic.channel.partition(":")
        return text({"action": action, **{name: [symbol] for name in CHANNELS[kind]}})

    def read(self, frame: Row) -> Iterable[News]:
        """A list of messages, each with its kind."""
        for message in frame:
            kind = message.text("T")
            if kind == "success" and message.text("msg") == "authenticated":
                self._admitted = True
                yield from [Pong(self._request("subscribe", topic)) for topic in self.topics.values()]
            elif kind == "subscription":
                yield from self._confirmed(self._answered())
            elif kind == "error":
                yield from self._refused(message.integer("code"))
            elif kind in KINDS:
                topic = self.topics.get(f"{KINDS[kind]}:{message.text('S')}")
                if topic is not None:
                    yield from self._changed(topic, message) if topic.capability is QUOTES else barred(topic, message)

    def _answered(self) -> Topic | None:
        return self.topics.get(self._asked.popleft()) if self._asked else None

    def _confirmed(self, topic: Topic | None) -> Iterable[News]:
        if topic is not None:
            yield Confirmed(topic.channel)
            if topic.capability is QUOTES and self._quotes.wants(topic.channel, self.clock.now()):
                yield wanted(topic)

    def _refused(self, code: int) -> Iterable[News]:
        if code in LOGIN:
            kind, why = LOGIN[code]
            yield from [Refused(channel, kind(self.provider, why)) for channel in self.topics]
        elif code in REQUEST:
            kind, why = REQUEST[code]
            topic = self._answered()
            if topic is not None:
                yield Refused(topic.channel, kind(self.provider, why))
        elif code in CONNECTION:
            yield Restart(CONNECTION[code])

    def _changed(self, topic: Topic, message: Row) -> Iterable[News]:
        channel, kind, at = topic.channel, message.text("T"), message.instant("t")
        if kind == "q" and self._latest.passed(channel, kind, at):
            return
        quote = self._quotes.take(channel, kind, message)
        if quote is not None:
            yield Said(channel=channel, values=(quote,), as_of=at if kind == "q" else quote.as_of)
        elif kind == "t" and self._quotes.wants(channel, at):
            yield wanted(topic)

    def given(self, channel: str, row: Row) -> Iterable[News]:
        """The snapshot and what came since it was asked for."""
        topic = self.topics.get(channel)
        if topic is None:
            return
        found = row.get(channel.partition(":")[2])
        if found is None or found.get("latestTrade") is None:
            yield Refused(channel, UnknownInstrument(self.provider, f"{topic.instrument.base} was never traded"))
            return
        quote = self._quotes.begin(channel, parse_snapshot(topic.instrument, found))
        if quote is not None:
            yield Said(channel=channel, values=(quote,), as_of=quote.as_of, snapshot=True)


def wanted(topic: Topic) -> Wants:
    """The snapshot of a symbol."""
    params: Params = {"symbols": topic.channel.partition(":")[2]}

    async def fetch(http: Http) -> Row:
        return await http.get("/v2/stocks/snapshots", params)

    return Wants(topic.channel, fetch)


def changed(quote: Quote, message: Row) -> Quote:
    """With a trade (that is not older), the best prices, or the day so far. Sizes of bid and ask: see the adapter."""
    kind = message.text("T")
    if kind == "q":
        return replace(quote, bid=message.positive("bp"), ask=message.positive("ap"))
    if kind == "d":
        return replace(
            quote, open=message.decimal("o"), high=message.decimal("h"), low=message.decimal("l"),
            volume=message.decimal("v"), vwap=message.maybe("vw"),
        )  # fmt: skip
    traded = message.instant("t")
    if quote.as_of is not None and traded < quote.as_of:
        return quote
    return replace(quote, price=message.decimal("p"), last_size=message.maybe("s"), as_of=traded)


def traded_at(message: Row) -> datetime | None:
    """Of trades."""
    return message.instant("t") if message.text("T") == "t" else None


def barred(topic: Topic, message: Row) -> Iterable[News]:
    """A minute when it is over, and half a minute later again if late trades have changed it; of the session alone."""
    begin = message.instant("t")
    if OPENING <= begin.astimezone(ZONE).time() < CLOSING:
        bar = Candle(
            open_time=begin, open=message.decimal("o"), high=message.decimal("h"), low=message.decimal("l"),
            close=message.decimal("c"), volume=message.decimal("v"), vwap=message.maybe("vw"),
            trade_count=message.integer("n"),
        )  # fmt: skip
        yield Said(channel=topic.channel, values=(bar,))


def parse_snapshot(instrument: InstrumentId, row: Row) -> Quote:
    """The day's bar is that of the session before until the first trade of the new one."""
    trade, quote, day = row["latestTrade"], row.get("latestQuote"), row.get("dailyBar")
    traded = trade.instant("t")
    current = day if day is not None and local_day(day) == traded.astimezone(ZONE).date() else None
    before = day if current is None else row.get("prevDailyBar")
    return Quote(
        instrument=instrument,
        price=trade.decimal("p"),
        price_type=PriceType.LAST,
        currency="USD",
        bid=None if quote is None else quote.positive("bp"),
        ask=None if quote is None else quote.positive("ap"),
        last_size=trade.maybe("s"),
        open=None if current is None else current.decimal("o"),
        high=None if current is None else current.decimal("h"),
        low=None if current is None else current.decimal("l"),
        volume=None if current is None else current.decimal("v"),
        vwap=None if current is None else current.maybe("vw"),
        previous_close=None if before is None else before.decimal("c"),
        stats_window=StatsWindow.SESSION,
        as_of=traded,
    )


def local_day(bar: Row) -> date:
    """The day in New York that a daily bar begins with."""
    return bar.instant("t").astimezone(ZONE).date()
