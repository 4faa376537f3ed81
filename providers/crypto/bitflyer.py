"""bitFlyer: spot market data, without candles. Docs: https://lightning.bitflyer.com/docs?lang=en"""

from __future__ import annotations

from datetime import timedelta

from providers.contract import Licence, Limit, Params, Profile, Provider, Reply, answers
from providers.crypto._perpetual import HOUR_MS
from providers.crypto._spot import SIDES, is_spot_of, levels, refusal
from providers.row import Row, ascending
from schema.errors import Overloaded, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId, crypto
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk, PriceLevel
from schema.words.derivatives import FUNDING_RATES, FundingRate, FundingRatesAsk
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, InstrumentType, Listing
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.trades import TRADES, Trade, TradesAsk

MOST_TRADES = 500
REFUSALS: tuple[tuple[str, type[UpstreamError]], ...] = (
    ("product", UnknownInstrument),
    ("over api limit", Throttled),
    ("key", Unauthorized),
    ("permission", Unauthorized),
    ("maintenance", Overloaded),
)
CURRENCIES = ("JPY",)
# bitFlyer Crypto CFD, the only one.
PERPETUAL = InstrumentId(asset_class=AssetClass.CRYPTO, base="BTC", quote="JPY", settle="JPY")


def covered(instrument: InstrumentId) -> bool:
    """Any spot pair; FX_BTC_JPY is a margin product, and has one underscore too many for a pair."""
    return is_spot_of("bitflyer", instrument, CURRENCIES, between="_")


def perpetual(instrument: InstrumentId) -> bool:
    """The venue's own one."""
    return instrument.venue in ("", "bitflyer") and instrument.at("") == PERPETUAL


class Bitflyer(Provider):
    """Spot exchange in Japan; one product a call, and no candles."""

    profile = Profile(
        id="bitflyer",
        name="bitFlyer",
        base_url="https://api.bitflyer.com",
        docs="https://lightning.bitflyer.com/docs?lang=en",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="bitFlyer terms of use: own use and display; redistribution needs consent."),
        limits=(Limit(count=500, per=timedelta(minutes=5)),),
        priority=20,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=1)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """There is no batch endpoint."""
        return [parse_quote(each, await self.http.get("/v1/getticker", _product(each))) for each in ask.instruments]

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Always the whole book."""
        return parse_book(ask.instrument, await self.http.get("/v1/getboard", _product(ask.instrument)), ask.depth)

    @answers(TRADES, covers=lambda ask: covered(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 500."""
        params: Params = {"product_code": wire_symbol(ask.instrument), "count": min(ask.last, MOST_TRADES)}
        return parse_trades(await self.http.get("/v1/getexecutions", params))

    @answers(FUNDING_RATES, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=1)
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """The rate that the next payment will have; there are three a day."""
        row = await self.http.get("/v1/getfundingrate", {"product_code": contract_of(ask.instruments[0])})
        return [parse_funding(ask.instruments[0], row)]

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """Products of Japan, without trading rules."""
        return parse_listings(await self.http.get("/v1/getmarkets"))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"status": -106, "error_message": "Invalid product", "data": null}`."""
        message = reply.body.get("error_message")
        if message is None or reply.status == 429:
            return None
        code = reply.body.get("status")
        said = f"error {'' if code is None else code.value}: {message.value}"
        kind = next((kind for part, kind in REFUSALS if part in said.lower()), None)
        return refusal(self.profile.id, reply, said, kind)


def wire_symbol(instrument: InstrumentId) -> str:
    """`BTC_JPY` for BTC/JPY."""
    return f"{instrument.base}_{instrument.quote}"


def contract_of(instrument: InstrumentId) -> str:
    """`FX_BTC_JPY` for BTC/JPY:JPY."""
    return f"FX_{wire_symbol(instrument)}"


def _product(instrument: InstrumentId) -> Params:
    return {"product_code": wire_symbol(instrument)}


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """`volume_by_product` is the pair's own volume of 24 hours, `volume` also counts derivatives of it."""
    last = row.decimal("ltp")
    bid, ask = row.positive("best_bid"), row.positive("best_ask")
    return Quote(
        instrument=instrument,
        as_of=row.maybe_instant("timestamp"),
        price=last,
        price_type=PriceType.LAST,
        bid=bid,
        ask=ask,
        bid_size=row.positive("best_bid_size") if bid else None,
        ask_size=row.positive("best_ask_size") if ask else None,
        last=last,
        volume=row.maybe("volume_by_product"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_book(instrument: InstrumentId, body: Row, depth: int) -> OrderBook:
    """Levels are objects; a price of zero stands for orders at the market in an auction."""
    return OrderBook(instrument=instrument, bids=_levels(body["bids"], depth), asks=_levels(body["asks"], depth))


def _levels(rows: Row, depth: int) -> tuple[PriceLevel, ...]:
    return levels((row for row in rows if row.decimal("price")), price="price", size="size", depth=depth)


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """Newest first; `side` is the taker's and empty in an auction."""
    trades = [
        Trade(
            id=row.label("id"),
            time=row.instant("exec_date"),
            price=row.decimal("price"),
            size=row.decimal("size"),
            side=SIDES.get((row.maybe_text("side") or "").lower()),
        )
        for row in body
    ]
    return ascending(trades, lambda trade: (trade.time, len(trade.id), trade.id))


def parse_funding(instrument: InstrumentId, row: Row) -> FundingRate:
    """The time is that of the next payment."""
    return FundingRate(
        instrument=instrument,
        rate=row.decimal("current_funding_rate"),
        time=row.instant("next_funding_rate_settledate"),
        settled=False,
        interval_ms=8 * HOUR_MS,
    )


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Spot products and the perpetual; futures that end are listed among them."""
    found = [(row.maybe_text("market_type"), row.text("product_code")) for row in body]
    pairs = [(code, code.split("_")) for kind, code in found if kind == "Spot"]
    spot = [Listing(instrument=crypto(*pair), provider_symbol=code) for code, pair in pairs if len(pair) == 2]
    margin = [
        Listing(instrument=PERPETUAL, provider_symbol=code, type=InstrumentType.PERPETUAL)
        for kind, code in found
        if kind == "FX" and code == contract_of(PERPETUAL)
    ]
    return (*spot, *margin)
