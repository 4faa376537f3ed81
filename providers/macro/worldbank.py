"""World Bank: World Development Indicators. Docs: https://datahelpdesk.worldbank.org/knowledgebase/topics/125589

Annual series mostly, newest first, without vintages. `worldbank/US/NY.GDP.MKTP.CD` is a country and an indicator.
Errors come with status 200, as a list of one object with `message`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

from providers.contract import Licence, Profile, Provider, Reply, answers
from providers.macro._names import parts_of
from providers.macro._periods import first_day, frequency_of, observed
from providers.row import Row
from schema.errors import NotCovered, Overloaded, UnknownInstrument, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass
from schema.words.economics import ECONOMIC_SERIES, EconomicSeries, EconomicSeriesAsk, Observation, own_code

INDICATORS = {
    "CURRENT_ACCOUNT_PERCENT": "BN.CAB.XOKA.GD.ZS", "GDP_GROWTH": "NY.GDP.MKTP.KD.ZG", "GDP_USD": "NY.GDP.MKTP.CD",
    "GDP_PER_CAPITA_USD": "NY.GDP.PCAP.CD", "INFLATION": "FP.CPI.TOTL.ZG", "POPULATION": "SP.POP.TOTL",
    "UNEMPLOYMENT_ILO": "SL.UEM.TOTL.ZS",
}  # fmt: skip
# A country, and an indicator: several countries, or all, would be several series.
_CODE = re.compile(r"(?!all/)[A-Za-z0-9]{2,3}/[A-Za-z0-9._]{3,40}")
# The bank's own codes of groups of countries: those with a digit, and letters that begin no country's.
EURO_AREA, GROUPS = "XC", re.compile(r".*[0-9].*|X[^K]|Z[^AMW]|EU|OE")
_UNIT = re.compile(r".*\(([^()]+)\)")
INVALID = {"120", "150", "160", "175"}
"""Values of a parameter that are unknown, and indicators that were not found, deleted or archived."""
OUT_OF_SERVICE = "105"
"""For a while only, as the bank's list of error codes says."""


def code_of(ask: EconomicSeriesAsk) -> str | None:
    """`US/NY.GDP.MKTP.CD`; the bank keeps no vintages."""
    if ask.known_at is not None or ask.vintages:
        return None
    country, concept = parts_of(ask.series)
    code = own_code(ask.series, "worldbank")
    if concept in INDICATORS:
        code = f"{EURO_AREA if country == 'XM' else country}/{INDICATORS[concept]}"
    return code if code and _CODE.fullmatch(code) else None


class WorldBank(Provider):
    """One country's indicator at a time, all its years in one answer."""

    profile = Profile(
        id="worldbank",
        name="World Bank",
        base_url="https://api.worldbank.org/v2",
        docs="https://datahelpdesk.worldbank.org/knowledgebase/topics/125589",
        asset_classes=(AssetClass.MACRO,),
        licence=Licence(
            note="CC BY 4.0, unless the indicator's own metadata says otherwise.",
            attribution="Source: World Bank, World Development Indicators",
            redistributable=True,
        ),
        delay=FeedDelay.UNKNOWN,
        priority=30,
    )

    # Four releases a year.
    @answers(ECONOMIC_SERIES, covers=lambda ask: code_of(ask) is not None, fresh_for=timedelta(hours=1))
    async def economic_series(self, ask: EconomicSeriesAsk) -> EconomicSeries:
        """All years: a country has some sixty."""
        country, _, indicator = (code_of(ask) or "").partition("/")
        path = f"/country/{country}/indicator/{indicator}"
        return parse_series(ask, await self.http.get(path, {"format": "json", "per_page": 20_000}))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`[{"message": [{"id", "key", "value"}]}]`."""
        body = reply.body
        if not isinstance(body.value, list) or not body.value or "message" not in body[0]:
            return None
        said = body[0]["message"][0]
        code = said.label("id")
        kind = UnknownInstrument if code in INVALID else Overloaded if code == OUT_OF_SERVICE else NotCovered
        return kind(self.profile.id, said.text("value"))


def parse_series(ask: EconomicSeriesAsk, body: Row) -> EconomicSeries:
    """`[{"lastupdated", …}, [{"indicator", "country", "date", "value"}, …]]`; nothing is one part."""
    head = body[0]
    head.integer("total")
    rows = list(body[1]) if len(body) > 1 and body[1].value is not None else []
    title = rows[0]["indicator"].text("value") if rows else None
    unit = _UNIT.fullmatch(title or "")
    updated = None if head.maybe_text("lastupdated") is None else head.day("lastupdated")
    return EconomicSeries(
        series=ask.series,
        code=code_of(ask) or "",
        title=title,
        unit=unit[1] if unit else None,
        currency="USD" if unit and "US$" in unit[1] else None,
        country=country_of(rows[0]["country"].text("id")) if rows else None,
        frequency=frequency_of(rows[0].text("date")) if rows else None,
        updated_at=None if updated is None else datetime.combine(updated, time(), UTC),
        observations=observed(ask, (Observation(date=first_day(r, "date"), value=r.maybe("value")) for r in rows)),
    )


def country_of(code: str) -> str | None:
    """The ISO 3166 code; None for the bank's groups of countries, but for the euro area."""
    if code == EURO_AREA:
        return "XM"
    return None if GROUPS.fullmatch(code) else code
