"""Bitget's socket, version 2. Docs: https://www.bitget.com/api-doc/common/websocket-intro"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from providers.books import Book, changes, signed_crc32
from providers.contract import Clock, Profile
from providers.crypto._args_feed import ArgsFeed
from providers.crypto._spot import SIDES, percent
from providers.feeds import Gap, News, Said, Topic
from providers.row import Key, Row, ascending
from schema.errors import Throttled, UnknownInstrument, UpstreamError
from schema.symbols import InstrumentId
from schema.words.books import ORDER_BOOK, PriceLevel
from schema.words.candles import CANDLES, Candle
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, StatsWindow
from schema.words.trades import Trade

# https://www.bitget.com/api-doc/spot/websocket/public/Candlesticks-Channel: without "utc" six hours and more are
# counted from midnight in Hong Kong. Nothing says when a candle is done, and months differ in length.
BARS = {
    Interval.M1: "1m", Interval.M5: "5m", Interval.M15: "15m", Interval.M30: "30m", Interval.H1: "1H",
    Interval.H4: "4H", Interval.H6: "6Hutc", Interval.H12: "12Hutc", Interval.D1: "1Dutc", Interval.W1: "1Wutc",
}  # fmt: skip
CHECKED = 25


@dataclass(slots=True)
class _Chain:
    """A book and the number of its last change."""

    book: Book
    held: int | None


class BitgetFeed(ArgsFeed):
    """A connection takes 1,000 channels, fewer than 50 are advised, 240 requests an hour and ten frames a second; an
    address may have 100 connections.

    Books have been checked by three rules in turn: the CRC32 of the best 25 levels, which later frames lack, numbers
    that only rise, and of late the number of the change before (https://github.com/JKorf/Bitget.Net/pull/89). Whatever
    a change brings is checked.
    """

    address = "wss://ws.bitget.com/v2/ws/public"
    topics_per_connection = 50
    frames_per_second = 5.0
    connections = 100
    product: ClassVar[Mapping[str, str]] = {"instType": "SPOT"}
    # "doesn't exist", "too many requests" and "request over limit".
    refusals: ClassVar[Mapping[str, type[UpstreamError]]] = {
        "30001": UnknownInstrument, "30006": Throttled, "30007": Throttled,
    }  # fmt: skip

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._chains: dict[str, _Chain] = {}

    def forget(self, channel: str) -> None:
        """The book."""
        self._chains.pop(channel, None)

    def valued(self, topic: Topic, frame: Row) -> Iterable[News]:
        """Trades and candles of the past come first, as a snapshot; a quote is one each time."""
        data, snapshot = frame["data"], frame.text("action") == "snapshot"
        if topic.capability is QUOTES:
            return [said for row in data for said in _ticked(topic, row)]
        if topic.capability is ORDER_BOOK:
            return self._booked(topic, data[0], snapshot)
        if topic.capability is CANDLES:
            at = frame.maybe_epoch("ts", "ms") if "ts" in frame else None
            values: tuple[Candle, ...] | tuple[Trade, ...] = parse_bars(data, topic.ask.interval.delta, at)
        else:
            values = parse_trades(data)
            at = values[-1].time if values else None
        return [Said(channel=topic.channel, values=values, as_of=at, snapshot=snapshot)] if values else []

    def _booked(self, topic: Topic, data: Row, snapshot: bool) -> Iterable[News]:
        channel, chain = topic.channel, self._chains.get(topic.channel)
        bids, asks = changes(data["bids"]), changes(data["asks"])
        number, previous = _number(data, "seq"), _number(data, "pseq")
        if snapshot:
            chain = self._chains[channel] = _Chain(Book(topic.instrument), number)
            chain.book.start(bids, asks)
            return [self._shown(chain, channel, data, snapshot=True, verified="pseq" in data)]
        if chain is None or (number is not None and number == chain.held):
            return []
        broken = _misplaced(chain.held, number, previous)
        if not broken:
            chain.held = number
            chain.book.change(bids, asks)
            broken = _miscounted(chain.book, _number(data, "checksum"))
        if broken:
            del self._chains[channel]
            return [Gap(channel, broken)]
        verified = previous is not None or _number(data, "checksum") is not None
        return [self._shown(chain, channel, data, snapshot=False, verified=verified)]

    def _shown(self, chain: _Chain, channel: str, data: Row, *, snapshot: bool, verified: bool) -> Said:
        as_of = data.maybe_epoch("ts", "ms")
        sequence = None if chain.held is None else str(chain.held)
        shown = chain.book.shown(as_of=as_of, sequence=sequence, verified=verified)
        return Said(channel=channel, values=(shown,), as_of=as_of, snapshot=snapshot)


def _number(data: Row, key: Key) -> int | None:
    """None where it is missing or zero: then it says nothing."""
    return data.integer(key) if data.maybe(key) else None


def _misplaced(held: int | None, number: int | None, previous: int | None) -> str:
    """Why a change does not follow; empty if it does, as far as one can tell."""
    if previous is not None:
        return "" if previous == held else f"change {number} follows {previous}, and {held} came last"
    if held is not None and number is not None and number < held:
        return f"change {number} comes after {held}"
    return ""


def _miscounted(book: Book, told: int | None) -> str:
    """Why a book is not the venue's; without a checksum it may at least not be crossed."""
    if told is None:
        return "the book is crossed" if book.crossed else ""
    found = checksum(book)
    return "" if found == told else f"the checksum is {found}, not {told}"


def checksum(book: Book) -> int:
    """CRC32 over the best 25 bids and asks by turns, as they were sent: `bid:size:ask:size:…`."""
    bids, asks = book.bids(CHECKED), book.asks(CHECKED)
    turns = [side[place] for place in range(CHECKED) for side in (bids, asks) if place < len(side)]
    return signed_crc32(":".join(map(_digits, turns)))


def _digits(level: PriceLevel) -> str:
    return f"{level.price:f}:{level.size:f}"


def _ticked(topic: Topic, row: Row) -> list[Said]:
    if row.positive("lastPr") is None:
        return []
    quote = parse_quote(topic.instrument, row)
    return [Said(channel=topic.channel, values=(quote,), as_of=quote.as_of)]


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """`open`, high, low and `change24h` (a fraction) are of 24 hours; `openUtc` and `changeUtc24h` of the day.

    The socket calls the first `open24h`.
    """
    last = row.decimal("lastPr")
    bid, ask = row.positive("bidPr"), row.positive("askPr")
    return Quote(
        instrument=instrument,
        as_of=row.maybe_epoch("ts", "ms"),
        price=last,
        price_type=PriceType.LAST,
        bid=bid,
        ask=ask,
        bid_size=row.positive("bidSz") if bid else None,
        ask_size=row.positive("askSz") if ask else None,
        last=last,
        open=row.positive("open24h" if "open24h" in row else "open"),
        high=row.positive("high24h"),
        low=row.positive("low24h"),
        change_percent=percent(row, "change24h"),
        volume=row.maybe("baseVolume"),
        quote_volume=row.maybe("quoteVolume"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_trades(rows: Row) -> tuple[Trade, ...]:
    """Newest first; `side` is the taker's, capitalised on one endpoint and not on another."""
    trades = [
        Trade(
            id=row.label("tradeId"),
            time=row.epoch("ts", "ms"),
            price=row.decimal("price"),
            size=row.decimal("size"),
            side=SIDES.get(row.text("side").lower()),
        )
        for row in rows
    ]
    return ascending(trades[::-1], lambda trade: trade.time)


def parse_bars(rows: Row, length: timedelta, at: datetime | None) -> tuple[Candle, ...]:
    """[time, open, high, low, close, volume, turnover, turnover in USDT]; *at* is the time of the frame."""
    return tuple([_bar(row, length, at) for row in rows])


def _bar(row: Row, length: timedelta, at: datetime | None) -> Candle:
    begin = row.epoch(0, "ms")
    return Candle(
        open_time=begin, open=row.decimal(1), high=row.decimal(2), low=row.decimal(3), close=row.decimal(4),
        volume=row.maybe(5), quote_volume=row.maybe(6), closed=at is not None and begin + length <= at,
    )  # fmt: skip
