"""Risk for other processes: plain values in, plain values out; every function here is a task of `Computing.run`.

**A panel** is part of every request but `exposure`'s:

    symbols           list of names, each once (assets, benchmark and factors alike)
    dates             list of ISO dates, ascending
    closes            a list a symbol, a float a date, None where there is no close; in one currency
    periods_per_year  252 where any asset keeps sessions, 365 where all trade every day (default 252)
    missing           "refuse" (default: NotComputable names what is missing) or "drop_rows" (dates on which any
                      asset of the question lacks a close are left out and reported as `dropped`; the next return spans
                      them)

**Weights**, where there are some: `weights` {symbol: float} and `cash` (default 0.0), which must sum to 1 ± 1e-6;
symbols without a weight are not held. Weights are kept fixed: the portfolio's return is Σ w_i r_i each period, and cash
earns nothing.

**A figure** is {value, method, periods_per_year, ddof, count, start, end}, the model `Figure`; where one cannot be
computed it is None and a sentence in `warnings` says why. Answers that speak of a sample have `count, start, end` (of
its returns, by the day on which each ends), `dropped` (ISO dates) and `warnings`. All losses are positive.

Errors: BadInput (a field of the request is wrong), NotComputable (the data do not allow it). See each function for the
rest of its request and its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.core.quant.correlation import pearson, rolling, spearman
from gateway.core.quant.covariance import ESTIMATORS, Covariance
from gateway.core.quant.decomposition import (
    incremental_value_at_risk,
    tail_mean_parts,
    value_at_risk_parts,
    volatility_parts,
)
from gateway.core.quant.observations import (
    Array,
    Observations,
    number,
    observe,
    one_of,
    positive,
    read_prices,
    read_weights,
    refuse_constant,
)
from gateway.core.quant.principal import components
from gateway.core.quant.risk_answers import Notes, annual, confidences, described, missing_of, sampled, whole
from gateway.core.quant.tails import Tail, cornish_fisher, historical, monte_carlo, parametric, simulate, spread
from gateway.core.quant.tasks_hedging import exposure, hedge
from gateway.core.quant.tasks_stress import stress
from schema.errors import BadInput

__all__ = ["contributions", "correlation", "exposure", "hedge", "principal_components", "risk", "stress"]

DRAWS = 100_000
MOST_ROLLING = 1_000_000
"""Values of rolling correlations in one answer."""


# --- Risk -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """What a request with weights asks about."""

    observed: Observations
    weights: Array
    covariance: Covariance

    @property
    def returns(self) -> Array:
        returns: Array = self.observed.returns @ self.weights
        return returns


def risk(request: Mapping[str, Any]) -> dict[str, Any]:
    """Volatility, VaR and CVaR of a portfolio.

    Request: panel, weights, and
        confidences  list of floats in (0.5, 1); default [0.95, 0.99]
        covariance   "sample" (default), "ewma", "ledoit_wolf_identity" or "ledoit_wolf_constant_correlation":
                     of ex-ante volatility, parametric and Monte Carlo
        horizon      periods, default 1; every method names how it scales
        draws, seed  of Monte Carlo; default 100,000 and 0
    Answer: {volatility: {ex_post, ex_ante} figures a year,
        tails: [{kind: "historical" | "parametric" | "cornish_fisher" | "monte_carlo", confidence,
                 value_at_risk: figure | None, conditional: figure | None}],
        covariance: {method, shrinkage: float | None, rank, assets}, count, start, end, dropped, warnings}
    """
    asked = read_portfolio(request)
    observed, weights, matrix = asked.observed, asked.weights, asked.covariance
    notes = Notes()
    horizon, draws = positive(request, "horizon", 1, 1_000), positive(request, "draws", DRAWS, 10_000_000)
    seed = whole(request.get("seed", 0), "seed")
    ex_post = notes.attempt("ex-post volatility", lambda: spread(asked.returns))
    ex_ante = notes.attempt("ex-ante volatility", lambda: volatility_parts(weights, matrix.values).total)
    mean = float(matrix.mean @ weights)
    simulation = simulate(weights, matrix.mean, matrix.values, horizon, draws=draws, seed=seed)
    methods: dict[str, Callable[[float], Tail]] = {
        "historical": lambda level: historical(asked.returns, level, horizon),
        "parametric": lambda level: parametric(
            mean, volatility_parts(weights, matrix.values).total, level, horizon, matrix.ddof
        ),
        "cornish_fisher": lambda level: cornish_fisher(asked.returns, level, horizon),
        "monte_carlo": lambda level: monte_carlo(simulation, level),
    }
    tails = [
        tail_of(notes, observed, kind, confidence, method, matrix)
        for confidence in confidences(request)
        for kind, method in methods.items()
    ]
    if matrix.rank < len(weights):
        notes.add(f"the covariance is singular: rank {matrix.rank} of {len(weights)} assets; no figure here inverts it")
    return {
        "volatility": {
            "ex_post": annual(observed, ex_post, "standard deviation of the portfolio's returns, times √n", 1),
            "ex_ante": annual(observed, ex_ante, f"√(wᵀΣw) times √n, covariance: {matrix.method}", matrix.ddof),
        },
        "tails": tails,
        "covariance": described(matrix),
        **sampled(observed, notes),
    }


def tail_of(
    notes: Notes,
    observed: Observations,
    kind: str,
    confidence: float,
    method: Callable[[float], Tail],
    matrix: Covariance,
) -> dict[str, Any]:
    found = notes.attempt(f"{kind} at {confidence:g}", lambda: method(confidence))
    answer: dict[str, Any] = {"kind": kind, "confidence": confidence, "value_at_risk": None, "conditional": None}
    if found is None:
        return answer
    notes.add(*found.warnings)
    words = f"{found.method}; covariance: {matrix.method}" if kind in ("parametric", "monte_carlo") else found.method
    answer["value_at_risk"] = observed.figure(found.value_at_risk, words, ddof=found.ddof)
    if found.conditional is not None:
        answer["conditional"] = observed.figure(found.conditional, words, ddof=found.ddof)
    return answer


def contributions(request: Mapping[str, Any]) -> dict[str, Any]:
    """Each asset's part in volatility, VaR and CVaR.

    Request: panel, weights, `covariance` as in `risk`, `confidence` (default 0.95).
    Answer: {symbols: [held], weights: [float],
        volatility, value_at_risk, tail_mean: {total: figure, marginal: [float], component: [float],
            share: [float] | None},
        incremental_value_at_risk: {method, values: [float]}, covariance, confidence, count, start, end, dropped,
        warnings}
    Volatility is a year's; VaR (parametric, normal) and the tail mean (historical) are of one period. Components sum to
    the total; shares are component / total, None where the total is not above 0.
    """
    asked = read_portfolio(request)
    observed, weights, matrix = asked.observed, asked.weights, asked.covariance
    confidence = number(request.get("confidence", 0.95), "confidence")
    root = observed.periods**0.5
    volatility = volatility_parts(weights, matrix.values)
    at_risk = value_at_risk_parts(weights, matrix, confidence)
    tail, notes = tail_mean_parts(weights, observed.returns, confidence), Notes()
    notes.add(*historical(asked.returns, confidence).warnings)
    words = f"parametric, normal; covariance: {matrix.method}"
    return {
        "symbols": list(observed.symbols),
        "weights": weights.tolist(),
        "confidence": confidence,
        "volatility": parts_of(
            annual(observed, volatility.total, f"√(wᵀΣw) times √n, covariance: {matrix.method}", matrix.ddof),
            volatility.marginal * root,
            volatility.component * root,
        ),
        "value_at_risk": parts_of(
            observed.figure(at_risk.total, words, ddof=matrix.ddof), at_risk.marginal, at_risk.component
        ),
        "tail_mean": parts_of(observed.figure(tail.total, "historical, tail mean"), tail.marginal, tail.component),
        "incremental_value_at_risk": {
            "method": "historical, linear quantile (R type 7), less that with the asset turned to cash",
            "values": incremental_value_at_risk(weights, observed.returns, confidence).tolist(),
        },
        "covariance": described(matrix),
        **sampled(observed, notes),
    }


def parts_of(total: dict[str, Any] | None, marginal: Array, component: Array) -> dict[str, Any]:
    value = total["value"] if total else 0.0
    return {
        "total": total,
        "marginal": marginal.tolist(),
        "component": component.tolist(),
        "share": (component / value).tolist() if value > 0 else None,
    }


def read_portfolio(request: Mapping[str, Any]) -> Portfolio:
    prices = read_prices(request)
    held, weights = read_weights(request, prices.symbols)
    observed = observe(prices, missing_of(request), held)
    estimator = ESTIMATORS[one_of(request, "covariance", ESTIMATORS, "sample")]
    return Portfolio(observed=observed, weights=weights, covariance=estimator(observed.returns))


# --- Correlation and components ---------------------------------------------------------------------------------------


def correlation(request: Mapping[str, Any]) -> dict[str, Any]:
    """Correlation of every pair of the panel.

    Request: panel, `method` ("pearson" default, "spearman"), `window` (periods; None: no rolling correlation).
    Answer: {symbols, method, matrix: [[float]], average: figure | None (of all pairs; None for one asset),
        rolling: None | {window, dates: [ISO], pairs: [{first, second, values: [float | None]}]},
        count, start, end, dropped, warnings}
    A series that never changes is refused; a window in which one never changes is None.
    """
    observed = observe(read_prices(request), missing_of(request))
    refuse_constant(observed)
    method = one_of(request, "method", ("pearson", "spearman"), "pearson")
    matrix = (pearson if method == "pearson" else spearman)(observed.returns)
    assets = len(observed.symbols)
    average = (matrix.sum() - assets) / (assets * (assets - 1)) if assets > 1 else None
    words = f"mean of the {method} correlations of all pairs"
    return {
        "symbols": list(observed.symbols),
        "method": method,
        "matrix": matrix.tolist(),
        "average": None if average is None else observed.figure(average, words),
        "rolling": rolling_of(observed, request.get("window"), method),
        **sampled(observed, Notes()),
    }


def rolling_of(observed: Observations, window: Any, method: str) -> dict[str, Any] | None:
    if window is None:
        return None
    window, assets = whole(window, "window"), len(observed.symbols)
    pairs = [(i, j) for i in range(assets) for j in range(i + 1, assets)]
    if len(pairs) * len(observed.dates) > MOST_ROLLING:
        raise BadInput("window", f"{len(pairs)} pairs on {len(observed.dates)} days are too many: ask for fewer assets")
    series = rolling(observed.returns, pairs, window, method)
    names = observed.symbols
    return {
        "window": window,
        "dates": [day.isoformat() for day in observed.dates[window - 1 :]],
        "pairs": [
            {"first": names[i], "second": names[j], "values": values}
            for (i, j), values in zip(pairs, series, strict=True)
        ],
    }


def principal_components(request: Mapping[str, Any]) -> dict[str, Any]:
    """The components that explain most of the panel's variance.

    Request: panel, `on` ("covariance" default, "correlation"), `components` (how many to answer; default 5).
    Answer: {symbols, on, total_variance: figure, variances: [float], ratios: [float] (of the total), ranks,
        loadings: [[float]] (a list a component, a float a symbol; length 1, largest entry positive),
        factor_returns: {dates: [ISO], values: [[float]]} (a list a component), count, start, end, dropped, warnings}
    Variances are per period, ddof 1; all components' sum to `total_variance`, the trace. `ranks`: how many are not 0.
    """
    observed = observe(read_prices(request), missing_of(request))
    on = one_of(request, "on", ("covariance", "correlation"), "covariance")
    if on == "correlation":
        refuse_constant(observed)
    kept = min(positive(request, "components", 5, 1_000), len(observed.symbols))
    found = components(observed.returns, on)
    return {
        "symbols": list(observed.symbols),
        "on": on,
        "total_variance": observed.figure(found.trace, f"trace of the {on} matrix, per period", ddof=1),
        "variances": found.variances[:kept].tolist(),
        "ratios": (found.variances[:kept] / found.trace).tolist(),
        "ranks": int((found.variances > found.trace * 1e-14).sum()),
        "loadings": found.loadings[:, :kept].T.tolist(),
        "factor_returns": {
            "dates": [day.isoformat() for day in observed.dates],
            "values": found.factor_returns[:, :kept].T.tolist(),
        },
        **sampled(observed, Notes()),
    }
