"""HTX: spot market data. Docs: https://huobiapi.github.io/docs/spot/v1/en/#market-data"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil

from providers.contract import Licence, Params, Profile, Provider, Reply, answers, per_second
from providers.crypto._htx_feed import BAR, BOOK, DETAIL, TRADED, HtxBookFeed, HtxFeed, parse_trade
from providers.crypto._htx_swaps import (
    contract_of,
    is_linear,
    parse_funding,
    parse_interest,
    parse_liquidations,
    perpetual,
)
from providers.crypto._joined import is_pair_of
from providers.crypto._perpetual import settled
from providers.crypto._spot import levels, priced, refusal, sequence, step
from providers.feeds import streams
from providers.row import Row, ascending
from schema.errors import Overloaded, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId, crypto
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
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.trades import TRADES, Trade, TradesAsk

# Days, weeks and months are counted from midnight in Singapore; ours from midnight UTC.
INTERVALS = {
    Interval.M1: "1min", Interval.M5: "5min", Interval.M15: "15min", Interval.M30: "30min", Interval.H1: "60min",
    Interval.H4: "4hour",
}  # fmt: skip
ROWS = 2000
DEPTHS = (5, 10, 20)
QUOTE_ASSETS = ("BRL", "BTC", "ETH", "EUR", "HT", "HUSD", "TRX", "TRY", "USD1", "USDC", "USDD", "USDT")
ERROR_KEYS = ("err-code", "err-msg", "err_code", "err_msg", "code", "msg")
REFUSALS: tuple[tuple[str, type[UpstreamError]], ...] = (
    ("invalid symbol", UnknownInstrument),
    ("base-symbol-error", UnknownInstrument),
    ("symbol trade not open now", UnknownInstrument),
    ("contract doesn't exist", UnknownInstrument),
    ("contract_code is error", UnknownInstrument),
    ("api-signature", Unauthorized),
    ("too-many-request", Throttled),
    ("exceed-frequency-limit", Throttled),
    ("gateway-internal-error", Overloaded),
    ("system-maintenance", Overloaded),
    ("timeout", Overloaded),
)


def covered(instrument: InstrumentId) -> bool:
    """A spot pair whose wire symbol cannot mean another one."""
    return is_pair_of("htx", instrument, QUOTE_ASSETS)


class Htx(Provider):
    """Spot exchange; numbers are sent as numbers, and refusals with status 200."""

    profile = Profile(
        id="htx",
        name="HTX",
        base_url="https://api.huobi.pro",
        docs="https://huobiapi.github.io/docs/spot/v1/en/#market-data",
        asset_classes=(AssetClass.CRYPTO,),
        hosts={"swaps": "https://api.hbdm.com"},
        licence=Licence(note="HTX user agreement: own use and display; redistribution needs consent."),
        limits=(per_second(10),),
        priority=20,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=200)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """There is nothing between one pair and all of them; the list of all cannot be spoiled by an unknown one."""
        symbols = set(map(wire_symbol, ask.instruments))
        if len(symbols) > 1:
            return parse_tickers(ask.instruments, await self.http.get("/market/tickers"))
        return parse_merged(ask.instruments, await self.http.get("/market/detail/merged", {"symbol": symbols.pop()}))

    @answers(
        CANDLES,
        covers=lambda ask: covered(ask.instrument),
        intervals=tuple(INTERVALS),
        max_rows=ROWS,
        # There is no start and no end, only the number of the newest.
        reach=lambda interval: interval.delta * (ROWS - 1),
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        """As many of the newest as reach back to the start."""
        params: Params = {
            "symbol": wire_symbol(ask.instrument),
            "period": INTERVALS[ask.interval],
            "size": newest_since(ask.start, self.clock.now(), ask.interval),
        }
        return parse_candles(await self.http.get("/market/history/kline", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Five, ten or twenty levels, or without a depth a hundred and fifty."""
        params: dict[str, str | int] = {"symbol": wire_symbol(ask.instrument), "type": "step0"}
        depth = next((depth for depth in DEPTHS if ask.depth <= depth), None)
        if depth is not None:
            params["depth"] = depth
        return parse_book(ask.instrument, await self.http.get("/market/depth", params))

    @answers(TRADES, covers=lambda ask: covered(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest matches, at most 2,000; each may be several trades."""
        params: Params = {"symbol": wire_symbol(ask.instrument), "size": min(ask.last, 2000)}
        return parse_trades(await self.http.get("/market/history/trade", params))

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """All pairs, those that ended included."""
        return parse_listings(await self.http.get("/v1/common/symbols"))

    @answers(FUNDING_RATES, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=1)
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """The rate that the running interval will end with."""
        key = ask.instruments[0]
        return [parse_funding(key, await self._swap("swap_funding_rate", key))]

    @answers(FUNDING_HISTORY, covers=lambda ask: perpetual(ask.instrument))
    async def funding_history(self, ask: FundingHistoryAsk) -> tuple[FundingRate, ...]:
        """One page of the newest, at most 50."""
        body = await self._swap("swap_historical_funding_rate", ask.instrument, page_size=min(ask.limit, 50))
        return settled(ask, body["data"]["data"], rate="realized_rate", time="funding_time")

    @answers(OPEN_INTEREST, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=1)
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In coins, in contracts and, where they settle in USDT, their worth."""
        key = ask.instruments[0]
        body = await self._swap("swap_open_interest", key)
        return [parse_interest(key, row, body) for row in body["data"]]

    @answers(LIQUIDATIONS, covers=lambda ask: is_linear(ask.instrument))
    async def liquidations(self, ask: LiquidationsAsk) -> tuple[Liquidation, ...]:
        """The newest of two days, one page."""
        params: Params = {"contract": contract_of(ask.instrument), "trade_type": 0}
        body = await self.http.get("/linear-swap-api/v3/swap_liquidation_orders", params, host="swaps")
        return parse_liquidations(body)

    @streams(
        QUOTES,
        feed=HtxFeed,
        covers=lambda ask: all(map(covered, ask.instruments)),
        silence=timedelta(minutes=2),
    )
    def quote_channel(self, ask: QuotesAsk) -> str:
        """Statistics, and best prices as they change."""
        return f"market.{wire_symbol(ask.instruments[0])}{DETAIL}"

    @streams(CANDLES, feed=HtxFeed, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS))
    def candle_channel(self, ask: CandlesAsk) -> str:
        """The running candle as it changes."""
        return f"market.{wire_symbol(ask.instrument)}{BAR}{INTERVALS[ask.interval]}"

    @streams(TRADES, feed=HtxFeed, covers=lambda ask: covered(ask.instrument))
    def trade_channel(self, ask: TradesAsk) -> str:
        """All trades of a match at once."""
        return f"market.{wire_symbol(ask.instrument)}{TRADED}"

    @streams(ORDER_BOOK, feed=HtxBookFeed, covers=lambda ask: covered(ask.instrument), silence=timedelta(minutes=2))
    def book_channel(self, ask: OrderBookAsk) -> str:
        """A hundred and fifty levels, changed ten times a second."""
        return f"market.{wire_symbol(ask.instrument)}{BOOK}"

    async def _swap(self, endpoint: str, key: InstrumentId, **more: int) -> Row:
        family = "linear-swap-api" if is_linear(key) else "swap-api"
        params: Params = {"contract_code": contract_of(key), **more}
        return await self.http.get(f"/{family}/v1/{endpoint}", params, host="swaps")

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"status": "error", "err-code": "invalid-parameter", "err-msg": "invalid symbol"}` with status 200.

        Newer answers have a code and no status: `{"code": 200, "msg": "", "data": […]}`.
        """
        status, code = reply.body.get("status"), reply.body.get("code")
        refused = status.value == "error" if status is not None else code is not None and code.value != 200
        if not refused or reply.status == 429:
            return None
        said = ": ".join(str(part.value) for key in ERROR_KEYS if (part := reply.body.get(key)) is not None)
        kind = next((kind for part, kind in REFUSALS if part in said), None)
        return refusal(self.profile.id, reply, said, kind)


def wire_symbol(instrument: InstrumentId) -> str:
    """`btcusdt` for BTC/USDT."""
    return f"{instrument.base}{instrument.quote}".lower()


def newest_since(start: datetime, now: datetime, interval: Interval) -> int:
    """How many candles there are since *start*, the forming one included; 1 to 2,000."""
    return max(1, min(ceil((now - start) / interval.delta) + 1, ROWS))


def parse_merged(instruments: Sequence[InstrumentId], body: Row) -> list[Quote]:
    """One pair, by whatever names it is asked for, all of 24 hours; best prices are [price, size], or an empty list."""
    row, nothing = body["tick"], Row(body.provider, [None, None])
    bid, ask = row.get("bid") or nothing, row.get("ask") or nothing
    best = (bid.positive(0), bid.positive(1), ask.positive(0), ask.positive(1))
    asked = instruments if row["close"].value != 0 else ()
    return [_quote(instrument, body, row, best, window=row) for instrument in asked]


def parse_tickers(instruments: Sequence[InstrumentId], body: Row) -> list[Quote]:
    """All pairs: volumes are of 24 hours, but open, high and low of the day in Singapore, and are left out."""
    return [
        _quote(
            instrument,
            body,
            row,
            (row.positive("bid"), row.positive("bidSize"), row.positive("ask"), row.positive("askSize")),
            window=Row(body.provider, {}),
        )
        for instrument, row in priced(instruments, body["data"], wire_symbol, name="symbol", last="close")
    ]


def _quote(instrument: InstrumentId, body: Row, row: Row, best: tuple[Decimal | None, ...], *, window: Row) -> Quote:
    """`amount` is the volume and `vol` the turnover; *best* is bid, its size, ask, its size."""
    bid, bid_size, ask, ask_size = best
    last = row.decimal("close")
    return Quote(
        instrument=instrument,
        as_of=body.maybe_epoch("ts", "ms"),
        price=last,
        price_type=PriceType.LAST,
        bid=bid,
        ask=ask,
        bid_size=bid_size if bid else None,
        ask_size=ask_size if ask else None,
        last=last,
        open=window.positive("open"),
        high=window.positive("high"),
        low=window.positive("low"),
        volume=row.maybe("amount"),
        quote_volume=row.maybe("vol"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_candles(body: Row) -> Bars:
    """Newest first; `id` is the open time in seconds."""
    rows = body["data"]
    if not len(rows):
        return NO_BARS
    return rows.bars(
        time="id", open="open", high="high", low="low", close="close", volume="amount", quote_volume="vol",
        trade_count="count", unit="s",
    )  # fmt: skip


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """Levels are [price, size]."""
    book = body["tick"]
    return OrderBook(
        instrument=instrument,
        as_of=book.maybe_epoch("ts", "ms"),
        bids=levels(book["bids"]),
        asks=levels(book["asks"]),
        sequence=sequence(book, "version"),
    )


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """Newest first, in groups of one match, as on the socket."""
    trades = [parse_trade(row) for match in body["data"] for row in match["data"]]
    return ascending(trades, lambda trade: (trade.time, len(trade.id), trade.id))


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Symbols are in lower case; assets whose codes are not written in ASCII have no instrument id."""
    return tuple([_listing(row) for row in body["data"] if row.text("symbol").isascii()])


def _listing(row: Row) -> Listing:
    smallest, largest = row.positive("limit-order-min-order-amt"), row.positive("limit-order-max-order-amt")
    return Listing(
        instrument=crypto(row.text("base-currency"), row.text("quote-currency")),
        provider_symbol=row.text("symbol"),
        tick_size=step(row, "price-precision"),
        step_size=step(row, "amount-precision"),
        # The older names are still sent beside the new ones.
        min_size=row.positive("min-order-amt") if smallest is None else smallest,
        max_size=row.positive("max-order-amt") if largest is None else largest,
        min_notional=row.positive("min-order-value"),
        tradable=row.maybe_text("state") == "online" and row.maybe_text("api-trading") in (None, "enabled"),
    )
