"""Kraken: spot market data and halts, and perpetuals' funding. Docs: https://docs.kraken.com/api/docs/rest-api/get-ticker-information"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from providers.contract import Licence, Params, Profile, Reply, answers, per_second
from providers.crypto._kraken_feed import OURS, WIRE, KrakenFeed, parse_quote, parse_trade
from providers.crypto._kraken_futures import HOST, Futures, refusal_of
from providers.crypto._kraken_status import parse_status
from providers.crypto._spot import levels, step, trades_in
from providers.feeds import streams
from providers.row import Row, ascending
from schema.errors import NotCovered, Overloaded, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId, crypto
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.candles import CANDLES, NO_BARS, Bars, CandlesAsk
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, Listing
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.sessions import MARKET_STATUS, MarketStatus, MarketStatusAsk
from schema.words.trades import TRADES, Trade, TradesAsk

ROWS = 720
# Kraken also sends weeks, but they begin on Thursdays (whole weeks since 1970); ours begin on Mondays.
INTERVALS = (
    Interval.M1, Interval.M5, Interval.M15, Interval.M30, Interval.H1, Interval.H4, Interval.D1,
)  # fmt: skip
# Assets of the first years carry X (crypto) or Z (fiat) before their code; the list does not grow any more.
PREFIXED = frozenset(
    {
        "XETC", "XETH", "XICN", "XLTC", "XMLN", "XNMC", "XREP", "XXBT", "XXDG", "XXLM", "XXMR", "XXRP", "XXVN", "XZEC",
        "ZAUD", "ZCAD", "ZEUR", "ZGBP", "ZJPY", "ZKRW", "ZUSD",
    }
)  # fmt: skip
# The wire runs both names together: without this BT/CUSD would be answered with the price of BTC/USD.
QUOTE_ASSETS = (
    "USD", "EUR", "GBP", "CAD", "AUD", "CHF", "JPY", "AED", "BTC", "ETH", "USDT", "USDC", "DAI", "PYUSD", "RLUSD",
)  # fmt: skip
FIAT = frozenset({"AUD", "CAD", "CHF", "EUR", "GBP", "JPY", "KRW", "USD"})
PREFIXES = (("", ""), ("X", "Z"), ("", "Z"), ("X", "X"), ("X", ""), ("", "X"))
OPEN = frozenset({"online", "limit_only", "post_only"})
LOCKOUT = 900.0
SILENCE = timedelta(minutes=2)
REFUSALS: tuple[tuple[str, type[UpstreamError]], ...] = (
    ("Rate limit exceeded", Throttled),
    ("Too many requests", Throttled),
    ("Throttled", Throttled),
    ("Temporary lockout", Throttled),
    ("Permission denied", Unauthorized),
    ("EAPI:", Unauthorized),
    ("EQuery:", UnknownInstrument),
    ("EService:", Overloaded),
    ("Internal error", Overloaded),
)


def covered(instrument: InstrumentId) -> bool:
    """A spot pair with at least one crypto asset, by the names that are ours, that cannot be read as another pair."""
    pair = {instrument.base, instrument.quote}
    return (
        instrument.asset_class is AssetClass.CRYPTO
        and instrument.is_spot
        and instrument.venue in ("", "kraken")
        and not pair & OURS.keys()
        and not pair <= FIAT
        and trades_in(instrument, QUOTE_ASSETS)
        and (instrument.quote in QUOTE_ASSETS or not (instrument.base + instrument.quote).endswith(QUOTE_ASSETS))
    )


class Kraken(Futures):
    """Spot exchange; one call takes several pairs, and one unknown pair makes it refuse them all."""

    profile = Profile(
        id="kraken",
        name="Kraken",
        base_url="https://api.kraken.com",
        docs="https://docs.kraken.com/api/",
        asset_classes=(AssetClass.CRYPTO,),
        hosts={"futures": HOST},
        licence=Licence(note="Kraken terms of service: own use and display; redistribution needs consent."),
        limits=(per_second(1),),
        priority=10,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=20)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Unknown pairs end in UnknownInstrument for the whole call: the core then asks one by one."""
        pairs = dict.fromkeys(map(pair_of, ask.instruments))
        body = await self.http.get("/0/public/Ticker", {"pair": ",".join(pairs)})
        return parse_quotes(ask.instruments, body)

    @answers(
        CANDLES,
        covers=lambda ask: covered(ask.instrument),
        max_rows=ROWS,
        intervals=INTERVALS,
        # Whatever `since` says, only the newest 720 candles are there.
        reach=lambda interval: interval.delta * ROWS,
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        """`since` is exclusive, hence one second earlier; there is no end."""
        params: Params = {
            "pair": pair_of(ask.instrument),
            "interval": ask.interval.seconds // 60,
            "since": int(ask.start.timestamp()) - 1,
        }
        return parse_candles(ask.instrument, await self.http.get("/0/public/OHLC", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """Any depth up to 500."""
        params: Params = {"pair": pair_of(ask.instrument), "count": min(ask.depth, 500)}
        return parse_book(ask.instrument, await self.http.get("/0/public/Depth", params))

    @answers(TRADES, covers=lambda ask: covered(ask.instrument))
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 1,000."""
        params: Params = {"pair": pair_of(ask.instrument), "count": min(ask.last, 1000)}
        return parse_trades(ask.instrument, await self.http.get("/0/public/Trades", params))

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """All pairs of two currencies; tokenised securities are not asked for."""
        return parse_listings(await self.http.get("/0/public/AssetPairs"))

    @answers(MARKET_STATUS, covers=lambda ask: ask.venue == "kraken")
    async def market_status(self, ask: MarketStatusAsk) -> MarketStatus:
        """Of the spot exchange as a whole."""
        return parse_status(ask.venue, await self.http.get("/0/public/SystemStatus"))

    @streams(QUOTES, feed=KrakenFeed, covers=lambda ask: all(map(covered, ask.instruments)), silence=SILENCE)
    def quote_channel(self, ask: QuotesAsk) -> str:
        """With every change of the best prices."""
        return f"ticker:{symbol_of(ask.instruments[0])}"

    @streams(CANDLES, feed=KrakenFeed, covers=lambda ask: covered(ask.instrument), intervals=INTERVALS)
    def candle_channel(self, ask: CandlesAsk) -> str:
        """With every trade."""
        return f"ohlc:{symbol_of(ask.instrument)}:{ask.interval.seconds // 60}"

    @streams(TRADES, feed=KrakenFeed, covers=lambda ask: covered(ask.instrument))
    def trade_channel(self, ask: TradesAsk) -> str:
        """The last 50, then each."""
        return f"trade:{symbol_of(ask.instrument)}"

    @streams(ORDER_BOOK, feed=KrakenFeed, covers=lambda ask: covered(ask.instrument), silence=SILENCE)
    def book_channel(self, ask: OrderBookAsk) -> str:
        """A hundred levels of each side."""
        return f"book:{symbol_of(ask.instrument)}"

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Errors come with status 200; entries that begin with W are warnings beside a good result."""
        errors = reply.body.get("error")
        if errors is None or not isinstance(errors.value, list) or reply.status == 429:
            return refusal_of(self.profile.id, reply)
        said = next((text for text in errors.value if isinstance(text, str) and text.startswith("E")), None)
        if said is None:
            return None
        kind = next((kind for part, kind in REFUSALS if part in said), NotCovered)
        return kind(self.profile.id, said, retry_after=self._pause(said))

    def _pause(self, said: str) -> float | None:
        """A text "EService: Throttled: [UNIX timestamp]" says until when; a lockout lasts about 15 minutes."""
        if "Temporary lockout" in said:
            return LOCKOUT
        until = said.rpartition(":")[2].strip()
        if "Throttled" not in said or not until.isdecimal() or len(until) > 10:
            return None
        return min(max(0.0, int(until) - self.clock.now().timestamp()), LOCKOUT)


def symbol_of(instrument: InstrumentId) -> str:
    """What the socket says, in version 2: `BTC/USD`."""
    return f"{instrument.base}/{instrument.quote}"


def pair_of(instrument: InstrumentId) -> str:
    """What requests say: `XBTUSD`, `ETHUSDT`, `XDGEUR`."""
    return WIRE.get(instrument.base, instrument.base) + WIRE.get(instrument.quote, instrument.quote)


def asset_of(code: str) -> str:
    """Our name of an asset: XXBT and XBT are BTC, ZUSD is USD, ZETA is ZETA."""
    short = code[1:] if code in PREFIXED else code
    return OURS.get(short, short)


def found(instrument: InstrumentId, result: Row, alone: bool = True) -> Row | None:
    """The entry of a pair: answers come under the long name (`XXBTZUSD` for `XBTUSD`), with or without prefixes.

    Where only one pair was asked its answer is the only entry beside the cursor, whatever it is called.
    """
    base, quote = WIRE.get(instrument.base, instrument.base), WIRE.get(instrument.quote, instrument.quote)
    for before, between in PREFIXES:
        entry = result.get(f"{before}{base}{between}{quote}")
        if entry is not None:
            return entry
    others = [entry for key, entry in result.items() if key != "last"] if alone else []
    return others[0] if len(others) == 1 else None


def only(instrument: InstrumentId, body: Row) -> Row:
    """The entry of the one pair that was asked."""
    result = body["result"]
    entry = found(instrument, result)
    return result.broken(f"has no {pair_of(instrument)!r}") if entry is None else entry


def parse_quotes(instruments: tuple[InstrumentId, ...], body: Row) -> list[Quote]:
    """One quote for each pair that is there and has ever traded."""
    result = body["result"]
    entries = [(instrument, found(instrument, result, len(instruments) == 1)) for instrument in instruments]
    traded = [(key, entry) for key, entry in entries if entry is not None and entry["c"].positive(0)]
    return [parse_quote(instrument, entry) for instrument, entry in traded]


def parse_candles(instrument: InstrumentId, body: Row) -> Bars:
    """Rows are [time, open, high, low, close, vwap, volume, count]; a vwap of zero stands for "no trade"."""
    rows = only(instrument, body)
    if not len(rows):
        return NO_BARS
    bars = rows.bars(time=0, open=1, high=2, low=3, close=4, vwap=5, volume=6, trade_count=7, unit="s")
    return replace(bars, vwap=tuple([vwap or None for vwap in bars.vwap or ()]))


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """Levels are [price, size, time of the last change]; the book itself has no time."""
    entry = only(instrument, body)
    return OrderBook(instrument=instrument, bids=levels(entry["bids"]), asks=levels(entry["asks"]))


def parse_trades(instrument: InstrumentId, body: Row) -> tuple[Trade, ...]:
    """Trades are [price, size, time, taker's side, order type, flags, id]."""
    return ascending([parse_trade(row) for row in only(instrument, body)], lambda trade: trade.time)


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Pairs of two fiat currencies, dark pools (`XBTUSD.d`) and tokenised securities are no crypto pairs."""
    return tuple(
        [
            listing
            for key, row in body["result"].items()
            if not row.text("altname").endswith(".d") and row.maybe_text("aclass_base") in (None, "currency")
            if covered((listing := _listing(key, row)).instrument)
        ]
    )


def _listing(key: str, row: Row) -> Listing:
    tick = row.maybe("tick_size")
    status = row.maybe_text("status")
    return Listing(
        instrument=crypto(asset_of(row.text("base")), asset_of(row.text("quote"))),
        provider_symbol=key,
        tick_size=step(row, "pair_decimals") if tick is None else tick,
        step_size=step(row, "lot_decimals"),
        min_size=row.maybe("ordermin"),
        min_notional=row.maybe("costmin"),
        tradable=status is None or status in OPEN,
    )
