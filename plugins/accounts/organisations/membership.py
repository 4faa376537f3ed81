"""What members with the right to do so change about members, and whom they invite."""

from __future__ import annotations

import secrets
from datetime import datetime

from gateway.core.contract import Context
from gateway.core.identity import ROLE_SCOPES, CallerKind, Role
from gateway.core.ports import Audit, Mail, Mailer
from gateway.core.store import Tx, new_id
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.organisations.lifecycle import LAST_OWNER, person
from plugins.accounts.organisations.peers import sessions, users
from plugins.accounts.organisations.retries import earlier
from plugins.accounts.organisations.rows import InvitationRow, MemberRow, MembershipRow, Status
from plugins.accounts.organisations.rules import (
    INVITATION,
    INVITED_FOR,
    KEYS_ROLE,
    MOST_MEMBERSHIPS,
    MOST_PENDING,
    above,
)
from plugins.accounts.organisations.store import InvitationStore, OrganisationDirectory
from plugins.accounts.users.addresses import BadEmail
from schema.errors import Forbidden
from schema.names import could_be_id
from schema.words.problems import Refused

_NO_MEMBER = "No member has this id: `viewer { tenant { members { nodes { userId } } } }` lists them."
_NO_INVITATION = "There is no pending invitation with this id: `viewer { tenant { invitations } }` lists them."
_INVALID = "This invitation was used, revoked or never made: ask for another one."


async def acting_role(desk: OrganisationDesk, tx: Tx, context: Context) -> Role:
    """What the caller is now, by the database: a role that was just taken away counts no more."""
    if context.principal.kind is not CallerKind.USER:
        return KEYS_ROLE
    role = await desk.membership(tx, context.tenant, person(context))
    if role is None:
        raise Forbidden("You no longer belong to this organisation: sign in again.")
    return role


class Members:
    """Roles and removals; whatever counts owners holds the organisation's row."""

    def __init__(self, desk: OrganisationDesk) -> None:
        self._desk = desk
        self._invitations = InvitationStore()

    async def set_role(self, context: Context, user_id: str, role: Role) -> MemberRow:
        """Rights that are lost are lost at once: the member's sessions in the organisation end."""
        async with context.host.store.write() as tx:
            acting, member = await self._both(tx, context, user_id)
            _check_grant(context, acting, role, "role", "give the role")
            if member.rights is not role:
                await self._check_last(tx, context, member)
                await self._desk.members.set_role(tx, context.tenant, user_id, role)
                if above(member.rights, role):
                    await sessions(context.host).revoke_member(tx, user_id, context.tenant, "role was lowered")
                    await self._revoke_invitations(tx, context, user_id)
                else:
                    await sessions(context.host).tenant_changed(tx, context.tenant)
                before, after = {"role": member.role}, {"role": role.value}
                await context.service(Audit).record(
                    tx, context.act("member.role_set", user_id, before=before, after=after)
                )
            changed = await self._desk.members.find(tx, context.tenant, user_id)
        return changed or member

    async def remove(self, context: Context, user_id: str) -> str:
        """The member's sessions in the organisation end."""
        async with context.host.store.write() as tx:
            _, member = await self._both(tx, context, user_id)
            await self._check_last(tx, context, member)
            await self._desk.members.remove(tx, context.tenant, user_id)
            await sessions(context.host).revoke_member(tx, user_id, context.tenant, "removed from the organisation")
            await self._revoke_invitations(tx, context, user_id)
            before = {"role": member.role, "email": member.email}
            await context.service(Audit).record(tx, context.act("member.removed", user_id, before=before))
        return user_id

    async def _revoke_invitations(self, tx: Tx, context: Context, user_id: str) -> None:
        """Nobody comes in by the word of one who may not give it any more."""
        for id in await self._invitations.revoke_by(tx, context.tenant, user_id, context.host.clock.now()):
            act = context.act("invitation.revoked", id, after={"reason": "the inviter lost rights"})
            await context.service(Audit).record(tx, act)

    async def _both(self, tx: Tx, context: Context, user_id: str) -> tuple[Role, MemberRow]:
        """The caller's role and the member, who is not above the caller."""
        await self._desk.rows.lock(tx, context.tenant)
        acting = await acting_role(self._desk, tx, context)
        member = await self._desk.members.find(tx, context.tenant, user_id) if could_be_id(user_id) else None
        if member is None:
            raise Refused("NOT_FOUND", _NO_MEMBER, "userId")
        _check_grant(context, acting, member.rights, "userId", "change a member with the role")
        return acting, member

    async def _check_last(self, tx: Tx, context: Context, member: MemberRow) -> None:
        if member.rights is Role.OWNER and await self._desk.members.owners(tx, context.tenant) == 1:
            raise Refused("LAST_OWNER", LAST_OWNER.format(who="This member is"), "userId")


class Invitations:
    """A mail with a token that works once, for seven days, for the address that it went to."""

    def __init__(self, desk: OrganisationDesk) -> None:
        self._desk = desk
        self._rows = InvitationStore()

    async def create(self, context: Context, email: str, role: Role, key: str | None) -> InvitationRow:
        """Another one for the same address replaces the pending one."""
        host, tenant = context.host, context.tenant
        try:
            address = users(host).normalise(email)
        except BadEmail as bad:
            raise Refused("EMAIL_INVALID", str(bad), "email") from None
        async with host.store.write() as tx:
            await self._desk.rows.lock(tx, tenant)
            _check_grant(context, await acting_role(self._desk, tx, context), role, "role", "give the role")
            claimed, wanted = new_id("inv"), (address, role)
            before = await earlier(context, tx, "invitation.create", key, claimed, wanted=wanted)
            if before is None:
                await self._invite(tx, context, claimed, address, role)
            made = await self._rows.find(tx, tenant, before or claimed)
        if made is None:
            raise Refused("NOT_FOUND", _NO_INVITATION)
        return made

    async def _invite(self, tx: Tx, context: Context, id: str, address: str, role: Role) -> None:
        host, tenant, now = context.host, context.tenant, context.host.clock.now()
        if await self._desk.members.with_email(tx, tenant, address) is not None:
            told = "This address belongs to a member: to change the role use memberRoleSet."
            raise Refused("ALREADY_MEMBER", told, "email")
        await self._rows.revoke_for(tx, tenant, address, now)
        if await self._rows.pending(tx, tenant, now) >= MOST_PENDING:
            raise Refused("TOO_MANY_INVITATIONS", f"{MOST_PENDING} invitations are pending: revoke some, or wait.")
        token = secrets.token_urlsafe(32)
        row = InvitationRow(
            tenant_id=tenant, id=id, email=address, role=role.value, invited_by=context.principal.actor,
            created_at=now, expires_at=now + INVITED_FOR, accepted_at=None, revoked_at=None,
        )  # fmt: skip
        await self._rows.add(tx, tenant, row, host.vault.digest(INVITATION, token))
        user = context.principal.user if context.principal.kind is CallerKind.USER else None
        inviter = await users(host).by_id(tx, user) if user else None
        await host.service(Mailer).send(
            tx, letter(host.settings.address, address, token, inviter.email if inviter else None, row.expires_at)
        )
        act = context.act("invitation.created", id, after={"email": address, "role": role.value})
        await context.service(Audit).record(tx, act)

    async def revoke(self, context: Context, invitation_id: str) -> str:
        """Its token works no more."""
        async with context.host.store.write() as tx:
            now = context.host.clock.now()
            known = could_be_id(invitation_id)
            if not known or not await self._rows.revoke(tx, context.tenant, invitation_id, now):
                raise Refused("NOT_FOUND", _NO_INVITATION, "id")
            await context.service(Audit).record(tx, context.act("invitation.revoked", invitation_id))
        return invitation_id

    async def accept(self, context: Context, token: str) -> MembershipRow:
        """The signed-in person becomes a member; of two at once one makes the membership."""
        user_id = person(context)
        async with context.host.store.write() as tx:
            found = await self._desk.invited(tx, token)
            row = await self._desk.rows.lock(tx, found.tenant_id) if found else None
            # Only what is read while the organisation is held is sure to be so still.
            invitation = await self._rows.find(tx, found.tenant_id, found.id) if found else None
            if row is None or invitation is None or row.status != Status.ACTIVE:
                raise Refused("INVITATION_INVALID", _INVALID, "token")
            await self._check(tx, context, invitation, user_id)
            role = await self._join(tx, context, invitation, user_id)
        return MembershipRow(tenant_id=row.id, role=role.value, name=row.name, status=row.status)

    async def _check(self, tx: Tx, context: Context, invitation: InvitationRow, user_id: str) -> None:
        account = await users(context.host).by_id(tx, user_id)
        if account is None or account.verified_at is None or account.email != invitation.email:
            told = "It was sent to another address: sign in with the account that has it, its address confirmed."
            raise Refused("INVITATION_FOR_ANOTHER_ADDRESS", told, "token")
        if not invitation.pending:
            raise Refused("INVITATION_INVALID", _INVALID, "token")
        if context.host.clock.now() >= invitation.expires_at:
            raise Refused("INVITATION_EXPIRED", "The invitation has expired: ask for another one.", "token")

    async def _join(self, tx: Tx, context: Context, invitation: InvitationRow, user_id: str) -> Role:
        now, tenant = context.host.clock.now(), invitation.tenant_id
        await OrganisationDirectory().lock_person(tx, user_id)
        if len(await self._desk.memberships_of(tx, user_id)) >= MOST_MEMBERSHIPS:
            told = f"You belong to {MOST_MEMBERSHIPS} organisations: leave one first."
            raise Refused("TOO_MANY_ORGANISATIONS", told)
        await self._rows.accept(tx, tenant, invitation.id, now)
        invited = Role(invitation.role)
        joined = await self._desk.members.add(tx, tenant, user_id, invited, now)
        act = context.act("invitation.accepted", invitation.id, tenant=tenant, after={"role": invitation.role})
        await context.service(Audit).record(tx, act)
        # Who became a member in the meantime keeps the role.
        return invited if joined else await self._desk.membership(tx, tenant, user_id) or invited


def _check_grant(context: Context, acting: Role, other: Role, field: str, act: str) -> None:
    """Nobody gives a role, or changes who has it, that has rights which the caller has not."""
    caller = context.principal
    lacking = ", ".join(sorted(scope.value for scope in ROLE_SCOPES[other] - caller.scopes))
    if caller.kind is not CallerKind.USER and (lacking or above(other, acting)):
        why = f"it lacks {lacking}; use a key or a person that has them" if lacking else "only a person may; sign in"
        raise Refused("ROLE_TOO_HIGH", f"This key may not {act} {other.value}: {why}.", field)
    if lacking or above(other, acting):
        told = f"Your role is {acting.value}: you cannot {act} {other.value}; ask an owner."
        raise Refused("ROLE_TOO_HIGH", told, field)


def letter(address: str, to: str, token: str, inviter: str | None, until: datetime) -> Mail:
    """No name of the organisation: a mail of ours carries nobody's words."""
    who = f"{inviter} invites you" if inviter else "You are invited"
    lines = (
        f"{who} to an organisation on Marketgate. Sign in, or sign up with this address, and follow the link:",
        f"{address}/account#invitation?token={token}",
        f"It works once, until {until:%Y-%m-%d %H:%M} UTC, and for this address only.",
        "If you did not expect this, ignore this mail: nothing has changed.",
        "Marketgate",
    )
    return Mail(to=to, subject="You are invited to an organisation", text="\n\n".join(lines) + "\n")
