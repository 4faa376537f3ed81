"""Who has a part in an answer."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from schema.provenance import Conversion, DataMode, Provenance, providers_of
from tests.gateway.doubles import NOON


def test_the_providers_of_an_answer_are_those_of_its_rates_too():
    price, first, second = (
        Provenance(provider=name, mode=DataMode.LIVE, as_of=None, fetched_at=NOON, latency_ms=1)
        for name in ("kraken", "ecb", "oanda")
    )
    onwards = Conversion(from_currency="EUR", to_currency="CHF", rate=Decimal(1), provenance=second)
    rate = Conversion(
        from_currency="USD", to_currency="EUR", rate=Decimal(1), provenance=replace(first, conversion=onwards)
    )  # fmt: skip

    assert providers_of() == frozenset()
    assert providers_of(replace(price, conversion=rate), price) == {"kraken", "ecb", "oanda"}
