"""A room on SQLite whose panels of prices are in hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.core.ports import Computing, Panels
from tests.plugins.risk.doubles import HandComputing, HandPanels
from tests.plugins.risk.panels import panel
from tests.plugins.trading.live.room import BTC, ETH, PERP, Room, open_room

UP = {
    BTC: ["100", "110", "99", "108.9", "98.01", "107.811"],
    ETH: ["10", "10", "10.5", "10.5", "10.395", "10.91475"],
    PERP: ["101", "111.1", "99.99", "109.989", "98.9901", "108.88911"],
}


@pytest.fixture
async def room(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Room]:
    """The perpetual has moved as bitcoin has."""
    async with open_room(sqlite_url, tmp_path) as opened:
        services = opened.house.host.services
        services[Panels] = HandPanels(panel(UP))
        services[Computing] = HandComputing(services[Computing])
        yield opened
