"""What the clock alone makes due of accounts, whether or not they are worked: schedules, funding, interest.

Accounts at brokers are guarded from here, too: no message of a market is met by them.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError

from gateway.core.contract import Context, Host
from gateway.core.store import Tx
from plugins.trading.brokers.guarding import LiveGuard
from plugins.trading.engine.charging import Charger
from plugins.trading.engine.directory import EngineDirectory
from plugins.trading.engine.funding import Funder
from plugins.trading.engine.scheduling import Scheduler
from plugins.trading.rows import AccountRow, ScheduleRow

AT_ONCE = 8
"""Organisations whose accounts are booked side by side."""
AGAIN_S = 30.0
"""After so long what was left is tried again."""

ContextOf = Callable[[str], Awaitable[Callable[[], Context] | None]]
"""On an organisation's own account; None where it is not active."""
BehindOf = Callable[[Tx, Collection[int], datetime], Awaitable[list[AccountRow]]]
"""Accounts of some parts for which something is not booked until an instant."""
Keep = Callable[[Coroutine[None, None, None], str], None]
"""Runs a task under a name."""

LOG = structlog.get_logger(__name__)


class Round:
    """Accounts that are behind a time; once for each time."""

    def __init__(
        self, host: Host, name: str, until: Callable[[], datetime], behind: BehindOf,
        book: Callable[[AccountRow], Awaitable[bool]], keep: Keep,
    ) -> None:  # fmt: skip
        self._host, self._name, self._until, self._behind, self._book = host, name, until, behind, book
        self._keep = keep
        self._done: tuple[datetime, frozenset[int]] | None = None
        self._running, self._again = False, -1e9

    def look(self, shards: frozenset[int]) -> None:
        """Begin, where something may be due."""
        until = self._until()
        if self._running or self._done == (until, shards) or self._host.clock.monotonic() < self._again:
            return
        self._running = True
        self._keep(self._run(until, shards), f"trading.{self._name}")

    async def _run(self, until: datetime, shards: frozenset[int]) -> None:
        left = True
        try:
            async with self._host.store.read() as tx:
                rows = await self._behind(tx, shards, until)
            left = not all(await self._each(rows))
        finally:
            self._running = False
            if left:
                self._again = self._host.clock.monotonic() + AGAIN_S
            else:
                self._done = until, shards

    async def _each(self, rows: Iterable[AccountRow]) -> list[bool]:
        """An organisation's one after the other, and some organisations side by side: none waits for one's prices."""
        found, room = defaultdict[str, list[AccountRow]](list), asyncio.Semaphore(AT_ONCE)
        for row in rows:
            found[row.tenant_id].append(row)

        async def of(mine: Sequence[AccountRow]) -> bool:
            async with room:
                return all([await self._one(row) for row in mine])

        return await asyncio.gather(*map(of, found.values()))

    async def _one(self, row: AccountRow) -> bool:
        """Whether nothing of it is left."""
        try:
            return await self._book(row)
        except Exception:
            # Whatever it is: those that are due behind it are booked.
            LOG.exception("trading_not_booked", account=row.id, due=self._name)
            return False


class Dues:
    """`look` is called every second; *keep* runs what it begins."""

    def __init__(self, host: Host, context_of: ContextOf, keep: Keep) -> None:
        self._context_of, self._keep, rows = context_of, keep, EngineDirectory()
        self._guard = LiveGuard(host, context_of, keep)
        self._scheduler, self._funder, charger = Scheduler(host), Funder(host), Charger(host)
        self._rounds = (
            Round(host, "funding", lambda: self._funder.until, rows.unfunded, self._fund, keep),
            Round(host, "interest", lambda: charger.until, rows.uncharged, charger.book, keep),
        )
        self._placing: dict[str, str] = {}
        """Schedules whose orders are being placed, and their organisations."""

    async def look(self, shards: frozenset[int]) -> None:
        """Begin what is due in some parts."""
        if not shards:
            return
        for row in await self._scheduler.due(shards, self._placing):
            self._placing[row.id] = row.tenant_id
            self._keep(self._place(row), "trading.schedule")
        for each in self._rounds:
            each.look(shards)
        await self._guard.look(shards)

    async def _fund(self, row: AccountRow) -> bool:
        context = await self._context_of(row.tenant_id)
        return context is None or await self._funder.book(row, context())

    async def _place(self, row: ScheduleRow) -> None:
        try:
            context = await self._context_of(row.tenant_id)
            if context is not None:
                await self._scheduler.place(row, context)
        except Exception:
            # Whatever it is: nobody else would hear of it, and it would stay due for ever.
            LOG.exception("trading_schedule_failed", schedule=row.id)
            await self._put_off(row)
        finally:
            del self._placing[row.id]

    async def _put_off(self, row: ScheduleRow) -> None:
        try:
            await self._scheduler.put_off(row)
        except (DBAPIError, OSError):
            # It stays due, and is looked at again.
            LOG.exception("trading_schedule_not_put_off", schedule=row.id)
