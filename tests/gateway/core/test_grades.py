"""A grade follows from what was read, for adapters of this repository and of others."""

from __future__ import annotations

import pytest

from gateway.core import grades
from gateway.core.grades import grade_of
from providers.crypto.kraken import Kraken
from schema.words.registry import Grade
from tests.gateway.doubles import venue


@pytest.mark.parametrize(("count", "grade"), [({"kraken": 1}, Grade.SILVER), ({}, Grade.BRONZE)])
def test_captured_answers_that_are_read_exactly_make_silver(monkeypatch: pytest.MonkeyPatch, count, grade):
    monkeypatch.setattr(grades, "proof", lambda: count)

    assert grade_of(Kraken) is grade


def test_an_adapter_of_another_package_without_recordings_is_bronze():
    assert grade_of(venue("alpha")) is Grade.BRONZE
