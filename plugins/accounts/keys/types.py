"""GraphQL types of API keys."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

import strawberry

from plugins.accounts.keys.rows import ApiKeyRow
from schema.model import choices, described, model
from schema.paging import PageInfo
from schema.words.instruments import Node


@choices(
    "Whether a key opens anything.",
    ACTIVE="It opens what it was given.",
    ROTATED="It has a successor, and lives until `expiresAt`.",
    EXPIRED="Its time is over.",
    REVOKED="Somebody ended it.",
)
class ApiKeyStatus(StrEnum):
    """ROTATED: it has a successor, and lives until `expiresAt`."""

    ACTIVE = "ACTIVE"
    ROTATED = "ROTATED"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


@model("A key of the organisation, for servers. Its secret is shown once, when it is made.", implements=(Node,))
class ApiKey:
    """Without the secret."""

    id: strawberry.ID = described("Its id.")
    name: str = described("What it is called.")
    prefix: str = described("The part of its text by which it can be told from others.")
    scopes: list[str] = described("What it may do, as `area:read` or `area:write`.")
    origins: list[str] = described("Browser origins that it is taken from; none means no browser at all.")
    networks: list[str] = described("The only networks that it is taken from; none means all.")
    created_at: datetime = described("When it was made.")
    created_by: str = described("Who made it: the id of a person or of a key.")
    expires_at: datetime | None = described("When it ends; null for never.", default=None)
    last_used_at: datetime | None = described("When it was last used, to the minute.", default=None)
    last_used_ip: str | None = described("From which address it was last used.", default=None)
    status: ApiKeyStatus = described("Whether it opens anything.")

    @classmethod
    def of(cls, row: ApiKeyRow, now: datetime) -> Self:
        """As it stands now."""
        return cls(
            id=strawberry.ID(row.id), name=row.name, prefix=row.prefix, scopes=row.scopes, origins=row.origins,
            networks=row.networks, created_at=row.created_at, created_by=row.created_by, expires_at=row.expires_at,
            last_used_at=row.last_used_at, last_used_ip=row.last_used_ip, status=_status(row, now),
        )  # fmt: skip


@model("A page of API keys.")
class ApiKeyConnection:
    """In the order of making."""

    nodes: list[ApiKey] = described("The keys.")
    page_info: PageInfo = described("Where this page stands.")


def _status(row: ApiKeyRow, now: datetime) -> ApiKeyStatus:
    if row.revoked_at is not None:
        return ApiKeyStatus.REVOKED
    if not row.lives(now):
        return ApiKeyStatus.EXPIRED
    return ApiKeyStatus.ROTATED if row.replaced_by else ApiKeyStatus.ACTIVE
