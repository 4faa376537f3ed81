from __future__ import annotations

import statistics
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gateway.core.quant.hedging import beta_ratio, hedge, minimum_variance_ratio
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.sizing import Contract, basis, cost, order
from schema.errors import BadInput
from tests.gateway.quant.risk_data import panel, returns_of

SERIES = arrays.arrays(np.float64, 20, elements=st.integers(-500, 500).map(lambda n: n / 10_000))


def test_the_minimum_variance_ratio_is_the_slope_of_a_regression():
    series = returns_of(panel(1_000))
    bank, other = series[8], series[2]

    ratio = minimum_variance_ratio(np.array(bank), np.array(other))
    found = hedge(np.array(bank), np.array(other), ratio)

    assert ratio == pytest.approx(statistics.linear_regression(other, bank).slope, rel=1e-8)
    assert found.effectiveness == pytest.approx(statistics.correlation(bank, other) ** 2, rel=1e-8)
    rest = [b - ratio * o for b, o in zip(bank, other, strict=True)]
    assert found.residual == pytest.approx(statistics.stdev(rest), rel=1e-8)


@given(SERIES, SERIES, st.floats(-3, 3))
def test_no_other_ratio_leaves_less_variance(position, instrument, other):
    assume(np.ptp(instrument) > 0)
    assume(np.ptp(position) > 0)

    best = hedge(position, instrument, minimum_variance_ratio(position, instrument))

    assert best.residual <= hedge(position, instrument, other).residual + 1e-12
    assert -1e-9 <= best.effectiveness <= 1 + 1e-9


def test_the_beta_hedge_leaves_the_beta_that_was_asked_for():
    series = [np.array(one) for one in returns_of(panel(1_000))]
    position, instrument, benchmark = series[0], series[1], np.mean(series, axis=0)

    ratio = beta_ratio(position, instrument, benchmark, 0.25)

    assert minimum_variance_ratio(position - ratio * instrument, benchmark) == pytest.approx(0.25, rel=1e-8)


def test_an_instrument_without_beta_cannot_hedge_it():
    benchmark, instrument = np.array([0.01, -0.01, 0.01, -0.01]), np.array([0.01, 0.01, -0.01, -0.01])

    with pytest.raises(NotComputable, match="no beta to the benchmark"):
        beta_ratio(benchmark, instrument, benchmark)


def test_an_instrument_that_never_changes_hedges_nothing():
    with pytest.raises(NotComputable, match="never change"):
        minimum_variance_ratio(np.array([0.01, 0.02]), np.array([0.01, 0.01]))


def test_contracts_are_rounded_to_the_step_and_sold_against_a_long_position():
    """0.9 × 1,000,000 / (3,800 × 50) = 4.7368…: 5 contracts, of 950,000."""
    placed = order(Decimal("0.9"), Decimal(1_000_000), Contract(price=Decimal(3_800), size=Decimal(50)))

    assert placed.contracts == Decimal(-5)
    assert placed.value == Decimal(-950_000)
    assert placed.ratio == Decimal("0.95")


def test_a_short_position_is_hedged_by_buying():
    placed = order(Decimal("0.5"), Decimal(-1_000), Contract(price=Decimal(7), step=Decimal("0.01")))

    assert placed.contracts == Decimal("71.43")


@given(
    st.decimals(-3, 3, places=6),
    st.decimals(1, 10**7, places=2),
    st.decimals("0.01", 10_000, places=2),
    st.sampled_from([Decimal(1), Decimal("0.001"), Decimal(100)]),
)
def test_rounding_is_never_off_by_more_than_half_a_step(ratio, value, price, step):
    placed = order(ratio, value, Contract(price=price, step=step))

    assert abs(placed.contracts - placed.exact) <= step / 2 * (1 + Decimal("1e-20"))
    assert placed.contracts % step == 0


def test_the_cost_is_fees_and_spread_both_ways_and_funding_by_the_day():
    contract = Contract(
        price=Decimal(100), fee_rate=Decimal("0.001"), spread_rate=Decimal("0.002"), funding_rate=Decimal("0.0003")
    )

    found = cost(order(Decimal(1), Decimal(1_000), contract), contract, Decimal(10))

    assert (found.fees, found.spread, found.funding) == (Decimal(2), Decimal(2), Decimal(-3))
    assert found.total == Decimal(1)


def test_the_basis_is_spot_less_future_and_a_year_of_it():
    found = basis(Decimal(100), Decimal(101), Decimal(73))

    assert (found.absolute, found.relative, found.annual) == (Decimal(-1), Decimal("-0.01"), Decimal("-0.05"))
    assert basis(Decimal(100), Decimal(101)).annual is None


@pytest.mark.parametrize("field", ["price", "size", "step"])
def test_a_contract_needs_positive_terms(field):
    terms = {"price": Decimal(1), "size": Decimal(1), "step": Decimal(1), field: Decimal(0)}

    with pytest.raises(BadInput, match=f"{field}: must be above 0"):
        order(Decimal(1), Decimal(1), Contract(**terms))


@pytest.mark.parametrize("ratio", ["1e300", "inf", "1e19"])
def test_a_hedge_beyond_all_contracts_cannot_be_computed(ratio):
    with pytest.raises(NotComputable, match=r"more than 10{18} steps of 1 contracts"):
        order(Decimal(ratio), Decimal(1), Contract(price=Decimal(1)))


def test_costs_are_not_earned_by_a_negative_fee_or_by_negative_days():
    placed = order(Decimal(1), Decimal(1), Contract(price=Decimal(1)))

    with pytest.raises(BadInput, match="fee_rate: must not be under 0"):
        cost(placed, Contract(price=Decimal(1), fee_rate=Decimal(-1)), Decimal(1))
    with pytest.raises(BadInput, match="days: must not be under 0"):
        cost(placed, Contract(price=Decimal(1)), Decimal(-1))


def test_nothing_held_or_a_wrong_basis_is_refused():
    with pytest.raises(BadInput, match="value: must not be 0"):
        order(Decimal(1), Decimal(0), Contract(price=Decimal(1)))
    with pytest.raises(BadInput, match="spot_price"):
        basis(Decimal(0), Decimal(1))
    with pytest.raises(BadInput, match="days_to_expiry"):
        basis(Decimal(1), Decimal(1), Decimal(0))


def test_a_hedge_of_less_than_half_a_step_is_nothing_without_a_sign():
    found = [
        order(Decimal(ratio), Decimal(value), Contract(price=Decimal(1), step=Decimal("0.1")))
        for ratio in ("0.00001", "-0.00001")
        for value in ("1000", "-1000")
    ]

    assert [(str(each.contracts), str(each.value), str(each.ratio)) for each in found] == [("0", "0", "0")] * 4
