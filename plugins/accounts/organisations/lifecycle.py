"""What a person does to an organisation: make, rename, switch to, leave, hand over, delete and restore it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

from gateway.core.contract import Context
from gateway.core.identity import Role
from gateway.core.ports import Audit
from gateway.core.store import Tx, new_id
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.organisations.peers import sessions
from plugins.accounts.organisations.retries import earlier
from plugins.accounts.organisations.rows import MembershipRow, OrganisationRow, Status
from plugins.accounts.organisations.rules import MOST_MEMBERSHIPS, MOST_OWNED
from plugins.accounts.organisations.store import OrganisationDirectory
from schema.errors import Forbidden
from schema.names import BadName, could_be_id, read_name
from schema.words.problems import Refused

if TYPE_CHECKING:
    from plugins.accounts.sessions.desk import Issued

NO_SUCH = "You belong to no organisation with this id: `viewer { organisations { id } }` lists yours."
LAST_OWNER = "{who} the only owner: transfer the organisation to another member first (organisationTransfer)."


class Lifecycle:
    """One method per mutation; each has one transaction, and raises Refused with a code of that mutation."""

    def __init__(self, desk: OrganisationDesk) -> None:
        self._desk = desk

    async def create(self, context: Context, name: str, key: str | None) -> MembershipRow:
        """The caller becomes its owner."""
        user_id, name = person(context), _named(name)
        async with context.host.store.write() as tx:
            await OrganisationDirectory().lock_person(tx, user_id)
            claimed = new_id("ten")
            before = await earlier(context, tx, "organisation.create", key, claimed, wanted=name, tenant="")
            if before is None:
                await self._check_room(tx, user_id)
                await self._desk.create(tx, name, user_id, tenant=claimed)
                act = context.act("organisation.created", claimed, tenant=claimed, after={"name": name})
                await context.service(Audit).record(tx, act)
            return await self._mine(tx, before or claimed, user_id)

    async def rename(self, context: Context, name: str) -> OrganisationRow:
        """Another name."""
        name = _named(name)
        async with context.host.store.write() as tx:
            row = await self._own(tx, context)
            await self._desk.rows.change(tx, row.id, name=name)
            act = context.act("organisation.renamed", row.id, before={"name": row.name}, after={"name": name})
            await context.service(Audit).record(tx, act)
            return await self._own(tx, context)

    async def switch(self, context: Context, tenant: str) -> tuple[MembershipRow, Issued]:
        """The session acts in another of the person's organisations from now on."""
        user_id, session = person(context), _session(context)
        async with context.host.store.write() as tx:
            found = await self._mine(tx, tenant, user_id)
            if found.status == Status.SUSPENDED:
                raise Refused("SUSPENDED", "The operator has suspended this organisation: ask its support.", "id")
            if found.status == Status.DELETING:
                told = "This organisation waits to be erased: an owner can restore it (organisationRestore)."
                raise Refused("DELETING", told, "id")
            issued = await sessions(context.host).switch(tx, session, tenant)
            act = context.act("session.switched", session, tenant=tenant, before={"organisation": context.tenant})
            await context.service(Audit).record(tx, act)
        return found, issued

    async def leave(self, context: Context) -> tuple[str, Issued]:
        """What was left. This session acts in none from now on, the person's others there end."""
        user_id, session = person(context), _session(context)
        async with context.host.store.write() as tx:
            row = await self._own(tx, context)
            role = await self._desk.membership(tx, row.id, user_id)
            if role is None:
                raise Refused("NOT_FOUND", NO_SUCH)
            if role is Role.OWNER and await self._desk.members.owners(tx, row.id) == 1:
                raise Refused("LAST_OWNER", LAST_OWNER.format(who="You are"))
            await self._desk.members.remove(tx, row.id, user_id)
            issued = await sessions(context.host).switch(tx, session, None)
            await sessions(context.host).revoke_member(tx, user_id, row.id, "left the organisation")
            act = context.act("member.left", user_id, before={"role": role.value})
            await context.service(Audit).record(tx, act)
        return row.id, issued

    async def transfer(self, context: Context, heir: str) -> MembershipRow:
        """Another member becomes an owner, the caller an admin."""
        user_id = person(context)
        async with context.host.store.write() as tx:
            row = await self._own(tx, context)
            await self._check_owner(tx, row.id, user_id)
            role = await self._desk.membership(tx, row.id, heir) if could_be_id(heir) else None
            if role is None:
                told = "No member has this id: `viewer { tenant { members { nodes { userId } } } }` lists them."
                raise Refused("NOT_FOUND", told, "userId")
            if role is Role.OWNER:
                told = "This member is an owner already: to give up your own rights set your role (memberRoleSet)."
                raise Refused("ALREADY_OWNER", told, "userId")
            await self._desk.members.set_role(tx, row.id, heir, Role.OWNER)
            await self._desk.members.set_role(tx, row.id, user_id, Role.ADMIN)
            await sessions(context.host).tenant_changed(tx, row.id)
            before, after = {"owner": user_id, "heirRole": role.value}, {"owner": heir}
            act = context.act("organisation.transferred", row.id, before=before, after=after)
            await context.service(Audit).record(tx, act)
            return await self._mine(tx, row.id, user_id)

    async def delete(self, context: Context, confirmation: str) -> tuple[MembershipRow, datetime]:
        """It stops now and is erased once the time of grace is over: when."""
        user_id, host = person(context), context.host
        async with host.store.write() as tx:
            row = await self._own(tx, context)
            await self._check_owner(tx, row.id, user_id)
            if row.status == Status.DELETING:
                raise Refused("ALREADY_DELETING", "It waits to be erased already: restore it first to delete it anew.")
            if confirmation.strip() != row.name:
                raise Refused("NAME_DIFFERS", "This is not the organisation's name: write it exactly.", "confirmName")
            erase_at = host.clock.now() + timedelta(days=host.settings.deletion_days)
            await self._desk.rows.change(tx, row.id, status=Status.DELETING.value, erase_at=erase_at)
            await sessions(host).tenant_changed(tx, row.id)
            act = context.act("organisation.deleted", row.id, after={"eraseAt": erase_at.isoformat()})
            await context.service(Audit).record(tx, act)
            found = await self._mine(tx, row.id, user_id)
        return found, erase_at

    async def restore(self, context: Context, tenant: str) -> MembershipRow:
        """An owner takes the deletion back, from a session that acts in no organisation or in another."""
        user_id = person(context)
        async with context.host.store.write() as tx:
            found = await self._mine(tx, tenant, user_id)
            row = await self._desk.rows.lock(tx, tenant)
            await self._check_owner(tx, tenant, user_id)
            if row is None or row.status != Status.DELETING:
                raise Refused("NOT_DELETING", f"The organisation is {found.status}: there is nothing to restore.", "id")
            await self._desk.rows.change(tx, tenant, status=Status.ACTIVE.value, erase_at=None)
            await sessions(context.host).tenant_changed(tx, tenant)
            await context.service(Audit).record(tx, context.act("organisation.restored", tenant, tenant=tenant))
            return await self._mine(tx, tenant, user_id)

    async def _own(self, tx: Tx, context: Context) -> OrganisationRow:
        """The caller's organisation, held: whoever counts its owners waits."""
        row = await self._desk.rows.lock(tx, context.tenant)
        if row is None:
            raise Refused("NOT_FOUND", "You act in no organisation: create one, or switch to one of yours.")
        return row

    async def _mine(self, tx: Tx, tenant: str, user_id: str) -> MembershipRow:
        """One of the person's organisations; another's is as unknown as one that is not there."""
        found = [each for each in await self._desk.memberships_of(tx, user_id) if each.tenant_id == tenant]
        return found[0] if found else no_such_organisation()

    async def _check_owner(self, tx: Tx, tenant: str, user_id: str) -> None:
        if await self._desk.membership(tx, tenant, user_id) is not Role.OWNER:
            raise Refused("NOT_OWNER", "Only an owner can do this: ask one of the organisation's owners.")

    async def _check_room(self, tx: Tx, user_id: str) -> None:
        listed = await self._desk.memberships_of(tx, user_id)
        if len(listed) >= MOST_MEMBERSHIPS or sum(each.role == Role.OWNER for each in listed) >= MOST_OWNED:
            told = f"One person can own {MOST_OWNED} organisations and belong to {MOST_MEMBERSHIPS}: leave one first."
            raise Refused("TOO_MANY_ORGANISATIONS", told)


def person(context: Context) -> str:
    """The signed-in person's id."""
    user_id = context.principal.user
    if user_id is None:
        raise Forbidden("Only a signed-in person can do this: sign in, keys and tokens do not count.")
    return user_id


def _session(context: Context) -> str:
    if context.principal.session is None:
        raise Forbidden("Only a signed-in session can do this: sign in again.")
    return context.principal.session


def no_such_organisation() -> NoReturn:
    """The same words for one that is another's and one that is not there."""
    raise Refused("NOT_FOUND", NO_SUCH, "id")


def _named(name: str) -> str:
    try:
        return read_name(name)
    except BadName as bad:
        raise Refused("NAME_INVALID", str(bad), "name") from None
