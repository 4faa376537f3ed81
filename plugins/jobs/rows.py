"""A job as it stands in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """`jobs_jobs`."""

    tenant_id: str
    id: str
    kind: str
    who: str
    by_user: str | None
    by_key: str | None
    scopes: Sequence[str]
    input: Mapping[str, Any]
    idempotency_key: str | None
    state: str
    progress: float
    words: str | None
    result: str | None
    error_code: str | None
    error_message: str | None
    tries: int
    lease: str | None
    leased_until: datetime | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A job that this process has taken."""

    tenant_id: str
    id: str
    kind: str
    by_user: str | None
    by_key: str | None
    scopes: Sequence[str]
    input: Mapping[str, Any]
