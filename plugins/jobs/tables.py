"""The table of jobs."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, MetaData, Text

from gateway.core.store import Instant, Json, tenant_table

TABLES = MetaData()

jobs = tenant_table(
    "jobs_jobs", TABLES,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("who", Text, nullable=False),  # as the audit trail names them
    Column("by_user", Text),
    Column("by_key", Text),
    Column("scopes", Json, nullable=False),  # of who began it
    Column("input", Json, nullable=False),
    Column("idempotency_key", Text),
    Column("state", Text, nullable=False),
    Column("progress", Float, nullable=False),
    Column("words", Text),
    Column("result", Text),  # JSON
    Column("error_code", Text),
    Column("error_message", Text),
    Column("tries", Integer, nullable=False),
    Column("lease", Text),  # whose it is while it runs
    Column("leased_until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("expires_at", Instant),
    Index("ix_jobs_jobs_made", "tenant_id", "created_at", "id"),
    Index("ix_jobs_jobs_key", "tenant_id", "idempotency_key", unique=True),
    Index("ix_jobs_jobs_state", "state", "created_at"),
    Index("ix_jobs_jobs_expires", "expires_at"),
)  # fmt: skip
