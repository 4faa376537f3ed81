"""A room on SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.plugins.trading.brokers.room import Room, open_room


@pytest.fixture
async def room(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Room]:
    """An account at each of two brokers."""
    async with open_room(sqlite_url, tmp_path) as opened:
        yield opened
