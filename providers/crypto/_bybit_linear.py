"""Bybit's perpetuals that settle in USDT: which there are, what they pay, how much is open."""

from __future__ import annotations

from collections.abc import Sequence

from providers.crypto._joined import wire_symbol
from providers.crypto._perpetual import HOUR_MS, is_linear_of, perpetual_of
from providers.crypto._spot import matched
from providers.row import Row
from schema.symbols import InstrumentId
from schema.words.derivatives import FundingRate, OpenInterest
from schema.words.instruments import InstrumentType, Listing


def perpetual(instrument: InstrumentId) -> bool:
    """A perpetual that settles in USDT; the others have symbols of another kind."""
    return is_linear_of("bybit", instrument)


def category_of(instrument: InstrumentId) -> str:
    """Where an instrument is asked for; sizes and volumes are in coins in both."""
    return "linear" if instrument.settle else "spot"


def rows_of(instruments: Sequence[InstrumentId], body: Row) -> list[tuple[InstrumentId, Row]]:
    """Those asked for with their tickers."""
    return matched(instruments, body["result"]["list"], wire_symbol, name="symbol")


def parse_funding(instrument: InstrumentId, row: Row, body: Row) -> FundingRate:
    """The interval is in hours, and came later."""
    hours = row.maybe("fundingIntervalHour")
    return FundingRate(
        instrument=instrument,
        as_of=body.maybe_epoch("time", "ms"),
        rate=row.decimal("fundingRate"),
        time=row.epoch("nextFundingTime", "ms"),
        settled=False,
        interval_ms=None if hours is None else int(hours * HOUR_MS),
        mark_price=row.positive("markPrice"),
        index_price=row.positive("indexPrice"),
    )


def parse_interest(instrument: InstrumentId, row: Row, body: Row) -> OpenInterest:
    """The value is in the quote asset."""
    value = row.maybe("openInterestValue")
    return OpenInterest(
        instrument=instrument,
        as_of=body.maybe_epoch("time", "ms"),
        amount=row.decimal("openInterest"),
        value=value,
        currency=None if value is None else instrument.quote,
    )


def parse_contracts(body: Row) -> tuple[Listing, ...]:
    """Futures that end, and perpetuals that settle in another token, are listed among them."""
    perpetuals = [row for row in body["result"]["list"] if row.maybe_text("contractType") == "LinearPerpetual"]
    found = ((row, perpetual_of(row.text("baseCoin"), row.text("quoteCoin"))) for row in perpetuals)
    return tuple(
        [
            _listing(row, key)
            for row, key in found
            if key is not None and perpetual(key) and wire_symbol(key) == row.text("symbol")
        ]
    )


def _listing(row: Row, key: InstrumentId) -> Listing:
    lot = row["lotSizeFilter"]
    return Listing(
        instrument=key,
        provider_symbol=row.text("symbol"),
        type=InstrumentType.PERPETUAL,
        tick_size=row["priceFilter"].positive("tickSize"),
        step_size=lot.positive("qtyStep"),
        min_size=lot.positive("minOrderQty"),
        max_size=lot.positive("maxOrderQty"),
        min_notional=lot.positive("minNotionalValue"),
        tradable=row.maybe_text("status") == "Trading",
    )
