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
from gateway.core.ports import Organisations
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
Book = Callable[[AccountRow], Awaitable[bool]]
"""Books what is due of an account; whether nothing of it is left."""
BookOf = Callable[[str], Awaitable[Book | None]]
"""How an organisation's accounts are booked; None where they cannot be now, and what is due stays so."""
BehindOf = Callable[[Tx, Collection[int], datetime], Awaitable[list[AccountRow]]]
"""Accounts of some parts for which something is not booked until an instant."""
Keep = Callable[[Coroutine[None, None, None], str], None]
"""Runs a task under a name."""

LOG = structlog.get_logger(__name__)


class Round:
    """Accounts that are behind a time; once for each time."""

    def __init__(
        self, host: Host, name: str, until: Callable[[], datetime], behind: BehindOf, book_of: BookOf, keep: Keep
    ) -> None:
        self._host, self._name, self._until, self._behind, self._book_of = host, name, until, behind, book_of
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

        async def of(tenant: str, mine: Sequence[AccountRow]) -> bool:
            async with room:
                book = await self._how(tenant)
                return book is not None and all([await self._one(row, book) for row in mine])

        return await asyncio.gather(*(of(*each) for each in found.items()))

    async def _how(self, tenant: str) -> Book | None:
        try:
            return await self._book_of(tenant)
        except Exception:
            # Whatever it is: others are booked.
            LOG.exception("trading_not_booked", tenant=tenant, due=self._name)
            return None

    async def _one(self, row: AccountRow, book: Book) -> bool:
        """Whether nothing of it is left."""
        try:
            return await book(row)
        except Exception:
            # Whatever it is: those that are due behind it are booked.
            LOG.exception("trading_not_booked", account=row.id, due=self._name)
            return False


class Dues:
    """`look` is called every second; *keep* runs what it begins."""

    def __init__(self, host: Host, context_of: ContextOf, keep: Keep) -> None:
        self._host, self._context_of, self._keep, rows = host, context_of, keep, EngineDirectory()
        self._guard = LiveGuard(host, context_of, keep)
        self._scheduler, self._funder, self._charger = Scheduler(host), Funder(host), Charger(host)
        self._rounds = (
            Round(host, "funding", lambda: self._funder.until, rows.unfunded, self._funding_of, keep),
            Round(host, "interest", lambda: self._charger.until, rows.uncharged, self._charging_of, keep),
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

    async def _funding_of(self, tenant: str) -> Book | None:
        """Nobody asks for the rates of a suspended organisation: its funding stays due until it is active again."""
        context = await self._context_of(tenant)
        if context is None:
            return _forget if await self._is_gone(tenant) else None
        return lambda row: self._funder.book(row, context())

    async def _charging_of(self, tenant: str) -> Book | None:
        """Interest asks nobody anything."""
        return self._charger.book

    async def _is_gone(self, tenant: str) -> bool:
        async with self._host.store.read() as tx:
            return await self._host.service(Organisations).find(tx, tenant) is None

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


async def _forget(row: AccountRow) -> bool:
    """Of an organisation that is gone nothing is left."""
    return True
