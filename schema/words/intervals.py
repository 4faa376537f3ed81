"""Interval: the length of a candle."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from schema.model import choices


@choices(
    "Length of a candle.",
    S1="1 second.",
    S5="5 seconds.",
    S15="15 seconds.",
    S30="30 seconds.",
    M1="1 minute.",
    M3="3 minutes.",
    M5="5 minutes.",
    M15="15 minutes.",
    M30="30 minutes.",
    H1="1 hour.",
    H2="2 hours.",
    H4="4 hours.",
    H6="6 hours.",
    H8="8 hours.",
    H12="12 hours.",
    D1="1 day.",
    D3="3 days.",
    W1="1 week.",
    MO1="1 calendar month.",
)
class Interval(StrEnum):
    """An enum, because `1m` and `1M` are one slip apart."""

    S1 = "S1"
    S5 = "S5"
    S15 = "S15"
    S30 = "S30"
    M1 = "M1"
    M3 = "M3"
    M5 = "M5"
    M15 = "M15"
    M30 = "M30"
    H1 = "H1"
    H2 = "H2"
    H4 = "H4"
    H6 = "H6"
    H8 = "H8"
    H12 = "H12"
    D1 = "D1"
    D3 = "D3"
    W1 = "W1"
    MO1 = "MO1"

    @property
    def seconds(self) -> int:
        """Length in seconds; a month counts 30 days here."""
        return _SECONDS[self]

    @property
    def delta(self) -> timedelta:
        """Length; a month counts 30 days here."""
        return timedelta(seconds=_SECONDS[self])

    @property
    def intraday(self) -> bool:
        """Shorter than a day."""
        return _SECONDS[self] < 86_400


_UNITS = {"S": 1, "M": 60, "H": 3600, "D": 86_400, "W": 604_800}
_SECONDS = {i: 2_592_000 if i.value == "MO1" else _UNITS[i.value[0]] * int(i.value[1:]) for i in Interval}
SHORT_FORMS = {f"{i.value[1:]}{i.value[0].lower()}": i for i in Interval if i.value != "MO1"} | {"1mo": Interval.MO1}
