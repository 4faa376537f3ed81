"""On whose behalf market data is asked: a tenant's own provider keys, and the bounds of its plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from gateway.core.identity import CallerKind, Principal
from gateway.core.ports import ProviderKeys
from schema.errors import BadInput

OwnKeys = Mapping[str, Mapping[str, str]]
"""Parts of keys by provider id."""

NO_KEYS: OwnKeys = MappingProxyType({})


class Reach(NamedTuple):
    """What makes routing differ between tenants: for whom they have own keys, whom their plan allows (None: all)."""

    own: frozenset[str] = frozenset()
    allowed: frozenset[str] | None = None


EVERYBODY = Reach()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Account:
    """Resolved once per operation. Without a tenant the platform asks for itself."""

    tenant: str = ""
    keys: OwnKeys = field(default_factory=lambda: NO_KEYS, repr=False)
    history_days: int | None = None
    reach: Reach = EVERYBODY
    share: float = 1.0
    """Against other tenants' where they wait for the same upstream's quota."""

    def check_depth(self, ask: Any, now: datetime) -> None:
        """BadInput for a range that begins before the plan's history."""
        start = getattr(ask, "start", None)
        if self.history_days is None or start is None:
            return
        oldest = now.date() - timedelta(days=self.history_days)
        if (start.date() if isinstance(start, datetime) else start) < oldest:
            raise BadInput(
                "start",
                f"your plan's history reaches back {self.history_days} days: begin on {oldest} (UTC) or later (a later "
                "`start`, or a smaller `last`), or move to a plan with more history",
            )


NOBODY = Account()
"""The platform itself: the command line, lists that all callers share."""


class Accounts:
    """Finds a caller's account: at once for callers whose keys are known, as of all who have none."""

    def __init__(self, keys: Callable[[], ProviderKeys | None], *, live: bool) -> None:
        self._keys, self._live = keys, live

    def at_once(self, principal: Principal) -> Account | None:
        """None where the tenant's keys must be read first."""
        port = self._port(principal)
        held = NO_KEYS if port is None else port.held(principal.tenant)
        return None if held is None else self._made(principal, held)

    async def find(self, principal: Principal) -> Account:
        """Read what is not known."""
        port = self._port(principal)
        return self._made(principal, NO_KEYS if port is None else await port.of(principal.tenant))

    def _port(self, principal: Principal) -> ProviderKeys | None:
        """Nobody's keys are asked for where there is no tenant."""
        nobody = not principal.tenant or principal.kind is CallerKind.ANONYMOUS
        return None if nobody else self._keys()

    def _made(self, principal: Principal, keys: OwnKeys) -> Account:
        limits = principal.limits
        tenant = "" if principal.kind is CallerKind.ANONYMOUS else principal.tenant
        # Recordings need no key, and answer in the order of the offline market.
        keys = keys if self._live else NO_KEYS
        reach = Reach(frozenset(keys), limits.providers) if keys or limits.providers is not None else EVERYBODY
        return Account(tenant=tenant, keys=keys, history_days=limits.history_days, reach=reach)
