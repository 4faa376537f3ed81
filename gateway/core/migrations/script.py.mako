"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.core import store

revision = ${repr(up_revision).replace("'", chr(34))}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Back."""
    ${downgrades if downgrades else "pass"}
