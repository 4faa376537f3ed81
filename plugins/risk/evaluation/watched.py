"""A limit as it is evaluated, and what its event tells. Made anew when somebody changes the limit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

import strawberry

from plugins.risk.evaluation.gauge import Act, Gauge
from plugins.risk.evaluation.valuing import Valued, rebased, settled
from plugins.risk.limits.events import RiskLimitBreached
from plugins.risk.limits.kinds import LimitKind, LimitRule, LimitState, Measured, measure, read_rule
from plugins.risk.rows import Breach, LimitRow
from schema.provenance import DataMode
from schema.words.figures import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """What an event tells of the portfolio."""

    name: str
    currency: str
    value: Decimal
    mode: DataMode


@dataclass(slots=True, kw_only=True, eq=False)
class Watched:
    """One limit: its row as last written, and where it stands in memory."""

    row: LimitRow
    rule: LimitRule
    gauge: Gauge
    peak: Decimal | None = None
    basis: Valued | None = None
    """The holdings that the peak belongs to, by the prices that were last seen."""
    kept: str | None = None
    """Of which holdings the peak that was last written is."""
    measured: Measured | None = None
    figure: Figure | None = None
    problem: str | None = None
    at: datetime | None = None
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
            row=row, rule=read_rule(row.kind, row.rule), gauge=gauge, peak=row.peak, basis=basis,
            kept=basis.same if basis else None, problem=row.problem,
        )  # fmt: skip

    @property
    def tail(self) -> bool:
        """Whether it is reckoned from history, on a schedule."""
        return self.rule.kind is LimitKind.VALUE_AT_RISK

    @property
    def moved(self) -> bool:
        """Whether the peak that was last written is of other holdings."""
        return self.basis is not None and self.basis.same != self.kept

    def look(self, valued: Valued, now: datetime) -> None:
        """Measure it on positions, by the prices that are theirs now."""
        if self.rule.kind is LimitKind.DRAWDOWN:
            valued = self._risen(valued)
        self.take(measure(self.rule, valued.snapshot({}), self.peak or Decimal(0)), now)

    def _risen(self, valued: Valued) -> Valued:
        """The peak behind what was paid, traded or split since, and the value that it is compared with."""
        peak = self.peak or Decimal(0)
        if self.basis is not None:
            valued = settled(self.basis, valued, peak)
            if self.basis.same != valued.same:
                peak = rebased(peak, self.basis, valued)
        self.peak, self.basis = max(peak, valued.snapshot({}).value), valued
        return valued

    def inherit(self, former: Watched) -> None:
        """Go on from the peak of the limit as it was evaluated before somebody changed it."""
        if former.basis is not None:
            self.peak, self.basis = former.peak, former.basis

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
            problem=self.problem, peak=self.peak, basis=self.basis.plain() if self.basis else None,
            evaluated_at=self.at,
            last_breached_at=self.at if breached else self.row.last_breached_at,
        )  # fmt: skip

    def breach(self, arm: int, event_id: str, at: datetime) -> Breach:
        """The row of a breach."""
        value = self.measured.value if self.measured else None
        return Breach(
            tenant_id=self.row.tenant_id, limit_id=self.row.id, arm=arm, event_id=event_id, value=value, at=at
        )  # fmt: skip

    def event(self, breach: Breach, portrait: Portrait) -> RiskLimitBreached:
        """What is told of a breach."""
        row, measured = self.row, self.measured or Measured(value=None)
        return RiskLimitBreached(
            id=strawberry.ID(breach.event_id), occurred_at=breach.at, mode=portrait.mode,
            limit_id=strawberry.ID(row.id), portfolio_id=strawberry.ID(row.portfolio), portfolio_name=portrait.name,
            kind=self.rule.kind, text=self.rule.text(row.threshold), threshold=row.threshold, value=breach.value,
            symbol=measured.subject, portfolio_value=portrait.value, currency=portrait.currency, figure=self.figure,
            arm=breach.arm, note=row.note,
        )  # fmt: skip
