"""SQL of organisations, memberships, invitations and repeated requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, delete, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.identity import Role
from gateway.core.store import Tx
from plugins.accounts.organisations.rows import InvitationRow, MemberRow, MembershipRow, OrganisationRow, Status
from plugins.accounts.tables import invitations, memberships, organisations, retries, users
from schema.pages import Position

_INVITATION = [column for column in invitations.c if column.name != "digest"]
_MEMBER = select(
    memberships.c.user_id, users.c.email, memberships.c.role, memberships.c.created_at
).join(users, users.c.id == memberships.c.user_id)  # fmt: skip


def _behind(at: Any, id: Any, position: Position | None) -> ColumnElement[bool]:
    if position is None:
        return id.is_not(None)  # type: ignore[no-any-return]
    return or_(at > position[0], and_(at == position[0], id > position[1]))


class OrganisationStore:
    """One organisation; its id is the tenant."""

    async def add(self, tx: Tx, tenant: str, row: OrganisationRow) -> None:
        """Put it in; the row's id is the tenant."""
        values = asdict(row) | {"id": tenant}
        await tx.run(organisations.insert().values(**values))

    async def find(self, tx: Tx, tenant: str) -> OrganisationRow | None:
        """The row."""
        return await tx.first(select(organisations).where(organisations.c.id == tenant), OrganisationRow)

    async def lock(self, tx: Tx, tenant: str) -> OrganisationRow | None:
        """The row, held until the end of the transaction: whatever counts members or owners takes it first."""
        query = select(organisations).where(organisations.c.id == tenant).with_for_update()
        return await tx.first(query, OrganisationRow)

    async def change(self, tx: Tx, tenant: str, **values: Any) -> None:
        """Set columns."""
        await tx.run(update(organisations).where(organisations.c.id == tenant).values(**values))

    async def remove(self, tx: Tx, tenant: str) -> None:
        """Erase the row itself."""
        await tx.run(delete(organisations).where(organisations.c.id == tenant))


class OrganisationDirectory:
    """Across tenants: a person's list is asked before a tenant is chosen, the operator and the eraser see them all."""

    async def every(self, tx: Tx) -> list[OrganisationRow]:
        """All organisations, by id."""
        return await tx.all(select(organisations).order_by(organisations.c.id), OrganisationRow)

    async def closed(self, tx: Tx) -> frozenset[str]:
        """Ids of those that do not work now."""
        return frozenset(await tx.values(self.closed_ids()))

    def closed_ids(self) -> Select[tuple[str]]:
        """The same, as a query."""
        return select(organisations.c.id).where(organisations.c.status != Status.ACTIVE.value)

    async def of_person(self, tx: Tx, user_id: str) -> list[MembershipRow]:
        """The organisations that a person belongs to, the oldest membership first."""
        query = (
            select(memberships.c.tenant_id, memberships.c.role, organisations.c.name, organisations.c.status)
            .join(organisations, organisations.c.id == memberships.c.tenant_id)
            .where(memberships.c.user_id == user_id)
            .order_by(memberships.c.created_at, memberships.c.tenant_id)
        )
        return await tx.all(query, MembershipRow)

    async def lock_person(self, tx: Tx, user_id: str) -> None:
        """Whatever counts a person's organisations takes the person first."""
        await tx.value(select(users.c.id).where(users.c.id == user_id).with_for_update())

    async def due(self, tx: Tx, now: datetime) -> list[str]:
        """Organisations whose time of grace is over; of a suspended one the data stays."""
        over = and_(organisations.c.status == Status.DELETING.value, organisations.c.erase_at <= now)
        return await tx.values(select(organisations.c.id).where(over).order_by(organisations.c.erase_at))


class MembershipStore:
    """Who belongs to an organisation, and as what."""

    async def add(self, tx: Tx, tenant: str, user_id: str, role: Role, at: datetime) -> bool:
        """Whether it was put in; False for a member."""
        made = tx.insert(memberships).values(tenant_id=tenant, user_id=user_id, role=role.value, created_at=at)
        return await tx.run(made.on_conflict_do_nothing()) > 0

    async def role_of(self, tx: Tx, tenant: str, user_id: str) -> Role | None:
        """None for who is no member."""
        query = select(memberships.c.role).where(self._one(tenant, user_id))
        found = await tx.value(query)
        return None if found is None else Role(found)

    async def find(self, tx: Tx, tenant: str, user_id: str) -> MemberRow | None:
        """One member."""
        return await tx.first(_MEMBER.where(self._one(tenant, user_id)), MemberRow)

    async def with_email(self, tx: Tx, tenant: str, email: str) -> MemberRow | None:
        """The member who has a normalised address."""
        return await tx.first(_MEMBER.where(memberships.c.tenant_id == tenant, users.c.email == email), MemberRow)

    async def page(self, tx: Tx, tenant: str, after: Position | None, most: int) -> list[MemberRow]:
        """Members in the order of joining."""
        at, id = memberships.c.created_at, memberships.c.user_id
        query = _MEMBER.where(memberships.c.tenant_id == tenant, _behind(at, id, after))
        return await tx.all(query.order_by(at, id).limit(most), MemberRow)

    async def owners(self, tx: Tx, tenant: str) -> int:
        """How many owners there are."""
        mine = and_(memberships.c.tenant_id == tenant, memberships.c.role == Role.OWNER.value)
        return int(await tx.value(select(func.count()).select_from(memberships).where(mine)))

    async def keepers(self, tx: Tx, tenant: str) -> list[str]:
        """Addresses of owners and admins."""
        them = memberships.c.tenant_id == tenant, memberships.c.role.in_([Role.OWNER.value, Role.ADMIN.value])
        found = select(users.c.email).join(memberships, users.c.id == memberships.c.user_id).where(*them)
        return await tx.values(found.order_by(memberships.c.created_at))

    async def set_role(self, tx: Tx, tenant: str, user_id: str, role: Role) -> None:
        """Another role."""
        await tx.run(update(memberships).where(self._one(tenant, user_id)).values(role=role.value))

    async def remove(self, tx: Tx, tenant: str, user_id: str) -> None:
        """No longer a member."""
        await tx.run(delete(memberships).where(self._one(tenant, user_id)))

    def _one(self, tenant: str, user_id: str) -> ColumnElement[bool]:
        return and_(memberships.c.tenant_id == tenant, memberships.c.user_id == user_id)


class InvitationStore:
    """Invitations of one organisation."""

    async def add(self, tx: Tx, tenant: str, row: InvitationRow, digest: str) -> None:
        """Put it in."""
        values = asdict(row) | {"tenant_id": tenant}
        await tx.run(invitations.insert().values(**values, digest=digest))

    async def find(self, tx: Tx, tenant: str, invitation_id: str) -> InvitationRow | None:
        """One invitation, also a past one."""
        return await tx.first(self._query(tenant).where(invitations.c.id == invitation_id), InvitationRow)

    async def page(self, tx: Tx, tenant: str, after: Position | None, most: int) -> list[InvitationRow]:
        """Pending invitations, the oldest first."""
        at, id = invitations.c.created_at, invitations.c.id
        query = self._query(tenant).where(_PENDING, _behind(at, id, after)).order_by(at, id)
        return await tx.all(query.limit(most), InvitationRow)

    async def pending(self, tx: Tx, tenant: str, now: datetime) -> int:
        """How many may still be accepted."""
        mine = and_(invitations.c.tenant_id == tenant, _PENDING, invitations.c.expires_at > now)
        return int(await tx.value(select(func.count()).select_from(invitations).where(mine)))

    async def revoke(self, tx: Tx, tenant: str, invitation_id: str, at: datetime) -> bool:
        """Whether there was a pending one."""
        mine = and_(invitations.c.tenant_id == tenant, invitations.c.id == invitation_id, _PENDING)
        return await tx.run(update(invitations).where(mine).values(revoked_at=at)) > 0

    async def revoke_for(self, tx: Tx, tenant: str, email: str, at: datetime) -> int:
        """Those pending for an address; how many."""
        mine = and_(invitations.c.tenant_id == tenant, invitations.c.email == email, _PENDING)
        return await tx.run(update(invitations).where(mine).values(revoked_at=at))

    async def revoke_by(self, tx: Tx, tenant: str, invited_by: str, at: datetime) -> list[str]:
        """Those pending that a person made; their ids."""
        mine = and_(invitations.c.tenant_id == tenant, invitations.c.invited_by == invited_by, _PENDING)
        ids: list[str] = await tx.values(select(invitations.c.id).where(mine).order_by(invitations.c.id))
        await tx.run(update(invitations).where(mine).values(revoked_at=at))
        return ids

    async def accept(self, tx: Tx, tenant: str, invitation_id: str, at: datetime) -> bool:
        """Whether it was still pending."""
        mine = and_(invitations.c.tenant_id == tenant, invitations.c.id == invitation_id, _PENDING)
        return await tx.run(update(invitations).where(mine).values(accepted_at=at)) > 0

    def _query(self, tenant: str) -> Select[Any]:
        return select(*_INVITATION).where(invitations.c.tenant_id == tenant)


_PENDING = and_(invitations.c.accepted_at.is_(None), invitations.c.revoked_at.is_(None))


class InvitationDirectory:
    """By token: whoever holds one is not a member yet, and does not name the tenant."""

    async def by_digest(self, tx: Tx, digests: Sequence[str]) -> InvitationRow | None:
        """The invitation of a token."""
        return await tx.first(select(*_INVITATION).where(invitations.c.digest.in_(digests)), InvitationRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What an idempotency key was used for."""

    target: str
    input: str


class RetryStore:
    """What was made under a caller's idempotency key: the same request again makes no second one."""

    async def claim(
        self, tx: Tx, tenant: str, *, caller: str, act: str, key: str, target: str, input: str, now: datetime
    ) -> Claimed | None:
        """None for the first; else what the first asked for and made. A parallel request waits for the other's end."""
        made = tx.insert(retries).values(
            tenant_id=tenant, caller=caller, act=act, key=key, target=target, input=input, created_at=now
        )
        if await tx.run(made.on_conflict_do_nothing()) > 0:
            return None
        mine = and_(retries.c.tenant_id == tenant, retries.c.caller == caller, retries.c.act == act)
        return await tx.first(select(retries.c.target, retries.c.input).where(mine, retries.c.key == key), Claimed)

    async def forget(self, tx: Tx, tenant: str, before: datetime) -> None:
        """Keys older than they are good for."""
        await tx.run(delete(retries).where(retries.c.tenant_id == tenant, retries.c.created_at < before))
