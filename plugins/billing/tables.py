"""The tables of billing. Rollups and notices go when a tenant is erased; invoices stay."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, MetaData, PrimaryKeyConstraint, Text, text
from sqlalchemy import UniqueConstraint as Unique

from gateway.core.store import ExactDecimal, Instant, Json, shared_table, tenant_table, unique_where

TABLES = MetaData()

plans = shared_table(
    "billing_plans", TABLES,
    Column("name", Text, primary_key=True),
    Column("points_per_minute", BigInteger, nullable=False),
    Column("concurrency", Integer, nullable=False),
    Column("streams", Integer, nullable=False),
    Column("webhooks", Integer, nullable=False),
    Column("history_days", Integer),
    Column("providers", Json),  # ids; null for all
    Column("points_per_month", BigInteger),
    Column("soft_points_per_month", BigInteger),
    Column("monthly_price", ExactDecimal, nullable=False),
    Column("currency", Text, nullable=False),
    Column("point_price", ExactDecimal),  # of 1,000 points beyond the included ones
    Column("included_points", BigInteger, nullable=False),
    Column("upstream_calls_per_minute", BigInteger),
    Column("upstream_weight", Integer, nullable=False, server_default=text("1")),
    why="the operator's, offered to all tenants",
)  # fmt: skip

usage_fields = tenant_table(
    "billing_usage_fields", TABLES,
    Column("hour", Instant, nullable=False),
    Column("key_id", Text, nullable=False),  # empty for people and for callers without a credential
    Column("field", Text, nullable=False),  # empty for the operation as a whole
    Column("operations", BigInteger, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("hits", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "hour", "key_id", "field"),
    Index("ix_billing_usage_fields_hour", "hour"),
)  # fmt: skip

usage_providers = tenant_table(
    "billing_usage_providers", TABLES,
    Column("hour", Instant, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("operations", BigInteger, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("hits", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "hour", "key_id", "provider"),
)  # fmt: skip

flushes = shared_table(
    "billing_flushes", TABLES,
    Column("id", Text, primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    why="which batches of counts are written, so that none is added twice",
)  # fmt: skip

notices = tenant_table(
    "billing_notices", TABLES,
    Column("month", Text, nullable=False),
    Column("threshold", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("quota", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "month", "threshold"),
)  # fmt: skip

subscriptions = tenant_table(
    "billing_subscriptions", TABLES,
    Column("id", Text, primary_key=True),
    Column("plan", Text, nullable=False),
    # The plan's prices as they were: a plan that is defined anew begins a new period.
    Column("monthly_price", ExactDecimal, nullable=False),
    Column("currency", Text, nullable=False),
    Column("point_price", ExactDecimal),
    Column("included_points", BigInteger, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    unique_where("ix_billing_subscriptions_open", "tenant_id", where="ended_at IS NULL"),
)  # fmt: skip

invoices = tenant_table(
    "billing_invoices", TABLES,
    Column("id", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False, unique=True),
    Column("number", Text, nullable=False, unique=True),
    Column("month", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("total", ExactDecimal, nullable=False),
    Column("status", Text, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("paid_at", Instant),
    Column("voided_at", Instant),
    Column("external_id", Text, unique=True),  # at the payment provider
    Column("send_attempts", Integer, nullable=False, default=0),
    Column("send_due_at", Instant, nullable=False),
    Column("send_error", Text),
    Unique("tenant_id", "month", "currency"),
)  # fmt: skip

invoice_lines = tenant_table(
    "billing_invoice_lines", TABLES,
    Column("id", Text, primary_key=True),
    Column("invoice_id", Text, ForeignKey("billing_invoices.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("end_day", Date, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("per", BigInteger, nullable=False),
    Column("unit_price", ExactDecimal, nullable=False),
    Column("amount", ExactDecimal, nullable=False),
    Unique("invoice_id", "position"),
)  # fmt: skip

counters = shared_table(
    "billing_counters", TABLES,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
    why="the last invoice number of this gateway: one series without gaps",
)  # fmt: skip

months = shared_table(
    "billing_months", TABLES,
    Column("month", Text, primary_key=True),
    Column("closed_at", Instant, nullable=False),
    why="which months are invoiced for all tenants",
)  # fmt: skip

customers = tenant_table(
    "billing_customers", TABLES,
    Column("customer_id", Text, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id"),
)  # fmt: skip
