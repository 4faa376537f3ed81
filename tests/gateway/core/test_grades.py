"""A grade follows from what was read, for adapters of this repository and of others."""

from __future__ import annotations

import json

import pytest

from gateway.core import grades
from gateway.core.grades import grade_of, proof
from providers.crypto.kraken import Kraken
from schema.words.registry import Grade
from tests.gateway.doubles import venue


@pytest.mark.parametrize(("count", "grade"), [({"kraken": 1}, Grade.SILVER), ({}, Grade.BRONZE)])
def test_captured_answers_that_are_read_exactly_make_silver(monkeypatch: pytest.MonkeyPatch, count, grade):
    monkeypatch.setattr(grades, "proof", lambda: count)
    monkeypatch.setattr(grades, "streams", dict)

    assert grade_of(Kraken) is grade


@pytest.mark.parametrize(("captured", "grade"), [({"kraken": 4}, Grade.GOLD), ({}, Grade.BRONZE)])
def test_captured_streams_make_gold_of_silver_and_of_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path, captured, grade
):
    (tmp_path / "proof.json").write_text(json.dumps({**captured, "streams": {"kraken": 4}}))
    monkeypatch.setattr(grades, "PROOF", tmp_path / "proof.json")
    grades._read.cache_clear()

    found, counts = grade_of(Kraken), proof()
    grades._read.cache_clear()

    assert (found, counts) == (grade, captured)


def test_an_adapter_of_another_package_without_recordings_is_bronze():
    assert grade_of(venue("alpha")) is Grade.BRONZE
