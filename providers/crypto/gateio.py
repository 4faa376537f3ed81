"""Gate: spot market data. Docs: https://www.gate.com/docs/developers/apiv4/en/#spot"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from providers.contract import Licence, Limit, Params, Profile, Provider, Reply, Usage, answers
from providers.crypto._gateio_feed import DEPTH, GateioFeed, parse_quote, parse_trade
from providers.crypto._perpetual import is_linear_of, settled
from providers.crypto._spot import is_spot_of, levels, matched, priced, rows_of, sequence, step, wait
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

# There are candles of seven and of thirty days too, which are no weeks and no months.
INTERVALS = {
    Interval.M1: "1m", Interval.M5: "5m", Interval.M15: "15m", Interval.M30: "30m", Interval.H1: "1h",
    Interval.H4: "4h", Interval.H8: "8h", Interval.D1: "1d",
}  # fmt: skip
ROWS = 1000
OLDEST = 10_000
DEEPEST = 100
SILENCE = timedelta(minutes=2)
POOL = Limit(count=200, per=timedelta(seconds=10))
OPEN = frozenset({"tradable", "buyable", "sellable"})
# https://www.gate.com/docs/developers/apiv4/en/#label-list
ERRORS: dict[str, type[UpstreamError]] = {
    "INVALID_CURRENCY": UnknownInstrument, "INVALID_CURRENCY_PAIR": UnknownInstrument,
    "CONTRACT_NOT_FOUND": UnknownInstrument, "INVALID_KEY": Unauthorized, "INVALID_SIGNATURE": Unauthorized,
    "FORBIDDEN": Unauthorized, "IP_FORBIDDEN": Unauthorized, "TOO_MANY_REQUESTS": Throttled, "TOO_FAST": Throttled,
    "TOO_BUSY": Overloaded, "SERVER_ERROR": Overloaded, "INTERNAL": Overloaded,
}  # fmt: skip
CURRENCIES = ("BRL", "EUR", "GBP", "TRY")


def covered(instrument: InstrumentId) -> bool:
    """Any spot pair: the wire symbol has an underscore, so it cannot be misread."""
    return is_spot_of("gateio", instrument, CURRENCIES, between="_")


def perpetual(instrument: InstrumentId) -> bool:
    """A perpetual that settles in USDT."""
    return is_linear_of("gateio", instrument)


class Gateio(Provider):
    """Spot exchange; each endpoint has the same limit of its own."""

    profile = Profile(
        id="gateio",
        name="Gate",
        base_url="https://api.gateio.ws",
        docs="https://www.gate.com/docs/developers/apiv4/en/#spot",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Gate user agreement: own use and display; redistribution needs consent."),
        limits=(POOL,),
        usage=(Usage(header="x-gate-ratelimit-requests-remain", limit=POOL, remaining=True),),
        priority=20,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=200)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """There is nothing between one pair and all of them; both are lists, and none has a time."""
        symbols = set(map(wire_symbol, ask.instruments))
        params = {"currency_pair": symbols.pop()} if len(symbols) == 1 else None
        return parse_quotes(ask.instruments, await self.http.get("/api/v4/spot/tickers", params))

    @answers(
        CANDLES,
        covers=lambda ask: covered(ask.instrument),
        intervals=tuple(INTERVALS),
        max_rows=ROWS,
        # Older ones are refused.
        reach=lambda interval: interval.delta * OLDEST,
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Both ends are inclusive open times; with them there may be no `limit`."""
        params: Params = {
            "currency_pair": wire_symbol(ask.instrument),
            "interval": INTERVALS[ask.interval],
            "from": int(ask.start.timestamp()),
            "to": int(ask.end.timestamp()) - 1,
        }
        return parse_candles(await self.http.get("/api/v4/spot/candlesticks", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Any depth up to a hundred."""
        params: Params = {
            "currency_pair": wire_symbol(ask.instrument),
            "limit": min(ask.depth, DEEPEST),
            "with_id": "true",
        }
        return parse_book(ask.instrument, await self.http.get("/api/v4/spot/order_book", params))

    @answers(TRADES, covers=lambda ask: covered(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 1,000."""
        params: Params = {"currency_pair": wire_symbol(ask.instrument), "limit": min(ask.last, 1000)}
        return parse_trades(await self.http.get("/api/v4/spot/trades", params))

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """All spot pairs."""
        return parse_listings(await self.http.get("/api/v4/spot/currency_pairs"))

    @answers(FUNDING_RATES, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=200)
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """The rate that the next payment will have, among the facts of a contract."""
        return [parse_funding(key, row) for key, row in await self._contracts(ask.instruments)]

    @answers(FUNDING_HISTORY, covers=lambda ask: perpetual(ask.instrument))
    async def funding_history(self, ask: FundingHistoryAsk) -> tuple[FundingRate, ...]:
        """The newest of the range, at most 1,000; both ends are inclusive."""
        params: dict[str, str | int] = {"contract": wire_symbol(ask.instrument), "limit": min(ask.limit, 1000)}
        if ask.start is not None:
            params["from"] = int(ask.start.timestamp())
        if ask.end is not None:
            params["to"] = int(ask.end.timestamp()) - 1
        body = await self.http.get("/api/v4/futures/usdt/funding_rate", params)
        return settled(ask, body, rate="r", time="t", unit="s")

    @answers(OPEN_INTEREST, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=200)
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In contracts, whose size differs from one perpetual to the next."""
        found = await self._contracts(ask.instruments)
        return [OpenInterest(instrument=key, contracts=row.decimal("position_size")) for key, row in found]

    async def _contracts(self, instruments: tuple[InstrumentId, ...]) -> list[tuple[InstrumentId, Row]]:
        names = set(map(wire_symbol, instruments))
        one = f"/{names.pop()}" if len(names) == 1 else ""
        body = await self.http.get(f"/api/v4/futures/usdt/contracts{one}")
        return matched(instruments, rows_of(body), wire_symbol, name="name")

    @streams(QUOTES, feed=GateioFeed, covers=lambda ask: all(map(covered, ask.instruments)), silence=SILENCE)
    def quote_channel(self, ask: QuotesAsk) -> str:
        """Statistics once a second; the best prices come beside them as they change."""
        return f"spot.tickers:{wire_symbol(ask.instruments[0])}"

    @streams(CANDLES, feed=GateioFeed, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS))
    def candle_channel(self, ask: CandlesAsk) -> str:
        """Every two seconds, and once more when it is done."""
        return f"spot.candlesticks:{INTERVALS[ask.interval]}_{wire_symbol(ask.instrument)}"

    @streams(TRADES, feed=GateioFeed, covers=lambda ask: covered(ask.instrument))
    def trade_channel(self, ask: TradesAsk) -> str:
        """Each trade."""
        return f"spot.trades:{wire_symbol(ask.instrument)}"

    @streams(ORDER_BOOK, feed=GateioFeed, covers=lambda ask: covered(ask.instrument), silence=SILENCE)
    def book_channel(self, ask: OrderBookAsk) -> str:
        """400 levels of each side, ten times a second."""
        return f"spot.obu:ob.{wire_symbol(ask.instrument)}.{DEPTH}"

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"label": "INVALID_CURRENCY_PAIR", "message": "…"}`, with a status that is an error too."""
        label, message = reply.body.get("label"), reply.body.get("message")
        reset = "x-gate-ratelimit-reset-timestamp"
        pause = wait(reply, reset, since=self.clock.now().timestamp(), per_second=1)
        if reply.status == 429 and pause is not None:
            return Throttled(self.profile.id, "HTTP 429: the limit is used up", retry_after=pause)
        if label is None or reply.status == 429:
            return None
        kind = ERRORS.get(str(label.value))
        return kind(self.profile.id, f"{label.value}: {'' if message is None else message.value}") if kind else None


def wire_symbol(instrument: InstrumentId) -> str:
    """`BTC_USDT` for BTC/USDT."""
    return f"{instrument.base}_{instrument.quote}"


def parse_quotes(instruments: Sequence[InstrumentId], body: Row) -> list[Quote]:
    """A pair that never traded has a price of zero, or none."""
    found = priced(instruments, body, wire_symbol, name="currency_pair", last="last")
    return [parse_quote(instrument, row) for instrument, row in found]


def parse_candles(body: Row) -> Bars:
    """Ascending: [time in seconds, quote volume, CLOSE, high, low, OPEN, base volume, closed]; the last came later."""
    if not len(body):
        return NO_BARS
    confirmed = 7 if len(body[0]) > 7 else None
    return body.bars(
        time=0, quote_volume=1, close=2, high=3, low=4, open=5, volume=6, unit="s",
        closed=None if confirmed is None else _is_true, closed_key=confirmed,
    )  # fmt: skip


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """Levels are [price, size]; `update` is when the book changed, and was not always sent."""
    return OrderBook(
        instrument=instrument,
        as_of=body.maybe_epoch("update", "ms"),
        bids=levels(body["bids"]),
        asks=levels(body["asks"]),
        sequence=sequence(body, "id"),
    )


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """Newest first."""
    trades = [parse_trade(row) for row in body]
    return ascending(trades[::-1], lambda trade: trade.time)


def parse_funding(instrument: InstrumentId, row: Row) -> FundingRate:
    """Times and intervals are in seconds."""
    interval = row.maybe("funding_interval")
    return FundingRate(
        instrument=instrument,
        rate=row.decimal("funding_rate"),
        time=row.epoch("funding_next_apply"),
        settled=False,
        interval_ms=None if interval is None else int(interval * 1000),
        mark_price=row.positive("mark_price"),
        index_price=row.positive("index_price"),
    )


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Assets whose codes are not written in ASCII have no instrument id."""
    return tuple([_listing(row) for row in body if row.text("id").isascii()])


def _listing(row: Row) -> Listing:
    return Listing(
        instrument=crypto(row.text("base"), row.text("quote")),
        provider_symbol=row.text("id"),
        tick_size=step(row, "precision"),
        step_size=step(row, "amount_precision"),
        min_size=row.positive("min_base_amount"),
        max_size=row.positive("max_base_amount"),
        min_notional=row.positive("min_quote_amount"),
        tradable=row.maybe_text("trade_status") in OPEN,
    )
