"""Organisations: made, found, stopped, re-planned. What a signed-in person does to one is in `lifecycle`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Select

from gateway.core.contract import Host
from gateway.core.identity import Principal, Role
from gateway.core.ports import Organisation
from gateway.core.store import Tx, new_id
from plugins.accounts.organisations.peers import sessions
from plugins.accounts.organisations.rows import InvitationRow, MembershipRow, OrganisationRow, Status
from plugins.accounts.organisations.rules import INVITATION, LONGEST_TOKEN
from plugins.accounts.organisations.store import (
    InvitationDirectory,
    MembershipStore,
    OrganisationDirectory,
    OrganisationStore,
)
from plugins.accounts.sessions.acting import acting
from schema.names import read_name

FIRST_PLAN = "free"
"""The plan of an organisation that nobody chose one for."""


class OrganisationDesk:
    """Serves `gateway.core.ports.Organisations`, and what the neighbours in this plugin ask."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.rows = OrganisationStore()
        self.members = MembershipStore()
        self._directory = OrganisationDirectory()
        self._invitations = InvitationDirectory()

    async def create(
        self,
        tx: Tx,
        name: str,
        owner: str | None,
        *,
        plan: str | None = None,
        external_id: str | None = None,
        tenant: str | None = None,
    ) -> str:
        """The id of a new organisation, which is the tenant; BadName where it cannot be called so."""
        now, tenant = self._host.clock.now(), tenant or new_id("ten")
        row = OrganisationRow(
            id=tenant, name=read_name(name), external_id=external_id, plan=plan or FIRST_PLAN,
            status=Status.ACTIVE.value, status_reason=None, created_at=now, suspended_at=None, erase_at=None,
        )  # fmt: skip
        await self.rows.add(tx, tenant, row)
        if owner is not None:
            await self.members.add(tx, tenant, owner, Role.OWNER, now)
        return tenant

    async def membership(self, tx: Tx, tenant: str, user_id: str) -> Role | None:
        """A person's role; None for who is no member."""
        return await self.members.role_of(tx, tenant, user_id)

    async def memberships_of(self, tx: Tx, user_id: str) -> list[MembershipRow]:
        """The organisations that a person belongs to, the oldest membership first."""
        return await self._directory.of_person(tx, user_id)

    async def invitation(self, tx: Tx, token: str) -> InvitationRow | None:
        """The invitation of a token that could be accepted now."""
        found = await self.invited(tx, token)
        row = await self.rows.find(tx, found.tenant_id) if found else None
        if found is None or row is None or row.status != Status.ACTIVE or not found.pending:
            return None
        return found if self._host.clock.now() < found.expires_at else None

    async def invited(self, tx: Tx, token: str) -> InvitationRow | None:
        """The invitation of a token, also a past one."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            return None
        return await self._invitations.by_digest(tx, self._host.vault.digests(INVITATION, token))

    async def status(self, tx: Tx, tenant: str) -> OrganisationRow | None:
        """The row; None where there is no such organisation."""
        return await self.rows.find(tx, tenant)

    async def set_status(self, tx: Tx, tenant: str, status: str, reason: str | None) -> None:
        """Suspend, resume or delete; callers are turned away, or let in, at once.

        An organisation that was waiting for its erasure when it was suspended waits again when it is resumed.
        """
        now, row = self._host.clock.now(), await self.rows.lock(tx, tenant)
        if row is None:
            return
        values: dict[str, Any] = {"status": status, "status_reason": reason, "suspended_at": None}
        if status == Status.SUSPENDED:
            values["suspended_at"] = row.suspended_at or now
        elif status == Status.ACTIVE and row.status == Status.SUSPENDED and row.erase_at is not None:
            values["status"] = Status.DELETING.value
        elif status == Status.ACTIVE:
            values["erase_at"] = None
        elif status == Status.DELETING:
            values["erase_at"] = row.erase_at or now + timedelta(days=self._host.settings.deletion_days)
        await self.rows.change(tx, tenant, **values)
        await sessions(self._host).tenant_changed(tx, tenant)

    async def set_plan(self, tx: Tx, tenant: str, plan: str) -> None:
        """Another plan; its limits hold at once."""
        await self.rows.change(tx, tenant, plan=plan)
        await sessions(self._host).tenant_changed(tx, tenant)

    async def find(self, tx: Tx, tenant: str) -> Organisation | None:
        """See `gateway.core.ports.Organisations`."""
        row = await self.rows.find(tx, tenant)
        return None if row is None else _told(row)

    async def all(self, tx: Tx) -> list[Organisation]:
        """See `gateway.core.ports.Organisations`."""
        return [_told(row) for row in await self._directory.every(tx)]

    async def closed(self, tx: Tx) -> frozenset[str]:
        """See `gateway.core.ports.Organisations`."""
        return await self._directory.closed(tx)

    def closed_ids(self) -> Select[tuple[str]]:
        """See `gateway.core.ports.Organisations`."""
        return self._directory.closed_ids()

    async def includes(self, tx: Tx, tenant: str, user_id: str) -> bool:
        """See `gateway.core.ports.Organisations`."""
        return await self.role_of(tx, tenant, user_id) is not None

    async def role_of(self, tx: Tx, tenant: str, user_id: str) -> Role | None:
        """See `gateway.core.ports.Organisations`."""
        return await self.members.role_of(tx, tenant, user_id)

    async def acting(self, tx: Tx, tenant: str, actor: str) -> Principal | None:
        """See `gateway.core.ports.Organisations`."""
        return await acting(self._host, tx, tenant, actor)

    async def keepers(self, tx: Tx, tenant: str) -> list[str]:
        """See `gateway.core.ports.Organisations`."""
        return await self.members.keepers(tx, tenant)


def _told(row: OrganisationRow) -> Organisation:
    return Organisation(id=row.id, name=row.name, plan=row.plan, status=row.status, created_at=row.created_at)
