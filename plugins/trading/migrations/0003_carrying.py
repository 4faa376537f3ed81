"""until when funding and interest of an account are booked, and what it pays for money that it owes."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa
from alembic import op

from gateway.core import store

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = ("funded_at", "charged_at", "margin_interest_rate")


def upgrade() -> None:
    """Forward. Accounts that are there go on without interest; their funding goes on from their last change."""
    op.add_column("trading_accounts", sa.Column("funded_at", store.Instant(), nullable=True))
    op.add_column("trading_accounts", sa.Column("charged_at", store.Instant(), nullable=True))
    rate: sa.Column[Decimal] = sa.Column(
        "margin_interest_rate", store.ExactDecimal(), nullable=False, server_default=sa.text("0")
    )
    op.add_column("trading_accounts", rate)
    op.execute(
        "UPDATE trading_accounts SET funded_at = changed_at WHERE id IN (SELECT account_id FROM trading_positions)"
    )


def downgrade() -> None:
    """Back."""
    for name in COLUMNS:
        op.execute(f"ALTER TABLE trading_accounts DROP COLUMN {name}")
