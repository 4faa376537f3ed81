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
        "jobs_jobs",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("by_user", sa.Text(), nullable=True),
        sa.Column("by_key", sa.Text(), nullable=True),
        sa.Column("scopes", store.Json, nullable=False),
        sa.Column("input", store.Json, nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("lease", sa.Text(), nullable=True),
        sa.Column("leased_until", store.Instant(), nullable=True),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("started_at", store.Instant(), nullable=True),
        sa.Column("ended_at", store.Instant(), nullable=True),
        sa.Column("expires_at", store.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("jobs_jobs", schema=None) as batch_op:
        batch_op.create_index("ix_jobs_jobs_expires", ["expires_at"], unique=False)
        batch_op.create_index("ix_jobs_jobs_key", ["tenant_id", "idempotency_key"], unique=True)
        batch_op.create_index("ix_jobs_jobs_made", ["tenant_id", "created_at", "id"], unique=False)
        batch_op.create_index("ix_jobs_jobs_state", ["state", "created_at"], unique=False)
        batch_op.create_index("ix_jobs_jobs_tenant", ["tenant_id"], unique=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("jobs_jobs", schema=None) as batch_op:
        for name in ("tenant", "state", "made", "key", "expires"):
            batch_op.drop_index(f"ix_jobs_jobs_{name}")

    op.drop_table("jobs_jobs")
