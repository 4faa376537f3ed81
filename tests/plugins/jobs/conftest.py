"""A company whose jobs are tests."""

from __future__ import annotations

import pytest

from gateway.core.identity import Role
from gateway.core.ports import JobKinds
from tests.house import House
from tests.plugins.accounts.organisations.company import found
from tests.plugins.jobs.office import Office, Trial


@pytest.fixture
async def office(house: House) -> Office:
    """Ada's company, where Bob is a viewer."""
    company, trial = await found(house), Trial()
    await company.hire("bob", Role.VIEWER)
    await company.upgrade()
    house.host.service(JobKinds).register(trial.kinds())
    return Office(company, trial)
