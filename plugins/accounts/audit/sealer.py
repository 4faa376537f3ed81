"""Seals committed lines into chains, and lets whole segments go when they are old enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from operator import attrgetter

from gateway.core.contract import Host, Worker
from gateway.core.ports import Archive
from plugins.accounts.audit.chain import sealed
from plugins.accounts.audit.desk import AuditDesk
from plugins.accounts.audit.rows import SegmentRow
from plugins.accounts.audit.store import Place

EVERY_S = 2.0
RETENTION_EVERY_S = 3_600.0
BATCH = 1_000
SEGMENTS = 50


class Sealer:
    """All processes run it; a lock in the database lets one of them seal at a time."""

    def __init__(self, host: Host, desk: AuditDesk) -> None:
        self._host, self._desk = host, desk

    def workers(self) -> list[Worker]:
        """Sealing within seconds, retention within the hour."""
        return [
            Worker(name="accounts.audit.seal", every=EVERY_S, run=self.seal),
            Worker(name="accounts.audit.retain", every=RETENTION_EVERY_S, run=self.retain, anywhere=True),
        ]

    async def seal(self) -> None:
        """Seal whatever is committed now. The order is the one in which lines are seen here; ids break ties."""
        async with self._host.store.read() as tx:
            waiting = bool(await self._desk.directory.waiting(tx, 1))
        while waiting:
            waiting = await self._batch() == BATCH

    async def _batch(self) -> int:
        store, directory = self._desk.store, self._desk.directory
        async with self._host.store.write() as tx:
            if not await directory.lock(tx):
                return 0
            rows = await directory.waiting(tx, BATCH)
            by_tenant = groupby(sorted(rows, key=attrgetter("tenant_id")), attrgetter("tenant_id"))
            for tenant, lines in by_tenant:
                last, taken = await store.last_segment(tx, tenant), await store.highest(tx, tenant)
                links, segments = sealed(last, list(lines), self._host.clock.now(), self._desk.signer(), taken)
                await store.seal(tx, tenant, links)
                for segment in segments:
                    await store.put_segment(tx, tenant, segment)
        return len(rows)

    async def retain(self) -> None:
        """Remove segments that are older than the setting keeps; sign anew what an earlier root secret signed."""
        position: Place | None = None
        while page := await self._retire(position):
            position = _place(page[-1])
        if len(self._desk.signer().keys) > 1:
            await self._sign_anew()

    async def _retire(self, position: Place | None) -> list[SegmentRow]:
        """The next page of segments that are old enough, of which the sound ones went."""
        store, signer, now = self._desk.store, self._desk.signer(), self._host.clock.now()
        before = now - timedelta(days=self._host.settings.audit_days)
        async with self._host.store.write() as tx:
            if not await self._desk.directory.lock(tx):
                return []
            expired = await self._desk.directory.expired(tx, before, position, SEGMENTS)
            # A segment that somebody tampered with must not get a signature of ours.
            sound = list(filter(signer.verifies, expired))
            await self._desk.directory.remove_lines(tx, self._host.service(Archive), sound)
            for segment in sound:
                await store.put_segment(tx, segment.tenant_id, signer.signed(replace(segment, removed_at=now)))
        return expired

    async def _sign_anew(self) -> None:
        signer = self._desk.signer()
        position: Place | None = None
        while True:
            async with self._host.store.write() as tx:
                if not await self._desk.directory.lock(tx):
                    return
                page = await self._desk.directory.segments_after(tx, position, SEGMENTS)
                for segment in page:
                    if signer.verifies(segment) and not signer.is_current(segment):
                        await self._desk.store.put_segment(tx, segment.tenant_id, signer.signed(segment))
            if len(page) < SEGMENTS:
                return
            position = _place(page[-1])


def _place(segment: SegmentRow) -> Place:
    return segment.tenant_id, segment.first_sequence
