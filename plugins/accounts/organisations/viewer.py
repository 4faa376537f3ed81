"""Who the caller is, and objects of organisations by their ids."""

from __future__ import annotations

import strawberry

from gateway.core.contract import Context, Ctx
from gateway.core.identity import CallerKind
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.organisations.peers import users
from plugins.accounts.organisations.store import InvitationStore
from plugins.accounts.organisations.types import Invitation, Membership, Tenant, User, Viewer
from schema.facts import facts
from schema.scopes import Scope


async def resolve_viewer(info: Ctx) -> Viewer | None:
    """Null for callers without a credential."""
    context = info.context
    principal = context.principal
    if principal.kind is CallerKind.ANONYMOUS:
        return None
    desk = context.service(OrganisationDesk)
    async with context.host.store.read() as tx:
        row = await desk.status(tx, principal.tenant)
        person = await users(context.host).by_id(tx, principal.user) if _is_person(context) and principal.user else None
        listed = await desk.memberships_of(tx, person.id) if person else []
    return Viewer(
        user=User.of(person) if person else None,
        tenant=Tenant.of(row, principal.role) if row else None,
        role=principal.role,
        scopes=sorted(principal.scopes),
        organisations=[Membership.of(each) for each in listed],
    )


def _is_person(context: Context) -> bool:
    """A key or token may name the person who made it; it is not that person."""
    return context.principal.kind is CallerKind.USER


async def find_tenant(context: Context, id: str) -> Tenant | None:
    """The caller's own organisation, no other."""
    if id != context.tenant:
        return None
    async with context.host.store.read() as tx:
        row = await context.service(OrganisationDesk).status(tx, context.tenant)
    return Tenant.of(row, context.principal.role) if row else None


async def find_user(context: Context, id: str) -> User | None:
    """The signed-in person, nobody else: fellow members see a `Member`."""
    if not _is_person(context) or id != context.principal.user:
        return None
    async with context.host.store.read() as tx:
        row = await users(context.host).by_id(tx, id)
    return User.of(row) if row else None


async def find_invitation(context: Context, id: str) -> Invitation | None:
    """A pending one of the caller's organisation."""
    if not context.principal.may(Scope.MEMBERS_READ):
        return None
    async with context.host.store.read() as tx:
        row = await InvitationStore().find(tx, context.tenant, id)
    return Invitation.of(row) if row and row.pending else None


NODES = {"ten": find_tenant, "user": find_user, "inv": find_invitation}


@strawberry.type(description="Who the caller is.")
class ViewerQuery:
    """Root fields."""

    viewer: Viewer | None = strawberry.field(
        resolver=resolve_viewer,
        description="The caller; null without a credential.",
        metadata=facts(),
    )
