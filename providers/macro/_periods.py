"""Periods as statistical offices write them: `1997`, `2020Q1`, `2020-Q1`, `2020M01`, `1972-A1`, `2020-S2`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime

from providers.row import Row
from schema.words.economics import EconomicSeriesAsk, Frequency, Observation

_PERIOD = re.compile(r"([0-9]{4})(?:-?([ASQM])([0-9]{1,2})|-([0-9]{2})(?:-([0-9]{2}))?)?")
_UNTOLD = datetime.min.replace(tzinfo=UTC)
_FREQUENCIES = {
    "A": Frequency.ANNUAL, "S": Frequency.SEMIANNUAL, "Q": Frequency.QUARTERLY, "M": Frequency.MONTHLY,
}  # fmt: skip
_MONTHS = {"A": 12, "S": 6, "Q": 3, "M": 1}
"""How long the periods of a letter are."""


def first_day(row: Row, key: str) -> date:
    """The first day of a written period."""
    found = _PERIOD.fullmatch(row.text(key))
    if found is None:
        row[key].broken("is not a period")
    year, letter, number, month, day = found.groups(default="01")
    if found[2]:
        month = f"{(int(number) - 1) * _MONTHS[letter] + 1:02}"
    return Row(row.provider, f"{year}-{month}-{day}", row, key).day()


def frequency_of(text: str) -> Frequency | None:
    """How often a series is published whose periods are written like this; None where they are days."""
    found = _PERIOD.fullmatch(text)
    if found is None or found[5]:
        return None
    if found[2]:
        return _FREQUENCIES[found[2]]
    return Frequency.MONTHLY if found[4] else Frequency.ANNUAL


def observed(ask: EconomicSeriesAsk, observations: Iterable[Observation]) -> tuple[Observation, ...]:
    """Ascending by period and publication, in the range that was asked for: many send all that they have, unsorted."""
    inside = (
        each
        for each in observations
        if (ask.start is None or each.date >= ask.start) and (ask.end is None or each.date < ask.end)
    )
    return tuple(sorted(inside, key=lambda each: (each.date, each.published_at or _UNTOLD)))
