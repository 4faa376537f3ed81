"""What waits for a condition is checked once that is met, as if it were placed then: with what belongs to it now."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.matching.conditions import Direction, PriceCondition, plain
from plugins.trading.orders.wishes import Exit
from schema.words.orders import OrderLeg
from tests.plugins.trading.engine.floorhouse import wish
from tests.plugins.trading.orders.pit import CANCEL, REPLACE, Pit
from tests.plugins.trading.orders.slate import BTC, D, Slate, slate

OCO: dict[str, Any] = {"leg": OrderLeg.OCO, "group": "grp_1"}


def crossing(direction: Direction, level: str) -> dict[str, Any]:
    return plain(PriceCondition(symbol=str(BTC), direction=direction, level=D(level)))


def bracket(desk: Slate) -> Any:
    """A purchase at 118 or less from 110 on, and its exits."""
    waits = crossing(Direction.ABOVE, "110")
    exits: dict[str, Any] = {"take_profit": Exit(limit_price=D(130)), "stop_loss": Exit(stop_price=D(115))}
    return desk.place(wish("BUY", "LIMIT", "1", limit_price="118", condition=waits, **exits))


def test_sales_of_an_oco_count_once_when_the_condition_of_one_is_met():
    desk = slate("200")
    desk.place(wish("BUY", "MARKET", "1"))
    waits = crossing(Direction.BELOW, "95")
    (high,) = desk.place(wish("SELL", "LIMIT", "1", limit_price="108"), **OCO)
    (stop,) = desk.place(wish("SELL", "STOP_MARKET", "1", stop_price="90", condition=waits), **OCO)
    (other,) = desk.place(wish("SELL", "STOP_MARKET", "1", stop_price="90", condition=waits))

    desk.price("94", "96")
    desk.arrive(stop)
    desk.arrive(other)

    assert [desk.stand(row)[0] for row in (high, stop, other)] == ["ACCEPTED", "ACCEPTED", "REJECTED"]
    desk.meet("89")
    assert [desk.stand(row) for row in (high, stop)] == [("CANCELED", "0"), ("FILLED", "1")]


def test_an_exit_that_was_cancelled_refuses_no_entry_whose_condition_is_met():
    desk, whole = slate(), slate()
    entry, profit, loss = bracket(desk)
    other, *_ = bracket(whole)
    desk.cancel(loss)

    for each, row in ((desk, entry), (whole, other)):
        each.price("111", "112")
        each.arrive(row)

    assert [desk.stand(row) for row in (entry, profit, loss)] == [
        ("FILLED", "1"), ("ACCEPTED", "0"), ("CANCELED", "0")
    ]  # fmt: skip
    assert whole.stand(other) == ("REJECTED", "0")


def test_an_entry_without_its_exits_closes_what_is_held_when_its_condition_is_met():
    desk = slate(margin="MARGIN", leverage=D(2))
    desk.place(wish("SELL", "MARKET", "2"))
    waits = crossing(Direction.ABOVE, "110")
    entry, loss = desk.place(wish("BUY", "MARKET", "2", condition=waits, stop_loss=Exit(stop_price=D(80))))
    desk.cancel(loss)

    desk.price("111", "112")
    desk.arrive(entry)

    assert (desk.stand(entry), desk.held()) == (("FILLED", "2"), "0")


@pytest.mark.parametrize("given", [{}, {"condition": {"price": {"crossing": "BELOW", "level": "95"}}}])
async def test_an_exit_that_was_cancelled_refuses_no_new_price_of_its_entry(pit: Pit, given: dict[str, Any]):
    exits: dict[str, Any] = {"takeProfit": {"limitPrice": "95"}, "stopLoss": {"stopPrice": "80"}}
    placed = await pit.place("BUY", "LIMIT", limitPrice="90", **exits, **given)
    await pit.do(CANCEL, orderId=placed["children"][0]["id"])

    moved = await pit.do(REPLACE, orderId=placed["order"]["id"], limitPrice="96")
    beyond = await pit.refused(REPLACE, orderId=placed["order"]["id"], limitPrice="79")

    assert moved["order"]["limitPrice"] == "96"
    assert beyond[:2] == ("WRONG_SIDE_OF_MARKET", "input.limitPrice")
