"""What it costs to hold and to owe: under which keys the engine books it, once each. Pure.

No caller's key is the same: theirs are ASCII.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal


def funding_key(instrument: str, at: datetime) -> str:
    """Of what an instrument's positions got or paid until a time."""
    return f"§funding {instrument} {at.isoformat()}"


def interest_key(currency: str, day: date) -> str:
    """Of a day's interest on what was owed of a currency at its end."""
    return f"§interest {currency} {day.isoformat()}"


def funding_of(key: str | None) -> tuple[str, datetime] | None:
    """Instrument and time of such a key; None of any other."""
    if key is None or not key.startswith("§funding "):
        return None
    _, instrument, at = key.split(" ")
    return instrument, datetime.fromisoformat(at)


def interest_of(key: str | None) -> tuple[str, date] | None:
    """Currency and day of such a key; None of any other."""
    if key is None or not key.startswith("§interest "):
        return None
    _, currency, day = key.split(" ")
    return currency, date.fromisoformat(day)


def interest_memo(day: date, rate: Decimal, balance: Decimal, currency: str) -> str:
    """What an entry of interest says: the proof reckons by it."""
    return f"interest of {day.isoformat()}: {rate:f} a year on {balance:f} {currency}"


def rate_of(memo: str | None) -> Decimal | None:
    """The yearly rate that such an entry was reckoned with."""
    if memo is None or " a year on " not in memo:
        return None
    return Decimal(memo.partition(": ")[2].partition(" a year on ")[0])
