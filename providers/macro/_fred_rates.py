"""The Federal Reserve's daily exchange rates (release H.10): noon buying rates in New York, by code of their series.

Four currencies are quoted in dollars for one unit, all others in units for one dollar; none is turned round here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from providers.fx._reference import Rate
from providers.row import Row
from schema.words.rates import FxRatesAsk

DOLLAR = "USD"
FIRST_DAY = date(1971, 1, 4)
IN_DOLLARS = {"AUD": "DEXUSAL", "EUR": "DEXUSEU", "GBP": "DEXUSUK", "NZD": "DEXUSNZ"}
FOR_A_DOLLAR = {
    "BRL": "DEXBZUS", "CAD": "DEXCAUS", "CHF": "DEXSZUS", "CNY": "DEXCHUS", "DKK": "DEXDNUS", "HKD": "DEXHKUS",
    "INR": "DEXINUS", "JPY": "DEXJPUS", "KRW": "DEXKOUS", "LKR": "DEXSLUS", "MXN": "DEXMXUS", "MYR": "DEXMAUS",
    "NOK": "DEXNOUS", "SEK": "DEXSDUS", "SGD": "DEXSIUS", "THB": "DEXTHUS", "TWD": "DEXTAUS", "ZAR": "DEXSFUS",
}  # fmt: skip
# On holidays a series has a point for a value: of so many days one has a rate.
RECENT = 10


def rated(ask: FxRatesAsk) -> bool:
    """A currency in dollars, or named ones for a dollar: each is a call."""
    known = FOR_A_DOLLAR.keys() if ask.base == DOLLAR else {DOLLAR} if ask.base in IN_DOLLARS else frozenset()
    return bool(ask.quotes) and known >= set(ask.quotes) and (ask.end is None or ask.end > FIRST_DAY)


def series_of(ask: FxRatesAsk) -> dict[str, str]:
    """The code of each rate that is asked for."""
    codes = FOR_A_DOLLAR if ask.base == DOLLAR else {DOLLAR: IN_DOLLARS[ask.base]}
    return {quote: codes[quote] for quote in sorted(set(ask.quotes))}


def params_of(ask: FxRatesAsk, code: str) -> dict[str, str | int]:
    """The newest days, or those of a range; both ends are included."""
    params: dict[str, str | int] = {"series_id": code, "file_type": "json"}
    if ask.start is None:
        return params | {"sort_order": "desc", "limit": RECENT}
    params["observation_start"] = f"{ask.start}"
    return params if ask.end is None else params | {"observation_end": f"{ask.end - timedelta(days=1)}"}


def parse_rates(ask: FxRatesAsk, quote: str, rows: Iterable[Row]) -> Iterator[Rate]:
    """Days with a value; where no range is asked for the newest alone."""
    days = [(row.day("date"), quote, rate) for row in rows if (rate := row.maybe("value")) is not None]
    return iter(days if ask.start is not None else [max(days)] if days else [])
