"""Bitvavo: spot market data. Docs: https://docs.bitvavo.com/docs/rest-api/"""

from __future__ import annotations

from collections.abc import Sequence

from providers.contract import Licence, Params, Profile, Provider, Reply, Usage, answers, per_minute
from providers.crypto._spot import SIDES, is_spot_of, levels, priced, refusal, rows_of, sequence, step, wait
from providers.row import Row, ascending
from schema.errors import Overloaded, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId, crypto
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.candles import CANDLES, NO_BARS, Bars, CandlesAsk
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, Listing
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.trades import TRADES, Trade, TradesAsk

# There are weeks and months too, but nothing says which day they are counted from.
INTERVALS = {
    Interval.M1: "1m", Interval.M5: "5m", Interval.M15: "15m", Interval.M30: "30m", Interval.H1: "1h",
    Interval.H2: "2h", Interval.H4: "4h", Interval.H6: "6h", Interval.H8: "8h", Interval.H12: "12h",
    Interval.D1: "1d",
}  # fmt: skip
ROWS = 1440
DEEPEST = 1000
POOL = per_minute(1000, "weight")
BANNED = 105
# https://docs.bitvavo.com/docs/errors
ERRORS: dict[int, type[UpstreamError]] = {
    101: Overloaded, BANNED: Throttled, 107: Overloaded, 108: Overloaded, 109: Overloaded, 111: Overloaded,
    112: Throttled, 300: Unauthorized, 301: Unauthorized, 302: Unauthorized, 303: Unauthorized, 304: Unauthorized,
    305: Unauthorized, 306: Unauthorized, 307: Unauthorized, 308: Unauthorized, 309: Unauthorized,
    311: Unauthorized, 312: Unauthorized,
}  # fmt: skip
WRONG = frozenset({203, 204, 205})
CURRENCIES = ("EUR",)


def covered(instrument: InstrumentId) -> bool:
    """Any spot pair: the wire symbol has a dash, so it cannot be misread."""
    return is_spot_of("bitvavo", instrument, CURRENCIES)


class Bitvavo(Provider):
    """Spot exchange for euros; limits are counted in weights."""

    profile = Profile(
        id="bitvavo",
        name="Bitvavo",
        base_url="https://api.bitvavo.com",
        docs="https://docs.bitvavo.com/docs/rest-api/",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Bitvavo user agreement: own use and display; redistribution needs consent."),
        limits=(POOL,),
        usage=(Usage(header="bitvavo-ratelimit-remaining", limit=POOL, remaining=True),),
        priority=20,
    )

    @answers(
        QUOTES,
        covers=lambda ask: all(map(covered, ask.instruments)),
        max_batch=200,
        weight=lambda ask: 1 if len(set(ask.instruments)) == 1 else 25,
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """There is nothing between one pair and all of them; the list of all cannot be spoiled by an unknown one."""
        symbols = set(map(wire_symbol, ask.instruments))
        params = {"market": symbols.pop()} if len(symbols) == 1 else None
        return parse_quotes(ask.instruments, await self.http.get("/v2/ticker/24h", params))

    @answers(CANDLES, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS), max_rows=ROWS)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Both ends are inclusive open times."""
        params: Params = {
            "interval": INTERVALS[ask.interval],
            "limit": ROWS,
            "start": int(ask.start.timestamp()) * 1000,
            "end": int(ask.end.timestamp()) * 1000 - 1,
        }
        return parse_candles(await self.http.get(f"/v2/{wire_symbol(ask.instrument)}/candles", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Any depth up to 1,000."""
        params: Params = {"depth": min(ask.depth, DEEPEST)}
        return parse_book(ask.instrument, await self.http.get(f"/v2/{wire_symbol(ask.instrument)}/book", params))

    @answers(TRADES, covers=lambda ask: covered(ask.instrument), weight=5)
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 1,000."""
        params: Params = {"limit": min(ask.last, 1000)}
        return parse_trades(await self.http.get(f"/v2/{wire_symbol(ask.instrument)}/trades", params))

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """All markets."""
        return parse_listings(await self.http.get("/v2/markets"))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"errorCode": 205, "error": "market parameter is invalid."}`; a ban comes as 105 with status 403."""
        code, message = reply.body.get("errorCode"), reply.body.get("error")
        pause = wait(reply, "bitvavo-ratelimit-resetat", since=self.clock.now().timestamp())
        if pause is not None and (reply.status == 429 or (code is not None and code.value == BANNED)):
            return Throttled(self.profile.id, "the limit is used up", retry_after=pause)
        if code is None or type(code.value) is not int or reply.status == 429:
            return None
        said = f"error {code.value}: {'' if message is None else message.value}"
        kind = ERRORS.get(code.value)
        if code.value in WRONG and any(word in said.lower() for word in ("market", "symbol")):
            kind = UnknownInstrument
        return refusal(self.profile.id, reply, said, kind)


def wire_symbol(instrument: InstrumentId) -> str:
    """`BTC-EUR` for BTC/EUR."""
    return f"{instrument.base}-{instrument.quote}"


def parse_quotes(instruments: Sequence[InstrumentId], body: Row) -> list[Quote]:
    """One pair is answered with an object, all of them with a list; one that did not trade has a price of null."""
    found = priced(instruments, rows_of(body), wire_symbol, name="market", last="last")
    return [parse_quote(instrument, row) for instrument, row in found]


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """All of 24 hours."""
    last = row.decimal("last")
    bid, ask = row.positive("bid"), row.positive("ask")
    return Quote(
        instrument=instrument,
        as_of=row.maybe_epoch("timestamp", "ms"),
        price=last,
        price_type=PriceType.LAST,
        bid=bid,
        ask=ask,
        bid_size=row.positive("bidSize") if bid else None,
        ask_size=row.positive("askSize") if ask else None,
        last=last,
        open=row.positive("open"),
        high=row.positive("high"),
        low=row.positive("low"),
        volume=row.maybe("volume"),
        quote_volume=row.maybe("volumeQuote"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_candles(body: Row) -> Bars:
    """Newest first: [time, open, high, low, close, volume]; intervals without a trade are missing."""
    return body.bars(time=0, open=1, high=2, low=3, close=4, volume=5) if len(body) else NO_BARS


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """Levels are [price, size]; the time is in nanoseconds, and came later than the rest."""
    return OrderBook(
        instrument=instrument,
        as_of=body.maybe_epoch("timestamp", "ns"),
        bids=levels(body["bids"]),
        asks=levels(body["asks"]),
        sequence=sequence(body, "nonce"),
    )


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """Newest first; `side` is the taker's."""
    trades = [
        Trade(
            id=row.label("id"),
            time=row.epoch("timestamp", "ms"),
            price=row.decimal("price"),
            size=row.decimal("amount"),
            side=SIDES.get(row.text("side")),
        )
        for row in body
    ]
    return ascending(trades[::-1], lambda trade: trade.time)


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """`pricePrecision` counts significant digits and is no step; markets have had a `tickSize` since 2025."""
    return tuple([_listing(row) for row in body if row.text("market").isascii()])


def _listing(row: Row) -> Listing:
    return Listing(
        instrument=crypto(row.text("base"), row.text("quote")),
        provider_symbol=row.text("market"),
        tick_size=row.positive("tickSize"),
        step_size=step(row, "quantityDecimals") if "quantityDecimals" in row else None,
        min_size=row.positive("minOrderInBaseAsset"),
        max_size=row.positive("maxOrderInBaseAsset"),
        min_notional=row.positive("minOrderInQuoteAsset"),
        tradable=row.maybe_text("status") == "trading",
    )
