"""Reports of one series: plain values in, plain values out, nothing filled and nothing that is not a number."""

import math
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.quant import tasks_performance as tasks
from gateway.core.quant.refusals import NotComputable
from schema.errors import BadInput
from tests.gateway.quant import series
from tests.gateway.quant.plain import INFINITY, NAN, days, decade, is_plain, values


def report(**request):
    count = len(request.get("prices") or request["returns"])
    return tasks.report({"dates": days(count), **request})


def test_a_report_over_ten_years_has_every_figure_with_its_convention():
    dates, prices, index = decade("AAPL")

    told = tasks.report({"dates": dates, "prices": prices, "benchmark": {"prices": index}, "risk_free": 0.02})

    assert is_plain(told)
    assert (told["base"], told["start"], told["end"], told["count"]) == ("2012-12-24", "2012-12-26", "2022-12-28", 2520)
    assert told["figures"]["volatility"] == {
        "value": pytest.approx(0.29086769657541534, rel=1e-8), "method": "standard deviation·√n",
        "periods_per_year": 252, "ddof": 1, "count": 2520, "start": "2012-12-26", "end": "2022-12-28",
    }  # fmt: skip
    assert [name for name, figure in told["figures"].items() if figure is None] == ["garch_volatility"]
    assert told["warnings"] == told["missing"] == []
    assert told["columns"]["wealth"][-1] == pytest.approx(prices[-1] / prices[0], rel=1e-10)
    assert told["drawdowns"][0] == {
        "peak": "2018-10-03", "trough": "2019-01-03", "recovery": "2019-10-10", "length": 256,
        "depth": told["figures"]["max_drawdown"]["value"],
    }  # fmt: skip
    assert len(told["rolling"]["beta"]["values"]) == 2520 - 63 + 1
    assert told["rolling"]["sharpe"]["dates"][-1] == "2022-12-28"


def test_the_calendar_is_of_prices_at_the_ends_of_months_quarters_and_years():
    dates, prices, _ = decade("KO")
    closes = dict(zip(dates, prices, strict=True))

    calendar = tasks.report({"dates": dates, "prices": prices})["calendar"]

    of = {(row["year"], row["part"]): row["value"] for row in calendar["months"]}
    assert of[2020, 3] == pytest.approx(closes["2020-03-31"] / closes["2020-02-28"] - 1, rel=1e-8)
    of = {(row["year"], row["part"]): row["value"] for row in calendar["quarters"]}
    assert of[2020, 2] == pytest.approx(closes["2020-06-30"] / closes["2020-03-31"] - 1, rel=1e-8)
    assert [row["year"] for row in calendar["years"]] == list(range(2012, 2023))
    assert calendar["years"][0]["count"] == 4
    assert calendar["years"][8]["value"] == pytest.approx(closes["2020-12-31"] / closes["2019-12-31"] - 1, rel=1e-8)
    for table in calendar.values():
        whole = math.prod(1 + row["value"] for row in table)
        assert whole == pytest.approx(prices[-1] / prices[0], rel=1e-10)


def test_managers_reported_with_their_benchmark_and_a_risk_free_series():
    name, columns = "pa_managers", ("HAM2", "SP500 TR", "US 3m TR")
    own, market, bills = (series.numbers(name, column) for column in columns)

    told = tasks.report({
        "dates": series.dates(name), "returns": own, "periods_per_year": 12,
        "benchmark": {"returns": market}, "risk_free": {"returns": bills},
    })  # fmt: skip

    figures = values(told["figures"])
    assert figures["tracking_error"] == pytest.approx(0.15336472, rel=3e-7)
    assert figures["information_ratio_geometric"] == pytest.approx(0.5059751, rel=3e-7)
    assert (told["base"], told["start"], told["count"]) == ("1996-07-31", "1996-08-31", 125)
    assert told["figures"]["beta"]["count"] == 125


def test_a_day_without_a_price_is_left_out_and_named():
    told = report(prices=[100, None, 121, 110, 132])

    assert told["missing"] == ["2024-01-02"]
    assert told["columns"]["returns"] == pytest.approx([0.21, 110 / 121 - 1, 0.2], rel=1e-12)
    assert told["columns"]["dates"] == ["2024-01-03", "2024-01-04", "2024-01-05"]
    assert told["warnings"][0] == "prices: no value on 2024-01-02: the return to the next date spans them"


def test_before_the_first_and_after_the_last_price_nothing_is_missing():
    told = report(prices=[None, None, 100, 110, 99, None])

    assert (told["base"], told["start"], told["end"], told["missing"]) == ("2024-01-03", "2024-01-04", "2024-01-05", [])


def test_only_common_dates_are_compared():
    told = report(prices=[100, 110, 121, 110, 132, 99], benchmark={"prices": [None, 10, None, 12, 9, 11]})

    assert told["benchmark"]["dates"] == ["2024-01-04", "2024-01-05", "2024-01-06"]
    assert told["benchmark"]["returns"] == pytest.approx([0.2, -0.25, 11 / 9 - 1], rel=1e-12)
    assert (told["figures"]["beta"]["count"], told["figures"]["volatility"]["count"]) == (3, 5)


def test_returns_and_prices_go_together_where_returns_begin_with_none():
    prices = [100, 110, 121, 110, 132]
    returns = [None, *(b / a - 1 for a, b in pairwise(prices))]

    told = report(returns=returns, benchmark={"prices": prices})

    assert values(told["figures"])["beta"] == pytest.approx(1, rel=1e-12)
    both = report(prices=prices, benchmark={"prices": prices})
    assert told["warnings"] == both["warnings"]
    for name, value in values(both["figures"]).items():
        assert values(told["figures"])[name] == (value and pytest.approx(value, rel=1e-9))


def test_a_report_over_a_part_is_that_of_the_part():
    prices = [100, 110, 121, 110, 132, 99, 120]
    returns = [0.1, *(b / a - 1 for a, b in pairwise(prices))]

    whole = report(prices=prices, start="2024-01-03", end="2024-01-06")
    given_returns = report(returns=returns, start="2024-01-04", end="2024-01-06")

    assert whole["columns"]["returns"] == pytest.approx([110 / 121 - 1, 0.2, -0.25], rel=1e-12)
    assert (whole["base"], given_returns["base"]) == ("2024-01-03", None)
    assert given_returns["columns"]["returns"] == pytest.approx(whole["columns"]["returns"], rel=1e-12)


def test_figures_of_two_calendars_are_annualised_with_the_fewer_periods():
    told = report(
        prices=[100, 110, 121, 110, 132], periods_per_year=365,
        benchmark={"prices": [10, 11, 10, 12, 9], "periods_per_year": 252},
    )  # fmt: skip

    assert told["figures"]["volatility"]["periods_per_year"] == 365
    assert told["figures"]["tracking_error"]["periods_per_year"] == 252


def test_a_constant_series_has_no_sharpe_and_says_why():
    told = report(returns=[0.01] * 10)

    assert is_plain(told)
    assert values(told["figures"])["volatility"] == 0
    assert told["figures"]["sharpe"] is told["figures"]["skew"] is None
    assert "sharpe: the series is constant: its deviation is 0" in told["warnings"]
    assert "sortino: no return is below the risk-free rate: there is no downside to divide by" in told["warnings"]


def test_a_benchmark_with_no_common_dates_leaves_the_rest():
    told = report(prices=[100, 110, 121, None, None], benchmark={"prices": [None, None, None, 9, 10]})

    assert told["figures"]["beta"] is told["figures"]["alpha"] is told["benchmark"] is None
    assert values(told["figures"])["total_return"] == pytest.approx(0.21, rel=1e-12)
    assert (
        "benchmark: prices and benchmark.prices: 0 returns on common dates, at least 2 are needed" in told["warnings"]
    )


def test_a_risk_free_series_with_no_common_dates_leaves_what_needs_none():
    told = report(prices=[100, 110, 121, 100], risk_free={"returns": [0.1, None, None, None]}, window=2)

    words = "prices and risk_free.returns: 0 returns on common dates, at least 2 are needed"
    assert [name for name in ("sharpe", "sortino", "omega", "downside_deviation") if told["figures"][name]] == []
    assert {f"sharpe: {words}", f"omega: {words}", f"rolling sharpe: {words}"} <= set(told["warnings"])
    assert values(told["figures"])["total_return"] == pytest.approx(0, abs=1e-12)
    assert len(told["rolling"]["volatility"]["values"]) == 2


def test_a_window_longer_than_the_series_leaves_the_rest():
    told = report(prices=[100, 110, 99])

    assert told["rolling"] == {"window": 63, "volatility": None, "sharpe": None, "beta": None}
    words = "a window of 63 over 2 returns: take 2 to 2"
    assert {f"rolling volatility: {words}", f"rolling sharpe: {words}"} <= set(told["warnings"])


def test_garch_that_is_not_installed_says_how_to_have_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "arch", None)
    dates, prices, _ = decade("KO")

    told = tasks.report({"dates": dates, "prices": prices, "garch": True})

    assert (told["garch"], told["figures"]["garch_volatility"]) == (None, None)
    assert told["warnings"] == ["garch_volatility: GARCH(1,1) needs the extra `garch`: install marketgate[garch]"]


def test_garch_of_few_returns_is_refused():
    assert (
        "garch_volatility: GARCH(1,1): 4 returns, at least 100 are needed"
        in report(prices=[1, 2, 1, 2, 3], garch=True)["warnings"]
    )


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"prices": [1, NAN, 2]}, "prices[1]: nan on 2024-01-02 is not a number: give null where there is none"),
        ({"prices": [1, 2, INFINITY]}, "prices[2]: inf on 2024-01-03 is not a number: give null where there is none"),
        ({"returns": [0.1, -INFINITY, 0.1]}, "returns[1]: -inf on 2024-01-02 is not a number"),
        ({"prices": [1, "2", 3]}, "prices[1]: Expected `float | null`, got `str`"),
        ({"prices": [1, 2]}, "prices: 2 values for 3 dates: give one a date, null where there is none"),
        ({}, "prices: give prices or returns, one of the two"),
        ({"prices": [1, 2, 3], "returns": [1, 2, 3]}, "prices: give prices or returns, one of the two"),
        (
            {"prices": [1, 2, 3], "start": "2024-01-03", "end": "2024-01-02"},
            "start: 2024-01-03 is after end",
        ),
        (
            {"prices": [1, 2, 3], "dates": ["2024-01-02", "2024-01-01", "2024-01-03"]},
            "dates[1]: 2024-01-01 does not",
        ),
        (
            {"prices": [1, 2, 3], "dates": ["2024-01-01", "2024-01-01", "2024-01-03"]},
            "dates[1]: 2024-01-01 does not",
        ),
        ({"prices": [1, 2, 3], "dates": ["soon"]}, "dates[0]: Invalid RFC3339 encoded date"),
        ({"prices": [1, 2, 3], "periods_per_year": 0}, "periods_per_year: 0: take 1 to 366"),
        (
            {"prices": [1, 2, 3], "risk_free": -1},
            "risk_free: must be above -1 and below 10: 0.03 is 3 % a year",
        ),
        ({"prices": [1, 2, 3], "risk_free": NAN}, "risk_free: must be above -1 and below 10: 0.03 is 3 % a year"),
        ({"prices": [1, 2, 3], "top": 0}, "top: 0: take 1 to 1000"),
        ({"prices": [1, 2, 3], "window": 1}, "window: 1: take 2 to 2600"),
        ({"prices": [1, 2, 3], "benchmark": {"prices": [1, 2]}}, "benchmark.prices: 2 values for 3 dates"),
        ({"prices": [1, 2, 3], "colour": 1}, "request: Object contains unknown field `colour`"),
    ],
)
def test_a_malformed_request_is_refused_by_field(request_, message):
    with pytest.raises(BadInput) as refused:
        tasks.report({"dates": days(3), **request_})

    assert refused.value.message.startswith(message)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"prices": [1, None, None]}, "prices: 0 returns on common dates, at least 2 are needed"),
        ({"prices": [None, 1, 2]}, "prices: 1 returns on common dates, at least 2 are needed"),
        ({"prices": [None, None, None]}, "prices: 0 returns on common dates, at least 2 are needed"),
        ({"prices": [1, 2, 3], "start": "2030-01-01"}, "prices: 0 returns on common dates, at least 2 are needed"),
        ({"prices": [1, 0, 2]}, "prices: a price of 0 on 2024-01-02: no return can be counted from it"),
        ({"prices": [1, 2, -37]}, "prices: a price of -37 on 2024-01-03: no return can be counted from it"),
        ({"prices": [1e-200, 1e200, 1]}, "prices: a return above 1e+50 on 2024-01-02 is too large to compute with"),
        ({"returns": [0.1, -1, 0.1]}, "returns: 1 + return is 0 on 2024-01-02: no return can be counted from it"),
        (
            {"returns": [0.1, None, 0.1]},
            "returns: no return on 2024-01-02; give prices, so that one return spans them",
        ),
    ],
)
def test_what_cannot_be_computed_is_refused_in_words(request_, message):
    with pytest.raises(NotComputable) as refused:
        tasks.report({"dates": days(3), **request_})

    assert refused.value.message == message


def test_returns_near_the_largest_leave_no_number_that_is_none():
    assert is_plain(report(returns=[9e49, 9e49, -0.5, 9e49], window=2))
    assert is_plain(report(prices=[1e-300, 1e-300, 1e-299, 1e-300], benchmark={"prices": [1e300, 1e299, 1e300, 1e300]}))
    with pytest.raises(NotComputable, match="returns: the returns compound to more, or less, than can be represented"):
        report(returns=[9e49] * 10)
    with pytest.raises(NotComputable, match="returns: the returns compound to more, or less, than can be represented"):
        report(returns=[-0.99] * 200)


def test_a_share_that_ends_worthless_lost_everything():
    told = report(prices=[10, 5, 6, 0])

    assert is_plain(told)
    figures = values(told["figures"])
    assert (figures["total_return"], figures["annual_return"], figures["max_drawdown"]) == (-1, -1, -1)


@given(
    st.lists(st.one_of(st.none(), st.floats(1e-6, 1e9)), min_size=2, max_size=40),
    st.lists(st.one_of(st.none(), st.floats(1e-6, 1e9)), min_size=40, max_size=40),
    st.floats(-0.5, 1.0),
)
def test_whatever_the_prices_the_answer_is_plain_or_refused(prices, benchmark, risk_free):
    asked = {"prices": prices, "benchmark": {"prices": benchmark[: len(prices)]}, "risk_free": risk_free, "window": 3}
    try:
        told = report(**asked)
    except NotComputable:
        return

    assert is_plain(told)
    named = {warning.split(":")[0] for warning in told["warnings"]}
    missing = {name for name, figure in told["figures"].items() if figure is None} - {"garch_volatility"}
    assert missing <= named or "benchmark" in named
