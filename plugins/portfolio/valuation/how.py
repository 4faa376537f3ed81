"""What is asked of a performance beside its days."""

from __future__ import annotations

from dataclasses import dataclass

from plugins.portfolio.prices.panels import MOST_CELLS
from schema.errors import BadInput
from schema.rates import check_rate
from schema.symbols import InstrumentId

SHORTEST_WINDOW, LONGEST_WINDOW = 2, 2_600


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What figures are against, and what is computed beside the usual."""

    benchmark: InstrumentId | None = None
    risk_free: float = 0.0
    window: int | None = None
    garch: bool = False
    most: int = MOST_CELLS
    """Prices that are asked for at once."""

    def check(self) -> None:
        """BadInput for a number that is none to compute with."""
        check_rate("riskFree", self.risk_free)
        if self.window is not None and not SHORTEST_WINDOW <= self.window <= LONGEST_WINDOW:
            raise BadInput("window", f"must be {SHORTEST_WINDOW} to {LONGEST_WINDOW} returns, not {self.window}")
