"""Deribit's socket, JSON-RPC. Docs: https://docs.deribit.com/articles/notifications"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from providers.books import changes
from providers.contract import Clock, Profile
from providers.crypto._chained import ChainedBooks
from providers.crypto._deribit import is_inverse, price_asset
from providers.crypto._running import Running
from providers.crypto._spot import SIDES
from providers.crypto._trade_numbers import TradeNumbers
from providers.feeds import Confirmed, Feed, Gap, News, Out, Pong, Refused, Said, Topic, batches, text
from providers.row import Row, ascending
from schema.errors import NotCovered, Overloaded, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import InstrumentId
from schema.words.candles import Candle
from schema.words.quotes import PriceType, Quote, StatsWindow
from schema.words.trades import Trade

# https://docs.deribit.com/articles/errors
ERRORS: dict[int, type[UpstreamError]] = {
    -32603: Overloaded, -32602: NotCovered, -32601: NotCovered, 10028: Throttled, 10040: Overloaded, 10041: Overloaded,
    10047: Overloaded, 10066: Throttled, 11051: Overloaded, 11094: Overloaded, 13009: Unauthorized,
    13020: UnknownInstrument, 13021: Unauthorized, 13888: Overloaded,
}  # fmt: skip
CHART = "chart.trades."
PACE = ".100ms"
HEARTBEAT_S = 30
CHANNELS_A_FRAME = 100


class DeribitFeed(Feed):
    """A channel is the venue's without its pace: `ticker.BTC-PERPETUAL`, `chart.trades.BTC-PERPETUAL.5`.

    Changes are gathered for 100 ms: those that are not are for users with a key. An address has 32 connections, calls
    over HTTP among them (https://docs.deribit.com/articles/connection-management-best-practices); a subscription costs
    3,000 credits, of which 10,000 come back every second (https://docs.deribit.com/articles/rate-limits). With
    `public/set_heartbeat` the venue asks whether somebody is there, and closes where nobody answers.
    """

    address = "wss://www.deribit.com/ws/api/v2"
    topics_per_connection = 500
    frames_per_second = 3.0
    connections = 16

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._books = ChainedBooks()
        self._running = Running()
        self._trades = TradeNumbers()

    def greet(self) -> Sequence[Out]:
        """Ask for heartbeats."""
        return [_request("public/set_heartbeat", {"interval": HEARTBEAT_S})]

    def forget(self, channel: str) -> None:
        """Book, running candle, and the number of the last trade."""
        self._trades.forget(channel)
        self._books.forget(channel)
        self._running.forget(channel)

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """Those that there are come back in the answer."""
        return [
            _request("public/subscribe", {"channels": _wires(batch)}, self.number(batch))
            for batch in batches(topics, CHANNELS_A_FRAME)
        ]

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """Nothing is expected of the answer."""
        return [
            _request("public/unsubscribe", {"channels": _wires(batch)}) for batch in batches(topics, CHANNELS_A_FRAME)
        ]

    def read(self, frame: Row) -> Iterable[News]:
        """A notification, a heartbeat, or the answer to a request."""
        if "method" not in frame:
            return self._answered(frame)
        kind, params = frame.text("method"), frame["params"]
        if kind == "heartbeat":
            asked = params.text("type") == "test_request"
            return [Pong(_request("public/test", {}))] if asked else []
        topic = self.topics.get(_channel(params.text("channel"))) if kind == "subscription" else None
        if topic is None:
            return []
        channel, data = topic.channel, params["data"]
        if channel.startswith("ticker."):
            return _ticked(topic, data)
        if channel.startswith("book."):
            return self._changed(topic, data)
        if channel.startswith(CHART):
            bars = self._running.told(channel, parse_bar(data))
            return [Said(channel=channel, values=bars)]
        return self._traded(channel, data)

    def _traded(self, channel: str, data: Row) -> Iterable[News]:
        """An instrument's trades are numbered one by one."""
        lacking = self._trades.lacking_any(channel, [row.integer("trade_seq") for row in in_turn(data)])
        if lacking:
            yield Gap(channel, lacking)
        if trades := parse_trades(data):
            yield Said(channel=channel, values=trades, as_of=trades[-1].time)

    def _answered(self, frame: Row) -> Iterable[News]:
        if "id" not in frame:
            return []
        channels = [channel for channel in self.numbered(frame.integer("id")) if channel in self.topics]
        if not channels:
            return []
        if (error := frame.get("error")) is not None:
            code = error.integer("code")
            kind = ERRORS.get(code, NotCovered)
            return [
                Refused(channel, kind(self.provider, f"error {code}: {error['message'].value}")) for channel in channels
            ]
        there = {_channel(row.text()) for row in frame["result"]}
        unknown = UnknownInstrument(self.provider, "there is no such channel")
        return [Confirmed(channel) if channel in there else Refused(channel, unknown) for channel in channels]

    def _changed(self, topic: Topic, data: Row) -> Iterable[News]:
        number, as_of = data.integer("change_id"), data.epoch("timestamp", "ms")
        bids, asks = changes(data["bids"], price=1, size=2), changes(data["asks"], price=1, size=2)
        if data.text("type") == "snapshot":
            return self._books.begin(topic, number, bids, asks, as_of)
        return self._books.follow(topic, data.integer("prev_change_id"), number, bids, asks, as_of)


def _request(method: str, params: Mapping[str, object], number: int = 0) -> Out:
    return text({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def _wires(topics: Sequence[Topic]) -> list[str]:
    return [topic.channel + ("" if topic.channel.startswith(CHART) else PACE) for topic in topics]


def _channel(wire: str) -> str:
    return wire if wire.startswith(CHART) else wire.rpartition(".")[0]


def _ticked(topic: Topic, data: Row) -> Iterable[News]:
    """What never traded has no last price."""
    if data["last_price"].value is None:
        return []
    quote = parse_quote(topic.instrument, data)
    return [Said(channel=topic.channel, values=(quote,), as_of=quote.as_of)]


def parse_bar(row: Row) -> Candle:
    """It may still be running; `cost` is the turnover in the quote asset. Without a trade it repeats the last price."""
    return Candle(
        open_time=row.epoch("tick", "ms"), open=row.decimal("open"), high=row.decimal("high"), low=row.decimal("low"),
        close=row.decimal("close"), volume=row.maybe("volume"), quote_volume=row.maybe("cost"), closed=False,
    )  # fmt: skip


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """Sizes of inverse contracts are in dollars, not in coins; the change is in percent."""
    stats = row["stats"]
    last = row.decimal("last_price")
    bid, ask = row.positive("best_bid_price"), row.positive("best_ask_price")
    coins = not is_inverse(instrument) or bool(instrument.right)
    turnover = None if instrument.right else "volume_usd" if instrument.quote == "USD" else "volume_notional"
    return Quote(
        instrument=instrument,
        as_of=row.maybe_epoch("timestamp", "ms"),
        price=last,
        price_type=PriceType.LAST,
        currency=price_asset(instrument),
        bid=bid,
        ask=ask,
        bid_size=row.positive("best_bid_amount") if bid and coins else None,
        ask_size=row.positive("best_ask_amount") if ask and coins else None,
        last=last,
        high=stats.positive("high"),
        low=stats.positive("low"),
        change_percent=stats.maybe("price_change"),
        volume=stats.maybe("volume"),
        quote_volume=None if turnover is None else stats.maybe(turnover),
        stats_window=StatsWindow.ROLLING_24H,
    )


def in_turn(trades: Row) -> list[Row]:
    """Rows of trades by their number."""
    return sorted(trades, key=lambda row: row.integer("trade_seq"))


def parse_trades(trades: Row) -> tuple[Trade, ...]:
    """`direction` is the taker's side."""
    found = [
        Trade(
            id=row.label("trade_id"),
            time=row.epoch("timestamp", "ms"),
            price=row.decimal("price"),
            size=row.decimal("amount"),
            side=SIDES.get(row.text("direction")),
        )
        for row in in_turn(trades)
    ]
    return ascending(found, lambda trade: trade.time)
