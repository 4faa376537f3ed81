"""Who covers an ask, in what order, and why the others do not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from cachetools import LRUCache

from gateway.core.clock import Clock
from gateway.core.guards.breaker import Breaker, BreakerPolicy, Changed
from gateway.core.guards.retry import RetryBudget
from providers.contract import Answer, Provider
from schema.capability import Capability, Terms
from schema.errors import KeyMissing, NotCovered, UnknownProvider, UpstreamError
from schema.provenance import DataMode
from schema.words.candles import CandlesAsk

ROUTES = 20_000
"""How many routes are remembered."""


@dataclass(slots=True, kw_only=True, eq=False)
class Lane:
    """One provider's way of answering one capability, with the guards' state for it."""

    provider: Provider
    answer: Answer
    breaker: Breaker
    method: Callable[[Any], Any]

    @property
    def id(self) -> str:
        """The provider's id."""
        return self.provider.profile.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Lanes to try in order, and why the other providers of the capability are not among them."""

    lanes: tuple[Lane, ...]
    refused: tuple[UpstreamError, ...]


@dataclass(slots=True, kw_only=True)
class Registry:
    """All loaded providers and their lanes. `mode` is LIVE, or RECORDED for the offline market."""

    clock: Clock
    mode: DataMode
    providers: dict[str, Provider] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    keys_missing: dict[str, str] = field(default_factory=dict)
    budgets: dict[str, RetryBudget] = field(default_factory=dict)
    policy: BreakerPolicy = field(default_factory=BreakerPolicy)
    changed: Changed | None = None
    _lanes: dict[str, list[Lane]] = field(default_factory=dict)
    _routes: LRUCache[Any, Route] = field(default_factory=lambda: LRUCache(ROUTES))

    def add(self, provider: Provider, key_missing: str | None = None) -> None:
        """Make lanes for everything that a provider offers; *key_missing* names the setting that it lacks."""
        profile = provider.profile
        self.providers[profile.id] = provider
        self._routes.clear()
        self.budgets[profile.id] = RetryBudget()
        if key_missing:
            self.keys_missing[profile.id] = key_missing
        for name, answer in provider.offers.items():
            breaker = Breaker(profile.id, name, self.clock, self.policy, self.changed)
            lane = Lane(provider=provider, answer=answer, breaker=breaker, method=getattr(provider, answer.method))
            lanes = self._lanes.setdefault(name, [])
            lanes.append(lane)
            lanes.sort(key=lambda each: (each.provider.profile.priority, each.id))

    def lanes_of(self, capability: str) -> list[Lane]:
        """In order of priority."""
        return self._lanes.get(capability, [])

    def capabilities(self) -> frozenset[str]:
        """Names that somebody answers."""
        return frozenset(self._lanes)

    def route(self, capability: Capability[Any, Any], ask: Any, terms: Terms) -> Route:
        """For an ask of one item. UnknownProvider where a pin names nobody.

        What a provider covers does not change, so a route is remembered; only the reach of candles moves with time.
        """
        if isinstance(ask, CandlesAsk):
            return self._find(capability, ask, terms)
        key = (capability.name, ask, terms.providers, terms.exclude)
        found = self._routes.get(key)
        if found is None:
            found = self._routes[key] = self._find(capability, ask, terms)
        return found

    def _find(self, capability: Capability[Any, Any], ask: Any, terms: Terms) -> Route:
        lanes: list[Lane] = []
        refused: list[UpstreamError] = []
        for lane in self._eligible(capability.name, terms, refused):
            why = self._refusal(lane, ask, pinned=terms.providers is not None)
            if why is None:
                lanes.append(lane)
            else:
                refused.append(why)
        return Route(lanes=tuple(lanes), refused=tuple(refused))

    def _eligible(self, capability: str, terms: Terms, refused: list[UpstreamError]) -> Iterable[Lane]:
        self._check_names("route.providers", terms.providers or ())
        self._check_names("route.exclude", sorted(terms.exclude))
        by_id = {lane.id: lane for lane in self.lanes_of(capability)}
        wanted = by_id if terms.providers is None else terms.providers
        lanes: list[Lane] = []
        for name in wanted:
            if name in terms.exclude:
                refused.append(NotCovered(name, "is left out by exclude"))
            elif name not in by_id:
                refused.append(NotCovered(name, f"does not offer {capability}"))
            elif terms.providers is not None or self._by_itself(by_id[name]):
                lanes.append(by_id[name])
        return lanes

    def _check_names(self, field: str, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.providers:
                near = get_close_matches(name, self.providers, n=1)
                hint = f"did you mean {near[0]!r}?" if near else "`providers` lists the ids"
                raise UnknownProvider(field, f"no provider {name[:40]!r}; {hint}")

    def _by_itself(self, lane: Lane) -> bool:
        """In live mode a simulated provider answers only when pinned."""
        return self.mode is not DataMode.LIVE or lane.provider.profile.mode is DataMode.LIVE

    def _refusal(self, lane: Lane, ask: Any, *, pinned: bool) -> UpstreamError | None:
        answer = lane.answer
        if isinstance(ask, CandlesAsk):
            if answer.intervals and ask.interval not in answer.intervals:
                offered = " ".join(answer.intervals)
                return NotCovered(lane.id, f"has no {ask.interval} candles (it has {offered})")
            # Whoever pins a provider means it: the upstream itself says how far back it goes.
            reach = answer.reach(ask.interval) if answer.reach and not pinned else None
            if reach is not None and ask.start < lane.provider.clock.now() - reach - ask.interval.delta:
                return NotCovered(lane.id, f"its {ask.interval} history reaches back {_span(reach)} only")
        if not answer.covers(ask):
            return NotCovered(lane.id, f"does not cover this {answer.capability.name} ask")
        missing = self.keys_missing.get(lane.id)
        if missing:
            return KeyMissing(lane.id, f"needs a key: set {missing}")
        return None


def _span(reach: timedelta) -> str:
    days, hours = reach // timedelta(days=1), reach // timedelta(hours=1)
    return f"{days} days" if days > 1 else f"{hours} hours"
