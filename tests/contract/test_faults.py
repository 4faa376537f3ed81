"""Every capability of every provider is broken in every known way; the adapter answers or says what is wrong."""

from __future__ import annotations

import pytest

from gateway.core.check.faults import FAMILIES, Subject
from gateway.core.check.provider import subjects_of
from tests.contract.suite import PROVIDERS

SUBJECTS = [
    pytest.param(subject, family, id=f"{name}-{subject.offer.capability.name}-{family}")
    for name, cls in PROVIDERS.items()
    for subject in subjects_of(cls)
    for family in FAMILIES
]


@pytest.mark.parametrize(("subject", "family"), SUBJECTS)
async def test_a_broken_upstream_becomes_an_upstream_error(subject: Subject, family: str):
    assert await FAMILIES[family](subject) == []
