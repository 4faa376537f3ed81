"""Rows of API keys, access tokens and operators' keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRow:
    """`accounts_api_keys`."""

    tenant_id: str
    id: str
    name: str
    prefix: str
    digest: str = field(repr=False)
    scopes: list[str]
    origins: list[str]
    networks: list[str]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: str | None
    revoked_at: datetime | None
    replaced_by: str | None

    def lives(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTokenRow:
    """`accounts_access_tokens`; `parent` is the key or the session that minted it."""

    tenant_id: str
    id: str
    parent: str
    prefix: str
    digest: str = field(repr=False)
    scopes: list[str]
    origins: list[str]
    max_points: int | None
    spent_points: int
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    def lives(self, now: datetime) -> bool:
        """Whether it still opens anything, as long as its parent does."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorKeyRow:
    """`accounts_operator_keys`."""

    id: str
    name: str
    prefix: str
    digest: str = field(repr=False)
    role: str
    networks: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    def lives(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
