"""how often an order at a broker was to be replaced: one that is asked for again has another id there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. Orders that are being replaced meanwhile are found by the ids that they have."""
    count: sa.Column[int] = sa.Column("replacements", sa.Integer(), nullable=False, server_default=sa.text("0"))
    op.add_column("trading_orders", count)


def downgrade() -> None:
    """Back."""
    op.execute("ALTER TABLE trading_orders DROP COLUMN replacements")
