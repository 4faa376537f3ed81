"""The evaluator of a process: the alerts of its parts, each on the feed that measures it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from gateway.core.contract import Host, Leads, LeaseRows
from plugins.alerts.conditions import SHARDS, AlertKind, Measure
from plugins.alerts.evaluation.accounts import Accounts
from plugins.alerts.evaluation.feeds import Feed, QuoteFeed, SpreadFeed, Surroundings
from plugins.alerts.evaluation.occasions import Occasion, Watched
from plugins.alerts.evaluation.polls import FundingPoll, HealthPoll, IndicatorPoll, NewsPoll
from plugins.alerts.evaluation.writer import Writer
from plugins.alerts.store import AlertRow, EvaluationDirectory
from plugins.alerts.tables import evaluators, leases
from schema.errors import DatabaseUnavailable, MarketgateError
from schema.symbols import InstrumentId

LOOK_BACK = timedelta(seconds=10)
"""By how much looks for changes overlap: other processes' clocks, and transactions that take their time."""
ANEW_S = 300.0
"""After so long everything is read anew: keys, preferences and plans of organisations change as well."""
CLEAR_S, KEPT = 3600.0, timedelta(days=30)
_QUOTED = frozenset({AlertKind.PRICE, AlertKind.CHANGE, AlertKind.VOLUME})
_FEEDS: Mapping[AlertKind, Any] = {
    AlertKind.SPREAD: SpreadFeed, AlertKind.FUNDING: FundingPoll, AlertKind.INDICATOR: IndicatorPoll,
    AlertKind.NEWS: NewsPoll, AlertKind.PROVIDER_HEALTH: HealthPoll,
}  # fmt: skip

Where = tuple[str, InstrumentId | Measure]

LOG = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True, eq=False)
class _Running:
    feed: Feed
    task: asyncio.Task[None]


class Engine:
    """One a process. `look` is called every second; what a person changes comes by the bus at once."""

    def __init__(self, host: Host) -> None:
        self._host, self._rows = host, EvaluationDirectory()
        self._leads, self._accounts = (
            Leads(host.store, host.clock, LeaseRows(leases, evaluators), SHARDS),
            Accounts(host),
        )
        self.writer = Writer(host, self.doubt)
        self._feeds: dict[Where, _Running] = {}
        self._places: dict[str, tuple[Where, int, int]] = {}
        """By alert: on which feed, of which shard, its generation."""
        self._providers: dict[str, str] = {}
        self._looked: datetime | None = None
        self._anew = self._cleared = -1e9
        self._one = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def count(self) -> int:
        """Alerts that this process evaluates."""
        return len(self._places)

    @property
    def streams(self) -> int:
        """Feeds that it has."""
        return len(self._feeds)

    def doubt(self, ids: Collection[str]) -> None:
        """Read these anew, soon: somebody changed them, or fired them before this process did."""
        task = asyncio.create_task(self._reload(frozenset(ids)), name="alerts.reload")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def look(self) -> None:
        """Renew what this process evaluates, and read what has changed."""
        async with self._one:
            await self._look()

    async def close(self) -> None:
        """Stop, once all is written, and let others go on."""
        for where in tuple(self._feeds):
            self._end(where)
        self._places.clear()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.writer.settled()
        await self.writer.close()
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
        for alert_id, (_, shard, _) in tuple(self._places.items()):
            if shard in lost:
                self._drop(alert_id)
        anew = moment - last > ANEW_S
        if anew:
            gained = self._leads.shards
        async with self._host.store.read() as tx:
            rows = await self._rows.active(tx, gained) if gained else []
            rows += await self._rows.changed(tx, self._looked - LOOK_BACK) if self._looked else []
        await self._take(rows)
        self._looked, self._anew = now, moment if anew else last
        self._sweep()
        if moment - self._cleared > CLEAR_S:
            self._cleared = moment
            async with self._host.store.write() as tx:
                await self._rows.forget(tx, now - KEPT)

    async def _reload(self, ids: frozenset[str]) -> None:
        async with self._one:
            await self.writer.settled()
            async with self._host.store.read() as tx:
                rows = await self._rows.some(tx, ids)
            for gone in ids - {row.id for row in rows}:
                self._drop(gone)
            for row in rows:
                place = self._places.get(row.id)
                if place is not None and place[2] == row.generation:
                    self._drop(row.id)
            await self._take(rows)
            self._sweep()

    async def _take(self, rows: Sequence[AlertRow]) -> None:
        """Rows as they stand now; of what is evaluated already only what somebody has changed is begun anew."""
        whose: dict[str, str | None] = {}
        unknown: set[str] = set()
        fresh: list[tuple[str, Watched]] = []
        for row in rows:
            held = self._places.get(row.id)
            if not row.active or row.shard not in self._leads.shards:
                self._drop(row.id)
                continue
            if row.tenant_id not in whose and row.tenant_id not in unknown:
                try:
                    whose[row.tenant_id] = await self._accounts.whose(row.tenant_id)
                except DatabaseUnavailable:
                    raise
                except Exception:
                    # Its alerts stay as they are, until all are looked at anew; the others' are not its affair.
                    LOG.exception("account_unknown", tenant=row.tenant_id)
                    unknown.add(row.tenant_id)
            if row.tenant_id in unknown:
                continue
            account = whose[row.tenant_id]
            if account is None:
                self._drop(row.id)
            elif held is None or held[2] < row.generation or held[0][0] != account:
                try:
                    fresh.append((account, Watched.of(row)))
                except (ValueError, KeyError, TypeError, MarketgateError) as error:
                    # One that another release has written must not keep the others from being watched.
                    LOG.error("alert_unreadable", alert=row.id, reason=f"{type(error).__name__}: {error}")
                    self._drop(row.id)
        await self._know(fresh)
        for account, watched in fresh:
            self._put(account, watched)

    async def _know(self, fresh: Sequence[tuple[str, Watched]]) -> None:
        """Who told the numbers of measures last."""
        names = {f"{account}|{watched.measure.name}" for account, watched in fresh} - self._providers.keys()
        ordered = sorted(names)
        for begin in range(0, len(ordered), 500):
            async with self._host.store.read() as tx:
                self._providers |= await self._rows.providers(tx, ordered[begin : begin + 500])

    def _put(self, account: str, watched: Watched) -> None:
        self._drop(watched.row.id)
        measure = watched.measure
        quoted = measure.kind in _QUOTED and measure.instrument is not None
        where: Where = (account, measure.instrument if quoted and measure.instrument is not None else measure)
        running = self._feeds.get(where)
        if running is None:
            around = Surroundings(
                whose=account, context=partial(self._accounts.context, account), clock=self._host.clock,
                put=self._moved,
            )  # fmt: skip
            made: Any = QuoteFeed if quoted else _FEEDS[measure.kind]
            feed: Feed = made(around, self._providers, where[1])
            feed.add(watched)
            task = asyncio.create_task(self._run(feed), name=f"alerts {measure.name}")
            self._feeds[where] = _Running(feed=feed, task=task)
        else:
            running.feed.add(watched)
        self._places[watched.row.id] = (where, watched.row.shard, watched.row.generation)

    def _moved(self, occasions: Iterable[Occasion], providers: Mapping[str, str]) -> None:
        told = list(occasions)
        self.writer.put(told, providers)
        for occasion in told:
            if not occasion.active:
                self._places.pop(occasion.watched.row.id, None)

    async def _run(self, feed: Feed) -> None:
        while True:
            try:
                await feed.run()
            except asyncio.CancelledError:
                raise
            except Exception:
                LOG.exception("alerts_feed_failed")
            await self._host.clock.sleep(5.0)

    def _drop(self, alert_id: str) -> None:
        place = self._places.pop(alert_id, None)
        if place is not None and place[0] in self._feeds:
            self._feeds[place[0]].feed.remove(alert_id)

    def _sweep(self) -> None:
        for where, running in tuple(self._feeds.items()):
            if running.feed.empty:
                self._end(where)

    def _end(self, where: Where) -> None:
        running = self._feeds.pop(where)
        running.task.cancel()
        self._tasks.add(running.task)
        running.task.add_done_callback(self._tasks.discard)
