"""Exits that have nothing to protect while their entry is filled further: what is opened next begins anew for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from plugins.trading.orders.wishes import Exit
from plugins.trading.rows import OrderRow
from tests.plugins.trading.engine.floorhouse import wish
from tests.plugins.trading.orders.slate import FREE, D, Slate, slate

CLOSED, EXIT_FILLED = "CLOSED: its position was closed", "EXIT_FILLED: its position was closed"
AT, LIMITED, TRAIL = Exit(stop_price=D(95)), Exit(stop_price=D(95), limit_price=D("94.5")), Exit(trail_amount=D(4))
PROFIT = Exit(limit_price=D(110))


def filling(loss: Exit, **account: Any) -> tuple[Slate, list[OrderRow]]:
    """A bracket of three at 100, of which one is bought; a message has met its exits."""
    desk = slate(ask="101", bid="99", **account)
    rows = desk.place(wish("BUY", "LIMIT", "3", limit_price="100", take_profit=PROFIT, stop_loss=loss))
    desk.meet("99", "100", size="1")
    desk.meet("99", "101", size="1")
    return desk, rows


def ended(desk: Slate, rows: list[OrderRow]) -> list[tuple[str, str, str | None]]:
    return [(*desk.stand(row), desk.floor.orders[row.id].reason) for row in rows]


@pytest.mark.parametrize(
    ("loss", "filled"), [(AT, "0.4"), (TRAIL, "0.4"), (LIMITED, "0")], ids=["stop", "trail", "stop with a limit"]
)
def test_a_stop_that_was_triggered_ends_with_what_it_protected_and_what_is_left_of_its_entry(loss: Exit, filled: str):
    desk, rows = filling(loss)
    desk.meet("94", "101", size="0.4")
    stood = desk.stand(rows[2])

    desk.price("94.4", "101")
    desk.place(wish("SELL", "MARKET", desk.held()))
    desk.meet("99", "100", size="1")
    desk.meet("99.5", "101")

    assert stood == ("TRIGGERED" if filled == "0" else "PARTIALLY_FILLED", filled)
    assert ended(desk, rows) == [
        ("CANCELED", "1", EXIT_FILLED), ("CANCELED", "0", CLOSED), ("CANCELED", filled, CLOSED)
    ]  # fmt: skip
    assert desk.held() == "0"


def test_a_stop_that_was_triggered_ends_where_the_position_is_turned():
    desk, rows = filling(AT, margin="MARGIN", leverage=D(2))
    desk.meet("94", "101", size="0.4")

    desk.price("94", "101")
    desk.place(wish("SELL", "MARKET", "1"))
    desk.meet("99", "100", size="1")

    assert [status for status, *_ in ended(desk, rows)] == ["CANCELED"] * 3
    assert desk.held() == "-0.4"


def test_the_message_that_opens_more_does_not_meet_them():
    desk, (entry, _, loss) = filling(AT)
    desk.place(wish("SELL", "MARKET", "1"))

    desk.meet("94", "100", size="1")
    opened = (desk.stand(entry), desk.stand(loss), desk.held())
    desk.meet("94", "101")

    assert opened == (("PARTIALLY_FILLED", "2"), ("ACCEPTED", "0"), "1")
    assert (desk.stand(loss), desk.sold) == (("FILLED", "1"), [("1", "99"), ("1", "94")])


def test_nothing_meets_them_before_their_latency():
    desk, (_, profit, loss) = filling(AT, model={**FREE, "latency_ms": 1500})
    desk.meet("99", "100", size="1")
    desk.place(wish("SELL", "MARKET", "1"))
    desk.meet("99", "101")
    desk.meet("99", "101")
    asleep = desk.floor.orders[loss.id]

    desk.meet("99", "100", size="1")
    opened = desk.floor.orders[loss.id]
    desk.meet("94", "101")
    early = desk.stand(loss)
    desk.meet("94", "101")

    assert (asleep.quantity, opened.quantity, opened.accepted_at) == (D(0), D(1), opened.changed_at)
    assert opened.due_at == opened.changed_at + timedelta(milliseconds=1500)
    assert (early, desk.stand(loss)) == (("ACCEPTED", "0"), ("FILLED", "1"))
    assert desk.stand(profit) == ("CANCELED", "0")
