"""Coinbase Exchange's socket. Docs: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from providers.books import Book, changes
from providers.contract import Clock, Profile
from providers.feeds import Alive, Confirmed, Feed, Gap, News, Out, Refused, Restart, Said, Topic, text
from providers.row import Row
from schema.errors import UnknownInstrument
from schema.symbols import InstrumentId
from schema.words.quotes import PriceType, Quote, StatsWindow
from schema.words.trades import Side, Trade

# The wire tells the maker's side: https://docs.cdp.coinbase.com/exchange/reference/exchangerestapi_getproducttrades
TAKER = {"buy": Side.SELL, "sell": Side.BUY}
HEARTBEAT = "heartbeat"
PRODUCT = re.compile(r"[A-Z0-9]{1,20}-[A-Z0-9]{1,20}")


class CoinbaseExchangeFeed(Feed):
    """A channel is the venue's name of it and the product: `ticker:BTC-USD`; each has the product's heartbeats beside
    it, one a second, for a product without a trade has no other frame.

    An address may send 100 frames a second, and make eight requests for connections; who has not subscribed within
    five seconds is let go: https://docs.cdp.coinbase.com/exchange/websocket-feed/rate-limits. Books have no numbers:
    the venue vouches for every change of `level2_batch`, and one that is crossed is begun anew. Else a lost change is
    not noticed: heartbeats count all orders of a product, not the changes of its levels.
    """

    address = "wss://ws-feed.exchange.coinbase.com"
    topics_per_connection = 100
    frames_per_second = 20.0

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._books: dict[str, Book] = {}
        self._trades: dict[str, int] = {}

    def forget(self, channel: str) -> None:
        """The book, and the number of the last trade."""
        self._books.pop(channel, None)
        self._trades.pop(channel, None)

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """A request for each channel: one product that there is not would spoil it for others."""
        return [_request("subscribe", topic.channel, with_heartbeat=True) for topic in topics]

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """Heartbeats go on while another channel of the product is left."""
        left = set(map(_product, self.topics))
        return [
            _request("unsubscribe", topic.channel, with_heartbeat=_product(topic.channel) not in left)
            for topic in topics
        ]

    def read(self, frame: Row) -> Iterable[News]:
        """What a frame is stands in its `type`."""
        kind = frame.maybe_text("type")
        if kind == "ticker":
            return self._ticked(frame)
        if kind in ("match", "last_match"):
            return self._traded(frame, snapshot=kind == "last_match")
        if kind in ("snapshot", "l2update"):
            return self._booked(frame, snapshot=kind == "snapshot")
        if kind == HEARTBEAT:
            return [Alive(channel) for channel in self._channels_of(frame.text("product_id"))]
        if kind == "subscriptions":
            return [Confirmed(channel) for row in frame["channels"] for channel in self._listed(row)]
        return self._failed(frame) if kind == "error" else []

    def _channels_of(self, product: str) -> list[str]:
        return [channel for channel in self.topics if _product(channel) == product]

    def _listed(self, row: Row) -> list[str]:
        """All that is subscribed is listed each time."""
        name = row.text("name")
        channels = [f"{name}:{product.text()}" for product in row["product_ids"]]
        return [channel for channel in channels if channel in self.topics]

    def _failed(self, frame: Row) -> Iterable[News]:
        """`"reason": "ABC-USD is not a valid product"`, or is delisted; what names no product spoils the connection.

        Each channel of a product has an error of its own, also when the first has refused them all.
        """
        reason = frame.maybe_text("reason") or ""
        said = f"{frame.text('message')}: {reason}"
        product = reason.partition(" ")[0]
        if PRODUCT.fullmatch(product) is None:
            return [Restart(said)]
        return [Refused(channel, UnknownInstrument(self.provider, said)) for channel in self._channels_of(product)]

    def _ticked(self, frame: Row) -> Iterable[News]:
        topic = self.topics.get(f"ticker:{frame.text('product_id')}")
        if topic is None or frame.positive("price") is None:
            return []
        quote = parse_ticker(topic.instrument, frame)
        return [Said(channel=topic.channel, values=(quote,), as_of=quote.as_of)]

    def _traded(self, frame: Row, snapshot: bool) -> Iterable[News]:
        """The last trade before the subscription comes first; a product's trades are counted one by one."""
        channel = f"matches:{frame.text('product_id')}"
        if channel not in self.topics:
            return
        trade, number = parse_trade(frame), frame.integer("trade_id")
        held = self._trades.get(channel, number - 1)
        if number <= held:
            return
        self._trades[channel] = number
        if number > held + 1:
            yield Gap(channel, f"trade {number} follows {held}")
        yield Said(channel=channel, values=(trade,), as_of=trade.time, snapshot=snapshot)

    def _booked(self, frame: Row, snapshot: bool) -> Iterable[News]:
        """A snapshot has no time of its own; a change is `[side, price, new size]`."""
        topic = self.topics.get(f"level2_batch:{frame.text('product_id')}")
        if topic is None:
            return []
        channel, book = topic.channel, self._books.get(topic.channel)
        if snapshot:
            book = self._books[channel] = Book(topic.instrument)
            book.start(changes(frame["bids"]), changes(frame["asks"]))
        elif book is None:
            return []
        else:
            rows = list(frame["changes"])
            bids = [row for row in rows if row.text(0) == "buy"]
            asks = [row for row in rows if row.text(0) == "sell"]
            book.change(changes(bids, price=1, size=2), changes(asks, price=1, size=2))
        if book.crossed:
            del self._books[channel]
            return [Gap(channel, "the book is crossed")]
        as_of = frame.maybe_instant("time") if "time" in frame else None
        shown = book.shown(as_of=as_of, sequence=None, verified=False)
        return [Said(channel=channel, values=(shown,), as_of=as_of, snapshot=snapshot)]


def _product(channel: str) -> str:
    return channel.partition(":")[2]


def _request(kind: str, channel: str, *, with_heartbeat: bool) -> Out:
    names = [channel.partition(":")[0], *([HEARTBEAT] if with_heartbeat else [])]
    channels = [{"name": name, "product_ids": [_product(channel)]} for name in names]
    return text({"type": kind, "channels": channels})


def parse_ticker(instrument: InstrumentId, row: Row) -> Quote:
    """The last trade with the best prices after it, and the statistics of 24 hours."""
    price = row.decimal("price")
    bid, ask = row.positive("best_bid"), row.positive("best_ask")
    return Quote(
        instrument=instrument,
        as_of=row.maybe_instant("time") if "time" in row else None,
        price=price,
        price_type=PriceType.LAST,
        bid=bid,
        ask=ask,
        bid_size=row.positive("best_bid_size") if bid else None,
        ask_size=row.positive("best_ask_size") if ask else None,
        last=price,
        last_size=row.positive("last_size"),
        open=row.positive("open_24h"),
        high=row.positive("high_24h"),
        low=row.positive("low_24h"),
        volume=row.maybe("volume_24h"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_trade(row: Row) -> Trade:
    return Trade(
        id=str(row.integer("trade_id")),
        time=row.instant("time"),
        price=row.decimal("price"),
        size=row.decimal("size"),
        side=TAKER.get(row.maybe_text("side") or ""),
    )
