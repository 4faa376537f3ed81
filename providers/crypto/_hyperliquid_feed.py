"""Hyperliquid's socket. Docs: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from providers.contract import Clock, Profile
from providers.crypto._running import Running
from providers.crypto._spot import levels, rows_of
from providers.feeds import Alive, Confirmed, Feed, Heartbeat, News, Out, Refused, Said, Topic, text
from providers.row import Row, ascending
from schema.errors import NotCovered, UnknownInstrument
from schema.symbols import InstrumentId
from schema.words.books import OrderBook
from schema.words.candles import Candle
from schema.words.quotes import PriceType, Quote, StatsWindow
from schema.words.trades import Side, Trade

# A is an order that took from the bids, B one that took from the asks.
SIDES = {"A": Side.SELL, "B": Side.BUY}
CONTEXT, BOOK, TRADES, CANDLE = "activeAssetCtx", "l2Book", "trades", "candle"
WELCOME = "Websocket connection established."


class HyperliquidFeed(Feed):
    """A channel is the venue's type, the coin, and of candles the interval: `candle:BTC:5m`.

    An address has 1,000 subscriptions on all its connections and 2,000 messages a minute (…/api/rate-limits); what says
    nothing for a minute is closed (…/websocket/timeouts-and-heartbeats). A frame has one subscription. A book comes
    whole each time, and has no number.
    """

    address = "wss://api.hyperliquid.xyz/ws"
    topics_per_connection = 1000
    connections = 1
    frames_per_second = 20.0
    heartbeat = Heartbeat(every=timedelta(seconds=25), text=text({"method": "ping"}))

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._running = Running()

    def forget(self, channel: str) -> None:
        """The running candle."""
        self._running.forget(channel)

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """One by one."""
        return [text({"method": "subscribe", "subscription": _subscription(topic.channel)}) for topic in topics]

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """The same the other way round."""
        return [text({"method": "unsubscribe", "subscription": _subscription(topic.channel)}) for topic in topics]

    def decode(self, data: str | bytes) -> Row:
        """The first frame may be a greeting in plain words."""
        return Row(self.provider, {"channel": "welcome"}) if data == WELCOME else super().decode(data)

    def read(self, frame: Row) -> Iterable[News]:
        """`{"channel", "data"}`; a pong has no data."""
        kind = frame.text("channel")
        if kind == "subscriptionResponse":
            return self._answered(frame["data"])
        if kind == "error":
            return self._refused(frame.text("data"))
        if kind == TRADES:
            return self._traded(frame["data"])
        if kind == CANDLE:
            return self._bars(frame["data"])
        if kind not in (CONTEXT, BOOK):
            return []
        data = frame["data"]
        topic = self.topics.get(f"{kind}:{data.text('coin')}")
        if topic is None:
            return []
        if kind == CONTEXT:
            return _priced(topic, data["ctx"])
        book = parse_book(topic.instrument, data)
        return [Said(channel=topic.channel, values=(book,), as_of=book.as_of, snapshot=True)]

    def _answered(self, data: Row) -> Iterable[News]:
        asked = data["subscription"]
        parts = (asked.text("type"), asked.maybe_text("coin"), asked.maybe_text("interval"))
        channel = ":".join(part for part in parts if part)
        return [Confirmed(channel)] if data.text("method") == "subscribe" and channel in self.topics else []

    def _refused(self, said: str) -> Iterable[News]:
        """The subscription stands in the text. What is subscribed already is in order."""
        bare = said.replace(" ", "").replace("\\", "")
        named = [channel for channel in self.topics if all(f'"{part}"' in bare for part in channel.split(":"))]
        if said.startswith("Already subscribed"):
            return [Alive(channel) for channel in named]
        kind = UnknownInstrument if said.startswith("Invalid subscription") else NotCovered
        return [Refused(channel, kind(self.provider, said)) for channel in named]

    def _traded(self, rows: Row) -> Iterable[News]:
        by_coin: dict[str, list[Row]] = {}
        for row in rows:
            by_coin.setdefault(f"{TRADES}:{row.text('coin')}", []).append(row)
        for channel, found in by_coin.items():
            if channel in self.topics:
                trades = ascending([parse_trade(row) for row in found], lambda trade: trade.time)
                yield Said(channel=channel, values=trades, as_of=trades[-1].time)

    def _bars(self, data: Row) -> Iterable[News]:
        """One, or a list of them."""
        for row in rows_of(data):
            channel = f"{CANDLE}:{row.text('s')}:{row.text('i')}"
            if channel in self.topics:
                yield Said(channel=channel, values=self._running.told(channel, parse_bar(row)))


def _subscription(channel: str) -> dict[str, str]:
    return dict(zip(("type", "coin", "interval"), channel.split(":"), strict=False))


def _priced(topic: Topic, row: Row) -> Iterable[News]:
    """Without a bid or an ask there is no price between them."""
    if row.get("midPx") is None:
        return []
    return [Said(channel=topic.channel, values=(parse_quote(topic.instrument, row),))]


def parse_bar(row: Row) -> Candle:
    """`T` is the close time; it may still be running."""
    return Candle(
        open_time=row.epoch("t", "ms"), open=row.decimal("o"), high=row.decimal("h"), low=row.decimal("l"),
        close=row.decimal("c"), volume=row.maybe("v"), trade_count=row.integer("n"), closed=False,
    )  # fmt: skip


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """There is no last trade: the price is the middle of bid and ask."""
    return Quote(
        instrument=instrument,
        price=row.decimal("midPx"),
        price_type=PriceType.MID,
        open=row.positive("prevDayPx"),
        volume=row.maybe("dayBaseVlm"),
        quote_volume=row.maybe("dayNtlVlm"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """`levels` are bids and asks."""
    sides = body["levels"]
    return OrderBook(
        instrument=instrument,
        as_of=body.maybe_epoch("time", "ms"),
        bids=levels(sides[0], price="px", size="sz"),
        asks=levels(sides[1], price="px", size="sz"),
    )


def parse_trade(row: Row) -> Trade:
    """The number is a hash: it says nothing of the order."""
    return Trade(
        id=row.label("tid"),
        time=row.epoch("time", "ms"),
        price=row.decimal("px"),
        size=row.decimal("sz"),
        side=SIDES.get(row.text("side")),
    )
