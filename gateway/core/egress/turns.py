"""Whose turn it is: so many at a time to one receiver, so many in all, first come, first served."""

from __future__ import annotations

import asyncio
from types import TracebackType


class Turns:
    """aiohttp's own bounds let newcomers pass those who wait, so that some never have their turn."""

    def __init__(self, *, at_once: int, per_host: int) -> None:
        self._all, self._per_host = asyncio.Semaphore(at_once), per_host
        self._hosts: dict[tuple[str, int], _Host] = {}

    def of(self, host: str, port: int) -> Turn:
        """To be entered, or taken and given back, at once: a receiver is kept in mind only while somebody has one."""
        key = host, port
        found = self._hosts.get(key)
        if found is None:
            found = self._hosts[key] = _Host(self._per_host)
        return Turn(self, key, found)

    def __len__(self) -> int:
        """How many receivers somebody waits for."""
        return len(self._hosts)

    async def enter(self, host: _Host) -> None:
        """The receiver's turn first: who waits for it takes nobody else's."""
        await host.room.acquire()
        try:
            await self._all.acquire()
        except BaseException:
            host.room.release()
            raise

    def leave(self, host: _Host) -> None:
        """To the next one."""
        self._all.release()
        host.room.release()

    def forget(self, key: tuple[str, int], host: _Host) -> None:
        """A receiver that nobody waits for any more."""
        host.users -= 1
        if not host.users:
            del self._hosts[key]


class _Host:
    __slots__ = ("room", "users")

    def __init__(self, room: int) -> None:
        self.room, self.users = asyncio.Semaphore(room), 0


class Turn:
    """One: taken and given back, or entered."""

    __slots__ = ("_host", "_key", "_turns")

    def __init__(self, turns: Turns, key: tuple[str, int], host: _Host) -> None:
        self._turns, self._key, self._host = turns, key, host

    async def take(self) -> None:
        """Wait for it."""
        self._host.users += 1
        try:
            await self._turns.enter(self._host)
        except BaseException:
            self._turns.forget(self._key, self._host)
            raise

    def give(self) -> None:
        """Let the next one have it."""
        self._turns.leave(self._host)
        self._turns.forget(self._key, self._host)

    async def __aenter__(self) -> None:
        await self.take()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give()
