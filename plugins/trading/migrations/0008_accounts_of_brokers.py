"""which account at its broker an account is: a key of another one is refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. Accounts that are there take it from the key with which their broker is asked next."""
    op.add_column("trading_accounts", sa.Column("broker_account", sa.Text(), nullable=True))


def downgrade() -> None:
    """Back."""
    op.execute("ALTER TABLE trading_accounts DROP COLUMN broker_account")
