"""Other terms of an order: of what was triggered, of what waits elsewhere, of an entry that has only closed."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.trading.orders.wishes import Exit
from plugins.trading.rows import OrderRow
from schema.words.problems import Refused
from tests.plugins.trading.engine.floorhouse import wish
from tests.plugins.trading.orders.pit import BTC, ETH, GROUP, PROTECT, REPLACE, Pit
from tests.plugins.trading.orders.slate import D, Slate, slate

TRIGGERED = "The stop was triggered: cancel it, and place another."
WRONG = "WRONG_SIDE_OF_MARKET"


def refused(desk: Slate, row: OrderRow, **terms: Any) -> tuple[str, tuple[str, ...], str]:
    """Code, field and message; the order stays as it was."""
    before = desk.floor.orders[row.id]
    with pytest.raises(Refused) as found:
        desk.replace(row, **terms)
    assert desk.floor.orders[row.id] is before
    return found.value.code, found.value.field, found.value.message


@pytest.mark.parametrize(
    ("type_", "given", "terms", "field"),
    [("STOP_MARKET", {"stop_price": "95"}, {"stop_price": "80"}, "stopPrice"),
     ("STOP_LIMIT", {"stop_price": "95", "limit_price": "94"}, {"stop_price": "80", "limit_price": "90"}, "stopPrice"),
     ("TRAILING_STOP", {"trail_amount": "5"}, {"trail_amount": "20"}, "trailAmount"),
     ("TRAILING_STOP", {"trail_percent": "5"}, {"trail_percent": "20"}, "trailPercent")],
)  # fmt: skip
def test_what_was_triggered_has_no_other_trigger(type_: str, given: dict[str, Any], terms: dict[str, str], field: str):
    desk = slate("2000")
    desk.place(wish("BUY", "MARKET", "10"))
    (stop,) = desk.place(wish("SELL", type_, "10", **given))
    other = {name: D(value) for name, value in terms.items()}
    desk.replace(stop, **other)
    desk.replace(stop, **{name: D(value) for name, value in given.items()})

    desk.meet("94", "96", size="2")
    desk.price("100", "101")

    assert desk.stand(stop) == ("PARTIALLY_FILLED", "2")
    assert refused(desk, stop, **other) == ("ORDER_INVALID", (field,), TRIGGERED)
    assert desk.replace(stop, quantity=D(9)).quantity == D(9)


def test_the_limit_of_a_stop_that_was_triggered_is_moved_still():
    desk = slate("2000")
    desk.place(wish("BUY", "MARKET", "10"))
    (stop,) = desk.place(wish("SELL", "STOP_LIMIT", "10", stop_price="95", limit_price="94"))
    desk.meet("93", "96")

    moved = desk.replace(stop, limit_price=D(99))

    assert (desk.stand(stop), moved.limit_price) == (("TRIGGERED", "0"), D(99))
    assert refused(desk, stop, stop_price=D(80), limit_price=D(99))[1:] == (("stopPrice",), TRIGGERED)


async def test_of_an_exit_that_was_triggered_it_is_said_how_another_is_set(pit: Pit):
    placed = await pit.place("BUY", "MARKET", "3", stopLoss={"stopPrice": "95"})
    loss = placed["children"][0]["id"]
    pit.price("94", "96", size="1")
    await pit.tick()

    found = await pit.refused(REPLACE, orderId=loss, stopPrice="90")
    kept = await pit.do(PROTECT, accountId="tacc_1", symbol=BTC, stopLoss={"stopPrice": "90"})

    assert found == ("ORDER_INVALID", "input.stopPrice", "The stop was triggered: `positionProtect` sets another.")
    assert [each["quantity"] for each in kept["orders"]] == ["2"]


async def test_what_waits_for_an_order_of_another_instrument_is_judged_by_its_own_market(pit: Pit):
    """Bitcoin is bid 99 and asked 101, ether 49 and 51; nothing is looked at once bitcoin is bought."""
    buys = {"side": "BUY", "quantity": "1"}
    group = await pit.do(
        GROUP, accountId="tacc_1", rule="OTO",
        orders=[
            {**buys, "symbol": BTC, "type": "LIMIT", "limitPrice": "95"},
            {**buys, "symbol": ETH, "type": "LIMIT", "limitPrice": "45"},
            {**buys, "symbol": ETH, "type": "STOP_MARKET", "stopPrice": "60"},
            {**buys, "symbol": BTC, "type": "LIMIT", "limitPrice": "94"},
            {**buys, "symbol": BTC, "type": "STOP_MARKET", "stopPrice": "110"},
        ],
    )  # fmt: skip
    _, limit, stop, *near = (each["id"] for each in group["orders"])

    found = [
        await pit.refused(REPLACE, orderId=limit, limitPrice="500"),
        await pit.refused(REPLACE, orderId=stop, stopPrice="20"),
    ]
    moved = [
        (await pit.do(REPLACE, **each))["order"]["status"]
        for each in (
            {"orderId": limit, "limitPrice": "56.1"}, {"orderId": stop, "stopPrice": "51.01"},
            # What waits for its own instrument meets the market that wakes it.
            {"orderId": near[0], "limitPrice": "500"}, {"orderId": near[1], "stopPrice": "20"},
        )
    ]  # fmt: skip

    assert found == [
        ("PRICE_COLLAR", "input.limitPrice", "limitPrice must be at most 56.1: within 1000 basis points of 51."),
        (WRONG, "input.stopPrice",
         "stopPrice 20 of a BUY must lie above 51, else it is met at once: at least 51.01."),
    ]  # fmt: skip
    assert moved == ["NEW"] * 4


def turning(**more: Any) -> tuple[Slate, OrderRow, OrderRow, OrderRow]:
    """A purchase of five that has bought back one of two; its exits wait for what it opens."""
    desk = slate(margin="MARGIN", leverage=D(2))
    desk.place(wish("SELL", "MARKET", "2"))
    exits: dict[str, Any] = {"take_profit": Exit(limit_price=D(110)), "stop_loss": Exit(stop_price=D(95))}
    entry, profit, loss = desk.place(wish("BUY", more.pop("type", "LIMIT"), "5", **more, **exits))
    return desk, entry, profit, loss


def test_an_entry_that_has_only_closed_is_not_replaced_beyond_the_exits_that_wait_for_it():
    desk, entry, profit, loss = turning(limit_price="99")
    desk.meet("98", "99", size="1")

    below = refused(desk, entry, limit_price=D(94))
    desk.price("111", "111.5")
    above = refused(desk, entry, limit_price=D(112))

    assert [desk.stand(row) for row in (entry, profit, loss)] == [
        ("PARTIALLY_FILLED", "1"), ("NEW", "0"), ("NEW", "0")
    ]  # fmt: skip
    assert below == (
        WRONG, ("limitPrice",),
        f"Its STOP_LOSS {loss.id} has stopPrice 95, and is met at once unless the entry lies above it: a limitPrice of "
        "at least 95.01 passes, or move that exit first.",
    )  # fmt: skip
    assert above == (
        WRONG, ("limitPrice",),
        f"Its TAKE_PROFIT {profit.id} has limitPrice 110, and is met at once unless the entry lies below it: a "
        "limitPrice of at most 109.99 passes, or move that exit first.",
    )  # fmt: skip
    assert desk.replace(entry, limit_price=D("109.99")).limit_price == D("109.99")


def test_a_trigger_that_was_met_says_no_more_where_an_entry_is_filled():
    desk, entry, _, loss = turning(type="STOP_LIMIT", stop_price="105", limit_price="106")
    desk.meet("104", "105", size="1")
    desk.price("94", "95")

    found = refused(desk, entry, limit_price=D(104))

    assert desk.stand(entry) == ("PARTIALLY_FILLED", "1")
    assert found == (
        WRONG, ("limitPrice",),
        f"Its STOP_LOSS {loss.id}: stopPrice 95 of a SELL must lie below 94, else it is met at once: at most 93.99. "
        "Move that exit first.",
    )  # fmt: skip


def test_an_exit_that_waits_has_no_trail_that_no_price_can_touch():
    desk = slate()
    _, loss = desk.place(wish("BUY", "LIMIT", "1", limit_price="98", stop_loss=Exit(trail_amount=D(5))))

    found = refused(desk, loss, trail_amount=D(98))

    told = "trailAmount must be below 98: a stop at zero or below is never met."
    assert found == ("ORDER_INVALID", ("trailAmount",), told)
    assert desk.replace(loss, trail_amount=D("97.99")).trail_amount == D("97.99")


def test_exits_of_no_size_keep_their_entry_from_prices_beyond_them_and_are_judged_by_it():
    desk = slate()
    desk.price("99", "101")
    entry, loss = desk.place(wish("BUY", "LIMIT", "3", limit_price="100", stop_loss=Exit(stop_price=D(95))))
    desk.meet("99", "100", size="1")
    assert desk.replace(entry, limit_price=D(94)).limit_price == D(94)
    desk.replace(entry, limit_price=D("99.5"))
    desk.place(wish("SELL", "MARKET", "1"))
    desk.price("110", "111")

    below = refused(desk, entry, limit_price=D(94))
    moved = refused(desk, loss, stop_price=D(100))

    now = desk.floor.orders[loss.id]
    assert (now.status, now.quantity, now.filled) == ("ACCEPTED", D(0), D(0))
    assert below[:2] == (WRONG, ("limitPrice",))
    assert moved == (
        WRONG, ("stopPrice",),
        "stopPrice 100 of a SELL must lie below 99.5, else it is met at once: at most 99.49.",
    )  # fmt: skip
    assert desk.replace(loss, stop_price=D("99.49")).stop_price == D("99.49")
