"""Which asset brought how much: always the whole of the total return."""

import math
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gateway.core.quant.attribution import contributions, drifting_weights
from gateway.core.quant.refusals import NotComputable

DAYS = [date(2024, 1, 30) + timedelta(days=number) for number in range(1, 5)]
"""31 January to 3 February."""
RETURNS = np.array([[0.1, 0.0], [0.1, -0.1], [0.0, 0.2], [0.1, 0.1]])
HALVES = np.array([0.5, 0.5])


def test_buy_and_hold_brings_weight_times_return():
    weights = drifting_weights(HALVES, RETURNS, DAYS, "never")

    parts, portfolio = contributions(weights, RETURNS)

    assert parts == pytest.approx([0.5 * (1.1 * 1.1 * 1.1 - 1), 0.5 * (0.9 * 1.2 * 1.1 - 1)], rel=1e-12)
    assert math.prod(1 + portfolio) - 1 == pytest.approx(parts.sum(), rel=1e-12)


def test_rebalanced_every_period_the_weights_stay():
    weights = drifting_weights(HALVES, RETURNS, DAYS, "every_period")

    parts, portfolio = contributions(weights, RETURNS)

    assert weights.tolist() == [[0.5, 0.5]] * 4
    assert portfolio == pytest.approx([0.05, 0.0, 0.1, 0.1], rel=1e-12, abs=1e-15)
    first, second = 0.05 + 1.05 * 0.05 + 1.155 * 0.05, -1.05 * 0.05 + 1.05 * 0.1 + 1.155 * 0.05
    assert parts == pytest.approx([first, second], rel=1e-12)


def test_rebalanced_at_the_close_of_the_last_date_of_a_month():
    weights = drifting_weights(HALVES, RETURNS, DAYS, "monthly")

    assert weights[:2].tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert weights[2] == pytest.approx([0.55, 0.45], rel=1e-12)


def test_cash_and_shorts_earn_and_cost_nothing_else():
    weights = drifting_weights(np.array([1.0, -0.5]), RETURNS, DAYS, "never")

    parts, _ = contributions(weights, RETURNS)

    assert parts == pytest.approx([1.1 * 1.1 * 1.1 - 1, -0.5 * (0.9 * 1.2 * 1.1 - 1)], rel=1e-12)


@given(
    arrays(np.float64, (8, 3), elements=st.floats(-0.2, 0.2)),
    arrays(np.float64, 3, elements=st.floats(-0.5, 1.0)),
    st.sampled_from(("never", "every_period", "monthly")),
)
def test_contributions_sum_to_the_total_return(returns, weights, rebalance):
    days = [date(2024, 1, 25) + timedelta(days=number) for number in range(8)]

    try:
        parts, portfolio = contributions(drifting_weights(weights, returns, days, rebalance), returns)
    except NotComputable:
        return

    assert math.prod(1 + portfolio) - 1 == pytest.approx(parts.sum(), rel=1e-9, abs=1e-12)


@given(arrays(np.float64, (6, 4), elements=st.floats(-0.2, 0.2)), st.permutations(range(4)))
def test_the_order_of_assets_does_not_matter(returns, order):
    days = [date(2024, 1, 29) + timedelta(days=number) for number in range(6)]
    weights = np.array([0.4, 0.3, 0.2, 0.1])

    parts, _ = contributions(drifting_weights(weights, returns, days, "monthly"), returns)
    mixed, _ = contributions(drifting_weights(weights[order], returns[:, order], days, "monthly"), returns[:, order])

    assert mixed == pytest.approx(parts[order], rel=1e-9, abs=1e-12)


def test_a_portfolio_that_is_lost_before_the_end_is_refused():
    returns = np.array([[-0.6], [0.1]])

    with pytest.raises(NotComputable, match="the portfolio is worth nothing on 2024-01-31"):
        drifting_weights(np.array([2.0]), returns, DAYS[:2], "never")
    with pytest.raises(NotComputable, match="worth nothing"):
        contributions(np.array([[2.0], [2.0]]), returns)
