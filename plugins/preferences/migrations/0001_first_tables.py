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
        "preferences_routing",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("order", store.Json, nullable=False),
        sa.Column("denied", store.Json, nullable=False),
        sa.Column("dearest", store.ExactDecimal(), nullable=True),
        sa.Column("changed_at", store.Instant(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("preferences_routing", schema=None) as batch_op:
        batch_op.create_index("ix_preferences_routing_tenant", ["tenant_id"], unique=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("preferences_routing", schema=None) as batch_op:
        batch_op.drop_index("ix_preferences_routing_tenant")

    op.drop_table("preferences_routing")
