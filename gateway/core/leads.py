"""Which process evaluates which part of what is watched: leases in the database, shared evenly, taken over in seconds.

A lease only saves work and double looks; that something is told once is the database's unique row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import uuid4

from gateway.core.clock import Clock
from gateway.core.store import Store, Tx

LASTS = timedelta(seconds=3)
RENEW_S = 1.0


class LeasedShard(Protocol):
    """A row of a lease."""

    @property
    def shard(self) -> int:
        """Which part."""

    @property
    def holder(self) -> str:
        """Whose."""

    @property
    def until(self) -> datetime:
        """When it runs out."""


class LeaseRows(Protocol):
    """The SQL of a plugin's leases."""

    async def join(self, tx: Tx, holder: str, now: datetime, until: datetime) -> int:
        """Be one of those who evaluate; how many there are."""

    async def leases(self, tx: Tx) -> Sequence[LeasedShard]:
        """All of them."""

    async def lease(
        self, tx: Tx, shards: Collection[int], holder: str, now: datetime, until: datetime
    ) -> Collection[int]:
        """Hold these as far as they are free; those that are held."""

    async def release(self, tx: Tx, shards: Collection[int], holder: str) -> None:
        """Let others have these."""

    async def leave(self, tx: Tx, holder: str) -> None:
        """Let others have all."""


class Leads:
    """The parts that one process evaluates, of *count*."""

    def __init__(self, store: Store, clock: Clock, rows: LeaseRows, count: int) -> None:
        self._store, self._clock, self._rows, self._count = store, clock, rows, count
        self._holder = uuid4().hex
        self.shards: frozenset[int] = frozenset()

    async def renew(self) -> tuple[frozenset[int], frozenset[int]]:
        """Hold what is held, take what is free up to this process's share; what was gained and what was lost."""
        now = self._clock.now()
        async with self._store.write() as tx:
            evaluators = await self._rows.join(tx, self._holder, now, now + LASTS)
            share = -(-self._count // max(evaluators, 1))
            theirs = {
                each.shard for each in await self._rows.leases(tx) if each.holder != self._holder and each.until >= now
            }
            mine = sorted(self.shards - theirs)
            free = [n for n in range(self._count) if n not in theirs and n not in self.shards]
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
