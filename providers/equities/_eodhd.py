"""How EODHD writes symbols (`BRK-B.US`, `BMW.XETRA`), and what its answers say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from providers.equities._adjusted import with_dividends
from providers.equities._companies import maybe_day
from providers.equities._listed import TRADED_IN, Spelling, about, bars_at, first_moments
from providers.equities._yahoo import MINOR_UNITS, shifted
from providers.markup import without_markup
from providers.news._articles import arranged
from providers.row import Row
from schema.errors import NotCovered
from schema.symbols import InstrumentId
from schema.words.candles import Adjustment, Bars, CandlesAsk
from schema.words.companies import ActionKind, CompanyProfile, CorporateAction
from schema.words.fundamentals import (
    EarningsAsk,
    EarningsEvent,
    EarningsTime,
    Fundamentals,
    KeyFigures,
    ReportPeriod,
    Statement,
)
from schema.words.instruments import InstrumentType, Listing
from schema.words.knowledge import end_of
from schema.words.news import NewsArticle, NewsAsk
from schema.words.quotes import PriceType, Quote, StatsWindow

# https://eodhd.com/list-of-stock-markets, here by market identifier code.
EODHD = Spelling(
    mark="-",
    suffixes={
        "": "US", "XLON": "LSE", "XETR": "XETRA", "XFRA": "F", "XPAR": "PA", "XAMS": "AS", "XBRU": "BR", "XLIS": "LS",
        "XDUB": "IR", "XSWX": "SW", "XMIL": "MI", "XMAD": "MC", "XWBO": "VI", "XSTO": "ST", "XHEL": "HE", "XCSE": "CO",
        "XOSL": "OL", "XICE": "IC", "XWAR": "WAR", "XPRA": "PR", "XBUD": "BUD", "XATH": "AT", "XTAE": "TA",
        "XJSE": "JSE", "XTSE": "TO", "XTSX": "V", "NEOE": "NEO", "XMEX": "MX", "BVMF": "SA", "XBUE": "BA", "XSGO": "SN",
        "XHKG": "HK", "XSHG": "SHG", "XSHE": "SHE", "XTAI": "TW", "ROCO": "TWO", "XKRX": "KO", "XKOS": "KQ",
        "XKLS": "KLSE", "XBKK": "BK", "XIDX": "JK", "XNSE": "NSE", "XBOM": "BSE", "XASX": "AU",
    },
)  # fmt: skip
TYPES = {
    "Common Stock": InstrumentType.STOCK,
    "Preferred Stock": InstrumentType.STOCK,
    "ETF": InstrumentType.ETF,
    "FUND": InstrumentType.FUND,
    "Mutual Fund": InstrumentType.FUND,
}
PERIODS = {ReportPeriod.ANNUAL: "yearly", ReportPeriod.QUARTERLY: "quarterly"}
STATEMENTS = {
    Statement.INCOME: "Income_Statement",
    Statement.BALANCE_SHEET: "Balance_Sheet",
    Statement.CASH_FLOW: "Cash_Flow",
}
AMOUNTS = {
    Statement.INCOME: {
        "revenue": "totalRevenue",
        "cost_of_revenue": "costOfRevenue",
        "gross_profit": "grossProfit",
        "research_and_development": "researchDevelopment",
        "selling_general_administrative": "sellingGeneralAdministrative",
        "operating_income": "operatingIncome",
        "interest_expense": "interestExpense",
        "income_before_tax": "incomeBeforeTax",
        "income_tax": "incomeTaxExpense",
        "net_income": "netIncome",
        "ebitda": "ebitda",
    },
    Statement.BALANCE_SHEET: {
        "total_assets": "totalAssets",
        "current_assets": "totalCurrentAssets",
        "cash_and_equivalents": "cash",
        "inventory": "inventory",
        "total_liabilities": "totalLiab",
        "current_liabilities": "totalCurrentLiabilities",
        "long_term_debt": "longTermDebt",
        "shareholders_equity": "totalStockholderEquity",
        "retained_earnings": "retainedEarnings",
    },
    Statement.CASH_FLOW: {
        "operating_cash_flow": "totalCashFromOperatingActivities",
        "investing_cash_flow": "totalCashflowsFromInvestingActivities",
        "financing_cash_flow": "totalCashFromFinancingActivities",
        "free_cash_flow": "freeCashFlow",
    },
}
# Written as what was spent; elsewhere it is what came in.
SPENT = {"capital_expenditure": "capitalExpenditures", "dividends_paid": "dividendsPaid"}
FREQUENCIES = {"Monthly": 12, "Quarterly": 4, "SemiAnnual": 2, "Annual": 1}
HOURS = {"BeforeMarket": EarningsTime.BEFORE_OPEN, "AfterMarket": EarningsTime.AFTER_CLOSE}


def parse_quote(instrument: InstrumentId, row: Row) -> Quote | None:
    """An unknown symbol, or one without a trade, has "NA" everywhere."""
    price = row.maybe("close")
    if price is None:
        return None
    return Quote(
        instrument=instrument,
        price=price,
        price_type=PriceType.LAST,
        currency=TRADED_IN[instrument.venue],
        open=row.maybe("open"),
        high=row.maybe("high"),
        low=row.maybe("low"),
        previous_close=row.maybe("previousClose"),
        change=row.maybe("change"),
        change_percent=row.maybe("change_p"),
        volume=row.maybe("volume"),
        stats_window=StatsWindow.SESSION,
        as_of=row.maybe_epoch("timestamp"),
    )


def parse_days(ask: CandlesAsk, rows: Row) -> Bars:
    """Raw prices beside an adjusted close; a plan that does not reach so far back has a warning among them."""
    if any("warning" in row for row in rows):
        raise NotCovered(rows.provider, "the key's plan does not reach so far back")
    times = first_moments(ask.interval, [row.day("date") for row in rows])
    bars = bars_at(
        ask, rows, times, open="open", high="high", low="low", close="close", volume="volume",
        currency=TRADED_IN[ask.instrument.venue],
    )  # fmt: skip
    if ask.adjustment is Adjustment.NONE:
        return replace(bars, volume=None)
    closes = {moment: row for row, moment in enumerate(times)}
    adjusted = tuple([rows[closes[moment]].decimal("adjusted_close") for moment in bars.open_time])
    return with_dividends(bars, adjusted, rows)


def parse_search(rows: Row) -> tuple[Listing, ...]:
    """Symbols that lead back to themselves."""
    found = []
    for row in rows:
        symbol = f"{row.label('Code')}.{row.text('Exchange')}"
        instrument, kind = EODHD.instrument_of(symbol), TYPES.get(row.maybe_text("Type") or "")
        if instrument is not None and kind is not None:
            code = row.maybe_text("Currency")
            listing = Listing(
                instrument=instrument, provider_symbol=symbol, name=row.maybe_text("Name"), type=kind,
                currency=None if code is None else MINOR_UNITS.get(code, (code, 0))[0], isin=row.maybe_text("ISIN"),
            )  # fmt: skip
            found.append(listing)
    return tuple(found)


def parse_profile(instrument: InstrumentId, row: Row) -> CompanyProfile:
    """The general part of a company's or a fund's facts."""
    employees, cik = row.maybe("FullTimeEmployees"), row.maybe_text("CIK")
    return CompanyProfile(
        instrument=instrument,
        name=row.text("Name"),
        description=row.maybe_text("Description"),
        sector=row.maybe_text("Sector"),
        industry=row.maybe_text("Industry"),
        country=row.maybe_text("CountryISO"),
        exchange=row.maybe_text("Exchange"),
        website=row.maybe_text("WebURL"),
        employees=None if employees is None else int(employees),
        listed_on=maybe_day(row, "IPODate"),
        isin=row.maybe_text("ISIN"),
        cusip=row.maybe_text("CUSIP"),
        figi=row.maybe_text("OpenFigi"),
        cik=None if cik is None else cik.zfill(10),
        lei=row.maybe_text("LEI"),
    )


def parse_figures(instrument: InstrumentId, body: Row) -> KeyFigures:
    """Ratios, of which shares of a whole are fractions here.

    Amounts come without their currency, and the extremes of a year are adjusted for dividends: both are left out.
    """
    ratios, values = body["Highlights"], body["Valuation"]

    def percent(key: str) -> Decimal | None:
        fraction = ratios.maybe(key)
        return None if fraction is None else shifted(fraction, 2)

    return KeyFigures(
        instrument=instrument,
        price_to_earnings=ratios.maybe("PERatio"),
        forward_price_to_earnings=values.positive("ForwardPE"),
        price_to_book=values.positive("PriceBookMRQ"),
        price_to_sales=values.positive("PriceSalesTTM"),
        peg=ratios.maybe("PEGRatio"),
        dividend_yield_percent=percent("DividendYield"),
        profit_margin_percent=percent("ProfitMargin"),
        return_on_equity_percent=percent("ReturnOnEquityTTM"),
        beta=body["Technicals"].maybe("Beta"),
    )


def parse_report(statement: Statement, period: ReportPeriod, row: Row) -> Fundamentals:
    """One statement; numbers are texts."""
    filed = maybe_day(row, "filing_date")
    amounts: dict[str, Any] = {field: row.maybe(key) for field, key in AMOUNTS[statement].items()}
    if statement is Statement.CASH_FLOW:
        amounts |= {field: spent(row.maybe(key)) for field, key in SPENT.items()}
    return Fundamentals(
        period=period,
        period_end=row.day("date"),
        # Some companies' first reports are dated before the end of their period: then it is no day of filing.
        filed_at=None if filed is None or filed < row.day("date") else end_of(filed),
        currency=row.text("currency_symbol"),
        **amounts,
    )


def spent(number: Decimal | None) -> Decimal | None:
    """As a negative, whichever sign it was written with."""
    return None if number is None else -abs(number)


def parse_dividends(instrument: InstrumentId, rows: Row) -> Iterator[CorporateAction]:
    """Adjusted for later splits, and for the US as declared too."""
    for row in rows:
        code = row.maybe_text("currency") or TRADED_IN.get(instrument.venue) or row["currency"].broken("is missing")
        currency, power = MINOR_UNITS.get(code, (code, 0))
        declared = row.maybe("unadjustedValue")
        yield CorporateAction(
            kind=ActionKind.CASH_DIVIDEND,
            ex_date=row.day("date"),
            amount=None if declared is None else shifted(declared, power),
            adjusted_amount=shifted(row.decimal("value"), power),
            currency=currency,
            declared_on=maybe_day(row, "declarationDate"),
            record_date=maybe_day(row, "recordDate"),
            paid_on=maybe_day(row, "paymentDate"),
            frequency=FREQUENCIES.get(row.maybe_text("period") or ""),
        )


def parse_splits(rows: Row) -> Iterator[CorporateAction]:
    """`"4.000000/1.000000"` is 4 for 1."""
    for row in rows:
        new, slash, old = row.text("split").partition("/")
        if not slash:
            row["split"].broken("is no ratio")
        parts = Row(row.provider, {"to": new, "from": old}, row, "split")
        yield CorporateAction(
            kind=ActionKind.SPLIT,
            ex_date=row.day("date"),
            split_to=parts.decimal("to"),
            split_from=parts.decimal("from"),
        )


def parse_earnings(ask: EarningsAsk, rows: Row) -> tuple[EarningsEvent, ...]:
    """Symbols of exchanges without a code here are left out."""
    found = []
    for row in rows:
        instrument, day = EODHD.instrument_of(row.text("code")), row.day("report_date")
        if instrument is not None and ask.start <= day < ask.end:
            code, estimate, actual = row.maybe_text("currency"), row.maybe("estimate"), row.maybe("actual")
            currency, power = MINOR_UNITS.get(code or "", (code, 0))
            event = EarningsEvent(
                instrument=instrument, date=day, time=HOURS.get(row.maybe_text("before_after_market") or ""),
                currency=currency, eps_estimate=None if estimate is None else shifted(estimate, power),
                eps_actual=None if actual is None else shifted(actual, power),
            )  # fmt: skip
            found.append(event)
    return tuple(sorted(found, key=lambda event: event.date))


def parse_articles(ask: NewsAsk, rows: Row) -> tuple[NewsArticle, ...]:
    """Without their text, which is the whole article."""
    found = []
    for row in rows:
        mood = row.get("sentiment")
        article = NewsArticle(
            id=row.text("link"),
            title=without_markup(row.text("title")) or row.text("link"),
            url=row.text("link"),
            published_at=row.instant("date"),
            symbols=about(EODHD, (symbol.text() for symbol in row.get("symbols") or ())),
            topics=tuple(tag.text() for tag in row.get("tags") or ()),
            sentiment=None if mood is None else mood.maybe("polarity"),
        )
        found.append(article)
    return arranged(ask, found)[: ask.limit]
