"""The SQL of sessions, refresh tokens and of how credentials stand.

Sessions are a person's, who may act in several organisations: no method here has a tenant to compare. A row is found by
a random id or by the digest of a secret, and methods that a person's wish reaches take the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, or_, select, tuple_, update

from gateway.core.store import Tx
from plugins.accounts.sessions.rows import (
    KeyStanding,
    OperatorStanding,
    RefreshRow,
    SessionRow,
    SessionStanding,
    TokenStanding,
)
from plugins.accounts.tables import (
    access_tokens,
    api_keys,
    memberships,
    operator_keys,
    organisations,
    refresh_tokens,
    sessions,
)


class SessionDirectory:
    """Sessions: a person's, found before any tenant is known."""

    async def add(self, tx: Tx, row: dict[str, Any]) -> None:
        """A new session."""
        await tx.run(sessions.insert().values(**row))

    async def find(self, tx: Tx, session_id: str) -> SessionRow | None:
        """By id."""
        return await tx.first(select(sessions).where(sessions.c.id == session_id), SessionRow)

    async def lock(self, tx: Tx, session_id: str) -> SessionRow | None:
        """By id, held until the transaction ends: whoever changes a session or its tokens begins here."""
        return await tx.first(select(sessions).where(sessions.c.id == session_id).with_for_update(), SessionRow)

    async def id_of_secret(self, tx: Tx, digests: Sequence[str]) -> str | None:
        """By the secret of a browser's cookie."""
        found = await tx.value(select(sessions.c.id).where(sessions.c.secret_digest.in_(digests)))
        return None if found is None else str(found)

    async def page(
        self, tx: Tx, user_id: str, now: datetime, *, after: tuple[datetime, str] | None, most: int
    ) -> list[SessionRow]:
        """A person's living sessions, the newest first."""
        place = tuple_(sessions.c.created_at, sessions.c.id)
        query = select(sessions).where(_mine(user_id, now))
        if after is not None:
            at = bindparam("at", after[0], sessions.c.created_at.type)
            query = query.where(place < tuple_(at, bindparam("last", after[1], sessions.c.id.type)))
        return await tx.all(query.order_by(sessions.c.created_at.desc(), sessions.c.id.desc()).limit(most), SessionRow)

    async def act_in(self, tx: Tx, session_id: str, organisation: str | None) -> None:
        """The organisation that a session acts in."""
        await tx.run(update(sessions).where(sessions.c.id == session_id).values(organisation_id=organisation))

    async def prolong(self, tx: Tx, session_id: str, now: datetime, expires_at: datetime) -> None:
        """It was used and lives on."""
        this = update(sessions).where(sessions.c.id == session_id)
        await tx.run(this.values(last_seen_at=now, expires_at=expires_at))

    async def seen(self, tx: Tx, uses: Sequence[dict[str, Any]]) -> None:
        """Write uses (`of`, `at`, `until`, and `since`: who was seen later than that is left alone)."""
        this = update(sessions).where(sessions.c.id == bindparam("of"), sessions.c.last_seen_at < bindparam("since"))
        await tx.run(this.values(last_seen_at=bindparam("at"), expires_at=bindparam("until")), uses)

    async def revoke(
        self,
        tx: Tx,
        now: datetime,
        reason: str,
        *,
        session_id: str | None = None,
        user_id: str | None = None,
        organisation: str | None = None,
        but: str | None = None,
    ) -> list[str]:
        """Those that match every condition given; the ids of those that lived until now."""
        chosen = {sessions.c.id: session_id, sessions.c.user_id: user_id, sessions.c.organisation_id: organisation}
        wanted = [column == value for column, value in chosen.items() if value is not None]
        if not wanted:
            raise ValueError("say whose sessions")
        if but is not None:
            wanted.append(sessions.c.id != but)
        these = update(sessions).where(sessions.c.revoked_at.is_(None), *wanted)
        return [str(each) for each in await tx.values(
            these.values(revoked_at=now, revoked_reason=reason).returning(sessions.c.id)
        )]  # fmt: skip

    async def tidy(self, tx: Tx, before: datetime) -> None:
        """Remove sessions and refresh tokens that ended before an instant."""
        await tx.run(delete(refresh_tokens).where(refresh_tokens.c.expires_at < before))
        await tx.run(delete(sessions).where(or_(sessions.c.expires_at < before, sessions.c.revoked_at < before)))


def _mine(user_id: str, now: datetime) -> Any:
    return and_(sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None), sessions.c.expires_at > now)


class RefreshDirectory:
    """Refresh tokens: part of a session, found by digest."""

    async def add(self, tx: Tx, row: RefreshRow) -> None:
        """A new token."""
        values = {name: getattr(row, name) for name in RefreshRow.__slots__}
        await tx.run(refresh_tokens.insert().values(**values))

    async def find(self, tx: Tx, digests: Sequence[str]) -> RefreshRow | None:
        """By what is stored instead of its text."""
        return await tx.first(select(refresh_tokens).where(refresh_tokens.c.digest.in_(digests)), RefreshRow)

    async def by_id(self, tx: Tx, refresh_id: str | None) -> RefreshRow | None:
        """By id."""
        return await tx.first(select(refresh_tokens).where(refresh_tokens.c.id == refresh_id), RefreshRow)

    async def newest(self, tx: Tx, session_id: str) -> RefreshRow | None:
        """The one of a session that was not rotated."""
        living = refresh_tokens.c.rotated_at.is_(None)
        return await tx.first(
            select(refresh_tokens).where(refresh_tokens.c.session_id == session_id, living), RefreshRow
        )

    async def rotate(self, tx: Tx, refresh_id: str, successor_id: str, now: datetime) -> bool:
        """Whether this call was the one that rotated it."""
        once = update(refresh_tokens).where(refresh_tokens.c.id == refresh_id, refresh_tokens.c.rotated_at.is_(None))
        return await tx.run(once.values(rotated_at=now, successor_id=successor_id)) == 1


class StandingDirectory:
    """How a credential stands, in one look: by its id, before its tenant is known."""

    async def sessions(self, tx: Tx, session_ids: Sequence[str]) -> list[SessionStanding]:
        """Sessions, the roles and the organisations."""
        member = and_(
            memberships.c.user_id == sessions.c.user_id, memberships.c.tenant_id == sessions.c.organisation_id
        )
        columns = (
            "id",
            "user_id",
            "organisation_id",
            "cookie",
            "created_at",
            "last_seen_at",
            "expires_at",
            "revoked_at",
        )
        query = (
            select(*(sessions.c[name] for name in columns), memberships.c.role, *_ORGANISATION)
            .select_from(sessions)
            .outerjoin(organisations, organisations.c.id == sessions.c.organisation_id)
            .outerjoin(memberships, member)
            .where(sessions.c.id.in_(session_ids))
        )
        return await tx.all(query, SessionStanding)

    async def keys(self, tx: Tx, key_ids: Sequence[str]) -> list[KeyStanding]:
        """API keys and their organisations."""
        columns = ("id", "tenant_id", "scopes", "origins", "networks", "expires_at", "revoked_at")
        return await tx.all(_with_organisation(api_keys, columns).where(api_keys.c.id.in_(key_ids)), KeyStanding)

    async def tokens(self, tx: Tx, token_ids: Sequence[str]) -> list[TokenStanding]:
        """Access tokens and their organisations."""
        columns = ("id", "tenant_id", "parent", "scopes", "origins", "max_points", "expires_at", "revoked_at")
        chosen = _with_organisation(access_tokens, columns).where(access_tokens.c.id.in_(token_ids))
        return await tx.all(chosen, TokenStanding)

    async def operators(self, tx: Tx, key_ids: Sequence[str]) -> list[OperatorStanding]:
        """Operators' keys."""
        columns = [operator_keys.c[name] for name in OperatorStanding.__slots__]
        return await tx.all(select(*columns).where(operator_keys.c.id.in_(key_ids)), OperatorStanding)

    async def minted_by(self, tx: Tx, parents: Sequence[str]) -> list[str]:
        """Ids of the access tokens that sessions have minted."""
        return [str(each) for each in await tx.values(
            select(access_tokens.c.id).where(access_tokens.c.parent.in_(parents), access_tokens.c.revoked_at.is_(None))
        )]  # fmt: skip


_ORGANISATION = (organisations.c.plan, organisations.c.status)


def _with_organisation(table: Any, columns: Sequence[str]) -> Select[Any]:
    joined = table.join(organisations, organisations.c.id == table.c.tenant_id)
    return select(*(table.c[name] for name in columns), *_ORGANISATION).select_from(joined)
