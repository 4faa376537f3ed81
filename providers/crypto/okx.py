"""OKX: market data of spot pairs and perpetuals. Docs: https://www.okx.com/docs-v5/en/#order-book-trading-market-data"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence
from datetime import datetime, timedelta

from providers.contract import Licence, Limit, Profile, Provider, Reply, answers
from providers.crypto._okx_feed import OkxCandleFeed, OkxFeed, parse_quote, parse_trade
from providers.crypto._okx_swaps import (
    is_linear,
    name_of,
    parse_funding,
    parse_interest,
    parse_liquidations,
    perpetual,
    swap_of,
    wire_symbol,
)
from providers.crypto._perpetual import settled
from providers.crypto._spot import is_spot_of, levels, matched, priced, sequence
from providers.feeds import streams
from providers.row import Row, ascending
from schema.errors import NotCovered, Overloaded, Throttled, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId, crypto
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.candles import CANDLES, NO_BARS, Bars, CandlesAsk, join_bars
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
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.trades import TRADES, Trade, TradesAsk

# Without "utc" six hours and more are counted from midnight in Hong Kong. Nothing says which day the two- and
# three-day candles are counted from.
INTERVALS = {
    Interval.M1: "1m", Interval.M3: "3m", Interval.M5: "5m", Interval.M15: "15m", Interval.M30: "30m",
    Interval.H1: "1H", Interval.H2: "2H", Interval.H4: "4H", Interval.H6: "6Hutc", Interval.H12: "12Hutc",
    Interval.D1: "1Dutc", Interval.W1: "1Wutc", Interval.MO1: "1Mutc",
}  # fmt: skip
ROWS = 300
RECENT = 1440
CURRENCIES = ("AED", "AUD", "BRL", "EUR", "SGD", "TRY", "USD")
SILENCE = timedelta(minutes=2)
# https://www.okx.com/docs-v5/en/#error-code-rest-api
ERRORS: dict[str, type[UpstreamError]] = {
    "50001": Overloaded, "50004": Overloaded, "50005": Overloaded, "50011": Throttled, "50013": Overloaded,
    "50026": Overloaded, "50040": Throttled, "50061": Throttled, "51001": UnknownInstrument,
}  # fmt: skip


def covered(instrument: InstrumentId) -> bool:
    """Any spot pair: the wire symbol has a dash, so it cannot be misread."""
    return is_spot_of("okx", instrument, CURRENCIES)


def priced_here(instrument: InstrumentId) -> bool:
    """A spot pair, or a perpetual that settles in a dollar token. Of those, trades and books are in contracts."""
    return covered(instrument) or is_linear(instrument)


class Okx(Provider):
    """Spot pairs, and prices of perpetuals; everything on its wire is a text, and refusals come with status 200."""

    profile = Profile(
        id="okx",
        name="OKX",
        base_url="https://www.okx.com",
        docs="https://www.okx.com/docs-v5/en/#order-book-trading-market-data",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="OKX terms of service: own use and display; redistribution needs consent."),
        # Each endpoint has its own: this is the tightest, the others allow twice as much and more.
        limits=(Limit(count=20, per=timedelta(seconds=2)),),
        priority=10,
    )

    @answers(QUOTES, covers=lambda ask: all(map(priced_here, ask.instruments)), max_batch=200)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Spot pairs and perpetuals have a list each."""
        pairs = [instrument for instrument in ask.instruments if not instrument.settle]
        swaps = [instrument for instrument in ask.instruments if instrument.settle]
        asked = [self._tickers("SPOT", pairs)] if pairs else []
        asked += [self._tickers("SWAP", swaps)] if swaps else []
        return [quote for quotes in await gather(*asked) for quote in quotes]

    async def _tickers(self, kind: str, instruments: Sequence[InstrumentId]) -> list[Quote]:
        """There is nothing between one and all of a kind; the list of all cannot be spoiled by an unknown one."""
        names = set(map(name_of, instruments))
        if len(names) == 1:
            body = await self.http.get("/api/v5/market/ticker", {"instId": names.pop()})
        else:
            body = await self.http.get("/api/v5/market/tickers", {"instType": kind})
        return parse_quotes(instruments, body)

    @answers(CANDLES, covers=lambda ask: priced_here(ask.instrument), intervals=tuple(INTERVALS), max_rows=ROWS)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """The first endpoint has the newest 1,440 candles, the second all that are closed, at half the rate.

        Where the first one ends is not exactly known, so the second is asked for what the first did not give.
        """
        recent = await self._page("candles", ask, ask.end)
        reached = recent.open_time[0] if len(recent) else ask.end
        if reached <= ask.start or ask.start >= self.clock.now() - RECENT * ask.interval.delta:
            return recent
        older = await self._page("history-candles", ask, reached)
        return join_bars(ask, (older, recent))

    async def _page(self, endpoint: str, ask: CandlesAsk, end: datetime) -> Bars:
        """`after` and `before` are exclusive and mean older and newer."""
        params: dict[str, str | int] = {
            "instId": name_of(ask.instrument),
            "bar": INTERVALS[ask.interval],
            "after": int(end.timestamp()) * 1000,
            "before": int(ask.start.timestamp()) * 1000 - 1,
            "limit": ROWS,
        }
        return parse_candles(ask.instrument, await self.http.get(f"/api/v5/market/{endpoint}", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Any depth up to 400."""
        params: dict[str, str | int] = {"instId": wire_symbol(ask.instrument), "sz": min(ask.depth, 400)}
        return parse_book(ask.instrument, await self.http.get("/api/v5/market/books", params))

    @answers(TRADES, covers=lambda ask: covered(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 500."""
        params: dict[str, str | int] = {"instId": wire_symbol(ask.instrument), "limit": min(ask.last, 500)}
        return parse_trades(await self.http.get("/api/v5/market/trades", params))

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """All spot pairs."""
        return parse_listings(await self.http.get("/api/v5/public/instruments", {"instType": "SPOT"}))

    @answers(FUNDING_RATES, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=1)
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """The rate that the next payment will have."""
        key = ask.instruments[0]
        body = await self.http.get("/api/v5/public/funding-rate", {"instId": swap_of(key)})
        return [parse_funding(key, row) for row in body["data"]]

    @answers(FUNDING_HISTORY, covers=lambda ask: perpetual(ask.instrument))
    async def funding_history(self, ask: FundingHistoryAsk) -> tuple[FundingRate, ...]:
        """At most 100; `after` and `before` are exclusive and mean older and newer."""
        params: dict[str, str | int] = {"instId": swap_of(ask.instrument), "limit": min(ask.limit, 100)}
        if ask.end is not None:
            params["after"] = int(ask.end.timestamp()) * 1000
        if ask.start is not None:
            params["before"] = int(ask.start.timestamp()) * 1000 - 1
        body = await self.http.get("/api/v5/public/funding-rate-history", params)
        # `fundingRate` is what was forecast.
        return settled(ask, body["data"], rate="realizedRate", time="fundingTime")

    @answers(OPEN_INTEREST, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=200)
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In coins, in contracts and in dollars; there is nothing between one perpetual and all of them."""
        params = {"instType": "SWAP"}
        if len(ask.instruments) == 1:
            params["instId"] = swap_of(ask.instruments[0])
        body = await self.http.get("/api/v5/public/open-interest", params)
        found = matched(ask.instruments, body["data"], swap_of, name="instId")
        return [parse_interest(key, row) for key, row in found]

    @answers(LIQUIDATIONS, covers=lambda ask: is_linear(ask.instrument))
    async def liquidations(self, ask: LiquidationsAsk) -> tuple[Liquidation, ...]:
        """The newest, at most 100, in contracts: how much one is stands in the list of instruments."""
        name = swap_of(ask.instrument)
        contract = await self.http.get("/api/v5/public/instruments", {"instType": "SWAP", "instId": name})
        params: dict[str, str | int] = {
            "instType": "SWAP", "instFamily": wire_symbol(ask.instrument), "state": "filled",
            "limit": min(ask.last, 100),
        }  # fmt: skip
        body = await self.http.get("/api/v5/public/liquidation-orders", params)
        return parse_liquidations(name, contract["data"][0], body)

    @streams(QUOTES, feed=OkxFeed, covers=lambda ask: all(map(covered, ask.instruments)), silence=SILENCE)
    def quote_channel(self, ask: QuotesAsk) -> str:
        """With every trade and every change of the best prices, ten times a second at most."""
        return f"tickers:{wire_symbol(ask.instruments[0])}"

    @streams(CANDLES, feed=OkxCandleFeed, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS))
    def candle_channel(self, ask: CandlesAsk) -> str:
        """Once a second at most."""
        return f"candle{INTERVALS[ask.interval]}:{wire_symbol(ask.instrument)}"

    @streams(TRADES, feed=OkxFeed, covers=lambda ask: covered(ask.instrument))
    def trade_channel(self, ask: TradesAsk) -> str:
        """What one order took at one price is one trade."""
        return f"trades:{wire_symbol(ask.instrument)}"

    @streams(ORDER_BOOK, feed=OkxFeed, covers=lambda ask: covered(ask.instrument), silence=SILENCE)
    def book_channel(self, ask: OrderBookAsk) -> str:
        """400 levels of each side, ten times a second."""
        return f"books:{wire_symbol(ask.instrument)}"

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"code": "51001", "msg": "Instrument ID doesn't exist.", "data": []}`; code 0 is success."""
        code, message = reply.body.get("code"), reply.body.get("msg")
        if code is None or str(code.value) == "0" or reply.status == 429:
            return None
        said = f"error {code.value}: {'' if message is None else message.value}"
        # 51000 names the parameter that is wrong.
        if str(code.value) == "51000" and "instId" in said:
            return UnknownInstrument(self.profile.id, said)
        kind = ERRORS.get(str(code.value))
        if kind is None and reply.status < 300:
            kind = NotCovered
        return kind(self.profile.id, said) if kind else None


def parse_quotes(instruments: Sequence[InstrumentId], body: Row) -> list[Quote]:
    """Rows are objects; a pair that never traded has an empty price."""
    found = priced(instruments, body["data"], name_of, name="instId", last="last")
    return [parse_quote(instrument, row) for instrument, row in found]


def parse_candles(instrument: InstrumentId, body: Row) -> Bars:
    """Newest first: [time, open, high, low, close, base volume, quote volume, quote volume again, closed].

    Of a perpetual [time, open, high, low, close, contracts, base volume, quote volume, closed]. The last two columns
    came later: recordings from before do not have them.
    """
    data = body["data"]
    if len(data) == 0:
        return NO_BARS
    confirmed = 8 if len(data[0]) > 8 else None
    volume = 6 if instrument.settle else 5
    turnover = volume + 1 if volume + 1 < len(data[0]) else None
    return data.bars(
        time=0, open=1, high=2, low=3, close=4, volume=volume, quote_volume=turnover, closed=_is_one,
        closed_key=confirmed,
    )  # fmt: skip


def _is_one(value: object) -> bool:
    return str(value) == "1"


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """Levels are [price, size, a deprecated zero, number of orders]."""
    book = body["data"][0]
    return OrderBook(
        instrument=instrument,
        as_of=book.maybe_epoch("ts", "ms"),
        bids=levels(book["bids"], orders=3),
        asks=levels(book["asks"], orders=3),
        sequence=sequence(book, "seqId"),
    )


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """Newest first."""
    trades = [parse_trade(row) for row in body["data"]]
    return ascending(trades[::-1], lambda trade: trade.time)


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """A pair announced just now has no assets yet."""
    return tuple([_listing(row) for row in body["data"] if row.maybe_text("baseCcy") and row.text("instId").isascii()])


def _listing(row: Row) -> Listing:
    return Listing(
        instrument=crypto(row.text("baseCcy"), row.text("quoteCcy")),
        provider_symbol=row.text("instId"),
        tick_size=row.positive("tickSz"),
        step_size=row.positive("lotSz"),
        min_size=row.positive("minSz"),
        max_size=row.positive("maxLmtSz"),
        tradable=row.maybe_text("state") == "live",
    )
