"""GraphQL types of jobs, beside the job itself, which other plugins show too."""

from __future__ import annotations

from enum import StrEnum

import strawberry

from schema.model import described, model
from schema.paging import PageInfo
from schema.refusals import refusals
from schema.words.jobs import Job
from schema.words.problems import UserError


@model("A page of jobs.")
class JobConnection:
    """The newest first."""

    nodes: list[Job] = described("The jobs.")
    page_info: PageInfo = described("Where this page stands.")


@refusals("Why a job was not ended.", ENDED="The job has ended already.")
class JobCancelErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    ENDED = "ENDED"


@strawberry.input(description="Which job to end.")
class JobCancelInput:
    """Of the organisation."""

    id: strawberry.ID = strawberry.field(description="The job's id.")


@model("What came of `jobCancel`.")
class JobCancelPayload:
    """It is not worked on any more."""

    job: Job | None = described("The job as it is now.", default=None)
    user_errors: list[UserError[JobCancelErrorCode]] = described("Why nothing happened; empty where it did.")
