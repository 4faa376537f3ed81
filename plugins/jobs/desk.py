"""Jobs of organisations: begun, looked at, ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import strawberry

from gateway.core.contract import Context, Host
from gateway.core.ports import Audit, JobKind
from gateway.core.store import Tx, new_id
from plugins.jobs.news import JobNews
from plugins.jobs.rows import JobRow
from plugins.jobs.store import JobStore
from schema.errors import BadInput, RateLimited
from schema.names import could_be_id
from schema.pages import Position
from schema.scopes import Scope
from schema.words.jobs import Job, JobError, JobState
from schema.words.problems import Refused

KEPT = timedelta(days=7)
"""Results, from when the job has ended."""
MOST_OPEN = 20
"""Jobs of an organisation that wait or run."""
RETRY_S = 30.0
LONGEST_KEY = 100
LOOK_S = 2.0
"""After how long a stream looks for what nobody told it of."""
SCOPES = frozenset({Scope.MARKET_READ, Scope.STREAM_READ, Scope.PORTFOLIO_READ, Scope.WATCHLISTS_READ})
"""What a job may do at most: read what it computes from, as far as who began it may."""


class Kinds:
    """Serves `JobKinds`."""

    def __init__(self) -> None:
        self.by_name: dict[str, JobKind] = {}

    def register(self, kinds: Sequence[JobKind]) -> None:
        """See `JobKinds`; ValueError for a name that is taken."""
        for kind in kinds:
            if kind.name in self.by_name:
                raise ValueError(f"there is a kind of jobs called {kind.name} already")
            self.by_name[kind.name] = kind


class JobDesk:
    """Serves `Jobs`."""

    def __init__(self, host: Host, kinds: Kinds, news: JobNews) -> None:
        self._host, self._kinds, self._news, self._rows = host, kinds, news, JobStore()

    async def start(
        self, context: Context, kind: str, given: Mapping[str, Any], *, idempotency_key: str | None = None,
        tx: Tx | None = None,
    ) -> Job:  # fmt: skip
        """See `Jobs`."""
        if kind not in self._kinds.by_name:
            raise ValueError(f"nobody has registered jobs of the kind {kind}")
        _check_key(idempotency_key)
        _check_texts(given)
        row = self._new(context, kind, given, idempotency_key)
        if tx is not None:
            return self.shown(await self._begin(tx, context, row))
        async with self._host.store.write() as tx:
            begun = await self._begin(tx, context, row)
        return self.shown(begun)

    async def find(self, context: Context, job_id: str) -> Job | None:
        """One of the caller's organisation."""
        row = await self._row(context, job_id)
        return self.shown(row) if row else None

    async def page(
        self, context: Context, limit: int, *, kind: str | None, state: JobState | None, behind: Position | None
    ) -> list[JobRow]:
        """Some of the organisation's, the newest first."""
        async with self._host.store.read() as tx:
            return await self._rows.page(
                tx, context.tenant, limit, kind=kind, state=state and state.value, behind=behind
            )

    async def cancel(self, context: Context, job_id: str) -> Job:
        """The job, which has ended with this; whoever works on it stops."""
        now = self._host.clock.now()
        async with self._host.store.write() as tx:
            row = await self._rows.find(tx, context.tenant, job_id) if could_be_id(job_id) else None
            if row is None:
                raise Refused("NOT_FOUND", "You have no job with this id: `jobs { nodes { id } }` lists them.", "id")
            if not await self._rows.cancel(tx, context.tenant, job_id, at=now, expires=now + KEPT):
                raise Refused("ENDED", f"The job has ended already: it is {row.state}.", "id")
            await self._record(tx, context, "job.canceled", job_id, after={"kind": row.kind})
            self._news.tell(tx, job_id, JobState.CANCELED)
            ended = await self._rows.find(tx, context.tenant, job_id)
        return self.shown(ended or row)

    async def follow(self, context: Context, job_id: str) -> AsyncGenerator[Job, None]:
        """The job now, whenever it has changed, and as it ended. BadInput where there is none."""
        last: JobRow | None = None
        with self._news.watching(job_id) as news:
            while True:
                news.clear()
                row = await self._row(context, job_id)
                if row is None and last is None:
                    raise BadInput("id", "there is no such job: `jobs { nodes { id } }` lists them")
                if row is None:
                    return
                if last is None or _told(row) != _told(last):
                    yield self.shown(row)
                if JobState(row.state).final:
                    return
                last = row
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await news.wait()

    def shown(self, row: JobRow) -> Job:
        """As GraphQL has it."""
        kind = self._kinds.by_name.get(row.kind)
        error = None if row.error_code is None else JobError(code=row.error_code, message=row.error_message or "")
        return Job(
            show=kind.show if kind else None, id=strawberry.ID(row.id), kind=row.kind, state=JobState(row.state),
            progress=row.progress, words=row.words, stored=row.result, error=error, started_by=row.who,
            created_at=row.created_at, started_at=row.started_at, ended_at=row.ended_at, expires_at=row.expires_at,
        )  # fmt: skip

    async def _begin(self, tx: Tx, context: Context, row: JobRow) -> JobRow:
        """The row, or the one that its key has made before."""
        await self._rows.hold(tx, context.tenant)
        key = row.idempotency_key
        if key is not None and (before := await self._rows.by_key(tx, context.tenant, key)) is not None:
            return _same(before, row)
        if await self._rows.waiting(tx, context.tenant) >= MOST_OPEN:
            told = f"{MOST_OPEN} jobs of this organisation have not ended yet: wait for one, or cancel it."
            raise RateLimited(told, limit="jobs", retry_after=RETRY_S)
        await self._rows.add(tx, context.tenant, row)
        await self._record(tx, context, "job.started", row.id, after={"kind": row.kind})
        self._news.tell(tx, row.id, JobState.QUEUED)
        return row

    def _new(self, context: Context, kind: str, given: Mapping[str, Any], idempotency_key: str | None) -> JobRow:
        caller = context.principal
        return JobRow(
            tenant_id=context.tenant, id=new_id("job"), kind=kind, who=caller.actor, by_user=caller.user,
            by_key=caller.key, scopes=sorted(scope.value for scope in caller.scopes & SCOPES), input=dict(given),
            idempotency_key=idempotency_key, state=JobState.QUEUED.value,
            progress=0.0, words=None, result=None, error_code=None, error_message=None, tries=0, lease=None,
            leased_until=None, created_at=self._host.clock.now(), started_at=None, ended_at=None, expires_at=None,
        )  # fmt: skip

    async def _row(self, context: Context, job_id: str) -> JobRow | None:
        if not could_be_id(job_id):
            return None
        async with self._host.store.read() as tx:
            return await self._rows.find(tx, context.tenant, job_id)

    async def _record(self, tx: Tx, context: Context, action: str, job_id: str, *, after: Mapping[str, Any]) -> None:
        await self._host.service(Audit).record(tx, context.act(action, job_id, after=after))


def _check_key(key: str | None) -> None:
    if key is not None and not (1 <= len(key) <= LONGEST_KEY and key.isprintable()):
        raise BadInput("idempotencyKey", f"must be 1 to {LONGEST_KEY} printable characters")


def _check_texts(given: object, *path: str) -> None:
    """No database holds a text with U+0000; BadInput names where one is."""
    if isinstance(given, str) and "\0" in given:
        raise BadInput(".".join(path), "has the character U+0000: leave it out")
    if isinstance(given, Mapping):
        for name, each in given.items():
            _check_texts(each, *path, str(name))
    elif isinstance(given, list | tuple):
        for number, each in enumerate(given):
            _check_texts(each, *path, str(number))


def _same(before: JobRow, now: JobRow) -> JobRow:
    """The job that the key began; BadInput where it was for something else."""
    if (before.kind, before.input) != (now.kind, now.input):
        raise BadInput("idempotencyKey", "was used with another input: take a new one for every other job")
    return before


def _told(row: JobRow) -> tuple[Any, ...]:
    return row.state, row.progress, row.words, row.started_at
