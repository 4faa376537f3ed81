"""Whom a tenant wants to be asked first, whom never, and what a call may cost at most."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, Protocol


class Preference(NamedTuple):
    """A tenant's own rules of routing; `dearest` is in US dollars a call on the platform's keys."""

    order: tuple[str, ...] = ()
    denied: frozenset[str] = frozenset()
    dearest: Decimal | None = None


NO_PREFERENCE = Preference()


class Preferences(Protocol):
    """What tenants prefer."""

    def held(self, tenant: str) -> Preference | None:
        """What `of` would answer, where it is in memory; None where it must be read."""

    async def of(self, tenant: str) -> Preference:
        """Held in memory for at most ten seconds, dropped at once by a change."""
