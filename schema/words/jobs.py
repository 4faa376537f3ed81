"""Jobs: long computations that are asked for now and answered later."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import strawberry

from schema.facts import facts
from schema.model import choices, computed, described, model
from schema.portions import PORTION, read
from schema.provenance import Ctx
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


_SNAKE = re.compile(r'"([a-z][a-z0-9]*)((?:_[a-z0-9]+)+)":')
"""A key of several words in compact JSON: within a text a quotation mark has a backslash before it."""


def camelled(text: str) -> str:
    """Compact JSON with keys named as GraphQL fields are: `max_drawdown` is `maxDrawdown`; names of things stay."""
    return _SNAKE.sub(lambda found: f'"{found[1]}{"".join(map(str.capitalize, found[2].split("_")))}":', text)


def parts_of(text: str, size: int = PORTION) -> Iterator[str]:
    """Compact JSON in parts of about a size, each of which begins with a member's name: none cuts a key in two."""
    begin = 0
    while (end := text.find(',"', begin + size)) >= 0:
        yield text[begin : end + 1]
        begin = end + 1
    yield text[begin:]


async def resolve_result_json(root: Job, info: Ctx) -> str | None:
    """Named as the fields of `result` are; a portion at a time."""
    if root.stored is None:
        return None
    found: list[str] = []
    for part in parts_of(root.stored):
        found.append(camelled(part))
        await asyncio.sleep(0)
    return "".join(found)


async def resolve_result(root: Job, info: Ctx) -> JobResult | None:
    """As its kind shows it."""
    if root.stored is None or root.show is None:
        return None
    shown: JobResult = root.show(await read(root.stored))
    return shown


_PRICED = facts(cost=0, needs=Scope.MARKET_READ)
"""Results show what was computed from prices."""


@model("A long computation: begun by a mutation, worked on by any process, kept for a week.", implements=(Node,))
class Job:
    """One of the organisation's."""

    show: strawberry.Private[Callable[[Mapping[str, Any]], Any] | None] = None
    """What makes a GraphQL object of a result; None where this process does not know the kind."""
    stored: strawberry.Private[str | None] = None
    """The result as compact JSON in words of the kind."""

    id: strawberry.ID = described("Give it to `node(id:)`, `job(id:)`, or the subscription `job`.")
    kind: str = described("What is computed, such as `risk.optimize`.")
    state: JobState = described("Where it stands.")
    progress: float = described("How much of it is done, 0 to 1.")
    words: str | None = described("What is done just now.", default=None)
    error: JobError | None = described("Why it has failed.", default=None)
    started_by: str = described("The person or the key.")
    created_at: datetime = described("When it was asked for.")
    started_at: datetime | None = described("When a process first began it.", default=None)
    ended_at: datetime | None = described("When it came to its end.", default=None)
    expires_at: datetime | None = described("When it is deleted, once it has ended.", default=None)
    result_json = computed(
        resolve_result_json,
        "The result as JSON, its keys in camel case; null until it has succeeded.",
        metadata=_PRICED,
    )
    result = computed(resolve_result, "The result; null until it has succeeded.", metadata=_PRICED)
