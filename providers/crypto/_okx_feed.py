"""OKX's sockets. Docs: https://www.okx.com/docs-v5/en/#overview-websocket"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from providers.books import Book, changes
from providers.contract import Clock, Profile
from providers.crypto._args_feed import ArgsFeed
from providers.crypto._spot import SIDES
from providers.crypto._trade_numbers import TradeNumbers
from providers.feeds import Alive, Gap, News, Said, Topic
from providers.row import Row, ascending
from schema.errors import Throttled, UnknownInstrument, UpstreamError
from schema.symbols import InstrumentId
from schema.words.books import ORDER_BOOK
from schema.words.candles import Candle
from schema.words.quotes import QUOTES, PriceType, Quote, StatsWindow
from schema.words.trades import Trade

DEPTH = 400


@dataclass(slots=True)
class _Chain:
    """A book and the number of the change that it holds, None where the venue sent none."""

    book: Book
    held: int | None


class OkxFeed(ArgsFeed):
    """A connection takes 480 requests an hour and ends after 30 seconds without a frame; an address may open three
    connections a second. There is no stated limit of channels.

    Every frame of a book names the one before it (`prevSeqId`); after a minute without a change it comes empty. The
    checksum beside it is zero and tells nothing: https://github.com/ccxt/ccxt/pull/30299
    """

    address = "wss://ws.okx.com:8443/ws/v5/public"
    topics_per_connection = 100
    frames_per_second = 3.0
    # "Wrong URL or channel", which the text names, and "Requests too frequent".
    refusals: ClassVar[Mapping[str, type[UpstreamError]]] = {"60018": UnknownInstrument, "60014": Throttled}

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._chains: dict[str, _Chain] = {}
        self._trades = TradeNumbers()

    def forget(self, channel: str) -> None:
        """The book, and the number of the last trade."""
        self._chains.pop(channel, None)
        self._trades.forget(channel)

    def valued(self, topic: Topic, frame: Row) -> Iterable[News]:
        """Quotes and books come one a frame, trades several of one order."""
        data = frame["data"]
        if topic.capability is QUOTES:
            return [said for row in data for said in _ticked(topic, row)]
        if topic.capability is ORDER_BOOK:
            return self._booked(topic, data[0], frame.text("action") == "snapshot")
        return self._traded(topic.channel, data)

    def _traded(self, channel: str, data: Row) -> Iterable[News]:
        """An instrument's trades are numbered one by one; a row tells the last number, and of late how many it sums."""
        counted = [row for row in data if "count" in row]
        for row in sorted(counted, key=lambda row: row.integer("tradeId")):
            number = row.integer("tradeId")
            if lacking := self._trades.lacking(channel, number - row.integer("count") + 1, number):
                yield Gap(channel, lacking)
        trades = ascending([parse_trade(row) for row in data], lambda trade: trade.time)
        if trades:
            yield Said(channel=channel, values=trades, as_of=trades[-1].time)

    def _booked(self, topic: Topic, data: Row, snapshot: bool) -> Iterable[News]:
        channel, chain = topic.channel, self._chains.get(topic.channel)
        bids, asks = changes(data["bids"], orders=3), changes(data["asks"], orders=3)
        if snapshot:
            held = None if data.get("seqId") is None else data.integer("seqId")
            chain = self._chains[channel] = _Chain(Book(topic.instrument, DEPTH), held)
            chain.book.start(bids, asks)
            return [self._shown(chain, channel, data, snapshot=True)]
        if chain is None:
            return []
        previous, final = data.integer("prevSeqId"), data.integer("seqId")
        if previous != chain.held:
            if chain.held is not None and final <= chain.held:
                return []
            del self._chains[channel]
            return [Gap(channel, f"change {final} follows {previous}, and {chain.held} came last")]
        # Numbers may begin anew after maintenance: what counts is whom a change names.
        chain.held = final
        if not (bids or asks):
            return [Alive(channel)]
        chain.book.change(bids, asks)
        return [self._shown(chain, channel, data, snapshot=False)]

    def _shown(self, chain: _Chain, channel: str, data: Row, *, snapshot: bool) -> Said:
        as_of = data.maybe_epoch("ts", "ms")
        numbered = chain.held is not None
        shown = chain.book.shown(as_of=as_of, sequence=str(chain.held) if numbered else None, verified=numbered)
        return Said(channel=channel, values=(shown,), as_of=as_of, snapshot=snapshot)


class OkxCandleFeed(ArgsFeed):
    """Candles are told on another path, under the same limits."""

    address = "wss://ws.okx.com:8443/ws/v5/business"
    topics_per_connection = OkxFeed.topics_per_connection
    frames_per_second = OkxFeed.frames_per_second
    refusals = OkxFeed.refusals

    def valued(self, topic: Topic, frame: Row) -> Iterable[News]:
        """The running candle as it changes, and once more when it is done."""
        return [Said(channel=topic.channel, values=tuple([parse_bar(row) for row in frame["data"]]))]


def _ticked(topic: Topic, row: Row) -> list[Said]:
    if row.positive("last") is None:
        return []
    quote = parse_quote(topic.instrument, row)
    return [Said(channel=topic.channel, values=(quote,), as_of=quote.as_of)]


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """Of a spot pair `vol24h` is in the base asset and `volCcy24h` in the quote asset; a perpetual counts contracts.

    Of a perpetual `volCcy24h` is in the base asset; its sizes would be contracts too, and are left out.
    """
    last = row.decimal("last")
    bid, ask = row.positive("bidPx"), row.positive("askPx")
    spot = not instrument.settle
    return Quote(
        instrument=instrument,
        as_of=row.maybe_epoch("ts", "ms"),
        price=last,
        price_type=PriceType.LAST,
        bid=bid,
        ask=ask,
        bid_size=row.positive("bidSz") if bid and spot else None,
        ask_size=row.positive("askSz") if ask and spot else None,
        last=last,
        last_size=row.positive("lastSz") if spot else None,
        open=row.positive("open24h"),
        high=row.positive("high24h"),
        low=row.positive("low24h"),
        volume=row.maybe("vol24h" if spot else "volCcy24h"),
        quote_volume=row.maybe("volCcy24h") if spot else None,
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_trade(row: Row) -> Trade:
    """`side` is the taker's; the socket adds up what one order takes at one price, under the last of the ids."""
    return Trade(
        id=row.label("tradeId"),
        time=row.epoch("ts", "ms"),
        price=row.decimal("px"),
        size=row.decimal("sz"),
        side=SIDES.get(row.text("side")),
    )


def parse_bar(row: Row) -> Candle:
    """[time, open, high, low, close, base volume, quote volume, quote volume again, closed]."""
    return Candle(
        open_time=row.epoch(0, "ms"), open=row.decimal(1), high=row.decimal(2), low=row.decimal(3),
        close=row.decimal(4), volume=row.maybe(5), quote_volume=row.maybe(6), closed=row.label(8) == "1",
    )  # fmt: skip
