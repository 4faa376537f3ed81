"""An office of either database with a receiver beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.house import House
from tests.plugins.webhooks.delivery.office import Office
from tests.plugins.webhooks.delivery.receivers import listening


@pytest.fixture
async def office(house: House) -> AsyncIterator[Office]:
    async with listening() as receiver:
        yield Office(house=house, receiver=receiver)
