"""Statements as Tiingo tells them: amounts by their code, and beside them, in a call of its own, their currency.

Docs: https://www.tiingo.com/documentation/fundamentals. As revised a report is dated with the last day of its period;
as it was first reported with the day of its filing, but then the period is not told: so when a report became known is
not answered.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from providers.row import Row
from schema.errors import NotCovered, UnknownInstrument
from schema.words.fundamentals import Fundamentals, FundamentalsAsk, ReportPeriod

PERIODS = {ReportPeriod.ANNUAL: timedelta(days=366), ReportPeriod.QUARTERLY: timedelta(days=92)}
"""The periods that it tells, and how long they are at most."""
MOST_PERIODS = 300
"""More than there are since the first."""
FIELDS = {
    "incomeStatement": {
        "revenue": "revenue",
        "costRev": "cost_of_revenue",
        "grossProfit": "gross_profit",
        "rnd": "research_and_development",
        "sga": "selling_general_administrative",
        "opinc": "operating_income",
        "intexp": "interest_expense",
        "ebt": "income_before_tax",
        "taxExp": "income_tax",
        "netinc": "net_income",
        "ebitda": "ebitda",
        "eps": "eps_basic",
        "epsDil": "eps_diluted",
        "shareswa": "shares_basic",
        "shareswaDil": "shares_diluted",
    },
    "balanceSheet": {
        "totalAssets": "total_assets",
        "assetsCurrent": "current_assets",
        "cashAndEq": "cash_and_equivalents",
        "inventory": "inventory",
        "totalLiabilities": "total_liabilities",
        "liabilitiesCurrent": "current_liabilities",
        "debtNonCurrent": "long_term_debt",
        "equity": "shareholders_equity",
        "retainedEarnings": "retained_earnings",
    },
    "cashFlow": {
        "ncfo": "operating_cash_flow",
        "ncfi": "investing_cash_flow",
        "ncff": "financing_cash_flow",
        "capex": "capital_expenditure",
        "payDiv": "dividends_paid",
        "freeCashFlow": "free_cash_flow",
    },
}
_CURRENCY = re.compile(r"[A-Z]{3}")


def stated(ask: FundamentalsAsk) -> bool:
    """Years and quarters, as they are told now."""
    return ask.period in PERIODS and ask.known_at is None


def since(ask: FundamentalsAsk, today: date, first: date) -> date:
    """So far back that the oldest report is there where the newest is two periods old, but not before *first*."""
    return max(first, today - PERIODS[ask.period] * min(ask.limit + 2, MOST_PERIODS))


def currency_in(rows: Row) -> str:
    """`[{"ticker", "reportingCurrency", …}]`, in small letters; plans without it have words in its place."""
    if rows.value == []:
        raise UnknownInstrument(rows.provider, "has no statements of this symbol")
    currency = (rows[0].maybe_text("reportingCurrency") or "").upper()
    if not _CURRENCY.fullmatch(currency):
        raise NotCovered(rows.provider, "statements whose currency is not told")
    return currency


def parse_statements(ask: FundamentalsAsk, currency: str, rows: Row) -> tuple[Fundamentals, ...]:
    """`[{"date", "year", "quarter", "statementData": {"incomeStatement": [{"dataCode", "value"}], …}}]`, newest first.

    The quarter of a year is zero.
    """
    annual = ask.period is ReportPeriod.ANNUAL
    found: dict[date, Fundamentals] = {}
    for row in rows:
        quarter = row.integer("quarter")
        if (quarter == 0) == annual:
            report = Fundamentals(
                period=ask.period,
                period_end=row.instant("date").date(),
                fiscal_year=row.integer("year"),
                fiscal_quarter=quarter or None,
                currency=currency,
                **amounts(row["statementData"]),
            )
            found.setdefault(report.period_end, report)
    return tuple(found[day] for day in sorted(found, reverse=True)[: ask.limit])


def amounts(data: Row) -> dict[str, Any]:
    """What has a name here, of all statements."""
    found: dict[str, Decimal | None] = {}
    for name, fields in FIELDS.items():
        for row in data.get(name) or ():
            field = fields.get(row.text("dataCode"))
            if field is not None:
                found[field] = row.maybe("value")
    return found
