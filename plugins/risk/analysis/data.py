"""What figures were computed from, as GraphQL: dates, gaps, late series, failures, where the prices came from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Self

from gateway.core.ports import Panel
from schema.currencies import decimals_of
from schema.errors import FailureCode
from schema.model import described, model
from schema.provenance import Provenance
from schema.words.figures import Figure

DIGITS, LARGEST = Decimal("0.0000000001"), 17
_PRECISE = Context(prec=100, rounding=ROUND_HALF_EVEN)


@model("Dates on which an instrument that trades then has no price.")
class MissingDates:
    """Nothing was put in their place."""

    symbol: str = described("The instrument's id.")
    dates: list[dt.date] = described("The dates.")


@model("An instrument whose prices do not cover the whole range.")
class PartialSeries:
    """It was listed late, or ends early."""

    symbol: str = described("The instrument's id.")
    first: dt.date = described("The day of its first price.")
    last: dt.date = described("The day of its last price.")


@model("An instrument that nobody has prices of.")
class PriceFailure:
    """Figures that need it are refused; the others are there."""

    symbol: str = described("The instrument's id.")
    code: FailureCode = described("What kind of failure it was.")
    message: str = described("The failure in words.")


@model("The closes that figures were computed from. Returns are simple; nothing is filled.")
class PriceData:
    """One panel of closes on common dates."""

    symbols: list[str] = described("Ids of the instruments that have prices.")
    currencies: list[str] = described("Of the prices, in their order.")
    start: dt.date | None = described("The first date; null where there are no prices.", default=None)
    end: dt.date | None = described("The last date.", default=None)
    count: int = described("How many dates there are.")
    periods_per_year: int = described("252 where any instrument keeps sessions, 365 where all trade every day.")
    missing: list[MissingDates] = described("Gaps.")
    partial: list[PartialSeries] = described("Series that begin late or end early.")
    failures: list[PriceFailure] = described("Instruments without prices.")
    provenance: list[Provenance] = described("Where the prices came from.")

    @classmethod
    def of(cls, panel: Panel) -> Self:
        """From a panel."""
        return cls(
            symbols=[str(each) for each in panel.instruments], currencies=list(panel.currencies),
            start=panel.dates[0] if panel.dates else None, end=panel.dates[-1] if panel.dates else None,
            count=len(panel.dates), periods_per_year=panel.periods,
            missing=[MissingDates(symbol=str(each.instrument), dates=list(each.dates)) for each in panel.missing],
            partial=[
                PartialSeries(symbol=str(each.instrument), first=each.first, last=each.last) for each in panel.late
            ],
            failures=[
                PriceFailure(symbol=str(each), code=FailureCode(error.code), message=error.message)
                for each, error in (panel.failures or {}).items()
            ],
            provenance=list(panel.provenance),
        )  # fmt: skip


def figure_of(told: Mapping[str, Any] | None) -> Figure | None:
    """What a task says of a figure."""
    if told is None:
        return None
    span = {name: dt.date.fromisoformat(told[name]) for name in ("start", "end")}
    return Figure(**{**told, **span})


def figure_row(figure: Figure | None) -> dict[str, Any] | None:
    """As it is stored: what `figure_of` reads."""
    if figure is None:
        return None
    return {**asdict(figure), "start": figure.start.isoformat(), "end": figure.end.isoformat()}


def sure_figure(told: Mapping[str, Any]) -> Figure:
    """Of one that is always there."""
    found = figure_of(told)
    if found is None:
        raise ValueError("a figure is missing that is always there")
    return found


def dates_of(told: list[str]) -> list[dt.date]:
    """ISO dates, read."""
    return [dt.date.fromisoformat(each) for each in told]


def money(amount: Decimal, currency: str) -> Decimal:
    """To the currency's minor unit, half to even."""
    made = amount.quantize(Decimal(1).scaleb(-decimals_of(currency)), context=_PRECISE)
    return made if made else abs(made)


def rounded(value: Decimal) -> Decimal:
    """To ten digits behind the point, which no money has, half to even; without zeros at its end."""
    return value.quantize(DIGITS).normalize() if value.adjusted() < LARGEST else value
