"""An office of either database with a receiver beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.core.ports import Egress
from tests.house import House
from tests.plugins.webhooks.delivery.egress import PlainEgress
from tests.plugins.webhooks.delivery.office import Office
from tests.plugins.webhooks.delivery.receivers import listening


@pytest.fixture
async def office(house: House) -> AsyncIterator[Office]:
    egress = PlainEgress()
    house.host.services[Egress] = egress
    async with listening() as receiver:
        yield Office(house=house, receiver=receiver)
        await egress.close()
