"""Captures of exchange rates."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from schema.currencies import FIATS
from tests.contract.captured.asks import Asking, Plan, candles, refused
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


def mid_rates(base: str) -> Asking:
    """Rates of a moment, by code or by pair."""

    def plan(capture: Capture) -> Plan:
        written = capture.body.get("rates") or capture.body["quotes"]
        rates = {name.removeprefix(base) if len(name) > len(base) else name: rate for name, rate in written.items()}
        expected = [
            {"symbol": f"{base}/{code}", "last": rate, "timestamp": int(capture.body["timestamp"]) * 1000}
            for code, rate in rates.items()
            if code in FIATS - {base}
        ]
        return Plan(
            capability="quotes", ask={"instruments": [f"fx:{row['symbol']}" for row in expected]}, expected=expected
        )

    return plan


def zlotys(capture: Capture) -> Plan:
    """The newer of two tables."""
    table = capture.body[-1]
    expected = [
        {"symbol": f"{row['code']}/PLN", "last": row["mid"], "timestamp": midnight_ms(table["effectiveDate"])}
        for row in table["rates"]
    ]
    ask = {"instruments": [f"fx:{row['symbol']}" for row in expected]}
    return Plan(capability="quotes", ask=ask, expected=expected)


def dollars(capture: Capture) -> Plan:
    """The newest observation of every currency."""
    newest: dict[str, tuple[str, str]] = {}
    for row in capture.body["observations"]:
        newest |= {name[2:5]: (row["d"], cell["v"]) for name, cell in row.items() if name != "d"}
    expected = [
        {"symbol": f"{code}/CAD", "last": rate, "timestamp": midnight_ms(day)} for code, (day, rate) in newest.items()
    ]
    ask = {"instruments": [f"fx:{row['symbol']}" for row in expected]}
    return Plan(capability="quotes", ask=ask, expected=expected)


def pounds(capture: Capture) -> Plan:
    """A range of all series."""
    rows = list(csv.DictReader(capture.body.splitlines()))
    expected = [
        (datetime.strptime(row["DATE"], "%d %b %Y").replace(tzinfo=UTC).date().isoformat(), SERIES[code], Decimal(rate))
        for row in rows
        for code, rate in row.items()
        if code != "DATE"
    ]
    ask = {"base": "GBP", "quotes": sorted(set(SERIES.values())), "start": "2026-03-17", "end": "2026-03-21"}
    return Plan(capability="fxRates", ask=ask, expected=expected, now=datetime(2026, 3, 21, tzinfo=UTC))


def tradeable(capture: Capture) -> Plan:
    """OANDA's best levels and their middle."""
    expected = [
        {
            "symbol": row["instrument"].replace("_", "/"), "bid": row["bids"][0]["price"],
            "ask": row["asks"][0]["price"], "bidVolume": row["bids"][0]["liquidity"],
            "askVolume": row["asks"][0]["liquidity"], "timestamp": stamp_ms(row["time"]),
            "last": (Decimal(row["bids"][0]["price"]) + Decimal(row["asks"][0]["price"])) / 2,
        }
        for row in capture.body["prices"]
    ]  # fmt: skip
    ask = {"instruments": [f"fx:{row['symbol']}" for row in expected]}
    return Plan(capability="quotes", ask=ask, expected=expected)


def middles(capture: Capture) -> Plan:
    """OANDA's candles; those of an index stand in for a currency's of the same form."""
    rows = [[stamp_ms(row["time"]), *(row["mid"][name] for name in "ohlc")] for row in capture.body["candles"]]
    return candles(capture, "fx:EUR/USD", rows, frozenset({"volume"}))


def traded_currencies(capture: Capture) -> Plan:
    """OANDA's instruments without contracts for difference."""
    expected = [
        {
            "id": row["name"], "class": "fx", "symbol": row["displayName"], "price_decimals": row["displayPrecision"],
            "min_amount": row["minimumTradeSize"],
        }
        for row in capture.body["instruments"]
        if row["type"] == "CURRENCY"
    ]  # fmt: skip
    return Plan(capability="instruments", ask={}, expected=expected)


def stamp_ms(text: str) -> int:
    """Milliseconds of a time with nine digits behind the point."""
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def midnight_ms(day: str) -> int:
    """The stamp of a date alone."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000


# Read off the captures' own values; the bank's codes say nothing.
SERIES = {
    "XUDLUSS": "USD", "XUDLERS": "EUR", "XUDLJYS": "JPY", "XUDLCDS": "CAD", "XUDLSFS": "CHF", "XUDLADS": "AUD",
    "XUDLNDS": "NZD", "XUDLNKS": "NOK", "XUDLSKS": "SEK", "XUDLDKS": "DKK", "XUDLHDS": "HKD", "XUDLSGS": "SGD",
    "XUDLSRS": "SAR", "XUDLZRS": "ZAR", "XUDLTWS": "TWD", "XUDLBK25": "CZK", "XUDLBK33": "HUF", "XUDLBK47": "PLN",
    "XUDLBK78": "ILS", "XUDLBK83": "MYR", "XUDLBK87": "THB", "XUDLBK89": "CNY", "XUDLBK93": "KRW", "XUDLBK95": "TRY",
    "XUDLBK97": "INR", "XUDLZOS4": "RON",
}  # fmt: skip

OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("frankfurter", "v1 latest EUR->USD 2025-04-11"): (one_day,),
    ("frankfurter", "v1 not found"): (refused("fxRates", {"base": "EUR", "quotes": ["USD"]}, "UNKNOWN_INSTRUMENT"),),
    ("ecb", "eurofxref-daily.xml 2015-01-07"): (ecb_file,),
    ("ecb", "eurofxref-hist-90d.xml (5 newest days)"): (ecb_file,),
    ("ecb", "EXR csvdata D..EUR.SP00.A"): (ecb_csv,),
    ("nbp", "table A"): (zlotys,),
    ("bank_of_canada", "group FX_RATES_DAILY since 2026-03-12"): (dollars,),
    ("boe", "FX rates 17-20 Mar 2026"): (pounds,),
    ("fixer", "latest EUR"): (mid_rates("EUR"),),
    ("fixer", "base restricted"): (refused("quotes", {"instruments": ["fx:EUR/USD"]}, "NOT_COVERED"),),
    ("currencylayer", "live EUR"): (mid_rates("USD"),),
    ("currencylayer", "invalid key"): (refused("quotes", {"instruments": ["fx:USD/EUR"]}, "PROVIDER_MISCONFIGURED"),),
    ("exchangerate_host", "live (documentation sample)"): (mid_rates("USD"),),
    ("oanda", "candles DE30_EUR M5"): (middles,),
    ("oanda", "candles EUR_USD H1 without includeFirst"): (middles,),
    ("oanda", "pricing EUR_USD, EUR_JPY"): (tradeable,),
    ("oanda", "account instruments"): (traded_currencies,),
    ("openexchangerates", "latest"): (mid_rates("USD"),),
    ("openexchangerates", "latest (second fixture)"): (mid_rates("USD"),),
    ("openexchangerates", "too many requests"): (
        refused("quotes", {"instruments": ["fx:USD/EUR"]}, "UPSTREAM_THROTTLED"),
    ),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("frankfurter", "v2 rates"): "version 2 of the interface is not called",
    ("frankfurter", "v2 currencies"): "version 2 of the interface is not called",
    ("exchangerate_host", "latest (old keyless API)"): "the keyless interface has ended",
    ("ecb", "EXR SDMX-JSON time series"): "the data portal is asked for CSV",
}
