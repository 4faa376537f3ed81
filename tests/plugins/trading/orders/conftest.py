"""A pit on SQLite for what is the same everywhere, and on both databases for what is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.plugins.trading.orders.pit import Pit, open_pit


@pytest.fixture
async def pit(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Pit]:
    """Two accounts and a market."""
    async with open_pit(sqlite_url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def pit_on_both(database: str, tmp_path: Path) -> AsyncIterator[Pit]:
    """The same on either database."""
    async with open_pit(database, tmp_path) as opened:
        yield opened
