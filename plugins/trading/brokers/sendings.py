"""What is sent to brokers in several steps goes on to its end, whether or not whoever asked for it waits still."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

from gateway.core.contract import Host

T = TypeVar("T")
LOG = structlog.get_logger(__name__)


class Sendings:
    """One a process."""

    def __init__(self, host: Host) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def carried(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of it. Whoever is cancelled meanwhile does not cancel it."""
        task = asyncio.create_task(work, name="trading.sending")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            # Nobody else hears of its trouble any more.
            task.add_done_callback(_tell)
            raise

    async def settled(self) -> None:
        """All that was begun has come to its end."""
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _tell(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        LOG.error("broker_sending_failed", exc_info=error)
