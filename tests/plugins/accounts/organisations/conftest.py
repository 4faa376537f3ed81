"""One company for every test."""

from __future__ import annotations

import pytest

from tests.house import House
from tests.plugins.accounts.organisations.company import Company, found


@pytest.fixture
async def company(house: House) -> Company:
    """Ada's, on either database."""
    return await found(house)
