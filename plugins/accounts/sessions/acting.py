"""What whoever made something may do now, long after the request that made it: for what goes on without them."""

from __future__ import annotations

from dataclasses import replace

from gateway.core.contract import Host
from gateway.core.identity import ROLE_SCOPES, CallerKind, Principal
from gateway.core.store import Tx
from plugins.accounts.keys.store import ApiKeyStore
from plugins.accounts.organisations.store import MembershipStore
from plugins.accounts.sessions.news import Subject
from plugins.accounts.sessions.standing import Standings

_SUBJECTS = {"key": Subject.KEY, "tok": Subject.TOKEN}
"""By what ids begin with."""


async def acting(host: Host, tx: Tx, tenant: str, actor: str) -> Principal | None:
    """See `gateway.core.ports.Organisations`."""
    kind = actor.partition("_")[0]
    if kind == "user":
        role = await MembershipStore().role_of(tx, tenant, actor)
        if role is None:
            return None
        return Principal(tenant=tenant, kind=CallerKind.USER, user=actor, role=role, scopes=ROLE_SCOPES[role])
    subject = _SUBJECTS.get(kind)
    return None if subject is None else await _standing(host, tx, tenant, subject, actor)


async def _standing(host: Host, tx: Tx, tenant: str, subject: Subject, actor: str) -> Principal | None:
    """Of a credential; what was made with a key that was rotated is its successor's."""
    asked, id = set[str](), actor
    while id not in asked:
        asked.add(id)
        found = (await Standings(host).of(tx, (subject, id))).principal
        if found is not None:
            known = found.tenant == tenant
            return replace(found, key=actor if subject is Subject.KEY else found.key) if known else None
        row = await ApiKeyStore().find(tx, tenant, id) if subject is Subject.KEY else None
        id = id if row is None or row.replaced_by is None else row.replaced_by
    return None
