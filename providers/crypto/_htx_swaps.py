"""HTX's perpetuals: which there are, what they pay, how much is open, what was liquidated."""

from __future__ import annotations

from providers.crypto._perpetual import closing_side, is_inverse_of, is_linear_of
from providers.row import Row, ascending
from schema.symbols import InstrumentId
from schema.words.derivatives import FundingRate, Liquidation, OpenInterest


def is_linear(instrument: InstrumentId) -> bool:
    """One that settles in USDT."""
    return is_linear_of("htx", instrument)


def perpetual(instrument: InstrumentId) -> bool:
    """One that settles in USDT, or is quoted in dollars and settles in its base asset."""
    return is_linear(instrument) or is_inverse_of("htx", instrument)


def contract_of(instrument: InstrumentId) -> str:
    """`BTC-USDT` for BTC/USDT:USDT, `BTC-USD` for BTC/USD:BTC."""
    return f"{instrument.base}-{instrument.quote}"


def parse_funding(instrument: InstrumentId, body: Row) -> FundingRate:
    """`estimated_rate` is that of the interval after this one, and no longer sent."""
    row = body["data"]
    return FundingRate(
        instrument=instrument,
        as_of=body.maybe_epoch("ts", "ms"),
        rate=row.decimal("funding_rate"),
        time=row.epoch("funding_time", "ms"),
        settled=False,
    )


def parse_interest(instrument: InstrumentId, row: Row, body: Row) -> OpenInterest:
    """`volume` is in contracts, `amount` in coins."""
    value = row.maybe("value")
    return OpenInterest(
        instrument=instrument,
        as_of=body.maybe_epoch("ts", "ms"),
        amount=row.maybe("amount"),
        contracts=row.decimal("volume"),
        value=value,
        currency=None if value is None else instrument.settle,
    )


def parse_liquidations(body: Row) -> tuple[Liquidation, ...]:
    """Newest first; `direction` is the closing order's, `amount` is in coins beside the contracts of `volume`."""
    found = [
        Liquidation(
            id=row.label("query_id"),
            time=row.epoch("created_at", "ms"),
            side=closing_side(row["direction"]),
            price=row.decimal("price"),
            size=row.decimal("amount"),
        )
        for row in body["data"]
    ]
    return ascending(found[::-1], lambda each: each.time)
