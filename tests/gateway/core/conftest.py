"""The core's tests run on a loop whose time jumps: deadlines are exact and cost nothing. Sockets get a real loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.gateway.doubles import TurnedLoop

REAL = ("test_network.py", "test_calendars.py")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"real": asyncio.new_event_loop} if item.path.name in REAL else {"turned": TurnedLoop}
