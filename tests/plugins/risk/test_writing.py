"""How old the values of limits may be that are read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.plugins.risk.watching import BTC, ETH, Watch, watch


@pytest.fixture
async def w(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Watch]:
    async with watch(sqlite_url, tmp_path) as made:
        yield made


async def test_a_limit_that_flaps_keeps_no_others_value_or_peak_from_being_written_each_minute(w: Watch):
    flapping = await w.limit("SINGLE_NAME", "0.5", hysteresisBps=0)
    quiet = await w.limit("DRAWDOWN", "0.9")
    begun = w.house.clock.now()

    for price in ("151", "140", "160", "140"):
        w.house.clock.turn(13)
        await w.tick((BTC, price))
    w.house.clock.turn(13)
    await w.change({BTC: ("1", "160"), ETH: ("10", "10")}, cash="50")

    row, other = await w.row(quiet), await w.row(flapping)
    assert (row["evaluated_at"] - begun).total_seconds() == 65
    assert (row["value"], row["peak"]) == (Decimal("0.064516129"), Decimal(310))
    assert other["arm"] == 3


async def test_where_nothing_happens_a_book_wakes_up_to_write_in_time(w: Watch):
    limit = await w.limit("SINGLE_NAME", "0.9")
    w.house.clock.turn(45)
    await w.change({BTC: ("1", "110"), ETH: ("10", "10")}, cash="50")
    w.house.clock.turn(5)
    await w.tick((BTC, "120"))

    # The holdings are old in 25 seconds, and the value is to be written in ten.
    assert w.house.clock.slept[-1] == 10
    assert (await w.row(limit))["value"] == Decimal("0.4")
