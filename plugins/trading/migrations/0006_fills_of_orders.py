"""a broker's number of a fill is one of its order's: a trade with oneself is a fill of two orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INDEX, TABLE = "uq_trading_fills_broker", "trading_fills"


def upgrade() -> None:
    """Forward."""
    _index(["order_id", "broker_fill_id"], unique=True)


def downgrade() -> None:
    """Back. Where two orders have a fill of the same number, what was booked stays, and nothing is unique."""
    again = sa.text(
        "SELECT 1 FROM trading_fills WHERE broker_fill_id IS NOT NULL "
        "GROUP BY account_id, broker_fill_id HAVING COUNT(*) > 1 LIMIT 1"
    )
    _index(["account_id", "broker_fill_id"], unique=op.get_bind().execute(again).first() is None)


def _index(columns: list[str], *, unique: bool) -> None:
    given = sa.text("broker_fill_id IS NOT NULL")
    op.drop_index(INDEX, table_name=TABLE)
    op.create_index(INDEX, TABLE, columns, unique=unique, sqlite_where=given, postgresql_where=given)
