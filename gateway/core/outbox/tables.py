"""The tables of the outbox: events, and each tenant's log of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, PrimaryKeyConstraint, Text

from gateway.core.store import Instant, shared_table, tenant_table

TABLES = MetaData()

events = shared_table(
    "outbox_events", TABLES,
    Column("id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("occurred_at", Instant, nullable=False, index=True),
    Column("value", Text, nullable=False),  # the type's fields, for reading it again
    Column("data", Text, nullable=False),  # as GraphQL prints it, byte for byte what is delivered
    why="an event of the markets stands in many logs; whose log an event stands in says outbox_log",
)  # fmt: skip

log = tenant_table(
    "outbox_log", TABLES,
    Column("position", BigInteger, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False, index=True),
    Column("taken", Boolean, nullable=False, default=False),
    PrimaryKeyConstraint("tenant_id", "position"),
    Index("ix_outbox_log_waiting", "taken", "occurred_at"),
    Index("ix_outbox_log_event", "event_id"),
)  # fmt: skip

heads = tenant_table(
    "outbox_heads", TABLES,
    Column("position", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id"),
)  # fmt: skip
