"""What the outbox keeps in the database."""

from __future__ import annotations

from pathlib import Path

from gateway.core.migrations.histories import History
from gateway.core.outbox.tables import TABLES

OUTBOX = History(plugin="outbox", metadata=TABLES, folder=Path(__file__).parent / "migrations")
