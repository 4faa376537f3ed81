"""Two processes on one database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.core.bus import LocalBus
from gateway.core.redis import RedisBus
from tests.plugins.accounts.sessions.watching import LinkedBus, Pair, pair, soon


@pytest.fixture
async def linked(database: str, tmp_path: Path) -> AsyncIterator[Pair]:
    buses = LinkedBus(), LinkedBus()
    buses[0].others.append(buses[1])
    buses[1].others.append(buses[0])
    async for houses in pair(database, tmp_path, buses):
        yield houses


@pytest.fixture
async def deaf(database: str, tmp_path: Path) -> AsyncIterator[Pair]:
    async for houses in pair(database, tmp_path, (LocalBus(), LocalBus())):
        yield houses


@pytest.fixture
async def apart(database: str, tmp_path: Path, redis_url: str) -> AsyncIterator[Pair]:
    """Two processes that hear each other through a real Redis."""
    buses = RedisBus(redis_url), RedisBus(redis_url)
    async for houses in pair(database, tmp_path, buses):

        async def connected() -> bool:
            return all(bus.connected for bus in buses)

        assert await soon(connected)
        yield houses
