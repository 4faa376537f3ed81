"""The tables of figures: each with its method, its convention, its count and its span."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.cli.report.findings import Findings
from gateway.cli.report.markup import Markup, element, joined
from gateway.cli.report.numbers import NOTHING, exact, percent, ratio
from gateway.cli.report.tables import Column, Row, table

Figure = Mapping[str, Any]

PERCENT = frozenset({
    "total_return", "annual_return", "mean_return", "best_return", "worst_return", "hit_rate", "volatility",
    "ewma_volatility", "downside_deviation", "max_drawdown", "value_at_risk_95", "alpha", "alpha_compounded",
    "tracking_error",
})  # fmt: skip
"""Fractions; the others are numbers without unit."""
NAMES = {
    "total_return": "Total return", "annual_return": "Annual return", "mean_return": "Mean return a year",
    "best_return": "Best period", "worst_return": "Worst period", "hit_rate": "Hit rate",
    "volatility": "Volatility a year", "ewma_volatility": "EWMA volatility a year",
    "downside_deviation": "Downside deviation a year", "max_drawdown": "Maximum drawdown",
    "value_at_risk_95": "Value at risk, 95\u00a0%", "sharpe": "Sharpe ratio", "sortino": "Sortino ratio",
    "calmar": "Calmar ratio", "omega": "Omega ratio", "skew": "Skew", "skew_unbiased": "Skew, unbiased",
    "kurtosis": "Excess kurtosis", "kurtosis_unbiased": "Excess kurtosis, unbiased", "beta": "Beta",
    "alpha": "Alpha a year", "alpha_compounded": "Alpha a year, compounded", "correlation": "Correlation",
    "tracking_error": "Tracking error a year", "information_ratio": "Information ratio",
    "information_ratio_geometric": "Information ratio, geometric", "up_capture": "Up capture",
    "down_capture": "Down capture", "up_capture_compounded": "Up capture, compounded",
    "down_capture_compounded": "Down capture, compounded",
}  # fmt: skip
GROUPS = {
    "Return": ("total_return", "annual_return", "mean_return", "best_return", "worst_return", "hit_rate"),
    "Risk": ("volatility", "ewma_volatility", "downside_deviation", "max_drawdown", "value_at_risk_95"),
    "Return against risk": ("sharpe", "sortino", "calmar", "omega"),
    "Shape of the returns": ("skew", "skew_unbiased", "kurtosis", "kurtosis_unbiased"),
}
COMPARED = (
    "beta", "alpha", "alpha_compounded", "correlation", "tracking_error", "information_ratio",
    "information_ratio_geometric", "up_capture", "down_capture", "up_capture_compounded", "down_capture_compounded",
)  # fmt: skip
LEADING = ("total_return", "annual_return", "volatility", "sharpe", "max_drawdown")
ASSET = ("total_return", "annual_return", "volatility", "sharpe", "sortino", "max_drawdown", "value_at_risk_95")
KINDS = {
    "historical": "Historical", "parametric": "Parametric", "cornish_fisher": "Cornish-Fisher",
    "monte_carlo": "Monte Carlo",
}  # fmt: skip
CONVENTION = (Column("Method", "words"), Column("Periods a year"), Column("ddof"), Column("Count"),
              Column("From", "days"), Column("To", "days"))  # fmt: skip


def cards(findings: Findings) -> Markup:
    """The figures that are looked for first."""
    pairs = []
    for name in LEADING:
        pairs.append(element("div", element("dt", NAMES[name]), element("dd", _value(name, _figure(findings, name)))))
    return element("dl", *pairs, class_="cards")


def risk_table(findings: Findings) -> Markup:
    """Every figure of the subject, and those against the benchmark where there is one."""
    groups = dict(GROUPS)
    if findings.benchmark is not None:
        groups[f"Against the benchmark {findings.benchmark}"] = COMPARED
    rows: list[Row] = []
    for title, names in groups.items():
        rows.append((title,))
        rows += [_row(NAMES[name], name, _figure(findings, name), findings.warnings) for name in names]
    caption = "Figures, each with its method and the returns it was computed from (N - ddof divides)"
    return table(caption, (Column("Figure", "days"), Column("Value"), *CONVENTION), rows, key="figures")


def tail_table(findings: Findings) -> Markup:
    """VaR and CVaR at both levels by each method."""
    rows: list[Row] = []
    for tail in findings.tails:
        name = f"{KINDS[tail['kind']]}, {tail['confidence']:.0%}".replace("%", "\u00a0%")
        at_risk, conditional = tail["value_at_risk"], tail["conditional"]
        rows.append((name, _percent(at_risk), _percent(conditional), *_convention(at_risk)))
    caption = "Losses over one period that are not exceeded with this confidence, and the mean of those that are"
    columns = (Column("Method and confidence", "days"), Column("VaR"), Column("CVaR"), *CONVENTION)
    return table(caption, columns, rows, key="tails")


def asset_table(findings: Findings) -> Markup:
    """A row an asset."""
    names = ASSET if findings.benchmark is None else (*ASSET, "beta")
    rows = [_asset(row, names) for row in findings.assets]
    columns = [Column("Asset", "days"), *(Column(NAMES[name]) for name in names)]
    columns += [Column("Count"), Column("From", "days"), Column("To", "days"), Column("Missing dates")]
    return table("Each asset by itself, with the methods of the figures above", columns, rows, key="assets")


def contribution_table(found: Mapping[str, Any]) -> Markup:
    """A row an asset, and their sum; weights only where the portfolio began with some."""
    weights, whole = found["weights"], found["total"]["value"]
    rows = [_part(one["symbol"], one["value"], whole) for one in found["contributions"]]
    rows.append(_part("All", whole, whole))
    columns = [Column("Asset", "days"), Column("Contribution"), Column("Share")]
    if weights is not None:
        columns.insert(1, Column("Weight at the start"))
        listed = zip(rows, [*weights, sum(weights)], strict=True)
        rows = [(name, exact(percent(weight), weight), *others) for (name, *others), weight in listed]
    return table(f"Contributions to the total return: {found['method']}", columns, rows, key="contributions")


def _part(name: str, value: float, whole: float) -> Row:
    return (name, exact(percent(value, signed=True), value), percent(value / whole) if whole else NOTHING)


def _asset(row: Mapping[str, Any], names: Sequence[str]) -> Row:
    figures: Mapping[str, Figure | None] = row["figures"]
    seen = figures["total_return"]
    span = (str(seen["count"]), seen["start"], seen["end"]) if seen else (NOTHING,) * 3
    return (row["symbol"], *(_value(name, figures[name]) for name in names), *span, str(len(row["missing"])))


def _row(title: str, name: str, figure: Figure | None, warnings: Sequence[str]) -> Row:
    if figure is None:
        told = [line.removeprefix(f"{name}: ") for line in warnings if line.startswith((f"{name}: ", "benchmark: "))]
        return (title, NOTHING, "; ".join(told) or NOTHING, *(NOTHING,) * 5)
    return (title, _value(name, figure), *_convention(figure))


def _convention(figure: Figure | None) -> Sequence[str]:
    if figure is None:
        return (NOTHING,) * 6
    numbers = [NOTHING if figure[key] is None else str(figure[key]) for key in ("periods_per_year", "ddof", "count")]
    return (figure["method"], *numbers, figure["start"], figure["end"])


def _figure(findings: Findings, name: str) -> Figure | None:
    found: Figure | None = findings.performance["figures"][name]
    return found


def _value(name: str, figure: Figure | None) -> Markup:
    if figure is None:
        return joined(NOTHING)
    value = figure["value"]
    return exact(percent(value) if name in PERCENT else ratio(value), value)


def _percent(figure: Figure | None) -> Markup:
    return joined(NOTHING) if figure is None else exact(percent(figure["value"]), figure["value"])
