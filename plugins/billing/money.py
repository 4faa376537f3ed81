"""Amounts of money: exact, rounded once, half to even, to the currency's minor unit."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from schema.currencies import FIATS

WITHOUT_MINOR_UNIT = frozenset({"CLP", "ISK", "JPY", "KRW", "VND"})
IN_THOUSANDTHS = frozenset({"KWD"})


def decimals_of(currency: str) -> int:
    """Digits behind the point, by ISO 4217."""
    if currency in WITHOUT_MINOR_UNIT:
        return 0
    return 3 if currency in IN_THOUSANDTHS else 2


def is_currency(text: str) -> bool:
    """Whether money may be billed in it."""
    return text in FIATS


def rounded(amount: Fraction, currency: str) -> Decimal:
    """To the minor unit, half to even; no intermediate value is rounded."""
    decimals = decimals_of(currency)
    return in_minor_units(round(amount * 10**decimals), decimals)


def in_minor_units(units: int, decimals: int) -> Decimal:
    """So many hundredths (thousandths, wholes) as an amount; no context can round it."""
    digits = tuple(map(int, str(abs(units))))
    return Decimal((int(units < 0), digits, -decimals))


def total_of(amounts: list[Decimal], currency: str) -> Decimal:
    """Their sum, exactly."""
    return rounded(sum(map(Fraction, amounts), Fraction(0)), currency)
