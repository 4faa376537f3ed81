"""European Central Bank: euro reference rates. Docs: https://data.ecb.europa.eu/help/api/overview

Rates are units of a currency for one euro. The bank publishes neither inverses nor crosses, so neither are answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from providers.contract import Licence, Profile, Provider, answers
from providers.fx._reference import CURRENCIES, FIRST_DAY, Rate, fixing, has_history, is_fixed, selected
from providers.row import ABSENT, Row
from schema.provenance import FeedDelay
from schema.symbols import AssetClass
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk

WEEK = timedelta(days=7)
# The file covers 90 days back from its newest fixing; the margin keeps a range from losing its first days.
RECENT = timedelta(days=85)


class Ecb(Provider):
    """Small files for the newest rates and the last 90 days, the data portal for the years before."""

    profile = Profile(
        id="ecb",
        name="European Central Bank",
        base_url="https://www.ecb.europa.eu/stats/eurofxref",
        hosts={"data": "https://data-api.ecb.europa.eu/service"},
        docs="https://data.ecb.europa.eu/help/api/overview",
        asset_classes=(AssetClass.FX,),
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
