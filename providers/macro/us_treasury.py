"""U.S. Treasury: daily par yields, nominal and real, and the debt. Docs: https://fiscaldata.treasury.gov/api-documentation/

Curves are an Atom feed by month or by year (https://home.treasury.gov/treasury-daily-interest-rate-xml-feed), without
an hour; terms come and go over the years, and an empty element is a term without a yield. Fiscal Data writes every
value as a text, and a missing one as the text "null".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from providers.contract import Licence, Profile, Provider, answers
from providers.macro._periods import observed
from providers.row import ABSENT, Row
from schema.provenance import FeedDelay
from schema.symbols import AssetClass
from schema.words.curves import YIELD_CURVE, CurveKind, YieldCurve, YieldCurveAsk, YieldPoint
from schema.words.economics import (
    ECONOMIC_SERIES,
    EconomicSeries,
    EconomicSeriesAsk,
    Frequency,
    Observation,
    own_code,
)

FEEDS = {
    CurveKind.PAR: ("daily_treasury_yield_curve", "BC"),
    CurveKind.REAL: ("daily_treasury_real_yield_curve", "TC"),
}
"""A feed and what the names of its terms begin with."""
FIRST_DAY = {CurveKind.PAR: date(1990, 1, 2), CurveKind.REAL: date(2003, 1, 2)}
_TERM = re.compile(r"([BT]C)_([0-9]+)(?:_([0-9]))?(MONTH|YEAR)")
DEBT = {"US.FEDERAL_DEBT": "tot_pub_debt_out_amt", "US.FEDERAL_DEBT_PUBLIC": "debt_held_public_amt"}
DEBT_PATH = "/v2/accounting/od/debt_to_penny"
# More months than this are asked for by the year.
MOST_MONTHS = 3
DAY = timedelta(days=1)


def column_of(ask: EconomicSeriesAsk) -> str | None:
    """The column of the debt; revisions are not kept."""
    if ask.known_at is not None or ask.vintages:
        return None
    column = DEBT.get(ask.series) or own_code(ask.series, "us_treasury")
    return column if column in DEBT.values() else None


class UsTreasury(Provider):
    """A feed of curves, and one table of Fiscal Data."""

    profile = Profile(
        id="us_treasury",
        name="U.S. Treasury",
        base_url="https://home.treasury.gov/resource-center/data-chart-center/interest-rates",
        hosts={"fiscal": "https://api.fiscaldata.treasury.gov/services/api/fiscal_service"},
        docs="https://fiscaldata.treasury.gov/api-documentation/",
        asset_classes=(AssetClass.MACRO,),
        licence=Licence(
            note="Public domain.", attribution="Source: U.S. Department of the Treasury", redistributable=True
        ),
        delay=FeedDelay.END_OF_DAY,
        priority=20,
    )

    @answers(YIELD_CURVE, covers=lambda ask: ask.country == "US" and ask.kind in FEEDS, since=date(1990, 1, 2))
    async def yield_curve(self, ask: YieldCurveAsk) -> tuple[YieldCurve, ...]:
        """The newest curve, which on the first days of a month is one of the month before; or those of a range."""
        today = self.clock.now().date()
        if ask.start is None:
            found = await self._curves(ask.kind, today.year, today.month)
            if not found:
                before = today.replace(day=1) - DAY
                found = await self._curves(ask.kind, before.year, before.month)
            return found[-1:]
        last = min(ask.end - DAY, today) if ask.end else today
        curves = [
            curve
            for year, month in feeds(max(ask.start, FIRST_DAY[ask.kind]), last)
            for curve in await self._curves(ask.kind, year, month)
        ]
        return tuple(curve for curve in curves if ask.start <= curve.date <= last)

    async def _curves(self, kind: CurveKind, year: int, month: int) -> tuple[YieldCurve, ...]:
        when = {"field_tdr_date_value_month": f"{year}{month:02}"} if month else {"field_tdr_date_value": str(year)}
        return parse_curves(kind, await self.http.get_xml("/pages/xml", {"data": FEEDS[kind][0], **when}))

    @answers(ECONOMIC_SERIES, covers=lambda ask: column_of(ask) is not None, since=date(1993, 4, 1))
    async def economic_series(self, ask: EconomicSeriesAsk) -> EconomicSeries:
        """The debt to the penny, a value a working day; without a range the newest 10,000."""
        column = column_of(ask) or ""
        bounds = [f"record_date:gte:{ask.start}"] if ask.start else []
        bounds += [f"record_date:lt:{ask.end}"] if ask.end else []
        params: dict[str, str | int] = {"fields": f"record_date,{column}", "sort": "-record_date", "page[size]": 10_000}
        if bounds:
            params["filter"] = ",".join(bounds)
        return parse_debt(ask, column, await self.http.get(DEBT_PATH, params, host="fiscal"))


def feeds(first: date, last: date) -> Iterator[tuple[int, int]]:
    """The years and months of a range, both ends included; the month is 0 where the range is long."""
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    if len(months) > MOST_MONTHS:
        return ((year, 0) for year in range(first.year, last.year + 1))
    return ((month // 12, month % 12 + 1) for month in months)


def parse_curves(kind: CurveKind, body: Row) -> tuple[YieldCurve, ...]:
    """`feed` > `entry` > `content` > `properties` > `NEW_DATE`, `BC_1MONTH`, `BC_1_5MONTH`, `BC_10YEAR`, …"""
    if body.text("tag") != "feed":
        body["tag"].broken("is not a feed")
    entries = [child for child in body["children"] if child.text("tag") == "entry"]
    curves = [parse_curve(kind, entry) for entry in entries]
    return tuple(sorted(curves, key=lambda curve: curve.date))


def parse_curve(kind: CurveKind, entry: Row) -> YieldCurve:
    """One day's; a copy of the longest term under another name is left out."""
    content = only(only(entry, "content"), "properties")
    points = sorted(terms(kind, content), key=lambda point: point.months)
    day = only(content, "NEW_DATE").instant("text").date()
    return YieldCurve(country="US", currency="USD", kind=kind, date=day, points=tuple(points))


def only(element: Row, tag: str) -> Row:
    """The child of that name."""
    found = next((child for child in element["children"] if child.text("tag") == tag), None)
    return element.broken(f"has no {tag}") if found is None else found


def terms(kind: CurveKind, content: Row) -> Iterator[YieldPoint]:
    """`BC_1_5MONTH` is one month and a half."""
    for child in content["children"]:
        found = _TERM.fullmatch(child.text("tag"))
        if found is None or found[1] != FEEDS[kind][1] or child["text"].value in ABSENT:
            continue
        length = f"{found[2]}.{found[3]}" if found[3] else found[2]
        yearly = found[4] == "YEAR"
        yield YieldPoint(
            tenor=f"{length}{found[4][0]}",
            months=Decimal(length) * (12 if yearly else 1),
            yield_percent=child.decimal("text"),
        )


def parse_debt(ask: EconomicSeriesAsk, column: str, body: Row) -> EconomicSeries:
    """`{"data": [{"record_date", column}], "meta": {"labels": {…}}}`."""
    rows = [Observation(date=row.day("record_date"), value=row.maybe(column)) for row in body["data"]]
    return EconomicSeries(
        series=ask.series,
        code=column,
        title=body["meta"]["labels"].maybe_text(column),
        unit="U.S. dollars",
        currency="USD",
        country="US",
        frequency=Frequency.DAILY,
        observations=observed(ask, rows),
    )
