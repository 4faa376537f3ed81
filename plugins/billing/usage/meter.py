"""The port `Usage`: operations are counted in memory and written as hourly rollups every few seconds.

A batch is written in one transaction together with its id: one that is tried again after a doubtful failure is not
added twice. What a killed process has counted since its last flush, 3 seconds at most, is lost and not billed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from cachetools import LRUCache

from gateway.core.contract import Host
from gateway.core.identity import PlanLimits
from gateway.core.ports import Spent
from gateway.core.store import new_id
from plugins.billing.calendar import Month, hour_after, hour_of
from plugins.billing.usage.counts import Batch
from plugins.billing.usage.store import FlushDirectory, SumRow, UsageRows
from schema.errors import BadInput
from schema.words.usage import UsageBy, UsageLine

FLUSH_S = 3.0
HELD_S = 10.0
MOST_HELD = 10_000
LONGEST = timedelta(days=400)
REMEMBERED = timedelta(days=1)
"""How long ids of written batches are kept."""
PATIENCE = 3
"""Readings of a month that a flush may spoil before flushes wait for one."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Reading:
    month: Month
    points: int
    at: float
    start: datetime = field(init=False)
    end: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.start, self.end = self.month.start, self.month.end

    def covers(self, moment: datetime) -> bool:
        """Whether it is of this instant's month."""
        return self.start <= moment < self.end


class Meter:
    """One per process."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._flushes, self._rows = FlushDirectory(), UsageRows()
        self._counting = _empty()
        self._writing: Batch | None = None
        self._turn = asyncio.Lock()
        self._epoch = 0
        """Odd while a batch is being written."""
        self._held: LRUCache[str, _Reading] = LRUCache(MOST_HELD)
        self._reading: dict[str, asyncio.Task[int]] = {}

    def note(self, spent: Spent) -> None:
        """See `Usage`."""
        self._counting.note(spent)
        held = self._held.get(spent.principal.tenant)
        if held is not None and held.covers(spent.at):
            held.points += spent.points

    def known_to_date(self, tenant: str) -> int | None:
        """See `Usage`."""
        held = self._held.get(tenant)
        if held is None or self._host.clock.monotonic() - held.at >= HELD_S:
            return None
        return held.points if held.covers(self._host.clock.now()) else None

    async def month_to_date(self, tenant: str) -> int:
        """See `Usage`. Read at most every ten seconds; meanwhile this process adds its own."""
        known = self.known_to_date(tenant)
        if known is not None:
            return known
        month = Month.of(self._host.clock.now())
        task = self._reading.get(tenant)
        if task is None:
            task = self._reading[tenant] = asyncio.create_task(self._read(tenant, month))
            task.add_done_callback(lambda done: self._read_is_over(tenant, done))
        # Many operations wait for one reading; that one of them gives up must not end it.
        return await asyncio.shield(task)

    def _read_is_over(self, tenant: str, task: asyncio.Task[int]) -> None:
        self._reading.pop(tenant, None)
        if not task.cancelled():
            # Whoever still waits is told; where nobody does, it is no news.
            task.exception()

    async def _read(self, tenant: str, month: Month) -> int:
        """What is written and what is not, as of one moment: a reading that a flush ran into is taken again."""
        for _ in range(PATIENCE):
            epoch = self._epoch
            points = await self._sum(tenant, month)
            if epoch == self._epoch and epoch % 2 == 0:
                return self._hold(tenant, month, points)
        async with self._turn:
            return self._hold(tenant, month, await self._sum(tenant, month))

    async def _sum(self, tenant: str, month: Month) -> int:
        async with self._host.store.read() as tx:
            return await self._rows.points(tx, tenant, month.start, month.end)

    def _hold(self, tenant: str, month: Month, written: int) -> int:
        points = written + self._unwritten(tenant, month)
        self._held[tenant] = _Reading(month, points, self._host.clock.monotonic())
        return points

    def _unwritten(self, tenant: str, month: Month) -> int:
        batches = [self._counting, *([self._writing] if self._writing else [])]
        return sum(batch.points.get((tenant, month), 0) for batch in batches)

    async def flush(self) -> dict[str, PlanLimits]:
        """Write what is counted; the tenants whose counts were written, with their limits."""
        told: dict[str, PlanLimits] = {}
        async with self._turn:
            # A batch that failed before goes first, under its own id.
            for _ in range(2):
                if self._writing is None:
                    if not self._counting:
                        break
                    self._writing, self._counting = self._counting, _empty()
                told |= await self._write(self._writing)
        return told

    async def _write(self, batch: Batch) -> dict[str, PlanLimits]:
        if batch.lost:
            log.error("usage_lost", rows=batch.lost, reason="too many keys between two flushes")
            batch.lost = 0
        now = self._host.clock.now()
        self._epoch += 1
        try:
            async with self._host.store.write() as tx:
                if await self._flushes.claim(tx, batch.id, now, now - REMEMBERED):
                    await self._flushes.add(tx, batch)
            self._writing = None
        finally:
            self._epoch += 1
        return batch.limits

    async def lines(self, tenant: str, start: datetime, end: datetime, by: UsageBy) -> list[UsageLine]:
        """See `Usage`."""
        start, end = span(start, end)
        async with self._host.store.read() as tx:
            if by is UsageBy.FIELD:
                rows = await self._rows.by_field(tx, tenant, start, end)
            elif by is UsageBy.API_KEY:
                rows = await self._rows.by_key(tx, tenant, start, end)
            elif by is UsageBy.PROVIDER:
                rows = await self._rows.by_provider(tx, tenant, start, end)
            else:
                return [_line(row) for row in by_day(await self._rows.by_hour(tx, tenant, start, end))]
        return [_line(row) for row in sorted(rows, key=lambda row: (-row.points, row.name))]


def _empty() -> Batch:
    return Batch(id=new_id("flush"))


def span(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The whole hours that hold [start, end); BadInput where there are none, or too many."""
    if end <= start:
        raise BadInput("end", "must be after start")
    try:
        start, end = hour_of(start), hour_after(end)
    except OverflowError:
        raise BadInput("end", "is where the calendar ends: ask for an earlier one") from None
    if end - start > LONGEST:
        raise BadInput("end", f"is more than {LONGEST.days} days after start: ask for a shorter range")
    return start, end


def by_day(hours: list[SumRow]) -> list[SumRow]:
    """Hours summed to UTC days, ascending; `name` is the date's text."""
    days: dict[str, SumRow] = {}
    for row in hours:
        name = row.name.date().isoformat()
        found = days.get(name)
        days[name] = replace(row, name=name) if found is None else _sum(found, row)
    return list(days.values())


def _sum(left: SumRow, right: SumRow) -> SumRow:
    return SumRow(
        name=left.name, operations=left.operations + right.operations, points=left.points + right.points,
        calls=left.calls + right.calls, hits=left.hits + right.hits, errors=left.errors + right.errors,
    )  # fmt: skip


def _line(row: SumRow) -> UsageLine:
    reads = row.calls + row.hits
    return UsageLine(
        key=row.name, operations=row.operations, points=row.points, upstream_calls=row.calls,
        cache_hit_ratio=row.hits / reads if reads else 0.0, errors=row.errors,
    )  # fmt: skip
