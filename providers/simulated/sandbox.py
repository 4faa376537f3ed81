"""The sandbox: a simulated exchange without an upstream; its past and present follow from a seed and the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar

from providers.contract import Licence, Profile, Provider, answers
from providers.simulated._candles import SINCE, candles
from providers.simulated._listings import found, listings
from providers.simulated._markets import BY_NAME, MONEY, VENUE, Market
from providers.simulated._money import daily_rates, market_caps, newest_rates
from providers.simulated._quotes import quote
from providers.simulated._tape import Tape
from providers.simulated._track import Track
from schema.errors import NotCovered, UnknownInstrument
from schema.provenance import DataMode
from schema.symbols import AssetClass, InstrumentId
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.candles import CANDLES, Bars, CandlesAsk
from schema.words.caps import MARKET_CAPS, MarketCap, MarketCapsAsk
from schema.words.history import HISTORICAL_QUOTE, PRICE_HISTORY, HistoricalQuoteAsk, PriceHistoryAsk, PricePoint
from schema.words.instruments import INSTRUMENTS, SEARCH, InstrumentsAsk, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk
from schema.words.trades import TRADES, Side, Trade, TradesAsk

SEED = 20261120
DEEPEST = 200
MOST_TRADES = 1000


def listed(instrument: InstrumentId) -> bool:
    """Whether the sandbox prices it."""
    return instrument in BY_NAME


def traded(instrument: InstrumentId) -> bool:
    """Whether it has trades and orders of its own: no currency pair and no index."""
    return instrument in BY_NAME and BY_NAME[instrument].turnover > 0


class Sandbox(Provider):
    """Everything is computed from the clock: nothing is stored, and a later answer agrees with an earlier one."""

    seed: ClassVar[int] = SEED
    profile = Profile(
        id=VENUE,
        name="Sandbox (simulated exchange)",
        # There is no such host: the top-level domain is reserved for names that never resolve.
        base_url="https://sandbox.invalid",
        docs="https://sandbox.invalid/docs",
        asset_classes=(AssetClass.CRYPTO, AssetClass.EQUITY, AssetClass.INDEX, AssetClass.FX),
        licence=Licence(
            note="Simulated data, not market data: every number is made up by this program.",
            attribution="Simulated data, not market data",
            redistributable=True,
        ),
        mode=DataMode.SIMULATED,
        priority=0,
    )

    # Its clock counts whole seconds: whoever asks again after one, or is told of changes by polling, finds another.
    @answers(QUOTES, covers=lambda ask: all(map(listed, ask.instruments)), fresh_for=timedelta(seconds=1))
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        now = self._now()
        return [quote(self.seed, i, BY_NAME[i], now) for i in ask.instruments if listed(i)]

    # There are no splits, dividends or extended hours, so that every adjustment and all hours are the same series.
    @answers(
        CANDLES, covers=lambda ask: listed(ask.instrument), intervals=tuple(Interval), max_rows=1000, since=SINCE.date()
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        return candles(self.seed, self._market(ask.instrument), ask, self._now())

    @answers(HISTORICAL_QUOTE, covers=lambda ask: listed(ask.instrument), since=SINCE.date())
    async def historical_quote(self, ask: HistoricalQuoteAsk) -> Quote:
        if ask.at < SINCE:
            raise NotCovered(VENUE, f"its history begins on {SINCE.date()}")
        then = min(int(ask.at.timestamp()), self._now())
        return quote(self.seed, ask.instrument, self._market(ask.instrument), then)

    # Of what never closes: a day of a session begins before its first price.
    @answers(
        PRICE_HISTORY,
        covers=lambda ask: listed(ask.instrument) and ask.instrument.asset_class is AssetClass.CRYPTO,
        since=SINCE.date(),
    )
    async def price_history(self, ask: PriceHistoryAsk) -> tuple[PricePoint, ...]:
        market = self._market(ask.instrument)
        same = CandlesAsk(instrument=ask.instrument, interval=ask.interval, start=ask.start, end=ask.end)
        bars = candles(self.seed, market, same, self._now())
        return tuple(
            PricePoint(time=time, price=price, currency=market.currency)
            for time, price in zip(bars.open_time, bars.open, strict=True)
        )

    @answers(ORDER_BOOK, covers=lambda ask: traded(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        market = self._market(ask.instrument)
        last, depth = market.calendar.latest(self._now()), min(ask.depth, DEEPEST)
        tape = self._tape(market, market.calendar.latest(last - 1), last)
        return OrderBook(
            instrument=ask.instrument,
            as_of=datetime.fromtimestamp(last, UTC),
            bids=tape.levels(Side.BUY, last, depth),
            asks=tape.levels(Side.SELL, last, depth),
            sequence=str(last),
        )

    @answers(TRADES, covers=lambda ask: traded(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        market, wanted = self._market(ask.instrument), min(ask.last, MOST_TRADES)
        seconds = [market.calendar.latest(self._now())]
        while len(seconds) <= wanted:  # one more than there may be orders: a side depends on the trade before
            seconds.append(market.calendar.latest(seconds[-1] - 1))
        seconds.reverse()
        tape = self._tape(market, seconds[0], seconds[-1])
        return tuple([trade for second in seconds[1:] for trade in tape.trades(second)][-wanted:])

    @answers(INSTRUMENTS)
    async def instruments(self, ask: InstrumentsAsk) -> tuple[Listing, ...]:
        return listings()

    @answers(SEARCH)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        return found(ask.text, ask.limit)

    @answers(MARKET_CAPS, covers=lambda ask: ask.currency in MONEY)
    async def market_caps(self, ask: MarketCapsAsk) -> tuple[MarketCap, ...]:
        return market_caps(self.seed, ask.currency, ask.first, self._now())

    @answers(FX_RATES, covers=lambda ask: {ask.base, *ask.quotes} <= MONEY.keys(), since=SINCE.date())
    async def fx_rates(self, ask: FxRatesAsk) -> tuple[FxRate, ...]:
        codes, now = sorted({*(ask.quotes or MONEY)} - {ask.base}), self._now()
        if ask.start is None:
            return newest_rates(self.seed, ask.base, codes, now)
        end = ask.end or datetime.fromtimestamp(now, UTC).date()
        return daily_rates(self.seed, ask.base, codes, max(ask.start, SINCE.date()), end, now)

    def _now(self) -> int:
        return int(self.clock.now().timestamp())

    def _market(self, instrument: InstrumentId) -> Market:
        if instrument not in BY_NAME:
            raise UnknownInstrument(VENUE, f"{instrument} is not listed")
        return BY_NAME[instrument]

    def _tape(self, market: Market, first: int, last: int) -> Tape:
        return Tape(self.seed, market, Track(self.seed, market, first, last))
