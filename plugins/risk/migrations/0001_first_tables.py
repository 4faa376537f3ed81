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
    _constraints()
    _limits()
    _breaches()
    for name, key in (("risk_leases", sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False)),
                      ("risk_evaluators", None)):  # fmt: skip
        op.create_table(
            name,
            *([key] if key is not None else []),
            sa.Column("holder", sa.Text(), nullable=False),
            sa.Column("until", store.Instant(), nullable=False),
            sa.PrimaryKeyConstraint("shard" if key is not None else "holder"),
            info={"scope": "shared"},
        )


def _constraints() -> None:
    op.create_table(
        "risk_constraints",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rules", store.Json, nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_digest", sa.Text(), nullable=True),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("changed_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_risk_constraints_name"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("risk_constraints", schema=None) as batch_op:
        batch_op.create_index("ix_risk_constraints_page", ["tenant_id", "created_at", "id"], unique=False)
        batch_op.create_index("ix_risk_constraints_tenant", ["tenant_id"], unique=False)
        batch_op.create_index(
            "uq_risk_constraints_idempotency", ["tenant_id", "idempotency_key"], unique=True, sqlite_where=GIVEN,
            postgresql_where=GIVEN,
        )  # fmt: skip


def _limits() -> None:
    op.create_table(
        "risk_limits",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("portfolio", sa.Text(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("threshold", store.ExactDecimal(), nullable=False),
        sa.Column("rule", store.Json, nullable=False),
        sa.Column("hysteresis_bps", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("arm", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("value", store.ExactDecimal(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("peak", store.ExactDecimal(), nullable=True),
        sa.Column("basis", store.Json, nullable=True),
        sa.Column("evaluated_at", store.Instant(), nullable=True),
        sa.Column("last_breached_at", store.Instant(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_digest", sa.Text(), nullable=True),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("changed_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("risk_limits", schema=None) as batch_op:
        batch_op.create_index("ix_risk_limits_active", ["active", "shard"], unique=False)
        batch_op.create_index("ix_risk_limits_changed_at", ["changed_at"], unique=False)
        batch_op.create_index("ix_risk_limits_page", ["tenant_id", "created_at", "id"], unique=False)
        batch_op.create_index("ix_risk_limits_tenant", ["tenant_id"], unique=False)
        batch_op.create_index(
            "uq_risk_limits_idempotency", ["tenant_id", "idempotency_key"], unique=True, sqlite_where=GIVEN,
            postgresql_where=GIVEN,
        )  # fmt: skip


def _breaches() -> None:
    op.create_table(
        "risk_breaches",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("limit_id", sa.Text(), nullable=False),
        sa.Column("arm", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("value", store.ExactDecimal(), nullable=True),
        sa.Column("at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("limit_id", "arm"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("risk_breaches", schema=None) as batch_op:
        batch_op.create_index("ix_risk_breaches_at", ["at"], unique=False)
        batch_op.create_index("ix_risk_breaches_tenant", ["tenant_id"], unique=False)


def downgrade() -> None:
    """Back."""
    for name in ("risk_evaluators", "risk_leases", "risk_breaches", "risk_limits", "risk_constraints"):
        op.drop_table(name)
