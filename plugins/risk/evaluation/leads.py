"""Which process evaluates which part of the limits: leases in the database, shared out evenly, taken over in seconds.

A lease only saves work and double looks; that an arming is told once is the database's unique row.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from gateway.core.clock import Clock
from gateway.core.store import Store
from plugins.risk.limits.kinds import SHARDS
from plugins.risk.limits.store import LimitDirectory

LASTS = timedelta(seconds=3)
RENEW_S = 1.0


class Leads:
    """Of one process."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock, self._rows = store, clock, LimitDirectory()
        self._holder = uuid4().hex
        self.shards: frozenset[int] = frozenset()

    async def renew(self) -> tuple[frozenset[int], frozenset[int]]:
        """Hold what is held, take what is free up to this process's share; what was gained and what was lost."""
        now = self._clock.now()
        async with self._store.write() as tx:
            evaluators = await self._rows.join(tx, self._holder, now, now + LASTS)
            share = -(-SHARDS // max(evaluators, 1))
            theirs = {
                each.shard for each in await self._rows.leases(tx) if each.holder != self._holder and each.until >= now
            }
            mine = sorted(self.shards - theirs)
            free = [n for n in range(SHARDS) if n not in theirs and n not in self.shards]
            wanted = [*mine, *free][:share]
            surplus = [n for n in mine if n not in wanted]
            if surplus:
                await self._rows.release(tx, surplus, self._holder)
            held = frozenset(await self._rows.lease(tx, wanted, self._holder, now, now + LASTS))
        gained, lost = held - self.shards, self.shards - held
        self.shards = held
        return gained, lost

    async def leave(self) -> None:
        """Let others have them at once."""
        if self.shards:
            async with self._store.write() as tx:
                await self._rows.leave(tx, self._holder)
            self.shards = frozenset()
