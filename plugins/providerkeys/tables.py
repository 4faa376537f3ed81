"""The table of tenants' own provider keys."""

from __future__ import annotations

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, Text

from gateway.core.store import Instant, Json, tenant_table

TABLES = MetaData()

keys = tenant_table(
    "providerkeys_keys", TABLES,
    Column("provider", Text, nullable=False),
    Column("names", Json, nullable=False),  # of the parts that are set
    Column("sealed", Text, nullable=False),  # tenant, provider and values, encrypted at rest
    Column("root", Text, nullable=False, index=True),  # mark of the root secret that it is sealed with
    Column("set_at", Instant, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("tested_at", Instant),
    Column("outcome", Text),
    Column("message", Text),
    Column("refused_at", Instant),  # since when its provider refuses it; null while it works
    PrimaryKeyConstraint("tenant_id", "provider"),
)  # fmt: skip
