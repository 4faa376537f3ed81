"""What a report says: the tasks of performance and risk, asked about one subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from gateway.cli.outcome import Stop
from gateway.cli.report.panel import Panel
from gateway.cli.report.subject import Subject
from gateway.cli.report.wish import Wish
from gateway.core.quant import tasks_performance, tasks_risk
from gateway.core.quant.refusals import NotComputable

TOP = 10
"""Drawdowns in the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """A report's contents, before they are laid out."""

    subject: Subject
    source: str
    kind: str
    periods: int
    given_periods: bool
    risk_free: float
    benchmark: str | None
    performance: Mapping[str, Any]
    tails: Sequence[Mapping[str, Any]]
    assets: Sequence[Mapping[str, Any]]
    missing: tuple[str, ...]
    warnings: tuple[str, ...]


def findings_of(panel: Panel, subject: Subject, wish: Wish, kind: str) -> Findings:
    """Everything; Stop where there is nothing to compute from."""
    periods = wish.periods_of(panel.dates)
    performance = _performance(panel, subject, wish, periods)
    tails, risk_warnings = _tails(performance, periods)
    assets = _assets(panel, subject, wish, periods)
    told = [
        *subject.warnings,
        *performance["warnings"],
        *risk_warnings,
        *(_about(row["symbol"], line) for row in assets for line in row["warnings"]),
    ]
    return Findings(
        subject=subject, source=panel.file, kind=kind, periods=periods, given_periods=wish.periods is not None,
        risk_free=wish.risk_free, benchmark=wish.benchmark, performance=performance, tails=tails, assets=assets,
        missing=tuple(sorted({*subject.missing, *performance["missing"]})), warnings=tuple(dict.fromkeys(told)),
    )  # fmt: skip


def _performance(panel: Panel, subject: Subject, wish: Wish, periods: int) -> dict[str, Any]:
    request = {
        **subject.request,
        "periods_per_year": periods,
        "risk_free": wish.risk_free,
        "top": TOP,
        "benchmark": _benchmark(panel, wish.benchmark, subject.request["dates"]),
    }
    try:
        return tasks_performance.report(request)
    except NotComputable as refusal:
        raise Stop(f"{panel.file}: {subject.name}: {refusal.message}") from None


def _benchmark(panel: Panel, name: str | None, dates: Sequence[str]) -> dict[str, Any] | None:
    """Its values on the subject's dates, of which the first may not be in the file."""
    if name is None:
        return None
    values = {day.isoformat(): value for day, value in zip(panel.dates, panel.columns[name], strict=True)}
    return {"returns" if panel.returns else "prices": [values.get(day) for day in dates]}


def _tails(performance: Mapping[str, Any], periods: int) -> tuple[list[dict[str, Any]], list[str]]:
    """VaR and CVaR of the subject's own returns."""
    grown = performance["columns"]
    base = performance["base"] or (date.fromisoformat(performance["start"]) - timedelta(days=1)).isoformat()
    request = {
        "symbols": ["all"], "dates": [base, *grown["dates"]], "closes": [[1.0, *grown["wealth"]]],
        "weights": {"all": 1.0}, "periods_per_year": periods,
    }  # fmt: skip
    try:
        found = tasks_risk.risk(request)
    except NotComputable as refusal:
        return [], [f"value at risk: {refusal.message}"]
    return found["tails"], [f"value at risk: {line}" for line in found["warnings"]]


def _assets(panel: Panel, subject: Subject, wish: Wish, periods: int) -> list[dict[str, Any]]:
    if not subject.assets:
        return []
    request = {
        "dates": [day.isoformat() for day in panel.opening],
        "assets": [{"symbol": name, "prices": panel.levels(name)} for name in subject.assets],
        "periods_per_year": periods,
        "risk_free": wish.risk_free,
        "benchmark": None if wish.benchmark is None else {"prices": panel.levels(wish.benchmark)},
    }
    return tasks_performance.table(request)


def _about(symbol: str, line: str) -> str:
    return line if line.startswith(f"{symbol}:") else f"{symbol}: {line}"
