"""Every provider answers its recordings exactly, through the real HTTP port."""

from __future__ import annotations

import pytest

from gateway.core.check.provider import cases_of, coverage_findings
from gateway.core.check.replay import replay
from providers.contract import Answer, Provider
from providers.recording import Case
from tests.contract.suite import PROVIDERS

CASES = [
    pytest.param(cls, cls.offers[recording.capability], case, id=f"{name}-{recording.capability}-{case.name}")
    for name, cls in PROVIDERS.items()
    for recording, case in cases_of(cls)
]


@pytest.mark.parametrize("cls", PROVIDERS.values(), ids=PROVIDERS)
def test_every_declared_capability_has_an_answered_case_and_nothing_else_is_recorded(cls: type[Provider]):
    assert coverage_findings(cls) == []


@pytest.mark.parametrize(("cls", "offer", "case"), CASES)
async def test_a_case_comes_out_exactly_as_recorded(cls: type[Provider], offer: Answer, case: Case):
    assert await replay(cls, offer, case) == []
