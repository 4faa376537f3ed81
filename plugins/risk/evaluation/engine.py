"""The evaluator of a process: the limits of its parts, those on one portfolio in one book."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.exc import DBAPIError

from gateway.core.contract import Context, Host, Leads, LeaseRows
from gateway.core.identity import CallerKind, Principal, Scope
from gateway.core.ports import Backstage, Organisations, Plans
from plugins.risk.evaluation.book import Book
from plugins.risk.evaluation.watched import Watched
from plugins.risk.limits.kinds import SHARDS
from plugins.risk.limits.store import LimitDirectory
from plugins.risk.rows import LimitRow
from plugins.risk.tables import evaluators, leases
from schema.errors import MarketgateError

LOOK_BACK = timedelta(seconds=10)
"""By how much looks for changes overlap: other processes' clocks, and transactions that take their time."""
ANEW_S = 300.0
"""After so long everything is read anew: organisations are suspended, and their plans change."""
BROKEN_S = 5.0
"""Until a book that broke begins anew."""
CLEAR_S, KEPT = 3600.0, timedelta(days=90)
ACTIVE = "active"
SCOPES = frozenset({Scope.MARKET_READ, Scope.STREAM_READ, Scope.PORTFOLIO_READ})

Where = tuple[str, str]
"""An organisation and a portfolio of it."""

LOG = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True, eq=False)
class _Running:
    book: Book
    task: asyncio.Task[None]


class Engine:
    """One a process. `look` is called every second; what a person changes comes by the bus at once."""

    def __init__(self, host: Host) -> None:
        self._host, self._rows = host, LimitDirectory()
        self._leads = Leads(host.store, host.clock, LeaseRows(leases, evaluators), SHARDS)
        self._books: dict[Where, _Running] = {}
        self._places: dict[str, tuple[Where, int, int]] = {}
        """By limit: in which book, of which shard, its generation."""
        self._parted: list[Watched] = []
        """Limits that are evaluated no more, with peaks to be written."""
        self._looked: datetime | None = None
        self._anew = self._cleared = -1e9
        self._one = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def count(self) -> int:
        """Limits that this process evaluates."""
        return len(self._places)

    def doubt(self, ids: Collection[str]) -> None:
        """Read these anew, soon: somebody changed them, or told their breach before this process did."""
        self._keep(asyncio.create_task(self._reload(frozenset(ids)), name="risk.reload"))

    def refresh(self, portfolio: str) -> None:
        """A portfolio was changed: read what it holds anew."""
        for (_, named), running in self._books.items():
            if named == portfolio:
                running.book.refresh()

    async def look(self) -> None:
        """Renew what this process evaluates, and read what has changed."""
        async with self._one:
            await self._look()

    async def settled(self) -> None:
        """Until what was doubted is read, and every book has done what it was woken for."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for running in tuple(self._books.values()):
            await running.book.idle.wait()

    async def close(self) -> None:
        """Stop, and let others go on."""
        for limit_id in tuple(self._places):
            self._drop(limit_id)
        for where in tuple(self._books):
            self._end(where)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._part()
        await self._leads.leave()

    async def _look(self) -> None:
        clock = self._host.clock
        if not self._leads.shards:
            async with self._host.store.read() as tx:
                if not await self._rows.any(tx):
                    return
        now, moment = clock.now(), clock.monotonic()
        gained, lost = await self._leads.renew()
        # Where the reading fails, the next look reads all: what was gained is not told twice.
        last, self._anew = self._anew, -1e9
        for limit_id, (_, shard, _) in tuple(self._places.items()):
            if shard in lost:
                self._drop(limit_id)
        anew = moment - last > ANEW_S
        if anew:
            gained = self._leads.shards
        await self._part()
        async with self._host.store.read() as tx:
            rows = await self._rows.active(tx, gained) if gained else []
            rows += await self._rows.changed(tx, self._looked - LOOK_BACK) if self._looked else []
        for gone in self._places.keys() - {row.id for row in rows} if anew else ():
            self._drop(gone)
        await self._take(rows)
        await self._part()
        self._looked, self._anew = now, moment if anew else last
        self._sweep()
        if moment - self._cleared > CLEAR_S:
            self._cleared = moment
            async with self._host.store.write() as tx:
                await self._rows.forget(tx, now - KEPT)

    async def _reload(self, ids: frozenset[str]) -> None:
        async with self._one:
            for limit_id in ids:
                self._drop(limit_id)
            await self._part()
            async with self._host.store.read() as tx:
                rows = await self._rows.some(tx, ids)
            await self._take(rows)
            self._sweep()

    async def _take(self, rows: Sequence[LimitRow]) -> None:
        """Rows as they stand now; of what is evaluated already only what somebody has changed is begun anew."""
        contexts: dict[str, Callable[[], Context] | None] = {}
        for row in rows:
            held = self._places.get(row.id)
            if row.tenant_id not in contexts:
                contexts[row.tenant_id] = await self._context_of(row.tenant_id)
            context = contexts[row.tenant_id]
            if not row.active or row.shard not in self._leads.shards or context is None:
                self._drop(row.id)
            elif held is None or held[2] < row.generation:
                try:
                    self._put(Watched.of(row), context)
                except (ValueError, KeyError, TypeError, MarketgateError) as error:
                    # One that another release has written must not keep the others from being watched.
                    LOG.error("limit_unreadable", limit=row.id, reason=f"{type(error).__name__}: {error}")
                    self._drop(row.id)

    async def _context_of(self, tenant: str) -> Callable[[], Context] | None:
        """On the organisation's own account; None where it is not active."""
        async with self._host.store.read() as tx:
            organisation = await self._host.service(Organisations).find(tx, tenant)
        if organisation is None or organisation.status != ACTIVE:
            return None
        limits = await self._host.service(Plans).limits_of(tenant, organisation.plan)
        principal = Principal(tenant=tenant, kind=CallerKind.API_KEY, scopes=SCOPES, limits=limits)
        return partial(self._host.service(Backstage).context, principal)

    def _put(self, watched: Watched, context: Callable[[], Context]) -> None:
        row = watched.row
        former = self._drop(row.id)
        if former is not None:
            watched.inherit(former)
        where = (row.tenant_id, row.portfolio)
        running = self._books.get(where)
        if running is None:
            book = Book(self._host, row.portfolio, context, self.doubt)
            task = asyncio.create_task(self._run(book), name="risk.book")
            running = self._books[where] = _Running(book=book, task=task)
        running.book.add(watched)
        self._places[row.id] = (where, row.shard, row.generation)

    async def _run(self, book: Book) -> None:
        while True:
            try:
                await book.run()
            except* Exception:
                LOG.exception("risk_book_failed")
            await self._host.clock.sleep(BROKEN_S)

    def _drop(self, limit_id: str) -> Watched | None:
        """What it was, where it was evaluated here."""
        place = self._places.pop(limit_id, None)
        if place is None or place[0] not in self._books:
            return None
        former = self._books[place[0]].book.limits.pop(limit_id, None)
        if former is not None and former.course.basis is not None and former.at is not None:
            self._parted.append(former)
        return former

    async def _part(self) -> None:
        """Write the peaks of what is evaluated here no more: whoever goes on needs them."""
        parted, self._parted = self._parted, []
        if not parted:
            return
        try:
            async with self._host.store.write() as tx:
                await self._rows.keep_peaks(tx, [each.standing() for each in parted])
        except (DBAPIError, OSError):
            LOG.exception("risk_peaks_not_written", count=len(parted))

    def _sweep(self) -> None:
        for where, running in tuple(self._books.items()):
            if not running.book.limits:
                self._end(where)

    def _end(self, where: Where) -> None:
        task = self._books.pop(where).task
        task.cancel()
        self._keep(task)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
