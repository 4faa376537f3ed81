"""Figures of real series against formulas written out in plain Python, to 1e-8 relative; and what must always hold."""

import math
import statistics
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.quant import moments, ratios, relative, rolling
from gateway.core.quant import returns as compound
from gateway.core.quant.drawdowns import drawdown_table, drawdowns, maximum_drawdown
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.tails import historical_value_at_risk
from tests.gateway.quant import series

CLOSE = 1e-8
STOCKS = ("AAPL", "AMD", "KO", "XOM")


def prices(symbol):
    return series.present("us20_adjclose_daily_1990_2022", symbol)


def index():
    return compound.simple_returns(series.present("sp500_close_daily_1990_2022", "SP500"))


def mean(values):
    return math.fsum(values) / len(values)


def moment(values, power):
    middle = mean(values)
    return math.fsum((value - middle) ** power for value in values) / len(values)


@pytest.fixture(params=STOCKS)
def stock(request):
    return compound.simple_returns(prices(request.param))


def test_returns_of_prices_compound_to_what_the_price_gained():
    apple = prices("AAPL")
    simple, log = compound.simple_returns(apple), compound.log_returns(apple)

    assert compound.total_return(simple) == pytest.approx(apple[-1] / apple[0] - 1, rel=CLOSE)
    assert math.fsum(log) == pytest.approx(math.log(apple[-1] / apple[0]), rel=CLOSE)
    years = simple.size / 252
    assert compound.annual_return(simple, 252) == pytest.approx((apple[-1] / apple[0]) ** (1 / years) - 1, rel=CLOSE)


def test_volatility_and_moments(stock):
    values, count = stock.tolist(), stock.size

    assert moments.volatility(stock, 252) == pytest.approx(statistics.stdev(values) * math.sqrt(252), rel=CLOSE)
    assert moments.skew(stock) == pytest.approx(moment(values, 3) / moment(values, 2) ** 1.5, rel=CLOSE)
    excess = moment(values, 4) / moment(values, 2) ** 2 - 3
    assert moments.kurtosis(stock) == pytest.approx(excess, rel=CLOSE)
    factor = (count - 1) / ((count - 2) * (count - 3))
    assert moments.kurtosis_unbiased(stock) == pytest.approx(factor * ((count + 1) * excess + 6), rel=CLOSE)


def test_unbiased_moments_are_those_of_scipy(stock):
    from scipy import stats

    assert moments.skew_unbiased(stock) == pytest.approx(stats.skew(stock, bias=False), rel=CLOSE)
    assert moments.kurtosis_unbiased(stock) == pytest.approx(stats.kurtosis(stock, bias=False), rel=CLOSE)


def test_sharpe_sortino_omega_and_calmar(stock):
    rate = compound.per_period(0.02, 252)
    excess = [value - rate for value in stock.tolist()]
    downside = math.sqrt(math.fsum(min(value, 0) ** 2 for value in excess) / len(excess))

    assert (1 + rate) ** 252 - 1 == pytest.approx(0.02, rel=CLOSE)
    assert ratios.sharpe(stock, rate, 252) == pytest.approx(
        mean(excess) / statistics.stdev(excess) * math.sqrt(252), rel=CLOSE
    )
    assert ratios.sortino(stock, rate, 252) == pytest.approx(mean(excess) / downside * math.sqrt(252), rel=CLOSE)
    gains, losses = (math.fsum(max(sign * value, 0) for value in excess) for sign in (1, -1))
    assert ratios.omega(stock, rate) == pytest.approx(gains / losses, rel=CLOSE)
    assert ratios.calmar(stock, 252) == pytest.approx(
        compound.annual_return(stock, 252) / -maximum_drawdown(stock), rel=CLOSE
    )


def test_drawdowns_are_below_the_running_maximum_of_the_price():
    apple = prices("AAPL").tolist()
    highs = list(accumulate(apple, max))

    found = drawdowns(compound.simple_returns(np.array(apple)))

    assert found == pytest.approx([price / high - 1 for price, high in zip(apple, highs, strict=True)][1:], abs=1e-10)


def test_beta_alpha_correlation_and_information_ratio_against_the_index(stock):
    own, market, rate = stock.tolist(), index().tolist(), compound.per_period(0.02, 252)
    slope, _ = statistics.linear_regression([b - rate for b in market], [r - rate for r in own])
    active = [r - b for r, b in zip(own, market, strict=True)]
    benchmark = np.array(market)

    assert relative.beta(stock, benchmark, rate) == pytest.approx(slope, rel=CLOSE)
    per_period = mean(own) - rate - slope * (mean(market) - rate)
    assert relative.alpha(stock, benchmark, rate, 252) == pytest.approx(per_period * 252, rel=CLOSE)
    assert relative.alpha_compounded(stock, benchmark, rate, 252) == pytest.approx(
        (1 + per_period) ** 252 - 1, rel=CLOSE
    )
    assert relative.correlation(stock, benchmark) == pytest.approx(statistics.correlation(own, market), rel=CLOSE)
    error = statistics.stdev(active) * math.sqrt(252)
    assert relative.tracking_error(stock, benchmark, 252) == pytest.approx(error, rel=CLOSE)
    assert relative.information_ratio(stock, benchmark, 252) == pytest.approx(mean(active) * 252 / error, rel=CLOSE)


def test_compounded_capture_is_of_annual_returns_on_days_the_index_rose(stock):
    rose = [(r, b) for r, b in zip(stock.tolist(), index().tolist(), strict=True) if b > 0]
    own, market = (math.prod(1 + pair[at] for pair in rose) ** (252 / len(rose)) - 1 for at in (0, 1))

    assert relative.capture_compounded(stock, index(), 252, up=True) == pytest.approx(own / market, rel=CLOSE)


def test_historical_value_at_risk_is_rs_seventh_quantile(stock):
    ordered = sorted(stock.tolist())
    place = (len(ordered) - 1) * 0.05
    below = math.floor(place)
    quantile = ordered[below] + (place - below) * (ordered[below + 1] - ordered[below])

    assert historical_value_at_risk(stock, 0.95) == pytest.approx(-quantile, rel=CLOSE)


def test_rolling_figures_are_those_of_each_window(stock):
    market, window = index(), 63
    volatility = rolling.rolling_volatility(stock, window, 252)
    sharpe = rolling.rolling_sharpe(stock, 0.0001, window, 252)
    beta = rolling.rolling_beta(stock, market, window)

    assert volatility.size == sharpe.size == beta.size == stock.size - window + 1
    for at in (0, 4_096, volatility.size - 1):
        part = slice(at, at + window)
        assert volatility[at] == pytest.approx(moments.volatility(stock[part], 252), rel=CLOSE)
        assert sharpe[at] == pytest.approx(ratios.sharpe(stock[part], 0.0001, 252), rel=CLOSE)
        assert beta[at] == pytest.approx(relative.beta(stock[part], market[part]), rel=CLOSE)


def test_windows_that_do_not_fit_into_memory_together_are_computed_in_parts(monkeypatch):
    own = np.array([0.01, -0.02, 0.03, 0.0, 0.05, -0.01])
    whole = rolling.rolling_beta(own, own[::-1].copy(), 3)
    monkeypatch.setattr(rolling, "AT_ONCE", 6)

    assert rolling.rolling_beta(own, own[::-1].copy(), 3).tolist() == whole.tolist()


def test_ewma_weighs_squares_by_powers_of_lambda(stock):
    own = stock[:300]

    found = rolling.ewma_volatility(own, 252)

    for at in (0, 1, 299):
        weights = [0.94 ** (at - i) for i in range(at + 1)]
        variance = math.fsum(w * own[i] ** 2 for i, w in enumerate(weights)) / math.fsum(weights)
        assert found[at] == pytest.approx(math.sqrt(variance * 252), rel=CLOSE)


# --- What must always hold --------------------------------------------------------------------------------------------

some_returns = st.lists(st.floats(-0.5, 0.5), min_size=5, max_size=60).map(np.array).filter(lambda r: np.std(r) > 1e-4)


@given(some_returns, st.floats(0.01, 1.0))
def test_volatility_scales_and_shape_does_not(own, factor):
    assert moments.volatility(own * factor, 252) == pytest.approx(moments.volatility(own, 252) * factor, rel=CLOSE)
    assert moments.skew(own * factor) == pytest.approx(moments.skew(own), rel=1e-6, abs=1e-8)
    assert moments.kurtosis(own * factor) == pytest.approx(moments.kurtosis(own), rel=1e-6, abs=1e-8)


@given(some_returns, st.floats(0.01, 1.0))
def test_value_at_risk_scales(own, factor):
    found = historical_value_at_risk(own * factor, 0.95)

    assert found == pytest.approx(historical_value_at_risk(own, 0.95) * factor, rel=CLOSE, abs=1e-12)
    assert historical_value_at_risk(own, 0.99) >= historical_value_at_risk(own, 0.95)


@given(some_returns, st.randoms(use_true_random=False))
def test_order_matters_to_nothing_but_drawdowns(own, random):
    mixed = np.array(random.sample(own.tolist(), own.size))

    assert compound.total_return(mixed) == pytest.approx(compound.total_return(own), rel=CLOSE, abs=1e-9)
    assert moments.volatility(mixed, 252) == pytest.approx(moments.volatility(own, 252), rel=CLOSE)
    assert historical_value_at_risk(mixed, 0.95) == pytest.approx(historical_value_at_risk(own, 0.95), rel=CLOSE)


@given(some_returns)
def test_drawdowns_are_never_above_nothing_and_the_table_has_the_deepest_first(own):
    path, table = drawdowns(own), drawdown_table(own, 100)

    assert (path <= 0).all()
    assert maximum_drawdown(own) == (table[0].depth if table else 0)
    assert [one.depth for one in table] == sorted(one.depth for one in table)
    assert all(one.peak < one.trough <= one.peak + one.length for one in table)
    spans = sorted((one.peak, one.peak + one.length) for one in table)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


@given(some_returns, st.floats(-2, 2).filter(lambda b: abs(b) > 0.01), st.floats(-0.01, 0.01))
def test_beta_of_a_line_is_its_slope(market, slope, shift):
    own = slope * market + shift

    assert relative.beta(own, market) == pytest.approx(slope, rel=1e-7)
    assert relative.alpha(own, market, 0.0, 252) == pytest.approx(shift * 252, abs=1e-9)
    assert relative.correlation(own, market) == pytest.approx(math.copysign(1, slope), rel=CLOSE)


@given(some_returns)
def test_against_itself_a_series_has_beta_one_and_no_tracking_error_to_divide_by(own):
    assert relative.beta(own, own) == pytest.approx(1, rel=CLOSE)
    with pytest.raises(NotComputable, match="constant"):
        relative.information_ratio(own, own, 252)


# --- Small ones by hand, and what cannot be ---------------------------------------------------------------------------


def test_a_drawdown_that_begins_before_the_first_return_and_one_that_does_not_end():
    own = np.array([-0.5, 1.0, 0.25, -0.2, 0.1])

    table = drawdown_table(own, 5)

    assert [(one.peak, one.trough, one.recovery, one.length) for one in table] == [(0, 1, 2, 2), (3, 4, None, 2)]
    assert [one.depth for one in table] == pytest.approx([-0.5, -0.2], rel=CLOSE)


def test_a_constant_series_has_no_volatility_and_no_ratio():
    own = np.full(10, 0.01)

    assert moments.volatility(own, 252) == 0
    for refused in (lambda: ratios.sharpe(own, 0.0, 252), lambda: moments.skew(own), lambda: relative.beta(own, own)):
        with pytest.raises(NotComputable, match="the series is constant: its deviation is 0"):
            refused()


def test_what_has_nothing_to_divide_by_is_refused():
    rising = np.array([0.01, 0.02, 0.03])

    with pytest.raises(NotComputable, match="no downside to divide by"):
        ratios.sortino(rising, 0.0, 252)
    with pytest.raises(NotComputable, match="no loss to divide by"):
        ratios.omega(rising, 0.0)
    with pytest.raises(NotComputable, match="no drawdown to divide by"):
        ratios.calmar(rising, 252)
    with pytest.raises(NotComputable, match="the benchmark never fell"):
        relative.capture(rising, rising, up=False)


def test_too_few_returns_are_refused():
    with pytest.raises(NotComputable, match="1 returns: at least 2 are needed"):
        moments.volatility(np.array([0.01]), 252)
    with pytest.raises(NotComputable, match="2 returns: at least 3 are needed"):
        moments.skew_unbiased(np.array([0.01, 0.02]))
    with pytest.raises(NotComputable, match="3 returns: at least 4 are needed"):
        moments.kurtosis_unbiased(np.array([0.01, 0.02, 0.04]))


def test_a_window_longer_than_the_series_is_refused():
    with pytest.raises(NotComputable, match="a window of 4 over 3 returns: take 2 to 3"):
        rolling.rolling_volatility(np.array([0.01, 0.02, 0.03]), 4, 252)


def test_what_is_too_large_is_refused_and_a_total_loss_is_minus_one():
    with pytest.raises(NotComputable, match="more than can be represented"):
        compound.total_return(np.full(400, 9.0))
    with pytest.raises(NotComputable, match="to the power of"):
        compound.annual_return(np.array([9.0]), 525_600)
    assert compound.annual_return(np.array([0.5, -1.0]), 252) == -1
