"""Rows of the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One line; `sequence` and `hash` are given by the sealer."""

    tenant_id: str
    id: str
    at: datetime
    action: str
    actor: str
    actor_kind: str
    target: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    client_ip: str | None
    request_id: str | None
    sequence: int | None
    hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """A run of sealed lines under one signature; after `removed_at` only its ends are left, as a checkpoint."""

    tenant_id: str
    first_sequence: int
    last_sequence: int
    first_hash: str
    last_hash: str
    opened_at: datetime
    newest_at: datetime
    removed_at: datetime | None
    signature: str
