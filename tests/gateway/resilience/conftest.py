"""Faults by the thousand, on a loop whose time jumps; a database and sockets get a real one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.gateway.doubles import TurnedLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return (
        {"real": asyncio.new_event_loop} if "house" in str(item.name) or "week" in item.name else {"turned": TurnedLoop}
    )
