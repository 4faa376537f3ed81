"""European Central Bank: euro reference rates, and all other series of its data portal.

Docs: https://data.ecb.europa.eu/help/api/overview

Rates are units of a currency for one euro. The bank publishes neither inverses nor crosses, so neither are answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from providers.contract import Licence, Profile, Provider, answers
from providers.fx._reference import CURRENCIES, FIRST_DAY, Rate, fixing, has_history, is_fixed, selected
from providers.macro._names import latest_code, scaled
from providers.macro._periods import first_day, frequency_of, observed
from providers.row import ABSENT, Row
from schema.errors import NotCovered
from schema.provenance import FeedDelay
from schema.symbols import AssetClass
from schema.words.economics import ECONOMIC_SERIES, EconomicSeries, EconomicSeriesAsk, Observation
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk

WEEK = timedelta(days=7)
# The file covers 90 days back from its newest fixing; the margin keeps a range from losing its first days.
RECENT = timedelta(days=85)

SERIES = {"XM.POLICY_RATE": "FM/D.U2.EUR.4F.KR.DFR.LEV"}
FACTS = ("TITLE", "UNIT", "UNIT_MULT")
# A flow and a key: an empty position would mean all values, and so several series. Weeks are written in no other way.
_CODE = re.compile(r"[A-Z0-9_]{2,20}/(?!W\.)[A-Z0-9_]+(?:\.[A-Z0-9_]+){1,15}")


def code_of(ask: EconomicSeriesAsk) -> str | None:
    """The flow and key of a common name's series, or those that were asked for; no vintages are kept."""
    return latest_code(ask, SERIES, "ecb", _CODE)


class Ecb(Provider):
    """Small files for the newest rates and the last 90 days, the data portal for the years before."""

    profile = Profile(
        id="ecb",
        name="European Central Bank",
        base_url="https://www.ecb.europa.eu/stats/eurofxref",
        hosts={"data": "https://data-api.ecb.europa.eu/service"},
        docs="https://data.ecb.europa.eu/help/api/overview",
        asset_classes=(AssetClass.FX, AssetClass.MACRO),
        licence=Licence(
            note="Free re-use with the source named; for information only, not for transactions.",
            attribution="Source: ECB statistics",
            redistributable=True,
        ),
        delay=FeedDelay.END_OF_DAY,
        priority=30,
    )

    # One fixing a working day: asking more often than this would be asking for nothing.
    @answers(
        QUOTES, covers=lambda ask: all(is_fixed(i, "ecb") for i in ask.instruments), fresh_for=timedelta(minutes=5)
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """One file holds them all."""
        rates = {code: (rate, day) for day, code, rate in parse_xml(await self.http.get_xml("/eurofxref-daily.xml"))}
        return [fixing(i, *rates[i.quote]) for i in ask.instruments if i.quote in rates]

    @answers(
        FX_RATES,
        covers=lambda ask: ask.base == "EUR" and CURRENCIES.issuperset(ask.quotes) and has_history(ask),
        since=FIRST_DAY,
    )
    async def fx_rates(self, ask: FxRatesAsk) -> tuple[FxRate, ...]:
        """The newest fixing, or every one of a range."""
        if ask.start is None:
            return selected(ask, parse_xml(await self.http.get_xml("/eurofxref-daily.xml")))
        today = self.clock.now().date()
        if ask.start > today:
            return ()
        if today - ask.start <= RECENT:
            return selected(ask, parse_xml(await self.http.get_xml("/eurofxref-hist-90d.xml")))
        params = {
            # A range without a fixing is answered by 404 or by an empty body: a week more always holds one.
            "startPeriod": (max(ask.start, FIRST_DAY) - WEEK).isoformat(),
            "endPeriod": (ask.end - timedelta(days=1) if ask.end else today).isoformat(),
            "detail": "dataonly",
            "format": "csvdata",
        }
        path = f"/data/EXR/D.{'+'.join(sorted(ask.quotes))}.EUR.SP00.A"
        return selected(ask, parse_csv(await self.http.get_csv(path, params, host="data")))

    # Whole: a range without a value would be answered as an unknown series is.
    @answers(ECONOMIC_SERIES, covers=lambda ask: code_of(ask) is not None, fresh_for=timedelta(hours=1))
    async def economic_series(self, ask: EconomicSeriesAsk) -> EconomicSeries:
        """A whole series of the data portal; an unknown one is answered with status 404."""
        code = code_of(ask) or ""
        return parse_series(ask, code, await self.http.get_csv(f"/data/{code}", {"format": "csvdata"}, host="data"))


def parse_series(ask: EconomicSeriesAsk, code: str, body: Row) -> EconomicSeries:
    """Rows of `TIME_PERIOD`, `OBS_VALUE` and, with every row, facts of the series: see `FACTS`."""
    rows = list(body)
    periods = [row.text("TIME_PERIOD") for row in rows]
    if not periods:
        body.broken("has no rows")
    if len(set(periods)) < len(periods):
        raise NotCovered(body.provider, f"{code} means several series: give one value for each of its positions")
    title, unit, power = (rows[0].maybe_text(name) if name in rows[0] else None for name in FACTS)
    return EconomicSeries(
        series=ask.series,
        code=code,
        title=title,
        unit=None if unit is None else scaled(unit, power),
        frequency=frequency_of(periods[0]),
        observations=observed(
            ask, (Observation(date=first_day(row, "TIME_PERIOD"), value=row.maybe("OBS_VALUE")) for row in rows)
        ),
    )


def parse_xml(body: Row) -> Iterator[Rate]:
    """`Cube` elements within each other: one round all, one a day with `time`, one a currency with `rate`."""
    days = [day for cube in _cubes(body) for day in _cubes(cube)]
    if not days:
        body.broken("has no day")
    return (
        (day.day("@time"), rate.text("@currency"), rate.decimal("@rate"))
        for day in days
        for rate in _cubes(day)
        if rate["@rate"].value not in ABSENT
    )


def _cubes(body: Row) -> list[Row]:
    return [child for child in body["children"] if child.text("tag") == "Cube"]


def parse_csv(body: Row) -> Iterator[Rate]:
    """SDMX rows, read by column name: their number and order depend on the detail asked for.

    A day on which a currency was not fixed has an empty value or NaN.
    """
    return (
        (row.day("TIME_PERIOD"), row.text("CURRENCY"), row.decimal("OBS_VALUE"))
        for row in body
        if row["OBS_VALUE"].value not in ABSENT
    )
