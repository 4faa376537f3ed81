"""Bitget: spot market data. Docs: https://www.bitget.com/api-doc/spot/market/Get-Tickers"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from providers.contract import Licence, Params, Profile, Provider, Reply, answers, per_second
from providers.crypto._bitget_feed import BARS, BitgetFeed, parse_quote, parse_trades
from providers.crypto._joined import is_pair_of, wire_symbol
from providers.crypto._perpetual import HOUR_MS, is_linear_of, settled
from providers.crypto._spot import levels, priced, refusal, step
from providers.feeds import streams
from providers.row import Row
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
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.trades import TRADES, Trade, TradesAsk

# Without "utc" six hours and more are counted from midnight in Hong Kong. Nothing says which day the three-day
# candles are counted from.
INTERVALS = {
    Interval.M1: "1min", Interval.M3: "3min", Interval.M5: "5min", Interval.M15: "15min", Interval.M30: "30min",
    Interval.H1: "1h", Interval.H4: "4h", Interval.H6: "6Hutc", Interval.H12: "12Hutc", Interval.D1: "1Dutc",
    Interval.W1: "1Wutc", Interval.MO1: "1Mutc",
}  # fmt: skip
ROWS = 1000
DEEPEST = 150
SILENCE = timedelta(minutes=2)
# How many days of the shorter candles there are.
DAYS = {
    Interval.M1: 30, Interval.M3: 30, Interval.M5: 30, Interval.M15: 52, Interval.M30: 62, Interval.H1: 83,
    Interval.H4: 240, Interval.H6: 360,
}  # fmt: skip
QUOTE_ASSETS = ("BGB", "BRL", "BTC", "ETH", "EUR", "TRY", "UAH", "USD1", "USDC", "USDE", "USDT")
SUCCESS = "00000"
# https://www.bitget.com/api-doc/spot/error-code/restapi
ERRORS: dict[str, type[UpstreamError]] = {
    "40006": Unauthorized, "40009": Unauthorized, "40012": Unauthorized, "40014": Unauthorized, "40018": Unauthorized,
    "40037": Unauthorized, "40309": UnknownInstrument, "429": Throttled, "30007": Throttled, "40010": Overloaded,
    "40015": Overloaded, "40200": Overloaded, "40725": Overloaded, "45001": Overloaded,
}  # fmt: skip
# Wrong parameters: the message says which.
WRONG = frozenset({"40017", "40019", "40020", "40034", "400171", "400172"})


def covered(instrument: InstrumentId) -> bool:
    """A spot pair whose wire symbol cannot mean another one."""
    return is_pair_of("bitget", instrument, QUOTE_ASSETS)


def perpetual(instrument: InstrumentId) -> bool:
    """A perpetual that settles in USDT; the others have symbols of another kind."""
    return is_linear_of("bitget", instrument)


class Bitget(Provider):
    """Spot exchange; everything on its wire is a text."""

    profile = Profile(
        id="bitget",
        name="Bitget",
        base_url="https://api.bitget.com",
        docs="https://www.bitget.com/api-doc/spot/intro",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Bitget terms of use: own use and display; redistribution needs consent."),
        # Each endpoint has its own: this is that of candles and tickers; instruments have a sixth of it.
        limits=(per_second(20),),
        priority=20,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=200)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """There is nothing between one pair and all of them; the list of all cannot be spoiled by an unknown one."""
        symbols = set(map(wire_symbol, ask.instruments))
        params = {"symbol": symbols.pop()} if len(symbols) == 1 else None
        return parse_quotes(ask.instruments, await self.http.get("/api/v2/spot/market/tickers", params))

    @answers(
        CANDLES,
        covers=lambda ask: covered(ask.instrument),
        intervals=tuple(INTERVALS),
        max_rows=ROWS,
        reach=lambda interval: timedelta(days=DAYS[interval]) if interval in DAYS else None,
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Both ends are open times; a millisecond less keeps the candle that opens at the end away."""
        params: Params = {
            "symbol": wire_symbol(ask.instrument),
            "granularity": INTERVALS[ask.interval],
            "startTime": int(ask.start.timestamp()) * 1000,
            "endTime": int(ask.end.timestamp()) * 1000 - 1,
            "limit": ROWS,
        }
        return parse_candles(await self.http.get("/api/v2/spot/market/candles", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Any depth up to 150."""
        params: Params = {
            "symbol": wire_symbol(ask.instrument),
            "type": "step0",
            "limit": min(ask.depth, DEEPEST),
        }
        return parse_book(ask.instrument, await self.http.get("/api/v2/spot/market/orderbook", params))

    @answers(TRADES, covers=lambda ask: covered(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 1,000."""
        params: Params = {"symbol": wire_symbol(ask.instrument), "limit": min(ask.last, 1000)}
        return parse_trades((await self.http.get("/api/v2/spot/market/fills-history", params))["data"])

    @answers(INSTRUMENTS, weight=6)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """All spot pairs."""
        return parse_listings(await self.http.get("/api/v2/spot/public/symbols"))

    @answers(FUNDING_RATES, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=1)
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """The rate that the next payment will have."""
        body = await self._mix("current-fund-rate", ask.instruments[0])
        return [parse_funding(ask.instruments[0], row, body) for row in body["data"]]

    @answers(FUNDING_HISTORY, covers=lambda ask: perpetual(ask.instrument))
    async def funding_history(self, ask: FundingHistoryAsk) -> tuple[FundingRate, ...]:
        """One page of the newest, at most 100."""
        body = await self._mix("history-fund-rate", ask.instrument, pageSize=min(ask.limit, 100))
        return settled(ask, body["data"], rate="fundingRate", time="fundingTime")

    @answers(OPEN_INTEREST, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=1)
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In coins."""
        data = (await self._mix("open-interest", ask.instruments[0]))["data"]
        as_of = data.maybe_epoch("ts", "ms")
        rows = data["openInterestList"]
        return [OpenInterest(instrument=ask.instruments[0], as_of=as_of, amount=row.decimal("size")) for row in rows]

    async def _mix(self, endpoint: str, instrument: InstrumentId, **more: int) -> Row:
        params: Params = {"symbol": wire_symbol(instrument), "productType": "USDT-FUTURES", **more}
        return await self.http.get(f"/api/v2/mix/market/{endpoint}", params)

    @streams(QUOTES, feed=BitgetFeed, covers=lambda ask: all(map(covered, ask.instruments)), silence=SILENCE)
    def quote_channel(self, ask: QuotesAsk) -> str:
        """A few times a second, while it changes."""
        return f"ticker:{wire_symbol(ask.instruments[0])}"

    @streams(CANDLES, feed=BitgetFeed, covers=lambda ask: covered(ask.instrument), intervals=tuple(BARS))
    def candle_channel(self, ask: CandlesAsk) -> str:
        """Those of the past, then the running one as it changes."""
        return f"candle{BARS[ask.interval]}:{wire_symbol(ask.instrument)}"

    @streams(TRADES, feed=BitgetFeed, covers=lambda ask: covered(ask.instrument))
    def trade_channel(self, ask: TradesAsk) -> str:
        """The last ones, then each."""
        return f"trade:{wire_symbol(ask.instrument)}"

    @streams(ORDER_BOOK, feed=BitgetFeed, covers=lambda ask: covered(ask.instrument), silence=SILENCE)
    def book_channel(self, ask: OrderBookAsk) -> str:
        """All levels, five times a second."""
        return f"books:{wire_symbol(ask.instrument)}"

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"code": "40034", "msg": "Parameter symbol does not exist", …}`; code 00000 is success."""
        code, message = reply.body.get("code"), reply.body.get("msg")
        if code is None or str(code.value) == SUCCESS or reply.status == 429:
            return None
        said = f"error {code.value}: {'' if message is None else message.value}"
        kind = ERRORS.get(str(code.value))
        if str(code.value) in WRONG and ("symbol" in said.lower() or "does not exist" in said):
            kind = UnknownInstrument
        return refusal(self.profile.id, reply, said, kind)


def parse_quotes(instruments: Sequence[InstrumentId], body: Row) -> list[Quote]:
    """A pair that never traded has an empty price, or one of zero."""
    found = priced(instruments, body["data"], wire_symbol, name="symbol", last="lastPr")
    return [parse_quote(instrument, row) for instrument, row in found]


def parse_candles(body: Row) -> Bars:
    """Ascending: [time, open, high, low, close, volume, turnover in USDT, turnover]."""
    bars = body["data"].bars(time=0, open=1, high=2, low=3, close=4, volume=5, quote_volume=7)
    return bars if len(bars) else NO_BARS


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """Levels are [price, size]; there is no sequence."""
    book = body["data"]
    return OrderBook(
        instrument=instrument,
        as_of=book.maybe_epoch("ts", "ms"),
        bids=levels(book["bids"]),
        asks=levels(book["asks"]),
    )


def parse_funding(instrument: InstrumentId, row: Row, body: Row) -> FundingRate:
    """The interval is in hours."""
    hours = row.maybe("fundingRateInterval")
    return FundingRate(
        instrument=instrument,
        as_of=body.maybe_epoch("requestTime", "ms"),
        rate=row.decimal("fundingRate"),
        time=row.epoch("nextUpdate", "ms"),
        settled=False,
        interval_ms=None if hours is None else int(hours * HOUR_MS),
    )


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Assets whose codes are not written in ASCII have no instrument id."""
    return tuple([_listing(row) for row in body["data"] if row.text("symbol").isascii()])


def _listing(row: Row) -> Listing:
    quote = row.text("quoteCoin")
    return Listing(
        instrument=crypto(row.text("baseCoin"), quote),
        provider_symbol=row.text("symbol"),
        tick_size=step(row, "pricePrecision"),
        step_size=step(row, "quantityPrecision"),
        min_size=row.positive("minTradeAmount"),
        max_size=row.positive("maxTradeAmount"),
        # Told in USDT whatever the quote asset is.
        min_notional=row.positive("minTradeUSDT") if quote == "USDT" else None,
        tradable=row.maybe_text("status") == "online",
    )
