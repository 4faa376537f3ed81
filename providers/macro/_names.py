"""Common names of economic series: `US.CPI` is a country and a concept, and each means one quantity, whoever answers.

`US.CPI` is the index of consumer prices of all items for urban consumers, seasonally adjusted, 1982-84 = 100, and
`US.CPI_NSA` the same unadjusted; `US.UNEMPLOYMENT` the rate U-3, `US.PAYROLLS` thousands of persons on payrolls outside
of farms, `US.HOURLY_EARNINGS` dollars an hour of all employees in private industry, all of them seasonally adjusted.
The names that only one adapter answers stand in a table of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from schema.words.economics import EconomicSeriesAsk, own_code


def parts_of(series: str) -> tuple[str, str]:
    """Country and concept of a common name; two empty texts for anything else."""
    country, _, concept = series.partition(".")
    return (country, concept) if len(country) == 2 and country.isalpha() and country.isupper() else ("", "")


def scaled(unit: str, power: str | None) -> str:
    """A unit with the power of ten that an SDMX source counts it in."""
    return unit if power in (None, "0") else f"{unit}, 10^{power}"


def latest_code(ask: EconomicSeriesAsk, named: Mapping[str, str], provider: str, form: re.Pattern[str]) -> str | None:
    """The code of a common name, or the one that was asked for, of a source that keeps no vintages; None for others."""
    if ask.known_at is not None or ask.vintages:
        return None
    code = named.get(ask.series) or own_code(ask.series, provider)
    return code if code and form.fullmatch(code) else None
