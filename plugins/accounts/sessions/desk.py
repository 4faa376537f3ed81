"""Sessions: opened, refreshed, moved to another organisation, revoked."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from gateway.core.contract import Host
from gateway.core.ports import Act, Audit, Presented
from gateway.core.store import Tx, new_id
from plugins.accounts.sessions.cookies import Cookies
from plugins.accounts.sessions.news import Subject, tell
from plugins.accounts.sessions.rows import RefreshRow, SessionRow
from plugins.accounts.sessions.store import RefreshDirectory, SessionDirectory, StandingDirectory

if TYPE_CHECKING:
    from plugins.accounts.sessions.jwts import Signer

LIFE = timedelta(days=7)
"""Of a refresh token; of a browser's session since its last use."""
LONGEST_LIFE = timedelta(days=30)
"""Of a browser's session, however much it is used."""
WINDOW = timedelta(seconds=10)
"""How long after a rotation the direct predecessor is taken for another tab, not for a thief."""
REFRESH, COOKIE = "refresh token", "session cookie"
"""Purposes of digests."""
LONGEST_AGENT = 300


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Issued:
    """What a person gets to carry. The repr shows none of it."""

    session_id: str
    access_token: str
    expires_at: datetime
    refresh_token: str | None
    """None for a browser's session, whose cookie lives by being used."""
    refresh_expires_at: datetime
    cookies: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"Issued({self.session_id})"


class Spoiled(Enum):
    """Why a refresh token gave nothing."""

    INVALID = "invalid"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    REUSED = "reused"


class SessionDesk:
    """One a process. Whatever takes something away is told to all processes after the commit."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.cookies = Cookies(host)
        self.sessions, self._refreshes = SessionDirectory(), RefreshDirectory()
        self._standings = StandingDirectory()

    @cached_property
    def signer(self) -> Signer:
        """Of access tokens; its libraries are loaded at the first use."""
        from plugins.accounts.sessions.jwts import Signer

        return Signer(self._host)

    async def open(
        self,
        tx: Tx,
        user_id: str,
        organisation: str | None,
        *,
        presented: Presented,
        user_agent: str | None,
        cookie: bool,
    ) -> Issued:
        """A new session of a person, acting in an organisation or in none."""
        now, session_id, secret = self._host.clock.now(), new_id("ses"), secrets.token_urlsafe(32)
        await self.sessions.add(tx, {
            "id": session_id, "user_id": user_id, "organisation_id": organisation or None, "cookie": cookie,
            "secret_digest": self._host.vault.digest(COOKIE, secret) if cookie else None,
            "user_agent": user_agent[:LONGEST_AGENT] if user_agent else None, "client_ip": presented.client_ip,
            "created_at": now, "last_seen_at": now, "expires_at": now + LIFE,
        })  # fmt: skip
        if not cookie:
            text, row = self._made(session_id)
            await self._refreshes.add(tx, row)
            return self._issued(session_id, user_id, organisation, text)
        cookies = self.cookies.set(secret, session_id, int(LONGEST_LIFE.total_seconds()))
        return self._issued(session_id, user_id, organisation, None, cookies)

    async def switch(self, tx: Tx, session_id: str, organisation: str | None) -> Issued:
        """The session acts in another organisation from now on; tokens made before work no more."""
        session = await self.sessions.lock(tx, session_id)
        if session is None:
            raise LookupError("no such session")
        await self.sessions.act_in(tx, session_id, organisation or None)
        await self.prolong(tx, session_id)
        await self._tell_of(tx, [session_id])
        text = None
        if (newest := await self._refreshes.newest(tx, session_id)) is not None:
            text = await self._rotated(tx, newest)
        return self._issued(session_id, session.user_id, organisation, text)

    async def refresh(self, tx: Tx, text: str) -> Issued | Spoiled:
        """New tokens for a refresh token. Of many at once one wins; whoever is late or old may cost the session."""
        now = self._host.clock.now()
        row = await self._refresh_row(tx, text)
        session = None if row is None else await self.sessions.lock(tx, row.session_id)
        if row is None or session is None or session.revoked_at is not None:
            return Spoiled.INVALID
        if row.rotated_at is None and now >= row.expires_at:
            return Spoiled.EXPIRED
        successor = None if row.rotated_at is not None else await self._rotated(tx, row)
        if successor is not None:
            await self.prolong(tx, session.id)
            return self._issued(session.id, session.user_id, session.organisation_id, successor)
        return await self._late(tx, session, row.id)

    async def prolong(self, tx: Tx, session_id: str) -> SessionRow:
        """A session was used and lives on."""
        now, session = self._host.clock.now(), await self._known(tx, session_id)
        await self.sessions.prolong(tx, session_id, now, until(session.created_at, now, cookie=session.cookie))
        return await self._known(tx, session_id)

    async def prolong_browser(self, tx: Tx, session_id: str, presented: Presented) -> Issued:
        """A browser's session was used; its cookies stay what they are, for longer."""
        row, secret = await self.prolong(tx, session_id), self.cookies.secret_in(presented)
        left = int((row.created_at + LONGEST_LIFE - self._host.clock.now()).total_seconds())
        cookies = self.cookies.set(secret, session_id, max(left, 0)) if secret else []
        issued = self._issued(session_id, row.user_id, row.organisation_id, None, cookies)
        return replace(issued, refresh_expires_at=row.expires_at)

    async def revoke(self, tx: Tx, session_id: str, reason: str) -> bool:
        """One session; whether it lived until now."""
        found = await self.sessions.revoke(tx, self._host.clock.now(), reason, session_id=session_id)
        await self._tell_of(tx, found)
        return bool(found)

    async def revoke_user(self, tx: Tx, user_id: str, reason: str, *, except_session: str | None = None) -> int:
        """A person's sessions, all of them or all but one; how many."""
        now = self._host.clock.now()
        found = await self.sessions.revoke(tx, now, reason, user_id=user_id, but=except_session)
        await self._tell_of(tx, found)
        return len(found)

    async def revoke_member(self, tx: Tx, user_id: str, organisation: str, reason: str) -> None:
        """A person's sessions that act in an organisation."""
        now = self._host.clock.now()
        found = await self.sessions.revoke(tx, now, reason, user_id=user_id, organisation=organisation)
        await self._tell_of(tx, found)
        tell(self._host, tx, Subject.USER, user_id)

    async def tenant_changed(self, tx: Tx, tenant: str) -> None:
        """An organisation was suspended, resumed, re-planned or deleted."""
        tell(self._host, tx, Subject.TENANT, tenant)

    async def credential_revoked(self, tx: Tx, kind: str, id: str) -> None:
        """An API key (`key`), access token (`token`) or operator's key (`operator`) was revoked or changed; `user`
        after the change of a role."""
        tell(self._host, tx, Subject(kind), id)

    async def knows(self, tx: Tx, text: str) -> bool:
        """Whether a text is a refresh token of any session, good or spoiled."""
        return await self._refresh_row(tx, text) is not None

    async def _refresh_row(self, tx: Tx, text: str) -> RefreshRow | None:
        if not _like_ours(text):
            return None
        return await self._refreshes.find(tx, self._host.vault.digests(REFRESH, text))

    async def _late(self, tx: Tx, session: SessionRow, refresh_id: str) -> Spoiled:
        """A token that was rotated: by another tab a moment ago, or it was stolen."""
        row = await self._refreshes.by_id(tx, refresh_id)
        if row is None or row.rotated_at is None:
            return Spoiled.INVALID
        successor = await self._refreshes.by_id(tx, row.successor_id)
        direct = successor is not None and successor.rotated_at is None
        if direct and self._host.clock.now() - row.rotated_at <= WINDOW:
            return Spoiled.SUPERSEDED
        await self.revoke(tx, session.id, "refresh_reuse")
        await self._host.service(Audit).record(tx, Act(
            tenant=session.organisation_id or "", action="session.revoked", actor=session.user_id, actor_kind="user",
            target=session.id, after={"reason": "refresh_reuse"},
        ))  # fmt: skip
        return Spoiled.REUSED

    async def _rotated(self, tx: Tx, row: RefreshRow) -> str | None:
        """The text of the successor; None where somebody else was first."""
        text, successor = self._made(row.session_id)
        if not await self._refreshes.rotate(tx, row.id, successor.id, successor.issued_at):
            return None
        await self._refreshes.add(tx, successor)
        return text

    def _made(self, session_id: str) -> tuple[str, RefreshRow]:
        now, text = self._host.clock.now(), f"mgrt_{secrets.token_urlsafe(32)}"
        row = RefreshRow(
            id=new_id("ref"), session_id=session_id, digest=self._host.vault.digest(REFRESH, text), issued_at=now,
            expires_at=now + LIFE, rotated_at=None, successor_id=None,
        )  # fmt: skip
        return text, row

    def _issued(
        self,
        session_id: str,
        user_id: str,
        organisation: str | None,
        refresh_token: str | None,
        cookies: list[str] | None = None,
    ) -> Issued:
        token, expires_at = self.signer.sign(user=user_id, session=session_id, organisation=organisation)
        return Issued(
            session_id=session_id, access_token=token, expires_at=expires_at, refresh_token=refresh_token,
            refresh_expires_at=self._host.clock.now() + LIFE, cookies=cookies or [],
        )  # fmt: skip

    async def _known(self, tx: Tx, session_id: str) -> SessionRow:
        found = await self.sessions.find(tx, session_id)
        if found is None:
            raise LookupError("no such session")
        return found

    async def _tell_of(self, tx: Tx, session_ids: list[str]) -> None:
        """Sessions that ended or act elsewhere, with the access tokens that they have minted for browsers."""
        minted = await self._standings.minted_by(tx, session_ids) if session_ids else []
        for kind, ids in ((Subject.SESSION, session_ids), (Subject.TOKEN, minted)):
            for id in ids:
                tell(self._host, tx, kind, id)


def until(created_at: datetime, now: datetime, *, cookie: bool) -> datetime:
    """When a session ends that is used now."""
    return min(now + LIFE, created_at + LONGEST_LIFE) if cookie else now + LIFE


def _like_ours(text: str) -> bool:
    return text.startswith("mgrt_") and len(text) <= 100 and text.isascii()
