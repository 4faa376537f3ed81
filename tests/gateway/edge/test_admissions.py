"""Downloads through the gate: made as fast as they are taken, stopped when the caller leaves, given back at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from gateway.core.contract import Context, Download
from gateway.core.identity import Principal
from gateway.edge import admissions
from gateway.edge.admissions import EdgeAdmissions
from gateway.edge.execute import Executor, RequestFacts
from gateway.edge.limits import EdgeSettings
from schema.errors import FailureCode, NoAnswer
from schema.scopes import Scope
from tests.gateway.edge.sockets import Stage

SCOPE: dict[str, Any] = {
    "type": "http", "method": "GET", "path": "/file", "query_string": b"", "headers": [], "scheme": "http",
    "client": ("127.0.0.1", 1),
}  # fmt: skip


@dataclass
class Caller:
    """Takes a message at each `take`, or all of them; leaves when told."""

    slow: bool = False
    sent: list[Message] = field(default_factory=list)
    takes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    leaves: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if self.slow:
            await self.takes.acquire()

    async def receive(self) -> Message:
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    @property
    def ended(self) -> bool:
        """Whether the answer has its end."""
        return bool(self.sent) and self.sent[-1] == {"type": "http.response.body", "body": b""}


@dataclass
class Made:
    """What was made of a download, and how it went."""

    count: int = 5
    parts: int = 0
    fault: Exception | None = None
    closed: bool = False
    hangs: bool = False

    async def run(self) -> AsyncGenerator[bytes, None]:
        try:
            for number in range(self.count):
                self.parts += 1
                yield b"%d" % number
            if self.hangs:
                await asyncio.Event().wait()
            if self.fault is not None:
                raise self.fault
        finally:
            self.closed = True


async def answer(stage: Stage, made: Made) -> Response:
    def context(facts: RequestFacts, principal: Principal) -> Context:
        return cast(Context, facts)

    class Gated:
        gate = stage

        async def identify(self, facts: RequestFacts) -> Principal:
            return await stage.identify(facts)

    async def prepare(_: Context) -> Download:
        return Download(cost=3, media="text/plain", filename="f.txt", parts=made.run())

    desk = EdgeAdmissions(cast(Executor, Gated()), context, EdgeSettings())
    return await desk.download(Request(SCOPE), name="file", needs=Scope.MARKET_READ, prepare=prepare)


async def turns(count: int = 50) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_all_of_it_is_sent_with_what_the_gate_tells_and_the_place_is_given_back():
    stage, made, caller = Stage(), Made(), Caller()

    found = await answer(stage, made)
    held = stage.open
    await found(SCOPE, caller.receive, caller.send)

    headers = dict(caller.sent[0]["headers"])
    assert b"".join(each.get("body", b"") for each in caller.sent) == b"01234"
    assert caller.ended
    assert (headers[b"ratelimit"], headers[b"content-disposition"]) == (
        b'"points";r=93;t=60',
        b'attachment; filename="f.txt"',
    )
    assert b"content-length" not in headers
    assert (held, stage.open, stage.failures) == (1, 0, [False])


async def test_a_part_is_made_when_the_one_before_it_was_taken():
    stage, made, caller = Stage(), Made(), Caller(slow=True)
    found = await answer(stage, made)
    running = asyncio.create_task(found(SCOPE, caller.receive, caller.send))

    counts = []
    for _ in range(4):
        await turns()
        counts.append((len(caller.sent), made.parts))
        caller.takes.release()
    caller.slow = False
    for _ in range(10):
        caller.takes.release()
    await running

    assert counts == [(1, 1), (2, 1), (3, 2), (4, 3)]
    assert caller.ended


async def test_who_leaves_ends_the_work_and_gives_the_place_back():
    stage, made, caller = Stage(), Made(hangs=True), Caller()
    found = await answer(stage, made)
    running = asyncio.create_task(found(SCOPE, caller.receive, caller.send))
    await turns()
    assert (stage.open, made.closed) == (1, False)

    caller.leaves.set()
    await running

    assert (made.closed, caller.ended, stage.open, stage.failures) == (True, False, 0, [True])


async def test_a_credential_that_ends_meanwhile_ends_the_answer():
    stage, made, caller = Stage(), Made(hangs=True), Caller()
    found = await answer(stage, made)
    running = asyncio.create_task(found(SCOPE, caller.receive, caller.send))
    await turns()

    stage.closers[0]("the key was revoked")
    await running

    assert (made.closed, caller.ended, stage.open, stage.failures) == (True, False, 0, [True])
    assert stage.closers == []


async def test_who_takes_nothing_for_too_long_is_gone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(admissions, "SLOWEST_READ_S", 0.001)
    stage, made, caller = Stage(), Made(), Caller(slow=True)
    caller.takes.release()
    found = await answer(stage, made)

    await found(SCOPE, caller.receive, caller.send)

    assert (made.parts, made.closed, stage.open, stage.failures) == (1, True, 0, [True])


@pytest.mark.parametrize("fault", [RuntimeError("a defect"), NoAnswer("x", FailureCode.NOT_COVERED, "no", ())])
async def test_a_fault_on_the_way_leaves_the_answer_without_its_end(fault: Exception):
    stage, made, caller = Stage(), Made(fault=fault), Caller()
    found = await answer(stage, made)

    await found(SCOPE, caller.receive, caller.send)

    assert not caller.ended
    assert (stage.open, stage.failures) == (0, [True])


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (RuntimeError("a defect"), 500, "INTERNAL"),
        (NoAnswer("x", FailureCode.NOT_COVERED, "no", ()), 404, "NOT_COVERED"),
        (NoAnswer("x", FailureCode.UPSTREAM_THROTTLED, "no", ()), 502, "UPSTREAM_THROTTLED"),
        (NoAnswer("x", FailureCode.DEADLINE_EXCEEDED, "no", ()), 504, "DEADLINE_EXCEEDED"),
    ],
)
async def test_a_fault_before_the_first_part_is_an_answer_in_words(fault: Exception, status: int, code: str):
    stage = Stage()

    found = await answer(stage, Made(count=0, fault=fault))

    assert found.status_code == status
    assert f'"code":"{code}"' in bytes(found.body).decode()
    assert "a defect" not in bytes(found.body).decode()
    assert (stage.open, stage.failures) == (0, [True])
