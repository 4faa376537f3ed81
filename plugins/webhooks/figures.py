"""What `/metrics` shows of endpoints and of what waits for them: figures of the whole fleet, read every minute."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from gateway.core.contract import Host
from gateway.core.metrics import gauge
from plugins.webhooks.rows import ENABLED
from plugins.webhooks.tables import deliveries, endpoints

EVERY_S = 60.0
LATE = timedelta(seconds=60)
"""What is due for so long nobody has begun: where all is well it takes a second."""
ENDPOINTS = gauge("marketgate_webhook_endpoints", "Endpoints that are enabled.")
OVERDUE = gauge("marketgate_webhook_overdue", "Deliveries that were due a minute ago and are not settled.")


async def show(host: Host) -> None:
    """Read and show them."""
    late = select(func.count()).where(deliveries.c.due_at.is_not(None), deliveries.c.due_at < host.clock.now() - LATE)
    async with host.store.read() as tx:
        ENDPOINTS.set(await tx.value(select(func.count()).where(endpoints.c.status == ENABLED)))
        OVERDUE.set(await tx.value(late))
