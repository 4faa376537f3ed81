"""The tables of watchlists."""

from __future__ import annotations

from sqlalchemy import Column, Index, MetaData, Text

from gateway.core.store import Instant, Json, tenant_table

TABLES = MetaData()

lists = tenant_table(
    "watchlists_lists", TABLES,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),  # the person, or the API key
    Column("name", Text, nullable=False),
    Column("symbols", Json, nullable=False),  # canonical ids in the order of the list
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index("ix_watchlists_lists_owner", "tenant_id", "owner", "created_at"),
)  # fmt: skip
