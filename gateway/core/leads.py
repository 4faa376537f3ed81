"""Which process evaluates which part of what is watched: leases in the database, shared evenly, taken over in seconds.

A lease only saves work and double looks; that something is told once is the database's unique row.
The SQL of both stands here too: a plugin brings its tables.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import uuid4

from sqlalchemy import Table, and_, delete, func, select

from gateway.core.clock import Clock
from gateway.core.store import Store, Tx

LASTS = timedelta(seconds=3)
RENEW_S = 1.0


R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A row of a lease: which part, whose, until when."""

    shard: int
    holder: str
    until: datetime


class LeaseRows:
    """The SQL of leases, over a plugin's two tables: the parts with their holders, and the processes that share."""

    def __init__(self, leases: Table, evaluators: Table) -> None:
        self._leases, self._evaluators = leases, evaluators

    async def join(self, tx: Tx, holder: str, now: datetime, until: datetime) -> int:
        """Be one of those who evaluate; how many there are."""
        await tx.run(delete(self._evaluators).where(self._evaluators.c.until < now))
        made = tx.insert(self._evaluators).values(holder=holder, until=until)
        await tx.run(made.on_conflict_do_update(index_elements=["holder"], set_={"until": made.excluded.until}))
        return int(await tx.value(select(func.count()).select_from(self._evaluators)))

    async def all(self, tx: Tx) -> list[Lease]:
        """Who evaluates what."""
        return await tx.all(select(self._leases), Lease)

    async def take(self, tx: Tx, shards: Collection[int], holder: str, now: datetime, until: datetime) -> set[int]:
        """Take or renew parts as far as they are free; those that are this holder's then."""
        if not shards:
            return set()
        rows = self._leases.c
        made = tx.insert(self._leases).values([{"shard": n, "holder": holder, "until": until} for n in sorted(shards)])
        taken = made.on_conflict_do_update(
            index_elements=["shard"], set_={"holder": holder, "until": until},
            where=(rows.holder == holder) | (rows.until < now),
        )  # fmt: skip
        return {row.shard for row in await tx.connection.execute(taken.returning(rows.shard))}

    async def release(self, tx: Tx, shards: Collection[int], holder: str) -> None:
        """Let others have these."""
        rows = self._leases.c
        await tx.run(delete(self._leases).where(rows.holder == holder, rows.shard.in_(sorted(shards))))

    async def leave(self, tx: Tx, holder: str) -> None:
        """Let others have all."""
        await tx.run(delete(self._leases).where(self._leases.c.holder == holder))
        await tx.run(delete(self._evaluators).where(self._evaluators.c.holder == holder))


class WatchedRows(Generic[R]):
    """Reads what is watched, of all tenants at once: each row carries its own tenant along.

    The table has `id`, `shard`, `active`, `generation` (it rises when a person changes the row) and `changed_at`.
    """

    def __init__(self, table: Table, kind: type[R]) -> None:
        self._table, self._kind = table, kind

    async def active(self, tx: Tx, shards: Collection[int]) -> list[R]:
        """What is watched, of some parts."""
        rows = self._table.c
        wanted = and_(rows.active.is_(True), rows.shard.in_(sorted(shards)))
        return await tx.all(select(self._table).where(wanted), self._kind)

    async def some(self, tx: Tx, ids: Collection[str]) -> list[R]:
        """By their ids, watched or not."""
        return await tx.all(select(self._table).where(self._table.c.id.in_(sorted(ids))), self._kind)

    async def changed(self, tx: Tx, since: datetime) -> list[R]:
        """What somebody has made or changed since."""
        return await tx.all(select(self._table).where(self._table.c.changed_at >= since), self._kind)

    async def any(self, tx: Tx) -> bool:
        """Whether there is anything to evaluate."""
        rows = self._table.c
        return await tx.value(select(rows.id).where(rows.active.is_(True)).limit(1)) is not None

    async def generations(self, tx: Tx, ids: Collection[str]) -> Mapping[str, int]:
        """Of those that are active, locked: nobody changes them until the end of the transaction."""
        rows = self._table.c
        wanted = select(rows.id, rows.generation).where(rows.id.in_(sorted(ids)), rows.active.is_(True))
        found = await tx.connection.execute(wanted.order_by(rows.id).with_for_update())
        return {row.id: row.generation for row in found}


class Leads:
    """The parts that one process evaluates, of *count*."""

    def __init__(self, store: Store, clock: Clock, rows: LeaseRows, count: int) -> None:
        self._store, self._clock, self._rows, self._count = store, clock, rows, count
        self._holder = uuid4().hex
        self.shards: frozenset[int] = frozenset()
        self._untold: frozenset[int] = frozenset()
        """What was given up before its release failed: told as lost the next time, even where it has come back."""

    async def renew(
        self, leaving: Callable[[frozenset[int]], Awaitable[None]] | None = None
    ) -> tuple[frozenset[int], frozenset[int]]:
        """Hold what is held, take what is free up to this process's share; what was gained and what was lost.

        *leaving* is done with parts that are given up while they are held: others read them right after.
        """
        now = self._clock.now()
        async with self._store.write() as tx:
            evaluators = await self._rows.join(tx, self._holder, now, now + LASTS)
            share = -(-self._count // max(evaluators, 1))
            theirs = {
                each.shard for each in await self._rows.all(tx) if each.holder != self._holder and each.until >= now
            }
            mine = sorted(self.shards - theirs)
            free = [n for n in range(self._count) if n not in theirs and n not in self.shards]
            wanted = [*mine, *free][:share]
            held = frozenset(await self._rows.take(tx, {*wanted, *mine}, self._holder, now, now + LASTS))
        before, surplus = self.shards, held.difference(wanted)
        if surplus:
            if leaving is not None:
                await leaving(surplus)
            self.shards -= surplus
            self._untold |= surplus
            async with self._store.write() as tx:
                await self._rows.release(tx, surplus, self._holder)
        self.shards = held - surplus
        lost, self._untold = (before - self.shards) | self._untold, frozenset()
        return self.shards - before, lost

    async def leave(self) -> None:
        """Let others have them at once."""
        if self.shards:
            async with self._store.write() as tx:
                await self._rows.leave(tx, self._holder)
            self.shards = frozenset()
