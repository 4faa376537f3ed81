from __future__ import annotations

import datetime as dt
import statistics

import numpy as np
import pytest

from gateway.core.quant.observations import Prices, observe, read_prices
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.stress import WINDOWS, Asset, Shock, Window, factor_betas, replay, shocked
from schema.errors import BadInput
from tests.gateway.quant.risk_data import closes, panel, small

ASSETS = (
    Asset(symbol="AAPL", asset_class="EQUITY", currency="USD"),
    Asset(symbol="SAP", asset_class="EQUITY", currency="EUR"),
    Asset(symbol="BTC", asset_class="CRYPTO", currency="USD"),
)
WEIGHTS = np.array([0.5, 0.3, 0.2])


def index() -> Prices:
    symbols, dates, series = closes("sp500_close_daily_1990_2022")
    return read_prices({"symbols": symbols, "dates": dates, "closes": series})


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("russia_ltcm_1998", -0.1934),
        ("dot_com_2000", -0.4915),
        ("financial_crisis_2007", -0.5678),
        ("euro_debt_2011", -0.1939),
        ("fourth_quarter_2018", -0.1978),
        ("covid_2020", -0.3392),
        ("rates_2022", -0.2543),
    ],
)
def test_the_index_lost_in_each_window_what_is_known_of_it(name, published):
    found = replay(index(), ["SP500"], np.ones(1), WINDOWS[name])

    assert found.change == pytest.approx(published, abs=6e-5)


@pytest.mark.parametrize("name", [name for name in WINDOWS if name != "crypto_2022"])
def test_each_window_goes_from_a_closing_high_to_the_low(name):
    found = replay(index(), ["SP500"], np.ones(1), WINDOWS[name])

    assert found.drawdown == pytest.approx(found.change, rel=1e-12)


def test_a_held_portfolio_changes_by_the_sum_of_its_parts():
    request = panel(1_000)
    prices, window = read_prices(request), WINDOWS["covid_2020"]
    weights = np.full(20, 0.04)

    found = replay(prices, prices.symbols, weights, window)

    start, end = request["dates"].index("2020-02-19"), request["dates"].index("2020-03-23")
    changes = [series[end] / series[start] - 1 for series in request["closes"]]
    assert found.changes == pytest.approx(changes, rel=1e-12)
    assert found.change == pytest.approx(sum(0.04 * change for change in changes), rel=1e-8)


def test_the_drawdown_is_the_deepest_fall_within_the_window():
    """Wealth 1, 1.02, 1.01, 1.04, 1.03, 1.05: deepest from 1.02 to 1.01."""
    window = Window(name="w", start=dt.date(2024, 1, 2), end=dt.date(2024, 1, 9))

    found = replay(read_prices(small()), ["A"], np.ones(1), window)

    assert found.change == pytest.approx(0.05)
    assert found.drawdown == pytest.approx(1.01 / 1.02 - 1)


def test_an_asset_without_prices_at_both_ends_is_named_and_not_replaced():
    window = Window(name="w", start=dt.date(2024, 1, 3), end=dt.date(2024, 1, 9))
    request = small()
    request["closes"][1][:3] = [None, None, 51]

    found = replay(read_prices(request), ["A", "B"], np.array([0.5, 0.5]), window)

    assert found.change is None
    assert found.changes[1] is None
    assert found.contributions[0] == pytest.approx(0.5 * (105 / 102 - 1))
    assert found.warnings == ("w: no prices of B at both ends of 2024-01-03 to 2024-01-09",)


def test_a_gap_within_a_window_leaves_no_drawdown_where_gaps_are_refused():
    window = Window(name="w", start=dt.date(2024, 1, 2), end=dt.date(2024, 1, 9))
    request = small()
    request["closes"][1][2] = None
    prices, halves = read_prices(request), np.array([0.5, 0.5])

    refused = replay(prices, ["A", "B"], halves, window, "refuse")
    left_out = replay(prices, ["A", "B"], halves, window, "drop_rows")

    gap = dt.date(2024, 1, 4)
    assert (refused.drawdown, refused.dropped, refused.count) == (None, (gap,), left_out.count)
    assert refused.change == left_out.change is not None
    assert left_out.drawdown is not None
    assert (left_out.warnings, refused.warnings) == (
        (), ("w: no drawdown, for closes are missing on 1 dates, the first 2024-01-04: allow to leave such dates out",),
    )  # fmt: skip


def test_a_close_of_the_week_before_stands_for_a_day_without_one_but_no_older_one():
    prices = read_prices(small())

    weekend = replay(prices, ["A"], np.ones(1), Window(name="w", start=dt.date(2024, 1, 7), end=dt.date(2024, 1, 14)))
    later = replay(prices, ["A"], np.ones(1), Window(name="w", start=dt.date(2024, 1, 7), end=dt.date(2024, 1, 17)))

    assert weekend.change == pytest.approx(105 / 104 - 1)
    assert later.change is None


def test_a_window_that_ends_before_it_starts_is_refused():
    backwards = Window(name="w", start=dt.date(2024, 1, 9), end=dt.date(2024, 1, 2))

    with pytest.raises(BadInput, match="must come before end"):
        replay(read_prices(small()), ["A"], np.ones(1), backwards)


def test_the_most_specific_shock_prices_an_asset_and_its_currency_compounds():
    shocks = [
        Shock(kind="class", key="EQUITY", change=-0.2),
        Shock(kind="symbol", key="AAPL", change=-0.5),
        Shock(kind="currency", key="EUR", change=-0.1),
    ]

    found = shocked(ASSETS, WEIGHTS, shocks, {})

    assert found.changes == pytest.approx((-0.5, 0.8 * 0.9 - 1, 0.0))
    assert found.change == pytest.approx(0.5 * -0.5 + 0.3 * (0.8 * 0.9 - 1))


def test_a_shock_of_a_currency_moves_cash_in_it():
    shocks = [Shock(kind="currency", key="CHF", change=-0.2), Shock(kind="currency", key="JPY", change=0.1)]

    found = shocked(ASSETS, WEIGHTS, shocks, {}, {"CHF": 0.2, "EUR": 0.1})

    assert found.change == pytest.approx(-0.04)
    assert found.cash_contribution == pytest.approx(-0.04)
    assert found.warnings == ("the shock of currency JPY meets nothing that is held",)


def test_factors_move_what_nothing_more_specific_does():
    shocks = [Shock(kind="factor", key="MKT", change=-0.1), Shock(kind="class", key="CRYPTO", change=-0.4)]

    found = shocked(ASSETS, WEIGHTS, shocks, {"MKT": np.array([1.2, 0.8, 2.0])})

    assert found.changes == pytest.approx((-0.12, -0.08, -0.4))


def test_an_asset_cannot_fall_under_nothing():
    found = shocked(ASSETS, WEIGHTS, [Shock(kind="factor", key="MKT", change=-0.9)], {"MKT": np.array([1.2, 0.8, 1.0])})

    assert found.changes[0] == -1.0
    assert found.warnings == ("AAPL: the factors would take it under 0; it loses everything instead",)


def test_a_shock_that_meets_nothing_is_named():
    found = shocked(ASSETS, WEIGHTS, [Shock(kind="class", key="FX", change=-0.1)], {})

    assert found.change == 0.0
    assert found.warnings == ("the shock of class FX meets nothing that is held",)


@pytest.mark.parametrize(
    ("shocks", "words"),
    [
        ([], "is empty"),
        ([Shock(kind="planet", key="X", change=0.1)], "no kind of shock"),
        ([Shock(kind="class", key="X", change=-1.5)], "must change by -1"),
        ([Shock(kind="class", key="X", change=-0.5), Shock(kind="class", key="X", change=-0.1)], "shocked twice"),
    ],
)
def test_wrong_shocks_are_refused(shocks, words):
    with pytest.raises(BadInput, match=f"shocks: .*{words}"):
        shocked(ASSETS, WEIGHTS, shocks, {})


def test_a_beta_to_one_factor_is_the_slope_of_its_regression():
    observed = observe(read_prices(panel(500, index=True)))

    found = factor_betas(observed, ["AAPL", "JPM"], ["SP500"])

    market = observed.of("SP500").tolist()
    slopes = [statistics.linear_regression(market, observed.of(name).tolist()).slope for name in ("AAPL", "JPM")]
    assert found["SP500"] == pytest.approx(slopes, rel=1e-8)


def test_betas_to_several_factors_leave_residuals_that_know_nothing_of_them():
    observed = observe(read_prices(panel(500, index=True)))

    found = factor_betas(observed, ["AAPL"], ["SP500", "XOM"])

    rest = observed.of("AAPL") - found["SP500"][0] * observed.of("SP500") - found["XOM"][0] * observed.of("XOM")
    assert np.cov(rest, observed.of("SP500"))[0, 1] == pytest.approx(0, abs=1e-15)
    assert np.cov(rest, observed.of("XOM"))[0, 1] == pytest.approx(0, abs=1e-15)


def test_factors_that_say_the_same_or_never_change_are_refused():
    request = small()
    request["closes"][2] = [2 * close for close in request["closes"][1]]
    with pytest.raises(NotComputable, match="cannot be told apart"):
        factor_betas(observe(read_prices(request)), ["A"], ["B", "C"])
    request["closes"][2] = [7] * 6
    with pytest.raises(NotComputable, match="never changes"):
        factor_betas(observe(read_prices(request)), ["A"], ["C"])
