"""Poloniex: spot market data, and perpetuals' funding. Docs: https://api-docs.poloniex.com/spot/api/public/market-data"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from providers.contract import Licence, Params, Profile, Provider, Reply, answers, per_second
from providers.crypto._perpetual import HOUR, is_linear_of, settled, span_of
from providers.crypto._poloniex_feed import PoloniexFeed, parse_quote, parse_trade
from providers.crypto._spot import is_spot_of, levels, priced, refusal, rows_of, step
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
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.trades import TRADES, Trade, TradesAsk

# There are three days, weeks and months too, but nothing says which day they are counted from.
INTERVALS = {
    Interval.M1: "MINUTE_1", Interval.M5: "MINUTE_5", Interval.M15: "MINUTE_15", Interval.M30: "MINUTE_30",
    Interval.H1: "HOUR_1", Interval.H2: "HOUR_2", Interval.H4: "HOUR_4", Interval.H6: "HOUR_6",
    Interval.H12: "HOUR_12", Interval.D1: "DAY_1",
}  # fmt: skip
ROWS = 500
MOST_PAYMENTS = 100
PAID_EVERY = 8 * HOUR
# Pairs that nobody trades say little.
SILENCE = timedelta(minutes=5)
DEPTHS = (5, 10, 20, 50, 100, 150)
TRADABLE = frozenset({"NORMAL", "POST_ONLY"})
REFUSALS: tuple[tuple[str, type[UpstreamError]], ...] = (
    ("symbol", UnknownInstrument),
    ("too many requests", Throttled),
    ("api key", Unauthorized),
    ("authorization", Unauthorized),
    ("system error", Overloaded),
    ("maintenance", Overloaded),
)


def covered(instrument: InstrumentId) -> bool:
    """Any spot pair: the wire symbol has an underscore, so it cannot be misread."""
    return is_spot_of("poloniex", instrument, (), between="_")


def perpetual(instrument: InstrumentId) -> bool:
    """A perpetual: they settle in USDT."""
    return is_linear_of("poloniex", instrument)


class Poloniex(Provider):
    """Spot exchange; the symbol is part of the path."""

    profile = Profile(
        id="poloniex",
        name="Poloniex",
        base_url="https://api.poloniex.com",
        docs="https://api-docs.poloniex.com/spot/api/public/market-data",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Poloniex user agreement: own use and display; redistribution needs consent."),
        limits=(per_second(200),),
        priority=20,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=200)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """There is nothing between one pair and all of them; the list of all cannot be spoiled by an unknown one."""
        symbols = set(map(wire_symbol, ask.instruments))
        one = f"/{symbols.pop()}" if len(symbols) == 1 else ""
        return parse_quotes(ask.instruments, await self.http.get(f"/markets{one}/ticker24h"))

    @answers(CANDLES, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS), max_rows=ROWS)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """A millisecond less keeps the candle that opens at the end away."""
        params: Params = {
            "interval": INTERVALS[ask.interval],
            "limit": ROWS,
            "startTime": int(ask.start.timestamp()) * 1000,
            "endTime": int(ask.end.timestamp()) * 1000 - 1,
        }
        return parse_candles(await self.http.get(f"/markets/{wire_symbol(ask.instrument)}/candles", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """The next of the depths that there are, 150 at most."""
        params: Params = {"limit": next((depth for depth in DEPTHS if ask.depth <= depth), DEPTHS[-1])}
        body = await self.http.get(f"/markets/{wire_symbol(ask.instrument)}/orderBook", params)
        return parse_book(ask.instrument, body)

    @answers(TRADES, covers=lambda ask: covered(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 1,000."""
        params: Params = {"limit": min(ask.last, 1000)}
        return parse_trades(await self.http.get(f"/markets/{wire_symbol(ask.instrument)}/trades", params))

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """All pairs."""
        return parse_listings(await self.http.get("/markets"))

    @answers(FUNDING_RATES, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=1)
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """What the next payment is expected to be."""
        (instrument,) = ask.instruments
        body = await self.http.get("/v3/market/fundingRate", {"symbol": contract_of(instrument)})
        return [parse_funding(instrument, body["data"])]

    @answers(FUNDING_HISTORY, covers=lambda ask: perpetual(ask.instrument))
    async def funding_history(self, ask: FundingHistoryAsk) -> tuple[FundingRate, ...]:
        """The newest, at most 100, of half a year; without a range there is but one."""
        first, last = span_of(ask, self.clock.now(), MOST_PAYMENTS, PAID_EVERY)
        params: Params = {
            "symbol": contract_of(ask.instrument),
            "sT": int(first.timestamp()) * 1000,
            "eT": int(last.timestamp()) * 1000,
            "limit": min(ask.limit, MOST_PAYMENTS),
        }
        body = await self.http.get("/v3/market/fundingRate/history", params)
        return settled(ask, body["data"], rate="fR", time="fT")

    @answers(OPEN_INTEREST, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=1)
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In contracts, whose size differs from one perpetual to the next."""
        (instrument,) = ask.instruments
        row = (await self.http.get("/v3/market/openInterest", {"symbol": contract_of(instrument)}))["data"]
        moment = row.maybe_epoch("ts", "ms")
        return [OpenInterest(instrument=instrument, as_of=moment, contracts=row.decimal("oInterest"))]

    @streams(QUOTES, feed=PoloniexFeed, covers=lambda ask: all(map(covered, ask.instruments)), silence=SILENCE)
    def quote_channel(self, ask: QuotesAsk) -> str:
        """With every trade, without bid and ask."""
        return f"ticker:{wire_symbol(ask.instruments[0])}"

    @streams(CANDLES, feed=PoloniexFeed, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS))
    def candle_channel(self, ask: CandlesAsk) -> str:
        """With every trade."""
        return f"candles_{INTERVALS[ask.interval].lower()}:{wire_symbol(ask.instrument)}"

    @streams(ORDER_BOOK, feed=PoloniexFeed, covers=lambda ask: covered(ask.instrument), silence=SILENCE)
    def book_channel(self, ask: OrderBookAsk) -> str:
        """Twenty levels of each side."""
        return f"book_lv2:{wire_symbol(ask.instrument)}"

    @streams(TRADES, feed=PoloniexFeed, covers=lambda ask: covered(ask.instrument))
    def trade_channel(self, ask: TradesAsk) -> str:
        """Each."""
        return f"trades:{wire_symbol(ask.instrument)}"

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"code": 24101, "message": "Invalid symbol"}`, or `msg`: the codes are many, the words are plain."""
        code, message = reply.body.get("code"), reply.body.get("message") or reply.body.get("msg")
        if code is None or message is None or code.value == 200 or reply.status == 429:
            return None
        said = f"error {code.value}: {message.value}"
        kind = next((kind for part, kind in REFUSALS if part in said.lower()), None)
        return refusal(self.profile.id, reply, said, kind)


def wire_symbol(instrument: InstrumentId) -> str:
    """`BTC_USDT` for BTC/USDT."""
    return f"{instrument.base}_{instrument.quote}"


def contract_of(instrument: InstrumentId) -> str:
    """`BTC_USDT_PERP` for BTC/USDT:USDT."""
    return f"{wire_symbol(instrument)}_PERP"


def parse_quotes(instruments: Sequence[InstrumentId], body: Row) -> list[Quote]:
    """One pair is answered with an object, all of them with a list; one that never traded has a price of zero."""
    found = priced(instruments, rows_of(body), wire_symbol, name="symbol", last="close")
    return [parse_quote(instrument, row) for instrument, row in found]


def parse_candles(body: Row) -> Bars:
    """[LOW, HIGH, OPEN, CLOSE, turnover, volume, taker's turnover, taker's volume, trades, …, average, …, time, …].

    An average of zero stands for "no trade".
    """
    if not len(body):
        return NO_BARS
    bars = body.bars(
        low=0, high=1, open=2, close=3, quote_volume=4, volume=5, trade_count=8, vwap=10, time=12
    )  # fmt: skip
    return replace(bars, vwap=tuple([average or None for average in bars.vwap or ()]))


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """Each side is one flat list of prices and sizes in turn; `time` is the book's, `ts` the answer's."""
    return OrderBook(
        instrument=instrument,
        as_of=body.maybe_epoch("time", "ms"),
        bids=levels(_pairs(body["bids"])),
        asks=levels(_pairs(body["asks"])),
    )


def _pairs(side: Row) -> Iterator[Row]:
    if not isinstance(side.value, list) or len(side) % 2:
        side.broken("is not a list of prices and sizes")
    return (Row(side.provider, side.value[at : at + 2], side, at) for at in range(0, len(side), 2))


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """Newest first."""
    trades = [parse_trade(row) for row in body]
    return ascending(trades[::-1], lambda trade: trade.time)


def parse_funding(instrument: InstrumentId, row: Row) -> FundingRate:
    """`fR` and `fT` are of the last payment, `nFR` and `nFT` of the next."""
    return FundingRate(
        instrument=instrument,
        as_of=row.maybe_epoch("ts", "ms"),
        rate=row.decimal("nFR"),
        time=row.epoch("nFT", "ms"),
        settled=False,
        interval_ms=row.integer("nFT") - row.integer("fT"),
    )


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Assets whose codes are not written in ASCII have no instrument id."""
    return tuple([_listing(row) for row in body if row.text("symbol").isascii()])


def _listing(row: Row) -> Listing:
    rules = row["symbolTradeLimit"]
    return Listing(
        instrument=crypto(row.text("baseCurrencyName"), row.text("quoteCurrencyName")),
        provider_symbol=row.text("symbol"),
        tick_size=step(rules, "priceScale"),
        step_size=step(rules, "quantityScale"),
        min_size=rules.positive("minQuantity"),
        min_notional=rules.positive("minAmount"),
        tradable=row.maybe_text("state") in TRADABLE,
    )
