"""Exact arithmetic of orders: steps, ticks and money. Nothing is ever rounded by the context."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache

from schema.currencies import decimals_of

EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)
"""Wide enough for every product of prices and sizes; enter it with `localcontext(EXACT)`."""
ZERO = Decimal(0)
ONE = Decimal(1)
COIN_STEP = Decimal("0.00000001")
"""Of quantities that are worked out, where an instrument's step is not known."""
FINEST = 24
"""Digits behind the point at which a quotient ends."""


def floor_to(value: Decimal, step: Decimal | None) -> Decimal:
    """The greatest multiple of a step that is not above a value; the value itself where no step is known."""
    return _multiple(value, step, ROUND_FLOOR)


def ceil_to(value: Decimal, step: Decimal | None) -> Decimal:
    """The least multiple of a step that is not below a value; the value itself where no step is known."""
    return _multiple(value, step, ROUND_CEILING)


def nearest(value: Decimal, step: Decimal) -> tuple[Decimal, Decimal]:
    """The multiples of a step below and above a value; twice the value where it is one."""
    return floor_to(value, step), ceil_to(value, step)


def fits(value: Decimal, step: Decimal | None) -> bool:
    """Whether a value is a multiple of a step."""
    return not step or not EXACT.remainder(value, step)


@lru_cache(maxsize=4_096)
def quantum_of(currency: str) -> Decimal:
    """The smallest amount of a currency that the ledger knows: 0.01 of USD, 1 of JPY, 0.00000001 of a coin."""
    return Decimal(1).scaleb(-decimals_of(currency))


def money(amount: Decimal, quantum: Decimal | None) -> Decimal:
    """An amount in multiples of a quantum, half to even; as it is where there is none."""
    return amount if quantum is None else plain(EXACT.quantize(amount, quantum))


def quotient(amount: Decimal, by: Decimal, digits: int = FINEST) -> Decimal:
    """`amount ÷ by`, half to even at so many digits."""
    return plain(EXACT.quantize(EXACT.divide(amount, by), Decimal(1).scaleb(-digits)))


def total_of(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum, exact."""
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def plain(value: Decimal) -> Decimal:
    """Without trailing zeros behind the point, and without an exponent before it: 100.00 is 100, as 1E+2 is."""
    if value == value.to_integral_value():
        return EXACT.quantize(value, ONE) if value else ZERO
    return value.normalize(EXACT)


def _multiple(value: Decimal, step: Decimal | None, rounding: str) -> Decimal:
    if not step or not EXACT.remainder(value, step):
        return value
    return EXACT.multiply(EXACT.divide(value, step).to_integral_value(rounding=rounding), step)
