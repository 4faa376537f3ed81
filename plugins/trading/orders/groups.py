"""Under which keys orders were placed together: the same key again is the same orders, as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from gateway.core.store import Tx
from plugins.trading.orders.store import OrderStore
from plugins.trading.rows import OrderRow
from plugins.trading.tables import groupings
from schema.idempotency import check_same


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupKey:
    """A client's key, and what stands for the input that it came with."""

    key: str
    digest: str


class GroupStore:
    """Keys of an account."""

    async def placed(self, tx: Tx, tenant: str, account_id: str, key: GroupKey | None) -> list[OrderRow] | None:
        """What came of a key before, None where nothing did; Refused where it came with other input."""
        if key is None:
            return None
        mine = (
            groupings.c.tenant_id == tenant, groupings.c.account_id == account_id,
            groupings.c.idempotency_key == key.key,
        )  # fmt: skip
        digests = await tx.values(select(groupings.c.request_digest).where(*mine))
        if not digests:
            return None
        check_same(digests[0], key.digest)
        ids = await tx.values(select(groupings.c.order_ids).where(*mine))
        return await OrderStore().named(tx, tenant, account_id, ids[0])

    async def note(
        self, tx: Tx, tenant: str, account_id: str, key: GroupKey | None, rows: Sequence[OrderRow], at: datetime
    ) -> None:
        """What a key has placed. The caller holds the account's lock, and has looked for it."""
        if key is not None:
            values = {
                "tenant_id": tenant, "account_id": account_id, "idempotency_key": key.key,
                "request_digest": key.digest, "order_ids": [row.id for row in rows], "at": at,
            }  # fmt: skip
            await tx.run(groupings.insert().values(values))
