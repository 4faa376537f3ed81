"""KuCoin's socket for spot pairs. Docs: https://www.kucoin.com/docs-new/websocket-api/base-info/introduction"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from providers.contract import Clock, Http, Profile
from providers.crypto._running import Running
from providers.crypto._spot import SIDES, levels, percent
from providers.crypto._whole import WholeBooks
from providers.feeds import Confirmed, Feed, Heartbeat, News, Out, Refused, Said, Topic, text
from providers.latest import Latest
from providers.row import Row
from schema.errors import NotCovered, QuotaReached, Throttled, UnknownInstrument, UpstreamError
from schema.symbols import InstrumentId
from schema.words.books import OrderBook
from schema.words.candles import Candle
from schema.words.quotes import QUOTES, PriceType, Quote, StatsWindow
from schema.words.trades import Trade

TICKER, SNAPSHOT, MATCH = "/market/ticker:", "/market/snapshot:", "/market/match:"
CANDLES_OF, DEPTH_OF = "/market/candles:", "/spotMarket/level2Depth50:"
REFUSALS: Mapping[str, type[UpstreamError]] = {"404": UnknownInstrument, "429": Throttled, "509": QuotaReached}
"""What an error's code means: no such topic, too many frames, too many topics. Others are not covered."""


class KucoinFeed(Feed):
    """A channel is a topic: `/market/ticker:BTC-USDT`; statistics (`/market/snapshot`) come beside the best prices.

    A connection takes 300 topics, of which a quote is two, and a hundred frames in ten seconds; a server that hears no
    ping for a minute closes: https://github.com/Kucoin/kucoin-api-docs. Of a book the best fifty levels come whole
    each time: the changes of all levels (`/market/level2`) need a snapshot that takes a key.
    """

    address = "wss://ws-api-spot.kucoin.com/"
    topics_per_connection = 150
    frames_per_second = 9.0
    heartbeat = Heartbeat(every=timedelta(seconds=15), text=text({"id": "ping", "type": "ping"}))

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._latest = Latest(clock)
        self._best: dict[str, Quote] = {}
        self._statistics: dict[str, Quote] = {}
        self._bars = Running()
        self._books = WholeBooks()

    def forget(self, channel: str) -> None:
        """Prices, statistics, the running candle, the age of its book."""
        self._latest.forget(channel)
        self._best.pop(channel, None)
        self._statistics.pop(channel, None)
        self._bars.forget(channel)
        self._books.forget(channel)

    async def locate(self, http: Http, topics: Sequence[Topic]) -> str:
        """A server, and a token that is good for a day."""
        data = (await http.post("/api/v1/bullet-public", {}))["data"]
        server = data["instanceServers"][0]
        if not server.text("endpoint").startswith("wss://"):
            server["endpoint"].broken("is no address of a socket")
        return f"{server.text('endpoint')}?token={data.text('token')}"

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """A frame for each topic, so that a refusal is of one alone."""
        return self._requests_for("subscribe", topics)

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """The same the other way round."""
        return self._requests_for("unsubscribe", topics)

    def _requests_for(self, kind: str, topics: Sequence[Topic]) -> list[Out]:
        outs: list[Out] = []
        for topic in topics:
            names = [topic.channel]
            if topic.capability is QUOTES:
                names.append(topic.channel.replace(TICKER, SNAPSHOT))
            for name in names:
                # Answers to who leaves are about nobody: the same channel may have come again meanwhile.
                number = self.number([topic] if kind == "subscribe" else [])
                outs.append(text({"id": str(number), "type": kind, "topic": name, "response": True}))
        return outs

    def read(self, frame: Row) -> Iterable[News]:
        """A message of a topic, or the answer to a request; a welcome and pongs say nothing."""
        kind = frame.text("type")
        if kind in ("ack", "error"):
            return self._answered(frame, kind)
        if kind != "message":
            return []
        name = frame.text("topic")
        topic = self.topics.get(name.replace(SNAPSHOT, TICKER))
        if topic is None:
            return []
        data = frame["data"]
        if name.startswith(SNAPSHOT):
            return self._counted(topic, data["data"])
        if name.startswith(TICKER):
            return self._ticked(topic, data)
        if name.startswith(MATCH):
            trade = parse_trade(data)
            return [Said(channel=name, values=(trade,), as_of=trade.time)]
        return self._barred(name, data) if name.startswith(CANDLES_OF) else self._booked(topic, data)

    def _answered(self, frame: Row, kind: str) -> Iterable[News]:
        """The number is given back as a text."""
        channels = [channel for channel in self.numbered(frame.integer("id")) if channel in self.topics]
        if kind == "ack":
            return list(map(Confirmed, channels))
        code = frame.label("code")
        error = REFUSALS.get(code, NotCovered)(self.provider, f"error {code}: {frame.text('data')}")
        return [Refused(channel, error) for channel in channels]

    def _ticked(self, topic: Topic, data: Row) -> Iterable[News]:
        if data.positive("price") is None:
            return []
        return self._kept(self._best, "best", topic.channel, parse_ticker(topic.instrument, data))

    def _counted(self, topic: Topic, data: Row) -> Iterable[News]:
        if data.positive("lastTradedPrice") is None:
            return []
        return self._kept(self._statistics, "statistics", topic.channel, parse_statistics(topic.instrument, data))

    def _kept(self, quotes: dict[str, Quote], part: str, channel: str, quote: Quote) -> Iterable[News]:
        if self._latest.passed(channel, part, quote.as_of):
            return []
        quotes[channel] = quote
        return self._quoted(channel)

    def _quoted(self, channel: str) -> Iterable[News]:
        """Prices are those of the ticker, which is told when they change; the rest is the statistics'."""
        best, statistics = self._best.get(channel), self._statistics.get(channel)
        quote = merged(statistics, best) if statistics and best else statistics or best
        return [Said(channel=channel, values=(quote,), as_of=quote.as_of)] if quote else []

    def _barred(self, channel: str, data: Row) -> Iterable[News]:
        values = self._bars.told(channel, parse_bar(data["candles"]))
        return [Said(channel=channel, values=values, as_of=data.maybe_epoch("time", "ns"))]

    def _booked(self, topic: Topic, data: Row) -> Iterable[News]:
        book = OrderBook(
            instrument=topic.instrument, as_of=data.maybe_epoch("timestamp", "ms"), bids=levels(data["bids"]),
            asks=levels(data["asks"]),
        )  # fmt: skip
        return self._books.told(topic.channel, book)


def merged(statistics: Quote, best: Quote) -> Quote:
    """As of the later of the two."""
    times = [quote.as_of for quote in (statistics, best) if quote.as_of]
    return replace(
        statistics, as_of=max(times, default=None), price=best.price, last=best.last, last_size=best.last_size,
        bid=best.bid, ask=best.ask, bid_size=best.bid_size, ask_size=best.ask_size,
    )  # fmt: skip


def parse_ticker(instrument: InstrumentId, row: Row) -> Quote:
    """The last trade and the best prices."""
    last, bid, ask = row.decimal("price"), row.positive("bestBid"), row.positive("bestAsk")
    return Quote(
        instrument=instrument,
        as_of=row.maybe_epoch("time", "ms"),
        price=last,
        price_type=PriceType.LAST,
        bid=bid,
        ask=ask,
        bid_size=row.positive("bestBidSize") if bid else None,
        ask_size=row.positive("bestAskSize") if ask else None,
        last=last,
        last_size=row.positive("size"),
    )


def parse_statistics(instrument: InstrumentId, row: Row, price: str = "lastTradedPrice") -> Quote:
    """Those of 24 hours, with the best prices; the change is a fraction, `averagePrice` is of another day.

    *price* is the name of the last trade's: the socket's, which tells them every two seconds, or that of the list.
    """
    last = row.decimal(price)
    return Quote(
        instrument=instrument,
        as_of=row.maybe_epoch("datetime", "ms"),
        price=last,
        price_type=PriceType.LAST,
        bid=row.positive("buy"),
        ask=row.positive("sell"),
        last=last,
        high=row.positive("high"),
        low=row.positive("low"),
        change=row.maybe("changePrice"),
        change_percent=percent(row, "changeRate"),
        volume=row.maybe("vol"),
        quote_volume=row.maybe("volValue"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_bar(row: Row) -> Candle:
    """[time in seconds, open, CLOSE, high, low, volume, turnover]."""
    return Candle(
        open_time=row.epoch(0), open=row.decimal(1), close=row.decimal(2), high=row.decimal(3), low=row.decimal(4),
        volume=row.maybe(5), quote_volume=row.maybe(6),
    )  # fmt: skip


def parse_trade(row: Row) -> Trade:
    """Times are nanoseconds; `side` is the taker's, and the sequence tells trades apart."""
    return Trade(
        id=row.label("sequence"),
        time=row.epoch("time", "ns"),
        price=row.decimal("price"),
        size=row.decimal("size"),
        side=SIDES.get(row.text("side")),
    )
