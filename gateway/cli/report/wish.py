"""What the user asked of a report, apart from its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from gateway.cli.outcome import usage
from gateway.cli.reading import read_list
from gateway.cli.report.panel import NUMBER

REBALANCE = ("never", "every_period", "monthly", "quarterly", "yearly")
MOST_PERIODS = 366
AVERAGE_GAPS = ((1.2, 365), (2.5, 252), (10.0, 52), (45.0, 12), (150.0, 4))
"""Days between dates, on average, below which there are so many periods a year: all days, sessions, weeks, months,
quarters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The options that say what is computed."""

    benchmark: str | None = None
    weights: Mapping[str, float] | None = None
    rebalance: str = "never"
    periods: int | None = None
    risk_free: float = 0.0

    def check(self) -> None:
        """Stop for what cannot be meant."""
        if self.periods is not None and not 1 <= self.periods <= MOST_PERIODS:
            raise usage(f"--periods: must be 1 to {MOST_PERIODS}, such as 252, not {self.periods}")
        # NaN fails this comparison as well.
        if not -1 < self.risk_free < 10:
            raise usage(f"--risk-free: {self.risk_free:g} is no rate a year: write 0.05 for 5 %")

    def periods_of(self, dates: tuple[date, ...]) -> int:
        """Periods a year, as asked or as the dates lie."""
        if self.periods is not None:
            return self.periods
        gap = (dates[-1] - dates[0]).days / max(len(dates) - 1, 1)
        return next((periods for most, periods in AVERAGE_GAPS if gap < most), 1)


def read_weights(text: str | None) -> dict[str, float] | None:
    """`AAPL=0.6,MSFT=0.4`."""
    found: dict[str, float] = {}
    for part in read_list("--weights", text) or ():
        name, equals, number = (piece.strip() for piece in part.rpartition("="))
        if not equals or not name or not NUMBER.fullmatch(number):
            raise usage(f"--weights: {part!r} is no weight: write AAPL=0.6,MSFT=0.4")
        if name in found:
            raise usage(f"--weights: {name} is there twice")
        found[name] = float(number)
    return found or None


def read_rebalance(text: str) -> str:
    """When the weights are set again."""
    word = text.strip().lower().replace("-", "_")
    if word not in REBALANCE:
        raise usage(f"--rebalance: {text!r} is not known: write one of {', '.join(REBALANCE)}")
    return word
