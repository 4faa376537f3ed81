"""The tables of alerts."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, PrimaryKeyConstraint, Text

from gateway.core.store import Instant, Json, shared_table, tenant_table, unique_where

TABLES = MetaData()

alerts = tenant_table(
    "alerts_alerts", TABLES,
    Column("id", Text, primary_key=True),
    Column("made_by", Text, nullable=False),  # who made it
    Column("instrument", Text, nullable=True),
    Column("shard", Integer, nullable=False),
    Column("condition", Json, nullable=False),
    Column("price_type", Text, nullable=True),
    Column("repeating", Boolean, nullable=False),
    Column("cooldown_ms", Integer, nullable=False),
    Column("hysteresis_bps", Integer, nullable=False),
    Column("fire_if_true", Boolean, nullable=False),
    Column("note", Text, nullable=True),
    Column("active", Boolean, nullable=False),
    Column("state", Text, nullable=False),  # what it waits for, as last written
    Column("arm", Integer, nullable=False),  # how often it has been armed
    Column("generation", Integer, nullable=False),  # grows when a person changes it: what was decided before is void
    Column("last_triggered_at", Instant, nullable=True),
    Column("seen_at", Instant, nullable=True),  # of news: up to when articles have been looked at
    Column("idempotency_key", Text, nullable=True),
    Column("request_digest", Text, nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False, index=True),
    Index("ix_alerts_alerts_active", "active", "shard"),
    Index("ix_alerts_alerts_page", "tenant_id", "created_at", "id"),
    unique_where(
        "uq_alerts_alerts_idempotency", "tenant_id", "idempotency_key", where="idempotency_key IS NOT NULL"
    ),
)  # fmt: skip

firings = tenant_table(
    "alerts_firings", TABLES,
    Column("alert_id", Text, nullable=False),
    Column("arm", Integer, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    PrimaryKeyConstraint("alert_id", "arm"),  # an arming fires once, whoever evaluates it
)  # fmt: skip

courses = shared_table(
    "alerts_courses", TABLES,
    Column("name", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    why="who told the last number of a measure; all tenants' alerts on it share one look",
)  # fmt: skip

leases = shared_table(
    "alerts_leases", TABLES,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("holder", Text, nullable=False),
    Column("until", Instant, nullable=False),
    why="which process evaluates a part of all tenants' alerts",
)  # fmt: skip

evaluators = shared_table(
    "alerts_evaluators", TABLES,
    Column("holder", Text, primary_key=True),
    Column("until", Instant, nullable=False),
    why="the processes that share the evaluation out among each other",
)  # fmt: skip
