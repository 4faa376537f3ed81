"""Problems to solve: twenty American shares (`../shared/data`, read in place) and covariances made to order."""

from __future__ import annotations

import csv
import gzip
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.constraints import Constraints
from gateway.core.quant.optimise.frame import Frame, framed
from gateway.core.quant.optimise.moments import Moments

FILE = Path(__file__).parents[4].parent / "shared" / "data" / "us20_adjclose_daily_1990_2022.csv.gz"
CLOSES = 1_001


@cache
def rows() -> tuple[tuple[str, ...], ...]:
    """The head and the last 1,001 closes; the test is skipped where the file is not there."""
    if not FILE.is_file():
        pytest.skip(f"{FILE} is not there")
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as file:
        read = [tuple(row) for row in csv.reader(file)]
    return (read[0], *read[-CLOSES:])


def us20(**more: Any) -> dict[str, Any]:
    """A request about the twenty over 1,000 returns."""
    head, *body = rows()
    closes = [[float(row[column]) for row in body] for column in range(1, len(head))]
    panel = {"symbols": list(head[1:]), "dates": [row[0] for row in body], "closes": closes, "periods_per_year": 252}
    return {**panel, **more}


def us20_moments() -> tuple[Array, Array, Array]:
    """Means a year, covariance a year and returns, by numpy's own estimators."""
    closes = np.array(us20()["closes"]).T
    returns = closes[1:] / closes[:-1] - 1
    return returns.mean(axis=0) * 252, np.cov(returns, rowvar=False) * 252, returns


def moments_of(covariance: Array, mean: Array | None = None) -> Moments:
    """As they stand, a year; no history behind them."""
    size = covariance.shape[0]
    return Moments(
        mean=np.zeros(size) if mean is None else mean, covariance=covariance, excess=np.zeros((2, size)),
        risk_free=0.0, periods=252,
    )  # fmt: skip


def frame_of(size: int, constraints: Constraints | None = None, current: Array | None = None) -> Frame:
    """Over assets that are called 0, 1, 2…"""
    held = np.zeros(size) if current is None else current
    return framed(constraints or Constraints(), [str(index) for index in range(size)], held)


@st.composite
def covariances(draw: st.DrawFn, least: int = 2, most: int = 12) -> Array:
    """Positive definite, volatilities from 1 % to 100 %."""
    size = draw(st.integers(least, most))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    factors = generator.normal(size=(size, size + draw(st.integers(1, 20))))
    raw = factors @ factors.T
    deviations = np.sqrt(np.diag(raw))
    volatilities = 10 ** generator.uniform(-2, 0, size)
    return np.asarray(raw / np.outer(deviations, deviations) * np.outer(volatilities, volatilities))
