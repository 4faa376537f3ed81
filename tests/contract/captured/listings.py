"""Captures of filings, identifiers, chains and prices of listed securities."""

from __future__ import annotations

from typing import Any

from tests.contract.captured.asks import Asking, Plan, refused
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


def figi_search(capture: Capture) -> Plan:
    """FIGIs, of which only those of US listings are answered."""
    symbols = [row["figi"] for row in capture.body["data"]]
    return Plan(capability="search", ask={"text": "Apple"}, expected=symbols)


FIGI_ASK = {"scheme": "TICKER", "text": "AAPL"}

OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("openfigi", "mapping AAPL US"): (figi_mapping,),
    ("openfigi", "mapping invalid idType (200 with error item)"): (refused("identifiers", FIGI_ASK, "NOT_COVERED"),),
    ("openfigi", "mapping with invalid key"): (refused("identifiers", FIGI_ASK, "PROVIDER_MISCONFIGURED"),),
    ("openfigi", "search Apple"): (figi_search,),
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
}  # fmt: skip

NOT_CALLED: dict[tuple[str, str], str] = {
    ("openfigi", "filter exchCode US"): "not called: 62 million rows, most of them options, without a rank",
}
