"""The root fields of jobs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from gateway.core.contract import Context, Ctx
from plugins.jobs.desk import JobDesk
from plugins.jobs.types import JobCancelErrorCode, JobCancelInput, JobCancelPayload, JobConnection
from schema.arguments import After, PageSize, says
from schema.facts import facts
from schema.names import check_word
from schema.pages import cut, page_length, page_size, position_of
from schema.paging import DEFAULT_PAGE
from schema.scopes import Scope
from schema.words.jobs import Job, JobState
from schema.words.problems import Refused

KIND = "jobs"

Id = Annotated[strawberry.ID, says("The job's id.")]
OfKind = Annotated[str | None, says("Only jobs of this kind, such as `risk.optimize`.")]
In = Annotated[JobState | None, says("Only jobs that stand here.")]


async def resolve_job(info: Ctx, id: Id) -> Job | None:
    """One of the organisation's."""
    return await info.context.service(JobDesk).find(info.context, id)


async def resolve_jobs(
    info: Ctx, first: PageSize = DEFAULT_PAGE, after: After = None, kind: OfKind = None, state: In = None
) -> JobConnection:
    """The organisation's."""
    check_word("kind", kind)
    desk, size = info.context.service(JobDesk), page_size(first)
    rows = await desk.page(info.context, size + 1, kind=kind, state=state, behind=position_of(KIND, after))
    shown, page = cut(rows, kind=KIND, size=size, after=after, position=lambda row: (row.created_at, row.id))
    return JobConnection(nodes=[desk.shown(row) for row in shown], page_info=page)


async def resolve_cancel(info: Ctx, input: Annotated[JobCancelInput, says("Which job to end.")]) -> JobCancelPayload:
    """For good."""
    try:
        job = await info.context.service(JobDesk).cancel(info.context, input.id)
    except Refused as refused:
        return JobCancelPayload(user_errors=[refused.error(JobCancelErrorCode)])
    return JobCancelPayload(job=job, user_errors=[])


async def follow_job(info: Ctx, id: Id) -> AsyncGenerator[Job, None]:
    """Now, whenever it has changed, and as it ended."""
    async with aclosing(info.context.service(JobDesk).follow(info.context, id)) as states:
        async for job in states:
            yield job


async def find_job(context: Context, id: str) -> Job | None:
    """By its id, for `node`."""
    if not context.principal.may(Scope.PORTFOLIO_READ):
        return None
    return await context.service(JobDesk).find(context, id)


@strawberry.type
class JobQuery:
    """Root fields."""

    job: Job | None = strawberry.field(
        resolver=resolve_job,
        description="A job of the organisation; null where there is none with this id.",
        metadata=facts(needs=Scope.PORTFOLIO_READ),
    )
    jobs: JobConnection = strawberry.field(
        resolver=resolve_jobs,
        description="The organisation's jobs, the newest first; they are kept for a week after their end.",
        metadata=facts(times=page_length, needs=Scope.PORTFOLIO_READ),
    )


@strawberry.type
class JobMutation:
    """Root fields. Jobs are begun by mutations of the plugins that compute."""

    job_cancel: JobCancelPayload = strawberry.field(
        resolver=resolve_cancel,
        description="End a job that waits or runs.",
        metadata=facts(cost=1, needs=Scope.PORTFOLIO_WRITE),
    )


@strawberry.type
class JobSubscription:
    """Root fields."""

    job = strawberry.subscription(
        resolver=follow_job,
        description="A job as it is now, whenever it has got on, and as it ends, which ends the stream too.",
        metadata=facts(cost=1, needs=Scope.PORTFOLIO_READ),
    )
