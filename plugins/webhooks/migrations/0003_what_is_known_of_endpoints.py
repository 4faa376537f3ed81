"""what is known of endpoints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.core import store

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("webhooks_endpoints", schema=None) as batch_op:
        batch_op.add_column(sa.Column("failed_at", store.Instant(), nullable=True))
        batch_op.add_column(sa.Column("allowed_at", store.Instant(), nullable=True))
    with op.batch_alter_table("webhooks_attempts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("url", sa.Text(), nullable=True))


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("webhooks_attempts", schema=None) as batch_op:
        batch_op.drop_column("url")
    with op.batch_alter_table("webhooks_endpoints", schema=None) as batch_op:
        batch_op.drop_column("allowed_at")
        batch_op.drop_column("failed_at")
