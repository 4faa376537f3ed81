"""Captures of exchange rates."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.contract.captured.asks import Asking, Plan, refused
from tests.contract.captures import Capture


def one_day(capture: Capture) -> Plan:
    """Frankfurter's rates of one day."""
    body = capture.body
    day = datetime.fromisoformat(body["date"]).date()
    ask = {"base": body["base"], "quotes": list(body["rates"]), "start": str(day), "end": str(day + timedelta(days=1))}
    expected = [(body["date"], code, rate) for code, rate in body["rates"].items()]
    return Plan(capability="fxRates", ask=ask, expected=expected)


def ecb_file(capture: Capture) -> Plan:
    """Days and rates of a reference-rate file, read without an XML parser."""
    expected = []
    for day, rates in re.findall(r"""<Cube time=['"]([\d-]+)['"]>(.*?)</Cube>""", capture.body, re.DOTALL):
        found = re.findall(r"""currency=['"](\w+)['"] rate=['"]([\d.]+)['"]""", rates)
        expected += [(day, code, Decimal(rate)) for code, rate in found]
    days = sorted({day for day, _, _ in expected})
    whole = len(days) > 1
    ask = {"base": "EUR", **({"start": days[0]} if whole else {})}
    now = datetime.fromisoformat(days[-1]).replace(hour=18, tzinfo=UTC)
    return Plan(capability="fxRates", ask=ask, expected=expected, now=now)


def ecb_csv(capture: Capture) -> Plan:
    """Rows of the data portal."""
    rows = list(csv.DictReader(capture.body.splitlines()))
    expected = [(row["TIME_PERIOD"], row["CURRENCY"], Decimal(row["OBS_VALUE"])) for row in rows if row["OBS_VALUE"]]
    return Plan(
        capability="fxRates", ask={"base": "EUR", "start": min(day for day, _, _ in expected)}, expected=expected
    )


OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("frankfurter", "v1 latest EUR->USD 2025-04-11"): (one_day,),
    ("frankfurter", "v1 not found"): (refused("fxRates", {"base": "EUR", "quotes": ["USD"]}, "UNKNOWN_INSTRUMENT"),),
    ("ecb", "eurofxref-daily.xml 2015-01-07"): (ecb_file,),
    ("ecb", "eurofxref-hist-90d.xml (5 newest days)"): (ecb_file,),
    ("ecb", "EXR csvdata D..EUR.SP00.A"): (ecb_csv,),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("frankfurter", "v2 rates"): "version 2 of the interface is not called",
    ("frankfurter", "v2 currencies"): "version 2 of the interface is not called",
    ("ecb", "EXR SDMX-JSON time series"): "the data portal is asked for CSV",
}
