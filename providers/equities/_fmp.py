"""How Financial Modeling Prep writes symbols, and what its answers say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, time
from typing import Any
from zoneinfo import ZoneInfo

from providers.equities._companies import maybe_day
from providers.equities._listed import NEW_YORK, TRADED_IN, Spelling, bars_at, first_moments, is_pair
from providers.equities._yahoo import MINOR_UNITS, SUFFIXES
from providers.row import Row
from schema.errors import UnknownInstrument
from schema.symbols import InstrumentId
from schema.words.candles import Adjustment, Bars, CandlesAsk
from schema.words.companies import ActionKind, CompanyProfile, CorporateAction
from schema.words.fundamentals import EarningsAsk, EarningsEvent, Fundamentals, ReportPeriod, Statement
from schema.words.instruments import InstrumentType, Listing
from schema.words.knowledge import end_of
from schema.words.quotes import PriceType, Quote, StatsWindow

# Exchanges have the suffixes that Yahoo gives them.
FMP = Spelling(mark="-", suffixes={"": "", **SUFFIXES})
ZONE = ZoneInfo(NEW_YORK)
SERIES = {
    Adjustment.NONE: "non-split-adjusted",
    Adjustment.SPLITS: "full",
    Adjustment.SPLITS_AND_DIVIDENDS: "dividend-adjusted",
}
PERIODS = {ReportPeriod.ANNUAL: "annual", ReportPeriod.QUARTERLY: "quarter"}
STATEMENTS = {
    Statement.INCOME: "income-statement",
    Statement.BALANCE_SHEET: "balance-sheet-statement",
    Statement.CASH_FLOW: "cash-flow-statement",
}
AMOUNTS = {
    Statement.INCOME: {
        "revenue": "revenue",
        "cost_of_revenue": "costOfRevenue",
        "gross_profit": "grossProfit",
        "research_and_development": "researchAndDevelopmentExpenses",
        "selling_general_administrative": "sellingGeneralAndAdministrativeExpenses",
        "operating_income": "operatingIncome",
        "interest_expense": "interestExpense",
        "income_before_tax": "incomeBeforeTax",
        "income_tax": "incomeTaxExpense",
        "net_income": "netIncome",
        "ebitda": "ebitda",
        "eps_basic": "eps",
        "eps_diluted": "epsDiluted",
        "shares_basic": "weightedAverageShsOut",
        "shares_diluted": "weightedAverageShsOutDil",
    },
    Statement.BALANCE_SHEET: {
        "total_assets": "totalAssets",
        "current_assets": "totalCurrentAssets",
        "cash_and_equivalents": "cashAndCashEquivalents",
        "inventory": "inventory",
        "total_liabilities": "totalLiabilities",
        "current_liabilities": "totalCurrentLiabilities",
        "long_term_debt": "longTermDebt",
        "shareholders_equity": "totalStockholdersEquity",
        "retained_earnings": "retainedEarnings",
    },
    Statement.CASH_FLOW: {
        "operating_cash_flow": "netCashProvidedByOperatingActivities",
        "investing_cash_flow": "netCashProvidedByInvestingActivities",
        "financing_cash_flow": "netCashProvidedByFinancingActivities",
        "capital_expenditure": "capitalExpenditure",
        "dividends_paid": "netDividendsPaid",
        "free_cash_flow": "freeCashFlow",
    },
}
FREQUENCIES = {"Monthly": 12, "Quarterly": 4, "Semi-Annual": 2, "Annual": 1}
# Lists of the same form that are no securities.
OTHERS = frozenset({"CRYPTO", "FOREX", "COMMODITY", "INDEX"})


def only(instrument: InstrumentId, rows: Row) -> Row:
    """The one row of an answer about one symbol; an unknown one has none."""
    if rows.value == []:
        raise UnknownInstrument(rows.provider, f"nothing about {instrument.base}")
    return rows[0]


def pair_symbol(instrument: InstrumentId) -> str | None:
    """`EURUSD`, or None for what is no pair of currencies."""
    return f"{instrument.base}{instrument.quote}" if is_pair(instrument) else None


def parse_rate(pair: InstrumentId, rows: Row) -> Quote:
    """Units of the quote currency for one of the base; when its day begins is not told."""
    row = only(pair, rows)
    return Quote(
        instrument=pair, price=row.decimal("price"), price_type=PriceType.MID, as_of=row.maybe_epoch("timestamp")
    )


def parse_quote(instrument: InstrumentId, rows: Row) -> Quote:
    """The session's numbers; what is spelled like a share may be a pair of currencies or a coin."""
    row = only(instrument, rows)
    if row.maybe_text("exchange") in OTHERS:
        raise UnknownInstrument(rows.provider, f"{instrument.base} is no security")
    return Quote(
        instrument=instrument,
        price=row.decimal("price"),
        price_type=PriceType.LAST,
        currency=TRADED_IN[instrument.venue],
        open=row.positive("open"),
        high=row.positive("dayHigh"),
        low=row.positive("dayLow"),
        previous_close=row.positive("previousClose"),
        change=row.maybe("change"),
        change_percent=row.maybe("changePercentage"),
        volume=row.maybe("volume"),
        stats_window=StatsWindow.SESSION,
        as_of=row.maybe_epoch("timestamp"),
    )


def parse_days(ask: CandlesAsk, rows: Row) -> Bars:
    """Newest first; the adjusted series have names of their own."""
    names = ("open", "high", "low", "close") if ask.adjustment is Adjustment.SPLITS else (
        "adjOpen", "adjHigh", "adjLow", "adjClose",
    )  # fmt: skip
    times = first_moments(ask.interval, [row.day("date") for row in rows])
    first, high, low, last = names
    return bars_at(
        ask, rows, times, open=first, high=high, low=low, close=last, volume="volume", vwap="vwap",
        currency=TRADED_IN[ask.instrument.venue],
    )  # fmt: skip


def parse_search(rows: Row) -> tuple[Listing, ...]:
    """Whether one is a share or a fund is not told."""
    found = []
    for row in rows:
        symbol, code = row.text("symbol"), row.maybe_text("currency")
        instrument = FMP.instrument_of(symbol)
        if instrument is not None and row.maybe_text("exchange") not in OTHERS:
            listing = Listing(
                instrument=instrument, provider_symbol=symbol, name=row.maybe_text("name"),
                type=InstrumentType.STOCK, venue_name=row.maybe_text("exchangeFullName"),
                currency=None if code is None else MINOR_UNITS.get(code, (code, 0))[0],
            )  # fmt: skip
            found.append(listing)
    return tuple(found)


def parse_profile(instrument: InstrumentId, rows: Row) -> CompanyProfile:
    """Where prices are in a minor unit, it is not told whether the market cap is."""
    row = only(instrument, rows)
    employees, code = row.maybe("fullTimeEmployees"), row.text("currency")
    return CompanyProfile(
        instrument=instrument,
        name=row.text("companyName"),
        description=row.maybe_text("description"),
        sector=row.maybe_text("sector"),
        industry=row.maybe_text("industry"),
        country=row.maybe_text("country"),
        currency=MINOR_UNITS.get(code, (code, 0))[0],
        exchange=row.maybe_text("exchangeFullName"),
        website=row.maybe_text("website"),
        employees=None if employees is None else int(employees),
        listed_on=maybe_day(row, "ipoDate"),
        market_cap=None if code in MINOR_UNITS else row.positive("marketCap"),
        isin=row.maybe_text("isin"),
        cusip=row.maybe_text("cusip"),
        cik=row.maybe_text("cik"),
        logo=row.maybe_text("image"),
    )


def parse_dividends(instrument: InstrumentId, rows: Row) -> Iterator[CorporateAction]:
    """As declared, and adjusted for later splits."""
    for row in rows:
        often = row.maybe_text("frequency") or ""
        yield CorporateAction(
            kind=ActionKind.SPECIAL_DIVIDEND if often == "Special" else ActionKind.CASH_DIVIDEND,
            ex_date=row.day("date"),
            amount=row.decimal("dividend"),
            adjusted_amount=row.maybe("adjDividend"),
            currency=TRADED_IN[instrument.venue],
            declared_on=maybe_day(row, "declarationDate"),
            record_date=maybe_day(row, "recordDate"),
            paid_on=maybe_day(row, "paymentDate"),
            frequency=FREQUENCIES.get(often),
        )


def parse_splits(rows: Row) -> Iterator[CorporateAction]:
    """4 for 1 has the numerator 4."""
    for row in rows:
        yield CorporateAction(
            kind=ActionKind.SPLIT,
            ex_date=row.day("date"),
            split_to=row.decimal("numerator"),
            split_from=row.decimal("denominator"),
        )


def parse_report(statement: Statement, period: ReportPeriod, row: Row) -> Fundamentals:
    """One statement of one filing; what a company does not report is written as zero."""
    name = row.text("period")
    quarter = int(name[1]) if name in ("Q1", "Q2", "Q3", "Q4") else None
    if (quarter is None) == (period is ReportPeriod.QUARTERLY):
        row["period"].broken(f"is not {period.value.lower()}")
    filed, accepted = maybe_day(row, "filingDate"), row.maybe_instant("acceptedDate")
    told = None if filed is None else end_of(filed)
    # The authority accepts in New York's time; without a time it is midnight, which is too early.
    if accepted is not None and accepted.time() != time():
        told = accepted.replace(tzinfo=ZONE).astimezone(UTC)
    year = row.maybe("fiscalYear")
    amounts: dict[str, Any] = {field: row.maybe(key) for field, key in AMOUNTS[statement].items()}
    return Fundamentals(
        period=period,
        period_end=row.day("date"),
        fiscal_year=None if year is None else int(year),
        fiscal_quarter=quarter,
        filed_at=told,
        currency=row.text("reportedCurrency"),
        **amounts,
    )


def parse_earnings(ask: EarningsAsk, rows: Row) -> tuple[EarningsEvent, ...]:
    """Days, without their hour; symbols of exchanges without a code here are left out."""
    found = []
    for row in rows:
        instrument, day = FMP.instrument_of(row.text("symbol")), row.day("date")
        if instrument is not None and ask.start <= day < ask.end:
            event = EarningsEvent(
                instrument=instrument, date=day, eps_estimate=row.maybe("epsEstimated"),
                eps_actual=row.maybe("epsActual"), revenue_estimate=row.maybe("revenueEstimated"),
                revenue_actual=row.maybe("revenueActual"),
            )  # fmt: skip
            found.append(event)
    return tuple(sorted(found, key=lambda event: event.date))
