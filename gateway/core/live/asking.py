"""From asks to streams: which providers may serve a live ask for a caller, and in what order."""

from __future__ import annotations

from typing import Any

from gateway.core.access import Lane
from gateway.core.account import Account
from gateway.core.live.leader import Upstream
from gateway.core.routing import Registry
from schema.capability import Capability, Terms
from schema.errors import UpstreamError


def upstreams(
    registry: Registry, capability: Capability[Any, Any], ask: Any, terms: Terms, account: Account
) -> tuple[tuple[Upstream, ...], tuple[UpstreamError, ...]]:
    """Where the stream of an ask of one item may come from, in order, and why not from elsewhere.

    Whom the caller prefers, and the caller's own keys, come first; then who has a feed; those who are asked again and
    again come last. Pinned providers keep their order.
    """
    route = registry.route(capability, ask, terms, account)
    lanes = list(route.lanes)
    if terms.providers is None:
        rank = account.reach.rank
        lanes.sort(key=lambda lane: (rank(lane.id), not lane.own, not has_feed(registry, lane, capability, ask)))
    return tuple(Upstream(lane=lane, capability=capability, ask=ask) for lane in lanes), route.refused


def has_feed(registry: Registry, lane: Lane, capability: Capability[Any, Any], ask: Any) -> bool:
    """Whether the provider streams it by itself; offline, and simulated, none does."""
    stream = lane.provider.streams.get(capability.name)
    return stream is not None and stream.takes(ask) and registry.counts(lane.provider.profile)
