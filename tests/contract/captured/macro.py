"""Captures of economic series and yield curves."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from tests.contract.captured.asks import Asking, Plan, refused
from tests.contract.captures import Capture


def series(name: str, rows: list[tuple[date, Any]], **more: Any) -> Plan:
    """A whole series, ascending."""
    expected: dict[str, Any] = {"series": name} | more
    for index, (day, value) in enumerate(sorted(rows)):
        expected |= {f"observations.{index}.date": day, f"observations.{index}.value": value}
    return Plan(capability="economicSeries", ask={"series": name}, expected=expected)


def fred_series(capture: Capture) -> Plan:
    """A series under its own code; its facts, which are a call of their own, are the recording's."""
    rows = [(date.fromisoformat(row["date"]), row["value"]) for row in capture.body["observations"]]
    return series(f"fred/{capture.params['series_id']}", rows)


def fred_rates(base: str, quote: str) -> Asking:
    """The same as rates: which of the two is the unit differs by series."""

    def plan(capture: Capture) -> Plan:
        rows = capture.body["observations"]
        expected = [(row["date"], quote, Decimal(row["value"])) for row in rows if row["value"] != "."]
        ask = {"base": base, "quotes": [quote], "start": rows[0]["date"]}
        return Plan(capability="fxRates", ask=ask, expected=expected)

    return plan


def worldbank_series(capture: Capture) -> Plan:
    """Years, the newest first."""
    rows = [(date(int(row["date"]), 1, 1), row["value"]) for row in capture.body[1]]
    country, indicator = capture.path.split("/")[-3::2]
    return series(f"worldbank/{country}/{indicator}", rows, frequency="ANNUAL", country="US", currency="USD")


def bls_series(capture: Capture) -> Plan:
    """Months, the newest first, with an average of the year."""
    found = capture.body["Results"]["series"][0]
    months = [row for row in found["data"] if row["period"] != "M13"]
    rows = [(date(int(row["year"]), int(row["period"][1:]), 1), row["value"]) for row in months]
    title = found["catalog"]["series_title"]
    return series(f"bls/{found['seriesID']}", rows, frequency="MONTHLY", title=title)


def oecd_series(capture: Capture) -> Plan:
    """Months in no order."""
    found = list(csv.DictReader(capture.body.splitlines()))
    rows = [(date.fromisoformat(f"{row['TIME_PERIOD']}-01"), row["OBS_VALUE"]) for row in found]
    flow, key = capture.path.split("/")[-2:]
    return series(f"oecd/{unquote(flow)}/{key}", rows, frequency="MONTHLY", country="GB", unit="PA")


def imf_series(capture: Capture) -> Plan:
    """Years by number."""
    data = capture.body["data"]
    (found,) = data["dataSets"][0]["series"].values()
    years = [row["value"] for row in data["structures"][0]["dimensions"]["observation"][0]["values"]]
    rows = [(date(int(years[int(at)]), 1, 1), row[0]) for at, row in found["observations"].items()]
    agency, flow, _, key = capture.path.split("/")[-4:]
    return series(f"imf/{agency}/{flow}/{key}", rows, frequency="ANNUAL")


def drawing_rights(currency: str) -> Asking:
    """A currency's row of a month; one day may have no rate."""
    names = {"AUD": "Australian dollar", "EUR": "Euro"}

    def plan(capture: Capture) -> Plan:
        table = [line.split("\t") for line in capture.body.splitlines()[1:]]
        row = next(row for row in table if row[0] == names[currency])
        days = [datetime.strptime(cell, "%B %d, %Y").replace(tzinfo=UTC).date().isoformat() for cell in table[0][1:]]
        expected = [(day, "XDR", Decimal(rate)) for day, rate in zip(days, row[1:], strict=True) if rate != "NA"]
        ask = {"base": currency, "quotes": ["XDR"], "start": "2026-03-01", "end": "2026-04-01"}
        return Plan(capability="fxRates", ask=ask, expected=expected)

    return plan


def treasury_curve(capture: Capture) -> Plan:
    """The newer of two days; a term without a yield, and a copy of the longest one, are left out."""
    expected = {
        "date": date(2026, 8, 6), "kind": "PAR", "points.0.tenor": "1M", "points.0.yield_percent": "3.80",
        "points.1.tenor": "10Y", "points.1.yield_percent": "4.69", "points.2.tenor": "30Y",
    }  # fmt: skip
    return Plan(capability="yieldCurve", ask={"country": "US"}, expected=[expected])


OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("bls", "APU0000701111 2022 (v2 with catalog and calculations)"): (bls_series,),
    ("fred", "series observations DEXCAUS"): (fred_series, fred_rates("USD", "CAD")),
    ("fred", "series observations DEXJPUS"): (fred_series, fred_rates("USD", "JPY")),
    ("fred", "series observations DEXUSEU"): (fred_series, fred_rates("EUR", "USD")),
    ("imf", "GFS_SOO ABW (all null)"): (imf_series,),
    ("imf", "SDRs per currency unit March 2026 (TSV)"): (drawing_rights("AUD"), drawing_rights("EUR")),
    ("imf", "unknown dataflow"): (
        refused("economicSeries", {"series": "imf/IMF.RES/NO_FLOW/DEU.X.A"}, "UNKNOWN_INSTRUMENT"),
    ),
    ("imf", "WHDREO GX1213 BCA_GDP_BP6 annual"): (imf_series,),
    ("oecd", "GBR overnight interbank rate monthly"): (oecd_series,),
    ("us_treasury", "daily par yield curve XML"): (treasury_curve,),
    ("worldbank", "NY.GNP.PCAP.CD US 1990:1997"): (worldbank_series,),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("fred", "series observations SP500 (XML)"): "the adapter asks for JSON",
    ("us_treasury", "upcoming auctions"): "not called: auctions are no releases of figures",
}
