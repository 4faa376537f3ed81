"""The operations of one socket: each a task of its own, none in the way of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

from graphql import OperationType

from gateway.core.identity import ANONYMOUS, Principal
from gateway.edge.errors import Faults, Refused, masked
from gateway.edge.execute import (
    ANY_OPERATION,
    Executor,
    OperationRequest,
    OperationResult,
    PreparedOperation,
    RequestFacts,
    refused_result,
)
from gateway.edge.frames import FrameWriter, head_of, next_text
from gateway.edge.listener import Listener
from gateway.edge.messages import CloseCode, Closed, Message

SendMessage = Callable[[dict[str, object]], Awaitable[None]]
SendText = Callable[[str], Awaitable[None]]


@dataclass(slots=True, eq=False, kw_only=True)
class Running:
    """One operation under way."""

    id: str
    facts: RequestFacts
    task: asyncio.Task[None] = field(init=False)
    whole: bool = False
    """A mutation runs to its end, also when nobody waits for its answer: half of one helps nobody."""
    silent: bool = False
    listener: Listener | None = None

    def stop(self) -> None:
        """Say no more, and end what may be ended."""
        self.silent = True
        if self.listener is not None:
            self.listener.silent = True
        if not self.whole:
            self.task.cancel()


class Operations:
    """Starts, completes and cancels by the client's ids. An operation waits while its last message is not sent."""

    def __init__(
        self, executor: Executor, facts: RequestFacts, send: SendMessage, *, most: int, send_text: SendText,
        writer: FrameWriter | None = None,
    ) -> None:  # fmt: skip
        self._send_text, self._writer = send_text, writer
        self._executor, self._facts, self._send, self._most = executor, facts, send, most
        self._principal: Principal = ANONYMOUS
        self._by_id: dict[str, Running] = {}
        self._all: set[Running] = set()
        self._numbers = count(1)
        self.count = 0
        """How many were started."""

    def admit(self, facts: RequestFacts, principal: Principal) -> None:
        """From now on operations run for this caller."""
        self._facts, self._principal = facts, principal

    async def start(self, message: Message) -> None:
        """Run an operation; one too many is refused, and the reader waits until the client has been told."""
        if message.id in self._by_id:
            raise Closed(CloseCode.DUPLICATE, f"Subscriber for {message.id} already exists")
        self.count = next(self._numbers)
        facts = replace(self._facts, request_id=f"{self._facts.request_id}.{self.count}")
        if len(self._all) >= self._most:
            told = f"A socket carries at most {self._most} operations at a time: complete one, or open another socket."
            refused = Refused("LIMIT_EXCEEDED", told, details={"limit": "operations", "max": self._most})
            await self._send_error(message.id, refused_result(refused, facts.request_id))
            return
        running = Running(id=message.id, facts=facts)
        self._by_id[message.id] = running
        self._all.add(running)
        running.task = asyncio.create_task(self._run(running, OperationRequest.of(message.payload)))
        running.task.add_done_callback(lambda _: self._forget(running))

    def complete(self, operation_id: str) -> None:
        """The client has heard enough; an id that is not there ended a moment ago."""
        running = self._by_id.pop(operation_id, None)
        if running is not None:
            running.stop()

    def cancel(self) -> None:
        """The socket is at its end."""
        self._by_id.clear()
        for running in self._all:
            running.stop()

    async def ended(self) -> None:
        """All have come to their end."""
        await asyncio.gather(*(running.task for running in self._all), return_exceptions=True)

    async def _run(self, running: Running, request: OperationRequest) -> None:
        try:
            prepared = await self._executor.prepared(request, ANY_OPERATION, running.facts, self._principal)
            running.whole = prepared.is_mutation
            await self._carry_out(running, prepared)
        except Closed:
            return
        except Refused as refused:
            await self._refuse(running, await self._executor.charged(refused, running.facts, self._principal))
        except Exception as fault:  # noqa: BLE001 - whatever it is, the caller gets a masked answer
            await self._refuse(running, masked(fault, Faults(request_id=running.facts.request_id)))

    async def _carry_out(self, running: Running, prepared: PreparedOperation) -> None:
        if prepared.operation.operation is not OperationType.SUBSCRIPTION:
            result = await self._executor.run(prepared, running.facts, self._principal)
            if await self._next(running, result):
                await self._complete(running)
            return
        key = await self._shared(prepared)
        if key is not None:
            last = await self._executor.listen(
                prepared, running.facts, self._principal, key, partial(self._listener, running)
            )
            if last is None or await self._next(running, last):
                await self._complete(running)
            return
        async with aclosing(self._executor.subscribe(prepared, running.facts, self._principal)) as results:
            async for result in results:
                if not await self._next(running, result):
                    return
                # A source that always has an event at hand must not keep the others from running.
                await asyncio.sleep(0)
        await self._complete(running)

    async def _shared(self, prepared: PreparedOperation) -> Hashable | None:
        sharing = self._executor.sharing
        return None if sharing is None else await sharing.key(prepared, self._principal)

    def _listener(self, running: Running, told: Mapping[str, object]) -> Listener:
        async def put(payload: bytes) -> None:
            await self._send_text(next_text(head_of(running.id), payload).decode())

        running.listener = Listener(put, told, operation_id=running.id, writer=self._writer)
        return running.listener

    async def _next(self, running: Running, result: OperationResult) -> bool:
        """Pass a result on; whether the operation goes on after it."""
        if result.errors and not result.executed:
            self._release(running)
            if not running.silent:
                await self._send_error(running.id, result)
            return False
        if not running.silent:
            await self._send({"id": running.id, "type": "next", "payload": result.body()})
        return True

    async def _refuse(self, running: Running, refused: Refused) -> None:
        await self._next(running, refused_result(refused, running.facts.request_id))

    async def _complete(self, running: Running) -> None:
        self._release(running)
        if not running.silent:
            await self._send({"id": running.id, "type": "complete"})

    async def _send_error(self, operation_id: str, result: OperationResult) -> None:
        await self._send({"id": operation_id, "type": "error", "payload": result.errors})

    def _release(self, running: Running) -> None:
        """The id is free before the client hears of the end, for it may use it again at once."""
        if self._by_id.get(running.id) is running:
            del self._by_id[running.id]

    def _forget(self, running: Running) -> None:
        self._release(running)
        self._all.discard(running)
