"""Figures of hedge fund managers and of Bacon's portfolio as published, on the series they were made from."""

import numpy as np
import pytest

from gateway.core.quant import drawdowns, moments, ratios, relative
from gateway.core.quant import returns as compound
from gateway.core.quant.garch import garch
from tests.gateway.quant import series

# What R PerformanceAnalytics prints for its own examples, seven digits.
PRINTED = 2e-7


def manager(name):
    return series.present("pa_managers", name)


def against(name, benchmark="SP500 TR"):
    rows = zip(*(series.numbers("pa_managers", column) for column in (name, benchmark)), strict=True)
    both = np.array([row for row in rows if None not in row])
    return both[:, 0], both[:, 1]


def bacon():
    return series.present("pa_portfolio_bacon", "portfolio monthly return (%)")


def bacons_benchmark():
    return series.present("pa_portfolio_bacon", " benchmark return (%)")


def test_what_managers_compound_to():
    ends = {"HAM1": 4.126671, "HAM3": 4.706732, "SP500 TR": 2.761619, "US 3m TR": 1.529681}

    found = {name: 1 + compound.total_return(manager(name)) for name in ends}

    assert found == pytest.approx(ends, rel=PRINTED)


def test_active_premium_tracking_error_and_geometric_information_ratio():
    premium, error, ratio = {}, {}, {}
    for name in ("HAM1", "HAM2", "HAM5", "HAM6"):
        own, market = against(name)
        premium[name] = compound.annual_return(own, 12) - compound.annual_return(market, 12)
        error[name] = relative.tracking_error(own, market, 12)
        ratio[name] = relative.information_ratio_geometric(own, market, 12)

    assert premium == pytest.approx(
        {"HAM1": 0.04078668, "HAM2": 0.07759873, "HAM5": 0.02182245, "HAM6": 0.07585993}, rel=PRINTED
    )
    assert error == pytest.approx(
        {"HAM1": 0.11316666, "HAM2": 0.15336472, "HAM5": 0.1800291, "HAM6": 0.11283904}, rel=3e-7
    )
    assert ratio == pytest.approx(
        {"HAM1": 0.3604125, "HAM2": 0.5059751, "HAM5": 0.1212162, "HAM6": 0.6722844}, rel=5e-7
    )


def test_beta_and_alpha_over_a_risk_free_series():
    own, market = against("HAM1")
    risk_free = manager("US 3m TR")

    assert relative.beta(own, market, risk_free) == pytest.approx(0.3900712, rel=PRINTED)
    assert relative.alpha(own, market, risk_free, 1) == pytest.approx(0.005774729, rel=PRINTED)


def test_beta_of_one_that_began_later():
    own, market = against("HAM2")

    assert relative.beta(own, market) == pytest.approx(0.3431621, rel=PRINTED)


def test_sharpe_over_a_rate():
    assert ratios.sharpe(manager("HAM1"), 0.035 / 12, 1) == pytest.approx(0.3201889, rel=PRINTED)


def test_sharpe_over_a_series():
    """R divides by the deviation of the returns, Sharpe 1994 and we by that of the excess."""
    own, risk_free = manager("HAM1"), manager("US 3m TR")

    found = ratios.sharpe(own, risk_free, 12) * moments.deviation(own - risk_free) / moments.deviation(own)

    assert found == pytest.approx(1.067297, rel=5e-7)


def test_up_and_down_capture_of_managers():
    ups = {"HAM1": 0.6346612, "HAM2": 0.66155321, "HAM5": 0.5529663, "HAM6": 0.8068482}
    downs = {"HAM1": 0.2076304, "HAM2": 0.04392011, "HAM5": 0.3520355, "HAM6": 0.2397750}

    assert {name: relative.capture(*against(name), up=True) for name in ups} == pytest.approx(ups, rel=PRINTED)
    assert {name: relative.capture(*against(name), up=False) for name in downs} == pytest.approx(downs, rel=PRINTED)


def test_hit_rate_of_a_manager_in_1996():
    assert moments.hit_rate(manager("HAM1")[:12]) == 0.75


def test_sortino_of_managers():
    found = {name: round(ratios.sortino(manager(name), 0.0, 1), 4) for name in ("HAM1", "HAM3", "HAM6", "SP500 TR")}

    assert found == {"HAM1": 0.7649, "HAM3": 0.7172, "HAM6": 0.9102, "SP500 TR": 0.3064}


def test_kappa_of_the_second_order_is_sortino():
    assert ratios.sortino(bacon(), 0.005, 1) == pytest.approx(0.1566371, rel=5e-7)


def test_omega_at_nothing_is_bernardo_ledoit():
    assert ratios.omega(bacon(), 0.0) == pytest.approx(1.779783, rel=5e-7)
    assert ratios.omega(manager("HAM1")[:12], 0.0) == pytest.approx(4.598338, rel=PRINTED)


def test_omega_sharpe_is_omega_less_one():
    assert ratios.omega(bacon(), 0.005) - 1 == pytest.approx(0.2917933, rel=5e-7)


def test_deepest_drawdowns_of_managers():
    names = ("HAM1", "HAM2", "HAM3", "HAM4", "HAM5", "HAM6", "EDHEC LS EQ", "SP500 TR", "US 10Y TR", "US 3m TR")

    found = [round(-drawdowns.maximum_drawdown(manager(name)), 4) for name in names]

    assert found == [0.1518, 0.2399, 0.2894, 0.2874, 0.3405, 0.0788, 0.1075, 0.4473, 0.1006, 0.0]


def test_drawdowns_of_funds_of_funds_until_2009():
    """The published table counts from the first month below the peak, ours from the peak."""
    table = drawdowns.drawdown_table(series.present("pa_edhec", "Funds of Funds")[:130], 4)

    assert [(one.peak + 1, one.trough, one.recovery) for one in table] == [
        (17, 22, 27), (40, 41, 44), (45, 47, 54), (66, 70, 74),
    ]  # fmt: skip
    depths = [one.depth for one in table]
    assert depths == pytest.approx([-0.07069135, -0.03877182, -0.03737506, -0.02601701], rel=PRINTED)


def test_jensens_alpha_of_bacon_from_annual_returns():
    """R subtracts annual returns, compounded; ours is of the mean. Both share beta."""
    own, market = bacon(), bacons_benchmark()
    slope = relative.beta(own, market)

    found = compound.annual_return(own, 12) - slope * compound.annual_return(market, 12)

    assert found == pytest.approx(-0.01416944, rel=5e-7)


def test_garch_of_the_mark_against_the_pound():
    """Bollerslev and Ghysels 1996; the benchmark of Fiorentini, Calzolari and Panattoni 1996."""
    pytest.importorskip("arch", reason="arch is an extra: make extras")

    fitted = garch(series.present("dem2gbp_logret_pct_daily_1984_1991", "DEM2GBP") / 100, 1)

    assert fitted.mu * 100 == pytest.approx(-0.00619041, rel=5e-3)
    assert fitted.omega * 1e4 == pytest.approx(0.0107613, rel=1e-3)
    assert (fitted.alpha, fitted.beta) == pytest.approx((0.153134, 0.805974), rel=1e-4)
