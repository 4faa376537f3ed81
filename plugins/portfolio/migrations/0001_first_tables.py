"""first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.core import store

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

GIVEN = sa.text("idempotency_key IS NOT NULL")


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "portfolio_imports",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("portfolio_id", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("error_count", sa.Integer(), nullable=False),
        sa.Column("errors", store.Json, nullable=False),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("portfolio_imports", schema=None) as batch_op:
        batch_op.create_index("ix_portfolio_imports_tenant", ["tenant_id"], unique=False)
        batch_op.create_index(
            "uq_portfolio_imports_idempotency", ["tenant_id", "portfolio_id", "idempotency_key"], unique=True
        )

    op.create_table(
        "portfolio_portfolios",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("benchmark", sa.Text(), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("tracks_cash", sa.Boolean(), nullable=False),
        sa.Column("weights", store.Json, nullable=True),
        sa.Column("notional", store.ExactDecimal(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_digest", sa.Text(), nullable=True),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("changed_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("portfolio_portfolios", schema=None) as batch_op:
        batch_op.create_index("ix_portfolio_portfolios_page", ["tenant_id", "created_at", "id"], unique=False)
        batch_op.create_index("ix_portfolio_portfolios_tenant", ["tenant_id"], unique=False)
        batch_op.create_index(
            "uq_portfolio_portfolios_idempotency", ["tenant_id", "idempotency_key"], unique=True, sqlite_where=GIVEN,
            postgresql_where=GIVEN,
        )  # fmt: skip

    op.create_table(
        "portfolio_transactions",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("portfolio_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("at", store.Instant(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=True),
        sa.Column("quantity", store.ExactDecimal(), nullable=True),
        sa.Column("price", store.ExactDecimal(), nullable=True),
        sa.Column("amount", store.ExactDecimal(), nullable=True),
        sa.Column("fee", store.ExactDecimal(), nullable=False),
        sa.Column("ratio", store.ExactDecimal(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_digest", sa.Text(), nullable=True),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("portfolio_transactions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_portfolio_transactions_page", ["tenant_id", "portfolio_id", "at", "sequence"], unique=False
        )
        batch_op.create_index("ix_portfolio_transactions_tenant", ["tenant_id"], unique=False)
        batch_op.create_index(
            "uq_portfolio_transactions_idempotency", ["tenant_id", "portfolio_id", "idempotency_key"], unique=True,
            sqlite_where=GIVEN, postgresql_where=GIVEN,
        )  # fmt: skip

    op.create_table(
        "portfolio_universes",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("symbols", store.Json, nullable=False),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("changed_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("portfolio_universes", schema=None) as batch_op:
        batch_op.create_index("ix_portfolio_universes_page", ["tenant_id", "created_at", "id"], unique=False)
        batch_op.create_index("ix_portfolio_universes_tenant", ["tenant_id"], unique=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("portfolio_universes", schema=None) as batch_op:
        batch_op.drop_index("ix_portfolio_universes_tenant")
        batch_op.drop_index("ix_portfolio_universes_page")

    op.drop_table("portfolio_universes")
    with op.batch_alter_table("portfolio_transactions", schema=None) as batch_op:
        batch_op.drop_index("uq_portfolio_transactions_idempotency", sqlite_where=GIVEN, postgresql_where=GIVEN)
        batch_op.drop_index("ix_portfolio_transactions_tenant")
        batch_op.drop_index("ix_portfolio_transactions_page")

    op.drop_table("portfolio_transactions")
    with op.batch_alter_table("portfolio_portfolios", schema=None) as batch_op:
        batch_op.drop_index("uq_portfolio_portfolios_idempotency", sqlite_where=GIVEN, postgresql_where=GIVEN)
        batch_op.drop_index("ix_portfolio_portfolios_tenant")
        batch_op.drop_index("ix_portfolio_portfolios_page")

    op.drop_table("portfolio_portfolios")
    with op.batch_alter_table("portfolio_imports", schema=None) as batch_op:
        batch_op.drop_index("uq_portfolio_imports_idempotency")
        batch_op.drop_index("ix_portfolio_imports_tenant")

    op.drop_table("portfolio_imports")
