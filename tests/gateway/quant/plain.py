"""What tasks are asked in tests, and a look at what they answer."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from tests.gateway.quant import series

NAN, INFINITY = float("nan"), float("inf")
US20, SP500 = "us20_adjclose_daily_1990_2022", "sp500_close_daily_1990_2022"


def days(count: int, first: str = "2024-01-01") -> list[str]:
    """So many ISO days in a row."""
    start = date.fromisoformat(first)
    return [(start + timedelta(days=number)).isoformat() for number in range(count)]


def decade(symbol: str) -> tuple[list[str], list[float], list[float]]:
    """Ten years of days, of a stock and of the index; no gaps."""
    stock, index = series.present(US20, symbol), series.present(SP500, "SP500")
    return series.dates(US20)[-2521:], stock[-2521:].tolist(), index[-2521:].tolist()


def values(figures: dict[str, Any]) -> dict[str, Any]:
    """Figures without their conventions."""
    return {name: figure and figure["value"] for name, figure in figures.items()}


def is_plain(answer: Any) -> bool:
    """It survives JSON, which has no word for NaN."""
    return bool(json.loads(json.dumps(answer, allow_nan=False)) == answer)
