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
        "outbox_events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("occurred_at", store.Instant(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "shared"},
    )
    op.create_table(
        "outbox_heads",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id"),
        info={"scope": "tenant"},
    )
    op.create_table(
        "outbox_log",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("occurred_at", store.Instant(), nullable=False),
        sa.Column("taken", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "position"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("outbox_events", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_events_occurred_at", ["occurred_at"], unique=False)
    with op.batch_alter_table("outbox_heads", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_heads_tenant", ["tenant_id"], unique=False)
    with op.batch_alter_table("outbox_log", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_log_event", ["event_id"], unique=False)
        batch_op.create_index("ix_outbox_log_occurred_at", ["occurred_at"], unique=False)
        batch_op.create_index("ix_outbox_log_tenant", ["tenant_id"], unique=False)
        batch_op.create_index("ix_outbox_log_waiting", ["taken", "occurred_at"], unique=False)


def downgrade() -> None:
    """Back."""
    op.drop_table("outbox_log")
    op.drop_table("outbox_heads")
    op.drop_table("outbox_events")
