"""Gemini: spot market data. Docs: https://docs.gemini.com/rest/market-data"""

from __future__ import annotations

from datetime import timedelta

from providers.contract import Licence, Params, Profile, Provider, Reply, answers, per_minute
from providers.crypto._gemini_feed import BOOK, EXECUTIONS, GeminiFeed
from providers.crypto._joined import is_pair_of
from providers.crypto._perpetual import is_linear_of, perpetual_of
from providers.crypto._spot import SIDES, levels, refusal
from providers.feeds import streams
from providers.row import Row, ascending
from schema.errors import Overloaded, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId, crypto
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.candles import CANDLES, NO_BARS, Bars, CandlesAsk
from schema.words.derivatives import OPEN_INTEREST, OpenInterest, OpenInterestAsk
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, InstrumentType, Listing
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.trades import TRADES, Trade, TradesAsk

# There are six hours and days too, but nothing says which hour they are counted from.
INTERVALS = {
    Interval.M1: "1m", Interval.M5: "5m", Interval.M15: "15m", Interval.M30: "30m", Interval.H1: "1hr",
}  # fmt: skip
# The socket writes an hour in its own way.
STREAMED = INTERVALS | {Interval.H1: "1h"}
# There is no start and no end: an answer holds what there is, and this is how many days of it.
DAYS = {Interval.M1: 1, Interval.M5: 5, Interval.M15: 14, Interval.M30: 28, Interval.H1: 60}
ROWS = 1440
MOST_TRADES = 500
PERPETUAL = "perp"
SETTLED_IN = ("GUSD", "USDC")
# Books of busy pairs change many times a second.
SILENCE = timedelta(minutes=2)
# Names of pairs are not divided: the longest of these that a name ends in is its quote asset.
QUOTE_ASSETS = ("BCH", "BTC", "DAI", "ETH", "EUR", "FIL", "GBP", "GUSD", "LTC", "RLUSD", "SGD", "USD", "USDC", "USDT")
REFUSALS: dict[str, type[UpstreamError]] = {
    "InvalidSymbol": UnknownInstrument, "RateLimit": Throttled, "RateLimited": Throttled,
    "InvalidApiKey": Unauthorized, "InvalidSignature": Unauthorized, "MissingApikeyHeader": Unauthorized,
    "MissingRole": Unauthorized, "Maintenance": Overloaded, "System": Overloaded,
}  # fmt: skip


def covered(instrument: InstrumentId) -> bool:
    """A spot pair of a known quote asset whose wire symbol cannot mean another one."""
    return instrument.quote in QUOTE_ASSETS and is_pair_of("gemini", instrument, QUOTE_ASSETS)


def perpetual(instrument: InstrumentId) -> bool:
    """A perpetual that settles in a dollar token."""
    return is_linear_of("gemini", instrument, SETTLED_IN)


class Gemini(Provider):
    """Spot exchange; one pair a call."""

    profile = Profile(
        id="gemini",
        name="Gemini",
        base_url="https://api.gemini.com",
        docs="https://docs.gemini.com/rest/market-data",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Gemini market data agreement: own use and display; redistribution needs consent."),
        limits=(per_minute(120),),
        priority=20,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=1)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """The list of all pairs has prices without bid, ask and time; open and high would cost a second call."""
        return [
            parse_quote(each, await self.http.get(f"/v1/pubticker/{wire_symbol(each)}")) for each in ask.instruments
        ]

    @answers(
        CANDLES,
        covers=lambda ask: covered(ask.instrument),
        intervals=tuple(INTERVALS),
        max_rows=ROWS,
        reach=lambda interval: timedelta(days=DAYS[interval]),
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Everything that there is of an interval."""
        path = f"/v2/candles/{wire_symbol(ask.instrument)}/{INTERVALS[ask.interval]}"
        return parse_candles(await self.http.get(path))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Any depth."""
        params: Params = {"limit_bids": ask.depth, "limit_asks": ask.depth}
        return parse_book(ask.instrument, await self.http.get(f"/v1/book/{wire_symbol(ask.instrument)}", params))

    @answers(TRADES, covers=lambda ask: covered(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 500."""
        params: Params = {"limit_trades": min(ask.last, MOST_TRADES)}
        return parse_trades(await self.http.get(f"/v1/trades/{wire_symbol(ask.instrument)}", params))

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """Names alone: trading rules would cost a call for each pair."""
        return parse_listings(await self.http.get("/v1/symbols"))

    # What is paid is told in dollars for a contract and not as a rate.
    @answers(OPEN_INTEREST, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=1)
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In coins, and what they are worth at the mark price."""
        (instrument,) = ask.instruments
        return [parse_interest(instrument, await self.http.get(f"/v1/riskstats/{contract_of(instrument)}"))]

    @streams(CANDLES, feed=GeminiFeed, covers=lambda ask: covered(ask.instrument), intervals=tuple(STREAMED))
    def candle_channel(self, ask: CandlesAsk) -> str:
        """At first those of a day, then the running one."""
        return f"candles_{STREAMED[ask.interval]}:{wire_symbol(ask.instrument).upper()}"

    @streams(ORDER_BOOK, feed=GeminiFeed, covers=lambda ask: covered(ask.instrument), silence=SILENCE)
    def book_channel(self, ask: OrderBookAsk) -> str:
        """All levels."""
        return f"{BOOK}:{wire_symbol(ask.instrument).upper()}"

    @streams(TRADES, feed=GeminiFeed, covers=lambda ask: covered(ask.instrument))
    def trade_channel(self, ask: TradesAsk) -> str:
        """The last 50, then each."""
        return f"{EXECUTIONS}:{wire_symbol(ask.instrument).upper()}"

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"result": "error", "reason": "InvalidSymbol", "message": "…"}`; the reason may be the status in words."""
        result, reason, message = (reply.body.get(key) for key in ("result", "reason", "message"))
        if result is None or result.value != "error" or reply.status == 429:
            return None
        text = "" if message is None else str(message.value)
        kind = REFUSALS.get("" if reason is None else str(reason.value))
        if "not a valid symbol" in text:
            kind = UnknownInstrument
        return refusal(self.profile.id, reply, f"{'error' if reason is None else reason.value}: {text}", kind)


def wire_symbol(instrument: InstrumentId) -> str:
    """`btcusd` for BTC/USD."""
    return f"{instrument.base}{instrument.quote}".lower()


def contract_of(instrument: InstrumentId) -> str:
    """`btcgusdperp` for BTC/GUSD:GUSD."""
    return f"{wire_symbol(instrument)}{PERPETUAL}"


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """Volumes are keyed by the names of the two assets, beside the time."""
    last, volume = row.decimal("last"), row["volume"]
    return Quote(
        instrument=instrument,
        as_of=volume.maybe_epoch("timestamp", "ms"),
        price=last,
        price_type=PriceType.LAST,
        bid=row.positive("bid"),
        ask=row.positive("ask"),
        last=last,
        volume=volume.maybe(instrument.base),
        quote_volume=volume.maybe(instrument.quote),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_candles(body: Row) -> Bars:
    """Newest first: [time, open, high, low, close, volume], all numbers."""
    return body.bars(time=0, open=1, high=2, low=3, close=4, volume=5) if len(body) else NO_BARS


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """Levels are objects; their time is when the answer was made, in whole seconds, and is no time of the book."""
    return OrderBook(
        instrument=instrument,
        bids=levels(body["bids"], price="price", size="amount"),
        asks=levels(body["asks"], price="price", size="amount"),
    )


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """Newest first; `type` is the taker's side, or "auction" and "block", which have none."""
    trades = [
        Trade(
            id=row.label("tid"),
            time=row.epoch("timestampms", "ms"),
            price=row.decimal("price"),
            size=row.decimal("amount"),
            side=SIDES.get(row.text("type")),
        )
        for row in body
    ]
    return ascending(trades, lambda trade: (trade.time, len(trade.id), trade.id))


def parse_interest(instrument: InstrumentId, row: Row) -> OpenInterest:
    """It has no time."""
    value = row.maybe("open_interest_notional")
    return OpenInterest(
        instrument=instrument,
        amount=row.decimal("open_interest"),
        value=value,
        currency=None if value is None else instrument.quote,
    )


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Perpetuals are listed among the pairs; a name that ends in no known quote asset cannot be divided."""
    found = ((row.text(), _instrument(row.text())) for row in body)
    return tuple(
        [
            Listing(
                instrument=key,
                provider_symbol=name,
                type=InstrumentType.PERPETUAL if key.settle else InstrumentType.SPOT,
            )
            for name, key in found
            if key is not None
        ]
    )


def _instrument(name: str) -> InstrumentId | None:
    letters = name.removesuffix(PERPETUAL).upper()
    quote = max((asset for asset in QUOTE_ASSETS if letters.endswith(asset) and asset != letters), key=len, default="")
    if not quote or not name.isascii():
        return None
    if letters == name.upper():
        return crypto(letters.removesuffix(quote), quote)
    key = perpetual_of(letters.removesuffix(quote), quote)
    return key if key is not None and perpetual(key) else None
