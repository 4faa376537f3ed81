"""The hub's tests run on a loop whose time jumps; those over Redis get a real one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.gateway.doubles import TurnedLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    over_redis = item.path.name in ("test_fleet.py", "test_homes.py")
    return {"real": asyncio.new_event_loop} if over_redis else {"turned": TurnedLoop}
