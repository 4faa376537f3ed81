"""Rows of the tables of risk, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstraintRow:
    """`risk_constraints`."""

    tenant_id: str
    id: str
    made_by: str
    name: str
    rules: Any
    idempotency_key: str | None
    request_digest: str | None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """`risk_limits`."""

    tenant_id: str
    id: str
    made_by: str
    portfolio: str
    shard: int
    kind: str
    threshold: Decimal
    rule: Any
    hysteresis_bps: int
    note: str | None
    active: bool
    state: str
    arm: int
    generation: int
    value: Decimal | None
    subject: str | None
    figure: Any
    problem: str | None
    peak: Decimal | None
    basis: Any
    evaluated_at: datetime | None
    last_breached_at: datetime | None
    idempotency_key: str | None
    request_digest: str | None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """`risk_breaches`."""

    tenant_id: str
    limit_id: str
    arm: int
    event_id: str
    value: Decimal | None
    at: datetime
