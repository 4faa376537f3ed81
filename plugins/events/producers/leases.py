"""Who produces what: each subject is one process's, until that process is not heard of any more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from gateway.core.clock import Clock
from gateway.core.store import Store, new_id
from plugins.events.producers.store import WatchDirectory

LEASE = timedelta(seconds=15)
RENEW = timedelta(seconds=5)
AT_ONCE = 100
"""Subjects that a process takes in one look, so that others of the fleet get their part."""


class Leases:
    """Of one process. That a lease was lost costs double work only: each event is claimed by itself, too."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock, self._rows = store, clock, WatchDirectory()
        self.holder = new_id("producer")
        self.held: set[str] = set()
        self._renewed = clock.monotonic()

    async def hold(self, wanted: Collection[str]) -> set[str]:
        """Those of the wanted keys that are this process's now."""
        now, until = self._clock.now(), self._clock.now() + LEASE
        unwanted, free = self.held - set(wanted), set(wanted) - self.held
        if unwanted:
            async with self._store.write() as tx:
                await self._rows.forget(tx, self.holder, unwanted)
            self.held -= unwanted
        if free:
            async with self._store.read() as tx:
                free -= await self._rows.taken(tx, free, now)
        due = bool(self.held) and self._clock.monotonic() - self._renewed >= RENEW.total_seconds()
        if due or free:
            async with self._store.write() as tx:
                kept = await self._rows.renew(tx, self.holder, self.held, until) if due else self.held
                taken = {
                    key for key in sorted(free)[:AT_ONCE] if await self._rows.take(tx, self.holder, key, now, until)
                }
            self.held = kept | taken
            if due:
                self._renewed = self._clock.monotonic()
        return set(self.held)

    async def let_go(self) -> None:
        """The process stops: others take over at once."""
        if self.held:
            async with self._store.write() as tx:
                await self._rows.let_go(tx, self.holder, self.held, self._clock.now())
            self.held = set()
