"""Statements from the facts that companies tag in their reports to the SEC, and when each became known.

A fact is one number of one concept for one period, as one filing has it. Later filings repeat it as a comparison:
a period is as new as the last filing that added or changed one of its numbers. `fy` and `fp` describe the filing,
so they are taken from the filing whose own period it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from providers.row import Row
from schema.words.fundamentals import Fundamentals, FundamentalsAsk, ReportPeriod, Statement
from schema.words.knowledge import end_of

# Days that a quarter and a fiscal year have; those of 52 or 53 weeks included.
LENGTHS = {ReportPeriod.QUARTERLY: range(80, 101), ReportPeriod.ANNUAL: range(350, 381)}
QUARTERS = {"Q1": 1, "Q2": 2, "Q3": 3, "FY": 4}
# For each field the concepts that mean it, the widest first: US-GAAP, then IFRS.
CONCEPTS: dict[Statement, dict[str, tuple[str, ...]]] = {
    Statement.INCOME: {
        "revenue": (
            "Revenues", "RevenueFromContractWithCustomerExcludingAssessedTax", "SalesRevenueNet", "Revenue",
        ),
        "cost_of_revenue": ("CostOfRevenue", "CostOfGoodsAndServicesSold", "CostOfSales"),
        "gross_profit": ("GrossProfit",),
        "research_and_development": ("ResearchAndDevelopmentExpense",),
        "selling_general_administrative": ("SellingGeneralAndAdministrativeExpense",),
        "operating_income": ("OperatingIncomeLoss", "ProfitLossFromOperatingActivities"),
        "interest_expense": ("InterestExpense", "InterestExpenseNonoperating"),
        "income_before_tax": (
            "IncomeLossFromContinuingOperationsBeforeIncomeTaxesExtraordinaryItemsNoncontrollingInterest",
            "IncomeLossFromContinuingOperationsBeforeIncomeTaxesMinorityInterestAndIncomeLossFromEquityMethodInvestments",
            "ProfitLossBeforeTax",
        ),
        "income_tax": ("IncomeTaxExpenseBenefit", "IncomeTaxExpenseContinuingOperations"),
        "net_income": ("NetIncomeLoss", "ProfitLossAttributableToOwnersOfParent"),
        "eps_basic": ("EarningsPerShareBasic", "BasicEarningsLossPerShare"),
        "eps_diluted": ("EarningsPerShareDiluted", "DilutedEarningsLossPerShare"),
        "shares_basic": ("WeightedAverageNumberOfSharesOutstandingBasic",),
        "shares_diluted": ("WeightedAverageNumberOfDilutedSharesOutstanding",),
    },
    Statement.BALANCE_SHEET: {
        "total_assets": ("Assets",),
        "current_assets": ("AssetsCurrent", "CurrentAssets"),
        "cash_and_equivalents": ("CashAndCashEquivalentsAtCarryingValue", "CashAndCashEquivalents"),
        "inventory": ("InventoryNet", "Inventories"),
        "total_liabilities": ("Liabilities",),
        "current_liabilities": ("LiabilitiesCurrent", "CurrentLiabilities"),
        "long_term_debt": ("LongTermDebtNoncurrent",),
        "shareholders_equity": ("StockholdersEquity", "EquityAttributableToOwnersOfParent"),
        "retained_earnings": ("RetainedEarningsAccumulatedDeficit", "RetainedEarnings"),
    },
    Statement.CASH_FLOW: {
        "operating_cash_flow": (
            "NetCashProvidedByUsedInOperatingActivities", "CashFlowsFromUsedInOperatingActivities",
        ),
        "investing_cash_flow": (
            "NetCashProvidedByUsedInInvestingActivities", "CashFlowsFromUsedInInvestingActivities",
        ),
        "financing_cash_flow": (
            "NetCashProvidedByUsedInFinancingActivities", "CashFlowsFromUsedInFinancingActivities",
        ),
        "capital_expenditure": (
            "PaymentsToAcquirePropertyPlantAndEquipment",
            "PurchaseOfPropertyPlantAndEquipmentClassifiedAsInvestingActivities",
        ),
        "dividends_paid": (
            "PaymentsOfDividends", "PaymentsOfDividendsCommonStock", "DividendsPaidClassifiedAsFinancingActivities",
        ),
    },
}  # fmt: skip
NAMES = {
    statement: frozenset(name for names in fields.values() for name in names) for statement, fields in CONCEPTS.items()
}
# What tells which days end a year or a quarter, where balances are asked for.
FLOWS = frozenset(name for field in ("revenue", "net_income") for name in CONCEPTS[Statement.INCOME][field])
# Tagged as what was paid, a positive number.
OUTFLOWS = frozenset({"capital_expenditure", "dividends_paid"})
TAXONOMIES = ("us-gaap", "ifrs-full")
SHARES = "shares"

Period = tuple[date | None, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One number as one filing has it; `start` is None for a balance."""

    name: str
    start: date | None
    end: date
    value: Decimal
    filed: date
    filing: str
    form: str
    year: int | None
    quarter: str | None


def parse_facts(ask: FundamentalsAsk, body: Row) -> tuple[Fundamentals, ...]:
    """`{"facts": {taxonomy: {concept: {"units": {unit: [{"start", "end", "val", "accn", "fy", "fp", …}]}}}}}`."""
    names = NAMES[ask.statement]
    concepts = concepts_of(body, names | FLOWS if ask.statement is Statement.BALANCE_SHEET else names)
    known = known_facts(ask, concepts)
    currency = currency_of(known)
    if currency is None:
        return ()
    facts = [fact for unit in (currency, f"{currency}/{SHARES}", SHARES) for fact in known.get(unit, ())]
    # A balance has no length: the flows of the same company tell which days end a year or a quarter.
    ends = {fact.end for fact in facts if of_length(fact, ask.period) or of_length(fact, ReportPeriod.ANNUAL)}
    current = current_filings(facts)
    versions: dict[Period, list[Fact]] = {}
    for fact in facts:
        fits = fact.end in ends if fact.start is None else of_length(fact, ask.period)
        if fits and fact.name in names:
            versions.setdefault((fact.start, fact.end), []).append(fact)
    # Of two periods with one end, which differ by days, the one that was reported by more numbers.
    chosen = {numbers[0].end: numbers for numbers in sorted(versions.values(), key=len)}
    newest = sorted(chosen, reverse=True)[: ask.limit]
    return tuple(report_of(ask, chosen[end], current, currency) for end in newest)


def concepts_of(body: Row, names: Iterable[str]) -> dict[str, Row]:
    """The units of every concept that is wanted, by its name."""
    taxonomies = (body["facts"].get(each) for each in TAXONOMIES)
    return {
        name: concept["units"]
        for taxonomy in taxonomies
        if taxonomy is not None
        for name in sorted(names)
        if (concept := taxonomy.get(name)) is not None
    }


def known_facts(ask: FundamentalsAsk, concepts: dict[str, Row]) -> dict[str, list[Fact]]:
    """By unit, amounts and shares: what the ask may know, and nothing that later filings would let it guess."""
    found: dict[str, list[Fact]] = {}
    for name, units in concepts.items():
        for unit, rows in units.items():
            if len(unit) == 3 or unit.endswith(SHARES):
                facts = (parse_fact(name, row) for row in rows)
                found.setdefault(unit, []).extend(
                    fact for fact in facts if ask.known_at is None or end_of(fact.filed) <= ask.known_at
                )
    return found


def currency_of(facts: dict[str, list[Fact]]) -> str | None:
    """The currency of most facts: some companies add a translation of their newest year into dollars."""
    counted = {unit: len(rows) for unit, rows in facts.items() if len(unit) == 3 and rows}
    return max(counted, key=lambda unit: (counted[unit], unit), default=None)


def parse_fact(name: str, row: Row) -> Fact:
    """One number with its period and its filing."""
    return Fact(
        name=name,
        start=row.day("start") if "start" in row else None,
        end=row.day("end"),
        value=row.decimal("val"),
        filed=row.day("filed"),
        filing=row.text("accn"),
        form=row.text("form"),
        year=row.integer("fy") if row.maybe("fy") is not None else None,
        quarter=row.maybe_text("fp"),
    )


def of_length(fact: Fact, period: ReportPeriod) -> bool:
    """A flow over a year or over a quarter."""
    if fact.start is None:
        return False
    days = (fact.end - fact.start).days + 1
    return days in LENGTHS[period]


def current_filings(facts: Iterable[Fact]) -> dict[str, date]:
    """For each filing the last day that it reports on: its own period, all others are comparisons."""
    latest: dict[str, date] = {}
    for fact in facts:
        latest[fact.filing] = max(fact.end, latest.get(fact.filing, fact.end))
    return latest


def report_of(ask: FundamentalsAsk, facts: list[Fact], current: dict[str, date], currency: str) -> Fundamentals:
    """One period: the newest version of each number, and the filing that changed one of them last."""
    held: dict[str, Fact] = {}
    changed, restated = facts[0], False
    for fact in sorted(facts, key=lambda fact: (fact.filed, fact.filing)):
        before = held.get(fact.name)
        if before is None or before.value != fact.value:
            restated = restated or before is not None
            held[fact.name] = changed = fact
    own = next((fact for fact in facts if current[fact.filing] == fact.end), None)
    quarter = QUARTERS.get(own.quarter or "") if own and ask.period is ReportPeriod.QUARTERLY else None
    return Fundamentals(
        period=ask.period,
        period_end=changed.end,
        period_start=changed.start,
        fiscal_year=own.year if own else None,
        fiscal_quarter=quarter,
        filed_at=end_of(changed.filed),
        currency=currency,
        restated=restated,
        form=changed.form,
        filing=changed.filing,
        **amounts(ask.statement, held),
    )


def amounts(statement: Statement, held: dict[str, Fact]) -> dict[str, Any]:
    """The fields of a statement; of several concepts the first that was reported."""
    found = {}
    for field, names in CONCEPTS[statement].items():
        fact = next((held[name] for name in names if name in held), None)
        if fact is not None:
            outward = field in OUTFLOWS and fact.value
            found[field] = fact.value.copy_negate() if outward else fact.value
    return found
