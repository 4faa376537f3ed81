"""what was answered to who closed a hedge at a broker."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.core import store

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. What was answered before is not known."""
    op.add_column("trading_closings", sa.Column("answer", store.Json, nullable=True))


def downgrade() -> None:
    """Back."""
    op.execute("ALTER TABLE trading_closings DROP COLUMN answer")
