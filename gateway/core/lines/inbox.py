"""What waits between a connection and the consumer of a line: bounded, newest first where values are states."""

from __future__ import annotations

import asyncio
from collections import deque

from gateway.core.clock import Clock
from gateway.core.lines.line import Event, Trouble, Update
from schema.words.live import NoticeCode

MOST_WAITING = 1_000


class Inbox:
    """Of `states` (quotes, books) a new one takes the place of those that wait; of others the oldest are lost, told."""

    def __init__(self, clock: Clock, *, states: bool) -> None:
        self._clock, self._states = clock, states
        self._waiting: deque[Event] = deque()
        self._arrived = asyncio.Event()

    def put(self, event: Event) -> None:
        """Never waits."""
        waiting = self._waiting
        if self._states and isinstance(event, Update) and waiting and isinstance(waiting[-1], Update):
            waiting.pop()
        waiting.append(event)
        if len(waiting) > MOST_WAITING:
            while len(waiting) > MOST_WAITING // 2:
                waiting.popleft()
            told = f"More than {MOST_WAITING} messages were waiting; the oldest are lost."
            waiting.appendleft(Trouble(code=NoticeCode.GAP, message=told, at=self._clock.now()))
        self._arrived.set()

    async def get(self) -> Event:
        """The next one."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()
