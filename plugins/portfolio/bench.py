"""A thread for arithmetic on long series: the event loop goes on meanwhile, and tenants take turns.

One thread, so that the loop never waits for more than one turn of the interpreter. What is asked should be a piece of
a hundredth of a second: what takes longer goes in steps, and others have their turns in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar

from gateway.core.ports import FairQueue
from gateway.core.quant.steps import Steps

P = ParamSpec("P")
T = TypeVar("T")

MOST_WAITING = 1_000
"""Pieces of one tenant: a hundred requests have this room, each with a few instruments under way."""
TURN_S = 0.01
"""What goes in steps goes on for so long, then stands behind the other tenants again."""


class Asker(Protocol):
    """A request, as its context tells of it: within a tenant who asked first is served first."""

    @property
    def tenant(self) -> str:
        """Whose it is."""

    @property
    def now(self) -> datetime:
        """When it was asked."""


@dataclass(eq=False, slots=True)
class _Piece:
    work: Callable[[], Any]
    answer: asyncio.Future[Any]


class Bench:
    """One a process; what runs here is pure."""

    def __init__(self, clock: Callable[[], float], most_waiting: int = MOST_WAITING) -> None:
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="portfolio")
        self._queue: FairQueue[_Piece] = FairQueue(most_waiting)
        self._busy, self._turns = False, asyncio.Lock()

    async def run(self, asker: Asker, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """What *work* makes of what it is given. RateLimited where too much of the tenant's waits already.

        Who cancels gives up the turn; what has begun goes on for nobody.
        """
        piece = _Piece(partial(work, *given, **named), asyncio.get_running_loop().create_future())
        self._queue.add(asker.tenant, piece, asker.now.timestamp())
        self._begin()
        try:
            found: T = await piece.answer
        finally:
            self._queue.remove(asker.tenant, piece)
        return found

    async def run_in_turns(self, asker: Asker, work: Callable[P, Steps[T]], *given: P.args, **named: P.kwargs) -> T:
        """What the steps find. However many they are, others wait for `TURN_S` and one step at most."""
        steps = work(*given, **named)
        while not (found := await self.run(asker, self._go, steps)):
            pass
        return found[0]

    def _go(self, steps: Steps[T]) -> tuple[T] | None:
        """One turn; None where there are more steps."""
        until = self._clock() + TURN_S
        try:
            while self._clock() < until:
                next(steps)
        except StopIteration as done:
            return (done.value,)
        return None

    async def turn(self) -> None:
        """Wait until the loop has been round once for this alone: for what must run on it and takes a millisecond."""
        async with self._turns:
            await asyncio.sleep(0)

    def close(self) -> None:
        """What stands in line is not begun any more."""
        while (found := self._queue.take()) is not None:
            found[1].answer.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _begin(self) -> None:
        """The next piece, unless one is under way."""
        if self._busy or (found := self._queue.take()) is None:
            return
        tenant, piece = found
        self._busy = True
        made = asyncio.get_running_loop().run_in_executor(self._thread, piece.work)
        made.add_done_callback(partial(self._ended, tenant, piece))

    def _ended(self, tenant: str, piece: _Piece, made: asyncio.Future[Any]) -> None:
        self._busy = False
        self._queue.done(tenant)
        error = None if made.cancelled() else made.exception()
        if piece.answer.done():
            pass
        elif made.cancelled():
            piece.answer.cancel()
        elif error is not None:
            piece.answer.set_exception(error)
        else:
            piece.answer.set_result(made.result())
        self._begin()
