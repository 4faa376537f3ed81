"""Deribit: perpetuals, futures, options and spot pairs. Docs: https://docs.deribit.com"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from providers.contract import Licence, Params, Profile, Provider, Reply, answers, per_second
from providers.crypto._deribit import (
    covered,
    has_options,
    is_inverse,
    is_perpetual,
    is_plain,
    name_of,
    parse_chain,
    parse_listings,
    price_asset,
)
from providers.crypto._deribit_feed import ERRORS, DeribitFeed, in_turn, parse_quote, parse_trades
from providers.crypto._perpetual import HOUR_MS, settled, span_of
from providers.crypto._spot import SIDES, levels, refusal, sequence
from providers.feeds import streams
from providers.row import Row, ascending
from schema.errors import UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.candles import CANDLES, NO_BARS, Bars, CandlesAsk
from schema.words.derivatives import (
    FUNDING_HISTORY,
    FUNDING_RATES,
    LIQUIDATIONS,
    OPEN_INTEREST,
    FundingHistoryAsk,
    FundingRate,
    FundingRatesAsk,
    Liquidation,
    LiquidationsAsk,
    OpenInterest,
    OpenInterestAsk,
)
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, Listing
from schema.words.intervals import Interval
from schema.words.options import OPTION_CHAIN, OptionChain, OptionChainAsk
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.trades import TRADES, Side, Trade, TradesAsk

# Days are counted from 08:00 UTC, ours from midnight; nothing says what six and twelve hours are counted from. Ten
# minutes and three hours are there too, but are not ours.
INTERVALS = {
    Interval.M1: "1", Interval.M3: "3", Interval.M5: "5", Interval.M15: "15", Interval.M30: "30", Interval.H1: "60",
    Interval.H2: "120",
}  # fmt: skip
COLUMNS = ("ticks", "open", "high", "low", "close", "volume", "cost")
ROWS = 1000
DEPTHS = (1, 5, 10, 20, 50, 100, 1000, 10_000)
MOST_TRADES = 1000
# The history reaches back a month a call.
MOST_HOURS = 744
# Funding is paid at every moment, at a rate for eight hours; what was paid is told by the hour.
RATE_MS = 8 * HOUR_MS
OTHER_SIDE = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
# Options that nobody trades say little.
SILENCE = timedelta(minutes=5)
NAMES = frozenset({"currency", "instrument_name"})


class Deribit(Provider):
    """Derivatives exchange; answers are JSON-RPC."""

    profile = Profile(
        id="deribit",
        name="Deribit",
        base_url="https://www.deribit.com/api/v2",
        docs="https://docs.deribit.com",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Deribit terms of service: own use; redistribution needs consent."),
        limits=(per_second(20),),
        priority=20,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=1)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """A ticker has one instrument; one that never traded has no last price."""
        (instrument,) = ask.instruments
        row = await self._ticker(instrument)
        return [parse_quote(instrument, row)] if row["last_price"].value is not None else []

    @answers(CANDLES, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS), max_rows=ROWS)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Both ends are inclusive open times."""
        params: Params = {
            "instrument_name": name_of(ask.instrument),
            "start_timestamp": int(ask.start.timestamp()) * 1000,
            "end_timestamp": int(ask.end.timestamp()) * 1000 - 1,
            "resolution": INTERVALS[ask.interval],
        }
        return parse_candles(ask.instrument, await self.http.get("/public/get_tradingview_chart_data", params))

    @answers(ORDER_BOOK, covers=lambda ask: is_plain(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """The next of the depths that there are."""
        depth = next((depth for depth in DEPTHS if ask.depth <= depth), DEPTHS[-1])
        params: Params = {"instrument_name": name_of(ask.instrument), "depth": depth}
        return parse_book(ask.instrument, await self.http.get("/public/get_order_book", params))

    @answers(TRADES, covers=lambda ask: is_plain(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 1,000."""
        return parse_trades(await self._trades(ask.instrument, min(ask.last, MOST_TRADES)))

    @answers(LIQUIDATIONS, covers=lambda ask: is_plain(ask.instrument) and bool(ask.instrument.settle))
    async def liquidations(self, ask: LiquidationsAsk) -> tuple[Liquidation, ...]:
        """Those among the newest 1,000 trades: there is no list of them."""
        return parse_liquidations(await self._trades(ask.instrument, MOST_TRADES))

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """One kind or all: there is nothing between."""
        return parse_listings(await self.http.get("/public/get_instruments", {"currency": "any"}))

    @answers(OPTION_CHAIN, covers=lambda ask: has_options(ask.instrument))
    async def option_chain(self, ask: OptionChainAsk) -> OptionChain:
        """All options that settle in an asset come at once."""
        settle = ask.instrument.base if ask.instrument.quote == "USD" else ask.instrument.quote
        body = await self.http.get("/public/get_book_summary_by_currency", {"currency": settle, "kind": "option"})
        return parse_chain(ask, body)

    @answers(FUNDING_RATES, covers=lambda ask: all(map(is_perpetual, ask.instruments)), max_batch=1)
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """The rate of this moment, in a ticker."""
        (instrument,) = ask.instruments
        return [parse_funding(instrument, await self._ticker(instrument))]

    @answers(FUNDING_HISTORY, covers=lambda ask: is_perpetual(ask.instrument))
    async def funding_history(self, ask: FundingHistoryAsk) -> tuple[FundingRate, ...]:
        """What was paid in each hour; the range must be told."""
        first, last = span_of(ask, self.clock.now(), MOST_HOURS)
        params: Params = {
            "instrument_name": name_of(ask.instrument),
            "start_timestamp": int(first.timestamp()) * 1000,
            "end_timestamp": int(last.timestamp()) * 1000,
        }
        body = await self.http.get("/public/get_funding_rate_history", params)
        rows = body["result"]
        return settled(ask, rows, rate="interest_1h", time="timestamp", interval_ms=HOUR_MS, index="index_price")

    @answers(
        OPEN_INTEREST,
        covers=lambda ask: all(covered(key) and bool(key.settle) for key in ask.instruments),
        max_batch=1,
    )
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In a ticker."""
        (instrument,) = ask.instruments
        return [parse_interest(instrument, await self._ticker(instrument))]

    @streams(QUOTES, feed=DeribitFeed, covers=lambda ask: all(map(covered, ask.instruments)), silence=SILENCE)
    def quote_channel(self, ask: QuotesAsk) -> str:
        """Ten times a second at most."""
        return f"ticker.{name_of(ask.instruments[0])}"

    @streams(
        CANDLES,
        feed=DeribitFeed,
        # Those of options may be priced in coins, which a candle of ours does not say.
        covers=lambda ask: covered(ask.instrument) and not ask.instrument.right,
        intervals=tuple(INTERVALS),
    )
    def candle_channel(self, ask: CandlesAsk) -> str:
        """With every trade."""
        return f"chart.trades.{name_of(ask.instrument)}.{INTERVALS[ask.interval]}"

    @streams(ORDER_BOOK, feed=DeribitFeed, covers=lambda ask: is_plain(ask.instrument), silence=SILENCE)
    def book_channel(self, ask: OrderBookAsk) -> str:
        """All levels."""
        return f"book.{name_of(ask.instrument)}"

    @streams(TRADES, feed=DeribitFeed, covers=lambda ask: is_plain(ask.instrument))
    def trade_channel(self, ask: TradesAsk) -> str:
        """Each."""
        return f"trades.{name_of(ask.instrument)}"

    async def _ticker(self, instrument: InstrumentId) -> Row:
        return (await self.http.get("/public/ticker", {"instrument_name": name_of(instrument)}))["result"]

    async def _trades(self, instrument: InstrumentId, count: int) -> Row:
        params: Params = {"instrument_name": name_of(instrument), "count": count, "sorting": "desc"}
        return (await self.http.get("/public/get_last_trades_by_instrument", params))["result"]["trades"]

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"error": {"code": -32602, "message": "Invalid params", "data": {"param": "currency", "reason": "…"}}}`."""
        error = reply.body.get("error")
        code = None if error is None else error.get("code")
        if error is None or code is None or type(code.value) is not int or reply.status == 429:
            return None
        data = error.get("data")
        told = {} if data is None or not isinstance(data.value, dict) else data.value
        message = error.get("message")
        said = f"error {code.value}: {'' if message is None else message.value} {told.get('reason', '')}".rstrip()
        wrong_name = code.value == -32602 and str(told.get("param")) in NAMES
        return refusal(self.profile.id, reply, said, UnknownInstrument if wrong_name else ERRORS.get(code.value))


def parse_candles(instrument: InstrumentId, body: Row) -> Bars:
    """Columns, ascending; `cost` is the turnover in the quote asset, but for options."""
    result = body["result"]
    columns = [result[name] for name in COLUMNS]
    if len(set(map(len, columns))) > 1 or not all(isinstance(column.value, list) for column in columns):
        result.broken("has columns of unequal length")
    if not len(columns[0]):
        return NO_BARS
    rows = list(zip(*(column.value for column in columns), strict=True))
    bars = Row(body.provider, rows, result, "rows").bars(
        time=0, open=1, high=2, low=3, close=4, volume=5, quote_volume=None if instrument.right else 6
    )
    return replace(bars, currency=price_asset(instrument)) if instrument.right else bars


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """Levels are [price, size]."""
    book = body["result"]
    return OrderBook(
        instrument=instrument,
        as_of=book.maybe_epoch("timestamp", "ms"),
        bids=levels(book["bids"]),
        asks=levels(book["asks"]),
        sequence=sequence(book, "change_id"),
    )


def parse_liquidations(trades: Row) -> tuple[Liquidation, ...]:
    """Trades that closed a position by force: that of the taker (T), of the maker (M), or of both (MT)."""
    found = [
        Liquidation(
            id=row.label("trade_id"),
            time=row.epoch("timestamp", "ms"),
            side=side,
            price=row.decimal("price"),
            size=row.decimal("amount"),
        )
        for row in in_turn(trades)
        for side in _closing(row)
    ]
    return ascending(found, lambda each: each.time)


def _closing(row: Row) -> Iterator[Side]:
    """Sides of the orders that closed a position."""
    whose, taker = row.maybe_text("liquidation") or "", SIDES.get(row.text("direction"))
    if taker is not None and "T" in whose:
        yield taker
    if taker is not None and "M" in whose:
        yield OTHER_SIDE[taker]


def parse_funding(instrument: InstrumentId, row: Row) -> FundingRate:
    """`current_funding` is the rate now; `funding_8h` is what the last eight hours cost."""
    moment = row.epoch("timestamp", "ms")
    return FundingRate(
        instrument=instrument,
        as_of=moment,
        rate=row.decimal("current_funding"),
        time=moment,
        settled=False,
        interval_ms=RATE_MS,
        mark_price=row.positive("mark_price"),
        index_price=row.positive("index_price"),
    )


def parse_interest(instrument: InstrumentId, row: Row) -> OpenInterest:
    """Inverse futures are counted in dollars, everything else in coins."""
    moment, number = row.maybe_epoch("timestamp", "ms"), row.decimal("open_interest")
    if is_inverse(instrument) and not instrument.right:
        return OpenInterest(instrument=instrument, as_of=moment, value=number, currency="USD")
    return OpenInterest(instrument=instrument, as_of=moment, amount=number)
