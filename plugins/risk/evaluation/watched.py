"""A limit as it is evaluated, and what its event tells. Made anew when somebody changes the limit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import strawberry

from plugins.risk.analysis.data import figure_row, money
from plugins.risk.evaluation.gauge import Act, Gauge
from plugins.risk.evaluation.valuing import Course, Valued
from plugins.risk.limits.events import RiskLimitBreached
from plugins.risk.limits.kinds import LimitKind, LimitRule, LimitState, Measured, measure, read_rule
from plugins.risk.rows import Breach, LimitRow
from schema.provenance import DataMode
from schema.words.figures import Figure

WRITTEN = timedelta(seconds=60)
"""How often a value is written where nothing else happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """What an event tells of the portfolio."""

    name: str
    currency: str
    value: Decimal
    mode: DataMode
    sources: frozenset[str] = frozenset()
    """The providers of the prices that it was valued by."""


@dataclass(slots=True, kw_only=True, eq=False)
class Watched:
    """One limit: its row as last written, and where it stands in memory."""

    row: LimitRow
    rule: LimitRule
    gauge: Gauge
    course: Course = field(default_factory=Course)
    """A drawdown's own; of others the book's, while a price waits for its split, and an empty one else."""
    kept: str | None = None
    """Of which holdings the peak that was last written is."""
    measured: Measured | None = None
    figure: Figure | None = None
    sources: frozenset[str] = frozenset()
    """The providers of the history that the figure was reckoned from."""
    written: datetime | None = None
    """When it was last written, or about to be."""
    problem: str | None = None
    at: datetime | None = None
    unseen: datetime | None = None
    """Since when nobody has evaluated it, where it is a drawdown that the closes of those days are still to tell of."""
    acts: list[tuple[Act, int]] = field(default_factory=list)
    """What became of it since it was last written, with the arm of each."""

    @classmethod
    def of(cls, row: LimitRow) -> Watched:
        """From its row, where it stands as it was last written."""
        gauge = Gauge(
            threshold=row.threshold, hysteresis_bps=row.hysteresis_bps, state=LimitState(row.state), arm=row.arm
        )  # fmt: skip
        basis = None if row.basis is None else Valued.read(row.basis)
        return cls(
            row=row, rule=read_rule(row.kind, row.rule), gauge=gauge, course=Course(peak=row.peak, basis=basis),
            kept=basis.same if basis else None, written=row.evaluated_at, problem=row.problem,
            unseen=row.evaluated_at if basis and row.kind == LimitKind.DRAWDOWN else None,
        )  # fmt: skip

    @property
    def tail(self) -> bool:
        """Whether it is reckoned from history, on a schedule."""
        return self.rule.kind is LimitKind.VALUE_AT_RISK

    @property
    def due(self) -> datetime | None:
        """When its value, and its peak, are to be written though nothing has become of it; None: when they change."""
        return None if self.tail or self.written is None else self.written + WRITTEN

    @property
    def moved(self) -> bool:
        """Whether the peak that was last written is of other holdings."""
        return self.course.basis is not None and self.course.basis.same != self.kept

    @property
    def falls(self) -> bool:
        """Whether it is counted from a peak of its own."""
        return self.rule.kind is LimitKind.DRAWDOWN

    def look(self, valued: Valued, now: datetime) -> None:
        """Measure it on positions, by the prices of their units of now."""
        if self.falls:
            valued = self.course.risen(valued)
        self.take(measure(self.rule, valued.snapshot({}), self.course.peak or Decimal(0)), now)

    def inherit(self, former: Watched) -> None:
        """Go on from the peak of the limit as it was evaluated before somebody changed it."""
        if former.course.basis is not None:
            self.course = replace(former.course)

    def take(self, measured: Measured, now: datetime) -> None:
        """The next value."""
        arm = self.gauge.arm
        act = self.gauge.step(measured.value)
        self.measured, self.problem, self.at = measured, None, now
        if act is not None:
            self.acts.append((act, arm))

    def fail(self, problem: str, now: datetime) -> None:
        """It cannot be measured now: it stands where it stood."""
        self.measured, self.problem, self.at = None, problem, now

    def standing(self) -> LimitRow:
        """Its row as it is to be written."""
        measured = self.measured or Measured(value=None)
        breached = any(act is Act.BREACHED for act, _ in self.acts)
        return replace(
            self.row, state=self.gauge.state.value, arm=self.gauge.arm, value=measured.value, subject=measured.subject,
            figure=figure_row(self.figure) if self.measured else None, problem=self.problem, peak=self.course.peak,
            basis=self.course.basis.plain() if self.course.basis else None, evaluated_at=self.at,
            last_breached_at=self.at if breached else self.row.last_breached_at,
        )  # fmt: skip

    def breach(self, arm: int, event_id: str, at: datetime) -> Breach:
        """The row of a breach."""
        value = self.measured.value if self.measured else None
        return Breach(
            tenant_id=self.row.tenant_id, limit_id=self.row.id, arm=arm, event_id=event_id, value=value, at=at
        )  # fmt: skip

    def event(self, breach: Breach, portrait: Portrait, *, withheld: bool) -> RiskLimitBreached:
        """What is told of a breach; what a licence lets nobody pass on is left out: the caller may ask for it."""
        row, measured = self.row, self.measured or Measured(value=None)
        numbers: dict[str, Any] = (
            {}
            if withheld
            else {
                "value": breach.value,
                "portfolio_value": money(portrait.value, portrait.currency),
                "figure": self.figure,
            }
        )
        return RiskLimitBreached(
            id=strawberry.ID(breach.event_id), occurred_at=breach.at, mode=portrait.mode,
            limit_id=strawberry.ID(row.id), portfolio_id=strawberry.ID(row.portfolio), portfolio_name=portrait.name,
            kind=self.rule.kind, text=self.rule.text(row.threshold), threshold=row.threshold,
            symbol=measured.subject, currency=portrait.currency, arm=breach.arm, note=row.note, withheld=withheld,
            **numbers,
        )  # fmt: skip
