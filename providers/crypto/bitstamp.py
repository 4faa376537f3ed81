"""Bitstamp: spot market data, and perpetuals' funding. Docs: https://www.bitstamp.net/api/"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from providers.contract import Licence, Limit, Params, Profile, Reply, answers, per_second
from providers.crypto._bitstamp_feed import BOOK_OF, SIDES, TRADES_OF, BitstampFeed, parse_book
from providers.crypto._bitstamp_perpetuals import Perpetuals, market_of, perpetual
from providers.crypto._spot import step, trades_in
from providers.feeds import streams
from providers.row import Row, ascending
from schema.errors import NotCovered, Throttled, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId, crypto
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.candles import CANDLES, NO_BARS, Bars, CandlesAsk
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, InstrumentType, Listing
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.trades import TRADES, Trade, TradesAsk

# There is a step of three days too, but nothing says on which day it begins; weeks there are none.
INTERVALS = (
    Interval.M1, Interval.M3, Interval.M5, Interval.M15, Interval.M30, Interval.H1, Interval.H2, Interval.H4,
    Interval.H6, Interval.H12, Interval.D1,
)  # fmt: skip
# The wire runs both names together: without this BT/CUSD would be answered with the price of BTC/USD.
QUOTE_ASSETS = ("USD", "EUR", "GBP", "BTC", "ETH", "USDT", "USDC", "PYUSD", "RLUSD")
FIAT = frozenset({"EUR", "GBP", "USD"})
TYPES = {"SPOT": InstrumentType.SPOT, "PERPETUAL": InstrumentType.PERPETUAL}
REFUSAL_KEYS = ("response_explanation", "reason", "error", "errors")
RATE_CODES = frozenset({"400.002", "400.067", "400.068"})


def covered(instrument: InstrumentId) -> bool:
    """A spot pair with at least one crypto asset whose wire symbol cannot mean another pair."""
    return (
        instrument.asset_class is AssetClass.CRYPTO
        and instrument.is_spot
        and instrument.venue in ("", "bitstamp")
        and not {instrument.base, instrument.quote} <= FIAT
        and trades_in(instrument, QUOTE_ASSETS)
        and (instrument.quote in QUOTE_ASSETS or not (instrument.base + instrument.quote).endswith(QUOTE_ASSETS))
    )


class Bitstamp(Perpetuals):
    """Spot exchange; tickers come one at a time or all together."""

    profile = Profile(
        id="bitstamp",
        name="Bitstamp",
        base_url="https://www.bitstamp.net",
        docs="https://www.bitstamp.net/api/",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Bitstamp terms of use: own use and display; redistribution needs consent."),
        limits=(per_second(400), Limit(count=10_000, per=timedelta(minutes=10))),
        priority=10,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=500)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """The list of all tickers simply lacks an unknown pair; its own ticker is a 404."""
        if len(ask.instruments) > 1:
            return parse_quotes(ask.instruments, await self.http.get("/api/v2/ticker/"))
        return [
            parse_quote(each, await self.http.get(f"/api/v2/ticker/{symbol_of(each)}/")) for each in ask.instruments
        ]

    @answers(CANDLES, covers=lambda ask: covered(ask.instrument), max_rows=1000, intervals=INTERVALS)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """`end` is inclusive, and `limit` counts back from it."""
        start, end, step = int(ask.start.timestamp()), int(ask.end.timestamp()), ask.interval.seconds
        params: Params = {"step": step, "limit": min((end - start) // step, 1000), "start": start, "end": end - 1}
        return parse_candles(await self.http.get(f"/api/v2/ohlc/{symbol_of(ask.instrument)}/", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Always the whole book."""
        body = await self.http.get(f"/api/v2/order_book/{symbol_of(ask.instrument)}/")
        return parse_book(ask.instrument, body, ask.depth)

    @answers(TRADES, covers=lambda ask: covered(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """Those of the last hour: there is no choice by number, and a day of them is megabytes."""
        return parse_trades(await self.http.get(f"/api/v2/transactions/{symbol_of(ask.instrument)}/", {"time": "hour"}))

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """All markets."""
        return parse_listings(await self.http.get("/api/v2/markets/"))

    @streams(ORDER_BOOK, feed=BitstampFeed, covers=lambda ask: covered(ask.instrument), silence=timedelta(minutes=5))
    def book_channel(self, ask: OrderBookAsk) -> str:
        """The best hundred levels, whole each time."""
        return f"{BOOK_OF}{symbol_of(ask.instrument)}"

    @streams(TRADES, feed=BitstampFeed, covers=lambda ask: covered(ask.instrument))
    def trade_channel(self, ask: TradesAsk) -> str:
        """One frame for each trade."""
        return f"{TRADES_OF}{symbol_of(ask.instrument)}"

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Refusals have a code and its explanation, a status "error" and a reason, or a list of wrong fields."""
        if reply.status == 404 and type(reply.body.value) is str:  # an HTML page says that a pair is not listed
            return UnknownInstrument(self.profile.id, "HTTP 404: no such pair")
        found = (reply.body.get(key) for key in REFUSAL_KEYS)
        said = next((entry for entry in found if entry is not None), None)
        if said is None or reply.status in (418, 429) or reply.status >= 500:
            return None
        text, code = str(said.value), reply.body.get("response_code")
        if "rate limit" in text.lower() or (code is not None and code.value in RATE_CODES):
            return Throttled(self.profile.id, text)
        if "not found" in text.lower() or "pair" in text.lower():
            return UnknownInstrument(self.profile.id, text)
        return NotCovered(self.profile.id, text) if reply.status < 400 else None


def symbol_of(instrument: InstrumentId) -> str:
    """`btcusd`."""
    return f"{instrument.base}{instrument.quote}".lower()


def parse_quotes(instruments: tuple[InstrumentId, ...], body: Row) -> list[Quote]:
    """The pairs asked for out of all tickers, each of which names its own (`BTC/USD`)."""
    tickers = {row.maybe_text("pair"): row for row in body}
    known = [(instrument, tickers.get(instrument.symbol)) for instrument in instruments]
    return [parse_quote(instrument, row) for instrument, row in known if row is not None and row.positive("last")]


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """Statistics cover 24 hours, and so does `open_24`; `open` is the day's, and alone in answers before 2022."""
    last = row.decimal("last")
    return Quote(
        instrument=instrument,
        as_of=row.maybe_epoch("timestamp"),
        price=last,
        price_type=PriceType.LAST,
        bid=row.positive("bid"),
        ask=row.positive("ask"),
        last=last,
        open=row.positive("open_24" if "open_24" in row else "open"),
        high=row.positive("high"),
        low=row.positive("low"),
        volume=row.maybe("volume"),
        vwap=row.positive("vwap"),
        change_percent=row.maybe("percent_change_24"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_candles(body: Row) -> Bars:
    """Objects with texts, ascending."""
    rows = body["data"]["ohlc"]
    if not len(rows):
        return NO_BARS
    return rows.bars(time="timestamp", open="open", high="high", low="low", close="close", volume="volume", unit="s")


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """Newest first on the wire and timed in whole seconds: only the ids keep the order."""
    return ascending([_trade(row) for row in body], lambda trade: (trade.time, int(trade.id)))


def _trade(row: Row) -> Trade:
    return Trade(
        id=str(row.integer("tid")),
        time=row.epoch("date"),
        price=row.decimal("price"),
        size=row.decimal("amount"),
        side=SIDES.get(row.label("type")),
    )


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Spot markets but those of two fiat currencies, and perpetuals."""
    kinds = ((row, row.maybe_text("market_type") or "SPOT") for row in body)
    listings = [_listing(row, TYPES[kind]) for row, kind in kinds if kind in TYPES]
    return tuple([listing for listing in listings if _askable(listing)])


def _askable(listing: Listing) -> bool:
    instrument = listing.instrument
    return covered(instrument) or (perpetual(instrument) and market_of(instrument) == listing.provider_symbol)


def _listing(row: Row, kind: InstrumentType) -> Listing:
    name = row.text("name")
    base, slash, quote = name.partition("/")
    if not slash:
        row["name"].broken("is not a pair")
    symbol = row.maybe_text("market_symbol")
    pair = crypto(row.maybe_text("base_currency") or base, row.maybe_text("counter_currency") or quote)
    return Listing(
        instrument=replace(pair, settle=pair.quote) if kind is InstrumentType.PERPETUAL else pair,
        type=kind,
        provider_symbol=row.text("url_symbol") if symbol is None else symbol,
        name=row.maybe_text("description"),
        tick_size=step(row, "counter_decimals"),
        step_size=step(row, "base_decimals"),
        min_notional=_amount(row, "minimum_order_value" if "minimum_order_value" in row else "minimum_order"),
        tradable=row.maybe_text("trading") in (None, "Enabled"),
    )


def _amount(row: Row, key: str) -> Decimal | None:
    """`"20.0 USD"` and `"20.0"`."""
    found = row.maybe_text(key)
    return None if found is None else Row(row.provider, found.partition(" ")[0], row, key).decimal()
