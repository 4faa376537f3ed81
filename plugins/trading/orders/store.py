"""SQL of orders and fills."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.store import Tx, exact_sum
from gateway.core.writes import Change, Insertion
from plugins.trading.rows import FillRow, OrderRow, values_of
from plugins.trading.tables import fills, groupings, orders
from schema.pages import Position
from schema.words.orders import OrderCause, OrderLeg, OrderStatus

_FIXED = frozenset({"tenant_id", "id", "account_id", "number", "made_by", "created_at", "shard", "instrument", "side"})
_CHANGING = tuple(field.name for field in fields(OrderRow) if field.name not in _FIXED)
_NEW, _CHANGED, _FILLED = Insertion(orders), Change(orders, ("tenant_id", "id"), _CHANGING), Insertion(fills)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which orders a page is of; None takes all."""

    account_id: str
    open: bool | None = None
    statuses: Collection[str] | None = None
    instrument: str | None = None
    strategy: str | None = None


class OrderStore:
    """An organisation's orders. What changes them holds the account's lock."""

    async def add(self, tx: Tx, tenant: str, rows: Sequence[OrderRow]) -> None:
        """Put them in."""
        tx.later(_NEW, [values_of(row) | {"tenant_id": tenant} for row in rows])

    async def find(self, tx: Tx, tenant: str, order_id: str) -> OrderRow | None:
        """One of them."""
        return await tx.first(select(orders).where(_one(tenant, order_id)), OrderRow)

    async def with_client_id(self, tx: Tx, tenant: str, account_id: str, client_order_id: str) -> OrderRow | None:
        """What was placed under a client's id."""
        return await tx.first(_WITH_CLIENT_ID, OrderRow, tenant=tenant, account=account_id, key=client_order_id)

    async def has_client_id(self, tx: Tx, tenant: str, account_id: str, client_order_id: str) -> bool:
        """Whether an order is called so already."""
        return await self.with_client_id(tx, tenant, account_id, client_order_id) is not None

    async def named(self, tx: Tx, tenant: str, account_id: str, order_ids: Collection[str]) -> list[OrderRow]:
        """Some of an account's, in the order of placing."""
        mine = select(orders).where(_of(tenant, account_id), orders.c.id.in_(order_ids))
        return await tx.all(mine.order_by(orders.c.number), OrderRow)

    async def children(self, tx: Tx, tenant: str, account_id: str, parent_id: str) -> list[OrderRow]:
        """What waits, or waited, for an order."""
        mine = select(orders).where(_of(tenant, account_id), orders.c.parent_id == parent_id)
        return await tx.all(mine.order_by(orders.c.number), OrderRow)

    async def open(
        self, tx: Tx, tenant: str, account_id: str, instruments: Collection[str] | None = None
    ) -> list[OrderRow]:  # fmt: skip
        """The account's open orders, or those of some instruments, in the order of placing."""
        if instruments is None:
            return await tx.all(_OPEN, OrderRow, tenant=tenant, account=account_id)
        return await tx.all(_OPEN_IN, OrderRow, tenant=tenant, account=account_id, instruments=sorted(instruments))

    async def kin(
        self, tx: Tx, tenant: str, account_id: str, rows: Sequence[OrderRow], *, whole: bool
    ) -> list[OrderRow]:  # fmt: skip
        """What belongs to open orders, ended or of other instruments: what they wait for, what waits for them, what
        shares a group with them. *whole* says that they are all open ones of the account."""
        known = {row.id for row in rows}
        parents = {row.parent_id for row in rows if row.parent_id} - known
        groups = {row.group_id for row in rows if row.group_id}
        # Only of an OTO may another instrument's order wait for one of these.
        triggers = {row.id for row in rows if row.leg == OrderLeg.OTO and not row.parent_id and not whole}
        if not (parents or groups or triggers):
            return []
        kin = or_(
            orders.c.id.in_(sorted(parents)), orders.c.group_id.in_(sorted(groups)),
            orders.c.parent_id.in_(sorted(triggers)),
        )  # fmt: skip
        mine = select(orders).where(_of(tenant, account_id), kin)
        return [row for row in await tx.all(mine, OrderRow) if row.id not in known]

    async def failed_groups(
        self, tx: Tx, tenant: str, account_id: str, groups: Collection[str], reason: str
    ) -> set[str]:  # fmt: skip
        """Those of which an order was rejected, and never accepted, or has ended for that *reason*, that does not close
        what the others have opened."""
        refused = and_(orders.c.status == OrderStatus.REJECTED.value, orders.c.accepted_at.is_(None))
        failed = and_(or_(refused, orders.c.reason == reason), orders.c.cause != OrderCause.CLOSE.value)
        mine = select(orders.c.group_id).where(_of(tenant, account_id), orders.c.group_id.in_(sorted(groups)), failed)
        return set(await tx.values(mine))

    async def page(
        self, tx: Tx, tenant: str, wanted: Wanted, limit: int, *, before: int | None = None
    ) -> list[OrderRow]:
        """Some of an account's orders, the newest first."""
        mine = select(orders).where(_of(tenant, wanted.account_id))
        if wanted.open is not None:
            mine = mine.where(orders.c.open.is_(wanted.open))
        if wanted.statuses is not None:
            mine = mine.where(orders.c.status.in_(sorted(wanted.statuses)))
        if wanted.instrument is not None:
            mine = mine.where(orders.c.instrument == wanted.instrument)
        if wanted.strategy is not None:
            mine = mine.where(orders.c.strategy == wanted.strategy)
        if before is not None:
            mine = mine.where(orders.c.number < before)
        return await tx.all(mine.order_by(orders.c.number.desc()).limit(limit), OrderRow)

    async def change(self, tx: Tx, tenant: str, rows: Sequence[OrderRow]) -> None:
        """Write them as they are now."""
        tx.later(_CHANGED, [values_of(row) | {"tenant_id": tenant} for row in rows])

    async def whole(self, tx: Tx, tenant: str) -> list[OrderRow]:
        """All, for the organisation's export."""
        mine = select(orders).where(orders.c.tenant_id == tenant)
        return await tx.all(mine.order_by(orders.c.account_id, orders.c.number), OrderRow)

    async def erase(self, tx: Tx, tenant: str) -> None:
        """All, with their fills."""
        await tx.run(delete(fills).where(fills.c.tenant_id == tenant))
        await tx.run(delete(orders).where(orders.c.tenant_id == tenant))


class GroupStore:
    """Under which keys of an account orders were placed together."""

    async def placed_by(
        self, tx: Tx, tenant: str, account_id: str, idempotency_key: str
    ) -> tuple[str, list[str]] | None:
        """What stands for the input that a key came with, and the ids of the orders that it placed."""
        wanted = select(groupings.c.request_digest, groupings.c.order_ids).where(
            groupings.c.tenant_id == tenant, groupings.c.account_id == account_id,
            groupings.c.idempotency_key == idempotency_key,
        )  # fmt: skip
        row = (await tx.connection.execute(wanted)).first()
        return None if row is None else (row.request_digest, list(row.order_ids))

    async def note(
        self, tx: Tx, tenant: str, account_id: str, idempotency_key: str, request_digest: str,
        order_ids: Sequence[str], at: datetime,
    ) -> None:  # fmt: skip
        """What a key has placed. The caller holds the account's lock, and has looked for it."""
        values = {
            "tenant_id": tenant, "account_id": account_id, "idempotency_key": idempotency_key,
            "request_digest": request_digest, "order_ids": list(order_ids), "at": at,
        }  # fmt: skip
        await tx.run(groupings.insert().values(values))


class FillStore:
    """An organisation's fills: written once, never changed."""

    async def add(self, tx: Tx, tenant: str, rows: Sequence[FillRow]) -> None:
        """Put them in."""
        tx.later(_FILLED, [values_of(row) | {"tenant_id": tenant} for row in rows])

    async def has(self, tx: Tx, tenant: str, fill_id: str) -> bool:
        """Whether it is there."""
        mine = and_(fills.c.tenant_id == tenant, fills.c.id == fill_id)
        return await tx.value(select(fills.c.id).where(mine)) is not None

    async def of_order(self, tx: Tx, tenant: str, order_id: str) -> list[FillRow]:
        """Of one order, in order."""
        mine = and_(fills.c.tenant_id == tenant, fills.c.order_id == order_id)
        return await tx.all(select(fills).where(mine).order_by(fills.c.number), FillRow)

    async def page(
        self, tx: Tx, tenant: str, account_id: str, limit: int, *, instrument: str | None = None,
        start: datetime | None = None, end: datetime | None = None, behind: Position | None = None,
    ) -> list[FillRow]:  # fmt: skip
        """Some of an account's fills, the newest first."""
        mine = select(fills).where(fills.c.tenant_id == tenant, fills.c.account_id == account_id)
        mine = _within(mine, start, end)
        if instrument is not None:
            mine = mine.where(fills.c.instrument == instrument)
        if behind is not None:
            at, id = behind
            mine = mine.where(or_(fills.c.at < at, and_(fills.c.at == at, fills.c.id < id)))
        return await tx.all(mine.order_by(fills.c.at.desc(), fills.c.id.desc()).limit(limit), FillRow)

    async def since(self, tx: Tx, tenant: str, account_id: str, since: datetime) -> list[FillRow]:
        """An account's fills after an instant, the oldest first."""
        mine = and_(fills.c.tenant_id == tenant, fills.c.account_id == account_id, fills.c.at > since)
        return await tx.all(select(fills).where(mine).order_by(fills.c.at, fills.c.id), FillRow)

    async def filled(self, tx: Tx, tenant: str, account_id: str) -> Mapping[str, Decimal]:
        """What the fills of each order sum to."""
        mine = and_(fills.c.tenant_id == tenant, fills.c.account_id == account_id)
        summed = select(fills.c.order_id, exact_sum(fills.c.quantity).label("quantity")).where(mine)
        rows = await tx.connection.execute(summed.group_by(fills.c.order_id))
        return {row.order_id: row.quantity for row in rows}

    async def whole(self, tx: Tx, tenant: str) -> list[FillRow]:
        """All, for the organisation's export."""
        mine = select(fills).where(fills.c.tenant_id == tenant)
        return await tx.all(mine.order_by(fills.c.account_id, fills.c.at, fills.c.id), FillRow)


class OrderDirectory:
    """Working orders is for all tenants at once: each row carries its own tenant along."""

    async def open(self, tx: Tx, shards: Collection[int]) -> list[OrderRow]:
        """Open orders of some parts, each account's in the order of placing."""
        wanted = and_(orders.c.open.is_(True), orders.c.shard.in_(sorted(shards)))
        return await tx.all(select(orders).where(wanted).order_by(orders.c.account_id, orders.c.number), OrderRow)

    async def some(self, tx: Tx, ids: Collection[str]) -> list[OrderRow]:
        """Orders by their ids."""
        return await tx.all(select(orders).where(orders.c.id.in_(sorted(ids))), OrderRow)

    async def changed(self, tx: Tx, since: datetime) -> list[OrderRow]:
        """Orders that were placed or changed since."""
        return await tx.all(select(orders).where(orders.c.changed_at >= since), OrderRow)

    async def any(self, tx: Tx) -> bool:
        """Whether there is anything to work."""
        return await tx.value(select(orders.c.id).where(orders.c.open.is_(True)).limit(1)) is not None

    async def count(self, tx: Tx) -> int:
        """How many are open."""
        return int(await tx.value(select(func.count()).select_from(orders).where(orders.c.open.is_(True))))


def _within(statement: Select[Any], start: datetime | None, end: datetime | None) -> Select[Any]:
    if start is not None:
        statement = statement.where(fills.c.at >= start)
    return statement if end is None else statement.where(fills.c.at < end)


def _of(tenant: Any, account: Any) -> ColumnElement[bool]:
    return and_(orders.c.tenant_id == tenant, orders.c.account_id == account)


def _one(tenant: str, order_id: str) -> ColumnElement[bool]:
    return and_(orders.c.tenant_id == tenant, orders.c.id == order_id)


# Every order asks these.
_MINE = _of(bindparam("tenant"), bindparam("account"))
_WITH_CLIENT_ID = select(orders).where(_MINE, orders.c.client_order_id == bindparam("key"))
_OPEN = select(orders).where(_MINE, orders.c.open.is_(True)).order_by(orders.c.number)
_OPEN_IN = _OPEN.where(orders.c.instrument.in_(bindparam("instruments", expanding=True)))
