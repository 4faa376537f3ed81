"""SQL of accounts at brokers, for all tenants at once: each row carries its own tenant along."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, select

from gateway.core.store import Tx
from plugins.trading.accounts.rules import SIMULATOR
from plugins.trading.rows import AccountRow, OrderRow
from plugins.trading.tables import accounts, orders

RECENT = 10_000
"""Of an account's orders so many of the newest are looked through, which takes milliseconds."""


class LiveDirectory:
    """What the reconciliation and the guard look at."""

    async def accounts(self, tx: Tx, shards: Collection[int] | None = None) -> list[AccountRow]:
        """All that a broker fills the orders of, or those of some parts."""
        mine = and_(accounts.c.broker != SIMULATOR, accounts.c.deleted_at.is_(None))
        if shards is not None:
            mine = and_(mine, accounts.c.shard.in_(sorted(shards)))
        return await tx.all(select(accounts).where(mine).order_by(accounts.c.tenant_id, accounts.c.id), AccountRow)

    async def of(self, tx: Tx, tenant: str) -> list[AccountRow]:
        """Those of one organisation, deleted ones too."""
        mine = and_(accounts.c.tenant_id == tenant, accounts.c.broker != SIMULATOR)
        return await tx.all(select(accounts).where(mine).order_by(accounts.c.id), AccountRow)

    async def open(self, tx: Tx, tenant: str | None = None) -> list[OrderRow]:
        """Their open orders, or those of one organisation."""
        theirs = select(accounts.c.id).where(accounts.c.broker != SIMULATOR)
        mine = and_(orders.c.open.is_(True), orders.c.account_id.in_(theirs))
        if tenant is not None:
            mine = and_(mine, orders.c.tenant_id == tenant)
        return await tx.all(select(orders).where(mine).order_by(orders.c.account_id, orders.c.number), OrderRow)

    async def ended(
        self, tx: Tx, account: AccountRow, reasons: Collection[str], since: datetime
    ) -> list[OrderRow]:  # fmt: skip
        """Orders of an account that ended so since then, the newest first."""
        mine = and_(
            orders.c.tenant_id == account.tenant_id, orders.c.account_id == account.id,
            orders.c.number > account.orders - RECENT, orders.c.reason.in_(sorted(reasons)),
            orders.c.ended_at > since,
        )  # fmt: skip
        return await tx.all(select(orders).where(mine).order_by(orders.c.number.desc()), OrderRow)
