"""What a filing changes: when a number became known, and whether it was another before."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from providers.equities._edgar_facts import parse_facts
from providers.row import Row
from schema.symbols import equity
from schema.words.fundamentals import FundamentalsAsk

YEAR = {"start": "2024-01-01", "end": "2024-12-31"}


def fact(value: int, filed: str, **more: Any) -> dict[str, Any]:
    """A number of 2024, as a filing of a day has it."""
    year = int(filed[:4]) - 1
    told = {"val": value, "filed": filed, "accn": f"no-{filed}", "form": "10-K", "fy": year, "fp": "FY"}
    return YEAR | told | more


def body(**concepts: list[dict[str, Any]]) -> Row:
    units = {name: {"units": {"USD": facts}} for name, facts in concepts.items()}
    return Row("sec_edgar", {"facts": {"us-gaap": units}})


def ask(known_at: datetime | None = None) -> FundamentalsAsk:
    return FundamentalsAsk(instrument=equity("DEMO"), known_at=known_at)


def test_a_filing_that_repeats_a_number_does_not_make_it_newer():
    (report,) = parse_facts(ask(), body(NetIncomeLoss=[fact(7, "2025-02-03"), fact(7, "2026-02-02")]))

    assert report.filed_at == datetime(2025, 2, 4, tzinfo=UTC)
    assert (report.filing, report.restated, report.fiscal_year) == ("no-2025-02-03", False, 2024)


def test_a_number_that_was_added_later_was_not_known_before():
    facts = body(NetIncomeLoss=[fact(7, "2025-02-03")], GrossProfit=[fact(9, "2026-02-02")])

    (now,), (before,) = parse_facts(ask(), facts), parse_facts(ask(datetime(2025, 6, 1, tzinfo=UTC)), facts)

    assert (now.gross_profit, now.filed_at, now.restated) == (Decimal(9), datetime(2026, 2, 3, tzinfo=UTC), False)
    assert (before.gross_profit, before.filed_at) == (None, datetime(2025, 2, 4, tzinfo=UTC))


def test_a_corrected_number_is_restated_from_the_day_of_its_correction():
    facts = body(NetIncomeLoss=[fact(7, "2025-02-03"), fact(6, "2025-05-05", form="10-K/A")])

    (now,), (before,) = parse_facts(ask(), facts), parse_facts(ask(datetime(2025, 5, 5, tzinfo=UTC)), facts)

    assert (now.net_income, now.restated, now.form) == (Decimal(6), True, "10-K/A")
    assert (before.net_income, before.restated, before.form) == (Decimal(7), False, "10-K")


def test_one_statement_has_one_currency():
    euros = {"units": {"EUR": [fact(7, "2025-02-03"), fact(7, "2026-02-02")], "USD": [fact(8, "2025-02-03")]}}

    (report,) = parse_facts(ask(), Row("sec_edgar", {"facts": {"ifrs-full": {"Revenue": euros}}}))

    assert (report.currency, report.revenue) == ("EUR", Decimal(7))


def test_a_currency_that_a_company_took_up_later_does_not_hide_the_reports_of_before():
    units = {"EUR": [fact(7, "2025-02-03")], "USD": [fact(8, "2026-02-02"), fact(9, "2027-02-01")]}
    facts = Row("sec_edgar", {"facts": {"ifrs-full": {"Revenue": {"units": units}}}})

    (now,), (before,) = parse_facts(ask(), facts), parse_facts(ask(datetime(2025, 6, 1, tzinfo=UTC)), facts)

    assert (now.currency, now.revenue) == ("USD", Decimal(9))
    assert (before.currency, before.revenue) == ("EUR", Decimal(7))


@given(
    filings=st.dictionaries(st.dates(datetime(2025, 1, 2).date(), datetime(2027, 1, 1).date()), st.integers(1, 3)),  # noqa: DTZ001
    moment=st.datetimes(datetime(2025, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_no_report_knows_what_was_filed_later(filings: dict[Any, int], moment: datetime):
    facts = [fact(value, day.isoformat()) for day, value in filings.items()]

    reports = parse_facts(ask(moment), body(NetIncomeLoss=facts))

    known = {day: value for day, value in filings.items() if day < moment.date()}
    assert [report.net_income for report in reports] == ([Decimal(known[max(known)])] if known else [])
    assert all(report.filed_at is not None and report.filed_at <= moment for report in reports)
