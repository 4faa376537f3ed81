"""Coinbase Advanced Trade: spot market data. Docs: https://docs.cdp.coinbase.com/advanced-trade/reference"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from providers.contract import Licence, Params, Profile, Provider, Reply, answers, per_second
from providers.crypto._spot import is_spot_of, levels, priced
from providers.row import Row, ascending
from schema.errors import UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId, crypto
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.candles import CANDLES, NO_BARS, Bars, CandlesAsk
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, Listing
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.trades import TRADES, Trade, TradesAsk

# The same paths without `/market` want a key.
MARKET = "/api/v3/brokerage/market"
INTERVALS = {
    Interval.M1: "ONE_MINUTE", Interval.M5: "FIVE_MINUTE", Interval.M15: "FIFTEEN_MINUTE",
    Interval.M30: "THIRTY_MINUTE", Interval.H1: "ONE_HOUR", Interval.H2: "TWO_HOUR", Interval.H6: "SIX_HOUR",
    Interval.D1: "ONE_DAY",
}  # fmt: skip
ROWS = 350
MOST_TRADES = 1000
HALTS = ("is_disabled", "trading_disabled", "cancel_only", "view_only")
CURRENCIES = ("EUR", "GBP", "INR", "SGD", "USD")


def covered(instrument: InstrumentId) -> bool:
    """A spot pair, anywhere or here."""
    return is_spot_of("coinbase", instrument, CURRENCIES)


class Coinbase(Provider):
    """Spot exchange; answers without a key are up to a second old."""

    profile = Profile(
        id="coinbase",
        name="Coinbase Advanced Trade",
        base_url="https://api.coinbase.com",
        docs="https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/overview",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Coinbase Market Data Terms of Use: own use and display; redistribution needs consent."),
        limits=(per_second(10),),
        # Requests without one are refused.
        headers={"user-agent": "marketgate"},
        priority=20,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=200)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """There is nothing between one product and all of them; unknown ones cannot spoil the list of all."""
        symbols = set(map(product_of, ask.instruments))
        if len(symbols) == 1:
            return parse_quotes(ask.instruments, [await self.http.get(f"{MARKET}/products/{symbols.pop()}")])
        body = await self.http.get(f"{MARKET}/products", {"product_type": "SPOT"})
        return parse_quotes(ask.instruments, body["products"])

    @answers(CANDLES, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS), max_rows=ROWS)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """`end` is inclusive: a second less keeps the candle that opens there away."""
        params: Params = {
            "granularity": INTERVALS[ask.interval],
            "start": int(ask.start.timestamp()),
            "end": int(ask.end.timestamp()) - 1,
            "limit": ROWS,
        }
        return parse_candles(await self.http.get(f"{MARKET}/products/{product_of(ask.instrument)}/candles", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Any depth."""
        params: Params = {"product_id": product_of(ask.instrument), "limit": ask.depth}
        return parse_book(ask.instrument, await self.http.get(f"{MARKET}/product_book", params))

    @answers(TRADES, covers=lambda ask: covered(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 1,000."""
        params: Params = {"limit": min(ask.last, MOST_TRADES)}
        return parse_trades(await self.http.get(f"{MARKET}/products/{product_of(ask.instrument)}/ticker", params))

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """All spot products."""
        return parse_listings(await self.http.get(f"{MARKET}/products", {"product_type": "SPOT"}))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"error": "NOT_FOUND", "error_details": "valid product_id is required", "message": "…"}`."""
        said = reply.body.get("message")
        if said is None or reply.status not in (400, 404):
            return None
        text = str(said.value)
        return UnknownInstrument(self.profile.id, text) if "product" in text.lower() else None


def product_of(instrument: InstrumentId) -> str:
    """`BTC-USD`."""
    return f"{instrument.base}-{instrument.quote}"


def parse_quotes(instruments: Sequence[InstrumentId], rows: Iterable[Row]) -> list[Quote]:
    """A product that is no longer traded has an empty price."""
    found = priced(instruments, rows, product_of, name="product_id", last="price")
    return [parse_quote(instrument, row) for instrument, row in found]


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """The change is in percent; there is no time, and best prices are there or empty."""
    price = row.decimal("price")
    return Quote(
        instrument=instrument,
        price=price,
        price_type=PriceType.LAST,
        bid=row.positive("best_bid_price"),
        ask=row.positive("best_ask_price"),
        last=price,
        change_percent=row.maybe("price_percentage_change_24h"),
        volume=row.maybe("volume_24h"),
        quote_volume=row.maybe("approximate_quote_24h_volume"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_candles(body: Row) -> Bars:
    """Newest first; `start` is the open time in seconds."""
    rows = body["candles"]
    if not len(rows):
        return NO_BARS
    return rows.bars(time="start", open="open", high="high", low="low", close="close", volume="volume", unit="s")


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """Levels are objects."""
    book = body["pricebook"]
    return OrderBook(
        instrument=instrument,
        as_of=book.maybe_instant("time"),
        bids=levels(book["bids"], price="price", size="size"),
        asks=levels(book["asks"], price="price", size="size"),
    )


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """Newest first. Whose side `side` is nobody agrees, the maker's or the taker's: none is better than a wrong one."""
    trades = [
        Trade(
            id=row.label("trade_id"),
            time=row.instant("time"),
            price=row.decimal("price"),
            size=row.decimal("size"),
        )
        for row in body["trades"]
    ]
    return ascending(trades, lambda trade: (trade.time, len(trade.id), trade.id))


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Products whose id is made of their two currencies: only those can be asked for."""
    spot = [row for row in body["products"] if row.maybe_text("product_type") == "SPOT"]
    listings = [_listing(row) for row in spot if row.text("product_id").isascii()]
    return tuple([listing for listing in listings if product_of(listing.instrument) == listing.provider_symbol])


def _listing(row: Row) -> Listing:
    halted = any(flag is not None and flag.value is True for flag in map(row.get, HALTS))
    tick = row.positive("price_increment")
    return Listing(
        instrument=crypto(row.text("base_currency_id"), row.text("quote_currency_id")),
        provider_symbol=row.text("product_id"),
        name=row.maybe_text("base_name"),
        tick_size=row.positive("quote_increment") if tick is None else tick,
        step_size=row.positive("base_increment"),
        min_size=row.positive("base_min_size"),
        max_size=row.positive("base_max_size"),
        min_notional=row.positive("quote_min_size"),
        tradable=not halted and row.maybe_text("status") == "online",
    )
