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
        "providerkeys_keys",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("names", store.Json, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("set_at", store.Instant(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("tested_at", store.Instant(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "provider"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("providerkeys_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_providerkeys_keys_root"), ["root"], unique=False)
        batch_op.create_index("ix_providerkeys_keys_tenant", ["tenant_id"], unique=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("providerkeys_keys", schema=None) as batch_op:
        batch_op.drop_index("ix_providerkeys_keys_tenant")
        batch_op.drop_index(batch_op.f("ix_providerkeys_keys_root"))

    op.drop_table("providerkeys_keys")
