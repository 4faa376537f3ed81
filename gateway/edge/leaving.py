"""Queries of clients that leave: nobody waits for the answer, so it is not worked out to the end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Receive

from gateway.edge.body import ClientGone

PATIENCE_S = 0.05
"""Most answers are there by then; watching for the client costs more than they do."""


class _Watch:
    """Ends a task when the client of its request has gone."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._task = receive, asyncio.current_task()
        self._watching: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(PATIENCE_S, self._begin)
        self.gone = False

    def end(self) -> None:
        """Watch no more."""
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()

    def forgive(self) -> None:
        """The task was ended from here, and goes on."""
        if self._task is not None:
            self._task.uncancel()

    def _begin(self) -> None:
        self._watching = asyncio.create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        if self._task is not None:
            self._task.cancel()


@contextmanager
def while_there(receive: Receive) -> Iterator[None]:
    """What is done within is ended when the client leaves: ClientGone."""
    watch = _Watch(receive)
    try:
        yield
    except asyncio.CancelledError:
        if not watch.gone:
            raise
        watch.forgive()
        raise ClientGone from None
    finally:
        watch.end()
