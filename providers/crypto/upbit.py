"""Upbit: spot market data. Docs: https://global-docs.upbit.com/reference"""

from __future__ import annotations

from datetime import timedelta

from providers.contract import Licence, Params, Profile, answers, per_second
from providers.crypto._spot import is_spot_of
from providers.crypto._upbit import (
    CURRENCIES,
    MOST_TRADES,
    ROWS,
    Korean,
    candle_params,
    market_of,
    parse_book,
    parse_candles,
    parse_quotes,
    parse_trades,
)
from providers.crypto._upbit_feed import BARS, BOOK, TICKER, TRADED, UpbitFeed
from providers.feeds import streams
from schema.symbols import AssetClass, InstrumentId
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.candles import CANDLES, Bars, CandlesAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, Quote, QuotesAsk, StatsWindow
from schema.words.trades import TRADES, Trade, TradesAsk

# Days begin at midnight UTC, which is nine in the morning in Seoul; weeks on Mondays.
INTERVALS = {
    Interval.M1: "minutes/1", Interval.M3: "minutes/3", Interval.M5: "minutes/5", Interval.M15: "minutes/15",
    Interval.M30: "minutes/30", Interval.H1: "minutes/60", Interval.H4: "minutes/240", Interval.D1: "days",
    Interval.W1: "weeks", Interval.MO1: "months",
}  # fmt: skip
DEEPEST = 30


def covered(instrument: InstrumentId) -> bool:
    """Any spot pair: a market has a dash, so it cannot be misread."""
    return is_spot_of("upbit", instrument, CURRENCIES)


class Upbit(Korean):
    """Spot exchange in Korea; one unknown market makes it refuse all that are asked with it."""

    profile = Profile(
        id="upbit",
        name="Upbit",
        base_url="https://api.upbit.com",
        docs="https://global-docs.upbit.com/reference",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Upbit terms of use: own use and display; redistribution needs consent."),
        # Each group of endpoints has its own.
        limits=(per_second(10),),
        priority=20,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=50)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """The core divides a batch that is refused until the others are answered."""
        markets = sorted(set(map(market_of, ask.instruments)))
        body = await self.http.get("/v1/ticker", {"markets": ",".join(markets)})
        return parse_quotes(ask.instruments, body, StatsWindow.UTC_DAY)

    @answers(CANDLES, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS), max_rows=ROWS)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """The interval is part of the path."""
        params = candle_params(ask, f"{ask.end:%Y-%m-%dT%H:%M:%SZ}")
        return parse_candles(await self.http.get(f"/v1/candles/{INTERVALS[ask.interval]}", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Any depth up to 30."""
        params: Params = {"markets": market_of(ask.instrument), "count": min(ask.depth, DEEPEST)}
        return parse_book(ask.instrument, await self.http.get("/v1/orderbook", params), ask.depth)

    @answers(TRADES, covers=lambda ask: covered(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 500."""
        params: Params = {"market": market_of(ask.instrument), "count": min(ask.last, MOST_TRADES)}
        return parse_trades(await self.http.get("/v1/trades/ticks", params))

    # A ticker is pushed with each trade; a new subscription brings one in any case.
    @streams(
        QUOTES,
        feed=UpbitFeed,
        covers=lambda ask: all(map(covered, ask.instruments)),
        silence=timedelta(minutes=10),
    )
    def quote_channel(self, ask: QuotesAsk) -> str:
        """The same as over HTTP."""
        return f"{TICKER}:{market_of(ask.instruments[0])}"

    @streams(CANDLES, feed=UpbitFeed, covers=lambda ask: covered(ask.instrument), intervals=tuple(BARS))
    def candle_channel(self, ask: CandlesAsk) -> str:
        """The running candle, every second in which it changes."""
        return f"{BARS[ask.interval]}:{market_of(ask.instrument)}"

    @streams(TRADES, feed=UpbitFeed, covers=lambda ask: covered(ask.instrument))
    def trade_channel(self, ask: TradesAsk) -> str:
        """One frame for each trade."""
        return f"{TRADED}:{market_of(ask.instrument)}"

    @streams(ORDER_BOOK, feed=UpbitFeed, covers=lambda ask: covered(ask.instrument), silence=timedelta(minutes=5))
    def book_channel(self, ask: OrderBookAsk) -> str:
        """Thirty levels, whole each time."""
        return f"{BOOK}:{market_of(ask.instrument)}"
