"""Whose turn it is: tenants who wait get calls in proportion to their shares, and what one does not want is others'.

Start-time fair queueing: each tenant has a tag that grows by what it was served, divided by its share; the smallest is
next. Who did not wait begins at the tag that was served last, so nobody saves up and nobody is punished for a past.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.core.guards.quota import Claim

MOST = 1_000
"""How many tenants' tags are held before those that are past are dropped."""


class Turns:
    """The order between tenants at one upstream."""

    def __init__(self) -> None:
        self._tags: dict[str, float] = {}
        self._now = 0.0

    def next(self, claims: Sequence[Claim], done: Container[int] = ()) -> int:
        """The place of the claim that is served next, of those that are not *done*."""
        return min(
            (place for place in range(len(claims)) if place not in done), key=lambda place: self.tag(claims[place])
        )

    def tag(self, claim: Claim) -> float:
        """Where a tenant stands."""
        return max(self._tags.get(claim.tenant, 0.0), self._now)

    def served(self, claim: Claim) -> None:
        """A call was made for it."""
        self._now = self.tag(claim)
        if len(self._tags) > MOST:
            self._tags = {tenant: tag for tenant, tag in self._tags.items() if tag > self._now}
        self._tags[claim.tenant] = self._now + claim.weight / claim.share
