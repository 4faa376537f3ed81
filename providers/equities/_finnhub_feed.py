"""Finnhub's socket. Docs: https://finnhub.io/docs/api/websocket-trades"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time

from providers.contract import Clock, Http, Params, Profile, query
from providers.equities._finnhub import parse_quote
from providers.equities._live_quotes import ZONE, LiveQuotes
from providers.feeds import Feed, News, Out, Refused, Said, Topic, Wants, text
from providers.row import Row
from schema.errors import NotCovered, QuotaReached, UnknownInstrument
from schema.words.quotes import Quote

OPENING, CLOSING = time(9, 30), time(16)


class FinnhubFeed(Feed):
    """A channel is a symbol. A key has one connection (a second one ends both) and 50 symbols without a paid plan.

    Nothing is confirmed. A quote is that of /quote with the trades of the session since; trades before and after it
    come too, but are not what /quote tells. A trade of another day, or a sign of life without a quote, asks for it.
    """

    address = "wss://ws.finnhub.io"
    credentials = (query("token"),)
    topics_per_connection = 50
    connections = 1
    confirms = False

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._quotes = LiveQuotes(traded, traded_at)

    def forget(self, channel: str) -> None:
        """Its quote."""
        self._quotes.forget(channel)

    def begin(self, topics: Sequence[Topic]) -> Iterable[Wants]:
        """The quotes, for it may take long until anything is traded."""
        now = self.clock.now()
        return [wanted(topic) for topic in topics if self._quotes.wants(topic.channel, now)]

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """A frame for each symbol."""
        return [text({"type": "subscribe", "symbol": topic.channel}) for topic in topics]

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """The same the other way round."""
        return [text({"type": "unsubscribe", "symbol": topic.channel}) for topic in topics]

    def read(self, frame: Row) -> Iterable[News]:
        """`{"type": "trade" | "ping" | "error"}`; a ping wants no answer."""
        kind = frame.text("type")
        if kind == "error":
            yield from self._refused(frame.text("msg"))
        elif kind == "trade":
            for channel, row in newest(frame["data"]).items():
                if channel in self.topics:
                    yield from self._traded(self.topics[channel], row)
        now = self.clock.now()
        yield from [wanted(topic) for topic in self.topics.values() if self._quotes.wants(topic.channel, now)]

    def _refused(self, said: str) -> Iterable[News]:
        """It does not say what it is about: of the symbols the one that was asked for last."""
        many = "too many" in said.lower()
        error = QuotaReached(self.provider, "the plan's number of streamed symbols is reached")
        other = NotCovered(self.provider, "the stream has refused the symbol")
        return [Refused(channel, error if many else other) for channel in list(self.topics)[-1:]]

    def _traded(self, topic: Topic, row: Row) -> Iterable[News]:
        quote = self._quotes.take(topic.channel, "trade", row)
        if quote is not None:
            yield Said(channel=topic.channel, values=(quote,), as_of=quote.as_of)
        elif self._quotes.wants(topic.channel, row.epoch("t", "ms")):
            yield wanted(topic)

    def given(self, channel: str, row: Row) -> Iterable[News]:
        """The quote and the trade since."""
        topic = self.topics.get(channel)
        if topic is None:
            return
        if row.positive("c") is None:
            yield Refused(channel, UnknownInstrument(self.provider, f"{topic.instrument.base} has no price"))
            return
        quote = self._quotes.begin(channel, parse_quote(topic.instrument, row))
        if quote is not None:
            yield Said(channel=channel, values=(quote,), as_of=quote.as_of, snapshot=True)


def wanted(topic: Topic) -> Wants:
    """The quote over HTTP."""
    params: Params = {"symbol": topic.channel}

    async def fetch(http: Http) -> Row:
        return await http.get("/quote", params)

    return Wants(topic.channel, fetch)


def newest(rows: Row) -> dict[str, Row]:
    """The last trade of the session of each symbol."""
    found: dict[str, Row] = {}
    for row in rows:
        symbol, at = row.text("s"), row.epoch("t", "ms")
        known = found.get(symbol)
        if OPENING <= at.astimezone(ZONE).time() < CLOSING and (known is None or known.epoch("t", "ms") <= at):
            found[symbol] = row
    return found


def traded_at(row: Row) -> datetime:
    """Its time."""
    return row.epoch("t", "ms")


def traded(quote: Quote, row: Row) -> Quote:
    """After a trade that is not older. A price update without a trade has a size of zero."""
    at, price = row.epoch("t", "ms"), row.decimal("p")
    if quote.as_of is not None and at < quote.as_of:
        return quote
    return replace(
        quote,
        price=price,
        last_size=row.positive("v"),
        high=None if quote.high is None else max(quote.high, price),
        low=None if quote.low is None else min(quote.low, price),
        # They were those of the price before; what they are now follows from the close before.
        change=None,
        change_percent=None,
        as_of=at,
    )
