"""Companies as Alpha Vantage tells them: texts all over, and `None` or `-` where nothing is known.

Statements come without the day on which they were filed, so they cannot be asked for as of an instant.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from providers.equities._alphavantage import same_name, symbol_of
from providers.equities._companies import maybe_day, newest_reports, split_by
from providers.equities._listed import TRADED_IN
from providers.row import ABSENT, Row
from schema.symbols import InstrumentId
from schema.words.companies import ActionKind, CompanyProfile, CorporateAction
from schema.words.fundamentals import Fundamentals, FundamentalsAsk, KeyFigures, ReportPeriod, Statement

FUNCTIONS = {
    Statement.INCOME: "INCOME_STATEMENT", Statement.BALANCE_SHEET: "BALANCE_SHEET", Statement.CASH_FLOW: "CASH_FLOW",
}  # fmt: skip
REPORTS = {ReportPeriod.ANNUAL: "annualReports", ReportPeriod.QUARTERLY: "quarterlyReports"}
# https://www.alphavantage.co/documentation/#income-statement: of several names the first that is there.
FIELDS: dict[Statement, dict[str, tuple[str, ...]]] = {
    Statement.INCOME: {
        "revenue": ("totalRevenue",),
        "cost_of_revenue": ("costOfRevenue",),
        "gross_profit": ("grossProfit",),
        "research_and_development": ("researchAndDevelopment",),
        "selling_general_administrative": ("sellingGeneralAndAdministrative", "sellingGeneralAdministrative"),
        "operating_income": ("operatingIncome",),
        "interest_expense": ("interestExpense",),
        "income_before_tax": ("incomeBeforeTax",),
        "income_tax": ("incomeTaxExpense",),
        "net_income": ("netIncome",),
        "ebitda": ("ebitda",),
    },
    Statement.BALANCE_SHEET: {
        "total_assets": ("totalAssets",),
        "current_assets": ("totalCurrentAssets",),
        "cash_and_equivalents": ("cashAndCashEquivalentsAtCarryingValue",),
        "inventory": ("inventory",),
        "total_liabilities": ("totalLiabilities",),
        "current_liabilities": ("totalCurrentLiabilities",),
        "long_term_debt": ("longTermDebtNoncurrent", "longTermDebt"),
        "shareholders_equity": ("totalShareholderEquity",),
        "retained_earnings": ("retainedEarnings",),
    },
    Statement.CASH_FLOW: {
        "operating_cash_flow": ("operatingCashflow",),
        "investing_cash_flow": ("cashflowFromInvestment",),
        "financing_cash_flow": ("cashflowFromFinancing",),
        "capital_expenditure": ("capitalExpenditures",),
        "dividends_paid": ("dividendPayout",),
    },
}
# Written as what was paid, a positive number.
OUTFLOWS = frozenset({"capital_expenditure", "dividends_paid"})
MICS = {"NYSE": "XNYS", "NASDAQ": "XNAS"}
COUNTRIES = {"USA": "US"}


def told(row: Row, key: str) -> str | None:
    """A text, unless it stands for nothing."""
    text = row.maybe_text(key)
    return None if text in ABSENT else text


def percent(row: Row, key: str) -> Decimal | None:
    """A fraction in percent."""
    fraction = row.maybe(key)
    return None if fraction is None else fraction.scaleb(2)


def parse_overview(instrument: InstrumentId, body: Row) -> CompanyProfile:
    """`{"Symbol", "Name", "Description", …}`; the end of the fiscal year is told by its month alone."""
    same_name(body, "Symbol", symbol_of(instrument) or "")
    currency, exchange, cik = told(body, "Currency"), told(body, "Exchange"), told(body, "CIK")
    employees = body.maybe("FullTimeEmployees")
    return CompanyProfile(
        instrument=instrument,
        name=body.text("Name"),
        description=told(body, "Description"),
        sector=told(body, "Sector"),
        industry=told(body, "Industry"),
        country=COUNTRIES.get(told(body, "Country") or ""),
        currency=currency,
        exchange=exchange,
        mic=MICS.get(exchange or ""),
        website=told(body, "OfficialSite"),
        employees=None if employees is None else int(employees),
        market_cap=body.positive("MarketCapitalization") if currency else None,
        shares_outstanding=body.positive("SharesOutstanding"),
        cik=None if cik is None else cik.zfill(10),
    )


def parse_figures(instrument: InstrumentId, body: Row) -> KeyFigures:
    """The same answer; margins and yields are fractions there."""
    same_name(body, "Symbol", symbol_of(instrument) or "")
    currency = told(body, "Currency")
    return KeyFigures(
        instrument=instrument,
        currency=currency,
        market_cap=body.positive("MarketCapitalization") if currency else None,
        price_to_earnings=body.maybe("PERatio"),
        forward_price_to_earnings=body.maybe("ForwardPE"),
        price_to_book=body.maybe("PriceToBookRatio"),
        price_to_sales=body.maybe("PriceToSalesRatioTTM"),
        peg=body.maybe("PEGRatio"),
        eps=body.maybe("EPS"),
        dividend_yield_percent=percent(body, "DividendYield"),
        profit_margin_percent=percent(body, "ProfitMargin"),
        return_on_equity_percent=percent(body, "ReturnOnEquityTTM"),
        beta=body.maybe("Beta"),
        high52_weeks=body.positive("52WeekHigh"),
        low52_weeks=body.positive("52WeekLow"),
    )


def parse_statements(ask: FundamentalsAsk, body: Row) -> tuple[Fundamentals, ...]:
    """`{"annualReports": [{"fiscalDateEnding", "reportedCurrency", …}], "quarterlyReports": […]}`."""
    same_name(body, "symbol", symbol_of(ask.instrument) or "")
    rows = (row for row in body[REPORTS[ask.period]] if told(row, "reportedCurrency") is not None)
    return newest_reports(ask, [parse_statement(ask, row) for row in rows])


def parse_statement(ask: FundamentalsAsk, row: Row) -> Fundamentals:
    """One period."""
    amounts: dict[str, Any] = {}
    for field, names in FIELDS[ask.statement].items():
        value = next((each for name in names if (each := row.maybe(name)) is not None), None)
        amounts[field] = value.copy_abs().copy_negate() if value and field in OUTFLOWS else value
    return Fundamentals(
        period=ask.period, period_end=row.day("fiscalDateEnding"), currency=row.text("reportedCurrency"), **amounts
    )


def parse_dividends(instrument: InstrumentId, body: Row) -> Iterator[CorporateAction]:
    """`{"data": [{"ex_dividend_date", "declaration_date", "record_date", "payment_date", "amount"}]}`."""
    for row in body["data"]:
        yield CorporateAction(
            kind=ActionKind.CASH_DIVIDEND,
            ex_date=row.day("ex_dividend_date"),
            amount=row.decimal("amount"),
            currency=TRADED_IN[instrument.venue],
            declared_on=maybe_day(row, "declaration_date"),
            record_date=maybe_day(row, "record_date"),
            paid_on=maybe_day(row, "payment_date"),
        )


def parse_splits(body: Row) -> Iterator[CorporateAction]:
    """`{"data": [{"effective_date", "split_factor"}]}`."""
    return (split_by(row["split_factor"], row.day("effective_date")) for row in body["data"])
