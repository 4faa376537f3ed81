"""first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.core import store

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

GIVEN = sa.text("idempotency_key IS NOT NULL")


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "alerts_alerts",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=True),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("condition", store.Json, nullable=False),
        sa.Column("price_type", sa.Text(), nullable=True),
        sa.Column("repeating", sa.Boolean(), nullable=False),
        sa.Column("cooldown_ms", sa.Integer(), nullable=False),
        sa.Column("hysteresis_bps", sa.Integer(), nullable=False),
        sa.Column("fire_if_true", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("arm", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("last_triggered_at", store.Instant(), nullable=True),
        sa.Column("seen_at", store.Instant(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_digest", sa.Text(), nullable=True),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("changed_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("alerts_alerts", schema=None) as batch_op:
        batch_op.create_index("ix_alerts_alerts_active", ["active", "shard"], unique=False)
        batch_op.create_index("ix_alerts_alerts_changed_at", ["changed_at"], unique=False)
        batch_op.create_index("ix_alerts_alerts_page", ["tenant_id", "created_at", "id"], unique=False)
        batch_op.create_index("ix_alerts_alerts_tenant", ["tenant_id"], unique=False)
        batch_op.create_index(
            "uq_alerts_alerts_idempotency", ["tenant_id", "idempotency_key"], unique=True, sqlite_where=GIVEN,
            postgresql_where=GIVEN,
        )  # fmt: skip

    op.create_table(
        "alerts_courses",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        info={"scope": "shared"},
    )
    op.create_table(
        "alerts_evaluators",
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("holder"),
        info={"scope": "shared"},
    )
    op.create_table(
        "alerts_firings",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("arm", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", "arm"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("alerts_firings", schema=None) as batch_op:
        batch_op.create_index("ix_alerts_firings_at", ["at"], unique=False)
        batch_op.create_index("ix_alerts_firings_tenant", ["tenant_id"], unique=False)

    op.create_table(
        "alerts_leases",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("shard"),
        info={"scope": "shared"},
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("alerts_leases")
    with op.batch_alter_table("alerts_firings", schema=None) as batch_op:
        batch_op.drop_index("ix_alerts_firings_tenant")
        batch_op.drop_index("ix_alerts_firings_at")

    op.drop_table("alerts_firings")
    op.drop_table("alerts_evaluators")
    op.drop_table("alerts_courses")
    with op.batch_alter_table("alerts_alerts", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_alerts_alerts_idempotency", sqlite_where=sa.text("idempotency_key IS NOT NULL"),
            postgresql_where=GIVEN,
        )  # fmt: skip
        batch_op.drop_index("ix_alerts_alerts_tenant")
        batch_op.drop_index("ix_alerts_alerts_page")
        batch_op.drop_index("ix_alerts_alerts_changed_at")
        batch_op.drop_index("ix_alerts_alerts_active")

    op.drop_table("alerts_alerts")
