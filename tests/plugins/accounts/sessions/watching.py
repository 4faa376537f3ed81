"""Streams that are watched, and processes that hear each other or do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.core.bus import LocalBus, Message
from gateway.core.identity import Principal
from gateway.core.ports import Authenticator, Presented
from plugins.accounts.sessions.desk import SessionDesk
from schema.errors import Unauthenticated
from tests.gateway.doubles import ManualClock
from tests.house import House, open_house


class LinkedBus(LocalBus):
    """Delivers to the buses of other processes too."""

    def __init__(self) -> None:
        super().__init__()
        self.others: list[LocalBus] = []

    async def publish(self, topic: str, message: Message) -> None:
        await super().publish(topic, message)
        for other in self.others:
            await LocalBus.publish(other, topic, message)


async def soon(check: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> bool:
    """Whether something is so within a time that a test can wait."""
    for _ in range(int(seconds * 100)):
        if await check():
            return True
        await asyncio.sleep(0.01)
    return False


@dataclass
class Stream:
    """What a socket knows of its end."""

    reasons: list[str] = field(default_factory=list)

    async def ended(self) -> list[str]:
        """Once it is so; the streams' own looks are under way."""
        await soon(self.has_ended)
        return self.reasons

    async def has_ended(self) -> bool:
        return bool(self.reasons)


Pair = tuple[House, House]


async def pair(database: str, folder: Path, buses: tuple[Any, Any]) -> AsyncIterator[Pair]:
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(open_house(database, folder, clock=clock, bus=bus)) for bus in buses
        ]
        yield first, second


async def known(house: House, token: str) -> Principal | None:
    try:
        return await house.host.service(Authenticator).authenticate(
            Presented(authorization=f"Bearer {token}", client_ip="127.0.0.1")
        )
    except Unauthenticated:
        return None


async def watched(house: House, token: str) -> Stream:
    principal, stream = await known(house, token), Stream()
    assert principal is not None
    house.host.service(Authenticator).watch(principal, stream.reasons.append)
    return stream


async def revoke(house: House, session: str) -> None:
    async with house.store.write() as tx:
        await house.host.service(SessionDesk).revoke(tx, session, "revoked")
