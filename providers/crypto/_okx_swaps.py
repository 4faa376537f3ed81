"""OKX's names, and its perpetuals: which there are, what they pay, how much is open, what was liquidated."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from providers.crypto._perpetual import closing_side, is_inverse_of, is_linear_of
from providers.row import Row, ascending
from schema.symbols import InstrumentId
from schema.words.derivatives import FundingRate, Liquidation, OpenInterest


def is_linear(instrument: InstrumentId) -> bool:
    """One that settles in a dollar token."""
    return is_linear_of("okx", instrument, ("USDC", "USDT"))


def perpetual(instrument: InstrumentId) -> bool:
    """One that settles in a dollar token, or is quoted in dollars and settles in its base asset."""
    return is_linear(instrument) or is_inverse_of("okx", instrument)


def wire_symbol(instrument: InstrumentId) -> str:
    """`BTC-USDT` for BTC/USDT."""
    return f"{instrument.base}-{instrument.quote}"


def name_of(instrument: InstrumentId) -> str:
    """`BTC-USDT` for BTC/USDT, `BTC-USDT-SWAP` for BTC/USDT:USDT."""
    return swap_of(instrument) if instrument.settle else wire_symbol(instrument)


def swap_of(instrument: InstrumentId) -> str:
    """`BTC-USDT-SWAP` for BTC/USDT:USDT."""
    return f"{wire_symbol(instrument)}-SWAP"


def parse_funding(instrument: InstrumentId, row: Row) -> FundingRate:
    """`fundingTime` is the next payment's, `nextFundingTime` that of the one after it."""
    time, after = row.epoch("fundingTime", "ms"), row.maybe_epoch("nextFundingTime", "ms")
    return FundingRate(
        instrument=instrument,
        as_of=row.maybe_epoch("ts", "ms"),
        rate=row.decimal("fundingRate"),
        time=time,
        settled=False,
        interval_ms=None if after is None else (after - time) // timedelta(milliseconds=1),
    )


def parse_interest(instrument: InstrumentId, row: Row) -> OpenInterest:
    """`oi` is in contracts, `oiCcy` in coins; `oiUsd` came later."""
    value = row.maybe("oiUsd")
    return OpenInterest(
        instrument=instrument,
        as_of=row.maybe_epoch("ts", "ms"),
        amount=row.maybe("oiCcy"),
        contracts=row.decimal("oi"),
        value=value,
        currency=None if value is None else "USD",
    )


def parse_liquidations(name: str, contract: Row, body: Row) -> tuple[Liquidation, ...]:
    """Newest first, without ids; the price is the one at which the position was worth nothing any more."""
    coins = contract.decimal("ctVal") * contract.decimal("ctMult")
    found = [
        _liquidation(row, coins) for each in body["data"] if each.text("instId") == name for row in each["details"]
    ]
    return ascending(found[::-1], lambda each: each.time)


def _liquidation(row: Row, coins: Decimal) -> Liquidation:
    return Liquidation(
        time=row.epoch("ts", "ms"),
        side=closing_side(row["side"]),
        price=row.decimal("bkPx"),
        size=row.decimal("sz") * coins,
    )
