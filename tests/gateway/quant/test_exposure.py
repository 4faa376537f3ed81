from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.quant.exposure import Holding, exposure
from gateway.core.quant.refusals import NotComputable
from schema.errors import BadInput

HOLDINGS = [
    Holding(symbol="AAPL", value=Decimal(600), asset_class="EQUITY", currency="USD", sector="TECH"),
    Holding(symbol="SAP", value=Decimal(300), asset_class="EQUITY", currency="EUR", sector="TECH"),
    Holding(symbol="BTC", value=Decimal(-100), asset_class="CRYPTO", currency="USD"),
]


def test_exposure_counts_both_sides_and_names_its_concentration():
    found = exposure(HOLDINGS, {"USD": Decimal(150), "EUR": Decimal(50)})

    assert [found.equity, found.gross, found.net, found.leverage] == [Decimal(n) for n in (1000, 1000, 800, 1)]
    by_class, by_currency, by_sector, by_name = found.dimensions
    assert [(group.key, group.gross, group.net_weight) for group in by_class.groups] == [
        ("EQUITY", Decimal(900), Decimal("0.9")),
        ("CRYPTO", Decimal(100), Decimal("-0.1")),
    ]
    assert by_class.concentration == Decimal("0.82")
    assert [(group.key, group.long, group.short) for group in by_currency.groups] == [
        ("USD", Decimal(750), Decimal(-100)),
        ("EUR", Decimal(350), Decimal(0)),
    ]
    assert [group.key for group in by_sector.groups] == ["TECH", "UNKNOWN"]
    assert by_name.concentration == Decimal("0.46")


def test_a_portfolio_of_cash_alone_has_no_concentration_of_names():
    found = exposure([], {"USD": Decimal(5)})

    assert found.gross == 0
    assert [dimension.concentration for dimension in found.dimensions] == [None, 1, None, None]


@given(st.lists(st.decimals(1, 10_000, places=2), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_groups_sum_to_the_whole_whatever_the_order(values, random):
    holdings = [Holding(symbol=f"S{i}", value=value, sector=f"T{i % 3}") for i, value in enumerate(values)]
    mixed = random.sample(holdings, len(holdings))

    found = exposure(holdings)

    assert exposure(mixed) == found
    for dimension in found.dimensions:
        assert sum(group.net for group in dimension.groups) == found.net
        assert 1 / Decimal(len(dimension.groups)) * (1 - Decimal("1e-20")) <= (dimension.concentration or 0) <= 1


def test_a_name_twice_a_value_that_is_none_or_no_equity_is_refused():
    with pytest.raises(BadInput, match="AAPL stands there more than once"):
        exposure([HOLDINGS[0], HOLDINGS[0]])
    with pytest.raises(BadInput, match="no finite value"):
        exposure([Holding(symbol="X", value=Decimal("NaN"))])
    with pytest.raises(NotComputable, match="equity above 0"):
        exposure([HOLDINGS[2]])


def test_neither_exposure_nor_sizing_loads_numpy():
    code = "import sys, gateway.core.quant.exposure, gateway.core.quant.sizing; sys.exit('numpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
