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
        "watchlists_lists",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("symbols", store.Json, nullable=False),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("changed_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("watchlists_lists", schema=None) as batch_op:
        batch_op.create_index("ix_watchlists_lists_owner", ["tenant_id", "owner", "created_at"], unique=False)
        batch_op.create_index("ix_watchlists_lists_tenant", ["tenant_id"], unique=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("watchlists_lists", schema=None) as batch_op:
        batch_op.drop_index("ix_watchlists_lists_tenant")
        batch_op.drop_index("ix_watchlists_lists_owner")

    op.drop_table("watchlists_lists")
