"""Figures as plain values, each with its convention; one that cannot be computed is None, and a warning says why."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.series import Observed


class Sheet:
    """Figures and warnings as they come up."""

    def __init__(self) -> None:
        self.figures: dict[str, dict[str, Any] | None] = {}
        self.warnings: list[str] = []

    def put(
        self, name: str, compute: Callable[[], float], method: str, seen: Observed, *,
        periods: int | None = None, ddof: int | None = None,
    ) -> None:  # fmt: skip
        """Compute a figure from what was observed; a refusal, NaN or infinity becomes None and a warning."""
        self.figures[name] = None
        with self.refusals(name):
            self.figures[name] = figure(compute(), method, seen, periods=periods, ddof=ddof)

    @contextmanager
    def refusals(self, name: str) -> Iterator[None]:
        """A refusal inside becomes a warning."""
        try:
            yield
        except NotComputable as refusal:
            self.warnings.append(f"{name}: {refusal.message}")


def figure(
    value: float, method: str, seen: Observed, *, periods: int | None = None, ddof: int | None = None
) -> dict[str, Any]:
    """A figure as plain values, with the keys of `Figure`; NotComputable where it is not finite."""
    if not math.isfinite(value):
        raise NotComputable(f"the result is {value}")
    return {
        "value": float(value), "method": method, "periods_per_year": periods, "ddof": ddof,
        "count": len(seen.dates), "start": seen.dates[0].isoformat(), "end": seen.dates[-1].isoformat(),
    }  # fmt: skip
