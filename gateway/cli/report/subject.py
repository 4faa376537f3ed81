"""Whose returns a report is about: a column, or a portfolio of the columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gateway.cli.outcome import Stop, usage
from gateway.cli.report.panel import Panel
from gateway.cli.report.wish import Wish
from gateway.core.quant import tasks_performance
from gateway.core.quant.refusals import NotComputable

PORTFOLIO = "portfolio"
SPELLED = 5
"""So many names stand in a sentence; the rest is counted."""
FIELD = re.compile(r"assets\[(\d+)\]\.prices")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A series with where it comes from."""

    name: str
    made: str
    """How it came about, in a sentence."""
    request: Mapping[str, Any]
    """`dates`, and `prices` or `returns` on them: what `tasks_performance.report` is asked."""
    assets: tuple[str, ...]
    contributions: Mapping[str, Any] | None = None
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = field(default=())
    """Further lines of the heading."""


def subject_of(panel: Panel, wish: Wish) -> Subject:
    """The column `portfolio`, the only column, or all of them with weights."""
    check_column(panel, wish.benchmark, "--benchmark")
    assets = tuple(name for name in panel.columns if name not in (PORTFOLIO, wish.benchmark))
    if PORTFOLIO in panel.columns or (len(assets) == 1 and not wish.weights):
        if wish.weights:
            raise usage(f"--weights: the file has a column {PORTFOLIO}, which has its own: leave one of them out")
        return _column(panel, PORTFOLIO if PORTFOLIO in panel.columns else assets[0], assets)
    for name in wish.weights or ():
        check_column(panel, name, "--weights")
    if not assets and not wish.weights:
        raise usage(f"{panel.file}: there is no column beside the benchmark: add one to report on")
    return _held(panel, wish.weights or dict.fromkeys(assets, 1 / len(assets)), wish)


def check_column(panel: Panel, name: str | None, option: str) -> None:
    """Stop where the file has no such column."""
    if name is not None and name not in panel.columns:
        raise usage(f"{option}: {panel.file} has no column {name}: it has {_few(list(panel.columns))}")


def _column(panel: Panel, name: str, assets: tuple[str, ...]) -> Subject:
    request = {
        "dates": [day.isoformat() for day in panel.dates],
        "returns" if panel.returns else "prices": list(panel.columns[name]),
    }
    return Subject(
        name=name, made=f"column {name} of the file", request=request,
        assets=tuple(each for each in assets if each != name),
        warnings=tuple(_edges(panel, name, [name])),
    )  # fmt: skip


def _held(panel: Panel, weights: Mapping[str, float], wish: Wish) -> Subject:
    names = tuple(weights)
    found = _contributed(panel, weights, wish.rebalance)
    days, base = found["dates"], found["base"]
    # Before the first return of a file of returns stands no date of its own.
    opened = not panel.returns or base != panel.opening[0].isoformat()
    request = {
        "dates": [base, *days] if opened else days,
        "returns": [None, *found["returns"]] if opened else found["returns"],
    }
    equal = "equal weights" if wish.weights is None else "given weights"
    plan = "never rebalanced" if wish.rebalance == "never" else f"rebalanced {wish.rebalance.replace('_', ' ')}"
    return Subject(
        name=PORTFOLIO, made=f"{len(names)} columns of the file, {equal} at the start, {plan}", request=request,
        assets=names, contributions={**found, "weights": list(weights.values())}, missing=tuple(found["missing"]),
        warnings=(*found["warnings"], *_edges(panel, PORTFOLIO, names)),
    )  # fmt: skip


def _contributed(panel: Panel, weights: Mapping[str, float], rebalance: str) -> dict[str, Any]:
    request = {
        "dates": [day.isoformat() for day in panel.opening],
        "assets": [{"symbol": name, "prices": panel.levels(name)} for name in weights],
        "weights": list(weights.values()), "rebalance": rebalance,
    }  # fmt: skip
    try:
        return tasks_performance.contributions(request)
    except NotComputable as refusal:
        raise Stop(f"{panel.file}: {_renamed(refusal.message, list(weights))}") from None


def _edges(panel: Panel, subject: str, names: Sequence[str]) -> list[str]:
    """Columns that begin after the file does, or end before it, shorten what is made of them."""
    first: dict[str, date] = {}
    last: dict[str, date] = {}
    for name in names:
        there = [day for day, value in zip(panel.dates, panel.columns[name], strict=True) if value is not None]
        if there:
            first[name], last[name] = there[0], there[-1]
    late = [name for name, day in first.items() if day > panel.dates[0]]
    gone = [name for name, day in last.items() if day < panel.dates[-1]]
    told = []
    if late:
        told.append(f"{subject}: begins on {max(first.values())}: before, there is no value of {_few(late)}")
    if gone:
        told.append(f"{subject}: ends on {min(last.values())}: after, there is no value of {_few(gone)}")
    return told


def _renamed(message: str, names: Sequence[str]) -> str:
    """A task's message with the names of columns for the places of its request."""
    return FIELD.sub(lambda found: names[int(found[1])], message)


def _few(names: Sequence[str]) -> str:
    more = len(names) - SPELLED
    return ", ".join(names[:SPELLED]) + (f" and {more} more" if more > 0 else "")
