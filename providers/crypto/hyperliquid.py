"""Hyperliquid: perpetuals. Docs: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from providers.contract import Licence, Profile, Provider, Reply, answers, per_minute
from providers.crypto._hyperliquid_feed import (
    HyperliquidFeed,
    parse_book,
    parse_quote,
    parse_trade,
)
from providers.crypto._perpetual import HOUR_MS, is_linear_of, next_hour, perpetual_of, settled, span_of
from providers.crypto._spot import step
from providers.feeds import streams
from providers.row import Row, ascending
from schema.errors import UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId
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
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.trades import TRADES, Trade, TradesAsk

# Weeks begin on Thursdays, ours on Mondays; nothing says which day three days and months are counted from.
INTERVALS = {
    Interval.M1: "1m", Interval.M3: "3m", Interval.M5: "5m", Interval.M15: "15m", Interval.M30: "30m",
    Interval.H1: "1h", Interval.H2: "2h", Interval.H4: "4h", Interval.H8: "8h", Interval.H12: "12h",
    Interval.D1: "1d",
}  # fmt: skip
ROWS = 5000
MOST_PAYMENTS = 500
# Contracts on a thousand coins have a small k before the coin's code, which is no letter of a code of ours.
THOUSANDS = {f"K{coin}": f"k{coin}" for coin in ("BONK", "DOGS", "FLOKI", "LUNC", "NEIRO", "PEPE", "SHIB")}
# Contexts and books come with every block that changes them.
SILENCE = timedelta(minutes=2)
BOOK, EVERYTHING = 2, 20


def covered(instrument: InstrumentId) -> bool:
    """A perpetual, which settles in USDC."""
    return is_linear_of("hyperliquid", instrument, ("USDC",))


def weight_of_candles(ask: CandlesAsk) -> int:
    """One more for every 60 candles."""
    return EVERYTHING + -((ask.start - ask.end) // ask.interval.delta) // 60


class Hyperliquid(Provider):
    """Derivatives exchange; every question is a body sent to one path."""

    profile = Profile(
        id="hyperliquid",
        name="Hyperliquid",
        base_url="https://api.hyperliquid.xyz",
        docs="https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Hyperliquid terms of use: public data without a key; redistribution is not granted."),
        limits=(per_minute(1200, "weight"),),
        priority=20,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=200, weight=EVERYTHING)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """All perpetuals come at once; one without a bid or an ask has no price between them."""
        found = await self._contexts(ask.instruments)
        return [parse_quote(key, row) for key, row in found if row["midPx"].value is not None]

    @answers(
        CANDLES,
        covers=lambda ask: covered(ask.instrument),
        intervals=tuple(INTERVALS),
        max_rows=ROWS,
        # Only the newest 5,000 are there.
        reach=lambda interval: interval.delta * ROWS,
        weight=weight_of_candles,
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        """A millisecond less keeps the candle that opens at the end away."""
        wanted = {
            "coin": coin_of(ask.instrument),
            "interval": INTERVALS[ask.interval],
            "startTime": int(ask.start.timestamp()) * 1000,
            "endTime": int(ask.end.timestamp()) * 1000 - 1,
        }
        return parse_candles(await self._info("candleSnapshot", req=wanted))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument), weight=BOOK)
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """20 levels of each side, always."""
        return parse_book(ask.instrument, await self._info("l2Book", coin=coin_of(ask.instrument)))

    @answers(TRADES, covers=lambda ask: covered(ask.instrument), weight=EVERYTHING)
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, as many as there are."""
        return parse_trades(await self._info("recentTrades", coin=coin_of(ask.instrument)))

    @answers(INSTRUMENTS, weight=EVERYTHING)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """The venue's own perpetuals, not those of the builders on it."""
        return parse_listings(await self._info("meta"))

    @answers(FUNDING_RATES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=200, weight=EVERYTHING)
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """The rate that the next full hour will have, if it stays."""
        hour = next_hour(self.clock.now())
        return [
            FundingRate(
                instrument=key, rate=row.decimal("funding"), time=hour, settled=False, interval_ms=HOUR_MS,
                mark_price=row.positive("markPx"), index_price=row.positive("oraclePx"),
            )
            for key, row in await self._contexts(ask.instruments)
        ]  # fmt: skip

    @answers(FUNDING_HISTORY, covers=lambda ask: covered(ask.instrument), weight=EVERYTHING + MOST_PAYMENTS // 20)
    async def funding_history(self, ask: FundingHistoryAsk) -> tuple[FundingRate, ...]:
        """The oldest 500 of a range, which must have a start; payments are a moment behind their hour."""
        first, last = span_of(ask, self.clock.now(), MOST_PAYMENTS)
        body = await self._info(
            "fundingHistory",
            coin=coin_of(ask.instrument),
            startTime=int(first.timestamp()) * 1000,
            endTime=int(last.timestamp()) * 1000,
        )
        return settled(ask, body, rate="fundingRate", time="time", interval_ms=HOUR_MS)

    @answers(OPEN_INTEREST, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=200, weight=EVERYTHING)
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In coins."""
        found = await self._contexts(ask.instruments)
        return [OpenInterest(instrument=key, amount=row.decimal("openInterest")) for key, row in found]

    @streams(QUOTES, feed=HyperliquidFeed, covers=lambda ask: all(map(covered, ask.instruments)), silence=SILENCE)
    def quote_channel(self, ask: QuotesAsk) -> str:
        """Its context, as in the list of all."""
        return f"activeAssetCtx:{coin_of(ask.instruments[0])}"

    @streams(CANDLES, feed=HyperliquidFeed, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS))
    def candle_channel(self, ask: CandlesAsk) -> str:
        """With every trade."""
        return f"candle:{coin_of(ask.instrument)}:{INTERVALS[ask.interval]}"

    @streams(ORDER_BOOK, feed=HyperliquidFeed, covers=lambda ask: covered(ask.instrument), silence=SILENCE)
    def book_channel(self, ask: OrderBookAsk) -> str:
        """20 levels of each side."""
        return f"l2Book:{coin_of(ask.instrument)}"

    @streams(TRADES, feed=HyperliquidFeed, covers=lambda ask: covered(ask.instrument))
    def trade_channel(self, ask: TradesAsk) -> str:
        """Each."""
        return f"trades:{coin_of(ask.instrument)}"

    async def _info(self, kind: str, **more: object) -> Row:
        return await self.http.post("/info", {"type": kind, **more})

    async def _contexts(self, instruments: Sequence[InstrumentId]) -> list[tuple[InstrumentId, Row]]:
        listed = dict(parse_contexts(await self._info("metaAndAssetCtxs")))
        found = ((instrument, listed.get(coin_of(instrument))) for instrument in instruments)
        return [(instrument, row) for instrument, row in found if row is not None]

    def explain(self, reply: Reply) -> UpstreamError | None:
        """An unknown coin is answered with null, and with status 200 or 500."""
        if reply.body.value is None and reply.status in (200, 500):
            return UnknownInstrument(self.profile.id, "the answer is null")
        return None


def coin_of(instrument: InstrumentId) -> str:
    """`BTC` for BTC/USDC:USDC, `kPEPE` for KPEPE/USDC:USDC."""
    return THOUSANDS.get(instrument.base, instrument.base)


def parse_contexts(body: Row) -> Iterator[tuple[str, Row]]:
    """[{universe}, [context, …]]: a context has no name, it belongs to the coin at its place. Without what is gone."""
    coins, contexts = list(body[0]["universe"]), list(body[1])
    if len(coins) != len(contexts):
        body[1].broken("is not as long as the universe")
    pairs = zip(coins, contexts, strict=True)
    return ((coin.text("name"), context) for coin, context in pairs if is_listed(coin))


def is_listed(coin: Row) -> bool:
    """What is gone stays in the universe, with its last numbers."""
    return not coin.get("isDelisted")


def parse_candles(body: Row) -> Bars:
    """Ascending objects; `T` is the close time."""
    if not len(body):
        return NO_BARS
    return body.bars(time="t", open="o", high="h", low="l", close="c", volume="v", trade_count="n")


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """Newest first."""
    trades = [parse_trade(row) for row in body]
    return ascending(trades[::-1], lambda trade: trade.time)


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Prices have five digits, which is no step."""
    found = ((row, perpetual_of(row.text("name"), "USDC")) for row in body["universe"])
    return tuple(
        [
            Listing(
                instrument=key,
                provider_symbol=row.text("name"),
                type=InstrumentType.PERPETUAL,
                step_size=step(row, "szDecimals"),
                tradable=is_listed(row),
            )
            for row, key in found
            if key is not None and coin_of(key) == row.text("name")
        ]
    )
