"""SQL of a hedge's orders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from gateway.core.store import Tx
from plugins.trading.rows import OrderRow
from plugins.trading.tables import closings, orders


class HedgeStore:
    """A hedge is nothing but its orders."""

    async def of(self, tx: Tx, tenant: str, account_id: str, group_id: str) -> list[OrderRow]:
        """All of them, closing ones too, in the order of placing."""
        mine = select(orders).where(
            orders.c.tenant_id == tenant, orders.c.account_id == account_id, orders.c.group_id == group_id
        )
        return await tx.all(mine.order_by(orders.c.number), OrderRow)

    async def closed_by(self, tx: Tx, tenant: str, account_id: str, idempotency_key: str) -> str | None:
        """The hedge that a client's key has closed."""
        mine = select(closings.c.hedge_id).where(*_of(tenant, account_id, idempotency_key))
        found: str | None = await tx.value(mine)
        return found

    async def answered(self, tx: Tx, tenant: str, account_id: str, idempotency_key: str) -> Mapping[str, Any] | None:
        """What was answered under a key; None where nothing was, or it is not known."""
        mine = select(closings.c.answer).where(*_of(tenant, account_id, idempotency_key))
        found: Mapping[str, Any] | None = await tx.value(mine)
        return found

    async def answer(
        self, tx: Tx, tenant: str, account_id: str, idempotency_key: str, answer: Mapping[str, Any]
    ) -> None:
        """Keep it."""
        await tx.run(closings.update().where(*_of(tenant, account_id, idempotency_key)).values(answer=answer))

    async def note(
        self, tx: Tx, tenant: str, account_id: str, idempotency_key: str, hedge_id: str, at: datetime
    ) -> bool:
        """That a client's key closes it; False where the key has closed one before."""
        values = {"account_id": account_id, "idempotency_key": idempotency_key, "hedge_id": hedge_id, "at": at}
        made = tx.insert(closings).values(tenant_id=tenant, **values)
        return await tx.run(made.on_conflict_do_nothing()) > 0


def _of(tenant: str, account_id: str, idempotency_key: str) -> tuple[ColumnElement[bool], ...]:
    return (
        closings.c.tenant_id == tenant,
        closings.c.account_id == account_id,
        closings.c.idempotency_key == idempotency_key,
    )
