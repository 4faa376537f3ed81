"""Named stretches of history in which markets fell. Nothing here needs numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of history, from the close of the first day to the close of the last."""

    name: str
    start: date
    end: date


WINDOWS: Mapping[str, Window] = MappingProxyType(
    {
        window.name: window
        for window in (
            Window(name="russia_ltcm_1998", start=date(1998, 7, 17), end=date(1998, 8, 31)),
            Window(name="dot_com_2000", start=date(2000, 3, 24), end=date(2002, 10, 9)),
            Window(name="financial_crisis_2007", start=date(2007, 10, 9), end=date(2009, 3, 9)),
            Window(name="euro_debt_2011", start=date(2011, 4, 29), end=date(2011, 10, 3)),
            Window(name="fourth_quarter_2018", start=date(2018, 9, 20), end=date(2018, 12, 24)),
            Window(name="covid_2020", start=date(2020, 2, 19), end=date(2020, 3, 23)),
            Window(name="rates_2022", start=date(2022, 1, 3), end=date(2022, 10, 12)),
            Window(name="crypto_2022", start=date(2021, 11, 8), end=date(2022, 11, 21)),
        )
    }
)
"""From the S&P 500's closing high to its closing low; crypto_2022 from bitcoin's."""
