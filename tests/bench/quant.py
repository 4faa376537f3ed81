"""Milliseconds of optimisation in this process: `python -m tests.bench.quant`, medians of many runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from gateway.core.quant.covariance import sample
from gateway.core.quant.observations import Observations, observe, read_prices
from gateway.core.quant.optimise.constraints import Constraints
from gateway.core.quant.optimise.frame import framed
from gateway.core.quant.optimise.moments import moments
from gateway.core.quant.optimise.portfolios import minimum_variance
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.tasks_optimise import OBJECTIVES, frontier, optimise
from schema.errors import BadInput

GOAL_MS = 20.0


def request(assets: int, returns: int) -> dict[str, Any]:
    """Prices with two common factors."""
    generator = np.random.default_rng(8)
    common = generator.normal(0.0003, 0.008, size=(returns, 2)) @ generator.normal(1, 0.5, size=(2, assets))
    moves = common + generator.normal(0, 0.01, size=(returns, assets))
    closes = 100 * np.cumprod(1 + np.vstack([np.zeros(assets), moves]), axis=0)
    days = np.datetime64("1980-01-01") + np.arange(returns + 1)
    return {
        "symbols": [f"S{index:04}" for index in range(assets)], "dates": [str(day) for day in days],
        "closes": closes.T.tolist(), "periods_per_year": 252, "target": 0.15,
    }  # fmt: skip


def milliseconds(work: Callable[[], Any], rounds: int) -> float:
    """Median of one call."""
    spent = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        spent.append((time.perf_counter() - begun) * 1e3)
    return median(spent)


def least_variance(observed: Observations) -> Any:
    """From returns to weights, without reading a request."""
    made = moments(observed, sample(observed.returns), 0.0)
    count = len(observed.symbols)
    return minimum_variance(made, framed(Constraints(), observed.symbols, np.zeros(count)))


def asked(given: dict[str, Any], objective: str) -> str:
    """The time of one, or why it is refused."""
    begun = time.perf_counter()
    try:
        frontier(given) if objective == "frontier" else optimise({**given, "objective": objective})
    except (BadInput, NotComputable) as refused:
        return f"{(time.perf_counter() - begun) * 1e3:9.1f} ms   refused: {refused.message}"
    return f"{(time.perf_counter() - begun) * 1e3:9.1f} ms"


def report() -> list[str]:
    """50 assets on 1,000 days many times, 1,000 assets once each."""
    given = request(50, 1_000)
    observed = observe(read_prices(given))
    told = ["Optimisation, one process"]
    spent = milliseconds(lambda: least_variance(observed), 50)
    told.append(f"50 x 1,000 minimum variance, from returns  {spent:9.1f} ms   target < {GOAL_MS:g} ms")
    for objective in OBJECTIVES:
        spent = milliseconds(lambda: optimise({**given, "objective": objective}), 15)  # noqa: B023
        told.append(f"50 x 1,000 {objective:31} {spent:9.1f} ms")
    told.append(f"50 x 1,000 frontier of 20 points           {milliseconds(lambda: frontier(given), 5):9.1f} ms")
    large = request(1_000, 5_000)
    told += [f"1,000 x 5,000 {name:28} {asked(large, name)}" for name in (*OBJECTIVES, "frontier")]
    return told


if __name__ == "__main__":
    print("\n".join(report()))
