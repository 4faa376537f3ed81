"""Each key's quota, counted by all processes over one Redis."""

from __future__ import annotations

from weakref import WeakSet

from gateway.core.clock import Clock
from gateway.core.contract import Worker
from gateway.core.guards.members import EVERY_S, Members
from gateway.core.guards.quota import OwnCount, Windows
from gateway.core.guards.quotafleet import FleetCount
from gateway.core.guards.turnstile import Turnstile
from gateway.core.link import RedisLink
from providers.contract import Limit, Profile


class SharedQuotas:
    """Makes turnstiles, and keeps this process among those that share."""

    def __init__(self, link: RedisLink, clock: Clock) -> None:
        self._link, self._clock = link, clock
        self.members = Members(link, clock)
        self.members.tell = self._tell
        self._counts: WeakSet[FleetCount] = WeakSet()

    def turnstile(self, profile: Profile, mark: str | None) -> Turnstile:
        """For the platform's key (an empty *mark*), or a tenant's own; one without a mark is counted here alone."""
        if mark is None:
            return Turnstile(profile.id, OwnCount(Windows(profile.limits, margin=profile.margin)), self._clock)
        place = f"marketgate:{{{profile.id}}}:quota:{mark}"
        count = FleetCount(place, profile.limits, self._link, self._clock, self.members, margin=profile.margin)
        self._counts.add(count)
        return Turnstile(profile.id, count, self._clock)

    def budget(self, tenant: str, limit: Limit) -> FleetCount:
        """A tenant's upstream calls."""
        count = FleetCount(
            f"marketgate:{{tenant:{tenant}}}:calls", (limit,), self._link, self._clock, self.members, margin=0,
            patient=False,
        )  # fmt: skip
        self._counts.add(count)
        return count

    def worker(self) -> Worker:
        """Says that this process is there."""
        return Worker(name="quota.members", every=EVERY_S, run=self.members.report)

    async def close(self) -> None:
        """Tell what ended, leave, and let go of the connections."""
        for count in tuple(self._counts):
            await count.settle()
        if await self._tell(False):
            await self.members.leave()
        await self._link.close()

    async def _tell(self, everything: bool) -> bool:
        # One after the other: after an outage there are many, and Redis is busy with all processes.
        return all([await count.tell(everything) for count in tuple(self._counts) if everything or count.untold])
