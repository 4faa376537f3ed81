"""GraphQL types of performance: figures with their conventions, series as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Self

import strawberry

from gateway.core.quant.steps import Steps
from plugins.portfolio.money import money
from plugins.portfolio.shapes.columns import column
from plugins.portfolio.valuation.performance import Performance, Span
from schema.model import described, model
from schema.words.figures import Figure

SHARES = "Fractions: 0.05 is 5 %."


def figure_of(told: Mapping[str, Any] | None) -> Figure | None:
    """A figure of plain values."""
    if told is None:
        return None
    days = {name: date.fromisoformat(told[name]) for name in ("start", "end")}
    return Figure(**{**told, **days})


def dates_of(told: Sequence[str]) -> list[date]:
    """Days of ISO texts."""
    return [date.fromisoformat(day) for day in told]


@model("Statistics of a series of returns; null where one cannot be computed, and a warning says why.")
class PerformanceFigures:
    """Simple returns, annualised with the performance's `periodsPerYear`; standard deviations with ddof 1."""

    total_return: Figure | None = described("All returns compounded.", default=None)
    annual_return: Figure | None = described("The compounded return of a year.", default=None)
    mean_return: Figure | None = described("Arithmetic mean of a period.", default=None)
    volatility: Figure | None = described("Annual standard deviation of returns.", default=None)
    ewma_volatility: Figure | None = described("Annual, exponentially weighted, λ 0.94, zero mean.", default=None)
    garch_volatility: Figure | None = described(
        "Annual, of the period after the last, by a GARCH(1,1) model; only where `garch` is asked for.", default=None
    )
    downside_deviation: Figure | None = described("Annual; divided by all periods.", default=None)
    sharpe: Figure | None = described("Mean excess return over its deviation, annual.", default=None)
    sortino: Figure | None = described("Mean excess return over the downside deviation, annual.", default=None)
    calmar: Figure | None = described("Annual return over the deepest drawdown.", default=None)
    omega: Figure | None = described("Gains over losses, against the risk-free rate.", default=None)
    hit_rate: Figure | None = described("Share of periods with a gain.", default=None)
    best_return: Figure | None = described("Of one period.", default=None)
    worst_return: Figure | None = described("Of one period.", default=None)
    max_drawdown: Figure | None = described("The deepest fall from a peak, negative.", default=None)
    value_at_risk95: Figure | None = described(
        "Loss of one period that is exceeded in 5 of 100, positive.", default=None, name="valueAtRisk95"
    )
    skew: Figure | None = described("Of the population.", default=None)
    skew_unbiased: Figure | None = described("Of the sample, unbiased.", default=None)
    kurtosis: Figure | None = described("Excess, of the population.", default=None)
    kurtosis_unbiased: Figure | None = described("Excess, of the sample, unbiased.", default=None)
    beta: Figure | None = described("Against the benchmark.", default=None)
    alpha: Figure | None = described("Annual, arithmetic.", default=None)
    alpha_compounded: Figure | None = described("Annual, compounded.", default=None)
    correlation: Figure | None = described("With the benchmark, Pearson's.", default=None)
    tracking_error: Figure | None = described("Annual deviation of active returns.", default=None)
    information_ratio: Figure | None = described("Mean active return over the tracking error.", default=None)
    information_ratio_geometric: Figure | None = described("By compounded annual returns.", default=None)
    up_capture: Figure | None = described("Of the benchmark's gains, by means.", default=None)
    down_capture: Figure | None = described("Of the benchmark's losses, by means.", default=None)
    up_capture_compounded: Figure | None = described("Of the benchmark's gains, compounded.", default=None)
    down_capture_compounded: Figure | None = described("Of the benchmark's losses, compounded.", default=None)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """From a report's or a table's figures."""
        names = {name: name.replace("_95", "95") for name in told}
        known = set(cls.__dataclass_fields__)
        return cls(**{names[name]: figure_of(found) for name, found in told.items() if names[name] in known})


@model("Returns and what they grow to, as columns of one length.")
class GrowthColumns:
    """Fractions; wealth is 1 before the first return."""

    held: strawberry.Private[Mapping[str, Sequence[Any]]]
    dates = column(list[date], "dates", "The day on which each return ends.")
    returns = column(list[float], "returns", f"Simple returns. {SHARES}")
    wealth = column(list[float], "wealth", "What 1 has become.")
    drawdowns = column(list[float], "drawdowns", "How far wealth lies below its peak, 0 or negative.")

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """From a report's columns."""
        return cls(held={**told, "dates": dates_of(told["dates"])})


@model("A figure over a moving window, as columns.")
class WindowColumns:
    """A value for each day on which a window ends; null where it cannot be computed."""

    held: strawberry.Private[Mapping[str, Sequence[Any]]]
    dates = column(list[date], "dates", "The last days of the windows.")
    values = column(list[float | None], "values", "The figure in each.")

    @classmethod
    def of(cls, told: Mapping[str, Any] | None) -> Self | None:
        """From a report's windows."""
        return None if told is None else cls(held={**told, "dates": dates_of(told["dates"])})


@model("Figures over moving windows.")
class RollingFigures:
    """Null where the series is shorter than the window."""

    window: int = described("Returns in a window.")
    ewma_volatility: WindowColumns = described("Annual, exponentially weighted, λ 0.94, zero mean: of all before.")
    volatility: WindowColumns | None = described("Annual standard deviation.", default=None)
    sharpe: WindowColumns | None = described("Annual.", default=None)
    beta: WindowColumns | None = described("Against the benchmark.", default=None)


@model("A fall from a peak.")
class DrawdownSpan:
    """The deepest first."""

    peak: date | None = described("The day of the peak; null where it is the beginning.", default=None)
    trough: date = described("The day of the lowest value.")
    recovery: date | None = described("The day on which the peak was reached again; null if never.", default=None)
    depth: float = described("From peak to trough, negative.")
    length: int = described("Periods from the peak to the recovery, or to the end.")


@model("The return of a month, a quarter or a year.")
class CalendarReturn:
    """Compounded; the first and the last may be parts only."""

    year: int = described("The year.")
    part: int = described("The month (1 to 12) or the quarter (1 to 4); 1 for a year.")
    value: float = described("The return.")
    count: int = described("How many returns it is made of.")


@model("What a portfolio was worth, and what came and went, as columns of one length.")
class ValueColumns:
    """In the portfolio's currency."""

    held: strawberry.Private[Mapping[str, Sequence[Any]]]
    dates = column(list[date], "dates", "Days.")
    values = column(list[Decimal], "values", "Worth at the end of the day.")
    brought_in = column(list[Decimal], "brought_in", "Came in since the day before.")
    taken_out = column(list[Decimal], "taken_out", "Went out since the day before.")

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """From texts."""
        amounts = {name: [Decimal(each) for each in told[name]] for name in ("values", "brought_in", "taken_out")}
        return cls(held={**amounts, "dates": dates_of(told["dates"])})


@model("How a portfolio has done over a span of days.")
class PortfolioPerformance:
    """Each figure says how it was computed and from what."""

    start: date = described("First day.")
    end: date = described("Day behind the last one.")
    currency: str = described("In which everything was valued.")
    method: str = described("How returns are counted.")
    periods_per_year: int = described("What figures are annualised with.")
    figures: PerformanceFigures = described("Of the time-weighted returns.")
    money_weighted_return: Figure | None = described(
        "The annual rate (XIRR) of what was brought in and taken out; null where there is none.", default=None
    )
    returns: GrowthColumns = described("The daily returns.")
    benchmark: GrowthColumns | None = described("The benchmark's on common days.", default=None)
    values: ValueColumns | None = described("What it was worth; null for weights.", default=None)
    drawdowns: list[DrawdownSpan] = described("The ten deepest.")
    months: list[CalendarReturn] = described("By month.")
    quarters: list[CalendarReturn] = described("By quarter.")
    years: list[CalendarReturn] = described("By year.")
    rolling: RollingFigures = described("Over `window` returns, by default a quarter of a year.")
    warnings: list[str] = described("What is missing or could not be computed, and why.")

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """From the plain values of a performance."""
        report, values = told["report"], told["values"]
        rolling, calendar = report["rolling"], report["calendar"]
        return cls(
            start=date.fromisoformat(told["start"]), end=date.fromisoformat(told["end"]), currency=told["currency"],
            method=told["method"], periods_per_year=report["periods_per_year"],
            figures=PerformanceFigures.of(report["figures"]), money_weighted_return=figure_of(told["money_weighted"]),
            returns=GrowthColumns.of(report["columns"]), values=ValueColumns.of(values) if values else None,
            benchmark=GrowthColumns.of(report["benchmark"]) if report["benchmark"] else None,
            drawdowns=[_drawdown(each) for each in report["drawdowns"]],
            **{name: [CalendarReturn(**each) for each in calendar[name]] for name in ("months", "quarters", "years")},
            rolling=RollingFigures(
                window=rolling["window"], ewma_volatility=_ewma(report["columns"]),
                volatility=WindowColumns.of(rolling["volatility"]),
                sharpe=WindowColumns.of(rolling["sharpe"]), beta=WindowColumns.of(rolling["beta"]),
            ),
            warnings=told["warnings"],
        )  # fmt: skip


def plain(found: Performance) -> Steps[dict[str, Any]]:
    """A performance as plain values, which a job keeps."""
    span = found.span
    values = None if span.portfolio.weights is not None else (yield from _values(span))
    return {
        "start": span.start.isoformat(), "end": span.end.isoformat(), "currency": span.portfolio.currency,
        "method": span.method, "report": found.report, "money_weighted": found.money_weighted,
        "values": values, "warnings": list(found.warnings),
    }  # fmt: skip


def _values(span: Span) -> Steps[dict[str, list[str]]]:
    currency = span.portfolio.currency
    found: dict[str, list[str]] = {"dates": [], "values": [], "brought_in": [], "taken_out": []}
    for day in span.course.days:
        found["dates"].append(day.date.isoformat())
        for name, amount in (("values", day.value), ("brought_in", day.came), ("taken_out", day.went)):
            found[name].append(str(money(amount, currency)))
        yield
    return found


def _ewma(columns: Mapping[str, Any]) -> WindowColumns:
    return WindowColumns(held={"dates": dates_of(columns["dates"]), "values": columns["ewma_volatility"]})


def _drawdown(told: Mapping[str, Any]) -> DrawdownSpan:
    days = {name: told[name] and date.fromisoformat(told[name]) for name in ("peak", "trough", "recovery")}
    return DrawdownSpan(**{**told, **days})
