"""A room on SQLite: nothing that is watched here depends on the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.plugins.trading.live.room import Room, open_room


@pytest.fixture
async def room(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Room]:
    """Two accounts and a market."""
    async with open_room(sqlite_url, tmp_path) as opened:
        yield opened
