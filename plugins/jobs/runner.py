"""Works on jobs, whosever they are: any process, several at a time, each under a lease that it renews."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog

from gateway.core.contract import Context, Host
from gateway.core.identity import UNLIMITED, CallerKind, PlanLimits, Principal, Scope
from gateway.core.metrics import counter, gauge
from gateway.core.ports import Backstage, JobKind, Organisations, Plans
from gateway.core.store import new_id
from gateway.core.tracing import span
from plugins.jobs.desk import KEPT, Kinds
from plugins.jobs.news import JobNews
from plugins.jobs.rows import Claimed
from plugins.jobs.store import JobDirectory
from schema.errors import FailureCode, MarketgateError
from schema.portions import read, written
from schema.words.jobs import JobState

AT_ONCE = 4
"""Jobs under way in a process: they wait for data and for `Computing`, and compute nothing here."""
LEASE = timedelta(seconds=60)
RENEW_S = 15.0
TELL_S = 0.5
"""Progress is written no more often than this."""
LOOK_S = 5.0
"""After how long it looks by itself for what nobody told it of."""
AGAIN_S = 1.0
"""After a transaction that failed."""
MOST_TRIES = 2
LONGEST_S = 900.0
MOST_BYTES = 4 * 2**20
"""Of a result."""
DIED = "It was begun twice, and both times the process that ran it has ended: ask for less, or try again later."

RUNNING = gauge("marketgate_jobs_running", "Jobs that this process works on.", "kind")
ENDED = counter(
    "marketgate_jobs_ended", "Jobs that this process has ended, by how: succeeded, failed.", "kind", "state"
)

log = structlog.get_logger(__name__)


class _Running:
    """A job under way, and what it has told of itself."""

    def __init__(self, claimed: Claimed, lease: str) -> None:
        self.claimed, self.lease = claimed, lease
        self.progress, self.words = 0.0, ""
        self.news = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def tell(self, progress: float, words: str) -> None:
        """See `Progress`; it never goes back."""
        self.progress, self.words = max(self.progress, min(progress, 1.0)), words
        self.news.set()

    def stop(self) -> None:
        """Soon, and without an end of its own."""
        if self.task is not None:
            self.task.cancel()


class JobRunner:
    """One a process; any number of processes on PostgreSQL, and on SQLite as well, where they take turns."""

    def __init__(self, host: Host, kinds: Kinds, news: JobNews) -> None:
        self._host, self._kinds, self._news, self._directory = host, kinds, news, JobDirectory()
        self._running: dict[str, _Running] = {}
        self._due = asyncio.Event()
        news.on_news(self._heard)

    async def run(self) -> None:
        """Without end."""
        while True:
            self._due.clear()
            try:
                await self.turn()
            except Exception:
                log.exception("jobs_turn_failed")
                await asyncio.sleep(AGAIN_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._due.wait()

    async def turn(self) -> None:
        """Begin as much of what waits as there is room for."""
        room, kinds = AT_ONCE - len(self._running), self._kinds.by_name
        if room <= 0 or not kinds:
            return
        now, lease = self._host.clock.now(), new_id("lease")
        async with self._host.store.read() as tx:
            if not await self._directory.anything(tx, now):
                return
        async with self._host.store.write() as tx:
            for job_id in await self._directory.give_up(tx, MOST_TRIES, now, self._failed("COMPUTING_FAILED", DIED)):
                self._news.tell(tx, job_id, JobState.FAILED)
            without = self._host.service(Organisations).closed_ids() if Organisations in self._host.services else ()
            claimed = await self._directory.claim(
                tx, room, kinds=kinds, without=without, lease=lease, now=now, until=now + LEASE
            )
            for each in claimed:
                self._news.tell(tx, each.id, JobState.RUNNING)
        for each in claimed:
            running = self._running[each.id] = _Running(each, lease)
            running.task = asyncio.create_task(self._work(running), name=f"job.{each.kind}")

    async def finish(self) -> None:
        """The process ends: what it works on waits for another, as if it had not been begun."""
        under_way = tuple(self._running.values())
        for running in under_way:
            running.stop()
        await asyncio.gather(*(each.task for each in under_way if each.task), return_exceptions=True)
        for running in under_way:
            back = {"state": JobState.QUEUED.value, "progress": 0.0, "words": None, "tries": 0}
            async with self._host.store.write() as tx:
                if await self._directory.end(tx, running.claimed.id, running.lease, back):
                    self._news.tell(tx, running.claimed.id, JobState.QUEUED)

    def _heard(self, job_id: str, state: str) -> None:
        if state == JobState.QUEUED:
            self._due.set()
        elif state == JobState.CANCELED and job_id in self._running:
            self._running[job_id].stop()

    async def _work(self, running: _Running) -> None:
        """To its end, or until it is taken away."""
        claimed = running.claimed
        keeping = asyncio.create_task(self._keep(running), name=f"job.{claimed.kind}.lease")
        try:
            with RUNNING.labels(claimed.kind).track_inprogress():
                ended = await self._ended(running)
            await self._settle(running, ended)
        except Exception:
            # The lease runs out, and it is begun once more.
            log.exception("job_not_settled", job=claimed.id)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            del self._running[claimed.id]
            self._due.set()

    async def _ended(self, running: _Running) -> dict[str, Any]:
        """What is written of its end."""
        claimed = running.claimed
        try:
            kind = self._kinds.by_name[claimed.kind]
            context = await self._context(claimed)
            with span(f"job {claimed.kind}", "consumer", job=claimed.id):
                async with asyncio.timeout(LONGEST_S):
                    result = await kind.run(context, claimed.input, running.tell)
            return await self._succeeded(result, kind)
        except TimeoutError:
            told = f"It was not done in {LONGEST_S:g} s: ask for less."
            return self._failed(FailureCode.DEADLINE_EXCEEDED, told)
        except MarketgateError as error:
            return self._failed(str(error.code), error.message)
        except Exception:
            log.exception("job_failed", job=claimed.id, kind=claimed.kind)
            return self._failed("INTERNAL", "It has failed for a fault of the gateway: the log has more.")

    async def _settle(self, running: _Running, ended: Mapping[str, Any]) -> None:
        claimed = running.claimed
        async with self._host.store.write() as tx:
            if await self._directory.end(tx, claimed.id, running.lease, ended):
                self._news.tell(tx, claimed.id, JobState(ended["state"]))
                ENDED.labels(claimed.kind, str(ended["state"]).lower()).inc()

    async def _keep(self, running: _Running) -> None:
        """Renew the lease and write the progress; stop the job where it is somebody else's, or nobody's."""
        job_id = running.claimed.id
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RENEW_S):
                    await running.news.wait()
            running.news.clear()
            told = {"progress": running.progress, "words": running.words or None}
            try:
                async with self._host.store.write() as tx:
                    held = {**told, "leased_until": self._host.clock.now() + LEASE}
                    kept = await self._directory.keep(tx, job_id, running.lease, held)
                    self._news.tell(tx, job_id, JobState.RUNNING)
            except Exception:
                log.exception("job_lease_not_renewed", job=job_id)
                kept = True
            if not kept:
                running.stop()
                return
            await asyncio.sleep(TELL_S)

    async def _context(self, claimed: Claimed) -> Context:
        """On the account of the organisation, as who began it."""
        principal = Principal(
            tenant=claimed.tenant_id, kind=CallerKind.USER if claimed.by_user else CallerKind.API_KEY,
            scopes=frozenset(Scope(scope) for scope in claimed.scopes),
            limits=await self._limits(claimed.tenant_id), user=claimed.by_user, key=claimed.by_key,
        )  # fmt: skip
        context = self._host.service(Backstage).context(principal)
        context.market.endless()
        return context

    async def _limits(self, tenant: str) -> PlanLimits:
        if Organisations not in self._host.services:
            return UNLIMITED
        async with self._host.store.read() as tx:
            organisation = await self._host.service(Organisations).find(tx, tenant)
        return await self._host.service(Plans).limits_of(tenant, organisation.plan) if organisation else UNLIMITED

    async def _succeeded(self, result: Mapping[str, Any], kind: JobKind) -> dict[str, Any]:
        text = await written(result)
        if len(text) > MOST_BYTES:
            told = f"The result has {len(text)} bytes, more than the {MOST_BYTES} that are kept: ask for less."
            return self._failed("COMPUTING_FAILED", told)
        kind.show(await read(text))
        return self._over(JobState.SUCCEEDED, progress=1.0, words=None, result=text)

    def _failed(self, code: str, message: str) -> dict[str, Any]:
        return self._over(JobState.FAILED, words=None, error_code=code, error_message=message)

    def _over(self, state: JobState, **more: Any) -> dict[str, Any]:
        now = self._host.clock.now()
        return {"state": state.value, "ended_at": now, "expires_at": now + KEPT, **more}


class Clearing:
    """Deletes jobs whose results are kept no longer."""

    def __init__(self, host: Host) -> None:
        self._host, self._directory = host, JobDirectory()

    async def run(self) -> None:
        """A little at a time, until none is left."""
        gone = most = 500
        while gone >= most:
            async with self._host.store.write() as tx:
                gone = await self._directory.forget(tx, self._host.clock.now(), most)
