"""Funding of perpetuals, and interest on cash: what is received, below 0 where it is paid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext

from gateway.core.matching.rounding import EXACT, money

YEAR = Decimal(365 * 86_400)


def funding(
    quantity: Decimal, contract_size: Decimal, mark: Decimal, rate: Decimal, quantum: Decimal | None = None
) -> Decimal:
    """`−quantity × contract size × mark × rate`, half to even at the currency's digits.

    A positive rate is paid by longs to shorts. Source: the definition that perpetual exchanges share.
    """
    with localcontext(EXACT):
        return money(-quantity * contract_size * mark * rate, quantum)


def next_funding(after: datetime, hours: int = 8) -> datetime:
    """The first time after an instant that is a multiple of so many hours from its midnight, UTC."""
    day = after.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    interval = timedelta(hours=hours)
    return min(day + interval * ((after - day) // interval + 1), day + timedelta(days=1))


def last_funding(at: datetime, hours: int = 8) -> datetime:
    """The newest of these times that is not later."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    interval = timedelta(hours=hours)
    return day + interval * ((at - day) // interval)


def interest(balance: Decimal, yearly: Decimal, elapsed: timedelta, quantum: Decimal | None = None) -> Decimal:
    """`balance × yearly rate × seconds ÷ (365 × 86,400)`: simple, actual/365; paid where the balance is below 0."""
    with localcontext(EXACT):
        seconds = Decimal(elapsed // timedelta(seconds=1))
        return money(balance * yearly * seconds / YEAR, quantum)
