"""Faults by the thousand, on a loop whose time jumps; a database and sockets get a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from tests.gateway.core.loopback import Upstream
from tests.gateway.doubles import TurnedLoop

REAL = {"sqlite_url", "upstream"}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    real = REAL & set(getattr(item, "fixturenames", ()))
    return {"real": asyncio.new_event_loop} if real else {"turned": TurnedLoop}


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    made = Upstream()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
