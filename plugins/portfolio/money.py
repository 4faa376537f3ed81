"""Amounts of money as they are shown: to the currency's minor unit, half to even; what is not ISO 4217 to 8 digits."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

from schema.currencies import decimals_of

_PRECISE = Context(prec=100, rounding=ROUND_HALF_EVEN)
_ROUNDED = Context(prec=400, rounding=ROUND_HALF_EVEN)
"""More digits than any amount of stored transactions has."""
_SHARE = Decimal("1e-10")
_LARGEST_SHARE = 30
"""Digits behind the first one."""


def money(amount: Decimal, currency: str) -> Decimal:
    """Rounded once."""
    rounded = amount.quantize(Decimal(1).scaleb(-decimals_of(currency)), context=_ROUNDED)
    return rounded if rounded else abs(rounded)


def maybe_money(amount: Decimal | None, currency: str) -> Decimal | None:
    """The same of what may be unknown."""
    return None if amount is None else money(amount, currency)


def share(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """A fraction to ten digits; None of nothing, of next to nothing, or of what is unknown."""
    if part is None or not whole:
        return None
    found = _PRECISE.divide(part, whole)
    return None if found.adjusted() > _LARGEST_SHARE else found.quantize(_SHARE, context=_PRECISE)
