"""What was bought when, and for how much, while an account is worked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.core.matching.model import Level
from gateway.core.quant.lots import Lot
from plugins.trading.positions import turning
from tests.plugins.trading.engine.floorhouse import wish
from tests.plugins.trading.orders.slate import BTC, FREE, D, slate
from tests.plugins.trading.rowsof import NOON, position


def test_lots_are_read_once_however_many_fills_a_transaction_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, read, name = slate(method="FIFO", model={**FREE, "source": "BOOK"}), list[Any](), str(BTC)
    held = [[NOON.isoformat(), "1", "90"], [NOON.isoformat(), "2", "184"]]
    desk.floor.positions[name] = position(name, "3", "274", lots=held)
    desk.tick = replace(desk.tick, bids=tuple(Level(price=D(price), size=D("0.5")) for price in (100, 99, 98)), asks=())

    def lot(**given: Any) -> Lot:
        read.append(given)
        return Lot(**given)

    monkeypatch.setattr(turning, "Lot", lot)

    (sale,) = desk.place(wish("SELL", "MARKET", "1.5"))

    left = desk.floor.positions[name]
    assert (desk.stand(sale), len(desk.floor.fills), len(read)) == (("FILLED", "1.5"), 3, 2)
    assert (left.quantity, left.cost, left.realised) == (D("1.5"), D(138), D("12.5"))
    assert turning.stored(left).lots == [[NOON.isoformat(), "1.5", "138"]]
