"""Time-weighted and money-weighted returns."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.core.quant.cashflows import Valuation, present_value, sub_periods, xirr
from gateway.core.quant.refusals import NotComputable

START = date(2024, 1, 1)


def after(days):
    return START + timedelta(days=days)


def test_the_example_in_microsofts_documentation_of_xirr():
    flows = [
        (date(2008, 1, 1), -10_000), (date(2008, 3, 1), 2_750), (date(2008, 10, 30), 4_250),
        (date(2009, 2, 15), 3_250), (date(2009, 4, 1), 2_750),
    ]  # fmt: skip

    # 0.373362535 there, which is as far as Newton's method goes.
    assert xirr(flows) == pytest.approx(0.373362535, abs=2e-8)


def test_a_year_of_365_days_is_one_year():
    assert xirr([(START, -100), (after(365), 110)]) == pytest.approx(0.1, rel=1e-12)


def test_order_and_flows_on_one_day_do_not_matter():
    parts = [(after(365), 60), (START, -40), (after(365), 50), (START, -60)]

    assert xirr(parts) == pytest.approx(0.1, rel=1e-12)


amounts = st.floats(1, 1e6)


@given(
    st.lists(st.tuples(st.integers(0, 3_000), amounts), min_size=1, max_size=20),
    st.lists(st.tuples(st.integers(3_100, 6_000), amounts), min_size=1, max_size=20),
)
def test_the_rate_is_a_zero_of_the_present_value(paid, got):
    flows = [(after(day), -amount) for day, amount in paid] + [(after(day), amount) for day, amount in got]

    rate = xirr(flows)

    first = min(day for day, _ in flows)
    years = np.array([(day - first).days / 365 for day, _ in flows])
    values = np.array([amount for _, amount in flows])
    weight = np.sum(np.abs(values) * (1 + rate) ** -years)
    assert abs(present_value(values, years, rate)) <= 1e-10 * weight


@given(st.lists(st.tuples(st.integers(0, 2_000), st.floats(-1e4, 1e4)), min_size=2, max_size=12), st.floats(0.001, 1e3))
def test_flows_of_any_signs_have_a_zero_or_are_refused_whatever_their_scale(flows, factor):
    given_flows = [(after(day), round(amount, 2)) for day, amount in flows]
    try:
        rate = xirr(given_flows)
    except NotComputable:
        with pytest.raises(NotComputable):
            xirr([(day, amount * 4) for day, amount in given_flows])
        return

    assume(1e-6 < 1 + rate < 1e6)
    assert xirr([(day, amount * factor) for day, amount in given_flows]) == pytest.approx(rate, rel=1e-6, abs=1e-9)


def test_flows_of_one_sign_are_refused():
    with pytest.raises(NotComputable, match="all flows have one sign"):
        xirr([(START, -100), (after(30), -50)])
    with pytest.raises(NotComputable, match="flows on at least two days"):
        xirr([(START, -100), (START, 50)])
    with pytest.raises(NotComputable, match="flows on at least two days"):
        xirr([])


def test_several_rates_are_named_and_none_is_chosen():
    # 100·(1+r)² − 230·(1+r) + 132 = 0 at 10 % and 20 %.
    with pytest.raises(NotComputable, match=r"several rates .*\(10\.0000%, 20\.0000%\): none is the return"):
        xirr([(START, -100), (after(365), 230), (after(730), -132)])


def test_where_no_rate_exists_it_says_so():
    with pytest.raises(NotComputable, match="no rate brings the present value of these flows to 0"):
        xirr([(START, -100), (after(365), 200), (after(730), -150)])


def test_zeros_at_absurd_rates_do_not_count():
    """100·z⁰ − 250·z¹ + 155·z² is 0 at z = 0.88 and 0.73 a day too: 10²² % and 10⁵¹ % a year."""
    flows = [(START, -100), (after(1), 250), (after(2), -155), (after(365), 5.5)]

    rate = xirr(flows)

    years = np.array([0, 1, 2, 365]) / 365
    assert present_value(np.array([-100, 250, -155, 5.5]), years, rate) == pytest.approx(0, abs=1e-10)
    assert rate == pytest.approx(0.09, abs=0.02)


def test_many_changes_of_sign_with_one_rate_are_solved():
    flows = [(START, -1_000), (after(100), 300), (after(200), -500), (after(300), 200), (after(400), 1_200)]

    rate = xirr(flows)

    years = np.array([0, 100, 200, 300, 400]) / 365
    assert present_value(np.array([-1_000.0, 300, -500, 200, 1_200]), years, rate) == pytest.approx(0, abs=1e-8)


def test_a_day_is_too_short_for_an_annual_rate():
    with pytest.raises(NotComputable, match="1 days are too short for an annual rate: it would be above"):
        xirr([(START, -100), (after(1), 110)])
    with pytest.raises(NotComputable, match=r"1 days are too short for an annual rate: it would be -100\.0000%"):
        xirr([(START, -100), (after(1), 80)])


def test_a_loss_of_nearly_all_has_a_rate():
    assert xirr([(START, -100), (after(365), 0.01)]) == pytest.approx(-0.9999, rel=1e-12)


def test_time_weighted_returns_do_not_feel_deposits():
    """1,000 grow by 10 %; then 5,000 come in; then all fall by 20 %."""
    valued = [Valuation(day=START, value=1_000), Valuation(day=after(10), value=1_100, flow=5_000)]

    parts = sub_periods([*valued, Valuation(day=after(20), value=4_880)])

    assert [part.value for part in parts] == pytest.approx([0.1, -0.2], rel=1e-12)
    assert [(part.start, part.end) for part in parts] == [(START, after(10)), (after(10), after(20))]


def test_a_time_in_which_nothing_is_invested_is_left_out():
    parts = sub_periods([
        Valuation(day=START, value=0, flow=100), Valuation(day=after(1), value=110, flow=-110),
        Valuation(day=after(5), value=0, flow=50), Valuation(day=after(6), value=55),
    ])  # fmt: skip

    assert [part.value for part in parts] == pytest.approx([0.1, 0.1], rel=1e-12)


def test_money_that_is_not_there_cannot_earn():
    with pytest.raises(NotComputable, match="from 2024-01-01 to 2024-01-02: -50 invested became 10"):
        sub_periods([Valuation(day=START, value=50, flow=-100), Valuation(day=after(1), value=10)])
    with pytest.raises(NotComputable, match="0 invested became 10"):
        sub_periods([Valuation(day=START, value=0), Valuation(day=after(1), value=10)])
    with pytest.raises(NotComputable, match="give at least two valuations"):
        sub_periods([Valuation(day=START, value=50)])


@given(st.lists(st.tuples(st.floats(-0.3, 0.3), st.floats(0, 1_000)), min_size=1, max_size=20))
def test_sub_periods_give_back_the_returns_whatever_is_paid_in(steps):
    value, valued = 100.0, [Valuation(day=START, value=0, flow=100)]
    for at, (earned, flow) in enumerate(steps, 1):
        grown = value * (1 + earned)
        valued.append(Valuation(day=after(at), value=grown, flow=flow))
        value = grown + flow

    found = [part.value for part in sub_periods(valued)]

    assert found == pytest.approx([earned for earned, _ in steps], rel=1e-9, abs=1e-12)
