"""Whose turn it is: tenants who wait get calls in proportion to their shares, and what one does not want is others'.

Start-time fair queueing: each tenant has a tag that grows by what it was served, divided by its share; the smallest is
next. Who did not wait begins at the tag that was served last, so nobody saves up and nobody is punished for a past.
Room often comes in bursts, in which calls that were served are followed by the next ones a moment later: who waited is
kept its turn for such a moment, else those with more calls at hand would take it all.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.core.guards.quota import Claim

GRACE_S, YIELD_S = 0.1, 0.01
"""Who waited is kept its turn this long after there was room for it; who must let it pass asks again so soon."""
MOST = 1_000
"""How many tenants' tags are held before those that are past are dropped."""


class Turns:
    """The order between tenants at one upstream."""

    def __init__(self) -> None:
        self._tags: dict[str, float] = {}
        self._now = 0.0
        self._kept: dict[str, float] = {}

    def next(self, claims: Sequence[Claim], done: Container[int] = ()) -> int:
        """The place of the claim that is served next, of those that are not *done*."""
        return min(
            (place for place in range(len(claims)) if place not in done), key=lambda place: self.tag(claims[place])
        )

    def tag(self, claim: Claim) -> float:
        """Where a tenant stands."""
        return self.tag_of(claim.tenant)

    def tag_of(self, tenant: str) -> float:
        """See `tag`."""
        return max(self._tags.get(tenant, 0.0), self._now)

    def served(self, claim: Claim) -> None:
        """A call was made for it."""
        self._now = self.tag(claim)
        if len(self._tags) > MOST:
            self._tags = {tenant: tag for tenant, tag in self._tags.items() if tag > self._now}
        self._tags[claim.tenant] = self._now + claim.weight / claim.share

    def yields(self, claim: Claim, here: Container[str], now: float) -> float:
        """In how many seconds to ask again where a tenant whose turn it is has no call *here* at the moment; else 0."""
        start = self.tag(claim)
        kept = [
            until
            for tenant, until in self._kept.items()
            if until > now and tenant not in here and self.tag_of(tenant) < start
        ]
        return max(min(kept) - GRACE_S - now, YIELD_S) if kept else 0.0

    def keep(self, waiting: Iterable[str], served: Container[str], until: float, now: float) -> None:
        """Turns are kept for those who wait until then, and for those who waited and were served, for a moment."""
        for tenant, kept in tuple(self._kept.items()):
            if kept <= now:
                del self._kept[tenant]
            elif tenant in served:
                self._kept[tenant] = now + GRACE_S
            else:
                self._kept[tenant] = min(kept, now + GRACE_S)
        self._kept.update(dict.fromkeys(waiting, until + GRACE_S))
