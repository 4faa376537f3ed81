"""Real closes for tests of risk, and requests made of them."""

from __future__ import annotations

import csv
import gzip
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"


@cache
def closes(name: str) -> tuple[list[str], list[str], list[list[float | None]]]:
    """Symbols, ISO dates and a series a symbol of a data file; the test is skipped where there is none."""
    file = DATA / f"{name}.csv.gz"
    if not file.exists():
        pytest.skip(f"no {file.name} beside the repository")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        head, *rows = list(csv.reader(lines))
    columns = list(zip(*rows, strict=True))
    return head[1:], list(columns[0]), [[float(cell) if cell else None for cell in column] for column in columns[1:]]


def panel(last: int = 1_000, *, index: bool = False) -> dict[str, Any]:
    """The last closes of 20 American stocks, and of the S&P 500 if asked."""
    symbols, dates, series = closes("us20_adjclose_daily_1990_2022")
    if index:
        name, _, more = closes("sp500_close_daily_1990_2022")
        symbols, series = symbols + name, series + more
    return {"symbols": symbols, "dates": dates[-last:], "closes": [one[-last:] for one in series]}


def even(symbols: list[str]) -> dict[str, float]:
    return {symbol: 1 / len(symbols) for symbol in symbols}


def returns_of(request: dict[str, Any]) -> list[list[float]]:
    """Simple returns by symbol, one by one."""
    return [[after / before - 1 for before, after in pairwise(s)] for s in request["closes"]]


def matrix_of(request: dict[str, Any]) -> np.ndarray:
    return np.array(returns_of(request)).T


def small(**more: Any) -> dict[str, Any]:
    """Three assets on six days, by hand."""
    days = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"]
    series = [[100, 102, 101, 104, 103, 105], [50, 49, 51, 50, 52, 51], [10, 10.1, 10.3, 10.2, 10.5, 10.4]]
    return {"symbols": ["A", "B", "C"], "dates": days, "closes": series, "periods_per_year": 252, **more}
