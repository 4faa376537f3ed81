"""On whose account an alert's markets are watched: one for all organisations that see them alike, else its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gateway.core.contract import Context, Host
from gateway.core.identity import LOCAL, CallerKind, Principal, Scope
from gateway.core.ports import Backstage, Organisations, Plans, Preference

EVERYBODY = ""
ACTIVE = "active"
_SCOPES = frozenset({Scope.MARKET_READ, Scope.STREAM_READ})


class Accounts:
    """Of one process."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._contexts: dict[str, Callable[[], Context]] = {}

    def context(self, whose: str) -> Context:
        """For one look at the markets."""
        return self._contexts[whose]()

    async def whose(self, tenant: str) -> str | None:
        """The account of an organisation; None where it is not active."""
        host, organisation = self._host, None
        backstage = host.service(Backstage)
        self._contexts.setdefault(EVERYBODY, partial(backstage.context, LOCAL))
        if Organisations not in host.services:
            return EVERYBODY
        async with host.store.read() as tx:
            organisation = await host.service(Organisations).find(tx, tenant)
        if organisation is None or organisation.status != ACTIVE:
            return None
        limits = await host.service(Plans).limits_of(tenant, organisation.plan)
        principal = Principal(tenant=tenant, kind=CallerKind.API_KEY, scopes=_SCOPES, limits=limits)
        account = await backstage.context(principal).market.whose()
        if not account.keys and account.reach.allowed is None and account.reach.wish == Preference():
            return EVERYBODY
        self._contexts[tenant] = partial(backstage.context, principal)
        return tenant
