"""How an upstream is reached: the platform's lanes, which all tenants share, and those of a tenant's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from cachetools import LRUCache

from gateway.core.account import Account
from gateway.core.clock import Clock
from gateway.core.guards.breaker import Breaker, BreakerPolicy
from gateway.core.guards.budget import RetryBudget
from gateway.core.guards.turnstile import Turnstile
from gateway.core.health import Holder, OwnHolder
from gateway.core.licensing import Rights, rights_in
from gateway.core.secrets import Redactor
from providers.contract import Answer, Profile, Provider
from schema.words.registry import BreakerState

CONCURRENT = 64
"""Calls under way at one upstream with one key: as many as one process has clients at a busy moment, and no flood."""
MOST_OWN = 2_000
"""How many tenants' providers are held ready; those that nobody used for longest go first."""

Remake = Callable[[Mapping[str, str]], Provider]
Turnstiles = Callable[[Profile, "str | None"], "Turnstile | None"]
"""Makes what counts one key's calls: the platform's ("") or a tenant's own by its mark, None for a key without one."""


@dataclass(slots=True, kw_only=True, eq=False)
class Access:
    """One key with one upstream, and what is counted for each key by itself: a refused one stops no other."""

    holder: Holder
    redact: Redactor = field(default_factory=Redactor)
    budget: RetryBudget = field(default_factory=RetryBudget)
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONCURRENT))
    turnstile: Turnstile | None = None
    """The upstream's own limits; None where it has none, or where no call leaves."""


@dataclass(slots=True, kw_only=True, eq=False)
class Lane:
    """One way to a provider's answers to one capability, with the guards' state for it.

    `scope` is part of the keys of cache and single flight: None where the answers serve every tenant. `mark` is the
    same between processes; empty for a scope that no other process may know, whose answers stay here. `trunk` is the
    platform's breaker, which a tenant's own lane honours and never moves.
    """

    provider: Provider
    answer: Answer
    breaker: Breaker
    method: Callable[[Any], Any]
    access: Access
    scope: Hashable = None
    mark: str = ""
    trunk: Breaker | None = None
    id: str = field(init=False)
    """The provider's id."""
    rights: Rights = field(init=False)
    """What may be done with its answers besides showing them to their caller."""

    def __post_init__(self) -> None:
        profile, private = self.provider.profile, self.answer.capability.private
        self.id = profile.id
        self.rights = rights_in(profile.licence, own_key=self.own, private=private)

    @property
    def own(self) -> bool:
        """Whether it is a tenant's, with the tenant's key."""
        return self.trunk is not None

    @property
    def shut(self) -> bool:
        """Whether a breaker lets nothing through now."""
        trunk = self.trunk
        return self.breaker.state is BreakerState.OPEN or (trunk is not None and trunk.state is BreakerState.OPEN)


@dataclass(slots=True, kw_only=True, eq=False)
class _Line:
    """A tenant's own provider; its lanes are made as they are needed."""

    parts: Mapping[str, str]
    provider: Provider
    access: Access
    mark: str
    lanes: dict[str, Lane] = field(default_factory=dict)


class OwnLanes:
    """Lanes that are one tenant's: with its own key, or over the platform's where a licence lets nobody share."""

    def __init__(self, clock: Clock, policy: BreakerPolicy, turnstiles: Turnstiles) -> None:
        self._clock, self._policy, self._turnstiles = clock, policy, turnstiles
        self.remakes: dict[str, Remake] = {}
        self.sign: Callable[[str], str] | None = None
        """Makes of a tenant's own key what all processes know it by; nobody can tell the key from that."""
        self._lines: LRUCache[tuple[str, str], _Line] = LRUCache(MOST_OWN)
        self._scoped: LRUCache[tuple[str, Lane], Lane] = LRUCache(MOST_OWN)
        self._serial = count(1)

    def lane(self, shared: Lane, account: Account) -> Lane:
        """What serves this account in place of a platform's lane; that lane itself where nothing is the tenant's."""
        parts = account.keys.get(shared.id)
        if parts is not None and shared.id in self.remakes:
            return self._own(shared, account.tenant, parts)
        if shared.rights.share:
            return shared
        key = (account.tenant, shared)
        found = self._scoped.get(key)
        if found is None:
            found = self._scoped[key] = replace(shared, scope=account.tenant, mark=f"tenant:{account.tenant}")
        return found

    def access(self, tenant: str, provider: str) -> Access | None:
        """A tenant's own, where one is held ready."""
        line = self._lines.get((tenant, provider))
        return line.access if line else None

    def forget(self, tenant: str) -> None:
        """The tenant's keys have changed: nothing made with the old ones is used again."""
        for key in [key for key in self._lines if key[0] == tenant]:
            del self._lines[key]

    def _own(self, shared: Lane, tenant: str, parts: Mapping[str, str]) -> Lane:
        key = (tenant, shared.id)
        line = self._lines.get(key)
        if line is None or line.parts != parts:
            line = self._lines[key] = self._line(tenant, shared.id, parts)
        name = shared.answer.capability.name
        lane = line.lanes.get(name)
        if lane is None:
            lane = line.lanes[name] = Lane(
                provider=line.provider, answer=shared.answer, access=line.access, trunk=shared.breaker,
                breaker=Breaker(shared.id, name, self._clock, self._policy), scope=line.access.holder, mark=line.mark,
                method=getattr(line.provider, shared.answer.method),
            )  # fmt: skip
        return lane

    def _line(self, tenant: str, provider: str, parts: Mapping[str, str]) -> _Line:
        # What one key was given or refused says nothing of the next: each has a serial number.
        holder = OwnHolder(provider, tenant, next(self._serial))
        told = json.dumps([provider, tenant, sorted(parts.items())])
        mark = f"key:{self.sign(told)}" if self.sign else ""
        made = self.remakes[provider](parts)
        turnstile = self._turnstiles(made.profile, mark or None)
        access = Access(holder=holder, redact=Redactor(parts.values()), turnstile=turnstile)
        return _Line(parts=parts, provider=made, access=access, mark=mark)
