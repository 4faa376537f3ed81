"""Reports of one company at Alpha Vantage: those that were, and in a list of their own those to come.

Docs: https://www.alphavantage.co/documentation/#earnings and #earnings-calendar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from providers.equities._alphavantage import same_name, symbol_of
from providers.equities._companies import maybe_day
from providers.row import Row
from schema.symbols import InstrumentId
from schema.words.fundamentals import EarningsAsk, EarningsEvent, EarningsTime

HOURS = {"pre-market": EarningsTime.BEFORE_OPEN, "post-market": EarningsTime.AFTER_CLOSE}
HORIZON = "12month"


def parse_past(instrument: InstrumentId, body: Row) -> Iterator[EarningsEvent]:
    """`{"symbol", "quarterlyEarnings": [{"reportedDate", "reportedEPS", "estimatedEPS", "reportTime"}]}`."""
    same_name(body, "symbol", symbol_of(instrument) or "")
    for row in body["quarterlyEarnings"]:
        day = maybe_day(row, "reportedDate")
        if day is not None:
            yield EarningsEvent(
                instrument=instrument,
                date=day,
                time=HOURS.get(row.maybe_text("reportTime") or ""),
                eps_estimate=row.maybe("estimatedEPS"),
                eps_actual=row.maybe("reportedEPS"),
            )


def parse_coming(instrument: InstrumentId, rows: Row) -> Iterator[EarningsEvent]:
    """`symbol,name,reportDate,fiscalDateEnding,estimate,currency`; a company without a date has no line."""
    for row in rows:
        same_name(row, "symbol", symbol_of(instrument) or "")
        yield EarningsEvent(
            instrument=instrument,
            date=row.day("reportDate"),
            currency=row.maybe_text("currency"),
            eps_estimate=row.maybe("estimate"),
        )


def reports_in(ask: EarningsAsk, reports: Iterable[EarningsEvent]) -> tuple[EarningsEvent, ...]:
    """Ascending; of two on one day the first, which has its figure."""
    found: dict[object, EarningsEvent] = {}
    for report in reports:
        if ask.start <= report.date < ask.end:
            found.setdefault(report.date, report)
    return tuple(sorted(found.values(), key=lambda report: report.date))
