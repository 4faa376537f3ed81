"""The task `relative`; `tasks_risk` describes what its request and its answer share with the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.core.quant import relative as against
from gateway.core.quant.observations import known, observe, read_prices, read_weights
from gateway.core.quant.risk_answers import Notes, missing_of, sampled


def relative(request: Mapping[str, Any]) -> dict[str, Any]:
    """A portfolio of fixed weights against a benchmark, with a risk-free rate of 0.

    Request: panel, weights, `benchmark` (symbol of the panel). Answer: {benchmark, beta, alpha, correlation,
    tracking_error, information_ratio, up_capture, down_capture: figures or None, count, start, end, dropped, warnings}.
    """
    prices = read_prices(request)
    held, weights = read_weights(request, prices.symbols)
    benchmark = request["benchmark"]
    observed = observe(prices, missing_of(request), known([*held, benchmark], prices.symbols, "benchmark"))
    ours, market, n = observed.returns[:, : len(held)] @ weights, observed.of(benchmark), observed.periods
    figures: dict[str, tuple[Callable[[], float], str, bool, int | None]] = {
        "beta": (lambda: against.beta(ours, market), "cov(r, b) / var(b)", False, 1),
        "alpha": (lambda: against.alpha(ours, market, 0.0, n), "Jensen, arithmetic, rf = 0: ·n", True, 1),
        "correlation": (lambda: against.correlation(ours, market), "Pearson", False, None),
        "tracking_error": (lambda: against.tracking_error(ours, market, n), "std(r - b)·√n", True, 1),
        "information_ratio": (
            lambda: against.information_ratio(ours, market, n), "arithmetic: mean(r - b)·n / tracking error", True, 1,
        ),
        "up_capture": (lambda: against.capture(ours, market, up=True), "arithmetic: Σr / Σb where b > 0", False, None),
        "down_capture": (
            lambda: against.capture(ours, market, up=False), "arithmetic: Σr / Σb where b < 0", False, None,
        ),
    }  # fmt: skip
    notes, told = Notes(), dict[str, Any]()
    for name, (compute, method, annual, ddof) in figures.items():
        value = notes.attempt(name, compute)
        told[name] = None if value is None else observed.figure(value, method, annual=annual, ddof=ddof)
    return {"benchmark": benchmark, **told, **sampled(observed, notes)}
