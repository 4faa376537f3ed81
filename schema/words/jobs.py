"""Jobs: long computations that are asked for now and answered later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
import strawberry

from schema.facts import facts
from schema.model import choices, computed, described, model
from schema.scopes import Scope
from schema.words.instruments import Node


@choices(
    "Where a job stands.",
    QUEUED="It waits for its turn.",
    RUNNING="It is worked on.",
    SUCCEEDED="It has a result.",
    FAILED="It has none; `error` says why.",
    CANCELED="Somebody has ended it.",
)
class JobState(StrEnum):
    """The last three are final."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"

    @property
    def final(self) -> bool:
        """Whether nothing changes any more."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@strawberry.interface(description="What came of a job; each kind of jobs has a type of its own.")
class JobResult:
    """What all results have."""

    warnings: list[str] = strawberry.field(description="What is missing in it, and what it rests on; empty mostly.")


@model("Why a job has failed.")
class JobError:
    """As an operation would have failed."""

    code: str = described("As in `extensions.code` of errors, such as `NOT_COMPUTABLE`.")
    message: str = described("What went wrong and what to do, in words.")


def resolve_result(root: Job) -> JobResult | None:
    """As its kind shows it."""
    if root.result_json is None or root.show is None:
        return None
    shown: JobResult = root.show(orjson.loads(root.result_json))
    return shown


_PRICED = facts(cost=0, needs=Scope.MARKET_READ)
"""Results show what was computed from prices."""


@model("A long computation: begun by a mutation, worked on by any process, kept for a week.", implements=(Node,))
class Job:
    """One of the organisation's."""

    show: strawberry.Private[Callable[[Mapping[str, Any]], Any] | None] = None
    """What makes a GraphQL object of a result; None where this process does not know the kind."""

    id: strawberry.ID = described("Give it to `node(id:)`, `job(id:)`, or the subscription `job`.")
    kind: str = described("What is computed, such as `risk.optimize`.")
    state: JobState = described("Where it stands.")
    progress: float = described("How much of it is done, 0 to 1.")
    words: str | None = described("What is done just now.", default=None)
    result_json: str | None = described(
        "The result as JSON; null until it has succeeded.", default=None, metadata=_PRICED
    )
    error: JobError | None = described("Why it has failed.", default=None)
    started_by: str = described("The person or the key.")
    created_at: datetime = described("When it was asked for.")
    started_at: datetime | None = described("When a process first began it.", default=None)
    ended_at: datetime | None = described("When it came to its end.", default=None)
    expires_at: datetime | None = described("When it is deleted, once it has ended.", default=None)
    result = computed(resolve_result, "The result; null until it has succeeded.", metadata=_PRICED)
