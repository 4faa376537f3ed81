"""dYdX: perpetuals. Docs: https://docs.dydx.xyz/indexer-client/http"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from providers.contract import Licence, Limit, Params, Profile, Provider, Reply, answers
from providers.crypto._perpetual import HOUR_MS, is_linear_of, next_hour, perpetual_of, settled
from providers.crypto._spot import SIDES, levels, refusal
from providers.row import Row, ascending
from schema.errors import Blocked, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId
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
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, InstrumentType, Listing
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.trades import TRADES, Trade, TradesAsk

INTERVALS = {
    Interval.M1: "1MIN", Interval.M5: "5MINS", Interval.M15: "15MINS", Interval.M30: "30MINS", Interval.H1: "1HOUR",
    Interval.H4: "4HOURS", Interval.D1: "1DAY",
}  # fmt: skip
ROWS = 1000
ACTIVE = "ACTIVE"
LIQUIDATED = "LIQUIDATED"
MILLISECOND = timedelta(milliseconds=1)


def covered(instrument: InstrumentId) -> bool:
    """A perpetual: quoted in dollars, which USDC stands for, and settled in USDC."""
    return is_linear_of("dydx", instrument, ("USDC",))


class Dydx(Provider):
    """Derivatives exchange on a chain of its own; this is its indexer."""

    profile = Profile(
        id="dydx",
        name="dYdX",
        base_url="https://indexer.dydx.trade/v4",
        docs="https://docs.dydx.xyz/indexer-client/http",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="dYdX terms of use: public data of a chain; redistribution is not granted."),
        limits=(Limit(count=100, per=timedelta(seconds=10)),),
        priority=20,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=200)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """There is no ticker: the price is the oracle's."""
        return [parse_quote(key, row) for key, row in await self._markets(ask.instruments)]

    @answers(CANDLES, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS), max_rows=ROWS)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """The end is exclusive."""
        params: Params = {
            "resolution": INTERVALS[ask.interval],
            "fromISO": moment(ask.start),
            "toISO": moment(ask.end),
            "limit": ROWS,
        }
        return parse_candles(await self.http.get(f"/candles/perpetualMarkets/{ticker_of(ask.instrument)}", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """100 levels of each side, always."""
        body = await self.http.get(f"/orderbooks/perpetualMarket/{ticker_of(ask.instrument)}")
        return parse_book(ask.instrument, body)

    @answers(TRADES, covers=lambda ask: covered(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 1,000."""
        return parse_trades(await self._trades(ask.instrument, min(ask.last, ROWS)))

    @answers(LIQUIDATIONS, covers=lambda ask: covered(ask.instrument))
    async def liquidations(self, ask: LiquidationsAsk) -> tuple[Liquidation, ...]:
        """Those among the newest 1,000 trades: there is no list of them."""
        return parse_liquidations(await self._trades(ask.instrument, ROWS))

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """All perpetuals."""
        return parse_listings(await self.http.get("/perpetualMarkets"))

    @answers(FUNDING_RATES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=200)
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """The rate that the next full hour will have, if it stays."""
        hour = next_hour(self.clock.now())
        return [
            FundingRate(
                instrument=key, rate=row.decimal("nextFundingRate"), time=hour, settled=False, interval_ms=HOUR_MS,
                index_price=row.positive("oraclePrice"),
            )
            for key, row in await self._markets(ask.instruments)
        ]  # fmt: skip

    @answers(FUNDING_HISTORY, covers=lambda ask: covered(ask.instrument))
    async def funding_history(self, ask: FundingHistoryAsk) -> tuple[FundingRate, ...]:
        """The newest, at most 1,000, up to an end that is inclusive; there is no start. The price is the oracle's, by
        which is paid."""
        params: dict[str, str | int] = {"limit": min(ask.limit, ROWS)}
        if ask.end is not None:
            params["effectiveBeforeOrAt"] = moment(ask.end - MILLISECOND)
        body = await self.http.get(f"/historicalFunding/{ticker_of(ask.instrument)}", params)
        rows = body["historicalFunding"]
        return settled(ask, rows, rate="rate", time="effectiveAt", unit="iso", interval_ms=HOUR_MS, index="price")

    @answers(OPEN_INTEREST, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=200)
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In coins."""
        found = await self._markets(ask.instruments)
        return [OpenInterest(instrument=key, amount=row.decimal("openInterest")) for key, row in found]

    async def _markets(self, instruments: Sequence[InstrumentId]) -> list[tuple[InstrumentId, Row]]:
        """There is nothing between one market and all of them."""
        tickers = set(map(ticker_of, instruments))
        params = {"ticker": tickers.pop()} if len(tickers) == 1 else None
        listed = dict((await self.http.get("/perpetualMarkets", params))["markets"].items())
        found = ((instrument, listed.get(ticker_of(instrument))) for instrument in instruments)
        return [(instrument, row) for instrument, row in found if row is not None]

    async def _trades(self, instrument: InstrumentId, count: int) -> Row:
        return (await self.http.get(f"/trades/perpetualMarket/{ticker_of(instrument)}", {"limit": count}))["trades"]

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"errors": [{"msg": "ticker must be a valid ticker (BTC-USD, etc)", "param": "ticker"}]}`."""
        errors = reply.body.get("errors")
        if errors is None or not isinstance(errors.value, list) or not len(errors) or reply.status == 429:
            return None
        message = errors[0].get("msg")
        said = "" if message is None else str(message.value)
        if reply.status == 403:
            return Blocked(self.profile.id, f"HTTP 403: {said}")
        return refusal(self.profile.id, reply, said, UnknownInstrument if "ticker" in said else None)


def ticker_of(instrument: InstrumentId) -> str:
    """`BTC-USD` for BTC/USDC:USDC."""
    return f"{instrument.base}-USD"


def moment(at: datetime) -> str:
    """`2026-11-20T12:00:00.000Z`."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """The change is an amount; the turnover is in dollars. There is no time, no bid and no ask."""
    return Quote(
        instrument=instrument,
        price=row.decimal("oraclePrice"),
        price_type=PriceType.INDEX,
        change=row.maybe("priceChange24H"),
        quote_volume=row.maybe("volume24H"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_candles(body: Row) -> Bars:
    """Newest first, with times as texts; intervals without a trade may be missing."""
    candles = body["candles"]
    if not len(candles):
        return NO_BARS
    times = [int(row.instant("startedAt").timestamp()) for row in candles]
    rows = [{**row, "open_time": time} for row, time in zip(candles.value, times, strict=True)]
    return Row(body.provider, rows, body, "candles").bars(
        time="open_time", open="open", high="high", low="low", close="close", volume="baseTokenVolume",
        quote_volume="usdVolume", trade_count="trades", unit="s",
    )  # fmt: skip


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """It has no time. Levels are objects."""
    return OrderBook(
        instrument=instrument,
        bids=levels(body["bids"], price="price", size="size"),
        asks=levels(body["asks"], price="price", size="size"),
    )


def parse_trades(trades: Iterable[Row]) -> tuple[Trade, ...]:
    """Newest first; `side` is the taker's."""
    found = [
        Trade(
            id=row.label("id"),
            time=row.instant("createdAt"),
            price=row.decimal("price"),
            size=row.decimal("size"),
            side=SIDES.get(row.text("side").lower()),
        )
        for row in trades
    ]
    return ascending(found[::-1], lambda trade: trade.time)


def parse_liquidations(trades: Iterable[Row]) -> tuple[Liquidation, ...]:
    """Trades whose taker was liquidated; an order of somebody and one that deleverages have other types."""
    forced = parse_trades(row for row in trades if row.maybe_text("type") == LIQUIDATED)
    return tuple(
        [
            Liquidation(id=trade.id, time=trade.time, side=trade.side, price=trade.price, size=trade.size)
            for trade in forced
            if trade.side is not None
        ]
    )


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Markets of tokens that only their address tells apart have no id of ours."""
    found = ((row, perpetual_of(row.text("ticker").removesuffix("-USD"), "USDC")) for _, row in body["markets"].items())
    return tuple([_listing(row, key) for row, key in found if key and ticker_of(key) == row.text("ticker")])


def _listing(row: Row, key: InstrumentId) -> Listing:
    return Listing(
        instrument=key,
        provider_symbol=row.text("ticker"),
        type=InstrumentType.PERPETUAL,
        tick_size=row.positive("tickSize"),
        step_size=row.positive("stepSize"),
        tradable=row.maybe_text("status") == ACTIVE,
    )
