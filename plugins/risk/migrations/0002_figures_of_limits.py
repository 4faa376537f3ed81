"""how the value of a limit was reckoned."""

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
    with op.batch_alter_table("risk_limits", schema=None) as batch_op:
        batch_op.add_column(sa.Column("figure", store.Json, nullable=True))


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("risk_limits", schema=None) as batch_op:
        batch_op.drop_column("figure")
