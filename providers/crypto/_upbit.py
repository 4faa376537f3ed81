"""What Upbit and Bithumb have in common: Bithumb's second interface is Upbit's.

A market is written with the quote asset first: `KRW-BTC` is BTC/KRW.
"""

from __future__ import annotations

from collections.abc import Sequence

from providers.contract import Params, Provider, Reply, answers
from providers.crypto._spot import levels, made_id, percent, priced, refusal
from providers.row import Row, ascending
from schema.errors import Overloaded, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import InstrumentId, crypto
from schema.words.books import OrderBook
from schema.words.candles import NO_BARS, Bars, CandlesAsk
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, Listing
from schema.words.quotes import PriceType, Quote, StatsWindow
from schema.words.trades import Side, Trade

ROWS = 200
MOST_TRADES = 500
CURRENCIES = ("KRW",)
TAKER = {"ASK": Side.SELL, "BID": Side.BUY}
REFUSALS: tuple[tuple[str, type[UpstreamError]], ...] = (
    ("code not found", UnknownInstrument),
    ("market", UnknownInstrument),
    ("too_many_requests", Throttled),
    ("too many", Throttled),
    ("access_key", Unauthorized),
    ("jwt", Unauthorized),
    ("server_error", Overloaded),
    ("maintenance", Overloaded),
)


class Korean(Provider):
    """The list of markets and the refusals, the same in both."""

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        """All markets; names and warnings, no trading rules."""
        return parse_listings(await self.http.get("/v1/market/all", {"isDetails": "true"}))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"error": {"name": 404, "message": "Code not found"}}`; the name is a number or a word."""
        error = reply.body.get("error")
        if error is None or reply.status == 429:
            return None
        name, message = error.get("name"), error.get("message")
        said = f"{'' if name is None else name.value}: {'' if message is None else message.value}"
        kind = next((kind for part, kind in REFUSALS if part in said.lower()), None)
        return refusal(self.profile.id, reply, said, kind)


def market_of(instrument: InstrumentId) -> str:
    """`KRW-BTC` for BTC/KRW."""
    return f"{instrument.quote}-{instrument.base}"


def candle_params(ask: CandlesAsk, to: str) -> Params:
    """*to* is the ask's end and exclusive; the newest `count` before it are answered, and the core cuts."""
    count = -((ask.start - ask.end) // ask.interval.delta)
    return {"market": market_of(ask.instrument), "to": to, "count": min(count, ROWS)}


def parse_quotes(instruments: Sequence[InstrumentId], body: Row, window: StatsWindow) -> list[Quote]:
    """Statistics are of the venue's day, and so is the volume beside them; there is no bid and no ask."""
    found = priced(instruments, body, market_of, name="market", last="trade_price")
    return [_quote(instrument, row, window) for instrument, row in found]


def _quote(instrument: InstrumentId, row: Row, window: StatsWindow) -> Quote:
    last = row.decimal("trade_price")
    return Quote(
        instrument=instrument,
        as_of=row.maybe_epoch("trade_timestamp", "ms"),
        price=last,
        price_type=PriceType.LAST,
        last=last,
        last_size=row.positive("trade_volume"),
        open=row.positive("opening_price"),
        high=row.positive("high_price"),
        low=row.positive("low_price"),
        previous_close=row.positive("prev_closing_price"),
        change=row.maybe("signed_change_price"),
        change_percent=percent(row, "signed_change_rate"),
        volume=row.maybe("acc_trade_volume"),
        quote_volume=row.maybe("acc_trade_price"),
        stats_window=window,
    )


def parse_candles(body: Row) -> Bars:
    """Newest first, without those in which nothing was traded; `timestamp` is that of the last trade inside."""
    if not len(body):
        return NO_BARS
    times = [int(row.instant("candle_date_time_utc").timestamp()) for row in body]
    rows = [{**row, "open_time": time} for row, time in zip(body.value, times, strict=True)]
    return Row(body.provider, rows).bars(
        time="open_time", open="opening_price", high="high_price", low="low_price", close="trade_price",
        volume="candle_acc_trade_volume", quote_volume="candle_acc_trade_price", unit="s",
    )  # fmt: skip


def parse_book(instrument: InstrumentId, body: Row, depth: int) -> OrderBook:
    """One row holds a bid and an ask."""
    book = body[0]
    units = book["orderbook_units"]
    return OrderBook(
        instrument=instrument,
        as_of=book.maybe_epoch("timestamp", "ms"),
        bids=levels(units, price="bid_price", size="bid_size", depth=depth),
        asks=levels(units, price="ask_price", size="ask_size", depth=depth),
    )


def parse_trades(body: Row) -> tuple[Trade, ...]:
    """Newest first; `ask_bid` is the taker's side. Once trades had no ids."""
    return ascending([_trade(row) for row in body][::-1], lambda trade: trade.time)


def _trade(row: Row) -> Trade:
    numbered = row.get("sequential_id") is not None
    return Trade(
        id=row.label("sequential_id") if numbered else made_id(row, "timestamp", "trade_price", "trade_volume"),
        time=row.epoch("timestamp", "ms"),
        price=row.decimal("trade_price"),
        size=row.decimal("trade_volume"),
        side=TAKER.get(row.text("ask_bid")),
    )


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Only what is traded is listed."""
    return tuple([_listing(row) for row in body if row.text("market").isascii()])


def _listing(row: Row) -> Listing:
    quote, dash, base = row.text("market").partition("-")
    if not dash or not quote or not base:
        row["market"].broken("is not a market")
    return Listing(
        instrument=crypto(base, quote), provider_symbol=row.text("market"), name=row.maybe_text("english_name")
    )
