"""Parts of a report as plain values: days as ISO strings, series as columns, None where there is no value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from gateway.core.quant.calendar_tables import months, quarters, years
from gateway.core.quant.drawdowns import drawdown_table, drawdowns
from gateway.core.quant.returns import wealth
from gateway.core.quant.series import Observed, Vector


def days(dates: Sequence[date]) -> list[str]:
    """ISO days."""
    return [day.isoformat() for day in dates]


def growth(returns: Vector, dates: Sequence[date]) -> dict[str, Any]:
    """Returns, and the wealth and drawdown after each."""
    return {
        "dates": days(dates), "returns": returns.tolist(),
        "wealth": wealth(returns)[1:].tolist(), "drawdowns": drawdowns(returns).tolist(),
    }  # fmt: skip


def worst_drawdowns(seen: Observed, top: int) -> list[dict[str, Any]]:
    """The `top` deepest, with days; a peak before the first date has none."""
    at = [seen.base and seen.base.isoformat(), *days(seen.dates)]
    return [
        {
            "peak": at[one.peak], "trough": at[one.trough],
            "recovery": None if one.recovery is None else at[one.recovery], "depth": one.depth, "length": one.length,
        }
        for one in drawdown_table(seen.row(0), top)
    ]  # fmt: skip


def calendar(seen: Observed) -> dict[str, list[dict[str, Any]]]:
    """Months, quarters and years."""
    tables = {"months": months, "quarters": quarters, "years": years}
    return {name: [asdict(part) for part in table(seen.row(0), seen.dates)] for name, table in tables.items()}


def windows(values: Vector, dates: Sequence[date]) -> dict[str, Any]:
    """Values of moving windows, by the last day of each."""
    numbers = [value if math.isfinite(value) else None for value in values.tolist()]
    return {"dates": days(dates[len(dates) - len(numbers) :]), "values": numbers}
