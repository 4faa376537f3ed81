"""what waits, endpoint by endpoint."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("webhooks_deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_webhooks_deliveries_due")
        batch_op.create_index(
            "ix_webhooks_deliveries_waiting",
            ["endpoint_id", "due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index("ix_webhooks_deliveries_settled", ["settled_at"], unique=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("webhooks_deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_webhooks_deliveries_settled")
        batch_op.drop_index("ix_webhooks_deliveries_waiting")
        batch_op.create_index("ix_webhooks_deliveries_due", ["due_at"], unique=False)
