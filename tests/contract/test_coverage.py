"""Classes that a capability covers: no recorded question is about another one."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import cast

import pytest

from gateway.core.check.replay import connect
from gateway.core.coverage import SAMPLE, covers_class
from gateway.core.upstream import Transport
from providers.contract import Provider
from schema.symbols import AssetClass
from tests.contract.suite import PROVIDERS
from tests.contract.symbolmaps import instrument_in, subjects

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def adapter(provider: str) -> Provider:
    return connect(PROVIDERS[provider], cast(Transport, None), NOW)


def covered(provider: str, capability: str) -> set[str]:
    return {str(each) for each in AssetClass if covers_class(adapter(provider), capability, each, NOW)}


def test_what_is_recorded_of_a_class_says_that_the_class_is_covered() -> None:
    wrong = [
        f"{subject.id} {subject.offer.capability.name} {kind}"
        for subject in subjects()
        for kind in sorted({instrument_in(ask).asset_class for ask in subject.asks})
        if not covers_class(adapter(subject.id), subject.offer.capability.name, kind, NOW)
    ]

    assert wrong == []


def test_every_question_about_instruments_can_be_put_together() -> None:
    asked = {
        (id, name)
        for id, cls in PROVIDERS.items()
        for name, offer in cls.offers.items()
        if {field.name for field in fields(offer.capability.ask)} & {"instrument", "instruments"}
    }

    assert all(covered(id, name) for id, name in asked if set(PROVIDERS[id].profile.asset_classes) & set(SAMPLE))


@pytest.mark.parametrize(
    ("provider", "capability", "classes"),
    [
        ("alphavantage", "quotes", {"CRYPTO", "EQUITY", "FX"}),
        ("alphavantage", "fundamentals", {"EQUITY"}),
        ("yahoo", "corporateActions", {"EQUITY"}),
        ("twelvedata", "candles", {"EQUITY", "FX"}),
        ("cboe", "candles", {"INDEX"}),
        ("ecb", "quotes", {"FX"}),
        ("sandbox", "orderBook", {"CRYPTO", "EQUITY"}),
        # Not asked of instruments: the profile's.
        ("ecb", "economicSeries", {"FX", "MACRO"}),
        ("alphavantage", "search", {"CRYPTO", "EQUITY", "FX"}),
        ("kraken", "videos", set()),
    ],
)
def test_a_capability_covers_the_classes_that_its_own_rule_lets_in(
    provider: str, capability: str, classes: set[str]
) -> None:
    assert covered(provider, capability) == classes
