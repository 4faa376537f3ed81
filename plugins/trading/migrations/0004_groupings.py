"""under which keys orders were placed together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.core import store

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "trading_groupings",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.Text(), nullable=False),
        sa.Column("order_ids", store.Json, nullable=False),
        sa.Column("at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "idempotency_key"),
    )
    with op.batch_alter_table("trading_groupings", schema=None) as batch_op:
        batch_op.create_index("ix_trading_groupings_tenant", ["tenant_id"], unique=False)


def downgrade() -> None:
    """Back."""
    op.drop_table("trading_groupings")
