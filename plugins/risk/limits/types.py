"""GraphQL types of limits."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self

import strawberry

from plugins.risk.analysis.data import figure_of
from plugins.risk.limits.kinds import LimitKind, LimitState, read_rule
from plugins.risk.rows import LimitRow
from schema.events import EPOCH
from schema.facts import facts
from schema.model import described, model
from schema.paging import PageInfo
from schema.refusals import refusals
from schema.scopes import Scope
from schema.symbols import AssetClass
from schema.words.figures import Figure
from schema.words.instruments import Node
from schema.words.problems import UserError

ERRORS = "Why nothing happened; empty where it did."
READ = facts(cost=0, needs=Scope.PORTFOLIO_READ, also=Scope.MARKET_READ)
"""Of what a change shows: who may write need not be one who may read."""


@model("A bound on a portfolio's risk, watched on live prices; a breach is an event.", implements=(Node,))
class RiskLimit:
    """All members who may read portfolios see it; it is breached while its value is above the threshold."""

    id: strawberry.ID = described("Give it to `node(id:)`; the subject of its events.")
    portfolio_id: strawberry.ID = described("The portfolio that it is on.")
    kind: LimitKind = described("What it holds down.")
    text: str = described("When it is breached, in words.")
    threshold: Decimal = described("The greatest value that is no breach; a fraction: 0.05 is 5 %.")
    hysteresis_bps: int = described("So far below the threshold, in basis points of it, the value must go back.")
    asset_class: AssetClass | None = described("Whose exposure; null for other kinds.", default=None)
    confidence: float | None = described("Of the value at risk; null for other kinds.", default=None)
    days: int | None = described("Calendar days of history of the value at risk; null for other kinds.", default=None)
    note: str | None = described("What its maker noted: it stands in its events.", default=None)
    active: bool = described("Whether it is watched.")
    state: LimitState = described("Where it stands, as last written.")
    arm: int = described("How often it has been armed: each arming tells one breach.")
    value: Decimal | None = described(
        "The value as last written, at least once a minute (the value at risk every 15); null where there is none."
    )
    subject: str | None = described("Of which position the value is, where it is of one.", default=None)
    figure: Figure | None = described(
        "How that value was reckoned, and from which days; null for what is no VALUE_AT_RISK.", default=None
    )
    problem: str | None = described("Why it cannot be measured now; null where it can.", default=None)
    evaluated_at: datetime | None = described("When the value was written.", default=None)
    last_breached_at: datetime | None = described("When it was breached last.", default=None)
    owner: str = described("Who made it: a person's or a key's id.")
    created_at: datetime = described("When it was made.")
    changed_at: datetime = described("When somebody changed it last.")

    @classmethod
    def named(cls, id: str) -> Self:
        """One of which nothing but its id is shown."""
        return cls(
            id=strawberry.ID(id), portfolio_id=strawberry.ID(""), kind=LimitKind.SINGLE_NAME, text="",
            threshold=Decimal(0), hysteresis_bps=0, active=False, state=LimitState.ARMED, arm=0, value=None, owner="",
            created_at=EPOCH, changed_at=EPOCH,
        )  # fmt: skip

    @classmethod
    def of(cls, row: LimitRow) -> Self:
        """From a row."""
        rule = read_rule(row.kind, row.rule)
        tail = rule.kind is LimitKind.VALUE_AT_RISK
        return cls(
            id=strawberry.ID(row.id), portfolio_id=strawberry.ID(row.portfolio), kind=rule.kind,
            text=rule.text(row.threshold), threshold=row.threshold, hysteresis_bps=row.hysteresis_bps,
            asset_class=rule.asset_class, confidence=rule.confidence if tail else None,
            days=rule.days if tail else None, note=row.note, active=row.active, state=LimitState(row.state),
            arm=row.arm, value=row.value, subject=row.subject, figure=figure_of(row.figure), problem=row.problem,
            evaluated_at=row.evaluated_at,
            last_breached_at=row.last_breached_at, owner=row.made_by, created_at=row.created_at,
            changed_at=row.changed_at,
        )  # fmt: skip


@model("A page of limits.")
class RiskLimitConnection:
    """The oldest first."""

    nodes: list[RiskLimit] = described("The limits.")
    page_info: PageInfo = described("Where this page stands.")


@refusals(
    "Why a limit was not made.",
    NOT_FOUND="There is no such portfolio, or not for you.",
    LIMIT_INVALID="The threshold, the hysteresis or what the kind needs is out of its range.",
    NOTE_INVALID="The note is too long or has characters that it may not have.",
    TOO_MANY_LIMITS="The organisation has as many limits as it may have.",
)
class RiskLimitCreateErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    LIMIT_INVALID = "LIMIT_INVALID"
    NOTE_INVALID = "NOTE_INVALID"
    TOO_MANY_LIMITS = "TOO_MANY_LIMITS"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals(
    "Why a limit was not changed.",
    LIMIT_INVALID="The threshold, the hysteresis or what the kind needs is out of its range.",
    NOTE_INVALID="The note is too long or has characters that it may not have.",
)
class RiskLimitUpdateErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    LIMIT_INVALID = "LIMIT_INVALID"
    NOTE_INVALID = "NOTE_INVALID"


@refusals("Why a limit was not deleted.")
class RiskLimitDeleteErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"


@strawberry.input(description="A new limit. It is breached at once where its value is above the threshold already.")
class RiskLimitCreateInput:
    """Of the organisation."""

    portfolio_id: strawberry.ID = strawberry.field(description="The portfolio's id.")
    kind: LimitKind = strawberry.field(description="What it holds down.")
    threshold: Decimal = strawberry.field(description='The greatest value that is no breach; "0.05" is 5 %.')
    asset_class: AssetClass | None = strawberry.field(description="For CLASS_EXPOSURE: whose.", default=None)
    confidence: float = strawberry.field(description="For VALUE_AT_RISK: above 0.5, 0.9999 at most.", default=0.95)
    days: int = strawberry.field(description="For VALUE_AT_RISK: calendar days of history, 30 to 3,650.", default=365)
    hysteresis_bps: int = strawberry.field(
        description="It is armed again so far below the threshold, 0 to 9,999 basis points of it.", default=100
    )
    note: str | None = strawberry.field(description="Stands in its events; at most 500 characters.", default=None)
    idempotency_key: str | None = strawberry.field(
        description="The same key with the same input makes no second one.", default=None
    )


@strawberry.input(description="Changes of a limit; what is left out stays. It is armed as if it were new.")
class RiskLimitUpdateInput:
    """Kind and portfolio stay."""

    id: strawberry.ID = strawberry.field(description="The limit's id.")
    threshold: Decimal | None = strawberry.field(description="Another threshold.", default=None)
    asset_class: AssetClass | None = strawberry.field(description="Another asset class.", default=None)
    confidence: float | None = strawberry.field(description="Another confidence.", default=None)
    days: int | None = strawberry.field(description="Another length of history.", default=None)
    hysteresis_bps: int | None = strawberry.field(description="Another hysteresis.", default=None)
    note: str | None = strawberry.field(description="Another note; empty for none.", default=None)
    active: bool | None = strawberry.field(description="Whether it is watched.", default=None)


@strawberry.input(description="Which limit to delete.")
class RiskLimitDeleteInput:
    """Of the organisation."""

    id: strawberry.ID = strawberry.field(description="The limit's id.")


@model("What came of `riskLimitCreate`.")
class RiskLimitCreatePayload:
    """The limit, or why there is none."""

    risk_limit: RiskLimit | None = described("The new limit.", default=None, metadata=READ)
    user_errors: list[UserError[RiskLimitCreateErrorCode]] = described(ERRORS)


@model("What came of `riskLimitUpdate`.")
class RiskLimitUpdatePayload:
    """All of the change was made, or nothing."""

    risk_limit: RiskLimit | None = described("The limit as it is now.", default=None, metadata=READ)
    user_errors: list[UserError[RiskLimitUpdateErrorCode]] = described(ERRORS)


@model("What came of `riskLimitDelete`.")
class RiskLimitDeletePayload:
    """It is gone for good."""

    risk_limit_id: strawberry.ID | None = described("What was deleted.", default=None)
    user_errors: list[UserError[RiskLimitDeleteErrorCode]] = described(ERRORS)
