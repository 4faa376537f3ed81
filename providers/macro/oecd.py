"""OECD: prices, interest rates, unemployment. Docs: https://gitlab.algobank.oecd.org/public-documentation/dotstat-migration

SDMX as CSV, read by column name: which columns there are depends on the flow, and rows come in no order. A series is a
flow and a key, in which an empty position means all values; a key that means several series is refused. No vintages.
"""

from __future__ import annotations

import re
from datetime import timedelta

from providers.contract import Licence, Limit, Profile, Provider, answers
from providers.macro._names import parts_of, scaled
from providers.macro._periods import first_day, frequency_of, observed
from providers.row import Row
from schema.errors import NotCovered
from schema.provenance import FeedDelay
from schema.symbols import AssetClass
from schema.words.economics import ECONOMIC_SERIES, EconomicSeries, EconomicSeriesAsk, Observation, own_code

RATES = "OECD.SDD.STES,DSD_STES@DF_FINMARK,4.0"
SERIES = {
    "CPI": ("OECD.SDD.TPS,DSD_PRICES@DF_PRICES_ALL,1.0", "M.N.CPI.IX._T.N."),
    "LEADING_INDICATOR": ("OECD.SDD.STES,DSD_STES@DF_CLI,4.1", "M.LI...AA.IX..H"),
    "LONG_RATE": (RATES, "M.IRLT.PA....."),
    "OVERNIGHT_RATE": (RATES, "M.IRSTCI.PA....."),
    "SHORT_RATE": (RATES, "M.IR3TIB.PA....."),
    "UNEMPLOYMENT": ("OECD.SDD.TPS,DSD_LFS@DF_IALFS_UNE_M,1.0", "UNE_LF_M.PT_LF_SUB._Z.Y._T.Y_GE15._Z.M"),
}
"""By the concept of a common name: a flow, and what follows the country in its key."""
# Names that mean the series of the country's own office, which its own adapters answer.
OTHERS = frozenset({"US.CPI", "US.UNEMPLOYMENT"})
ISO3 = {
    "AT": "AUT", "AU": "AUS", "BE": "BEL", "CA": "CAN", "CH": "CHE", "CZ": "CZE", "DE": "DEU", "DK": "DNK",
    "ES": "ESP", "FI": "FIN", "FR": "FRA", "GB": "GBR", "HU": "HUN", "IE": "IRL", "IL": "ISR", "IT": "ITA",
    "JP": "JPN", "KR": "KOR", "MX": "MEX", "NL": "NLD", "NO": "NOR", "NZ": "NZL", "PL": "POL", "PT": "PRT",
    "SE": "SWE", "TR": "TUR", "US": "USA", "ZA": "ZAF",
}  # fmt: skip
ISO2 = {three: two for two, three in ISO3.items()} | {"EA20": "XM", "EA21": "XM"}
_CODE = re.compile(r"[A-Z0-9_.]{2,30},[A-Za-z0-9_]{2,30}@[A-Za-z0-9_]{2,40},[0-9.]{0,8}/[A-Za-z0-9_.+]{2,80}")
PRELIMINARY = {"A": False, "E": True, "P": True}
"""By the status of an observation: a normal value, an estimate, a provisional one."""
SEASONAL = {"Y": True, "N": False}


def code_of(ask: EconomicSeriesAsk) -> str | None:
    """A flow and a key with a slash between them."""
    if ask.known_at is not None or ask.vintages:
        return None
    country, concept = parts_of(ask.series)
    if ask.series not in OTHERS and country in ISO3 and concept in SERIES:
        flow, rest = SERIES[concept]
        return f"{flow}/{ISO3[country]}.{rest}"
    code = own_code(ask.series, "oecd")
    return code if code and _CODE.fullmatch(code) else None


class Oecd(Provider):
    """A whole series a call: it is small, and a range without a value would be answered like an unknown series."""

    profile = Profile(
        id="oecd",
        name="OECD",
        base_url="https://sdmx.oecd.org/public/rest",
        docs="https://gitlab.algobank.oecd.org/public-documentation/dotstat-migration",
        asset_classes=(AssetClass.MACRO,),
        licence=Licence(
            note="CC BY 4.0, unless the series is another source's.", attribution="Source: OECD", redistributable=True
        ),
        headers={"Accept": "application/vnd.sdmx.data+csv; charset=utf-8"},
        limits=(Limit(count=60, per=timedelta(hours=1)),),
        delay=FeedDelay.UNKNOWN,
        priority=30,
    )

    # A release a month, and 60 requests an hour.
    @answers(ECONOMIC_SERIES, covers=lambda ask: code_of(ask) is not None, fresh_for=timedelta(hours=1))
    async def economic_series(self, ask: EconomicSeriesAsk) -> EconomicSeries:
        """An unknown flow or key is answered with status 404."""
        body = await self.http.get_csv(f"/data/{code_of(ask)}", {"dimensionAtObservation": "TIME_PERIOD"})
        return parse_series(ask, body)


def parse_series(ask: EconomicSeriesAsk, body: Row) -> EconomicSeries:
    """Rows of `REF_AREA`, `FREQ`, …, `TIME_PERIOD`, `OBS_VALUE`, `OBS_STATUS`."""
    periods = [row.text("TIME_PERIOD") for row in body]
    if not periods:
        body.broken("has no rows")
    if len(set(periods)) < len(periods):
        raise NotCovered(body.provider, f"{code_of(ask)} means several series: give a value for each of its positions")
    first = body[0]
    return EconomicSeries(
        series=ask.series,
        code=code_of(ask) or "",
        unit=unit_of(first),
        country=ISO2.get(first.text("REF_AREA")),
        frequency=frequency_of(periods[0]),
        seasonally_adjusted=SEASONAL.get(first.maybe_text("ADJUSTMENT") or ""),
        observations=observed(ask, (parse_observation(row) for row in body)),
    )


def parse_observation(row: Row) -> Observation:
    """Columns of the status may be missing or empty."""
    status = row.maybe_text("OBS_STATUS") or ""
    return Observation(
        date=first_day(row, "TIME_PERIOD"), value=row.maybe("OBS_VALUE"), preliminary=PRELIMINARY.get(status)
    )


def unit_of(row: Row) -> str | None:
    """The code of the unit, with its power of ten and the period that an index is based on."""
    unit = row.maybe_text("UNIT_MEASURE")
    if unit is None:
        return None
    counted, base = scaled(unit, row.maybe_text("UNIT_MULT")), row.maybe_text("BASE_PER")
    return counted if base is None else f"{counted}, {base} = 100"
