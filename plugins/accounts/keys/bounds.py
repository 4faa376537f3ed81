"""A key that acts on keys stays within itself: it neither widens itself nor makes, or takes hold of, a wider one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network

from gateway.core.identity import Scope
from plugins.accounts.keys.rows import ApiKeyRow
from schema.words.problems import Refused

LIMITS = ("expires_at", "networks", "origins")
"""What confines a key besides its scopes."""


def check_held(row: ApiKeyRow, held: frozenset[Scope]) -> None:
    """Whoever changes a key, or is given its secret, has all of its scopes."""
    lacking = sorted(set(row.scopes) - {scope.value for scope in held})
    if lacking:
        told = f"This key has {', '.join(lacking)}, which you have not: use a key or a person that has them."
        raise Refused("SCOPE_NOT_HELD", told, "id")


def check_within(row: ApiKeyRow, caller: ApiKeyRow, limits: Collection[str], field: str | None = None) -> None:
    """None of these limits of a key is wider than the one of the key that acts on it; *field* is where to look."""
    if "expires_at" in limits and _outlives(row.expires_at, caller.expires_at):
        told = f"The key that you use ends at {_shown(caller.expires_at)}: another may not end later"
        raise _exceeds(told, field or "expiresAt")
    if "networks" in limits and not _inside(row.networks, caller.networks):
        told = f"The key that you use is confined to {', '.join(caller.networks)}: another needs networks within these"
        raise _exceeds(told, field or "networks")
    if "origins" in limits and caller.origins and not set(row.origins) <= set(caller.origins):
        told = f"The key that you use has the origins {', '.join(caller.origins)}: another may have no further ones"
        raise _exceeds(told, field or "origins")


def _exceeds(told: str, field: str) -> Refused:
    return Refused("EXCEEDS_CALLER", f"{told}. Stay within it, or sign in as a person.", field)


def _outlives(end: datetime | None, bound: datetime | None) -> bool:
    return bound is not None and (end is None or end > bound)


def _inside(networks: Sequence[str], bounds: Sequence[str]) -> bool:
    """No networks are all networks."""
    around = [ip_network(bound) for bound in bounds]
    return not bounds or (bool(networks) and all(_covered(ip_network(each), around) for each in networks))


def _covered(network: IPv4Network | IPv6Network, around: Sequence[IPv4Network | IPv6Network]) -> bool:
    first, last = network[0], network[-1]
    return any(first in bound and last in bound for bound in around)


def _shown(moment: datetime | None) -> str:
    return "never" if moment is None else moment.isoformat(timespec="seconds")
