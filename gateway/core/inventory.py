"""The registry as its users see it: facts, condition, what is missing, why a provider is chosen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import strawberry

from gateway.core.access import Lane
from gateway.core.account import Reach
from gateway.core.freshness import Measured, proves
from gateway.core.grades import grade_of
from gateway.core.guards.breaker import Breaker
from gateway.core.health import Holder, OwnHolder, clipped, failure_of
from gateway.core.identity import Principal
from gateway.core.market import MarketData
from gateway.core.ports import NOTHING
from gateway.core.preferences import NO_PREFERENCE, Preference
from providers.contract import Profile, Provider
from schema.provenance import DataMode
from schema.symbols import AssetClass
from schema.words.registry import (
    BreakerState,
    Circuit,
    Credential,
    CredentialSource,
    Grade,
    Licence,
    ProviderCapability,
    ProviderFreshness,
    ProviderHealth,
    ProviderInfo,
    ProviderStatus,
    UpstreamLimit,
    UpstreamQuota,
)

DEGRADED_AT = 0.2
_WORST = (BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED)
_CLOSED = Circuit(state=BreakerState.CLOSED, trips=0)


class Inventory:
    """Reads the registry and the health; holds nothing but the grades."""

    def __init__(self, data: MarketData, keyed: Mapping[str, frozenset[str]]) -> None:
        self._data, self._keyed = data, keyed
        self._grades: dict[str, Grade] = {}

    def all(
        self,
        caller: Principal | None = None,
        own: Mapping[str, Collection[str]] = NOTHING,
        wish: Preference = NO_PREFERENCE,
    ) -> list[ProviderInfo]:
        """In order of routing, then those that failed to load; as a caller with own keys sees them."""
        registry = self._data.registry
        ordered = sorted(registry.providers.values(), key=lambda p: (p.profile.priority, p.profile.id))
        return [self.of(each, caller, own, wish) for each in ordered] + [
            _failed(*each) for each in registry.failed.items()
        ]

    def find(
        self,
        provider: str,
        caller: Principal | None = None,
        own: Mapping[str, Collection[str]] = NOTHING,
        wish: Preference = NO_PREFERENCE,
    ) -> ProviderInfo | None:
        """One by its id."""
        registry = self._data.registry
        if provider in registry.failed:
            return _failed(provider, registry.failed[provider])
        found = registry.providers.get(provider)
        return self.of(found, caller, own, wish) if found else None

    def of(
        self,
        provider: Provider,
        caller: Principal | None = None,
        own: Mapping[str, Collection[str]] = NOTHING,
        wish: Preference = NO_PREFERENCE,
    ) -> ProviderInfo:
        """One provider as it is now."""
        profile = provider.profile
        lanes = [
            lane for name in provider.offers for lane in self._data.registry.lanes_of(name) if lane.id == profile.id
        ]
        parts = own.get(profile.id)
        holder = self._holder(profile.id, caller) if parts else profile.id
        health = self._health(holder, lanes)
        status, reason = self._status(profile.id, holder, health, own=bool(parts))
        measured = self._data.pipeline.health.freshness(holder)
        return ProviderInfo(
            id=strawberry.ID(profile.id),
            name=profile.name,
            asset_classes=list(profile.asset_classes),
            grade=self._grade(type(provider), measured.values()),
            status=status,
            status_reason=reason,
            routing=self._routing(provider, caller, Reach(frozenset([profile.id] if parts else ()), wish=wish)),
            credentials=self._credentials(provider, parts),
            capabilities=[_capability(lane) for lane in lanes],
            health=health,
            freshness=[_freshness(name, told) for name, told in measured.items()],
            limits=[
                UpstreamLimit(unit=limit.unit, limit=limit.count, window_seconds=int(limit.per.total_seconds()))
                for limit in profile.limits
            ],
            quota=self._quota(profile, caller if parts else None, lanes),
            licence=Licence(
                note=profile.licence.note,
                attribution=profile.licence.attribution,
                cacheable=profile.licence.cacheable,
                shareable=profile.licence.shareable,
                redistributable=profile.licence.redistributable,
            ),
            origin="builtin" if type(provider).__module__.startswith("providers.") else type(provider).__module__,
            docs=profile.docs,
        )

    def _holder(self, provider: str, caller: Principal | None) -> Holder:
        """Who asks it with a key of its own has an own experience of it, once it has asked."""
        access = self._data.registry.own.access(caller.tenant, provider) if caller else None
        return access.holder if access else OwnHolder(provider, caller.tenant if caller else "", 0)

    def _quota(self, profile: Profile, caller: Principal | None, lanes: list[Lane]) -> list[UpstreamQuota]:
        """Of the tenant's own key where it has one that was used."""
        if caller is not None:
            access = self._data.registry.own.access(caller.tenant, profile.id)
        else:
            access = lanes[0].access if lanes else None
        if access is None or access.turnstile is None:
            return []
        now = self._data.clock.now()
        return [
            UpstreamQuota(
                unit=limit.unit, limit=limit.count, remaining=left.remaining,
                resets_at=None if left.resets_in is None else now + timedelta(seconds=left.resets_in),
            )
            for limit, left in zip(profile.limits, access.turnstile.standing(), strict=True)
        ]  # fmt: skip

    def _health(self, holder: Holder, lanes: list[Lane]) -> ProviderHealth:
        condition = self._data.pipeline.health.of(holder)
        circuit = _worst(lanes)
        return ProviderHealth(
            breaker=circuit.state,
            circuit=circuit,
            error_rate=condition.error_rate,
            p50_ms=condition.percentile(0.5),
            p95_ms=condition.percentile(0.95),
            last_success_at=condition.last_success,
            last_failure=failure_of(condition.last_failure) if condition.last_failure else None,
        )

    def _status(
        self, provider: str, holder: Holder, health: ProviderHealth, *, own: bool
    ) -> tuple[ProviderStatus, str | None]:
        disabled = self._data.registry.disabled.get(provider)
        if disabled:
            return ProviderStatus.DISABLED, disabled
        missing = self._data.registry.keys_missing.get(provider)
        if missing and not own:
            return ProviderStatus.KEY_MISSING, f"set {missing}"
        held = self._data.pipeline.health.hold(holder)
        if held is not None:
            refused = held.code == "PROVIDER_MISCONFIGURED"
            return ProviderStatus.KEY_INVALID if refused else ProviderStatus.PAUSED, held.detail
        if health.breaker is BreakerState.OPEN:
            return ProviderStatus.PAUSED, "a circuit breaker is open"
        if health.error_rate >= DEGRADED_AT:
            return ProviderStatus.DEGRADED, f"{health.error_rate:.0%} of recent calls failed"
        return ProviderStatus.READY, None

    def _routing(self, provider: Provider, caller: Principal | None, reach: Reach) -> str:
        profile, mode = provider.profile, self._data.registry.mode
        if profile.id in self._data.registry.disabled:
            return "never: it is disabled"
        allowed = caller.limits.providers if caller else None
        if allowed is not None and profile.id not in allowed:
            return "never for you: it is not in your plan"
        if (why := reach.objection(profile)) is not None:
            return f"never for you: it {why}"
        if profile.id in reach.wish.order:
            return f"number {reach.rank(profile.id) + 1} in your organisation's order, before all that it does not name"
        if reach.own and mode is DataMode.LIVE:
            return "answers live, before those without a key of yours; only you get what your key pays for"
        if profile.mode is DataMode.SIMULATED:
            return "first in the offline market" if mode is not DataMode.LIVE else "only when pinned: it is simulated"
        source = "answers from recordings" if mode is not DataMode.LIVE else "answers live"
        order = f"{source}; priority {profile.priority}, lowest first among those that cover the ask"
        health = self._data.pipeline.health
        told = [f"{name}: {why}" for name in provider.offers if (why := health.behind(profile.id, name))]
        return f"{order}; after the others now: {', '.join(told)}" if told else order

    def _credentials(self, provider: Provider, own: Collection[str] | None) -> list[Credential]:
        """The parts of one key: the caller's own, or the platform's."""
        given = own or self._keyed.get(provider.profile.id, frozenset())
        source = CredentialSource.TENANT if own else CredentialSource.PLATFORM
        setting = f"MARKETGATE_KEY_{provider.profile.id.upper()}"
        return [
            Credential(
                name=part.name,
                setting=setting,
                required=part.required,
                source=source if part.name in given else CredentialSource.NONE,
                sign_up=part.sign_up,
            )
            for part in provider.profile.credentials
        ]

    def _grade(self, cls: type[Provider], measured: Collection[Measured]) -> Grade:
        if cls.profile.id not in self._grades:
            self._grades[cls.profile.id] = grade_of(cls)
        known = self._grades[cls.profile.id]
        return Grade.GOLD if known is Grade.SILVER and proves(measured) else known


def _freshness(capability: str, told: Measured) -> ProviderFreshness:
    return ProviderFreshness(
        capability=capability, samples=told.samples, median_lag_ms=clipped(told.median), p95_lag_ms=clipped(told.p95),
        fresh=told.fresh,
    )  # fmt: skip


def _capability(lane: Lane) -> ProviderCapability:
    answer, profile = lane.answer, lane.provider.profile
    return ProviderCapability(
        name=answer.capability.name,
        streaming=False,
        intervals=list(answer.intervals),
        history_from=answer.since,
        delay=answer.delay or profile.delay,
        max_batch=answer.max_batch,
        breaker=lane.breaker.state,
        circuit=_circuit(lane.breaker),
    )


def _circuit(breaker: Breaker) -> Circuit:
    return Circuit(
        state=breaker.state, trips=breaker.trips, opened_at=breaker.opened_at, reason=breaker.reason,
        next_trial_at=breaker.next_trial_at,
    )  # fmt: skip


def _worst(lanes: Sequence[Lane]) -> Circuit:
    circuits = [_circuit(lane.breaker) for lane in lanes]
    worst = min(circuits, key=lambda circuit: _WORST.index(circuit.state), default=_CLOSED)
    return replace(worst, trips=sum(circuit.trips for circuit in circuits))


def _failed(name: str, reason: str) -> ProviderInfo:
    nothing: list[AssetClass] = []
    return ProviderInfo(
        id=strawberry.ID(name), name=name, asset_classes=nothing, grade=Grade.BRONZE,
        status=ProviderStatus.FAILED_TO_LOAD, status_reason=reason, routing="never: it did not load", credentials=[],
        capabilities=[], health=ProviderHealth(breaker=BreakerState.CLOSED, circuit=_CLOSED, error_rate=0.0),
        freshness=[], limits=[], quota=[],
        licence=Licence(note="unknown", cacheable=False, shareable=False, redistributable=False),
        origin="entry point", docs="",
    )  # fmt: skip
