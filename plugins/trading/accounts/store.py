"""SQL of accounts, of who takes part in them, and of switches."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Select, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.store import Tx
from gateway.core.writes import Change
from plugins.trading.rows import AccountRow, MemberRow, PermitRow, SwitchRow
from plugins.trading.tables import accounts, entries, members, orders, permits, positions, schedules, switches
from schema.pages import Position
from schema.words.orders import AccountKind

_CHANGING = (
    "name", "broker", "leverage", "max_daily_loss", "method", "shared", "model", "halted", "halt_reason", "day",
    "day_equity", "loss_day", "margin_called", "version", "entries", "orders", "changed_at", "deleted_at",
    "margin_interest_rate", "charged_at", "broker_account",
)  # fmt: skip


class AccountStore:
    """An organisation's accounts; those that are deleted show in its export alone."""

    async def hold(self, tx: Tx, tenant: str) -> None:
        """Wait for others who add to the organisation's accounts, until the end of the transaction."""
        if tx.dialect == "postgresql":
            await tx.run(select(func.pg_advisory_xact_lock(func.hashtextextended(f"trading accounts {tenant}", 0))))

    async def add(self, tx: Tx, tenant: str, row: AccountRow) -> None:
        """Put it in."""
        await tx.run(accounts.insert().values(**asdict(row) | {"tenant_id": tenant}))

    async def find(self, tx: Tx, tenant: str, account_id: str) -> AccountRow | None:
        """One of them."""
        return await tx.first(_FIND, AccountRow, tenant=tenant, account=account_id)

    async def lock(self, tx: Tx, tenant: str, account_id: str) -> AccountRow | None:
        """One of them; nobody else changes anything of it until the end of the transaction."""
        return await tx.first(_LOCK, AccountRow, tenant=tenant, account=account_id)

    async def with_key(self, tx: Tx, tenant: str, idempotency_key: str) -> AccountRow | None:
        """What was made under a client's key, deleted or not."""
        mine = and_(accounts.c.tenant_id == tenant, accounts.c.idempotency_key == idempotency_key)
        return await tx.first(select(accounts).where(mine), AccountRow)

    async def at_broker(self, tx: Tx, tenant: str, broker: str) -> AccountRow | None:
        """The oldest live one at a broker; the caller holds the organisation's accounts."""
        mine = and_(accounts.c.tenant_id == tenant, accounts.c.broker == broker, accounts.c.deleted_at.is_(None))
        live = select(accounts).where(mine, accounts.c.kind == AccountKind.LIVE.value)
        return await tx.first(live.order_by(accounts.c.created_at, accounts.c.id).limit(1), AccountRow)

    async def count(self, tx: Tx, tenant: str) -> int:
        """How many there are."""
        mine = and_(accounts.c.tenant_id == tenant, accounts.c.deleted_at.is_(None))
        return int(await tx.value(select(func.count()).select_from(accounts).where(mine)))

    async def page(
        self, tx: Tx, tenant: str, limit: int, *, seen_by: Collection[str], every: bool, behind: Position | None
    ) -> list[AccountRow]:
        """Some of them, the oldest first: all, or those that are shared, or belong to or are open to somebody."""
        mine = select(accounts).where(accounts.c.tenant_id == tenant, accounts.c.deleted_at.is_(None))
        if not every:
            named = sorted(seen_by)
            taking = select(members.c.account_id).where(members.c.tenant_id == tenant, members.c.member.in_(named))
            mine = mine.where(or_(accounts.c.shared, accounts.c.owner.in_(named), accounts.c.id.in_(taking)))
        if behind is not None:
            at, id = behind
            mine = mine.where(or_(accounts.c.created_at > at, and_(accounts.c.created_at == at, accounts.c.id > id)))
        return await tx.all(mine.order_by(accounts.c.created_at, accounts.c.id).limit(limit), AccountRow)

    async def change(self, tx: Tx, tenant: str, account_id: str, row: AccountRow) -> None:
        """Set all that may change of it."""
        values = {name: getattr(row, name) for name in _CHANGING}
        await tx.run(update(accounts).where(_one(tenant, account_id)).values(**values))

    async def set(self, tx: Tx, tenant: str, account_id: str, **values: Any) -> None:
        """Set some of its columns; the caller has locked it."""
        tx.later(_set(tuple(sorted(values))), [{**values, "tenant_id": tenant, "id": account_id}])

    async def claim(self, tx: Tx, tenant: str, account_id: str, broker_account: str) -> str | None:
        """Which account at its broker it is: this one, unless it was another one before. None where it is deleted."""
        free = and_(_one(tenant, account_id), accounts.c.broker_account.is_(None))
        await tx.run(update(accounts).where(free).values(broker_account=broker_account))
        found: str | None = await tx.value(select(accounts.c.broker_account).where(_one(tenant, account_id)))
        return found

    async def in_use(self, tx: Tx, tenant: str, account_id: str) -> dict[str, list[str]]:
        """What keeps it from being deleted: instruments that are held, ids of open orders, of
        pending entries and of schedules."""
        return {
            "positions": await tx.values(_few(positions.c.instrument, positions, tenant, account_id)),
            "orders": await tx.values(_few(orders.c.id, orders, tenant, account_id).where(orders.c.open.is_(True))),
            "entries": await tx.values(_pending(tenant, account_id)),
            "schedules": await tx.values(
                _few(schedules.c.id, schedules, tenant, account_id).where(schedules.c.active.is_(True))
            ),
        }


class MemberStore:
    """Who takes part in accounts that are not shared."""

    async def set(self, tx: Tx, tenant: str, account_id: str, member: str, role: str) -> None:
        """Let somebody take part, or in another role."""
        made = tx.insert(members).values(tenant_id=tenant, account_id=account_id, member=member, role=role)
        renewed = made.on_conflict_do_update(
            index_elements=["account_id", "member"], set_={"role": role}, where=members.c.tenant_id == tenant
        )
        await tx.run(renewed)

    async def remove(self, tx: Tx, tenant: str, account_id: str, member: str) -> bool:
        """Whether there was one."""
        return await tx.run(delete(members).where(*_part(tenant, account_id), members.c.member == member)) > 0

    async def of(self, tx: Tx, tenant: str, account_id: str) -> list[MemberRow]:
        """All of an account."""
        return await tx.all(select(members).where(*_part(tenant, account_id)).order_by(members.c.member), MemberRow)

    async def role(self, tx: Tx, tenant: str, account_id: str, member: str) -> str | None:
        """Somebody's role in an account; None for who takes no part."""
        found: str | None = await tx.value(_ROLE, tenant=tenant, account=account_id, somebody=member)
        return found


class PermitStore:
    """What an organisation lets itself do."""

    async def find(self, tx: Tx, tenant: str) -> PermitRow | None:
        """None as long as nobody has said anything: it trades, on paper."""
        return await tx.first(select(permits).where(permits.c.tenant_id == tenant), PermitRow)

    async def lock(self, tx: Tx, tenant: str) -> PermitRow | None:
        """The same, which nobody else changes until the end of the transaction."""
        return await tx.first(select(permits).where(permits.c.tenant_id == tenant).with_for_update(), PermitRow)

    async def put(self, tx: Tx, tenant: str, row: PermitRow) -> None:
        """From now on."""
        values = asdict(row) | {"tenant_id": tenant}
        made = tx.insert(permits).values(**values)
        await tx.run(made.on_conflict_do_update(index_elements=["tenant_id"], set_=values))


class SwitchDirectory:
    """The operator's kill switch stands over all tenants: its row is nobody's."""

    async def find(self, tx: Tx, name: str) -> SwitchRow | None:
        """One of them; None as long as nobody has used it."""
        return await tx.first(select(switches).where(switches.c.name == name), SwitchRow)

    async def put(self, tx: Tx, row: SwitchRow) -> None:
        """From now on."""
        made = tx.insert(switches).values(**asdict(row))
        await tx.run(made.on_conflict_do_update(index_elements=["name"], set_=asdict(row)))


@cache
def _set(columns: tuple[str, ...]) -> Change:
    return Change(accounts, ("tenant_id", "id"), columns)


def find_account(tenant: Any, account_id: Any) -> Select[Any]:
    """One that is not deleted."""
    return select(accounts).where(_one(tenant, account_id))


def _one(tenant: Any, account_id: Any) -> ColumnElement[bool]:
    return and_(accounts.c.tenant_id == tenant, accounts.c.id == account_id, accounts.c.deleted_at.is_(None))


def _part(tenant: Any, account_id: Any) -> tuple[ColumnElement[bool], ...]:
    return members.c.tenant_id == tenant, members.c.account_id == account_id


def _few(column: Any, table: Any, tenant: str, account_id: str) -> Any:
    """The first ones, enough to be named."""
    return select(column).where(table.c.tenant_id == tenant, table.c.account_id == account_id).order_by(column).limit(6)


def _pending(tenant: str, account_id: str) -> Any:
    resolved = select(entries.c.resolves).where(entries.c.tenant_id == tenant, entries.c.resolves.is_not(None))
    return _few(entries.c.id, entries, tenant, account_id).where(
        entries.c.pending.is_(True), entries.c.id.not_in(resolved)
    )


# Every order asks these.
_TENANT: BindParameter[str] = bindparam("tenant")
_ACCOUNT: BindParameter[str] = bindparam("account")
_FIND = find_account(_TENANT, _ACCOUNT)
_LOCK = _FIND.with_for_update()
_ROLE = select(members.c.role).where(*_part(_TENANT, _ACCOUNT), members.c.member == bindparam("somebody"))
