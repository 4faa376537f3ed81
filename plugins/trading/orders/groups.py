"""Orders that were placed together under a key: the same key again is the same orders, as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.core.store import Tx
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.store import GroupStore, OrderStore
from plugins.trading.orders.wishes import Wish
from plugins.trading.rows import OrderRow
from schema.idempotency import check_same


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupKey:
    """A client's key, and what stands for the input that it came with."""

    key: str
    digest: str


async def find_placed(tx: Tx, tenant: str, account_id: str, key: GroupKey | None) -> list[OrderRow] | None:
    """What came of a key before, None where nothing did; Refused where it came with other input."""
    held = None if key is None else await GroupStore().placed_by(tx, tenant, account_id, key.key)
    if key is None or held is None:
        return None
    digest, ids = held
    check_same(digest, key.digest)
    return await OrderStore().named(tx, tenant, account_id, ids)


async def note_placed(floor: Floor, key: GroupKey | None, rows: Sequence[OrderRow]) -> None:
    """That a key has placed these."""
    w = floor.w
    if key is not None:
        ids = [row.id for row in rows]
        await GroupStore().note(w.tx, w.tenant, w.account.id, key.key, key.digest, ids, floor.now)


async def unclaimed(floor: Floor, wish: Wish) -> Wish:
    """An order of a group under its own id, if nobody has called an order so: it is known by its group."""
    w, wanted = floor.w, wish.client_order_id
    taken = wanted is not None and await OrderStore().has_client_id(w.tx, w.tenant, w.account.id, wanted)
    return replace(wish, client_order_id=None) if taken else wish
