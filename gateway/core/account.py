"""On whose behalf market data is asked: a tenant's own keys and preferences, and the bounds of its plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from gateway.core.identity import CallerKind, PlanLimits, Principal
from gateway.core.ports import ProviderKeys
from gateway.core.preferences import NO_PREFERENCE, Preference, Preferences
from providers.contract import Profile
from schema.errors import BadInput

OwnKeys = Mapping[str, Mapping[str, str]]
"""Parts of keys by provider id."""

NO_KEYS: OwnKeys = MappingProxyType({})


class Reach(NamedTuple):
    """What makes routing differ between tenants: for whom they have own keys, whom their plan allows (None: all), and
    what they prefer."""

    own: frozenset[str] = frozenset()
    allowed: frozenset[str] | None = None
    wish: Preference = NO_PREFERENCE

    def rank(self, provider: str) -> int:
        """Its place among those that the tenant wants to be asked first."""
        order = self.wish.order
        return order.index(provider) if provider in order else len(order)

    def objection(self, profile: Profile) -> str | None:
        """Why the tenant does not want a provider to be asked; what its own key costs is its own affair."""
        denied, dearest = self.wish.denied, self.wish.dearest
        if profile.id in denied:
            return "is on your organisation's deny list"
        if dearest is None or profile.cost_per_call <= dearest or profile.id in self.own:
            return None
        return f"costs {profile.cost_per_call:f} USD a call; your organisation pays {dearest:f} at most"


EVERYBODY = Reach()
MOST_PLAIN = 10_000
"""Accounts that are held, each of a few numbers."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Account:
    """Resolved once per operation. Without a tenant the platform asks for itself."""

    tenant: str = ""
    keys: OwnKeys = field(default_factory=lambda: NO_KEYS, repr=False)
    history_days: int | None = None
    reach: Reach = EVERYBODY
    share: float = 1.0
    """Against other tenants' where they wait for the same upstream's quota."""
    upstream_calls: int | None = None
    """Requests a minute to upstreams with the platform's keys; None for any number."""

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
    """Finds a caller's account: at once for callers of whom all is known, as of those who have no tenant."""

    def __init__(
        self,
        keys: Callable[[], ProviderKeys | None],
        preferences: Callable[[], Preferences | None] = lambda: None,
        *,
        live: bool,
    ) -> None:
        self._keys, self._preferences, self._live = keys, preferences, live
        self._plain: dict[str, tuple[PlanLimits, Account]] = {}
        """By tenant: accounts of those who have neither keys nor preferences of their own."""

    def at_once(self, principal: Principal) -> Account | None:
        """None where the tenant's keys or preferences must be read first."""
        if _nobody(principal):
            return self._made(principal, NO_KEYS, NO_PREFERENCE)
        ring, book, tenant = self._keys(), self._preferences(), principal.tenant
        keys = NO_KEYS if ring is None else ring.held(tenant)
        wish = NO_PREFERENCE if book is None else book.held(tenant)
        return None if keys is None or wish is None else self._made(principal, keys, wish)

    async def find(self, principal: Principal) -> Account:
        """Read what is not known."""
        if _nobody(principal):
            return self._made(principal, NO_KEYS, NO_PREFERENCE)
        ring, book, tenant = self._keys(), self._preferences(), principal.tenant
        keys = NO_KEYS if ring is None else await ring.of(tenant)
        return self._made(principal, keys, NO_PREFERENCE if book is None else await book.of(tenant))

    def _made(self, principal: Principal, keys: OwnKeys, wish: Preference) -> Account:
        limits = principal.limits
        tenant = "" if principal.kind is CallerKind.ANONYMOUS else principal.tenant
        # Recordings need no key.
        keys = keys if self._live else NO_KEYS
        plain = not keys and limits.providers is None and wish == NO_PREFERENCE
        known = self._plain.get(tenant) if plain else None
        if known is not None and known[0] is limits:
            return known[1]
        made = Account(
            tenant=tenant,
            keys=NO_KEYS if plain else keys,
            history_days=limits.history_days,
            reach=EVERYBODY if plain else Reach(frozenset(keys), limits.providers, wish),
            share=limits.upstream_weight,
            upstream_calls=limits.upstream_calls_per_minute if tenant else None,
        )
        if plain:
            if len(self._plain) >= MOST_PLAIN:
                self._plain.clear()
            self._plain[tenant] = (limits, made)
        return made


def _nobody(principal: Principal) -> bool:
    """Nothing is asked for where there is no tenant."""
    return not principal.tenant or principal.kind is CallerKind.ANONYMOUS
