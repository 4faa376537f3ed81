"""What waits between a connection and the consumer of a line: bounded, newest first where values are states."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from gateway.core.clock import Clock
from gateway.core.lines.alarm import Alarm
from gateway.core.lines.line import Event, Trouble, Update
from schema.words.live import NoticeCode

MOST_WAITING = 1_000


class Inbox:
    """Of `states` (quotes, books) a new one takes the place of those that wait; of others the oldest are lost, told."""

    def __init__(self, clock: Clock, *, states: bool) -> None:
        self._clock, self._states = clock, states
        self._waiting: deque[Event] = deque()
        self._alarm = Alarm(clock)

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
        self._alarm.ring()

    async def get(self) -> Event:
        """The next one."""
        while not self._waiting:
            await self._alarm.wait(None)
        return self._waiting.popleft()

    async def get_by(self, time: datetime | None) -> Event | None:
        """The next one; None where that time comes first."""
        while not self._waiting:
            if time is not None and time <= self._clock.now():
                return None
            await self._alarm.wait(time)
        return self._waiting.popleft()

    def close(self) -> None:
        """Nobody waits any more."""
        self._alarm.close()
