"""Bybit: market data of spot pairs and perpetuals. Docs: https://bybit-exchange.github.io/docs/v5/market/tickers"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence
from datetime import timedelta

from providers.contract import Licence, Limit, Profile, Provider, Reply, answers
from providers.crypto._bybit_feed import BybitFeed, parse_quote, parse_trade
from providers.crypto._bybit_linear import (
    category_of,
    parse_contracts,
    parse_funding,
    parse_interest,
    perpetual,
    rows_of,
)
from providers.crypto._joined import is_pair_of, wire_symbol
from providers.crypto._perpetual import settled
from providers.crypto._spot import levels, priced, sequence
from providers.feeds import streams
from providers.row import Row, ascending
from schema.errors import Blocked, NotCovered, Overloaded, Throttled, Unauthorized, UnknownInstrument, UpstreamError
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

INTERVALS = {
    Interval.M1: "1", Interval.M3: "3", Interval.M5: "5", Interval.M15: "15", Interval.M30: "30", Interval.H1: "60",
    Interval.H2: "120", Interval.H4: "240", Interval.H6: "360", Interval.H12: "720", Interval.D1: "D",
    Interval.W1: "W", Interval.MO1: "M",
}  # fmt: skip
ROWS = 1000
DEEPEST = 200
MOST_PAGES = 5
CATEGORIES = ("spot", "linear")
MOST_TRADES = {"spot": 60, "linear": 1000}
SILENCE = timedelta(minutes=2)
QUOTE_ASSETS = ("AED", "BRL", "BTC", "BRZ", "DAI", "ETH", "EUR", "GBP", "MNT", "PLN", "TRY", "USDC", "USDE", "USDT")
# https://bybit-exchange.github.io/docs/v5/error
ERRORS: dict[str, type[UpstreamError]] = {
    "10000": Overloaded, "10002": Overloaded, "10003": Unauthorized, "10006": Throttled, "10009": Throttled,
    "10016": Overloaded, "10018": Throttled, "10429": Throttled,
}  # fmt: skip
# "access too frequent": every request is refused until the address has kept quiet for ten minutes.
BAN = 600.0


def covered(instrument: InstrumentId) -> bool:
    """A spot pair; perpetuals share the wire symbols and are told apart by the category."""
    return is_pair_of("bybit", instrument, QUOTE_ASSETS)


def askable(instrument: InstrumentId) -> bool:
    """A spot pair, or a perpetual."""
    return covered(instrument) or perpetual(instrument)


class Bybit(Provider):
    """Spot pairs and perpetuals; refusals come with status 200."""

    profile = Profile(
        id="bybit",
        name="Bybit",
        base_url="https://api.bybit.com",
        docs="https://bybit-exchange.github.io/docs/v5/market/tickers",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Bybit terms of service: own use and display; redistribution needs consent."),
        limits=(Limit(count=600, per=timedelta(seconds=5)),),
        priority=10,
    )

    @answers(QUOTES, covers=lambda ask: all(map(askable, ask.instruments)), max_batch=200)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Spot pairs and perpetuals have a list each."""
        parts = [[key for key in ask.instruments if category_of(key) == name] for name in CATEGORIES]
        asked = [part for part in parts if part]
        bodies = await gather(*map(self._tickers, asked))
        return [quote for part, body in zip(asked, bodies, strict=True) for quote in parse_quotes(part, body)]

    @answers(CANDLES, covers=lambda ask: askable(ask.instrument), intervals=tuple(INTERVALS), max_rows=ROWS)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Both ends are inclusive open times."""
        params: dict[str, str | int] = {
            "category": category_of(ask.instrument),
            "symbol": wire_symbol(ask.instrument),
            "interval": INTERVALS[ask.interval],
            "start": int(ask.start.timestamp()) * 1000,
            "end": int(ask.end.timestamp()) * 1000 - 1,
            "limit": ROWS,
        }
        return parse_candles(await self.http.get("/v5/market/kline", params))

    @answers(ORDER_BOOK, covers=lambda ask: askable(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Any depth up to 200."""
        body = await self.http.get("/v5/market/orderbook", _params(ask.instrument, min(ask.depth, DEEPEST)))
        return parse_book(ask.instrument, body)

    @answers(TRADES, covers=lambda ask: askable(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 60, of a perpetual 1,000."""
        most = MOST_TRADES[category_of(ask.instrument)]
        body = await self.http.get("/v5/market/recent-trade", _params(ask.instrument, min(ask.last, most)))
        return parse_trades(body)

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """All spot pairs come at once; contracts have pages."""
        pairs = parse_listings(await self.http.get("/v5/market/instruments-info", {"category": "spot"}))
        return (*pairs, *await self._contracts())

    @answers(FUNDING_RATES, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=200)
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """The rate that the next payment will have, in a ticker."""
        body = await self._tickers(ask.instruments)
        return [parse_funding(key, row, body) for key, row in rows_of(ask.instruments, body)]

    @answers(FUNDING_HISTORY, covers=lambda ask: perpetual(ask.instrument))
    async def funding_history(self, ask: FundingHistoryAsk) -> tuple[FundingRate, ...]:
        """The newest, at most 200; both ends are inclusive, and there may be no start without an end."""
        params: dict[str, str | int] = {
            "category": "linear", "symbol": wire_symbol(ask.instrument), "limit": min(ask.limit, 200)
        }  # fmt: skip
        if ask.start is not None:
            params["startTime"] = int(ask.start.timestamp()) * 1000
        if ask.start is not None or ask.end is not None:
            params["endTime"] = int((ask.end or self.clock.now()).timestamp()) * 1000
        body = await self.http.get("/v5/market/funding/history", params)
        return settled(ask, body["result"]["list"], rate="fundingRate", time="fundingRateTimestamp")

    @answers(OPEN_INTEREST, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=200)
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In coins, and what they are worth, in a ticker."""
        body = await self._tickers(ask.instruments)
        return [parse_interest(key, row, body) for key, row in rows_of(ask.instruments, body)]

    async def _contracts(self) -> list[Listing]:
        params = {"category": "linear", "limit": str(ROWS)}
        found: list[Listing] = []
        for _ in range(MOST_PAGES):
            body = await self.http.get("/v5/market/instruments-info", params)
            found += parse_contracts(body)
            cursor = body["result"].maybe_text("nextPageCursor") if "nextPageCursor" in body["result"] else None
            if not cursor:
                break
            params["cursor"] = cursor
        return found

    async def _tickers(self, instruments: Sequence[InstrumentId]) -> Row:
        """There is nothing between one and all of a category; the list of all cannot be spoiled by an unknown one."""
        symbols = set(map(wire_symbol, instruments))
        params = {"category": category_of(instruments[0])}
        if len(symbols) == 1:
            params["symbol"] = symbols.pop()
        return await self.http.get("/v5/market/tickers", params)

    @streams(QUOTES, feed=BybitFeed, covers=lambda ask: all(map(covered, ask.instruments)), silence=SILENCE)
    def quote_channel(self, ask: QuotesAsk) -> str:
        """The statistics; the best prices come beside them as they change."""
        return f"tickers.{wire_symbol(ask.instruments[0])}"

    @streams(CANDLES, feed=BybitFeed, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS))
    def candle_channel(self, ask: CandlesAsk) -> str:
        """The running candle as it changes, and once more when it is done."""
        return f"kline.{INTERVALS[ask.interval]}.{wire_symbol(ask.instrument)}"

    @streams(TRADES, feed=BybitFeed, covers=lambda ask: covered(ask.instrument))
    def trade_channel(self, ask: TradesAsk) -> str:
        """Each trade."""
        return f"publicTrade.{wire_symbol(ask.instrument)}"

    @streams(ORDER_BOOK, feed=BybitFeed, covers=lambda ask: covered(ask.instrument), silence=SILENCE)
    def book_channel(self, ask: OrderBookAsk) -> str:
        """200 levels of each side, five times a second."""
        return f"orderbook.{DEEPEST}.{wire_symbol(ask.instrument)}"

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"retCode": 10001, "retMsg": "Not supported symbols", …}`; code 0 is success."""
        code, message = reply.body.get("retCode"), reply.body.get("retMsg")
        if code is None or str(code.value) == "0":
            return self._explain_page(reply)
        if reply.status == 429:
            return None
        said = f"error {code.value}: {'' if message is None else message.value}"
        # 10001 is any wrong parameter; the message names it.
        if str(code.value) == "10001" and "symbol" in said.lower():
            return UnknownInstrument(self.profile.id, said)
        kind = ERRORS.get(str(code.value))
        if kind is None and reply.status < 300:
            kind = NotCovered
        return kind(self.profile.id, said, retry_after=self._pause(kind, reply)) if kind else None

    def _explain_page(self, reply: Reply) -> UpstreamError | None:
        if reply.status != 403 or not isinstance(reply.body.value, str):
            return None
        if "too frequent" in reply.body.value:
            return Throttled(self.profile.id, "HTTP 403: access too frequent", retry_after=BAN)
        if "from your country" in reply.body.value:
            return Blocked(self.profile.id, "HTTP 403: not served in this country")
        return None

    def _pause(self, kind: type[UpstreamError], reply: Reply) -> float | None:
        reset = reply.headers.get("x-bapi-limit-reset-timestamp", "")
        if kind is not Throttled or not reset.isdecimal() or len(reset) > 13:
            return None
        return min(max(0.0, int(reset) / 1000 - self.clock.now().timestamp()), BAN)


def _params(instrument: InstrumentId, limit: int) -> dict[str, str | int]:
    return {"category": category_of(instrument), "symbol": wire_symbol(instrument), "limit": limit}


def parse_quotes(instruments: Sequence[InstrumentId], body: Row) -> list[Quote]:
    """A pair that never traded has an empty price, or one of zero."""
    found = priced(instruments, body["result"]["list"], wire_symbol, name="symbol", last="lastPrice")
    return [parse_quote(instrument, row, body.maybe_epoch("time", "ms")) for instrument, row in found]


def parse_candles(body: Row) -> Bars:
    """Newest first: [time, open, high, low, close, volume, turnover]."""
    bars = body["result"]["list"].bars(time=0, open=1, high=2, low=3, close=4, volume=5, quote_volume=6)
    return bars if len(bars) else NO_BARS


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """Levels are [price, size]."""
    book = body["result"]
    return OrderBook(
        instrument=instrument,
        as_of=book.maybe_epoch("ts", "ms"),
        bids=levels(book["b"]),
        asks=levels(book["a"]),
        sequence=sequence(book, "u"),
    )


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """Newest first."""
    trades = [parse_trade(row) for row in body["result"]["list"]]
    return ascending(trades[::-1], lambda trade: trade.time)


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Only what is traded is listed."""
    return tuple([_listing(row) for row in body["result"]["list"] if row.text("symbol").isascii()])


def _listing(row: Row) -> Listing:
    lot, price = row["lotSizeFilter"], row["priceFilter"]
    largest = lot.positive("maxLimitOrderQty")
    return Listing(
        instrument=crypto(row.text("baseCoin"), row.text("quoteCoin")),
        provider_symbol=row.text("symbol"),
        tick_size=price.positive("tickSize"),
        step_size=lot.positive("basePrecision"),
        min_size=lot.positive("minOrderQty"),
        # The older name is still sent beside the new one, and no longer enforced.
        max_size=lot.positive("maxOrderQty") if largest is None else largest,
        min_notional=lot.positive("minOrderAmt"),
        tradable=row.maybe_text("status") == "Trading",
    )
