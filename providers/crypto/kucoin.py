"""KuCoin: spot market data. Docs: https://www.kucoin.com/docs-new/rest/spot-trading/market-data/introduction"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from providers.contract import Licence, Limit, Params, Profile, Provider, Reply, Usage, answers
from providers.crypto._kucoin_feed import CANDLES_OF, DEPTH_OF, MATCH, TICKER, KucoinFeed, parse_statistics, parse_trade
from providers.crypto._perpetual import is_linear_of, settled
from providers.crypto._spot import is_spot_of, levels, matched, priced, refusal, rows_of, sequence, wait
from providers.feeds import streams
from providers.row import Row, ascending
from schema.errors import Blocked, Overloaded, Throttled, Unauthorized, UnknownInstrument, UpstreamError
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
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.trades import TRADES, Trade, TradesAsk

# There are weeks and months too, but nothing says which day they are counted from.
INTERVALS = {
    Interval.M1: "1min", Interval.M3: "3min", Interval.M5: "5min", Interval.M15: "15min", Interval.M30: "30min",
    Interval.H1: "1hour", Interval.H2: "2hour", Interval.H4: "4hour", Interval.H6: "6hour", Interval.H8: "8hour",
    Interval.H12: "12hour", Interval.D1: "1day",
}  # fmt: skip
ROWS = 1500
SUCCESS = "200000"
# Of contracts alone: spot pairs have the common name.
WIRE = {"BTC": "XBT"}
INTERVAL = timedelta(hours=8)
POOL = Limit(count=2000, per=timedelta(seconds=30), unit="weight")
# https://www.kucoin.com/docs-new/error-code
ERRORS: dict[str, type[UpstreamError]] = {
    "400001": Unauthorized, "400002": Unauthorized, "400003": Unauthorized, "400004": Unauthorized,
    "400005": Unauthorized, "400006": Unauthorized, "400007": Unauthorized, "400302": Blocked, "429000": Throttled,
    "500000": Overloaded, "503000": Overloaded, "900001": UnknownInstrument,
}  # fmt: skip
CURRENCIES = ("AUD", "BRL", "EUR", "GBP", "TRY")


def covered(instrument: InstrumentId) -> bool:
    """Any spot pair: the wire symbol has a dash, so it cannot be misread."""
    return is_spot_of("kucoin", instrument, CURRENCIES)


def perpetual(instrument: InstrumentId) -> bool:
    """A perpetual that settles in USDT or USDC, by the names that are ours."""
    return is_linear_of("kucoin", instrument, ("USDC", "USDT")) and instrument.base not in WIRE.values()


class Kucoin(Provider):
    """Spot exchange; limits are counted in weights, and refusals may come with status 200."""

    profile = Profile(
        id="kucoin",
        name="KuCoin",
        base_url="https://api.kucoin.com",
        docs="https://www.kucoin.com/docs-new/rest/spot-trading/market-data/introduction",
        asset_classes=(AssetClass.CRYPTO,),
        hosts={"futures": "https://api-futures.kucoin.com"},
        licence=Licence(note="KuCoin terms of use: own use and display; redistribution needs consent."),
        limits=(POOL,),
        usage=(Usage(header="gw-ratelimit-remaining", limit=POOL, remaining=True),),
        priority=20,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=200, weight=15)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """One pair or all of them weigh the same; the list of all has the sizes at the best prices as well."""
        symbols = set(map(wire_symbol, ask.instruments))
        if len(symbols) == 1:
            body = (await self.http.get("/api/v1/market/stats", {"symbol": symbols.pop()}))["data"]
            return parse_quotes(ask.instruments, [body], body)
        body = (await self.http.get("/api/v1/market/allTickers"))["data"]
        return parse_quotes(ask.instruments, body["ticker"], body)

    @answers(CANDLES, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS), max_rows=ROWS, weight=3)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """A second less keeps the candle that opens at the end away."""
        params: Params = {
            "symbol": wire_symbol(ask.instrument),
            "type": INTERVALS[ask.interval],
            "startAt": int(ask.start.timestamp()),
            "endAt": int(ask.end.timestamp()) - 1,
        }
        return parse_candles(await self.http.get("/api/v1/market/candles", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument), weight=lambda ask: 2 if ask.depth <= 20 else 4)
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Twenty levels or a hundred; the whole book needs a key."""
        path = f"/api/v1/market/orderbook/level2_{20 if ask.depth <= 20 else 100}"
        return parse_book(ask.instrument, await self.http.get(path, {"symbol": wire_symbol(ask.instrument)}))

    @answers(TRADES, covers=lambda ask: covered(ask.instrument), weight=3)
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """Always the newest hundred."""
        return parse_trades(await self.http.get("/api/v1/market/histories", {"symbol": wire_symbol(ask.instrument)}))

    @answers(INSTRUMENTS, weight=4)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """All pairs of all markets."""
        return parse_listings(await self.http.get("/api/v2/symbols"))

    @answers(FUNDING_RATES, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=200, weight=3)
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """The rate that the next payment will have, among the facts of a contract."""
        return [parse_funding(key, row) for key, row in await self._contracts(ask.instruments)]

    @answers(FUNDING_HISTORY, covers=lambda ask: perpetual(ask.instrument), weight=5)
    async def funding_history(self, ask: FundingHistoryAsk) -> tuple[FundingRate, ...]:
        """A range must be given: without one it is as long as the limit says at most."""
        end = ask.end or self.clock.now()
        start = ask.start or end - INTERVAL * ask.limit
        params: Params = {
            "symbol": contract_of(ask.instrument),
            "from": int(start.timestamp()) * 1000,
            "to": int(end.timestamp()) * 1000,
        }
        rows = (await self.http.get("/api/v1/contract/funding-rates", params, host="futures"))["data"]
        return settled(ask, rows if rows else [], rate="fundingRate", time="timepoint")

    @answers(OPEN_INTEREST, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=200, weight=3)
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In contracts, whose size differs from one perpetual to the next."""
        found = await self._contracts(ask.instruments)
        return [OpenInterest(instrument=key, contracts=row.decimal("openInterest")) for key, row in found]

    async def _contracts(self, instruments: tuple[InstrumentId, ...]) -> list[tuple[InstrumentId, Row]]:
        names = set(map(contract_of, instruments))
        one = names.pop() if len(names) == 1 else "active"
        data = (await self.http.get(f"/api/v1/contracts/{one}", host="futures"))["data"]
        return matched(instruments, rows_of(data), contract_of, name="symbol")

    @streams(
        QUOTES,
        feed=KucoinFeed,
        covers=lambda ask: all(map(covered, ask.instruments)),
        silence=timedelta(minutes=2),
    )
    def quote_channel(self, ask: QuotesAsk) -> str:
        """Best prices as they change, and statistics every two seconds."""
        return f"{TICKER}{wire_symbol(ask.instruments[0])}"

    @streams(CANDLES, feed=KucoinFeed, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS))
    def candle_channel(self, ask: CandlesAsk) -> str:
        """The running candle as it changes."""
        return f"{CANDLES_OF}{wire_symbol(ask.instrument)}_{INTERVALS[ask.interval]}"

    @streams(TRADES, feed=KucoinFeed, covers=lambda ask: covered(ask.instrument))
    def trade_channel(self, ask: TradesAsk) -> str:
        """One frame for each trade."""
        return f"{MATCH}{wire_symbol(ask.instrument)}"

    # Nothing is pushed while nothing changes.
    @streams(ORDER_BOOK, feed=KucoinFeed, covers=lambda ask: covered(ask.instrument), silence=timedelta(minutes=5))
    def book_channel(self, ask: OrderBookAsk) -> str:
        """The best fifty levels, ten times a second."""
        return f"{DEPTH_OF}{wire_symbol(ask.instrument)}"

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"code": "900001", "msg": "The symbol not exists."}`; code 200000 is success."""
        code, message = reply.body.get("code"), reply.body.get("msg")
        if reply.status == 429 and (pause := wait(reply, "gw-ratelimit-reset")) is not None:
            return Throttled(self.profile.id, "HTTP 429: the pool is used up", retry_after=pause)
        if code is None or str(code.value) == SUCCESS or reply.status == 429:
            return None
        said = f"error {code.value}: {'' if message is None else message.value}"
        kind = ERRORS.get(str(code.value))
        # 400100 is any wrong parameter, 100001 one of contracts; the message says which.
        if str(code.value) in ("400100", "100001") and any(word in said.lower() for word in ("symbol", "pair")):
            kind = UnknownInstrument
        return refusal(self.profile.id, reply, said, kind)


def wire_symbol(instrument: InstrumentId) -> str:
    """`BTC-USDT` for BTC/USDT."""
    return f"{instrument.base}-{instrument.quote}"


def contract_of(instrument: InstrumentId) -> str:
    """`XBTUSDTM` for BTC/USDT:USDT."""
    return f"{WIRE.get(instrument.base, instrument.base)}{instrument.quote}M"


def parse_quotes(instruments: Sequence[InstrumentId], rows: Iterable[Row], body: Row) -> list[Quote]:
    """The whole answer has one time; an unknown pair's own statistics are all null."""
    return [
        parse_quote(instrument, row, body)
        for instrument, row in priced(instruments, rows, wire_symbol, name="symbol", last="last")
    ]


def parse_quote(instrument: InstrumentId, row: Row, body: Row) -> Quote:
    """A row of the list of all pairs, which has the sizes too, and one time for all."""
    quote = parse_statistics(instrument, row, "last")
    return replace(
        quote,
        as_of=body.maybe_epoch("time", "ms"),
        bid_size=row.positive("bestBidSize") if quote.bid else None,
        ask_size=row.positive("bestAskSize") if quote.ask else None,
    )


def parse_candles(body: Row) -> Bars:
    """Newest first: [time in seconds, open, CLOSE, high, low, volume, turnover]."""
    rows = body["data"]
    if not len(rows):
        return NO_BARS
    return rows.bars(time=0, open=1, close=2, high=3, low=4, volume=5, quote_volume=6, unit="s")


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """Levels are [price, size]."""
    book = body["data"]
    return OrderBook(
        instrument=instrument,
        as_of=book.maybe_epoch("time", "ms"),
        bids=levels(book["bids"]),
        asks=levels(book["asks"]),
        sequence=sequence(book, "sequence"),
    )


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """The same as on the socket."""
    return ascending([parse_trade(row) for row in body["data"]], lambda trade: (trade.time, len(trade.id), trade.id))


def parse_funding(instrument: InstrumentId, row: Row) -> FundingRate:
    """`predictedFundingFeeRate` is that of the payment after the next."""
    return FundingRate(
        instrument=instrument,
        rate=row.decimal("fundingFeeRate"),
        time=row.epoch("nextFundingRateDateTime", "ms"),
        settled=False,
        interval_ms=row.integer("fundingRateGranularity"),
        mark_price=row.positive("markPrice"),
        index_price=row.positive("indexPrice"),
    )


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """A symbol keeps the names that its assets had when it was listed; only pairs under their present names count."""
    listings = [_listing(row) for row in body["data"] if row.text("symbol").isascii()]
    return tuple([listing for listing in listings if wire_symbol(listing.instrument) == listing.provider_symbol])


def _listing(row: Row) -> Listing:
    return Listing(
        instrument=crypto(row.text("baseCurrency"), row.text("quoteCurrency")),
        provider_symbol=row.text("symbol"),
        tick_size=row.positive("priceIncrement"),
        step_size=row.positive("baseIncrement"),
        min_size=row.positive("baseMinSize"),
        max_size=row.positive("baseMaxSize"),
        min_notional=row.positive("minFunds" if "minFunds" in row else "quoteMinSize"),
        tradable=row.flag("enableTrading"),
    )
