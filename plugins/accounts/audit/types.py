"""The audit trail as GraphQL shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from plugins.accounts.audit.rows import AuditRow
from schema.model import described, model
from schema.paging import PageInfo
from schema.scalars import Cursor


@model("One line of the audit trail: who did what to what, when and from where.")
class AuditEntry:
    """Written in the transaction of the act; sealed within seconds."""

    id: strawberry.ID = described("Identity of the line.")
    at: datetime = described("When it was done.")
    action: str = described("Object and verb, such as `apikey.revoked`.")
    actor: str = described("Id of the user, key or token that did it; `command line` for the operator's commands.")
    actor_kind: str = described("`user`, `api_key`, `access_token`, `operator` or `system`.")
    target: str = described("Id of what was changed.")
    before: str | None = described("What was changed, as it was: JSON without secrets.", default=None)
    after: str | None = described("What was changed, as it is now: JSON without secrets.", default=None)
    client_ip: str | None = described("The address that it was done from, where it is known.", default=None)
    sequence: int | None = described("Its number in the chain, from 1; null until it is sealed.", default=None)
    sealed: bool = described("Whether it is part of the chain, so that no change of it stays unseen.")

    @classmethod
    def of(cls, row: AuditRow) -> AuditEntry:
        """A row as it is shown."""
        return cls(
            id=strawberry.ID(row.id), at=row.at, action=row.action, actor=row.actor, actor_kind=row.actor_kind,
            target=row.target, before=text_of(row.before), after=text_of(row.after), client_ip=row.client_ip,
            sequence=row.sequence, sealed=row.sequence is not None,
        )  # fmt: skip


@model("A line of the audit trail and its position.")
class AuditEntryEdge:
    """Relay's edge."""

    node: AuditEntry = described("The line.")
    cursor: Cursor = described("Its position.")


@model("A page of the audit trail, the newest line first.")
class AuditEntryConnection:
    """Relay's connection with `nodes` beside `edges`."""

    nodes: list[AuditEntry] = described("The lines.")
    edges: list[AuditEntryEdge] = described("The lines with their positions.")
    page_info: PageInfo = described("Where this page stands.")


def text_of(values: Mapping[str, Any] | None) -> str | None:
    """Plain values as JSON text."""
    if values is None:
        return None
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def exported(row: AuditRow) -> str:
    """A line of an export, with the hash that chains it to the one before."""
    return json.dumps({
        "tenant": row.tenant_id, "id": row.id, "at": row.at.isoformat(timespec="microseconds"), "action": row.action,
        "actor": row.actor, "actorKind": row.actor_kind, "target": row.target, "before": row.before,
        "after": row.after, "clientIp": row.client_ip, "requestId": row.request_id, "sequence": row.sequence,
        "hash": row.hash,
    }, ensure_ascii=False, separators=(",", ":"))  # fmt: skip
