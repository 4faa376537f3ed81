"""What a call costs by provider, as the operator writes it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway.core.loading import costs_of, slips_of
from gateway.core.settings import Settings, SettingsError
from providers import discover


def settings(costs: str) -> Settings:
    return Settings(provider_costs=costs)


def test_costs_are_exact_amounts_by_provider():
    assert costs_of(settings(" CoinGecko=0.0005, kraken = 2 ,")) == {
        "coingecko": Decimal("0.0005"), "kraken": Decimal(2),
    }  # fmt: skip
    assert costs_of(settings("")) == {}


@pytest.mark.parametrize("text", ["kraken", "kraken=", "=1", "kraken=-1", "kraken=1e3", "kraken=NaN", "kraken=1=2"])
def test_what_is_no_amount_stops_the_start(text: str):
    with pytest.raises(SettingsError) as refused:
        costs_of(settings(text))

    assert str(refused.value) == f"MARKETGATE_PROVIDER_COSTS: {text!r} is not of the form coingecko=0.0005"


def test_a_provider_that_is_not_there_is_a_slip():
    assert "MARKETGATE_PROVIDER_COSTS: there is no provider 'krakn'" in slips_of(
        settings("krakn=1"), discover(third_party=False)
    )
