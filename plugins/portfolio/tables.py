"""The tables of portfolios."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, Text

from gateway.core.store import ExactDecimal, Instant, Json, tenant_table, unique_where

TABLES = MetaData()

portfolios = tenant_table(
    "portfolio_portfolios", TABLES,
    Column("id", Text, primary_key=True),
    Column("made_by", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("benchmark", Text, nullable=True),  # an instrument's id
    Column("method", Text, nullable=False),  # by which lots are closed
    Column("tracks_cash", Boolean, nullable=False),
    Column("weights", Json, nullable=True),  # [[instrument, weight]]; null where transactions say what is held
    Column("notional", ExactDecimal, nullable=True),
    Column("version", Integer, nullable=False),  # grows with every change, of transactions too
    Column("idempotency_key", Text, nullable=True),
    Column("request_digest", Text, nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index("ix_portfolio_portfolios_page", "tenant_id", "created_at", "id"),
    unique_where(
        "uq_portfolio_portfolios_idempotency", "tenant_id", "idempotency_key", where="idempotency_key IS NOT NULL"
    ),
)  # fmt: skip

transactions = tenant_table(
    "portfolio_transactions", TABLES,
    Column("id", Text, primary_key=True),
    Column("portfolio_id", Text, nullable=False),
    Column("sequence", Integer, nullable=False),  # in the order of recording
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("instrument", Text, nullable=True),
    Column("quantity", ExactDecimal, nullable=True),
    Column("price", ExactDecimal, nullable=True),
    Column("amount", ExactDecimal, nullable=True),
    Column("fee", ExactDecimal, nullable=False),
    Column("ratio", ExactDecimal, nullable=True),
    Column("currency", Text, nullable=False),
    Column("note", Text, nullable=True),
    Column("made_by", Text, nullable=False),
    Column("idempotency_key", Text, nullable=True),
    Column("request_digest", Text, nullable=True),
    Column("created_at", Instant, nullable=False),
    Index("ix_portfolio_transactions_page", "tenant_id", "portfolio_id", "at", "sequence"),
    unique_where(
        "uq_portfolio_transactions_idempotency", "tenant_id", "portfolio_id", "idempotency_key",
        where="idempotency_key IS NOT NULL",
    ),
)  # fmt: skip

imports = tenant_table(
    "portfolio_imports", TABLES,
    Column("id", Text, primary_key=True),
    Column("portfolio_id", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("request_digest", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("error_count", Integer, nullable=False),
    Column("errors", Json, nullable=False),  # the first of them: [[line, column, message]]
    Column("created_at", Instant, nullable=False),
    Index("uq_portfolio_imports_idempotency", "tenant_id", "portfolio_id", "idempotency_key", unique=True),
)  # fmt: skip

universes = tenant_table(
    "portfolio_universes", TABLES,
    Column("id", Text, primary_key=True),
    Column("made_by", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("symbols", Json, nullable=False),  # canonical ids in the order that they were given in
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index("ix_portfolio_universes_page", "tenant_id", "created_at", "id"),
)  # fmt: skip
