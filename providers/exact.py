"""What counts as a number on the wire: exact, finite, of sane size, written as upstreams write numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

NUMERIC = frozenset({str, int, Decimal})
WIDEST = 60
"""Most digits before or behind the point."""


def exact(value: Any) -> Decimal:
    """A finite number of sane size from a text, an int or a Decimal; ValueError otherwise."""
    kind = type(value)
    # `ordinary` is spelled out here: numbers are most of what reading a quote costs.
    if (not value.isascii() or "_" in value) if kind is str else kind not in NUMERIC:
        raise ValueError(value)
    number = Decimal(value)
    if not -WIDEST < number.adjusted() < WIDEST or not number.is_finite():
        raise ValueError(value)
    return number


def plain(text: str) -> bool:
    """Nothing but digits, points and signs: no exponent, no NaN, no space."""
    return text.isascii() and not text.encode().translate(None, b"0123456789.-")


def ordinary(text: str) -> bool:
    """Decimal reads digits of all scripts and underscores between them; no upstream means that by a number."""
    return text.isascii() and "_" not in text
