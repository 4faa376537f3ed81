"""From the row of a credential to what its bearer may do now. No text of a credential comes here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.core.contract import Host
from gateway.core.identity import (
    ANONYMOUS_SCOPES,
    OPERATOR_SCOPES,
    ROLE_SCOPES,
    TENANT_SCOPES,
    CallerKind,
    OperatorRole,
    Principal,
    Role,
    Scope,
)
from gateway.core.store import Tx
from plugins.accounts.sessions.news import Named, Subject
from plugins.accounts.sessions.rows import KeyStanding, OperatorStanding, SessionStanding, TokenStanding
from plugins.accounts.sessions.store import StandingDirectory

KEPT_BY_OWNERS = frozenset(scope for scope in TENANT_SCOPES if scope.value.endswith(":read")) | {
    Scope.ORGANISATION_WRITE
}
"""What an owner may still do in an organisation that waits for its erasure: read, export, restore."""
SUSPENDED = "The organisation is suspended: ask the operator of this gateway. Its data stays."
DELETING = "The organisation is being deleted: only an owner who is signed in may still read, export or restore it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a credential is worth. Without a principal it is worth nothing, and why is nobody's business."""

    principal: Principal | None = None
    plan: str | None = None
    """Of the organisation; None outside of all."""
    named: frozenset[Named] = frozenset()
    """Everything whose message is about it."""
    last_seen_at: datetime | None = None
    created_at: datetime | None = None

    def at(self, now: datetime) -> Standing:
        """The same, or nothing once it has expired."""
        expires = None if self.principal is None else self.principal.expires_at
        return NOTHING if expires is not None and now >= expires else self


NOTHING = Standing()


class Standings:
    """Reads how a credential stands, by its id."""

    def __init__(self, host: Host) -> None:
        self._host, self._directory = host, StandingDirectory()

    async def of(self, tx: Tx, named: Named) -> Standing:
        """Of a session, an API key, an access token or an operator's key; NOTHING once it is over."""
        return (await self.of_all(tx, [named]))[named]

    async def of_all(self, tx: Tx, wanted: Collection[Named]) -> dict[Named, Standing]:
        """Of many, by one query for each kind."""
        ids: dict[str, list[str]] = {}
        for kind, id in wanted:
            ids.setdefault(kind, []).append(id)
        made: dict[Named, Standing] = {}
        if asked := ids.get(Subject.TOKEN):
            made |= await self._tokens(tx, asked)
        if asked := ids.get(Subject.SESSION):
            made |= {(Subject.SESSION, row.id): self._session(row) for row in await self._directory.sessions(tx, asked)}
        if asked := ids.get(Subject.KEY):
            made |= {(Subject.KEY, row.id): _key(row) for row in await self._directory.keys(tx, asked)}
        if asked := ids.get(Subject.OPERATOR):
            made |= {(Subject.OPERATOR, row.id): _operator(row) for row in await self._directory.operators(tx, asked)}
        now = self._host.clock.now()
        return {named: made.get(named, NOTHING).at(now) for named in wanted}

    async def _tokens(self, tx: Tx, token_ids: Sequence[str]) -> dict[Named, Standing]:
        """A browser's token is never worth more than what minted it is worth now."""
        rows = [row for row in await self._directory.tokens(tx, token_ids) if row.revoked_at is None]
        parents = await self.of_all(tx, {_parent(row) for row in rows})
        made: dict[Named, Standing] = {}
        for row in rows:
            kind, id = _parent(row)
            parent = parents[kind, id].principal
            if parent is not None and parent.tenant == row.tenant_id:
                principal = _minted(row, parent, id if kind == Subject.KEY else None)
                made[Subject.TOKEN, row.id] = Standing(principal=principal, plan=row.plan)
        return made

    def _session(self, row: SessionStanding) -> Standing:
        if row.revoked_at is not None:
            return NOTHING
        if row.organisation_id is None:
            scopes = ANONYMOUS_SCOPES if self._host.settings.anonymous_allowed else frozenset[Scope]()
            return self._person(row, None, scopes)
        if row.role is None or row.status is None:
            return NOTHING
        role = Role(row.role)
        if row.status == "deleting" and role is Role.OWNER:
            return self._person(row, role, KEPT_BY_OWNERS)
        closed = _suspended(row.status)
        return self._person(row, role, frozenset() if closed else ROLE_SCOPES[role], closed)

    def _person(
        self, row: SessionStanding, role: Role | None, scopes: frozenset[Scope], closed: str | None = None
    ) -> Standing:
        principal = Principal(
            tenant=row.organisation_id or "", kind=CallerKind.USER, scopes=scopes, role=role, user=row.user_id,
            session=row.id, expires_at=row.expires_at, suspended=closed,
        )  # fmt: skip
        return Standing(
            principal=principal, plan=row.plan, last_seen_at=row.last_seen_at, created_at=row.created_at
        )  # fmt: skip


def _key(row: KeyStanding) -> Standing:
    if row.revoked_at is not None:
        return NOTHING
    principal = Principal(
        tenant=row.tenant_id, kind=CallerKind.API_KEY, scopes=granted(row.scopes), key=row.id,
        expires_at=row.expires_at, origins=frozenset(row.origins), networks=frozenset(row.networks),
        suspended=_suspended(row.status),
    )  # fmt: skip
    return Standing(principal=principal, plan=row.plan)


def _operator(row: OperatorStanding) -> Standing:
    if row.revoked_at is not None:
        return NOTHING
    principal = Principal(
        tenant="", kind=CallerKind.OPERATOR, scopes=OPERATOR_SCOPES[OperatorRole(row.role)], key=row.id,
        expires_at=row.expires_at, networks=frozenset(row.networks),
    )  # fmt: skip
    return Standing(principal=principal)


def _parent(row: TokenStanding) -> Named:
    return (Subject.KEY if row.parent.startswith("key_") else Subject.SESSION, row.parent)


def _minted(row: TokenStanding, parent: Principal, key: str | None) -> Principal:
    return Principal(
        tenant=row.tenant_id, kind=CallerKind.ACCESS_TOKEN, scopes=granted(row.scopes) & parent.scopes, token=row.id,
        key=key, max_points=row.max_points, expires_at=row.expires_at, origins=frozenset(row.origins),
        suspended=_suspended(row.status),
    )  # fmt: skip


def granted(names: Sequence[str]) -> frozenset[Scope]:
    """The scopes that stand in a row, of those that an organisation may give."""
    return frozenset(scope for scope in TENANT_SCOPES if scope.value in names)


def _suspended(status: str) -> str | None:
    return {"active": None, "deleting": DELETING}.get(status, SUSPENDED)
