"""Whether PostgreSQL's archive of its log goes on: a restore needs each segment, and callers never notice a gap."""

from __future__ import annotations

from sqlalchemy import text

from gateway.core.contract import Worker
from gateway.core.metrics import gauge
from gateway.core.store import Store

EVERY_S = 60.0
FAILS = gauge(
    "marketgate_db_archive_fails", "1 while PostgreSQL's last try to archive a segment of its log has failed, else 0."
)
ASKED = "SELECT coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL) FROM pg_stat_archiver"
"""Any role may read it, and it is one row; where nothing is archived no try fails."""


def watching(store: Store) -> Worker | None:
    """Reads and shows it; None for an embedded database."""
    if store.embedded:
        return None

    async def show() -> None:
        async with store.glance() as tx:
            FAILS.set(bool(await tx.value(text(ASKED))))

    return Worker(name="db_archive", every=EVERY_S, run=show)
