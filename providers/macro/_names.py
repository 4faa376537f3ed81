"""Common names of economic series: `US.CPI` is a country and a concept, and each means one quantity, whoever answers.

`US.CPI` is the index of consumer prices of all items for urban consumers, seasonally adjusted, 1982-84 = 100, and
`US.CPI_NSA` the same unadjusted; `US.UNEMPLOYMENT` the rate U-3, `US.PAYROLLS` thousands of persons on payrolls outside
of farms, `US.HOURLY_EARNINGS` dollars an hour of all employees in private industry, all of them seasonally adjusted.
The names that only one adapter answers stand in a table of its own.
"""

from __future__ import annotations


def parts_of(series: str) -> tuple[str, str]:
    """Country and concept of a common name; two empty texts for anything else."""
    country, _, concept = series.partition(".")
    return (country, concept) if len(country) == 2 and country.isalpha() and country.isupper() else ("", "")


def scaled(unit: str, power: str | None) -> str:
    """A unit with the power of ten that an SDMX source counts it in."""
    return unit if power in (None, "0") else f"{unit}, 10^{power}"
