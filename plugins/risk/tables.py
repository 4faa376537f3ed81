"""The tables of risk: sets of constraints, limits, their breaches, and who evaluates them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, PrimaryKeyConstraint, Text
from sqlalchemy import UniqueConstraint as Unique

from gateway.core.store import ExactDecimal, Instant, Json, shared_table, tenant_table, unique_where

TABLES = MetaData()

constraint_sets = tenant_table(
    "risk_constraints", TABLES,
    Column("id", Text, primary_key=True),
    Column("made_by", Text, nullable=False),  # who made it
    Column("name", Text, nullable=False),
    Column("rules", Json, nullable=False),
    Column("idempotency_key", Text, nullable=True),
    Column("request_digest", Text, nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Unique("tenant_id", "name", name="uq_risk_constraints_name"),
    Index("ix_risk_constraints_page", "tenant_id", "created_at", "id"),
    unique_where(
        "uq_risk_constraints_idempotency", "tenant_id", "idempotency_key", where="idempotency_key IS NOT NULL"
    ),
)  # fmt: skip

limits = tenant_table(
    "risk_limits", TABLES,
    Column("id", Text, primary_key=True),
    Column("made_by", Text, nullable=False),
    Column("portfolio", Text, nullable=False),
    Column("shard", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("threshold", ExactDecimal, nullable=False),
    Column("rule", Json, nullable=False),  # what the kind needs besides
    Column("hysteresis_bps", Integer, nullable=False),
    Column("note", Text, nullable=True),
    Column("active", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("arm", Integer, nullable=False),  # how often it has been armed
    Column("generation", Integer, nullable=False),  # grows when a person changes it: what was decided before is void
    Column("value", ExactDecimal, nullable=True),  # as last written
    Column("subject", Text, nullable=True),  # which position the value is of
    Column("figure", Json, nullable=True),  # how the value was reckoned, where it is one of history
    Column("problem", Text, nullable=True),  # why there is no value
    Column("peak", ExactDecimal, nullable=True),  # of the portfolio's value, for drawdowns and while splits wait
    Column("basis", Json, nullable=True),  # the holdings, with their prices, that the peak belongs to
    Column("evaluated_at", Instant, nullable=True),
    Column("last_breached_at", Instant, nullable=True),
    Column("idempotency_key", Text, nullable=True),
    Column("request_digest", Text, nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False, index=True),
    Index("ix_risk_limits_active", "active", "shard"),
    Index("ix_risk_limits_page", "tenant_id", "created_at", "id"),
    unique_where("uq_risk_limits_idempotency", "tenant_id", "idempotency_key", where="idempotency_key IS NOT NULL"),
)  # fmt: skip

breaches = tenant_table(
    "risk_breaches", TABLES,
    Column("limit_id", Text, nullable=False),
    Column("arm", Integer, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("value", ExactDecimal, nullable=True),
    Column("at", Instant, nullable=False, index=True),
    PrimaryKeyConstraint("limit_id", "arm"),  # an arming is breached once, whoever evaluates it
)  # fmt: skip

leases = shared_table(
    "risk_leases", TABLES,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("holder", Text, nullable=False),
    Column("until", Instant, nullable=False),
    why="which process evaluates a part of all tenants' limits",
)  # fmt: skip

evaluators = shared_table(
    "risk_evaluators", TABLES,
    Column("holder", Text, primary_key=True),
    Column("until", Instant, nullable=False),
    why="the processes that share the evaluation out among each other",
)  # fmt: skip
