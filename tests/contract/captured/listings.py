"""Captures of filings, identifiers, chains and prices of listed securities."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.contract.captured.asks import Asking, Plan, candles, refused
from tests.contract.captures import Capture


def by_cik(capture: Capture) -> str:
    """The filer that the URL names."""
    return f"equity:{capture.path.rpartition('/')[2].removesuffix('.json')}@sec_edgar"


def edgar_facts(statement: str, concepts: dict[str, str]) -> Asking:
    """Fiscal years of the capture, each number as it was filed last."""

    def plan(capture: Capture) -> Plan:
        facts = capture.body["facts"]["us-gaap"]
        years = {
            fact["end"]
            for fact in facts["NetIncomeLoss"]["units"]["USD"]
            if fact["fp"] == "FY" and fact["start"][:4] < fact["end"][:4]
        }
        expected: list[dict[str, Any]] = []
        for end in sorted(years, reverse=True):
            row: dict[str, Any] = {"fiscal_year": int(end[:4]), "currency": "USD", "restated": False}
            for name, concept in concepts.items():
                (rows,) = facts[concept]["units"].values()
                row[name] = next(fact["val"] for fact in reversed(rows) if fact["end"] == end and fact["fp"] == "FY")
            expected.append(row)
        ask = {"instrument": by_cik(capture), "statement": statement}
        return Plan(capability="fundamentals", ask=ask, expected=expected)

    return plan


def edgar_filings(capture: Capture) -> Plan:
    """The columns of the capture, newest acceptance first."""
    recent = capture.body["filings"]["recent"]
    names = {"accessionNumber": "id", "form": "form"}
    order = sorted(range(len(recent["form"])), key=lambda i: recent["acceptanceDateTime"][i], reverse=True)
    expected = [{ours: recent[theirs][i] for theirs, ours in names.items()} for i in order]
    return Plan(capability="filings", ask={"instrument": by_cik(capture)}, expected=expected)


def edgar_profile(capture: Capture) -> Plan:
    """The head of the same list."""
    body = capture.body
    expected = {
        "name": body["name"], "industry": body["sicDescription"], "cik": body["cik"], "country": "US",
        "exchange": body["exchanges"][0], "fiscal_year_end": "01-30",
    }  # fmt: skip
    return Plan(capability="companyProfile", ask={"instrument": by_cik(capture)}, expected=expected)


def edgar_tickers(capture: Capture) -> Plan:
    """Every filer of the list can be found; here the one whose ticker has a class."""
    row = next(row for row in capture.body.values() if "-" in row["ticker"])
    expected = [{"name": row["title"], "cik": str(row["cik_str"]).zfill(10), "symbol": "equity:BRK.B"}]
    return Plan(capability="identifiers", ask={"scheme": "TICKER", "text": "BRK.B"}, expected=expected)


def figi_mapping(capture: Capture) -> Plan:
    """Every listing of the only job."""
    rows = capture.body[0]["data"]
    names = {"figi": "figi", "composite_figi": "compositeFIGI", "share_class_figi": "shareClassFIGI", "name": "name"}
    expected = [{ours: row[theirs] for ours, theirs in names.items()} | {"symbol": "equity:AAPL"} for row in rows]
    return Plan(capability="identifiers", ask=FIGI_ASK, expected=expected)


def tradier_quotes(capture: Capture) -> Plan:
    """A fund and an option on it."""
    rows = capture.body["quotes"]["quote"]
    expected = [
        {
            "symbol": row["symbol"], "last": row["last"], "bid": row["bid"], "ask": row["ask"], "open": row["open"],
            "high": row["high"], "low": row["low"], "baseVolume": row["volume"], "previousClose": row["prevclose"],
            "timestamp": row["trade_date"],
        }
        for row in rows
    ]  # fmt: skip
    ask = {"instruments": ["equity:SPY", "equity:SPY-251219-450-P"]}
    return Plan(capability="quotes", ask=ask, expected=expected)


def days(rows: list[Any], prefix: str = "") -> list[list[Any]]:
    """Bars that are named by their day, as the collectors write candles; oldest first."""
    names = [f"{prefix}{name}" for name in ("open", "high", "low", "close", "volume")]
    stamps = [int(datetime.fromisoformat(row["date"]).replace(tzinfo=UTC).timestamp()) * 1000 for row in rows]
    return sorted([stamp, *(row[name] for name in names)] for stamp, row in zip(stamps, rows, strict=True))


def tradier_history(capture: Capture) -> Plan:
    """Days adjusted for splits."""
    return candles(capture, "equity:AAPL", days(capture.body["history"]["day"]), frozenset())


def tradier_search(capture: Capture) -> Plan:
    """Found symbols, best first."""
    symbols = [row["symbol"] for row in capture.body["securities"]["security"]]
    return Plan(capability="search", ask={"text": capture.params["q"]}, expected=symbols)


def tradier_calendar(capture: Capture) -> Plan:
    """Each open day has its extended hours and its regular ones; New York is four hours behind in June."""
    opened = [row["date"] for row in capture.body["calendar"]["days"]["day"] if row["status"] == "open"]
    hours = {"EXTENDED": (12, 24), "REGULAR": (13.5, 20)}
    expected = [
        {
            "date": date.fromisoformat(day), "hours": name, "early_close": False,
            "opens": datetime.fromisoformat(f"{day}T00:00Z") + timedelta(hours=first),
            "closes": datetime.fromisoformat(f"{day}T00:00Z") + timedelta(hours=last),
        }
        for day in opened
        for name, (first, last) in hours.items()
    ]  # fmt: skip
    return Plan(capability="tradingSessions", ask={"start": "2013-06-01", "end": "2013-06-07"}, expected=expected)


def cboe_quote(capture: Capture) -> Plan:
    """The trade was at 15:59:59 in New York, in summer; at night `prev_day_close` was that session's own already."""
    row = capture.body["data"]
    traded = datetime.fromisoformat(row["last_trade_time"]).replace(tzinfo=UTC) + timedelta(hours=4)
    expected = {
        "last": row["current_price"], "bid": row["bid"], "ask": row["ask"], "open": row["open"], "high": row["high"],
        "low": row["low"], "baseVolume": row["volume"], "previousClose": None,
        "timestamp": int(traded.timestamp()) * 1000,
    }  # fmt: skip
    return Plan(capability="quotes", ask={"instruments": ["equity:AAPL"]}, expected=expected)


def intrinio_quote(capture: Capture) -> Plan:
    """After the close, without orders."""
    row = capture.body
    expected = {
        "last": row["last_price"], "open": row["open_price"], "high": row["high_price"], "low": row["low_price"],
        "timestamp": int(datetime.fromisoformat(row["last_time"]).timestamp() * 1000),
    }  # fmt: skip
    return Plan(capability="quotes", ask={"instruments": ["equity:AAPL"]}, expected=expected)


def intrinio_prices(prefix: str, adjustment: str) -> Asking:
    """One of the two sets of columns."""

    def plan(capture: Capture) -> Plan:
        rows = days(capture.body["stock_prices"], prefix)
        return candles(capture, "equity:AAPL", rows, frozenset(), adjustment=adjustment)

    return plan


def stooq_line(capture: Capture) -> Plan:
    """One line under Polish names, at 17:15 in Warsaw, in summer."""
    _, day, hour, opened, high, low, last = capture.body.splitlines()[1].split(",")
    moment = datetime.fromisoformat(f"{day}T{hour}Z") - timedelta(hours=2)
    expected = {
        "last": last, "open": opened, "high": high, "low": low, "timestamp": int(moment.timestamp()) * 1000
    }  # fmt: skip
    return Plan(capability="quotes", ask={"instruments": ["index:WIG"]}, expected=expected)


def stooq_nothing(capture: Capture) -> Plan:
    """A line of N/D is no quote."""
    return Plan(capability="quotes", ask={"instruments": ["equity:APPL"]}, expected=[])


def data_link_series(capture: Capture) -> Plan:
    """Newest first in the capture, ascending in the answer."""
    rows = sorted(capture.body["dataset"]["data"])
    expected: dict[str, Any] = {"code": "EIA/PET_RBRTE_D", "frequency": "DAILY"}
    for index, (day, value) in enumerate(rows):
        expected |= {
            f"observations.{index}.date": date.fromisoformat(day), f"observations.{index}.value": value
        }  # fmt: skip
    ask = {"series": "nasdaq_data_link/EIA/PET_RBRTE_D", "start": capture.params["start_date"]}
    return Plan(capability="economicSeries", ask=ask, expected=expected)


FIGI_ASK = {"scheme": "TICKER", "text": "AAPL"}

OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("cboe", "quote AAPL"): (cboe_quote,),
    ("intrinio", "realtime price AAPL"): (intrinio_quote,),
    ("intrinio", "daily prices AAPL"): (intrinio_prices("", "NONE"), intrinio_prices("adj_", "SPLITS_AND_DIVIDENDS")),
    ("nasdaq_data_link", "EIA/PET_RBRTE_D Brent"): (data_link_series,),
    ("nasdaq_data_link", "EIA/PET_RBRTE_D empty range"): (data_link_series,),
    ("openfigi", "mapping AAPL US"): (figi_mapping,),
    ("openfigi", "mapping invalid idType (200 with error item)"): (refused("identifiers", FIGI_ASK, "NOT_COVERED"),),
    ("openfigi", "mapping with invalid key"): (refused("identifiers", FIGI_ASK, "PROVIDER_MISCONFIGURED"),),
    ("sec_edgar", "companyfacts AAPL (5 concepts)"): (
        edgar_facts(
            "INCOME",
            {
                "revenue": "RevenueFromContractWithCustomerExcludingAssessedTax", "net_income": "NetIncomeLoss",
                "eps_diluted": "EarningsPerShareDiluted",
            },
        ),
        edgar_facts("BALANCE_SHEET", {"total_assets": "Assets"}),
    ),
    ("sec_edgar", "company_tickers"): (edgar_tickers,),
    ("sec_edgar", "submissions MRVL"): (edgar_filings, edgar_profile),
    ("stooq", "light quote WIG (Polish host)"): (stooq_line,),
    ("stooq", "light quote unknown symbol"): (stooq_nothing,),
    ("tradier", "quotes SPY + option with greeks (array form)"): (tradier_quotes,),
    ("tradier", "history AAPL"): (tradier_history,),
    ("tradier", "search App"): (tradier_search,),
    ("tradier", "calendar"): (tradier_calendar,),
}  # fmt: skip

NOT_CALLED: dict[tuple[str, str], str] = {
    (
        "openfigi",
        "search Apple",
    ): "not called: words are looked for five times a minute, identifiers are mapped instead",
    ("openfigi", "filter exchCode US"): "not called: 62 million rows, most of them options, without a rank",
    ("tradier", "timesales AAPL"): "not called: trades of 2013 without an id and without a side",
}
