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
        "webhooks_endpoints",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("event_types", store.Json, nullable=False),
        sa.Column("channels", store.Json, nullable=False),
        sa.Column("header_names", store.Json, nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("rate_per_second", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("disabled_at", store.Instant(), nullable=True),
        sa.Column("failing_since", store.Instant(), nullable=True),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("previous_secret", sa.Text(), nullable=True),
        sa.Column("previous_until", store.Instant(), nullable=True),
        sa.Column("signing", sa.Text(), nullable=False),
        sa.Column("signing_key", sa.Text(), nullable=True),
        sa.Column("public_key", sa.Text(), nullable=True),
        sa.Column("pins", store.Json, nullable=False),
        sa.Column("root", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_digest", sa.Text(), nullable=True),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("changed_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("webhooks_endpoints", schema=None) as batch_op:
        batch_op.create_index(
            "ix_webhooks_endpoints_idempotency",
            ["tenant_id", "idempotency_key"],
            unique=True,
            sqlite_where=sa.text("idempotency_key IS NOT NULL"),
            postgresql_where=sa.text("idempotency_key IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_webhooks_endpoints_root"), ["root"], unique=False)
        batch_op.create_index("ix_webhooks_endpoints_tenant", ["tenant_id"], unique=False)

    op.create_table(
        "webhooks_deliveries",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("earlier_attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", store.Instant(), nullable=True),
        sa.Column("leased_until", store.Instant(), nullable=True),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("settled_at", store.Instant(), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("endpoint_id", "event_id", name="uq_webhooks_deliveries_once"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("webhooks_deliveries", schema=None) as batch_op:
        batch_op.create_index("ix_webhooks_deliveries_due", ["due_at"], unique=False)
        batch_op.create_index("ix_webhooks_deliveries_endpoint", ["endpoint_id", "created_at"], unique=False)
        batch_op.create_index("ix_webhooks_deliveries_tenant", ["tenant_id"], unique=False)

    op.create_table(
        "webhooks_attempts",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", store.Instant(), nullable=False),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("excerpt", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("delivery_id", "number"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("webhooks_attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhooks_attempts_at"), ["at"], unique=False)
        batch_op.create_index("ix_webhooks_attempts_tenant", ["tenant_id"], unique=False)


def downgrade() -> None:
    """Back."""
    op.drop_table("webhooks_attempts")
    op.drop_table("webhooks_deliveries")
    op.drop_table("webhooks_endpoints")
