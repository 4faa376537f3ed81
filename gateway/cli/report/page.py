"""A report's page: one file that asks nobody for anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from gateway import __version__
from gateway.cli.report import figures
from gateway.cli.report.charts import Chart, Line, drawn
from gateway.cli.report.findings import TOP, Findings
from gateway.cli.report.markup import Markup, element, joined
from gateway.cli.report.months import month_table
from gateway.cli.report.numbers import exact, percent
from gateway.cli.report.style import STYLE
from gateway.cli.report.tables import Column, Row, table

LONG = timedelta(days=5 * 365.25)
"""Growth over more than this is drawn on a logarithmic scale."""


def page_of(findings: Findings) -> str:
    """The whole document; the same findings give the same bytes."""
    title = f"Report on {findings.subject.name}: {findings.source}"
    sections = [
        ("growth", "Growth", _growth(findings)),
        ("falls", "Drawdowns", _falls(findings)),
        ("calendar", "Months", [month_table(findings.performance["calendar"])]),
        ("risk", "Return and risk", [figures.risk_table(findings)]),
        ("losses", "Value at risk", _losses(findings)),
        ("single", "Assets", [figures.asset_table(findings)] if findings.assets else []),
        ("parts", "Contributions", _parts(findings)),
        ("moving", "Moving windows", _moving(findings)),
        ("data", "Missing dates and warnings", _data(findings)),
    ]
    shown = [section for section in sections if section[2]]
    links = [element("li", element("a", name, href=f"#{key}")) for key, name, _ in shown]
    body = element(
        "body",
        element("header", *_heading(findings), element("nav", element("ul", *links), aria_label="Sections")),
        element("main", *(_section(key, name, parts) for key, name, parts in shown)),
        element("footer", element("p", f"Written by marketgate {__version__} portfolio report.")),
    )
    head = element(
        "head", element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title), element("style", Markup(STYLE)),
    )  # fmt: skip
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _section(key: str, name: str, parts: Sequence[Markup]) -> Markup:
    return element("section", element("h2", name, id=f"{key}-head"), *parts, id=key, aria_labelledby=f"{key}-head")


def _heading(findings: Findings) -> list[Markup]:
    told, subject = findings.performance, findings.subject
    how = "as asked" if findings.given_periods else "told by the distances of the dates"
    span = f"{told['start']} to {told['end']}"
    facts = [
        ("File", f"{findings.source}, {findings.kind}"),
        ("Subject", f"{subject.name}: {subject.made}"),
        ("Span", f"{span}, counted from {told['base']}" if told["base"] else span),
        ("Count", f"{told['count']} returns, {findings.periods} periods a year ({how})"),
        ("Benchmark", findings.benchmark or "none"),
        ("Risk-free rate", f"{percent(findings.risk_free)} a year"),
        ("Conventions", "simple returns; nothing is filled; volatility with ddof 1, times the root of periods a year; "
         "losses of value at risk are positive; the method of each figure stands beside it"),
        *subject.facts,
    ]  # fmt: skip
    if findings.warnings:
        facts.append(("Warnings", element("a", _count(len(findings.warnings), "warning"), href="#data")))
    listed = [joined(element("dt", name), element("dd", value)) for name, value in facts]
    return [
        element("h1", f"Report on {subject.name}"),
        figures.cards(findings),
        element("dl", *listed, class_="facts"),
    ]


def _growth(findings: Findings) -> list[Markup]:
    told = findings.performance
    base = date.fromisoformat(told["base"]) if told["base"] else None
    lines = [_grown(findings.subject.name, told["columns"], base)]
    note, other = "what 1 became", told["benchmark"]
    if other:
        together = other["dates"][0] == told["start"]
        lines.append(_grown(f"benchmark {findings.benchmark}", other, base if together else None))
        note += "" if together else f", that of the benchmark from its first return, which ends on {other['dates'][0]}"
    dates, values = lines[0].dates, [value for line in lines for _, value in line.points()]
    logarithmic = dates[-1] - dates[0] > LONG and min(values) > 0
    note += f"; {'logarithmic' if logarithmic else 'linear'} scale."
    return [drawn(Chart(key="wealth", title="Growth of 1", note=note, lines=lines, logarithmic=logarithmic))]


def _grown(name: str, column: Mapping[str, Any], base: date | None) -> Line:
    """Wealth, with the 1 before the first return where its day is known."""
    dates, wealth = _days(column["dates"]), column["wealth"]
    if base is None:
        return Line(name=name, dates=dates, values=wealth)
    return Line(name=name, dates=[base, *dates], values=[1.0, *wealth])


def _falls(findings: Findings) -> list[Markup]:
    grown = findings.performance["columns"]
    lines = [
        Line(name=findings.subject.name, dates=_days(grown["dates"]), values=grown["drawdowns"]),
    ]
    if other := findings.performance["benchmark"]:
        name = f"benchmark {findings.benchmark}"
        lines.append(Line(name=name, dates=_days(other["dates"]), values=other["drawdowns"]))
    chart = Chart(
        key="drawdown", title="Drawdown", note="below the highest value so far.", lines=lines, percent=True, filled=True
    )
    rows: list[Row] = [
        (str(number), exact(percent(fall["depth"]), fall["depth"]), fall["peak"] or "before the first date",
         fall["trough"], fall["recovery"] or "not recovered", str(fall["length"]))
        for number, fall in enumerate(findings.performance["drawdowns"], 1)
    ]  # fmt: skip
    columns = (
        Column("Rank", "days"), Column("Depth"), Column("Peak", "days"), Column("Trough", "days"),
        Column("Recovery", "days"), Column("Periods"),
    )  # fmt: skip
    caption = f"The deepest drawdowns, {TOP} at most; periods count from the peak to the recovery, or to the end"
    listed = table(caption, columns, rows, key="drawdowns") if rows else element("p", "There is no drawdown.")
    return [drawn(chart), listed]


def _losses(findings: Findings) -> list[Markup]:
    if not findings.tails:
        return [element("p", "There is none: the warnings say why.")]
    return [figures.tail_table(findings)]


def _parts(findings: Findings) -> list[Markup]:
    found = findings.subject.contributions
    if found is not None:
        return [figures.contribution_table(found)]
    if len(findings.assets) < 2:
        return []
    return [element("p", "There are none: the weights of the assets in the portfolio are not known.")]


def _moving(findings: Findings) -> list[Markup]:
    found, grown = findings.performance["rolling"], findings.performance["columns"]
    note = f"over {_count(found['window'], 'return')}"
    ewma = Line(name="EWMA", dates=_days(grown["dates"]), values=grown["ewma_volatility"])
    charts = []
    if found["volatility"]:
        lines = [_window(found["volatility"], "moving window"), ewma]
        words = f"a year, {note}, and exponentially weighted (EWMA)."
        charts.append(Chart(key="volatility", title="Volatility", note=words, lines=lines, percent=True))
    for name, title in (("sharpe", "Sharpe ratio"), ("beta", "Beta")):
        if found[name]:
            charts.append(Chart(key=name, title=title, note=f"{note}.", lines=[_window(found[name], title)]))
    return [drawn(chart) for chart in charts] or [element("p", "There are none: the warnings say why.")]


def _data(findings: Findings) -> list[Markup]:
    missing = findings.missing
    words = f"{_count(len(missing), 'date')} of the file without a value, spanned by the next return: "
    dates = element("p", words + ", ".join(missing) if missing else "No date inside the span is missing.")
    if not findings.warnings:
        return [dates, element("p", "There are no warnings.")]
    return [dates, element("ul", *(element("li", line) for line in findings.warnings))]


def _window(found: Mapping[str, Any], name: str) -> Line:
    return Line(name=name, dates=_days(found["dates"]), values=found["values"])


def _days(dates: Sequence[str]) -> list[date]:
    return [date.fromisoformat(day) for day in dates]


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
