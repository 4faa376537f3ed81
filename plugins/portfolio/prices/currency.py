"""Currencies that amounts can be kept in."""

from __future__ import annotations

from schema.currencies import FIATS, MINOR_UNITS, STABLES
from schema.errors import BadInput

COINS = frozenset({"BTC", "ETH"})
"""Assets that others are priced in."""
UNKNOWN = "XXX"
"""ISO 4217: no currency, or one that nobody tells."""


def read_currency(field: str, text: str) -> str:
    """An ISO 4217 code, a stablecoin, BTC or ETH, upper-cased; BadInput names the field."""
    code = text.strip().upper()
    if code in MINOR_UNITS:
        raise BadInput(field, f"{code} is a hundredth of {MINOR_UNITS[code]}: write {MINOR_UNITS[code]}")
    if code not in FIATS | STABLES | COINS:
        raise BadInput(field, f"{text[:20]!r} is no currency that is known: write a code such as USD, EUR or USDT")
    return code
