"""Beside the event loop: large answers are read, parsed and stamped in threads, while everybody else is served.

Nothing of this is known to adapters. A call begins on the loop; when a body of it was large, the rest of the adapter's
coroutine goes on in a thread, on a loop of its own, and the port sends further requests from the loop that serves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar, copy_context
from types import coroutine
from typing import Any, TypeVar

from gateway.core.callfacts import CallFacts, call_facts
from providers.pieces import let_go
from providers.row import Row

LARGE = 256 * 1024
"""Bytes: of a body that take about 3 ms to read and as long to parse, or of an answer in memory."""
AT_ONCE = 2
"""Threads. More would not be faster: they share one interpreter."""

T = TypeVar("T")

_THREADS = ThreadPoolExecutor(AT_ONCE, "aside")
_going_on: ContextVar[_Rest] = ContextVar("going_on")
"""What a thread does."""


async def aside(work: Callable[[], T]) -> T:
    """What *work* returns or raises, in a thread that has the caller's context."""
    done: T = await asyncio.get_running_loop().run_in_executor(_THREADS, copy_context().run, work)
    return done


async def at_home(work: Coroutine[Any, Any, T]) -> T:
    """Await it on the loop that serves, where connections and counters belong."""
    rest = _here()
    if rest is None:
        return await work
    if rest.given_up:
        work.close()
        raise asyncio.CancelledError
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, rest.home))


async def read(size: int, work: Callable[[], Row]) -> Row:
    """What *work* makes of a body of that size; a large one is read in a thread, and the call stays in one."""
    if size < LARGE:
        return work()
    facts = call_facts.get(None)

    def noted() -> Row:
        row = work()
        if facts is not None:
            facts.large = True
            facts.bodies.append(row.value)
        return row

    return await aside(noted) if _here() is None else noted()


async def carried_out(call: Coroutine[Any, Any, T], facts: CallFacts) -> T:
    """What an adapter's coroutine returns or raises; once *facts* know of a large body, it goes on in a thread."""
    ended, answer = await _stepped(call, lambda: facts.large)
    found: T = answer if ended else await _Rest(call, facts).done()
    return found


class _Rest:
    """What is left of a call when its large body is there."""

    def __init__(self, call: Coroutine[Any, Any, Any], facts: CallFacts) -> None:
        self._call, self._facts = call, facts
        self.home = asyncio.get_running_loop()
        self.given_up = False
        """Whether nobody waits for it any more: then it sends nothing any more."""
        self._task: asyncio.Task[Any] | None = None

    async def done(self) -> Any:
        """Cancelled, it ends at once: the thread ends with what it computes, or where it waits."""
        try:
            return await aside(self._in_thread)
        except asyncio.CancelledError:
            self.given_up = True
            task = self._task
            if task is not None:
                with suppress(RuntimeError):  # its loop is closed: it has just ended
                    task.get_loop().call_soon_threadsafe(task.cancel)
            raise

    def _in_thread(self) -> Any:
        _going_on.set(self)
        try:
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                return runner.run(self._go_on())
        finally:
            let_go(self._facts.bodies)

    async def _go_on(self) -> Any:
        # Known first and asked then, as the other side gives up first and looks then.
        self._task = asyncio.current_task()
        if self.given_up:
            self._call.close()
            raise asyncio.CancelledError
        try:
            _, answer = await _stepped(self._call, lambda: False)
            return answer
        finally:
            # The context of a request may live as long as its connection: it must not hold the answer.
            self._task = None


def _here() -> _Rest | None:
    """What goes on here of a call; None on the loop that serves, also for what a thread has done there."""
    rest = _going_on.get(None)
    return None if rest is None or rest.home is asyncio.get_running_loop() else rest


@coroutine
def _stepped(call: Coroutine[Any, Any, Any], leave: Callable[[], bool]) -> Generator[Any, Any, tuple[bool, Any]]:
    """Await a coroutine: whether it has ended, and what it returned. Else it was left, ready to go on elsewhere.

    A coroutine belongs to no loop: only what it waits for does, and it is left where that is there.
    """
    thrown: BaseException | None = None
    while True:
        try:
            waited_for = call.send(None) if thrown is None else call.throw(thrown)
        except StopIteration as end:
            return True, end.value
        finally:
            # An error that this frame knew would know this frame: both would stay, with all that the call holds.
            thrown = None
        try:
            yield waited_for
        except BaseException as error:  # noqa: BLE001 - whatever comes is the coroutine's affair
            thrown = error
        else:
            if leave():
                return False, None
