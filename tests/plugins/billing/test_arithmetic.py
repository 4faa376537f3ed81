"""Lines of invoices: proration, included points, rounding; and that sums are exact for any usage."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.billing.calendar import Month, hour_after, hour_of
from plugins.billing.invoices.arithmetic import LineKind, Period, Terms, lines_of
from plugins.billing.money import decimals_of, in_minor_units, rounded, total_of

NOVEMBER = Month(2026, 11)
START = NOVEMBER.start


def terms(plan="pro", price="30", currency="USD", point_price=None, included=0) -> Terms:
    return Terms(
        plan=plan, monthly_price=Decimal(price), currency=currency, included_points=included,
        point_price=None if point_price is None else Decimal(point_price),
    )  # fmt: skip


def period(of: Terms, start: datetime = START, end: datetime | None = None) -> Period:
    return Period(terms=of, start=start, end=end)


def told(periods: list[Period], points: dict[date, int] | None = None) -> list[tuple[str, str, int, int, Decimal]]:
    lines = lines_of(periods, points or {}, NOVEMBER)
    return [(line.kind.value, line.terms.plan, line.quantity, line.per, line.amount) for line in lines]


def test_a_whole_month_costs_the_monthly_price() -> None:
    assert told([period(terms(price="29.99"))]) == [("BASE", "pro", 30, 30, Decimal("29.99"))]


def test_who_begins_in_the_month_pays_for_the_days_from_that_one_on() -> None:
    began = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)

    assert told([period(terms(price="30"), began)]) == [("BASE", "pro", 11, 30, Decimal("11.00"))]


def test_a_day_belongs_to_the_plan_that_is_in_force_at_its_end() -> None:
    noon = datetime(2026, 11, 11, 12, tzinfo=UTC)
    periods = [period(terms("small", "30"), START, noon), period(terms("large", "90"), noon)]

    assert told(periods) == [("BASE", "small", 10, 30, Decimal("10.00")), ("BASE", "large", 20, 30, Decimal("60.00"))]


def test_the_last_day_of_a_tenant_that_goes_is_paid() -> None:
    gone = datetime(2026, 11, 3, 0, 0, 1, tzinfo=UTC)

    assert told([period(terms(price="30"), START, gone)]) == [("BASE", "pro", 3, 30, Decimal("3.00"))]


def test_a_period_that_ends_at_midnight_has_no_part_of_the_day_after() -> None:
    midnight = datetime(2026, 11, 3, tzinfo=UTC)

    assert told([period(terms(price="30"), START, midnight)]) == [("BASE", "pro", 2, 30, Decimal("2.00"))]


def test_a_plan_without_a_price_makes_no_line() -> None:
    assert told([period(terms("free", "0"))], {date(2026, 11, 1): 1_000_000}) == []


def test_points_beyond_the_included_ones_cost_by_the_thousand() -> None:
    metered = terms(price="10", point_price="0.02", included=1_000_000)
    points = {date(2026, 11, 1): 1_000_000, date(2026, 11, 30): 1_500}

    assert told([period(metered)], points)[1:] == [("METERED", "pro", 1_500, 1_000, Decimal("0.03"))]


def test_included_points_have_their_share_of_a_part_of_the_month_rounded_up() -> None:
    metered = terms(price="0", point_price="1000", included=100)
    began = datetime(2026, 11, 20, tzinfo=UTC)

    assert told([period(metered, began)], {date(2026, 11, 25): 38}) == [("METERED", "pro", 1, 1_000, Decimal("1.00"))]


def test_points_of_days_without_a_plan_are_not_billed() -> None:
    metered = terms(price="0", point_price="1000")
    began = datetime(2026, 11, 20, tzinfo=UTC)

    assert told([period(metered, began)], {date(2026, 11, 19): 1_000_000}) == []


@pytest.mark.parametrize(
    ("price", "currency", "days", "amount"),
    [
        ("0.25", "USD", 15, "0.12"),  # 0.125: half to even, down
        ("0.75", "USD", 15, "0.38"),  # 0.375: half to even, up
        ("1", "JPY", 15, "0"),
        ("3", "JPY", 15, "2"),
        ("1.001", "KWD", 15, "0.500"),
    ],
)
def test_a_line_is_rounded_once_half_to_even(price: str, currency: str, days: int, amount: str) -> None:
    assert rounded(Fraction(Decimal(price)) * Fraction(days, 30), currency) == Decimal(amount)


def test_an_amount_beyond_any_context_keeps_every_digit() -> None:
    assert in_minor_units(10**60 + 1, 2) == Decimal(f"{10**58}.01")
    assert str(in_minor_units(-5, 2)) == "-0.05"


prices = st.decimals(0, 10_000, places=2)
splits = st.lists(st.tuples(st.integers(1, 29), st.integers(0, 3_000_000)), max_size=40)


@given(
    st.lists(st.tuples(st.integers(0, 30 * 24), prices, prices, st.integers(0, 2_000_000)), min_size=1, max_size=6),
    splits,
    st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_the_total_is_the_sum_of_the_lines_and_each_line_is_the_exact_amount_rounded(changes, usage, currency) -> None:
    starts = sorted(START + timedelta(hours=hours) for hours, *_ in changes)
    ends = [*starts[1:], None]
    periods = [
        period(terms(f"plan{n}", str(base), currency, str(more), included), starts[n], ends[n])
        for n, (_, base, more, included) in enumerate(changes)
    ]
    points: dict[date, int] = {}
    for day, count in usage:
        points[date(2026, 11, day)] = points.get(date(2026, 11, day), 0) + count

    lines = lines_of(periods, points, NOVEMBER)

    unit = Fraction(1, 10 ** decimals_of(currency))
    assert Fraction(total_of([line.amount for line in lines], currency)) == sum(Fraction(line.amount) for line in lines)
    for line in lines:
        exact = Fraction(line.unit_price) * line.quantity / line.per
        assert abs(Fraction(line.amount) - exact) <= unit / 2
        assert line.amount.as_tuple().exponent == -decimals_of(currency)
    assert sum(line.quantity for line in lines if line.kind is LineKind.BASE) <= 30


@given(splits, st.randoms(use_true_random=False))
def test_the_bill_does_not_depend_on_how_the_usage_was_split(usage, random) -> None:
    metered = period(terms(price="10", point_price="0.0375", included=100_000))
    whole: dict[date, int] = {}
    parts: dict[date, int] = {}
    for day, count in usage:
        first = random.randint(0, count)
        for amount in (first, count - first):
            parts[date(2026, 11, day)] = parts.get(date(2026, 11, day), 0) + amount
        moved = date(2026, 11, random.randint(1, 30))
        whole[moved] = whole.get(moved, 0) + count

    assert told([metered], whole) == told([metered], parts)


def test_months_and_hours() -> None:
    assert str(Month.parse("2026-12")) == "2026-12"
    assert Month(2026, 12).next == Month(2027, 1)
    assert [Month.parse(text) for text in ("2026-13", "2026-1", "x", "", "\uff12026-11", "1999-12")] == [None] * 6
    assert hour_of(datetime(2026, 11, 20, 12, 59, 1, tzinfo=UTC)) == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert hour_after(datetime(2026, 11, 20, 12, tzinfo=UTC)) == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert hour_after(datetime(2026, 11, 20, 23, 0, 1, tzinfo=UTC)) == datetime(2026, 11, 21, tzinfo=UTC)
