"""Who held perpetuals when, by their fills."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from plugins.trading.engine.holders import Holders, times_between
from plugins.trading.rows import FillRow
from tests.plugins.trading.engine.floorhouse import BTC, PERP
from tests.plugins.trading.rowsof import NOON, position, trip

D = Decimal
HOUR = timedelta(hours=1)


def fill(hours: int, side: str, quantity: str, instrument: str = PERP) -> FillRow:
    given: dict[str, Any] = {
        "tenant_id": "org_a", "id": f"fill_{hours}", "account_id": "tacc_1", "order_id": "ord_1", "number": 1,
        "broker_fill_id": None, "instrument": instrument, "side": side, "quantity": D(quantity), "price": D(100),
        "currency": "USDT", "reference": None, "fee": D(0), "liquidity": "TAKER", "realised": D(0), "strategy": None,
        "provider": "alpha", "mode": "LIVE", "priced_at": None, "at": NOON + hours * HOUR,
    }  # fmt: skip
    return FillRow(**given)


def test_a_position_that_was_turned_leaves_each_payment_to_whoever_held_it_then() -> None:
    # Long 2 at noon, one more at 13:00, turned to short 1 at 15:00.
    short = position(PERP, "-1", "-100", opened_at=NOON + 3 * HOUR)
    long = trip("trip_1", "0", instrument=PERP, opened_at=NOON, closed_at=NOON + 3 * HOUR)
    fills = [fill(0, "BUY", "2"), fill(1, "BUY", "1"), fill(3, "SELL", "4"), fill(2, "BUY", "7", BTC)]
    holders = Holders([short, position(BTC, "7", "700")], fills, [long])

    quantities = [holders.quantity(PERP, NOON + n * HOUR) for n in range(-1, 5)]
    for n in range(5):
        holders.credit(PERP, NOON + n * HOUR, D(n + 1))

    assert holders.instruments == [PERP]
    assert quantities == [D(0), D(2), D(3), D(3), D(-1), D(-1)]
    assert [(row.id, row.funding) for row in holders.closed.values()] == [("trip_1", D(1 + 2 + 3))]
    assert [(row.instrument, row.funding) for row in holders.changed.values()] == [(PERP, D(4 + 5))]
    assert not holders.credit(PERP, NOON - HOUR, D(1))
    assert [holders.held_within(PERP, NOON - 2 * HOUR, NOON + n * HOUR) for n in (-1, 0)] == [False, True]


def test_regular_times_are_counted_back_from_the_last() -> None:
    times = list(times_between(NOON, NOON + 4 * HOUR, 1.5 * HOUR))

    assert [(each - NOON) / HOUR for each in times] == [1.0, 2.5, 4.0]
    assert list(times_between(NOON, NOON, HOUR)) == []
