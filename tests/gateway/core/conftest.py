"""The core's tests run on a loop whose time jumps: deadlines are exact and cost nothing. Sockets get a real loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from gateway.core.upstream import NetworkTransport
from tests.gateway.core.loopback import LIMIT, Upstream
from tests.gateway.doubles import TurnedLoop

REAL = (
    "test_aside.py",
    "test_cache_locks.py",
    "test_cache_outages.py",
    "test_cache_shared.py",
    "test_calendars.py",
    "test_egress.py",
    "test_egress_answers.py",
    "test_egress_names.py",
    "test_egress_pinning.py",
    "test_embedded.py",
    "test_engines.py",
    "test_fleet.py",
    "test_leads.py",
    "test_link.py",
    "test_network.py",
    "test_outbound.py",
    "test_questions.py",
    "test_quota_fleet.py",
    "test_redis_bus.py",
    "test_statuses.py",
    "test_store.py",
    "test_streams.py",
    "test_venue_days.py",
    "test_wire.py",
    "test_writes.py",
)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"real": asyncio.new_event_loop} if item.path.name in REAL else {"turned": TurnedLoop}


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    made = Upstream()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    # Connections that the client has let go of end by themselves, within a few turns of the loop.
    for _ in range(50):
        if not made.alive:
            break
        await asyncio.sleep(0.01)


@pytest.fixture
async def transport() -> AsyncIterator[NetworkTransport]:
    made = NetworkTransport(largest_body=LIMIT)
    yield made
    await made.close()
    await asyncio.sleep(0)
