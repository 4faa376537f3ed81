"""Bitfinex: spot market data. Docs: https://docs.bitfinex.com/reference/rest-public-tickers"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from providers.contract import Licence, Params, Profile, Provider, Reply, answers, per_minute
from providers.crypto._bitfinex_feed import BitfinexFeed, parse_quote, parse_trade
from providers.crypto._perpetual import is_linear_of, perpetual_of
from providers.crypto._spot import is_spot_of, matched, priced, refusal
from providers.feeds import streams
from providers.row import Row, ascending
from schema.errors import Overloaded, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId, crypto
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk, PriceLevel
from schema.words.candles import CANDLES, NO_BARS, Bars, CandlesAsk
from schema.words.derivatives import (
    FUNDING_RATES,
    OPEN_INTEREST,
    FundingRate,
    FundingRatesAsk,
    OpenInterest,
    OpenInterestAsk,
)
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, InstrumentType, Listing
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.trades import TRADES, Trade, TradesAsk

# There are weeks, 14 days and months too, but nothing says which day they are counted from.
INTERVALS = {
    Interval.M1: "1m", Interval.M5: "5m", Interval.M15: "15m", Interval.M30: "30m", Interval.H1: "1h",
    Interval.H6: "6h", Interval.H12: "12h", Interval.D1: "1D",
}  # fmt: skip
ROWS = 10_000
LENGTHS = (1, 25, 100, 250)
# https://api-pub.bitfinex.com/v2/conf/pub:map:currency:sym
WIRE = {
    "ALGO": "ALG", "AMPL": "AMP", "ATOM": "ATO", "BCH": "BCHN", "DASH": "DSH", "DATA": "DAT", "EURS": "EUS",
    "EURT": "EUT", "GUSD": "GSD", "IOTA": "IOT", "MANA": "MNA", "QTUM": "QTM", "RBTC": "RBT", "STORJ": "STJ",
    "TUSD": "TSD", "USDC": "UDC", "USDT": "UST", "WBTC": "WBT", "XCHF": "XCH", "XEC": "BCHABC",
}  # fmt: skip
OURS = {wire: ours for ours, wire in WIRE.items()}
LETTERS = 3
CONTRACT = "F0"
# Every channel has a heartbeat: https://docs.bitfinex.com/docs/ws-general
SILENCE = timedelta(minutes=1)
# Paper trading, among the real pairs.
TEST = ("TEST", "AAA", "BBB")
# https://docs.bitfinex.com/docs/abbreviations-glossary#errorinfo-codes
ERRORS: dict[int, type[UpstreamError]] = {
    10020: UnknownInstrument, 10100: Unauthorized, 10111: Unauthorized, 10112: Unauthorized, 10114: Unauthorized,
    11010: Throttled, 20051: Overloaded, 20060: Overloaded, 20061: Overloaded,
}  # fmt: skip
CURRENCIES = ("EUR", "GBP", "JPY", "TRY", "USD")


def covered(instrument: InstrumentId) -> bool:
    """A spot pair by the names that are ours: UST is what Bitfinex calls USDT."""
    return (
        is_spot_of("bitfinex", instrument, CURRENCIES, between=":")
        and not {instrument.base, instrument.quote} & OURS.keys()
    )


def perpetual(instrument: InstrumentId) -> bool:
    """A perpetual that settles in USDT, by the names that are ours."""
    return is_linear_of("bitfinex", instrument) and instrument.base not in OURS


class Bitfinex(Provider):
    """Spot exchange; everything is a number by its place."""

    profile = Profile(
        id="bitfinex",
        name="Bitfinex",
        base_url="https://api-pub.bitfinex.com",
        docs="https://docs.bitfinex.com/docs/rest-public",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Bitfinex terms of service: own use and display; redistribution needs consent."),
        # Each endpoint has its own: this is that of tickers and candles, books have more, trades half of it.
        limits=(per_minute(30),),
        priority=20,
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=50)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Unknown pairs are simply not in the answer."""
        symbols = sorted(set(map(wire_symbol, ask.instruments)))
        return parse_quotes(ask.instruments, await self.http.get("/v2/tickers", {"symbols": ",".join(symbols)}))

    @answers(CANDLES, covers=lambda ask: covered(ask.instrument), intervals=tuple(INTERVALS), max_rows=ROWS)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Both ends are inclusive; 1 sorts ascending."""
        params: Params = {
            "start": int(ask.start.timestamp()) * 1000,
            "end": int(ask.end.timestamp()) * 1000 - 1,
            "limit": ROWS,
            "sort": 1,
        }
        series = f"trade:{INTERVALS[ask.interval]}:{wire_symbol(ask.instrument)}"
        return parse_candles(await self.http.get(f"/v2/candles/{series}/hist", params))

    @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
    async def order_book(self, ask: OrderBookAsk) -> OrderBook:
        """The next of the lengths that there are, 250 at most, at full precision."""
        params: Params = {"len": next((length for length in LENGTHS if ask.depth <= length), LENGTHS[-1])}
        body = await self.http.get(f"/v2/book/{wire_symbol(ask.instrument)}/P0", params)
        return parse_book(ask.instrument, body)

    @answers(TRADES, covers=lambda ask: covered(ask.instrument), weight=2)
    async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
        """The newest, at most 10,000."""
        params: Params = {"limit": min(ask.last, ROWS), "sort": -1}
        return parse_trades(await self.http.get(f"/v2/trades/{wire_symbol(ask.instrument)}/hist", params))

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """Names of pairs and of perpetuals; prices have five significant digits and so no fixed step."""
        return parse_listings(await self.http.get("/v2/conf/pub:list:pair:exchange,pub:list:pair:futures"))

    @answers(FUNDING_RATES, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=50)
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """The rate that the next payment will have; unknown perpetuals are simply not in the answer."""
        return [parse_funding(key, row) for key, row in await self._status(ask.instruments)]

    @answers(OPEN_INTEREST, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=50)
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In coins."""
        return [
            OpenInterest(instrument=key, as_of=row.maybe_epoch(1, "ms"), amount=row.decimal(18))
            for key, row in await self._status(ask.instruments)
        ]

    async def _status(self, instruments: tuple[InstrumentId, ...]) -> list[tuple[InstrumentId, Row]]:
        keys = sorted(set(map(contract_of, instruments)))
        body = await self.http.get("/v2/status/deriv", {"keys": ",".join(keys)})
        return matched(instruments, body, contract_of, name=0)

    @streams(QUOTES, feed=BitfinexFeed, covers=lambda ask: all(map(covered, ask.instruments)), silence=SILENCE)
    def quote_channel(self, ask: QuotesAsk) -> str:
        """The same as over HTTP."""
        return f"ticker:{wire_symbol(ask.instruments[0])}"

    @streams(
        CANDLES,
        feed=BitfinexFeed,
        covers=lambda ask: covered(ask.instrument),
        intervals=tuple(INTERVALS),
        silence=SILENCE,
    )
    def candle_channel(self, ask: CandlesAsk) -> str:
        """The last candles, then each as it changes."""
        return f"candles:trade:{INTERVALS[ask.interval]}:{wire_symbol(ask.instrument)}"

    @streams(TRADES, feed=BitfinexFeed, covers=lambda ask: covered(ask.instrument), silence=SILENCE)
    def trade_channel(self, ask: TradesAsk) -> str:
        """The last trades, then each as it is made."""
        return f"trades:{wire_symbol(ask.instrument)}"

    @streams(ORDER_BOOK, feed=BitfinexFeed, covers=lambda ask: covered(ask.instrument), silence=SILENCE)
    def book_channel(self, ask: OrderBookAsk) -> str:
        """A hundred levels at full precision, and their changes."""
        return f"book:{wire_symbol(ask.instrument)}"

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`["error", 10020, "symbol: invalid"]`, with status 500 whatever it is."""
        body = reply.body.value
        if not isinstance(body, list) or len(body) < 3 or body[0] != "error" or reply.status == 429:
            return None
        kind = ERRORS.get(body[1]) if type(body[1]) is int else None
        return refusal(self.profile.id, reply, f"error {body[1]}: {body[2]}", kind)


def wire_symbol(instrument: InstrumentId) -> str:
    """`tBTCUSD` for BTC/USD, `tDUSK:UST` for DUSK/USDT: without a colon each name has three letters."""
    base, quote = _names(instrument)
    return f"t{base}{'' if len(base) == len(quote) == LETTERS else ':'}{quote}"


def contract_of(instrument: InstrumentId) -> str:
    """`tBTCF0:USTF0` for BTC/USDT:USDT."""
    base, quote = _names(instrument)
    return f"t{base}{CONTRACT}:{quote}{CONTRACT}"


def _names(instrument: InstrumentId) -> tuple[str, str]:
    return WIRE.get(instrument.base, instrument.base), WIRE.get(instrument.quote, instrument.quote)


def parse_quotes(instruments: Sequence[InstrumentId], body: Row) -> list[Quote]:
    """The symbol and what the socket sends; a pair that never traded has a price of zero."""
    found = priced(instruments, body, wire_symbol, name=0, last=7)
    return [parse_quote(instrument, row, at=1) for instrument, row in found]


def parse_candles(body: Row) -> Bars:
    """[time, open, CLOSE, high, low, volume]; intervals without a trade are missing, as is an unknown pair."""
    return body.bars(time=0, open=1, close=2, high=3, low=4, volume=5) if len(body) else NO_BARS


def parse_book(instrument: InstrumentId, body: Row) -> OrderBook:
    """Rows are [price, number of orders, size], sizes of asks are negative."""
    levels = [PriceLevel(price=row.decimal(0), size=row.decimal(2), order_count=row.integer(1)) for row in body]
    return OrderBook(
        instrument=instrument,
        bids=tuple([level for level in levels if level.size > 0]),
        asks=tuple([replace(level, size=-level.size) for level in levels if level.size < 0]),
    )


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """Newest first."""
    return ascending([parse_trade(row) for row in body], lambda trade: (trade.time, len(trade.id), trade.id))


def parse_funding(instrument: InstrumentId, row: Row) -> FundingRate:
    """[key, time, _, price, spot price, …, 8: next payment, 12: its rate, 15: mark price, 18: open interest, …]."""
    return FundingRate(
        instrument=instrument,
        as_of=row.maybe_epoch(1, "ms"),
        rate=row.decimal(12),
        time=row.epoch(8, "ms"),
        settled=False,
        mark_price=row.positive(15),
        index_price=row.positive(4),
    )


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Lists in a list: `BTCUSD`, or `DUSK:USD` where one has not three letters; `BTCF0:USTF0` of perpetuals."""
    found = [(row.text(), _pair(row.text())) for names in body for row in names]
    return tuple(
        [
            Listing(
                instrument=pair,
                provider_symbol=f"t{name}",
                type=InstrumentType.PERPETUAL if pair.settle else InstrumentType.SPOT,
            )
            for name, pair in found
            if pair is not None and (contract_of(pair) if pair.settle else wire_symbol(pair)) == f"t{name}"
        ]
    )


def _pair(name: str) -> InstrumentId | None:
    base, colon, quote = name.partition(":")
    if not colon:
        base, quote = name[:LETTERS], name[LETTERS:]
    if not name.isascii() or not base or not quote or base.startswith(TEST):
        return None
    if base.endswith(CONTRACT) and quote.endswith(CONTRACT):
        base, quote = base.removesuffix(CONTRACT), quote.removesuffix(CONTRACT)
        return perpetual_of(OURS.get(base, base), OURS.get(quote, quote))
    return crypto(OURS.get(base, base), OURS.get(quote, quote))
