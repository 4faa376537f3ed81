from __future__ import annotations

import json
import math
import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.quant import tasks_risk
from gateway.core.quant.refusals import NotComputable
from schema.errors import BadInput
from tests.gateway.quant.risk_data import closes, even, panel, returns_of, small

THIRDS = {"A": 0.5, "B": 0.3, "C": 0.2}
ALL = {"sample", "ewma", "ledoit_wolf_identity", "ledoit_wolf_constant_correlation"}
TASKS = (tasks_risk.risk, tasks_risk.contributions, tasks_risk.correlation, tasks_risk.principal_components)


def strict(answer):
    """Plain JSON, in which no NaN and no infinity stands."""
    return json.loads(json.dumps(answer, allow_nan=False))


@pytest.mark.parametrize("covariance", sorted(ALL))
def test_risk_answers_figures_with_their_conventions(covariance):
    request = {**panel(500), "weights": even(panel()["symbols"]), "covariance": covariance, "draws": 2_000}

    found = strict(tasks_risk.risk(request))

    returns = [math.fsum(day) / 20 for day in zip(*returns_of(request), strict=True)]
    volatility = found["volatility"]["ex_post"]
    assert volatility["value"] == pytest.approx(statistics.stdev(returns) * math.sqrt(252), rel=1e-8)
    assert (volatility["periods_per_year"], volatility["ddof"], volatility["count"]) == (252, 1, 499)
    assert (volatility["start"], volatility["end"]) == (request["dates"][1], request["dates"][-1])
    assert [(tail["kind"], tail["confidence"]) for tail in found["tails"]] == [
        (kind, level)
        for level in (0.95, 0.99)
        for kind in ("historical", "parametric", "cornish_fisher", "monte_carlo")
    ]
    for tail in found["tails"]:
        assert tail["conditional"]["value"] >= tail["value_at_risk"]["value"] > 0
    assert found["covariance"]["rank"] == 20
    assert set(volatility) == {"value", "method", "periods_per_year", "ddof", "count", "start", "end"}


def test_ex_ante_volatility_of_the_sample_covariance_is_the_ex_post_one():
    found = tasks_risk.risk(small(weights=THIRDS, draws=100))

    ex_post, ex_ante = found["volatility"]["ex_post"]["value"], found["volatility"]["ex_ante"]["value"]
    assert ex_ante == pytest.approx(ex_post, rel=1e-10)


def test_cash_dilutes_risk_in_proportion():
    whole = tasks_risk.risk(small(weights=THIRDS, draws=100))
    half = tasks_risk.risk(small(weights={name: weight / 2 for name, weight in THIRDS.items()}, cash=0.5, draws=100))

    for one, other in zip(whole["tails"], half["tails"], strict=True):
        assert other["value_at_risk"]["value"] == pytest.approx(one["value_at_risk"]["value"] / 2, rel=1e-9)


@given(st.permutations(range(3)), st.sampled_from(sorted(ALL)))
def test_the_order_of_assets_changes_no_figure(order, covariance):
    request = small(weights=THIRDS, draws=10, covariance=covariance)
    mixed = {
        **request,
        "symbols": [request["symbols"][place] for place in order],
        "closes": [request["closes"][place] for place in order],
        "weights": {request["symbols"][place]: THIRDS[request["symbols"][place]] for place in order},
    }

    here, there = tasks_risk.risk(request), tasks_risk.risk(mixed)

    assert there["volatility"]["ex_ante"]["value"] == pytest.approx(here["volatility"]["ex_ante"]["value"], rel=1e-9)
    for one, other in zip(here["tails"], there["tails"], strict=True):
        if one["kind"] != "monte_carlo":
            assert other["value_at_risk"]["value"] == pytest.approx(one["value_at_risk"]["value"], rel=1e-9)


def test_contributions_sum_to_their_totals():
    request = {**panel(500), "weights": even(panel()["symbols"])}

    found = strict(tasks_risk.contributions(request))

    for part in ("volatility", "value_at_risk", "tail_mean"):
        assert math.fsum(found[part]["component"]) == pytest.approx(found[part]["total"]["value"], rel=1e-9)
        assert math.fsum(found[part]["share"]) == pytest.approx(1, rel=1e-9)
    tails = {tail["kind"]: tail for tail in tasks_risk.risk({**request, "draws": 10})["tails"][:4]}
    assert found["value_at_risk"]["total"]["value"] == pytest.approx(
        tails["parametric"]["value_at_risk"]["value"], rel=1e-9
    )
    assert found["tail_mean"]["total"]["value"] == pytest.approx(tails["historical"]["conditional"]["value"], rel=1e-9)


def test_stress_answers_windows_and_shocks_side_by_side():
    request = {
        **panel(800, index=True),
        "weights": {"AAPL": 0.6, "JPM": 0.2},
        "cash": 0.2,
        "windows": ["covid_2020", {"name": "mine", "start": "2021-01-04", "end": "2021-06-30"}, "dot_com_2000"],
        "scenarios": [{"name": "crash", "shocks": [{"kind": "factor", "key": "SP500", "change": -0.2}]}],
    }

    found = strict(tasks_risk.stress(request))["scenarios"]

    assert [(one["name"], one["kind"]) for one in found] == [
        ("covid_2020", "window"),
        ("mine", "window"),
        ("dot_com_2000", "window"),
        ("crash", "shock"),
    ]
    assert found[0]["change"] == pytest.approx(0.6 * found[0]["changes"][0] + 0.2 * found[0]["changes"][1])
    assert found[2]["change"] is None
    assert found[2]["warnings"] == ["dot_com_2000: no prices of AAPL, JPM at both ends of 2000-03-24 to 2002-10-09"]
    assert found[3]["method"].endswith("betas by least squares over 799 returns")
    assert found[3]["change"] < -0.1


def test_without_windows_or_shocks_every_named_window_is_tried():
    found = tasks_risk.stress(small(weights=THIRDS))["scenarios"]

    assert len(found) == 8
    assert {one["change"] for one in found} == {None}


def test_correlation_answers_its_matrix_and_rolling_columns():
    found = strict(tasks_risk.correlation(small(window=3, method="spearman")))

    assert [found["matrix"][i][i] for i in range(3)] == [1, 1, 1]
    off = [found["matrix"][0][1], found["matrix"][0][2], found["matrix"][1][2]]
    assert found["average"]["value"] == pytest.approx(statistics.fmean(off))
    assert found["rolling"]["dates"] == ["2024-01-05", "2024-01-08", "2024-01-09"]
    pairs = [(pair["first"], pair["second"]) for pair in found["rolling"]["pairs"]]
    assert pairs == [("A", "B"), ("A", "C"), ("B", "C")]
    assert tasks_risk.correlation(small())["rolling"] is None


def test_components_answer_as_many_as_asked_and_the_whole_variance():
    found = strict(tasks_risk.principal_components({**panel(300), "components": 20, "on": "correlation"}))

    assert found["total_variance"]["value"] == pytest.approx(20, rel=1e-12)
    assert math.fsum(found["variances"]) == pytest.approx(20, rel=1e-9)
    assert len(found["loadings"]) == len(found["factor_returns"]["values"]) == 20
    for values, variance in zip(found["factor_returns"]["values"], found["variances"], strict=True):
        assert statistics.variance(values) == pytest.approx(variance, rel=1e-8)
    assert len(tasks_risk.principal_components(panel(300))["variances"]) == 5


def test_a_hedge_is_proposed_in_whole_contracts_with_its_cost_and_residual():
    future = {"symbol": "SP500", "price": "3783.22", "size": "5", "fee_rate": "0.0001", "spot_price": "3800"}
    request = {
        **panel(500, index=True),
        "weights": {"JPM": 1.0},
        "value": "100000.00",
        "candidates": [future, {"symbol": "BAC", "price": "32.50"}],
        "benchmark": "SP500",
        "days": "30",
    }

    found = strict(tasks_risk.hedge(request))

    best, second = found["candidates"]
    assert (best["symbol"], second["symbol"]) == ("BAC", "SP500")
    minimum, beta = second["proposals"]
    assert (minimum["kind"], beta["kind"]) == ("minimum_variance", "beta")
    assert beta["ratio"]["value"] == pytest.approx(minimum["ratio"]["value"], rel=1e-9)
    assert (minimum["contracts"], minimum["value"]) == ("-5", "-94580.50")
    assert minimum["rounded_ratio"] == 0.945805
    assert minimum["cost"] == {
        "fees": "18.916100",
        "spread": "0.00",
        "funding": "0",
        "total": "18.916100",
        "days": "30",
    }
    assert second["basis"] == {"absolute": "16.78", "relative": "0.004415789473684210526315789474", "annual": None}
    assert 0 < minimum["effectiveness"]["value"] <= minimum["r_squared"]["value"] < 1
    assert minimum["residual"]["value"] < found["unhedged"]["value"]


def test_a_candidate_that_never_changes_has_no_proposal_and_a_warning():
    request = small(weights={"A": 1.0}, value="1000", candidates=[{"symbol": "C", "price": "1"}])
    request["closes"][2] = [7] * 6

    found = tasks_risk.hedge(request)["candidates"][0]

    assert found["proposals"] == []
    assert found["warnings"][0].startswith("minimum_variance hedge with C: the returns of the instrument never change")


def test_money_has_no_exponent_however_large_the_steps():
    candidate = {"symbol": "B", "price": "0.00000001", "step": "1E+3", "fee_rate": "0"}
    request = small(weights={"A": 1.0}, value="1E+9", candidates=[candidate], days="0")

    found = strict(tasks_risk.hedge(request))["candidates"][0]["proposals"][0]

    assert "E" not in found["contracts"] + found["value"] + found["cost"]["total"]
    assert found["contracts"].endswith("000")
    assert found["cost"]["days"] == "0"


def test_exposure_speaks_decimal_strings():
    found = tasks_risk.exposure({"holdings": [{"symbol": "A", "value": "10.10"}], "cash": {"USD": "-0.10"}})

    assert (found["equity"], found["long"], found["cash"]) == ("10.00", "10.10", "-0.10")
    assert found["dimensions"][1]["name"] == "currency"


# --- Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
def test_a_missing_close_is_refused_by_name_or_its_date_left_out_and_counted(task):
    request = small(weights=THIRDS, draws=10)
    request["closes"][1][2] = None

    with pytest.raises(NotComputable, match="no close of B on 2024-01-04: leave these dates out"):
        task(request)

    found = strict(task({**request, "missing": "drop_rows"}))
    assert found["dropped"] == ["2024-01-04"]
    assert found["count"] == 4
    assert "dates left out because a close is missing: 1; the return after one spans it" in found["warnings"]


@pytest.mark.parametrize("task", TASKS)
def test_nan_is_a_missing_close(task):
    request = small(weights=THIRDS, draws=10)
    request["closes"][0][0] = math.nan

    with pytest.raises(NotComputable, match="no close of A on 2024-01-02"):
        task(request)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("close", [0.0, -37.63, math.inf, 1e31])
def test_a_close_that_makes_no_return_is_refused(task, close):
    request = small(weights=THIRDS, draws=10)
    request["closes"][2][3] = close

    with pytest.raises(NotComputable, match="C: the close of 2024-01-05 is"):
        task(request)


@pytest.mark.parametrize("task", TASKS)
def test_one_return_is_too_few(task):
    request = small(weights=THIRDS, draws=10)
    short = {**request, "dates": request["dates"][:2], "closes": [series[:2] for series in request["closes"]]}

    with pytest.raises(NotComputable, match="at least 2 returns are needed"):
        task(short)


def test_a_portfolio_that_never_changes_has_figures_only_of_its_history():
    request = small(weights={"A": 1.0}, draws=10)
    request["closes"][0] = [100.0] * 6

    found = strict(tasks_risk.risk(request))

    assert found["volatility"] == {"ex_post": None, "ex_ante": None}
    assert found["tails"][0]["value_at_risk"]["value"] == 0
    assert found["tails"][1]["value_at_risk"] is None
    assert "ex-ante volatility: the portfolio's returns never change" in " ".join(found["warnings"])


@pytest.mark.parametrize("task", [tasks_risk.correlation, tasks_risk.principal_components])
def test_a_constant_series_has_no_correlation_and_is_named(task):
    request = small(on="correlation")
    request["closes"][1] = [50.0] * 6

    with pytest.raises(NotComputable, match="B: returns that never change have no correlation"):
        task(request)


def test_a_singular_covariance_is_said():
    request = {**panel(12), "weights": even(panel()["symbols"]), "draws": 1_000}

    found = strict(tasks_risk.risk(request))

    assert "the covariance is singular: rank 10 of 20 assets; no figure here inverts it" in found["warnings"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"symbols": ["A", "B", "A"]}, "symbols: A stands there more than once"),
        ({"symbols": []}, "symbols: is empty"),
        ({"closes": [[1.0]]}, "closes: one series a symbol is needed"),
        (
            {"dates": ["2024-01-09", "2024-01-08", "2024-01-07", "2024-01-06", "2024-01-05", "2024-01-04"]},
            "dates: must",
        ),
        ({"periods_per_year": 0}, "periods_per_year: must be a whole number"),
        ({"missing": "fill"}, "missing: 'fill' is not offered: choose among refuse, drop_rows"),
        ({"weights": {}}, "weights: is empty"),
        ({"weights": {"A": 0.5, "B": 0.4}}, "weights: sum to 0.9 with cash, not to 1"),
        ({"weights": {"X": 1.0}}, "weights: X has no prices in this request"),
        ({"weights": {"A": math.nan}}, "weights.A: must be a finite number"),
        ({"weights": {"A": 1e9}, "cash": 1 - 1e9}, "weights: must lie between"),
        ({"covariance": "magic"}, "covariance: 'magic' is not offered"),
        ({"confidences": [95]}, "confidence: must lie between 0.5 and 1"),
        ({"horizon": 0}, "horizon: must be a whole number"),
        ({"draws": 10**9}, "draws: must be a whole number"),
        ({"seed": -1}, "seed: must be a whole number"),
    ],
)
def test_a_wrong_request_names_its_field_and_the_way_out(change, words):
    with pytest.raises(BadInput) as refused:
        tasks_risk.risk(small(weights=THIRDS, draws=10) | change)

    assert refused.value.message.startswith(words)


def test_more_prices_than_fit_are_refused_before_they_are_read():
    symbols = [str(number) for number in range(10_001)]
    dates = panel(1_000)["dates"]

    with pytest.raises(BadInput, match="10001 assets on 1000 dates are over 10,000,000 prices"):
        tasks_risk.risk({"symbols": symbols, "dates": dates, "closes": []})


def test_a_thousand_assets_over_few_days_come_to_an_end():
    base = panel(60)
    symbols = [f"S{number}" for number in range(1_000)]
    series = [
        [close * (1 + ((row * 7 + number * 13) % 101) / 1_000) for row, close in enumerate(base["closes"][number % 20])]
        for number in range(1_000)
    ]
    request = {"symbols": symbols, "dates": base["dates"], "closes": series, "weights": even(symbols), "draws": 1_000}

    found = strict(tasks_risk.risk({**request, "covariance": "ledoit_wolf_constant_correlation"}))

    assert found["covariance"]["assets"] == 1_000
    assert found["volatility"]["ex_ante"]["value"] > 0


def test_blanks_of_a_real_series_are_refused_by_date_and_left_out_on_request():
    names, days, (vix,) = closes("vix_close_daily_2014_2019")
    index, trading, (prices,) = closes("sp500_close_daily_1990_2022")
    at = dict(zip(trading, prices, strict=True))
    request = {"symbols": names + index, "dates": days, "closes": [vix, [at.get(day) for day in days]]}
    both = [(fear, at[day]) for day, fear in zip(days, vix, strict=True) if fear is not None and at.get(day)]

    with pytest.raises(NotComputable, match="no close of vix on 2014-01-20 and"):
        tasks_risk.correlation(request)
    found = tasks_risk.correlation({**request, "missing": "drop_rows"})

    fear, market = ([after / before - 1 for before, after in pairwise(one)] for one in zip(*both, strict=True))
    assert found["matrix"][0][1] == pytest.approx(statistics.correlation(fear, market), rel=1e-8)
    assert found["count"] == len(both) - 1
    assert len(found["dropped"]) == len(days) - len(both) > 0
