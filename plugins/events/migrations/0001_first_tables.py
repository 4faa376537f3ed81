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
        "events_produced",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", store.Instant(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        info={"scope": "shared"},
    )
    with op.batch_alter_table("events_produced", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_events_produced_at"), ["at"], unique=False)

    op.create_table(
        "events_states",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        info={"scope": "shared"},
    )
    op.create_table(
        "events_watches",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("leased_until", store.Instant(), nullable=False),
        sa.Column("mark", store.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
        info={"scope": "shared"},
    )
    with op.batch_alter_table("events_watches", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_events_watches_leased_until"), ["leased_until"], unique=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("events_watches", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_events_watches_leased_until"))

    op.drop_table("events_watches")
    op.drop_table("events_states")
    with op.batch_alter_table("events_produced", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_events_produced_at"))

    op.drop_table("events_produced")
