"""MEXC: spot market data. Docs: https://www.mexc.com/api-docs/spot-v3/market-data-endpoints"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from providers.contract import Licence, Limit, Params, Profile, Provider, Reply, answers
from providers.crypto._joined import is_pair_of, wire_symbol
from providers.crypto._perpetual import HOUR_MS, is_linear_of, settled
from providers.crypto._spot import levels, made_id, percent, priced, refusal, rows_of, sequence, step
from providers.row import Row, ascending
from schema.errors import Overloaded, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId, crypto
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.candles import CANDLES, NO_BARS, Bars, CandlesAsk
from schema.words.derivatives import (
    FUNDING_HISTORY,
    FUNDING_RATES,
    OPEN_INTEREST,
    FundingHistoryAsk,
    FundingRate,
    FundingRatesAsk,
    OpenInterest,
    OpenInterestAsk,
)
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, Listing
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.trades import TRADES, Side, Trade, TradesAsk

# There are days, weeks and months too, but nothing says which hour they are counted from.
INTERVALS = {
    Interval.M1: "1m", Interval.M5: "5m", Interval.M15: "15m", Interval.M30: "30m", Interval.H1: "60m",
    Interval.H4: "4h",
}  # fmt: skip
ROWS = 500
DEEPEST = 5000
QUOTE_ASSETS = ("BRL", "BTC", "ETH", "EUR", "TRY", "TUSD", "USD1", "USDC", "USDE", "USDF", "USDT")
ONLINE = frozenset({"1", "ENABLED"})
# https://www.mexc.com/api-docs/spot-v3/general-info#error-code
ERRORS: dict[int, type[UpstreamError]] = {
    -1121: UnknownInstrument, 1001: UnknownInstrument, 10007: UnknownInstrument, 30014: UnknownInstrument,
    400: Unauthorized, 401: Unauthorized, 602: Unauthorized, 10072: Unauthorized, 10073: Unauthorized,
    700002: Unauthorized, 700006: Unauthorized, 700007: Unauthorized, 429: Throttled, 510: Throttled,
    500: Overloaded, 503: Overloaded, 504: Overloaded, 730001: Overloaded,
}  # fmt: skip


def covered(instrument: InstrumentId) -> bool:
    """A spot pair whose wire symbol cannot mean another one."""
    return is_pair_of("mexc", instrument, QUOTE_ASSETS)


def perpetual(instrument: InstrumentId) -> bool:
    """A perpetual that settles in USDT or USDC."""
    return is_linear_of("mexc", instrument, ("USDC", "USDT"))


class Mexc(Provider):
    """Spot exchange; much like Binance on the wire, but not in its units."""

    profile = Profile(
        id="mexc",
        name="MEXC",
        base_url="https://api.mexc.com",
        docs="https://www.mexc.com/api-docs/spot-v3/market-data-endpoints",
        asset_classes=(AssetClass.CRYPTO,),
        hosts={"contracts": "https://contract.mexc.com"},
        licence=Licence(note="MEXC user agreement: own use and display; redistribution needs consent."),
        limits=(Limit(count=500, per=timedelta(seconds=10), unit="weight"),),
        priority=20,
    )

    @answers(
        QUOTES,
        covers=lambda ask: all(map(covered, ask.instruments)),
        max_batch=200,
        weight=lambda ask: 1 if len(set(ask.instruments)) == 1 else 40,
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """There is nothing between one pair and all of them; the list of all cannot be spoiled by an unknown one."""
        symbols = set(map(wire_symbol, ask.instruments))
        params = {"symbol": symbols.pop()} if len(symbols) == 1 else None
        return parse_quotes(ask.instruments, await self.http.get("/api/v3/ticker/24hr", params))

    @answers(CANDLES, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS), max_rows=ROWS)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Both ends are inclusive open times."""
        params: Params = {
            "symbol": wire_symbol(ask.instrument),
            "interval": INTERVALS[ask.interval],
            "startTime": int(ask.start.timestamp()) * 1000,
            "endTime": int(ask.end.timestamp()) * 1000 - 1,
            "limit": ROWS,
        }
        return parse_candles(await self.http.get("/api/v3/klines", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Any depth up to 5,000, for the same weight."""
        params: Params = {"symbol": wire_symbol(ask.instrument), "limit": min(ask.depth, DEEPEST)}
        return parse_book(ask.instrument, await self.http.get("/api/v3/depth", params))

    @answers(TRADES, covers=lambda ask: covered(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 1,000."""
        params: Params = {"symbol": wire_symbol(ask.instrument), "limit": min(ask.last, 1000)}
        return parse_trades(await self.http.get("/api/v3/aggTrades", params))

    @answers(INSTRUMENTS, weight=10)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """All pairs."""
        return parse_listings(await self.http.get("/api/v3/exchangeInfo"))

    @answers(FUNDING_RATES, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=1)
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """The rate that the next payment will have."""
        key = ask.instruments[0]
        body = await self._contract(f"funding_rate/{contract_of(key)}", None)
        return [parse_funding(key, body["data"])]

    @answers(FUNDING_HISTORY, covers=lambda ask: perpetual(ask.instrument))
    async def funding_history(self, ask: FundingHistoryAsk) -> tuple[FundingRate, ...]:
        """One page of the newest, at most 100."""
        params: Params = {"symbol": contract_of(ask.instrument), "page_num": 1, "page_size": min(ask.limit, 100)}
        rows = (await self._contract("funding_rate/history", params))["data"]["resultList"]
        return settled(ask, rows, rate="fundingRate", time="settleTime")

    @answers(OPEN_INTEREST, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=1)
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In contracts, whose size differs from one perpetual to the next."""
        key = ask.instruments[0]
        row = (await self._contract("ticker", {"symbol": contract_of(key)}))["data"]
        as_of = row.maybe_epoch("timestamp", "ms")
        return [OpenInterest(instrument=key, as_of=as_of, contracts=row.decimal("holdVol"))]

    async def _contract(self, endpoint: str, params: Params | None) -> Row:
        return await self.http.get(f"/api/v1/contract/{endpoint}", params, host="contracts")

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"code": -1121, "msg": "Invalid symbol."}` with status 400; of contracts `message`, with status 200."""
        code, message = reply.body.get("code"), reply.body.get("msg") or reply.body.get("message")
        if code is None or type(code.value) is not int or code.value in (0, 200) or reply.status == 429:
            return None
        said = f"error {code.value}: {'' if message is None else message.value}"
        return refusal(self.profile.id, reply, said, ERRORS.get(code.value))


def contract_of(instrument: InstrumentId) -> str:
    """`BTC_USDT` for BTC/USDT:USDT."""
    return f"{instrument.base}_{instrument.quote}"


def parse_quotes(instruments: Sequence[InstrumentId], body: Row) -> list[Quote]:
    """One symbol is answered with an object, all of them with a list; one that never traded has no price."""
    found = priced(instruments, rows_of(body), wire_symbol, name="symbol", last="lastPrice")
    return [parse_quote(instrument, row) for instrument, row in found]


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """Unlike on Binance the change is a fraction."""
    last = row.decimal("lastPrice")
    bid, ask = row.positive("bidPrice"), row.positive("askPrice")
    return Quote(
        instrument=instrument,
        as_of=row.maybe_epoch("closeTime", "ms"),
        price=last,
        price_type=PriceType.LAST,
        bid=bid,
        ask=ask,
        bid_size=row.positive("bidQty") if bid else None,
        ask_size=row.positive("askQty") if ask else None,
        last=last,
        open=row.positive("openPrice"),
        high=row.positive("highPrice"),
        low=row.positive("lowPrice"),
        change=row.maybe("priceChange"),
        change_percent=percent(row, "priceChangePercent"),
        volume=row.maybe("volume"),
        quote_volume=row.maybe("quoteVolume"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_candles(body: Row) -> Bars:
    """Rows are [open time, open, high, low, close, volume, close time, quote volume]."""
    return body.bars(time=0, open=1, high=2, low=3, close=4, volume=5, quote_volume=7) if len(body) else NO_BARS


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """Levels are [price, size]."""
    return OrderBook(
        instrument=instrument,
        as_of=body.maybe_epoch("timestamp", "ms"),
        bids=levels(body["bids"]),
        asks=levels(body["asks"]),
        sequence=sequence(body, "lastUpdateId"),
    )


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """Newest first, and without ids."""
    return ascending([_trade(row) for row in body][::-1], lambda trade: trade.time)


def _trade(row: Row) -> Trade:
    return Trade(
        id=made_id(row, "T", "p", "q") if row.get("a") is None else row.label("a"),
        time=row.epoch("T", "ms"),
        price=row.decimal("p"),
        size=row.decimal("q"),
        # The buyer was waiting in the book: then the taker sold.
        side=Side.SELL if row.flag("m") else Side.BUY,
    )


def parse_funding(instrument: InstrumentId, row: Row) -> FundingRate:
    """The interval is in hours."""
    hours = row.maybe("collectCycle")
    return FundingRate(
        instrument=instrument,
        as_of=row.maybe_epoch("timestamp", "ms"),
        rate=row.decimal("fundingRate"),
        time=row.epoch("nextSettleTime", "ms"),
        settled=False,
        interval_ms=None if hours is None else int(hours * HOUR_MS),
    )


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Assets whose codes are not written in ASCII have no instrument id."""
    return tuple([_listing(row) for row in body["symbols"] if row.text("symbol").isascii()])


def _listing(row: Row) -> Listing:
    allowed = row.get("isSpotTradingAllowed")
    return Listing(
        instrument=crypto(row.text("baseAsset"), row.text("quoteAsset")),
        provider_symbol=row.text("symbol"),
        name=row.maybe_text("fullName"),
        tick_size=step(row, "quotePrecision"),
        step_size=step(row, "baseAssetPrecision"),
        # Not a number of places like the others: the smallest order in the base, and in the quote asset.
        min_size=row.positive("baseSizePrecision"),
        min_notional=row.positive("quoteAmountPrecision"),
        tradable=row.maybe_text("status") in ONLINE and (allowed is None or allowed.flag()),
    )
