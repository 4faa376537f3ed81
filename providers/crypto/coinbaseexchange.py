"""Coinbase Exchange: spot market data. Docs: https://docs.cdp.coinbase.com/api-reference/exchange-api"""

from __future__ import annotations

from datetime import timedelta

from providers.contract import Licence, Params, Profile, Provider, Reply, answers, per_second
from providers.crypto._coinbaseexchange_feed import CoinbaseExchangeFeed, parse_trade
from providers.crypto._spot import is_spot_of, levels
from providers.feeds import streams
from providers.row import Row, ascending
from schema.errors import Throttled, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId, crypto
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.candles import CANDLES, NO_BARS, Bars, CandlesAsk
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, Listing
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.trades import TRADES, Trade, TradesAsk

INTERVALS = (Interval.M1, Interval.M5, Interval.M15, Interval.H1, Interval.H6, Interval.D1)
CURRENCIES = ("EUR", "GBP", "INR", "SGD", "USD")
SILENCE = timedelta(minutes=2)


def covered(instrument: InstrumentId) -> bool:
    """A spot pair, anywhere or here."""
    return is_spot_of("coinbaseexchange", instrument, CURRENCIES)


class CoinbaseExchange(Provider):
    """Spot exchange; one product a call."""

    profile = Profile(
        id="coinbaseexchange",
        name="Coinbase Exchange",
        base_url="https://api.exchange.coinbase.com",
        docs="https://docs.cdp.coinbase.com/exchange/introduction/welcome",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Coinbase Market Data Terms of Use: own use and display; redistribution needs consent."),
        limits=(per_second(10),),
        # Requests without one are refused.
        headers={"user-agent": "marketgate"},
        priority=10,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=1)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Open, high and low would cost a second call for each product (`/stats`), so quotes go without."""
        return [parse_quote(each, await self.http.get(f"{path_of(each)}/ticker")) for each in ask.instruments]

    @answers(CANDLES, covers=lambda ask: covered(ask.instrument), max_rows=300, intervals=INTERVALS)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """`end` is inclusive: a second less keeps the candle that opens there away, and the range within 300."""
        params: Params = {
            "granularity": ask.interval.seconds,
            "start": f"{ask.start:%Y-%m-%dT%H:%M:%SZ}",
            "end": f"{ask.end - timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}",
        }
        return parse_candles(await self.http.get(f"{path_of(ask.instrument)}/candles", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Level 1 is the best price, level 2 the whole book: there is nothing between."""
        body = await self.http.get(f"{path_of(ask.instrument)}/book", {"level": 1 if ask.depth == 1 else 2})
        return parse_book(ask.instrument, body, ask.depth)

    @answers(TRADES, covers=lambda ask: covered(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 1,000."""
        return parse_trades(await self.http.get(f"{path_of(ask.instrument)}/trades", {"limit": min(ask.last, 1000)}))

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """All products."""
        return parse_listings(await self.http.get("/products"))

    @streams(QUOTES, feed=CoinbaseExchangeFeed, covers=lambda ask: all(map(covered, ask.instruments)), silence=SILENCE)
    def quote_channel(self, ask: QuotesAsk) -> str:
        """With every trade; the best prices are those after it."""
        return f"ticker:{product_of(ask.instruments[0])}"

    @streams(TRADES, feed=CoinbaseExchangeFeed, covers=lambda ask: covered(ask.instrument), silence=SILENCE)
    def trade_channel(self, ask: TradesAsk) -> str:
        """The last one, then each."""
        return f"matches:{product_of(ask.instrument)}"

    @streams(ORDER_BOOK, feed=CoinbaseExchangeFeed, covers=lambda ask: covered(ask.instrument), silence=SILENCE)
    def book_channel(self, ask: OrderBookAsk) -> str:
        """All levels, twenty times a second; without a key there are no single changes."""
        return f"level2_batch:{product_of(ask.instrument)}"

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Refusals are `{"message": "..."}`; an ill-formed product is a 400, an unknown one a 404."""
        said = reply.body.get("message")
        if said is None or not isinstance(said.value, str):
            return None
        text = said.value.lower()
        if reply.status < 429 and ("notfound" in text or "not found" in text or "product" in text):
            return UnknownInstrument(self.profile.id, said.value)
        if reply.status != 429 and "rate limit" in text:
            return Throttled(self.profile.id, said.value)
        return None


def product_of(instrument: InstrumentId) -> str:
    """`BTC-USD`."""
    return f"{instrument.base}-{instrument.quote}"


def path_of(instrument: InstrumentId) -> str:
    """Where everything about a product is."""
    return f"/products/{product_of(instrument)}"


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """The last trade, the best prices, and the volume of 24 hours."""
    price = row.decimal("price")
    return Quote(
        instrument=instrument,
        as_of=row.maybe_instant("time"),
        price=price,
        price_type=PriceType.LAST,
        bid=row.positive("bid"),
        ask=row.positive("ask"),
        last=price,
        last_size=row.positive("size"),
        volume=row.maybe("volume"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_candles(body: Row) -> Bars:
    """Rows are [time, low, high, open, close, volume], newest first; buckets without a trade are missing."""
    return body.bars(time=0, low=1, high=2, open=3, close=4, volume=5, unit="s") if len(body) else NO_BARS


def parse_book(instrument: InstrumentId, body: Row, depth: int) -> OrderBook:
    """Levels are [price, size, number of orders]; of the tens of thousands in a whole book most stay unread."""
    sequence = body.get("sequence")
    return OrderBook(
        instrument=instrument,
        as_of=body.maybe_instant("time"),
        bids=levels(body["bids"], orders=2, depth=depth),
        asks=levels(body["asks"], orders=2, depth=depth),
        sequence=None if sequence is None else str(sequence.integer()),
    )


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """Newest first on the wire; ids rise with time."""
    return ascending([parse_trade(row) for row in body], lambda trade: (trade.time, int(trade.id)))


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Products whose id is made of their two currencies: only those can be asked for."""
    listings = [_listing(row) for row in body]
    return tuple([listing for listing in listings if product_of(listing.instrument) == listing.provider_symbol])


def _listing(row: Row) -> Listing:
    halted = any(flag is not None and flag.value is True for flag in map(row.get, ("trading_disabled", "cancel_only")))
    return Listing(
        instrument=crypto(row.text("base_currency"), row.text("quote_currency")),
        provider_symbol=row.text("id"),
        tick_size=row.positive("quote_increment"),
        step_size=row.positive("base_increment"),
        # Products have had no size limits since 2022, but older answers do.
        min_size=row.positive("base_min_size"),
        max_size=row.positive("base_max_size"),
        min_notional=row.positive("min_market_funds"),
        tradable=not halted and row.maybe_text("status") in (None, "online"),
    )
