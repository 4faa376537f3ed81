"""Tenants from outside: made, suspended, resumed, re-planned. Each act stands in the tenant's own audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.contract import Context, Host
from gateway.core.ports import Audit, Plans
from gateway.core.store import Tx, new_id
from plugins.accounts.operator.store import TenantDirectory, TenantRow
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.organisations.retries import earlier
from plugins.accounts.organisations.rows import Status
from plugins.accounts.users.desk import BadEmail, UserDesk
from schema.names import BadName, could_be_id, read_name
from schema.pages import Position
from schema.words.problems import Refused

Changes = Mapping[str, str | None]

LONGEST_REASON = 300
NO_TENANT = "There is no organisation with this id: `tenants` lists them."
TAKEN = "Another organisation has this external id: give another one, or change that one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An organisation as it is to be."""

    name: str
    plan: str
    owner_email: str | None = None
    external_id: str | None = None


class Tenants:
    """One a process."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.directory = TenantDirectory()

    @property
    def organisations(self) -> OrganisationDesk:
        """Found at use."""
        return self._host.service(OrganisationDesk)

    async def page(self, count: int, after: Position | None, status: str | None, search: str | None) -> list[TenantRow]:
        """The oldest first."""
        async with self._host.store.read() as tx:
            return await self.directory.page(tx, count, after, status, search)

    async def find(self, tenant: str) -> TenantRow | None:
        """One of them."""
        async with self._host.store.read() as tx:
            return await self.directory.find(tx, tenant) if could_be_id(tenant) else None

    async def create(self, context: Context, wish: Wish, key: str | None) -> TenantRow:
        """A new one; the same idempotency key within a day answers with the first."""
        async with self._host.store.write() as tx:
            made = await earlier(context, tx, "tenant.create", key, claimed := new_id("ten"), wanted=wish)
            if made is None:
                await self._check_free(tx, wish.external_id)
                await self.make(tx, context, wish, claimed)
            row = await self.directory.find(tx, made or claimed)
        if row is None:
            raise Refused("NOT_FOUND", NO_TENANT)
        return row

    async def make(self, tx: Tx, context: Context, wish: Wish, tenant: str) -> None:
        """Write it with its owner, and the line of its audit trail."""
        await self.check_plan(tx, wish.plan)
        name, external_id = read(wish.name, "name"), wish.external_id
        if external_id is not None:
            external_id = read(external_id, "externalId")
        owner = await self._owner(tx, wish.owner_email) if wish.owner_email is not None else None
        await self.organisations.create(
            tx, name, owner, plan=wish.plan, external_id=external_id, tenant=tenant
        )  # fmt: skip
        after = {"name": name, "plan": wish.plan, "externalId": external_id, "owner": owner}
        await self._host.service(Audit).record(tx, context.act("tenant.created", tenant, tenant=tenant, after=after))

    async def suspend(self, context: Context, tenant: str, reason: str) -> TenantRow:
        """Its callers are turned away at once, its data stays."""
        told = read(reason, "reason", longest=LONGEST_REASON)
        async with self._host.store.write() as tx:
            row = await self._held(tx, tenant)
            await self.set_suspended(tx, context, row, told)
            return await self._known(tx, tenant)

    async def resume(self, context: Context, tenant: str) -> TenantRow:
        """Its callers are let in again."""
        async with self._host.store.write() as tx:
            row = await self._held(tx, tenant)
            await self.set_resumed(tx, context, row)
            return await self._known(tx, tenant)

    async def set_plan(self, context: Context, tenant: str, plan: str) -> TenantRow:
        """Its limits hold at once."""
        async with self._host.store.write() as tx:
            row = await self._held(tx, tenant)
            await self.replan(tx, context, row, plan)
            return await self._known(tx, tenant)

    async def set_suspended(self, tx: Tx, context: Context, row: TenantRow, reason: str | None) -> None:
        """Nothing where it is suspended for this reason already."""
        if (row.status, row.status_reason) == (Status.SUSPENDED.value, reason):
            return
        await self.organisations.set_status(tx, row.id, Status.SUSPENDED.value, reason)
        before, after = _standing(row), {"status": Status.SUSPENDED.value, "reason": reason}
        await self._record(tx, context, "tenant.suspended", row, before, after)

    async def set_resumed(self, tx: Tx, context: Context, row: TenantRow) -> None:
        """Nothing where it is not suspended."""
        if row.status == Status.SUSPENDED.value:
            await self.organisations.set_status(tx, row.id, Status.ACTIVE.value, None)
            after = _standing(await self._known(tx, row.id))
            await self._record(tx, context, "tenant.resumed", row, _standing(row), after)

    async def replan(self, tx: Tx, context: Context, row: TenantRow, plan: str) -> None:
        """Nothing where it is on this plan."""
        await self.check_plan(tx, plan)
        if row.plan != plan:
            await self.organisations.set_plan(tx, row.id, plan)
            await self._record(tx, context, "tenant.plan_set", row, {"plan": row.plan}, {"plan": plan})

    async def rename(self, tx: Tx, context: Context, row: TenantRow, name: str) -> None:
        """Nothing where it is called so."""
        if row.name != name:
            await self.organisations.rows.change(tx, row.id, name=name)
            await self._record(tx, context, "tenant.renamed", row, {"name": row.name}, {"name": name})

    async def check_plan(self, tx: Tx, plan: str) -> None:
        """Refused where there is no such plan."""
        if not await self._host.service(Plans).exists(tx, plan):
            raise Refused("UNKNOWN_PLAN", f"There is no plan {plan[:40]!r}: `plans` lists them.", "plan")

    async def _owner(self, tx: Tx, email: str) -> str:
        try:
            return await self._host.service(UserDesk).verified_user(tx, email)
        except BadEmail as bad:
            raise Refused("EMAIL_INVALID", str(bad), "ownerEmail") from None

    async def _check_free(self, tx: Tx, external_id: str | None) -> None:
        """Free until the end of the transaction."""
        if external_id is not None:
            await self.directory.hold(tx, [external_id])
            if await self.directory.by_external_ids(tx, [external_id]):
                raise Refused("EXTERNAL_ID_TAKEN", TAKEN, "externalId")

    async def _held(self, tx: Tx, tenant: str) -> TenantRow:
        """As it is now; others who would change it wait."""
        if could_be_id(tenant):
            await self.organisations.rows.lock(tx, tenant)
        return await self._known(tx, tenant)

    async def _known(self, tx: Tx, tenant: str) -> TenantRow:
        row = await self.directory.find(tx, tenant) if could_be_id(tenant) else None
        if row is None:
            raise Refused("NOT_FOUND", NO_TENANT, "id")
        return row

    async def _record(
        self, tx: Tx, context: Context, action: str, row: TenantRow, before: Changes, after: Changes
    ) -> None:
        act = context.act(action, row.id, tenant=row.id, before=before, after=after)
        await self._host.service(Audit).record(tx, act)


def read(text: str, field: str, *, longest: int = 100) -> str:
    """A text that people read; Refused names the field."""
    code = {"name": "NAME_INVALID", "externalId": "EXTERNAL_ID_INVALID", "reason": "REASON_INVALID"}[field]
    try:
        return read_name(text, longest=longest)
    except BadName as bad:
        told = str(bad).replace("The name", f"The {field}" if field != "externalId" else "The external id")
        raise Refused(code, told, field) from None


def _standing(row: TenantRow) -> dict[str, str | None]:
    return {"status": row.status, "reason": row.status_reason}
