"""Bithumb: spot market data by its second interface. Docs: https://apidocs.bithumb.com"""

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
from schema.symbols import AssetClass, InstrumentId
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.candles import CANDLES, Bars, CandlesAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, Quote, QuotesAsk, StatsWindow
from schema.words.trades import TRADES, Trade, TradesAsk

# Four hours and more are counted from midnight in Seoul; ours from midnight UTC.
INTERVALS = {
    Interval.M1: "minutes/1", Interval.M3: "minutes/3", Interval.M5: "minutes/5", Interval.M15: "minutes/15",
    Interval.M30: "minutes/30", Interval.H1: "minutes/60",
}  # fmt: skip
SEOUL = timedelta(hours=9)


def covered(instrument: InstrumentId) -> bool:
    """Any spot pair: a market has a dash, so it cannot be misread."""
    return is_spot_of("bithumb", instrument, CURRENCIES)


class Bithumb(Korean):
    """Spot exchange in Korea; one unknown market makes it refuse all that are asked with it."""

    profile = Profile(
        id="bithumb",
        name="Bithumb",
        base_url="https://api.bithumb.com",
        docs="https://apidocs.bithumb.com",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Bithumb terms of use: own use and display; redistribution needs consent."),
        limits=(per_second(150),),
        priority=20,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=50)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """The day of the statistics begins at midnight in Seoul."""
        markets = sorted(set(map(market_of, ask.instruments)))
        body = await self.http.get("/v1/ticker", {"markets": ",".join(markets)})
        return parse_quotes(ask.instruments, body, StatsWindow.SESSION)

    @answers(CANDLES, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS), max_rows=ROWS)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """The end is asked for in the time of Seoul, without a zone; candles are answered in UTC."""
        params = candle_params(ask, f"{ask.end + SEOUL:%Y-%m-%dT%H:%M:%S}")
        return parse_candles(await self.http.get(f"/v1/candles/{INTERVALS[ask.interval]}", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Always thirty levels."""
        params: Params = {"markets": market_of(ask.instrument)}
        return parse_book(ask.instrument, await self.http.get("/v1/orderbook", params), ask.depth)

    @answers(TRADES, covers=lambda ask: covered(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 500."""
        params: Params = {"market": market_of(ask.instrument), "count": min(ask.last, MOST_TRADES)}
        return parse_trades(await self.http.get("/v1/trades/ticks", params))
