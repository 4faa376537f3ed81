"""Crypto.com Exchange: spot market data, and perpetuals' funding. Docs: https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from providers.contract import Licence, Params, Profile, Provider, Reply, answers, per_second
from providers.crypto._perpetual import HOUR_MS, is_linear_of, next_hour, perpetual_of, settled, span_of
from providers.crypto._spot import SIDES, is_spot_of, levels, matched, percent, priced, refusal, sequence
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
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, InstrumentType, Listing
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.trades import TRADES, Trade, TradesAsk

# There are candles of 7 and of 14 days and of a month too, but nothing says which day they are counted from.
INTERVALS = {
    Interval.M1: "1m", Interval.M5: "5m", Interval.M15: "15m", Interval.M30: "30m", Interval.H1: "1h",
    Interval.H4: "4h", Interval.H6: "6h", Interval.H12: "12h", Interval.D1: "1D",
}  # fmt: skip
ROWS = 300
DEEPEST = 50
MOST_TRADES = 150
MOST_PAYMENTS = 100
PAIR, PERPETUAL = "CCY_PAIR", "PERPETUAL_SWAP"
# https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html#response-and-reason-codes
ERRORS: dict[int, type[UpstreamError]] = {
    10001: Overloaded, 10002: Unauthorized, 10003: Unauthorized, 10006: Throttled, 10007: Unauthorized,
    # Every other parameter is one that is always taken.
    30003: UnknownInstrument, 40003: UnknownInstrument, 40004: UnknownInstrument, 40101: Unauthorized,
    40103: Unauthorized, 42901: Throttled, 50001: Overloaded,
}  # fmt: skip
CURRENCIES = ("AUD", "BRL", "CAD", "EUR", "GBP", "SGD", "TRY", "USD")


def covered(instrument: InstrumentId) -> bool:
    """Any spot pair: the wire symbol has an underscore, so it cannot be misread."""
    return is_spot_of("cryptocom", instrument, CURRENCIES, between="_")


def perpetual(instrument: InstrumentId) -> bool:
    """A perpetual: they settle in dollars."""
    return is_linear_of("cryptocom", instrument, ("USD",))


class CryptoCom(Provider):
    """Spot exchange; keys have one letter, and a code of zero is success."""

    profile = Profile(
        id="cryptocom",
        name="Crypto.com Exchange",
        base_url="https://api.crypto.com",
        docs="https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Crypto.com Exchange terms: own use and display; redistribution needs consent."),
        limits=(per_second(100),),
        priority=20,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=200)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """There is nothing between one pair and all of them; the list of all cannot be spoiled by an unknown one."""
        symbols = set(map(wire_symbol, ask.instruments))
        params = {"instrument_name": symbols.pop()} if len(symbols) == 1 else None
        return parse_quotes(ask.instruments, await self._get("get-tickers", params))

    @answers(CANDLES, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS), max_rows=ROWS)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """A millisecond less keeps the candle that opens at the end away."""
        params: Params = {
            "instrument_name": wire_symbol(ask.instrument),
            "timeframe": INTERVALS[ask.interval],
            "count": ROWS,
            "start_ts": int(ask.start.timestamp()) * 1000,
            "end_ts": int(ask.end.timestamp()) * 1000 - 1,
        }
        return parse_candles(await self._get("get-candlestick", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Any depth up to 50."""
        params: Params = {"instrument_name": wire_symbol(ask.instrument), "depth": min(ask.depth, DEEPEST)}
        return parse_book(ask.instrument, await self._get("get-book", params))

    @answers(TRADES, covers=lambda ask: covered(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 150."""
        params: Params = {"instrument_name": wire_symbol(ask.instrument), "count": min(ask.last, MOST_TRADES)}
        return parse_trades(await self._get("get-trades", params))

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """Pairs and perpetuals, among futures and others."""
        return parse_listings(await self._get("get-instruments", None))

    @answers(FUNDING_RATES, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=1)
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """The rate of the next full hour: it is set for four of them."""
        (instrument,) = ask.instruments
        rows = await self._valuations(instrument, "funding_rate", {"count": 1})
        return [parse_funding(instrument, row, next_hour(self.clock.now())) for row in rows]

    @answers(FUNDING_HISTORY, covers=lambda ask: perpetual(ask.instrument))
    async def funding_history(self, ask: FundingHistoryAsk) -> tuple[FundingRate, ...]:
        """What was paid, by the hour."""
        first, last = span_of(ask, self.clock.now(), MOST_PAYMENTS)
        params: Params = {
            "count": min(ask.limit, MOST_PAYMENTS),
            "start_ts": int(first.timestamp()) * 1000,
            "end_ts": int(last.timestamp()) * 1000,
        }
        rows = await self._valuations(ask.instrument, "funding_hist", params)
        return settled(ask, rows, rate="v", time="t", interval_ms=HOUR_MS)

    @answers(OPEN_INTEREST, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=200)
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In a ticker, in coins: a contract is one."""
        names = set(map(contract_of, ask.instruments))
        params = {"instrument_name": names.pop()} if len(names) == 1 else None
        found = matched(ask.instruments, await self._get("get-tickers", params), contract_of, name="i")
        return [parse_interest(instrument, row) for instrument, row in found]

    async def _valuations(self, instrument: InstrumentId, kind: str, params: Params) -> Row:
        named = {"instrument_name": contract_of(instrument), "valuation_type": kind}
        return await self._get("get-valuations", {**named, **params})

    async def _get(self, method: str, params: Params | None) -> Row:
        return (await self.http.get(f"/exchange/v1/public/{method}", params))["result"]["data"]

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"id": -1, "method": "public/get-book", "code": 40004, "message": "Missing or invalid argument"}`."""
        code, message = reply.body.get("code"), reply.body.get("message")
        if code is None or type(code.value) is not int or code.value == 0 or reply.status == 429:
            return None
        said = f"error {code.value}: {'' if message is None else message.value}"
        return refusal(self.profile.id, reply, said, ERRORS.get(code.value))


def wire_symbol(instrument: InstrumentId) -> str:
    """`BTC_USDT` for BTC/USDT."""
    return f"{instrument.base}_{instrument.quote}"


def contract_of(instrument: InstrumentId) -> str:
    """`BTCUSD-PERP` for BTC/USD:USD."""
    return f"{instrument.base}{instrument.quote}-PERP"


def parse_quotes(instruments: Sequence[InstrumentId], data: Row) -> list[Quote]:
    """A pair that never traded has a price of null."""
    found = priced(instruments, data, wire_symbol, name="i", last="a")
    return [parse_quote(instrument, row) for instrument, row in found]


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """`a` is the last price, `b` the bid, `k` the ask, `c` the change as a fraction, `vv` the turnover in dollars."""
    last = row.decimal("a")
    bid, ask = row.positive("b"), row.positive("k")
    return Quote(
        instrument=instrument,
        as_of=row.maybe_epoch("t", "ms"),
        price=last,
        price_type=PriceType.LAST,
        bid=bid,
        ask=ask,
        bid_size=row.positive("bs") if bid else None,
        ask_size=row.positive("ks") if ask else None,
        last=last,
        high=row.positive("h"),
        low=row.positive("l"),
        change_percent=percent(row, "c"),
        volume=row.maybe("v"),
        quote_volume=row.maybe("vv") if instrument.quote == "USD" else None,
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_candles(data: Row) -> Bars:
    """Ascending objects, with keys of one letter."""
    bars = data.bars(time="t", open="o", high="h", low="l", close="c", volume="v")
    return bars if len(bars) else NO_BARS


def parse_book(instrument: InstrumentId, data: Row) -> OrderBook:
    """Levels are [price, size, number of orders]."""
    book = data[0]
    return OrderBook(
        instrument=instrument,
        as_of=book.maybe_epoch("t", "ms"),
        bids=levels(book["bids"], orders=2),
        asks=levels(book["asks"], orders=2),
        sequence=sequence(book, "u"),
    )


def parse_trades(data: Row) -> tuple[Trade, ...]:
    """Newest first; `s` is the taker's side, in either case."""
    trades = [
        Trade(
            id=row.label("d"),
            time=row.epoch("t", "ms"),
            price=row.decimal("p"),
            size=row.decimal("q"),
            side=SIDES.get(row.text("s").lower()),
        )
        for row in data
    ]
    return ascending(trades[::-1], lambda trade: trade.time)


def parse_funding(instrument: InstrumentId, row: Row, hour: datetime) -> FundingRate:
    """A value and its time."""
    return FundingRate(
        instrument=instrument,
        as_of=row.maybe_epoch("t", "ms"),
        rate=row.decimal("v"),
        time=hour,
        settled=False,
        interval_ms=HOUR_MS,
    )


def parse_interest(instrument: InstrumentId, row: Row) -> OpenInterest:
    """`oi` of a ticker."""
    return OpenInterest(instrument=instrument, as_of=row.maybe_epoch("t", "ms"), amount=row.decimal("oi"))


def parse_listings(data: Row) -> tuple[Listing, ...]:
    """Futures and warrants have the same columns, and are told apart by their kind."""
    found = ((row, _instrument(row)) for row in data)
    return tuple([_listing(row, key) for row, key in found if key is not None])


def _instrument(row: Row) -> InstrumentId | None:
    """Of a perpetual only one that can be asked for by its symbol."""
    kind = row.maybe_text("inst_type")
    if kind == PAIR:
        return crypto(row.text("base_ccy"), row.text("quote_ccy"))
    key = perpetual_of(row.text("base_ccy"), row.text("quote_ccy")) if kind == PERPETUAL else None
    return key if key is not None and perpetual(key) and contract_of(key) == row.text("symbol") else None


def _listing(row: Row, key: InstrumentId) -> Listing:
    return Listing(
        instrument=key,
        provider_symbol=row.text("symbol"),
        type=InstrumentType.PERPETUAL if key.settle else InstrumentType.SPOT,
        tick_size=row.positive("price_tick_size"),
        step_size=row.positive("qty_tick_size"),
        contract_size=row.positive("contract_size") if key.settle and "contract_size" in row else None,
        tradable=row.flag("tradable"),
    )
