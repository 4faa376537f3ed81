"""A portfolio of transactions, valued day by day as portfolios of the gateway are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from gateway.cli.outcome import Stop, usage
from gateway.cli.report.numbers import percent
from gateway.cli.report.panel import Panel
from gateway.cli.report.subject import Subject, check_column
from gateway.cli.report.tape import Tape
from gateway.cli.report.wish import Wish
from gateway.core.quant import tasks_performance
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.steps import whole
from plugins.portfolio.ledger import EXACT, Ratios, total
from plugins.portfolio.valuation.daily import (
    CASH,
    Course,
    Day,
    Prices,
    contributions_of,
    course_of,
    flows_in_steps,
    return_of,
)
from plugins.portfolio.valuation.performance import METHOD

NAME = "transactions"
A_DAY = timedelta(days=1)


class FilePrices(Prices):
    """Closes of a panel on their own days only: nothing is carried to another one."""

    def __init__(self, panel: Panel, ratios: Ratios) -> None:
        super().__init__((), {}, "", ratios)
        self._splits = ratios
        self._table = {name: dict(zip(panel.dates, closes, strict=True)) for name, closes in panel.columns.items()}

    def price(self, instrument: str, day: date, at: datetime | None = None) -> Decimal | None:
        """Of a unit as it was then, before later splits."""
        close = self._table[instrument].get(day)
        return (
            None if close is None else EXACT.multiply(Decimal(repr(close)), self._splits.since(instrument, at or day))
        )


def held_span(tape: Tape, panel: Panel) -> Panel:
    """The panel from the last date before the first transaction on."""
    begin = max(bisect_left(panel.dates, tape.first) - 1, 0)
    columns = {name: values[begin:] for name, values in panel.columns.items()}
    return replace(panel, file=tape.file, dates=panel.dates[begin:], columns=columns)


def traded(tape: Tape, panel: Panel, wish: Wish) -> Subject:
    """What the transactions earned on the panel's dates."""
    check_column(panel, wish.benchmark, "--benchmark")
    for row in tape.rows:
        if row.instrument is not None and row.instrument not in panel.columns:
            raise usage(f"--prices: there is no column {row.instrument}, which is traded on {row.at.date()}: add it")
    course = course_of(
        tape.rows, _axis(tape, panel), FilePrices(panel, Ratios(tape.rows)), tracks_cash=tape.tracks_cash
    )
    try:
        worked = course.worked if course.days else []
    except NotComputable as refusal:
        raise Stop(f"{tape.file}: {refusal.message}") from None
    if not worked:
        raise Stop(f"{tape.file}: no day has a return: nothing is held on a date of the prices, or has no price there")
    before = course.days[course.days.index(worked[0]) - 1].date
    parts = contributions_of(worked)
    rate, why = _money_weighted(course)
    return Subject(
        name=NAME,
        made=f"{len(tape.rows)} transactions; returns are {METHOD}",
        request={
            "dates": [before.isoformat(), *(day.date.isoformat() for day in worked)],
            "returns": [None, *(float(return_of(day)) for day in worked)],
        },
        assets=tape.symbols,
        contributions={
            "method": "gains over the money at work, linked by wealth at the beginning of each day",
            "total": {"value": float(total(parts.values()))}, "weights": None,
            "contributions": [{"symbol": name or "Cash", "value": float(part)} for name, part in _cash_last(parts)],
        },
        missing=tuple(day.isoformat() for day in course.unpriced if day <= worked[-1].date),
        warnings=(*_warnings(tape, panel, course, worked), *([f"money-weighted return: {why}"] if why else [])),
        facts=_facts(tape, course, rate),
    )  # fmt: skip


def _axis(tape: Tape, panel: Panel) -> list[date]:
    """Dates with prices from the first transaction on, and before them the one from which returns count."""
    begin = bisect_left(panel.dates, tape.first)
    before = panel.dates[begin - 1] if begin else tape.first - A_DAY
    return [before, *panel.dates[begin:]]


def _cash_last(parts: dict[str, Decimal]) -> list[tuple[str, Decimal]]:
    return sorted(parts.items(), key=lambda part: (part[0] == CASH, part[0]))


def _money_weighted(course: Course) -> tuple[dict[str, Any] | None, str | None]:
    """The rate, or why there is none."""
    flows = whole(flows_in_steps(course))
    told = [{"date": day.isoformat(), "amount": float(amount)} for day, amount in flows]
    try:
        return tasks_performance.xirr({"flows": told})["rate"], None
    except NotComputable as refusal:
        return None, refusal.message


def _warnings(tape: Tape, panel: Panel, course: Course, worked: Sequence[Day]) -> list[str]:
    found = []
    if inside := [day for day in course.unpriced if day <= worked[-1].date]:
        found.append(f"{NAME}: not valued on {len(inside)} dates, as something held has no price there")
    if [day for day in course.unpriced if day > worked[-1].date]:
        found.append(f"{NAME}: not valued after {worked[-1].date}, as something held has no price there")
    if late := len(tape.rows) - bisect_right(tape.rows, panel.dates[-1], key=lambda row: row.at.date()):
        found.append(f"{NAME}: {late} after {panel.dates[-1]}, the last date with prices, do not count")
    return found


def _facts(tape: Tape, course: Course, rate: dict[str, Any] | None) -> tuple[tuple[str, str], ...]:
    came, went = (total(each) for each in ([d.came for d in course.days], [d.went for d in course.days]))
    last = course.days[-1]
    cash = "cash is kept" if tape.tracks_cash else "no cash is kept: purchases are brought in, sales are taken out"
    found = [
        ("Brought in", f"{_money(came, tape.currency)}, taken out {_money(went, tape.currency)}; {cash}"),
        ("Value", f"{_money(last.value, tape.currency)} on {last.date}"),
    ]
    if rate is not None:
        found.append(("Money-weighted", f"{percent(rate['value'])} a year, {rate['method']}"))
    return tuple(found)


def _money(amount: Decimal, currency: str | None) -> str:
    return f"{amount:,.2f} {currency}" if currency else f"{amount:,.2f}"
