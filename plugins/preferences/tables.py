"""The table of tenants' preferences."""

from __future__ import annotations

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, Text

from gateway.core.store import ExactDecimal, Instant, Json, tenant_table

TABLES = MetaData()

routing = tenant_table(
    "preferences_routing", TABLES,
    Column("order", Json, nullable=False),  # ids of providers, the first one first
    Column("denied", Json, nullable=False),  # ids of providers
    Column("dearest", ExactDecimal),  # US dollars a call
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id"),
)  # fmt: skip
