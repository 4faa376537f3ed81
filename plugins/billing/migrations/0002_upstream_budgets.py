"""upstream budgets of plans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("billing_plans", schema=None) as batch_op:
        batch_op.add_column(sa.Column("upstream_calls_per_minute", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("upstream_weight", sa.Integer(), server_default=sa.text("1"), nullable=False))


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("billing_plans", schema=None) as batch_op:
        batch_op.drop_column("upstream_weight")
        batch_op.drop_column("upstream_calls_per_minute")
