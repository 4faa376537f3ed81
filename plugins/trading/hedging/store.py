"""SQL of a hedge's orders."""

from __future__ import annotations

from sqlalchemy import select

from gateway.core.store import Tx
from plugins.trading.rows import OrderRow
from plugins.trading.tables import orders


class HedgeStore:
    """A hedge is nothing but its orders."""

    async def of(self, tx: Tx, tenant: str, account_id: str, group_id: str) -> list[OrderRow]:
        """All of them, closing ones too, in the order of placing."""
        mine = select(orders).where(
            orders.c.tenant_id == tenant, orders.c.account_id == account_id, orders.c.group_id == group_id
        )
        return await tx.all(mine.order_by(orders.c.number), OrderRow)
