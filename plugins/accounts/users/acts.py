"""Lines of the audit trail about a person, who is not always the caller that the request shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.core.contract import Context
from gateway.core.identity import CallerKind
from gateway.core.ports import Audit
from gateway.core.store import Tx
from schema.errors import Unauthenticated


def person_of(context: Context) -> str:
    """The id of the signed-in person; a key or a token that somebody made is not that person."""
    principal = context.principal
    if principal.kind is not CallerKind.USER or principal.user is None:
        raise Unauthenticated
    return principal.user


async def record(
    context: Context,
    tx: Tx,
    action: str,
    user_id: str,
    *,
    tenant: str = "",
    target: str | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """A person's act on themselves, or on *target*; *tenant* is the organisation that they act in."""
    act = context.act(action, target or user_id, tenant=tenant, after=after)
    await context.service(Audit).record(tx, replace(act, actor=user_id, actor_kind=CallerKind.USER.value))
