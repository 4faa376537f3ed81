"""What `/metrics` shows of people and keys: figures of the whole fleet, read every few minutes."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, or_, select

from gateway.core.contract import Host
from gateway.core.metrics import gauge
from plugins.accounts.tables import api_keys, organisations, sessions

EVERY_S = 300.0
DAY = timedelta(days=1)
USERS = gauge("marketgate_active_users", "People who used a session in the last 24 hours.")
KEYS = gauge("marketgate_api_keys", "API keys that are good.")
TENANTS = gauge("marketgate_tenants", "Organisations by their status.", "status")
STATUSES = ("active", "suspended", "deleting")


async def show(host: Host) -> None:
    """Read and show them."""
    now = host.clock.now()
    people = select(func.count(sessions.c.user_id.distinct())).where(sessions.c.last_seen_at > now - DAY)
    good = select(func.count()).where(
        api_keys.c.revoked_at.is_(None), or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now)
    )
    async with host.store.read() as tx:
        USERS.set(await tx.value(people))
        KEYS.set(await tx.value(good))
        for status in STATUSES:
            TENANTS.labels(status).set(await tx.value(select(func.count()).where(organisations.c.status == status)))
