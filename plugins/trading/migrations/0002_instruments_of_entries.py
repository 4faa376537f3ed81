"""the instrument that an entry is of, and what closed a hedge."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.core import store

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    # Never by a copy of the table, as batches make it: its triggers, which refuse changes, would be lost.
    op.add_column("trading_entries", sa.Column("instrument", sa.Text(), nullable=True))
    op.create_table(
        "trading_closings",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("hedge_id", sa.Text(), nullable=False),
        sa.Column("at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "idempotency_key"),
    )
    with op.batch_alter_table("trading_closings", schema=None) as batch_op:
        batch_op.create_index("ix_trading_closings_tenant", ["tenant_id"], unique=False)


def downgrade() -> None:
    """Back."""
    op.drop_table("trading_closings")
    op.execute("ALTER TABLE trading_entries DROP COLUMN instrument")
