"""usage by hour."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("billing_usage_fields", schema=None) as batch_op:
        batch_op.create_index("ix_billing_usage_fields_hour", ["hour"], unique=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("billing_usage_fields", schema=None) as batch_op:
        batch_op.drop_index("ix_billing_usage_fields_hour")
