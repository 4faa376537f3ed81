"""What waits for nothing is decided when another order's fill wakes it, as if it were placed then."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from plugins.trading.orders.wishes import Exit, Wish
from plugins.trading.rows import OrderRow
from schema.words.orders import OrderLeg, TimeInForce
from tests.plugins.trading.engine.floorhouse import wish
from tests.plugins.trading.orders.pit import BTC, GROUP, REPLACE, Pit
from tests.plugins.trading.orders.slate import FREE, D, Slate, slate
from tests.plugins.trading.orders.test_groups import group, part, stand

FOK, IOC = TimeInForce.FOK, TimeInForce.IOC
MARGIN: dict[str, Any] = {"margin": "MARGIN", "leverage": D(5), "model": FREE}


LIMIT, STOP = wish("BUY", "LIMIT", "2", limit_price="99"), wish("BUY", "STOP_MARKET", "2", stop_price="120")


def pair(desk: Slate, *second: Any, behind: Wish = LIMIT, **terms: Any) -> OrderRow:
    """What waits for a purchase of two."""
    (first,) = desk.place(behind, leg=OrderLeg.OTO)
    (waits,) = desk.place(wish(*second, **terms), leg=OrderLeg.OTO, parent=first.id)
    assert waits.status == "NEW"
    return waits


def ended(desk: Slate, row: OrderRow) -> tuple[str, str, str | None]:
    return *desk.stand(row), desk.floor.orders[row.id].reason


def test_one_that_wants_all_of_it_is_refused_by_the_message_that_wakes_it_and_told_so():
    desk = slate()
    waits = pair(desk, "BUY", "MARKET", "3", time_in_force=FOK)

    desk.meet("98", "99", ask_size="4")

    told = "FOK_NOT_FILLABLE: less than the whole quantity was offered"
    assert ended(desk, waits) == ("REJECTED", "0", told)
    event = desk.floor.events[-1]
    assert (type(event).__name__, event.order_id, event.reason) == ("OrderRejected", waits.id, told)  # type: ignore[attr-defined]
    assert desk.held() == "2"


@pytest.mark.parametrize(
    ("second", "code"),
    [(wish("SELL", "STOP_MARKET", "1", stop_price="98.5"), "WRONG_SIDE_OF_MARKET"),
     (wish("BUY", "LIMIT", "1", limit_price="108"), "PRICE_COLLAR")],
)  # fmt: skip
def test_what_a_bar_wakes_is_judged_by_its_close(second: Wish, code: str):
    desk = slate(model={**FREE, "source": "BARS"})
    (first,) = desk.place(LIMIT, leg=OrderLeg.OTO)
    (waits,) = desk.place(second, leg=OrderLeg.OTO, parent=first.id)

    desk.meet_bar("100", "100", "97", "98")

    status, _, reason = ended(desk, waits)
    assert (status, str(reason).partition(":")[0]) == ("REJECTED", code)


@pytest.mark.parametrize(
    ("quantity", "tif", "stood"),
    [("2", FOK, ("FILLED", "2", None)),
     ("3", IOC, ("CANCELED", "2", "IOC_UNFILLED: what could not be filled at once was cancelled"))],
)  # fmt: skip
def test_it_takes_what_the_order_that_woke_it_has_left(quantity: str, tif: TimeInForce, stood: tuple[str, ...]):
    desk = slate()
    waits = pair(desk, "BUY", "LIMIT", quantity, limit_price="99", time_in_force=tif)

    desk.meet("98", "99", ask_size="4")

    assert ended(desk, waits) == stood
    assert desk.held() == "4"


def test_its_collar_its_funds_and_what_it_may_sell_are_looked_at_then():
    beyond, dear, more = slate(), slate("600"), slate()
    found = [
        pair(beyond, "SELL", "LIMIT", "2", limit_price="60", time_in_force=IOC),
        pair(dear, "BUY", "MARKET", "2.5", behind=STOP, time_in_force=FOK),
        pair(more, "SELL", "LIMIT", "3", limit_price="90", time_in_force=FOK),
    ]
    for desk, bid, ask in ((beyond, "98", "99"), (dear, "149", "150"), (more, "98", "99")):
        desk.meet(bid, ask, ask_size="9", bid_size="9")

    assert [ended(desk, row) for desk, row in zip((beyond, dear, more), found, strict=True)] == [
        ("REJECTED", "0", "PRICE_COLLAR: limitPrice must be at least 88.2: within 1000 basis points of 98."),
        ("REJECTED", "0", "INSUFFICIENT_FUNDS: its fill costs 375 USD, and 300 is free"),
        ("REJECTED", "0", "SHORT_NOT_ALLOWED: A cash account sells only what it has: of crypto:BTC/USD 2 is free, "
         "not 3."),
    ]  # fmt: skip


def test_of_a_margin_account_it_needs_the_margin_of_then():
    desk = slate(margin="MARGIN", leverage=D(1))
    waits = pair(desk, "BUY", "MARKET", "4", behind=STOP, time_in_force=IOC)
    # It holds 420, for a price of 100.
    desk.floor.cash["USD"] = D(800)

    desk.meet("150")

    told = "INSUFFICIENT_MARGIN: its fill takes a margin of 600.00 USD, and 500.00 is available"
    assert ended(desk, waits) == ("REJECTED", "0", told)
    assert desk.held() == "2"


@pytest.mark.parametrize(
    ("tif", "stood", "held"),
    [(IOC, ("CANCELED", "2"), "0"), (FOK, ("REJECTED", "0"), "2")],
)
def test_what_turns_a_position_without_the_margin_for_it_closes_what_it_can_and_holds_nothing(
    tif: TimeInForce, stood: tuple[str, str], held: str
):
    desk = slate("20000", margin="MARGIN", leverage=D(1))
    waits = pair(desk, "SELL", "LIMIT", "100", behind=STOP, limit_price="115", time_in_force=tif)
    # It holds 11,500, for its limit.
    desk.floor.cash["USD"] = D(11745)

    desk.meet("120")

    told = "INSUFFICIENT_MARGIN: its fill takes a margin of 11520.00 USD, and 11505.00 is available"
    assert (ended(desk, waits), desk.held()) == ((*stood, told), held)
    assert desk.floor.orders[waits.id].reserved == D(0)
    mine = [type(each).__name__ for each in desk.floor.events if getattr(each, "order_id", None) == waits.id]
    assert (mine[0], mine[-1]) == ("OrderAccepted", f"Order{stood[0].capitalize()}")


def test_what_may_wait_meets_the_next_message():
    desk = slate()
    waits = pair(desk, "BUY", "MARKET", "2")

    desk.meet("98", "99", ask_size="4")

    assert ended(desk, waits) == ("ACCEPTED", "0", None)
    desk.meet("98", "99", ask_size="4")
    assert ended(desk, waits) == ("FILLED", "2", None)


async def test_a_group_whose_second_order_could_not_be_filled_whole_at_once_is_refused(pit: Pit):
    def both(account: str, **second: Any) -> dict[str, Any]:
        symbol = {"symbol": "crypto:BTC/USD"}
        first = {**symbol, "side": "BUY", "type": "MARKET", "quantity": "1"}
        return {"accountId": account, "rule": "OTO", "orders": [first, {**symbol, "side": "BUY", **second}]}

    far = {"type": "LIMIT", "quantity": "1", "limitPrice": "95"}
    refused = [
        await pit.refused(GROUP, **both(account, **far, timeInForce="FOK")) for account in ("tacc_1", "tacc_2")
    ]  # fmt: skip
    placed = [
        (await pit.do(GROUP, **both(account, type="MARKET", quantity="2", timeInForce="FOK")))["orders"]
        for account in ("tacc_1", "tacc_2")
    ]

    told = "The order would be rejected: less than the whole quantity was offered."
    assert refused == [("FOK_NOT_FILLABLE", "input.orders.1", told)] * 2
    assert [[each["status"] for each in orders] for orders in placed] == [["FILLED", "FILLED"]] * 2


@pytest.mark.parametrize("account", ["tacc_1", "tacc_2"])
async def test_it_meets_the_price_by_which_other_terms_fill_the_order_before_it(pit: Pit, account: str):
    first, waits = await group(
        pit, "OTO", part("BUY", "LIMIT", limitPrice="95"), part("BUY", "MARKET", "2", timeInForce="FOK"),
        account=account,
    )  # fmt: skip

    await pit.do(REPLACE, orderId=first["id"], limitPrice="101")

    assert await stand(pit, first["id"], waits["id"]) == [("FILLED", "1", "1"), ("FILLED", "2", "2")]
    assert await pit.positions(account) == {BTC: "3"}


def test_exits_whose_entry_has_only_closed_say_so():
    desk = slate(margin="MARGIN", leverage=D(2))
    entry = wish("BUY", "LIMIT", "2", limit_price="99", take_profit=Exit(limit_price=D(110)))
    bought, profit = desk.place(entry)
    desk.place(wish("SELL", "MARKET", "2"))

    desk.meet("98", "99")

    assert (desk.stand(bought), desk.held()) == (("FILLED", "2"), "0")
    told = "ENTRY_CLOSED: its entry only closed what was held, and left nothing to protect"
    assert ended(desk, profit) == ("CANCELED", "0", told)


def reserves(desk: Slate) -> Decimal:
    return desk.floor.reserved().get("USD", D(0))


def test_a_resting_order_counts_what_its_fill_frees_of_others():
    desk = slate("505", "100", **MARGIN)
    desk.place(wish("BUY", "MARKET", "5"))
    (sale,) = desk.place(wish("SELL", "LIMIT", "15", limit_price="110"))
    (bought,) = desk.place(wish("BUY", "LIMIT", "10", limit_price="90"))
    assert [desk.floor.orders[row.id].reserved for row in (sale, bought)] == [D(220), D(180)]

    # At 90 there are 455, of which 90 are used: the sale only closes then, and holds nothing.
    desk.meet("90", "90")

    assert (desk.stand(bought), desk.held()) == (("FILLED", "10"), "15")
    assert desk.room - reserves(desk) == 185


def test_one_that_waits_for_nothing_is_judged_by_what_others_hold_after_the_fill_that_wakes_it():
    desk = slate("651", "100", **MARGIN)
    (sale,) = desk.place(wish("SELL", "LIMIT", "10", limit_price="110"))
    stop = wish("BUY", "STOP_MARKET", "10", stop_price="105")
    waits = pair(desk, "BUY", "MARKET", "10", behind=stop, time_in_force=IOC)
    assert desk.floor.orders[sale.id].reserved == 220

    desk.meet("109", "109")

    assert (ended(desk, waits), desk.held()) == (("FILLED", "10", None), "20")
    assert desk.room - reserves(desk) == 215


def test_one_that_waits_for_nothing_takes_no_margin_that_others_hold_once_it_is_woken():
    desk = slate("700", "100", **MARGIN)
    desk.place(wish("BUY", "MARKET", "10"))
    (sale,) = desk.place(wish("SELL", "LIMIT", "10", limit_price="109"))
    stop = wish("SELL", "STOP_MARKET", "10", stop_price="95")
    waits = pair(desk, "SELL", "LIMIT", "23", behind=stop, limit_price="91", time_in_force=IOC)

    # 650 are left, and the resting sale opens now.
    desk.meet("95", "95")

    assert desk.floor.orders[sale.id].reserved == 218
    told = "INSUFFICIENT_MARGIN: its fill takes a margin of 437.00 USD, and 432.00 is available"
    assert (ended(desk, waits), desk.held()) == (("REJECTED", "0", told), "0")
