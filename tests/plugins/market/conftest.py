"""The catalog's patience is exact and costs nothing: its tests run on a loop whose time jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.gateway.doubles import TurnedLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"turned": TurnedLoop} if item.path.name.startswith("test_catalog") else {"real": asyncio.new_event_loop}
