"""What tells one cached answer from another in this process."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from gateway.core.access import Lane
from schema.capability import Capability


def cache_key(lane: Lane, capability: Capability[Any, Any], item: Any) -> Hashable:
    """Equality of asks is the key; terms are no part of it. What is one tenant's alone has a key of its own."""
    if lane.scope is None:
        return (capability.name, capability.version, lane.id, item)
    return (capability.name, capability.version, lane.id, item, lane.scope)


def is_of(key: Any, provider: str, capability: str | None, symbol: str | None) -> bool:
    """Whether a key is of a provider, and of one capability and symbol of it where they are given."""
    return (
        key[2] == provider
        and (capability is None or key[0] == capability)
        and (symbol is None or str(getattr(key[3], "instrument", key[3])) == symbol)
    )
