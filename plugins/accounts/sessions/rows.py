"""Rows of sessions and refresh tokens, and how a credential stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """`accounts_sessions`."""

    id: str
    user_id: str
    organisation_id: str | None
    cookie: bool
    secret_digest: str | None
    user_agent: str | None
    client_ip: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_reason: str | None

    def lives(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshRow:
    """`accounts_refresh_tokens`."""

    id: str
    session_id: str
    digest: str
    issued_at: datetime
    expires_at: datetime
    rotated_at: datetime | None
    successor_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStanding:
    """A session with its person's role in the organisation that it acts in, and how that stands."""

    id: str
    user_id: str
    organisation_id: str | None
    cookie: bool
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    role: str | None
    plan: str | None
    status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStanding:
    """An API key with its organisation."""

    id: str
    tenant_id: str
    scopes: list[str]
    origins: list[str]
    networks: list[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    plan: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStanding:
    """A browser's access token with its organisation."""

    id: str
    tenant_id: str
    parent: str
    scopes: list[str]
    origins: list[str]
    max_points: int | None
    expires_at: datetime
    revoked_at: datetime | None
    plan: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorStanding:
    """An operator's key."""

    id: str
    role: str
    networks: list[str]
    expires_at: datetime | None
    revoked_at: datetime | None
