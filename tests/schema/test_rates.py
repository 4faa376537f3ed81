"""Rates and currencies that callers give."""

from __future__ import annotations

import pytest

from schema.currencies import read_currency
from schema.errors import BadInput
from schema.rates import check_rate


@pytest.mark.parametrize("rate", [-0.999, -0.005, 0.0, 0.03, 9.99])
def test_a_rate_is_a_fraction_a_year(rate: float):
    check_rate("riskFree", rate)


@pytest.mark.parametrize("rate", [-1.0, 10.0, float("nan"), float("inf")])
def test_what_is_no_rate_names_its_field(rate: float):
    with pytest.raises(BadInput) as refused:
        check_rate("riskFree", rate)

    assert refused.value.message == ("riskFree: must be above -1 and below 10: 0.03 is 3 % a year")


def test_a_currency_is_read_in_any_case_and_a_hundredth_of_one_is_named():
    told = {}
    for text in ("GBX", "XYZ"):
        with pytest.raises(BadInput) as refused:
            read_currency("currency", text)
        told[text] = refused.value.message

    assert [read_currency("currency", text) for text in (" usd", "Usdt", "BTC")] == ["USD", "USDT", "BTC"]
    assert told == {
        "GBX": "currency: GBX is a hundredth of GBP: write GBP, and amounts in it",
        "XYZ": "currency: 'XYZ' is no currency that is known: write a code such as USD, EUR or USDT",
    }
