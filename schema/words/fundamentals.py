"""Fundamentals: what companies reported, and when it became known; key figures; dates of earnings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import strawberry

from schema.capability import Capability
from schema.checks import ascending, in_range, not_negative, positive
from schema.model import choices, computed, described, model
from schema.provenance import UNSTAMPED, Provenance
from schema.symbols import InstrumentId
from schema.words.instruments import DESCRIBED, instrument_of


@choices(
    "One of the three statements of a report.",
    INCOME="What was earned and spent.",
    BALANCE_SHEET="What is owned and owed.",
    CASH_FLOW="What cash came and went.",
)
class Statement(StrEnum):
    """INCOME, BALANCE_SHEET, CASH_FLOW."""

    INCOME = "INCOME"
    BALANCE_SHEET = "BALANCE_SHEET"
    CASH_FLOW = "CASH_FLOW"


@choices(
    "How long a reported period is.",
    ANNUAL="The company's fiscal year.",
    QUARTERLY="A quarter of it.",
    TRAILING="The last four quarters.",
)
class ReportPeriod(StrEnum):
    """ANNUAL is the company's fiscal year, TRAILING the last four quarters."""

    ANNUAL = "ANNUAL"
    QUARTERLY = "QUARTERLY"
    TRAILING = "TRAILING"


@choices(
    "When on its day a company reports.",
    BEFORE_OPEN="Before the session.",
    DURING_SESSION="During the session.",
    AFTER_CLOSE="After the session.",
)
class EarningsTime(StrEnum):
    """Of the session at its main exchange."""

    BEFORE_OPEN = "BEFORE_OPEN"
    DURING_SESSION = "DURING_SESSION"
    AFTER_CLOSE = "AFTER_CLOSE"


@model("What a company reported for one period, as one filing has it.")
class Fundamentals:
    """Whole units of `currency` (never thousands or millions); costs, taxes and debts are positive.

    Of cash flows those that leave the company are negative. A period that was reported again, with other numbers, has
    `restated` true.
    """

    as_of: strawberry.Private[datetime | None] = None
    period: ReportPeriod = described("How long the period is.")
    period_end: dt.date = described("Last day of the period.")
    period_start: dt.date | None = described("First day of the period; null for a balance.", default=None)
    fiscal_year: int | None = described("The company's own count.", default=None)
    fiscal_quarter: int | None = described("1 to 4; null for a year.", default=None)
    filed_at: datetime | None = described(
        "When it became known; the end of the day (UTC) where only the day is told. Null where it is not told.",
        default=None,
    )
    currency: str = described("ISO 4217 code of all amounts.")
    restated: bool | None = described("Whether it corrects an earlier report; null where it is not told.", default=None)
    form: str | None = described("The form that it was filed with, such as `10-K`.", default=None)
    filing: str | None = described("Number of the filing.", default=None)
    revenue: Decimal | None = described("Sales.", default=None)
    cost_of_revenue: Decimal | None = described("Cost of what was sold.", default=None)
    gross_profit: Decimal | None = described("Revenue minus its cost.", default=None)
    research_and_development: Decimal | None = described("Cost of research and development.", default=None)
    selling_general_administrative: Decimal | None = described("Cost of selling and administration.", default=None)
    operating_income: Decimal | None = described("Profit of operations.", default=None)
    interest_expense: Decimal | None = described("Interest paid.", default=None)
    income_before_tax: Decimal | None = described("Profit before income tax.", default=None)
    income_tax: Decimal | None = described("Income tax.", default=None)
    net_income: Decimal | None = described("Profit of the company's holders.", default=None)
    ebitda: Decimal | None = described("As its source gives it, never worked out.", default=None)
    eps_basic: Decimal | None = described("Profit of one share.", default=None)
    eps_diluted: Decimal | None = described("Profit of one share, all rights exercised.", default=None)
    shares_basic: Decimal | None = described("Average number of shares.", default=None)
    shares_diluted: Decimal | None = described("Average number of shares, all rights exercised.", default=None)
    total_assets: Decimal | None = described("All that it has.", default=None)
    current_assets: Decimal | None = described("What turns into money within a year.", default=None)
    cash_and_equivalents: Decimal | None = described("Money, and what is as good.", default=None)
    inventory: Decimal | None = described("Goods in stock.", default=None)
    total_liabilities: Decimal | None = described("All that it owes.", default=None)
    current_liabilities: Decimal | None = described("What is due within a year.", default=None)
    long_term_debt: Decimal | None = described("What is due later, with interest.", default=None)
    shareholders_equity: Decimal | None = described("What belongs to the holders.", default=None)
    retained_earnings: Decimal | None = described("Profits that were kept.", default=None)
    operating_cash_flow: Decimal | None = described("Money from operations.", default=None)
    investing_cash_flow: Decimal | None = described("Money from investing; negative where it was spent.", default=None)
    financing_cash_flow: Decimal | None = described(
        "Money from financing; negative where it was given back.", default=None
    )
    capital_expenditure: Decimal | None = described("Spent on property and equipment, as a negative.", default=None)
    dividends_paid: Decimal | None = described("Paid to holders, as a negative.", default=None)
    free_cash_flow: Decimal | None = described("As its source gives it, never worked out.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@model("Key figures of a security on one day.")
class KeyFigures:
    """Ratios as their source gives them; percentages are in percent."""

    instrument: strawberry.Private[InstrumentId]
    as_of: strawberry.Private[datetime | None] = None
    date: dt.date | None = described("The day that they are of, where it is told.", default=None)
    currency: str | None = described("Currency of the amounts.", default=None)
    market_cap: Decimal | None = described("Price times shares outstanding.", default=None)
    enterprise_value: Decimal | None = described("Market cap plus net debt.", default=None)
    price_to_earnings: Decimal | None = described("Over the last four quarters.", default=None)
    forward_price_to_earnings: Decimal | None = described("Over expected earnings.", default=None)
    price_to_book: Decimal | None = described("Price over equity of one share.", default=None)
    price_to_sales: Decimal | None = described("Price over sales of one share.", default=None)
    peg: Decimal | None = described("Price to earnings over growth.", default=None)
    eps: Decimal | None = described("Profit of one share, last four quarters.", default=None)
    dividend_yield_percent: Decimal | None = described("In percent a year.", default=None)
    profit_margin_percent: Decimal | None = described("Profit in percent of revenue.", default=None)
    return_on_equity_percent: Decimal | None = described("In percent.", default=None)
    beta: Decimal | None = described("Against the market that its source chose.", default=None)
    high52_weeks: Decimal | None = described("Highest price in a year.", default=None, name="high52Weeks")
    low52_weeks: Decimal | None = described("Lowest price in a year.", default=None, name="low52Weeks")
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)
    instrument_ = computed(instrument_of, "What they are of.", name="instrument", direct=DESCRIBED)


@model("A day on which a company reports.")
class EarningsEvent:
    """Estimates are what analysts expect, actuals what came."""

    instrument: strawberry.Private[InstrumentId]
    as_of: strawberry.Private[datetime | None] = None
    date: dt.date = described("The day of the report.")
    time: EarningsTime | None = described("When on that day, where it is told.", default=None)
    fiscal_year: int | None = described("The company's own count.", default=None)
    fiscal_quarter: int | None = described("1 to 4.", default=None)
    currency: str | None = described("Currency of the amounts, where it is told.", default=None)
    eps_estimate: Decimal | None = described("Expected profit of one share.", default=None)
    eps_actual: Decimal | None = described("Reported profit of one share.", default=None)
    revenue_estimate: Decimal | None = described("Expected sales.", default=None)
    revenue_actual: Decimal | None = described("Reported sales.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)
    instrument_ = computed(instrument_of, "Who reports.", name="instrument", direct=DESCRIBED)


@dataclass(frozen=True, slots=True, kw_only=True)
class FundamentalsAsk:
    """The newest `limit` reports, newest period first. An adapter fills at least the statement that is asked for.

    With `known_at` an adapter answers for each period the version that was known by then, with `filed_at`; an adapter
    whose upstream does not tell when a report was filed does not cover it.
    """

    instrument: InstrumentId
    statement: Statement = Statement.INCOME
    period: ReportPeriod = ReportPeriod.ANNUAL
    limit: int = 100
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFiguresAsk:
    """Key figures of a security, the newest that there are."""

    instrument: InstrumentId


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningsAsk:
    """Reports on days in `[start, end)`, ascending, of one company or (without an instrument) of all."""

    start: dt.date
    end: dt.date
    instrument: InstrumentId | None = None


def check_fundamentals(ask: FundamentalsAsk, reports: Sequence[Fundamentals]) -> Iterator[str]:
    """Newest period first, one version of each; nothing that was not known."""
    ends = [report.period_end for report in reports]
    yield from ascending("periodEnd (from the end)", ends[::-1], unique=True)
    for report in reports:
        path = f"{report.period_end}: "
        yield from not_negative(path, total_assets=report.total_assets, shares_diluted=report.shares_diluted)
        if report.period is not ask.period:
            yield f"{path}is {report.period}"
        if len(report.currency) != 3:
            yield f"{path}currency is {report.currency!r}"
        if report.filed_at is not None and report.filed_at.date() < report.period_end:
            yield f"{path}filed at {report.filed_at.isoformat()}, before its period ended"
        if ask.known_at is not None and (report.filed_at is None or report.filed_at > ask.known_at):
            yield f"{path}was not surely known at {ask.known_at.isoformat()}"


def check_figures(ask: KeyFiguresAsk, found: KeyFigures) -> Iterator[str]:
    """Amounts with their currency."""
    yield from positive("", market_cap=found.market_cap, high52_weeks=found.high52_weeks, low52_weeks=found.low52_weeks)
    if found.market_cap is not None and found.currency is None:
        yield "marketCap without a currency"


def check_earnings(ask: EarningsAsk, events: Sequence[EarningsEvent]) -> Iterator[str]:
    """Ascending, of the days that were asked for."""
    yield from ascending("date", [event.date for event in events])
    yield from in_range("date", [event.date for event in events], ask.start, ask.end)


FUNDAMENTALS: Capability[FundamentalsAsk, tuple[Fundamentals, ...]] = Capability(
    name="fundamentals",
    ask=FundamentalsAsk,
    answer=tuple[Fundamentals, ...],
    description="What companies reported, with the time at which it became known.",
    fresh_for=timedelta(hours=1),
    revalidate_for=timedelta(hours=11),
    keep_for=timedelta(days=7),
    check=check_fundamentals,
)
KEY_FIGURES: Capability[KeyFiguresAsk, KeyFigures] = Capability(
    name="keyFigures",
    ask=KeyFiguresAsk,
    answer=KeyFigures,
    description="Ratios and key figures of a security.",
    fresh_for=timedelta(minutes=30),
    revalidate_for=timedelta(hours=3),
    keep_for=timedelta(days=2),
    check=check_figures,
)
EARNINGS: Capability[EarningsAsk, tuple[EarningsEvent, ...]] = Capability(
    name="earnings",
    ask=EarningsAsk,
    answer=tuple[EarningsEvent, ...],
    description="Days on which companies report, with estimates and results.",
    fresh_for=timedelta(minutes=30),
    revalidate_for=timedelta(hours=3),
    keep_for=timedelta(days=2),
    check=check_earnings,
)
