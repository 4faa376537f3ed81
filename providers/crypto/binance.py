"""Binance: market data of spot pairs and perpetuals. Docs: https://developers.binance.com/docs/binance-spot-api-docs/rest-api"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence
from datetime import date, timedelta

from providers.contract import Licence, Profile, Provider, Reply, Usage, answers, per_minute
from providers.crypto._binance_feed import INTERVALS, BinanceFeed, parse_trade
from providers.crypto._binance_futures import (
    book_weight,
    depth_of,
    parse_funding,
    perpetual,
    place_of,
    quote_weight,
)
from providers.crypto._joined import is_pair_of, wire_symbol
from providers.crypto._perpetual import settled
from providers.crypto._spot import levels, matched, rows_of
from providers.feeds import streams
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
from schema.words.trades import TRADES, Trade, TradesAsk

ROWS = 1000
DEEPEST = 5000
SILENCE = timedelta(minutes=2)
QUOTE_ASSETS = (
    "AEUR", "ARS", "AUD", "BNB", "BRL", "BTC", "BUSD", "COP", "CZK", "DAI", "DOGE", "ETH", "EUR", "EURI", "FDUSD",
    "GBP", "IDRT", "JPY", "MXN", "NGN", "PLN", "RON", "RUB", "SOL", "TRX", "TRY", "TUSD", "UAH", "USD1", "USDC",
    "USDP", "USDT", "VAI", "XRP", "XUSD", "ZAR",
)  # fmt: skip
ERRORS: dict[int, type[UpstreamError]] = {
    -1000: Overloaded, -1001: Overloaded, -1002: Unauthorized, -1003: Throttled, -1004: Overloaded, -1006: Overloaded,
    -1007: Overloaded, -1008: Overloaded, -1016: Overloaded, -1121: UnknownInstrument, -2014: Unauthorized,
    -2015: Unauthorized,
}  # fmt: skip


def covered(instrument: InstrumentId) -> bool:
    """Dollars themselves are not traded on binance.com, only dollar tokens: USDT, USDC, FDUSD are other currencies."""
    return instrument.quote != "USD" and is_pair_of("binance", instrument, QUOTE_ASSETS)


def askable(instrument: InstrumentId) -> bool:
    """A spot pair, or a perpetual."""
    return covered(instrument) or perpetual(instrument)


class Binance(Provider):
    """Spot pairs, and perpetuals on a host of their own; limits are counted in weights."""

    profile = Profile(
        id="binance",
        name="Binance",
        base_url="https://api.binance.com",
        docs="https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints",
        asset_classes=(AssetClass.CRYPTO,),
        hosts={"futures": "https://fapi.binance.com"},
        licence=Licence(note="Binance terms of use: own use and display; redistribution needs consent."),
        limits=(per_minute(6000, "weight"),),
        usage=(Usage(header="x-mbx-used-weight-1m", limit=per_minute(6000, "weight")),),
        priority=10,
    )

    # Up to 20 symbols weigh as much as one. One that is unknown makes Binance refuse them all (-1121): the core then
    # divides the batch until the others are answered.
    @answers(QUOTES, covers=lambda ask: all(map(askable, ask.instruments)), max_batch=20, weight=quote_weight)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Statistics of the last 24 hours, of spot pairs with the best prices."""
        pairs = [instrument for instrument in ask.instruments if not instrument.settle]
        perpetuals = [instrument for instrument in ask.instruments if instrument.settle]
        asked = [self._pairs(pairs)] if pairs else []
        asked += [self._perpetuals(perpetuals)] if perpetuals else []
        found = await gather(*asked)
        return [quote for quotes in found for quote in quotes]

    async def _pairs(self, instruments: Sequence[InstrumentId]) -> list[Quote]:
        symbols = sorted(set(map(wire_symbol, instruments)))
        listed = '["' + '","'.join(symbols) + '"]'
        params = {"symbol": symbols[0]} if len(symbols) == 1 else {"symbols": listed}
        return parse_quotes(instruments, await self.http.get("/api/v3/ticker/24hr", params))

    async def _perpetuals(self, instruments: Sequence[InstrumentId]) -> list[Quote]:
        """There is nothing between one perpetual and all of them."""
        symbols = set(map(wire_symbol, instruments))
        params = {"symbol": symbols.pop()} if len(symbols) == 1 else None
        return parse_quotes(instruments, await self.http.get("/fapi/v1/ticker/24hr", params, host="futures"))

    @answers(
        CANDLES,
        covers=lambda ask: askable(ask.instrument) and (ask.interval is not Interval.S1 or not ask.instrument.settle),
        intervals=tuple(INTERVALS),
        max_rows=ROWS,
        since=date(2017, 7, 14),
        weight=lambda ask: 5 if ask.instrument.settle else 2,
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Both ends are inclusive open times."""
        params: dict[str, str | int] = {
            "symbol": wire_symbol(ask.instrument),
            "interval": INTERVALS[ask.interval],
            "startTime": int(ask.start.timestamp()) * 1000,
            "endTime": int(ask.end.timestamp()) * 1000 - 1,
            "limit": ROWS,
        }
        root, host = place_of(ask.instrument)
        return parse_candles(await self.http.get(f"{root}/klines", params, host=host))

    @answers(ORDER_BOOK, covers=lambda ask: askable(ask.instrument), weight=book_weight)
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Any depth up to 5,000; of perpetuals the next of those that there are, 1,000 at most."""
        depth = depth_of(ask.depth) if ask.instrument.settle else min(ask.depth, DEEPEST)
        params: dict[str, str | int] = {"symbol": wire_symbol(ask.instrument), "limit": depth}
        root, host = place_of(ask.instrument)
        return parse_book(ask.instrument, await self.http.get(f"{root}/depth", params, host=host))

    @answers(TRADES, covers=lambda ask: askable(ask.instrument), weight=lambda ask: 20 if ask.instrument.settle else 4)
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """What one taker order did at one price is one trade."""
        params: dict[str, str | int] = {"symbol": wire_symbol(ask.instrument), "limit": min(ask.last, ROWS)}
        root, host = place_of(ask.instrument)
        return parse_trades(await self.http.get(f"{root}/aggTrades", params, host=host))

    @answers(INSTRUMENTS, weight=20)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """All pairs that ever were; the permission sets would be most of the body and say nothing that is needed."""
        return parse_listings(await self.http.get("/api/v3/exchangeInfo", {"showPermissionSets": "false"}))

    @answers(FUNDING_RATES, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=200, weight=10)
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """The rate that the next payment will have; there is nothing between one perpetual and all of them."""
        symbols = set(map(wire_symbol, ask.instruments))
        params = {"symbol": symbols.pop()} if len(symbols) == 1 else None
        body = await self.http.get("/fapi/v1/premiumIndex", params, host="futures")
        found = matched(ask.instruments, rows_of(body), wire_symbol, name="symbol")
        return [parse_funding(key, row) for key, row in found]

    @answers(FUNDING_HISTORY, covers=lambda ask: perpetual(ask.instrument))
    async def funding_history(self, ask: FundingHistoryAsk) -> tuple[FundingRate, ...]:
        """Both ends are inclusive; without them the newest, at most 1,000. Of old ones the mark is an empty text."""
        params: dict[str, str | int] = {"symbol": wire_symbol(ask.instrument), "limit": min(ask.limit, ROWS)}
        if ask.start is not None:
            params["startTime"] = int(ask.start.timestamp()) * 1000
        if ask.end is not None:
            params["endTime"] = int(ask.end.timestamp()) * 1000 - 1
        body = await self.http.get("/fapi/v1/fundingRate", params, host="futures")
        return settled(ask, body, rate="fundingRate", time="fundingTime", mark="markPrice")

    @answers(OPEN_INTEREST, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=1)
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In coins."""
        key = ask.instruments[0]
        row = await self.http.get("/fapi/v1/openInterest", {"symbol": wire_symbol(key)}, host="futures")
        as_of = row.maybe_epoch("time", "ms")
        return [OpenInterest(instrument=key, as_of=as_of, amount=row.decimal("openInterest"))]

    @streams(
        QUOTES,
        feed=BinanceFeed,
        covers=lambda ask: all(map(covered, ask.instruments)),
        silence=SILENCE,
    )
    def quote_channel(self, ask: QuotesAsk) -> str:
        """The statistics of the last 24 hours every second; the best prices come beside them as they change."""
        return f"{wire_symbol(ask.instruments[0]).lower()}@ticker"

    @streams(CANDLES, feed=BinanceFeed, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS))
    def candle_channel(self, ask: CandlesAsk) -> str:
        """The running candle, every two seconds while it changes."""
        return f"{wire_symbol(ask.instrument).lower()}@kline_{INTERVALS[ask.interval]}"

    @streams(TRADES, feed=BinanceFeed, covers=lambda ask: covered(ask.instrument))
    def trade_channel(self, ask: TradesAsk) -> str:
        """The same trades as over HTTP."""
        return f"{wire_symbol(ask.instrument).lower()}@aggTrade"

    @streams(ORDER_BOOK, feed=BinanceFeed, covers=lambda ask: covered(ask.instrument), silence=SILENCE)
    def book_channel(self, ask: OrderBookAsk) -> str:
        """Changes ten times a second."""
        return f"{wire_symbol(ask.instrument).lower()}@depth@100ms"

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"code": -1121, "msg": "Invalid symbol."}` with status 400; 429 and 418 say themselves what they mean."""
        if reply.status < 400 or reply.status in (418, 429):
            return None
        code, message = reply.body.get("code"), reply.body.get("msg")
        if code is None or type(code.value) is not int:
            # The firewall answers with a page: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits
            page = reply.status == 403 and str(reply.body.value).lstrip().startswith("<")
            return Throttled(self.profile.id, "HTTP 403: the firewall asks to slow down") if page else None
        said = f"error {code.value}: {'' if message is None else message.value}"
        # -1100: characters that no symbol has; -1104 and others are about parameters that this module chooses.
        if code.value == -1100 and "symbol" in said:
            return UnknownInstrument(self.profile.id, said)
        kind = ERRORS.get(code.value)
        return kind(self.profile.id, said) if kind else None


def parse_quotes(instruments: Sequence[InstrumentId], body: Row) -> list[Quote]:
    """One symbol is answered with an object, several with a list; a pair that never traded has a price of zero."""
    found = matched(instruments, rows_of(body), wire_symbol, name="symbol")
    return [parse_quote(instrument, row) for instrument, row in found if row.decimal("lastPrice")]


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """`prevClosePrice` is the trade before the window, not a session's close, and is left out."""
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
        last_size=row.positive("lastQty"),
        open=row.positive("openPrice"),
        high=row.positive("highPrice"),
        low=row.positive("lowPrice"),
        change=row.maybe("priceChange"),
        change_percent=row.maybe("priceChangePercent"),
        volume=row.maybe("volume"),
        quote_volume=row.maybe("quoteVolume"),
        vwap=row.positive("weightedAvgPrice"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_candles(body: Row) -> Bars:
    """Rows are [open time, open, high, low, close, volume, close time, quote volume, trades, taker volumes…]."""
    bars = body.bars(time=0, open=1, high=2, low=3, close=4, volume=5, quote_volume=7, trade_count=8)
    return bars if len(bars) else NO_BARS


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """Levels are [price, size]; of spot pairs the book has a sequence and no time."""
    return OrderBook(
        instrument=instrument,
        as_of=body.maybe_epoch("T", "ms"),
        bids=levels(body["bids"]),
        asks=levels(body["asks"]),
        sequence=body.label("lastUpdateId"),
    )


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """Both shapes: /aggTrades has keys of one letter, /trades has words."""
    return ascending([parse_trade(row) for row in body], lambda trade: trade.time)


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Assets whose codes are not written in ASCII have no instrument id."""
    return tuple([_listing(row) for row in body["symbols"] if row.text("symbol").isascii()])


def _listing(row: Row) -> Listing:
    filters = {each.text("filterType"): each for each in row["filters"]}
    nothing = Row(row.provider, {})
    price, lot = filters.get("PRICE_FILTER", nothing), filters.get("LOT_SIZE", nothing)
    # The older of the two names; pairs that nobody changed since still have it.
    notional = filters.get("NOTIONAL", filters.get("MIN_NOTIONAL", nothing))
    allowed = row.get("isSpotTradingAllowed")
    return Listing(
        instrument=crypto(row.text("baseAsset"), row.text("quoteAsset")),
        provider_symbol=row.text("symbol"),
        # Zero switches a rule off.
        tick_size=price.positive("tickSize"),
        step_size=lot.positive("stepSize"),
        min_size=lot.positive("minQty"),
        max_size=lot.positive("maxQty"),
        min_notional=notional.positive("minNotional"),
        tradable=row.maybe_text("status") == "TRADING" and (allowed is None or allowed.flag()),
    )
