"""Who covers an ask, in what order, and why the others do not."""

from __future__ import annotations

from bisect import insort
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

import structlog
from cachetools import LRUCache

from gateway.core.access import Access, Lane, OwnLanes, Remake, Turnstiles
from gateway.core.account import EVERYBODY, NOBODY, Account, Reach
from gateway.core.clock import Clock
from gateway.core.guards.breaker import Breaker, BreakerPolicy, Changed
from gateway.core.guards.quota import OwnCount, Windows
from gateway.core.guards.turnstile import Turnstile
from gateway.core.licensing import REFUSALS, rights_in
from gateway.core.oversight import BreakerOversight
from providers.contract import Profile, Provider
from schema.capability import DEFAULT_TERMS, Capability, Terms
from schema.errors import KeyMissing, NotCovered, UnknownProvider, UpstreamError
from schema.provenance import DataMode
from schema.words.candles import CandlesAsk

log = structlog.get_logger(__name__)

ROUTES = 4_000
"""How many routes are remembered: the oldest goes first, for to find one again is cheaper than to keep an order."""
CHOICES = 2_000
"""How many ways to choose between the providers of a capability are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Lanes to try in order, and why the other providers of the capability are not among them."""

    lanes: tuple[Lane, ...]
    refused: tuple[UpstreamError, ...]
    shared: bool
    """Whether all lanes serve every tenant alike."""


@dataclass(slots=True, kw_only=True)
class Registry:
    """All loaded providers and their lanes. `mode` is LIVE, or RECORDED for the offline market."""

    clock: Clock
    mode: DataMode
    providers: dict[str, Provider] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    keys_missing: dict[str, str] = field(default_factory=dict)
    policy: BreakerPolicy = field(default_factory=BreakerPolicy)
    changed: Changed | None = None
    oversight: BreakerOversight | None = None
    turnstiles: Turnstiles | None = None
    quotas: bool = True
    """Whether upstreams' limits are counted."""
    disabled: Mapping[str, str] = field(default_factory=dict)
    """Why the operator lets nobody ask a provider, by its id; see `disable`."""
    _lanes: dict[str, list[Lane]] = field(default_factory=dict)
    _routes: dict[Hashable, Route] = field(default_factory=dict)
    _choices: LRUCache[Any, Route] = field(default_factory=lambda: LRUCache(CHOICES))
    _firsts: dict[str, dict[Any, Lane | None]] = field(default_factory=dict)
    changes: int = 0
    """Grows whenever what was remembered of routes is forgotten."""
    own: OwnLanes = field(init=False)

    def __post_init__(self) -> None:
        self.own = OwnLanes(self.clock, self.policy, self._turnstile)

    def add(self, provider: Provider, key_missing: str | None = None, remake: Remake | None = None) -> None:
        """Make lanes for everything that a provider offers; *key_missing* names the setting that it lacks.

        *remake* makes the provider once more with a tenant's own key; without it no tenant can bring one.
        """
        profile = provider.profile
        self.providers[profile.id] = provider
        self._forget()
        if key_missing:
            self.keys_missing[profile.id] = key_missing
        if remake:
            self.own.remakes[profile.id] = remake
        access = Access(holder=profile.id, turnstile=self._turnstile(profile, ""))
        for name, answer in provider.offers.items():
            breaker = Breaker(profile.id, name, self.clock, self.policy, self.changed, self.oversight)
            if self.oversight is not None:
                self.oversight.watch(breaker)
            lane = Lane(
                provider=provider, answer=answer, breaker=breaker, method=getattr(provider, answer.method),
                access=access,
            )  # fmt: skip
            insort(self._lanes.setdefault(name, []), lane, key=_place)

    def counts(self, profile: Profile) -> bool:
        """Recorded and simulated calls are counted by nobody."""
        return self.mode is DataMode.LIVE and profile.mode is DataMode.LIVE

    def _turnstile(self, profile: Profile, mark: str | None) -> Turnstile | None:
        if not (self.quotas and profile.limits and self.counts(profile)):
            return None
        if self.turnstiles is not None:
            return self.turnstiles(profile, mark)
        return Turnstile(profile.id, OwnCount(Windows(profile.limits, margin=profile.margin)), self.clock)

    def disable(self, disabled: Mapping[str, str]) -> None:
        """Exactly these providers are routed to no more, also where they are pinned."""
        if disabled != self.disabled:
            self.disabled = dict(disabled)
            self._forget()

    def _forget(self) -> None:
        self._routes.clear()
        self._choices.clear()
        self._firsts.clear()
        self.changes += 1

    def lanes_of(self, capability: str) -> list[Lane]:
        """In order of priority."""
        return self._lanes.get(capability, [])

    def pairs(self) -> list[tuple[str, str]]:
        """Each provider with each capability that it offers."""
        return [(lane.id, name) for name, lanes in self._lanes.items() for lane in lanes]

    def capabilities(self) -> frozenset[str]:
        """Names that somebody answers."""
        return frozenset(self._lanes)

    def route(self, capability: Capability[Any, Any], ask: Any, terms: Terms, account: Account = NOBODY) -> Route:
        """For an ask of one item. UnknownProvider where a pin names nobody.

        What a provider covers does not change, so a route is remembered; only the reach of candles moves with time.
        """
        if isinstance(ask, CandlesAsk):
            found = self._find(capability, ask, terms, account.reach)
        else:
            key: Hashable = (capability.name, ask, terms.providers, terms.exclude, terms.rights)
            if account.reach is not EVERYBODY:
                key = (key, account.reach)
            remembered = self._routes.get(key)
            if remembered is None:
                if len(self._routes) >= ROUTES:
                    del self._routes[next(iter(self._routes))]
                remembered = self._routes[key] = self._find(capability, ask, terms, account.reach)
            found = remembered
        if not account.tenant or (found.shared and not account.keys):
            return found
        return replace(found, lanes=tuple(self.own.lane(lane, account) for lane in found.lanes))

    def first(
        self, capability: Capability[Any, Any], item: Any, ask: Any, terms: Terms, account: Account
    ) -> Lane | None:
        """The lane that an item is asked on before all others; None where nobody covers it.

        *ask* is the whole ask where the item is no part of a batch. For callers who share everything it is remembered
        by the item alone: a hundred items are looked up in as many microseconds.
        """
        plain = terms is DEFAULT_TERMS and account.reach is EVERYBODY and not account.keys
        remembered = self._firsts.get(capability.name) if plain and ask is None else None
        if remembered is not None and item in remembered:
            lane = remembered[item]
            if lane is None or lane.rights.share or not account.tenant:
                return lane
        single = ask if ask is not None or capability.items is None else capability.items.only(None, (item,))
        route = self.route(capability, single, terms, account)
        lane = route.lanes[0] if route.lanes else None
        if plain and ask is None and route.shared:
            kept = self._firsts.setdefault(capability.name, {})
            if len(kept) >= ROUTES:
                kept.clear()
            kept[item] = lane
        return lane

    def _find(self, capability: Capability[Any, Any], ask: Any, terms: Terms, reach: Reach) -> Route:
        key = (capability.name, terms.providers, terms.exclude, terms.rights, reach)
        choice = self._choices.get(key)
        if choice is None:
            choice = self._choices[key] = self._choose(capability.name, terms, reach)
        pinned = terms.providers is not None
        lanes: list[Lane] = []
        refused = list(choice.refused)
        for lane in choice.lanes:
            why = self._refusal(lane, ask, pinned=pinned, own=lane.id in reach.own)
            if why is None:
                lanes.append(lane)
            else:
                refused.append(why)
        shared = all(lane.rights.share for lane in lanes)
        return Route(lanes=tuple(lanes), refused=tuple(refused), shared=shared)

    def _choose(self, capability: str, terms: Terms, reach: Reach) -> Route:
        """Whom terms and tenant leave for any ask, in the order of asking: worked out once for all symbols."""
        refused: list[UpstreamError] = []
        lanes = list(self._eligible(capability, terms, reach, refused))
        if terms.providers is None:
            lanes.sort(key=lambda lane: (reach.rank(lane.id), lane.id not in reach.own))
        return Route(lanes=tuple(lanes), refused=tuple(refused), shared=False)

    def _eligible(self, capability: str, terms: Terms, reach: Reach, refused: list[UpstreamError]) -> Iterable[Lane]:
        self._check_names("route.providers", terms.providers or ())
        self._check_names("route.exclude", sorted(terms.exclude))
        by_id = {lane.id: lane for lane in self.lanes_of(capability)}
        wanted = by_id if terms.providers is None else terms.providers
        lanes: list[Lane] = []
        for name in wanted:
            if name in terms.exclude:
                refused.append(NotCovered(name, "is left out by exclude"))
            elif reach.allowed is not None and name not in reach.allowed:
                refused.append(NotCovered(name, "is not in your plan"))
            elif name not in by_id:
                refused.append(NotCovered(name, f"does not offer {capability}"))
            elif (why := reach.objection(self.providers[name].profile)) is not None:
                refused.append(NotCovered(name, why))
            elif (lacking := self._lacking(by_id[name], terms, reach)) is not None:
                refused.append(NotCovered(name, lacking))
            elif terms.providers is not None or self._by_itself(by_id[name]):
                lanes.append(by_id[name])
        return lanes

    def _lacking(self, lane: Lane, terms: Terms, reach: Reach) -> str | None:
        """Which of the rights that are asked for its licence does not give."""
        if not terms.rights:
            return None
        private = lane.answer.capability.private
        given = rights_in(lane.provider.profile.licence, own_key=lane.id in reach.own, private=private)
        return next((REFUSALS[right] for right in sorted(terms.rights) if not given.allow(right)), None)

    def _check_names(self, field: str, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.providers:
                near = get_close_matches(name, self.providers, n=1)
                hint = f"did you mean {near[0]!r}?" if near else "`providers` lists the ids"
                raise UnknownProvider(field, f"no provider {name[:40]!r}; {hint}")

    def _by_itself(self, lane: Lane) -> bool:
        """In live mode a simulated provider answers only when pinned."""
        return self.mode is not DataMode.LIVE or lane.provider.profile.mode is DataMode.LIVE

    def _refusal(self, lane: Lane, ask: Any, *, pinned: bool, own: bool) -> UpstreamError | None:
        answer = lane.answer
        if lane.id in self.disabled:
            return NotCovered(lane.id, f"is {self.disabled[lane.id]}")
        if isinstance(ask, CandlesAsk):
            if answer.intervals and ask.interval not in answer.intervals:
                offered = " ".join(answer.intervals)
                return NotCovered(lane.id, f"has no {ask.interval} candles (it has {offered})")
            # Whoever pins a provider means it: the upstream itself says how far back it goes.
            reach = answer.reach(ask.interval) if answer.reach and not pinned else None
            if reach is not None and ask.start < lane.provider.clock.now() - reach - ask.interval.delta:
                return NotCovered(lane.id, f"its {ask.interval} history reaches back {_span(reach)} only")
        if not covers(lane, ask):
            return NotCovered(lane.id, f"does not cover this {answer.capability.name} ask")
        missing = self.keys_missing.get(lane.id)
        if missing and not own:
            return KeyMissing(lane.id, f"needs a key: set {missing}")
        return None


def _place(lane: Lane) -> tuple[int, str]:
    return lane.provider.profile.priority, lane.id


def covers(lane: Lane, ask: Any) -> bool:
    """An adapter that breaks over a question leaves it to the others."""
    try:
        return lane.answer.covers(ask)
    except Exception:
        log.exception("adapter_defect", provider=lane.id, capability=lane.answer.capability.name)
        return False


def _span(reach: timedelta) -> str:
    days, hours = reach // timedelta(days=1), reach // timedelta(hours=1)
    return f"{days} days" if days > 1 else f"{hours} hours"
