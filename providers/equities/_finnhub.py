"""How Finnhub writes symbols, and what its answers say."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from providers.equities._companies import maybe_day
from providers.equities._listed import TRADED_IN, Spelling, about, bars_at, first_moments
from providers.equities._yahoo import MINOR_UNITS, SUFFIXES, shifted
from providers.markup import without_markup
from providers.news._articles import arranged
from providers.row import Row
from schema.errors import UnknownInstrument
from schema.symbols import InstrumentId
from schema.words.candles import NO_BARS, Bars, CandlesAsk
from schema.words.companies import ActionKind, CompanyProfile, CorporateAction
from schema.words.fundamentals import EarningsAsk, EarningsEvent, EarningsTime, KeyFigures
from schema.words.instruments import InstrumentType, Listing
from schema.words.news import NewsArticle, NewsAsk
from schema.words.quotes import PriceType, Quote, StatsWindow

# Exchanges have the suffixes that Yahoo gives them, classes of shares a dot.
FINNHUB = Spelling(mark=".", suffixes={"": "", **SUFFIXES})
TYPES = {
    **dict.fromkeys(
        ("Common Stock", "ADR", "GDR", "REIT", "NY Reg Shrs", "NVDR", "Preference", "MLP"), InstrumentType.STOCK
    ),
    "ETP": InstrumentType.ETF,
    "Open-End Fund": InstrumentType.FUND,
    "Closed-End Fund": InstrumentType.FUND,
}
CATEGORIES = {"": "general", "forex": "forex", "crypto": "crypto", "merger": "merger"}
HOURS = {
    "bmo": EarningsTime.BEFORE_OPEN, "amc": EarningsTime.AFTER_CLOSE, "dmh": EarningsTime.DURING_SESSION,
}  # fmt: skip
MILLIONS = 6


def parse_quote(instrument: InstrumentId, body: Row) -> Quote:
    """An unknown symbol has a price of zero and no change."""
    price = body.decimal("c")
    if not price:
        raise UnknownInstrument(body.provider, f"{instrument.base} has neither a price nor a time")
    return Quote(
        instrument=instrument,
        price=price,
        price_type=PriceType.LAST,
        currency=TRADED_IN[instrument.venue],
        open=body.positive("o"),
        high=body.positive("h"),
        low=body.positive("l"),
        previous_close=body.positive("pc"),
        change=body.maybe("d"),
        change_percent=body.maybe("dp"),
        stats_window=StatsWindow.SESSION,
        as_of=body.maybe_epoch("t"),
    )


def parse_candles(ask: CandlesAsk, body: Row) -> Bars:
    """Parallel arrays and `"s": "ok"`, or nothing but `"s": "no_data"`; days are named by a moment of them."""
    if body.text("s") == "no_data":
        return NO_BARS
    columns = [body[name] for name in "tohlcv"]
    for column in columns:
        if not isinstance(column.value, list) or len(column) != len(columns[0]):
            column.broken(f"is not a list of {len(columns[0])}")
    values = zip(*(column.value for column in columns), strict=True)
    rows = Row(body.provider, [dict(zip("tohlcv", row, strict=True)) for row in values], body, "rows")
    times = first_moments(ask.interval, [row.epoch("t").date() for row in rows])
    return bars_at(
        ask, rows, times, open="o", high="h", low="l", close="c", volume="v",
        currency=TRADED_IN[ask.instrument.venue],
    )  # fmt: skip


def parse_search(body: Row) -> tuple[Listing, ...]:
    """Symbols that lead back to themselves."""
    found = []
    for row in body["result"]:
        symbol, kind = row.text("symbol"), TYPES.get(row.maybe_text("type") or "")
        instrument = FINNHUB.instrument_of(symbol)
        if instrument is not None and kind is not None:
            listing = Listing(
                instrument=instrument, provider_symbol=symbol, name=row.maybe_text("description"), type=kind,
                currency=TRADED_IN.get(instrument.venue),
            )  # fmt: skip
            found.append(listing)
    return tuple(found)


def parse_profile(instrument: InstrumentId, body: Row) -> CompanyProfile:
    """Counted in millions; an unknown symbol has an empty object."""
    if body.value == {}:
        raise UnknownInstrument(body.provider, f"no profile of {instrument.base}")
    return CompanyProfile(
        instrument=instrument,
        name=body.text("name"),
        industry=body.maybe_text("finnhubIndustry"),
        country=body.maybe_text("country"),
        currency=body.text("currency"),
        exchange=body.maybe_text("exchange"),
        website=body.maybe_text("weburl"),
        listed_on=maybe_day(body, "ipo"),
        market_cap=millions(body.positive("marketCapitalization")),
        shares_outstanding=millions(body.positive("shareOutstanding")),
        logo=body.maybe_text("logo"),
    )


def millions(number: Decimal | None) -> Decimal | None:
    """In whole units."""
    return None if number is None else shifted(number, MILLIONS)


def parse_figures(instrument: InstrumentId, body: Row) -> KeyFigures:
    """Ratios of the last four quarters, percentages in percent."""
    row = body["metric"]
    if row.value == {}:
        raise UnknownInstrument(body.provider, f"no figures of {instrument.base}")
    return KeyFigures(
        instrument=instrument,
        currency=TRADED_IN[instrument.venue],
        price_to_earnings=row.maybe("peTTM"),
        forward_price_to_earnings=row.maybe("forwardPE"),
        price_to_book=row.maybe("pb"),
        price_to_sales=row.maybe("psTTM"),
        peg=row.maybe("pegTTM"),
        dividend_yield_percent=row.maybe("currentDividendYieldTTM"),
        profit_margin_percent=row.maybe("netProfitMarginTTM"),
        return_on_equity_percent=row.maybe("roeTTM"),
        beta=row.maybe("beta"),
        high52_weeks=row.positive("52WeekHigh"),
        low52_weeks=row.positive("52WeekLow"),
    )


def parse_dividends(rows: Row) -> Iterator[CorporateAction]:
    """As declared, and adjusted for later splits."""
    for row in rows:
        currency, power = MINOR_UNITS.get(row.text("currency"), (row.text("currency"), 0))
        adjusted = row.maybe("adjustedAmount")
        yield CorporateAction(
            kind=ActionKind.CASH_DIVIDEND,
            ex_date=row.day("date"),
            amount=shifted(row.decimal("amount"), power),
            adjusted_amount=None if adjusted is None else shifted(adjusted, power),
            currency=currency,
            declared_on=maybe_day(row, "declarationDate"),
            record_date=maybe_day(row, "recordDate"),
            paid_on=maybe_day(row, "payDate"),
        )


def parse_splits(rows: Row) -> Iterator[CorporateAction]:
    """4 for 1 has `fromFactor` 1 and `toFactor` 4."""
    for row in rows:
        yield CorporateAction(
            kind=ActionKind.SPLIT,
            ex_date=row.day("date"),
            split_to=row.decimal("toFactor"),
            split_from=row.decimal("fromFactor"),
        )


def parse_earnings(ask: EarningsAsk, body: Row) -> tuple[EarningsEvent, ...]:
    """In any order; symbols of exchanges without a code here are left out."""
    found = []
    for row in body["earningsCalendar"]:
        instrument, day = FINNHUB.instrument_of(row.text("symbol")), row.day("date")
        if instrument is None or not ask.start <= day < ask.end:
            continue
        year, quarter = row.maybe("year"), row.maybe("quarter")
        found.append(
            EarningsEvent(
                instrument=instrument,
                date=day,
                time=HOURS.get(row.maybe_text("hour") or ""),
                fiscal_year=None if year is None else int(year),
                fiscal_quarter=None if quarter is None else int(quarter),
                eps_estimate=row.maybe("epsEstimate"),
                eps_actual=row.maybe("epsActual"),
                revenue_estimate=row.maybe("revenueEstimate"),
                revenue_actual=row.maybe("revenueActual"),
            )
        )
    return tuple(sorted(found, key=lambda event: event.date))


def parse_articles(ask: NewsAsk, body: Row) -> tuple[NewsArticle, ...]:
    """Newest first; one without a headline or an address is none."""
    found = []
    for row in body:
        if not row.maybe_text("headline") or not row.maybe_text("url"):
            continue
        topic = row.maybe_text("category")
        article = NewsArticle(
            id=row.label("id"),
            title=without_markup(row.text("headline")) or row.text("url"),
            url=row.text("url"),
            published_at=row.epoch("datetime"),
            summary=without_markup(row.maybe_text("summary")),
            source=row.maybe_text("source"),
            image=row.maybe_text("image"),
            symbols=about(FINNHUB, (row.maybe_text("related") or "").split(",")),
            topics=() if topic is None else (topic,),
        )
        found.append(article)
    return arranged(ask, found)[: ask.limit]
