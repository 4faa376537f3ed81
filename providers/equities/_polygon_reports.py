"""What Polygon tells of companies: profiles, statements out of filings, splits and dividends, news."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from providers.equities._companies import maybe_day
from providers.equities._listed import about
from providers.equities._polygon_bars import US
from providers.markup import without_markup
from providers.news._articles import arranged
from providers.row import Row
from schema.symbols import InstrumentId
from schema.words.companies import ActionKind, CompanyProfile, CorporateAction
from schema.words.fundamentals import Fundamentals, ReportPeriod, Statement
from schema.words.knowledge import end_of
from schema.words.news import NewsArticle, NewsAsk

TIMEFRAMES = {ReportPeriod.ANNUAL: "annual", ReportPeriod.QUARTERLY: "quarterly", ReportPeriod.TRAILING: "ttm"}
PERIODS = {
    "FY": ReportPeriod.ANNUAL, "TTM": ReportPeriod.TRAILING,
    **dict.fromkeys(("Q1", "Q2", "Q3", "Q4"), ReportPeriod.QUARTERLY),
}  # fmt: skip
# https://polygon.io/docs/stocks/get_vx_reference_financials: of several names the first that is there.
INCOME: dict[str, tuple[str, ...]] = {
    "revenue": ("revenues",),
    "cost_of_revenue": ("cost_of_revenue",),
    "gross_profit": ("gross_profit",),
    "research_and_development": ("research_and_development",),
    "selling_general_administrative": ("selling_general_and_administrative_expenses",),
    "operating_income": ("operating_income_loss",),
    "interest_expense": ("interest_expense_operating",),
    "income_before_tax": ("income_loss_from_continuing_operations_before_tax",),
    "income_tax": ("income_tax_expense_benefit",),
    "net_income": ("net_income_loss_attributable_to_parent", "net_income_loss"),
    "eps_basic": ("basic_earnings_per_share",),
    "eps_diluted": ("diluted_earnings_per_share",),
    "shares_basic": ("basic_average_shares",),
    "shares_diluted": ("diluted_average_shares",),
}
BALANCE: dict[str, tuple[str, ...]] = {
    "total_assets": ("assets",),
    "current_assets": ("current_assets",),
    "cash_and_equivalents": ("cash",),
    "inventory": ("inventory",),
    "total_liabilities": ("liabilities",),
    "current_liabilities": ("current_liabilities",),
    "long_term_debt": ("long_term_debt",),
    "shareholders_equity": ("equity_attributable_to_parent", "equity"),
}
CASH_FLOW: dict[str, tuple[str, ...]] = {
    "operating_cash_flow": ("net_cash_flow_from_operating_activities",),
    "investing_cash_flow": ("net_cash_flow_from_investing_activities",),
    "financing_cash_flow": ("net_cash_flow_from_financing_activities",),
}
STATEMENTS = {
    "income_statement": (Statement.INCOME, INCOME),
    "balance_sheet": (Statement.BALANCE_SHEET, BALANCE),
    "cash_flow_statement": (Statement.CASH_FLOW, CASH_FLOW),
}
DIVIDENDS = {"CD": ActionKind.CASH_DIVIDEND}


def parse_report(wanted: Statement, row: Row) -> Fundamentals | None:
    """All statements of one filing; None where it lacks the one that is *wanted*."""
    statements, amounts, currency = row["financials"], dict[str, Any](), None
    for name, (statement, fields) in STATEMENTS.items():
        body = statements.get(name)
        found = {} if body is None else {field: amount(body, names) for field, names in fields.items()}
        if statement is wanted and not any(value is not None for value in found.values()):
            return None
        amounts |= found
        currency = currency or (None if body is None else currency_of(body))
    period = row.text("fiscal_period")
    accepted, filed = row.maybe_instant("acceptance_datetime"), maybe_day(row, "filing_date")
    return Fundamentals(
        period=PERIODS[period] if period in PERIODS else row["fiscal_period"].broken("is no period"),
        period_end=row.day("end_date"),
        period_start=maybe_day(row, "start_date"),
        fiscal_year=row.integer("fiscal_year") if row.maybe_text("fiscal_year") else None,
        fiscal_quarter=int(period[1]) if period.startswith("Q") else None,
        filed_at=accepted or (None if filed is None else end_of(filed)),
        currency=currency or statements.broken("has no currency"),
        **amounts,
    )


def amount(statement: Row, names: tuple[str, ...]) -> Decimal | None:
    """The value of the first of *names* that is there."""
    found = next((row for name in names if (row := statement.get(name)) is not None), None)
    return None if found is None else found.maybe("value")


def currency_of(statement: Row) -> str | None:
    """The unit of an amount of money; others are counted in shares, or in money for each."""
    units = (row.maybe_text("unit") for _, row in statement.items())
    return next((unit for unit in units if unit is not None and len(unit) == 3 and unit.isupper()), None)


def parse_dividends(symbol: str, rows: Row) -> Iterator[CorporateAction]:
    """Distributions of capital gains and single payments are special."""
    for row in rows:
        if row.text("ticker") == symbol:
            yield CorporateAction(
                kind=DIVIDENDS.get(row.maybe_text("dividend_type") or "", ActionKind.SPECIAL_DIVIDEND),
                ex_date=row.day("ex_dividend_date"),
                amount=row.decimal("cash_amount"),
                currency=(row.maybe_text("currency") or "USD").upper(),
                declared_on=maybe_day(row, "declaration_date"),
                record_date=maybe_day(row, "record_date"),
                paid_on=maybe_day(row, "pay_date"),
                # Zero is a payment that is not repeated.
                frequency=int(row.maybe("frequency") or 0) or None,
            )


def parse_splits(symbol: str, rows: Row) -> Iterator[CorporateAction]:
    """20 for 1 has `split_to` 20."""
    for row in rows:
        if row.text("ticker") == symbol:
            yield CorporateAction(
                kind=ActionKind.SPLIT,
                ex_date=row.day("execution_date"),
                split_to=row.decimal("split_to"),
                split_from=row.decimal("split_from"),
            )


def parse_profile(instrument: InstrumentId, row: Row) -> CompanyProfile:
    """A fund has neither an industry nor employees. Pictures are left out: they want the key."""
    employees = row.maybe("total_employees")
    return CompanyProfile(
        instrument=instrument,
        name=row.text("name"),
        description=row.maybe_text("description"),
        industry=row.maybe_text("sic_description"),
        currency=row.text("currency_name").upper(),
        mic=row.maybe_text("primary_exchange"),
        website=row.maybe_text("homepage_url"),
        employees=None if employees is None else int(employees),
        listed_on=maybe_day(row, "list_date"),
        market_cap=row.positive("market_cap"),
        shares_outstanding=row.positive("share_class_shares_outstanding"),
        figi=row.maybe_text("composite_figi"),
        cik=row.maybe_text("cik"),
    )


def parse_news(ask: NewsAsk, body: Row) -> tuple[NewsArticle, ...]:
    """Articles with their publisher."""
    found = []
    for row in body["results"]:
        publisher = row.get("publisher")
        found.append(
            NewsArticle(
                id=row.label("id"),
                title=without_markup(row.text("title")) or row.text("article_url"),
                url=row.text("article_url"),
                published_at=row.instant("published_utc"),
                summary=without_markup(row.maybe_text("description")),
                source=None if publisher is None else publisher.maybe_text("name"),
                author=row.maybe_text("author"),
                image=row.maybe_text("image_url"),
                symbols=about(US, (symbol.text() for symbol in row.get("tickers") or ())),
                topics=tuple(topic.text() for topic in row.get("keywords") or ()),
            )
        )
    return arranged(ask, found)[: ask.limit]
