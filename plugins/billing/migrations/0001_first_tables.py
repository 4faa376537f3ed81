"""first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.core import store

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "billing_counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        info={"scope": "shared", "why": "the last invoice number of this gateway: one series without gaps"},
    )
    op.create_table(
        "billing_customers",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id"),
        sa.UniqueConstraint("customer_id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("billing_customers", schema=None) as batch_op:
        batch_op.create_index("ix_billing_customers_tenant", ["tenant_id"], unique=False)

    op.create_table(
        "billing_flushes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "shared", "why": "which batches of counts are written, so that none is added twice"},
    )
    with op.batch_alter_table("billing_flushes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_billing_flushes_at"), ["at"], unique=False)

    op.create_table(
        "billing_invoices",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total", store.ExactDecimal(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("issued_at", store.Instant(), nullable=False),
        sa.Column("paid_at", store.Instant(), nullable=True),
        sa.Column("voided_at", store.Instant(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("send_attempts", sa.Integer(), nullable=False),
        sa.Column("send_due_at", store.Instant(), nullable=False),
        sa.Column("send_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("external_id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("sequence"),
        sa.UniqueConstraint("tenant_id", "month", "currency"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("billing_invoices", schema=None) as batch_op:
        batch_op.create_index("ix_billing_invoices_tenant", ["tenant_id"], unique=False)

    op.create_table(
        "billing_months",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("closed_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("month"),
        info={"scope": "shared", "why": "which months are invoiced for all tenants"},
    )
    op.create_table(
        "billing_notices",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("threshold", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("quota", sa.BigInteger(), nullable=False),
        sa.Column("at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "month", "threshold"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("billing_notices", schema=None) as batch_op:
        batch_op.create_index("ix_billing_notices_tenant", ["tenant_id"], unique=False)

    op.create_table(
        "billing_plans",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("points_per_minute", sa.BigInteger(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("streams", sa.Integer(), nullable=False),
        sa.Column("webhooks", sa.Integer(), nullable=False),
        sa.Column("history_days", sa.Integer(), nullable=True),
        sa.Column("providers", store.Json, nullable=True),
        sa.Column("points_per_month", sa.BigInteger(), nullable=True),
        sa.Column("soft_points_per_month", sa.BigInteger(), nullable=True),
        sa.Column("monthly_price", store.ExactDecimal(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("point_price", store.ExactDecimal(), nullable=True),
        sa.Column("included_points", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        info={"scope": "shared", "why": "the operator's, offered to all tenants"},
    )
    op.create_table(
        "billing_subscriptions",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("monthly_price", store.ExactDecimal(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("point_price", store.ExactDecimal(), nullable=True),
        sa.Column("included_points", sa.BigInteger(), nullable=False),
        sa.Column("started_at", store.Instant(), nullable=False),
        sa.Column("ended_at", store.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("billing_subscriptions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_billing_subscriptions_open",
            ["tenant_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index("ix_billing_subscriptions_tenant", ["tenant_id"], unique=False)

    op.create_table(
        "billing_usage_fields",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("hour", store.Instant(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("operations", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "hour", "key_id", "field"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("billing_usage_fields", schema=None) as batch_op:
        batch_op.create_index("ix_billing_usage_fields_tenant", ["tenant_id"], unique=False)

    op.create_table(
        "billing_usage_providers",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("hour", store.Instant(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("operations", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "hour", "key_id", "provider"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("billing_usage_providers", schema=None) as batch_op:
        batch_op.create_index("ix_billing_usage_providers_tenant", ["tenant_id"], unique=False)

    op.create_table(
        "billing_invoice_lines",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("end_day", sa.Date(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("per", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", store.ExactDecimal(), nullable=False),
        sa.Column("amount", store.ExactDecimal(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"],
            ["billing_invoices.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("invoice_id", "position"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("billing_invoice_lines", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_billing_invoice_lines_invoice_id"), ["invoice_id"], unique=False)
        batch_op.create_index("ix_billing_invoice_lines_tenant", ["tenant_id"], unique=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("billing_invoice_lines", schema=None) as batch_op:
        batch_op.drop_index("ix_billing_invoice_lines_tenant")
        batch_op.drop_index(batch_op.f("ix_billing_invoice_lines_invoice_id"))

    op.drop_table("billing_invoice_lines")
    with op.batch_alter_table("billing_usage_providers", schema=None) as batch_op:
        batch_op.drop_index("ix_billing_usage_providers_tenant")

    op.drop_table("billing_usage_providers")
    with op.batch_alter_table("billing_usage_fields", schema=None) as batch_op:
        batch_op.drop_index("ix_billing_usage_fields_tenant")

    op.drop_table("billing_usage_fields")
    with op.batch_alter_table("billing_subscriptions", schema=None) as batch_op:
        batch_op.drop_index("ix_billing_subscriptions_tenant")
        batch_op.drop_index(
            "ix_billing_subscriptions_open",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.drop_table("billing_subscriptions")
    op.drop_table("billing_plans")
    with op.batch_alter_table("billing_notices", schema=None) as batch_op:
        batch_op.drop_index("ix_billing_notices_tenant")

    op.drop_table("billing_notices")
    op.drop_table("billing_months")
    with op.batch_alter_table("billing_invoices", schema=None) as batch_op:
        batch_op.drop_index("ix_billing_invoices_tenant")

    op.drop_table("billing_invoices")
    with op.batch_alter_table("billing_flushes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_billing_flushes_at"))

    op.drop_table("billing_flushes")
    with op.batch_alter_table("billing_customers", schema=None) as batch_op:
        batch_op.drop_index("ix_billing_customers_tenant")

    op.drop_table("billing_customers")
    op.drop_table("billing_counters")
