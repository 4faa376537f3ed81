"""What tenants were told, as it was printed."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from gateway.core.outbox.tables import events, log
from gateway.core.store import Store


async def told(store: Store, tenant: str, type: str = "") -> list[dict[str, Any]]:
    """A tenant's log in its order; of one type, or of all."""
    rows = select(events.c.data).join(log, log.c.event_id == events.c.id).where(log.c.tenant_id == tenant)
    async with store.read() as tx:
        found = [json.loads(text) for text in await tx.values(rows.order_by(log.c.position))]
    return [each for each in found if not type or each["type"] == type]
