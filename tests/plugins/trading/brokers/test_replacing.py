"""Replacements beside the reconciliation and fills: whichever answer comes first, the books are the broker's."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from plugins.trading.brokers.catalog import Brokers
from plugins.trading.brokers.course import reference
from plugins.trading.brokers.port import BrokerBusy
from tests.doubles.brokers import CLOCK, DOWN, DOWN_AFTER, LOST
from tests.plugins.trading.brokers.gates import Gate
from tests.plugins.trading.brokers.room import CANCEL, CANCEL_ALL, REPLACE, Room, mutation, use_up
from tests.plugins.trading.rowsof import D

BOTH = ("tacc_a", "tacc_b")
HALT = mutation("tradingAccountHalt", "TradingAccountHaltInput", "account { id }")


async def resting(room: Room, account: str) -> str:
    """The id of an order of one at 100 that works; the account was looked at as a whole before."""
    await room.look()
    await room.look()
    placed: str = (await room.place(account))["order"]["id"]
    return placed


async def check_filled(room: Room, account: str, id: str) -> None:
    """What works at the broker in its place, at 105, is filled and booked."""
    venue = room.venue(account)
    (working,) = [each for each in venue.orders.values() if each.open]
    venue.fill(working, "1", "105")
    await room.look()
    row = await room.order(id)
    assert (row.status, row.limit_price, row.paid, row.fills) == ("FILLED", D(105), D(105), 1)
    assert await room.findings() == []


@pytest.mark.parametrize("account", BOTH)
@pytest.mark.parametrize("answered", [False, True])
async def test_an_answer_about_an_order_that_was_replaced_meanwhile_changes_nothing(
    room: Room, account: str, answered: bool
) -> None:
    id = await resting(room, account)
    gate = Gate(room.venue(account), "GET", "/orders/1" if account == "tacc_a" else "/order", answered=answered)
    looking = await gate.holding(room.look())

    replaced = (await room.do(REPLACE, orderId=id, limitPrice="105"))["order"]
    gate.open()
    await looking

    row = await room.order(id)
    assert (replaced["status"], row.status, row.limit_price) == ("ACCEPTED", "ACCEPTED", D(105))
    await check_filled(room, account, id)


async def test_the_end_of_the_order_is_told_late_while_its_replacement_is_under_way(room: Room) -> None:
    id = await resting(room, "tacc_b")
    venue = room.venue("tacc_b")
    asking = Gate(venue, "GET", "/order")
    looking = await asking.holding(room.look())
    sending = Gate(venue, "POST", "/cancelReplace", answered=True)
    replacing = await sending.holding(room.do(REPLACE, orderId=id, limitPrice="105"))

    asking.open()
    await looking
    assert (await room.order(id)).status == "PENDING_REPLACE"
    sending.open()

    assert (await replacing)["order"]["status"] == "ACCEPTED"
    await check_filled(room, "tacc_b", id)


async def test_a_replacement_that_comes_between_two_questions_is_the_order(room: Room) -> None:
    id = await resting(room, "tacc_b")
    venue = room.venue("tacc_b")
    sending = Gate(venue, "POST", "/cancelReplace")
    replacing = await sending.holding(room.do(REPLACE, orderId=id, limitPrice="105"))
    # It is not there yet.
    asking = Gate(venue, "GET", "/order", answered=True)
    looking = await asking.holding(room.look())

    sending.open()
    await replacing
    asking.open()
    await looking

    row = await room.order(id)
    assert (row.status, row.limit_price, row.broker_order_id) == ("ACCEPTED", D(105), "2")
    await check_filled(room, "tacc_b", id)


async def test_an_order_that_somebody_has_cancelled_at_the_broker_ends_once_no_replacement_can_come(room: Room) -> None:
    id = await resting(room, "tacc_b")
    venue = room.venue("tacc_b")
    gate = Gate(venue, "POST", "/cancelReplace")
    replacing = await gate.holding(room.do(REPLACE, orderId=id, limitPrice="105"))
    venue.fill(venue.orders["1"], "0.4", "100")
    venue.orders["1"].status = "canceled"

    await room.look()
    row = await room.order(id)
    assert (row.status, row.filled) == ("PENDING_REPLACE", D("0.4"))
    replacing.cancel()
    gate.open()
    await room.look(61)

    row = await room.order(id)
    assert (row.status, row.filled, row.limit_price, row.quantity) == ("CANCELED", D("0.4"), D(100), D(1))
    assert await room.findings() == []


async def test_an_order_that_is_filled_before_it_is_replaced_keeps_its_terms(room: Room) -> None:
    id = await resting(room, "tacc_b")
    venue = room.venue("tacc_b")
    gate = Gate(venue, "POST", "/cancelReplace")
    replacing = await gate.holding(room.see(REPLACE, orderId=id, limitPrice="105", quantity="2"))
    venue.fill(venue.orders["1"], "1", "100")

    await room.look()
    gate.open()
    (refused,) = (await replacing)["userErrors"]

    row = await room.order(id)
    assert (refused["code"], row.status) == ("BROKER_REFUSED", "FILLED")
    assert (row.quantity, row.limit_price, row.filled) == (D(1), D(100), D(1))


@pytest.mark.parametrize("account", BOTH)
async def test_a_refused_replacement_of_an_order_that_is_filled_in_part_meanwhile_is_undone_at_once(
    room: Room, account: str
) -> None:
    id = await resting(room, account)
    venue = room.venue(account)
    gate = Gate(venue, *(("PATCH", "/1") if account == "tacc_a" else ("POST", "/cancelReplace")))
    replacing = await gate.holding(room.see(REPLACE, orderId=id, limitPrice="105", quantity="3"))
    venue.fill(venue.orders["1"], "0.4", "100")
    await room.look()
    venue.refuses = "no"

    gate.open()
    (refused,) = (await replacing)["userErrors"]

    row = await room.order(id)
    assert (refused["code"], row.status) == ("BROKER_REFUSED", "PARTIALLY_FILLED")
    assert (row.quantity, row.limit_price, row.filled, row.paid) == (D(1), D(100), D("0.4"), D(40))
    assert (await room.do(CANCEL, orderId=id))["order"]["status"] == "CANCELED"
    assert await room.findings() == []


@pytest.mark.parametrize("account", BOTH)
async def test_an_order_that_is_refused_ends_with_the_brokers_words_though_it_was_to_be_cancelled_meanwhile(
    room: Room, account: str
) -> None:
    venue = room.venue(account)
    gate = Gate(venue, "POST", "/orders" if account == "tacc_a" else "/order")
    placing = await gate.holding(room.place(account))
    (kept,) = await room.orders(account)
    assert (await room.do(CANCEL, orderId=kept.id))["order"]["status"] == "PENDING_CANCEL"
    venue.refuses = "insufficient balance"

    gate.open()
    answered = (await placing)["order"]

    row = await room.order(kept.id)
    assert (answered["status"], row.status, row.open) == ("REJECTED", "REJECTED", False)
    assert (row.reason or "").startswith("BROKER_REFUSED: insufficient balance")


async def test_the_trail_of_a_replacement_that_never_came_is_undone(room: Room) -> None:
    trailing = {"side": "BUY", "type": "TRAILING_STOP", "trailPercent": "2"}
    id = (await room.place("tacc_b", **trailing))["order"]["id"]
    await room.look()
    venue = room.venue("tacc_b")
    venue.faults.append(("POST", "/cancelReplace", DOWN))

    await room.do(REPLACE, orderId=id, trailPercent="5.25")
    asked = await room.order(id)
    await room.look(61)

    row = await room.order(id)
    assert (asked.status, asked.trail_percent) == ("PENDING_REPLACE", D("5.25"))
    assert (row.status, row.trail_percent) == ("ACCEPTED", D(2))


async def holding(room: Room, **terms: str) -> tuple[str, Any]:
    """An order at 100 whose replacement at 105 has not reached its venue yet; the double of its broker, too."""
    id = await resting(room, "tacc_a")
    venue = room.venue("tacc_a")
    venue.holds_replacements = True
    await room.do(REPLACE, orderId=id, limitPrice="105", **terms)
    return id, venue


async def test_an_order_that_is_filled_before_its_replacement_arrives_is_filled(room: Room) -> None:
    id, venue = await holding(room)
    venue.fill(venue.orders["1"], "1", "100")
    venue.decide(venue.orders["2"], taken=False)
    venue.cash, venue.units = {"USD": "-100"}, {"BTCUSD": "1"}

    await room.look()
    await room.look(300)
    await room.look()

    row = await room.order(id)
    assert (row.status, row.filled, row.paid, row.limit_price) == ("FILLED", D(1), D(100), D(100))
    assert (row.broker_order_id, [each.kind for each in await room.entries("tacc_a")]) == ("1", ["TRADE_PNL"])
    assert await room.findings() == []


async def test_an_order_whose_replacement_is_rejected_works_on_with_its_own_terms(room: Room) -> None:
    id, venue = await holding(room, quantity="2")
    venue.decide(venue.orders["2"], taken=False)

    await room.look()
    working = await room.order(id)
    venue.fill(venue.orders["1"], "1", "100")
    await room.look()

    terms = (working.status, working.open, working.limit_price, working.quantity, working.broker_order_id)
    assert terms == ("ACCEPTED", True, D(100), D(1), "1")
    assert ((await room.order(id)).status, (await room.order(id)).filled) == ("FILLED", D(1))
    assert await room.findings() == []


async def test_a_rejected_replacement_whose_answer_was_lost_gives_the_order_its_terms_back(room: Room) -> None:
    id = await resting(room, "tacc_a")
    venue = room.venue("tacc_a")
    venue.holds_replacements = True
    venue.faults.append(("PATCH", "", LOST))
    await room.do(REPLACE, orderId=id, limitPrice="105")
    asked = (await room.order(id)).status
    venue.decide(venue.orders["2"], taken=False)

    await room.look()

    row = await room.order(id)
    assert (asked, row.status, row.limit_price, row.broker_order_id) == ("PENDING_REPLACE", "ACCEPTED", D(100), "1")


@pytest.mark.parametrize("ids", ["12", "91"])
async def test_what_is_filled_until_the_replacement_arrives_counts_with_what_is_filled_after(
    room: Room, ids: str
) -> None:
    room.venue("tacc_a").numbers = iter([*ids, *map(str, range(100, 200))])
    id, venue = await holding(room)
    old, new = (venue.orders[each] for each in ids)
    await room.look()
    venue.fill(old, "0.4", "100")
    venue.decide(new, taken=True)
    await room.look()
    venue.fill(new, "0.6", "105")
    new.status = "filled"

    await room.look()

    row = await room.order(id)
    assert (row.status, row.filled, row.paid, row.limit_price) == ("FILLED", D(1), D(103), D(105))


async def test_an_order_that_is_to_be_cancelled_ends_once_the_one_that_it_was_to_replace_has_ended(room: Room) -> None:
    id, venue = await holding(room)
    canceled = (await room.do(CANCEL, orderId=id))["order"]["status"]
    venue.fill(venue.orders["1"], "0.4", "100")
    await room.look()
    waiting = await room.order(id)
    venue.orders["1"].status = "partially_filled"

    await room.look()
    await room.look()

    row = await room.order(id)
    assert (canceled, waiting.status, waiting.filled) == ("PENDING_CANCEL", "PENDING_CANCEL", D("0.4"))
    assert (row.status, row.filled, venue.orders["1"].status) == ("CANCELED", D("0.4"), "canceled")
    assert await room.findings() == []


async def test_an_order_whose_rejected_replacement_was_followed_by_another_is_that_one(room: Room) -> None:
    id, venue = await holding(room)
    venue.decide(venue.orders["2"], taken=False)
    await room.look()
    venue.holds_replacements = False

    await room.do(REPLACE, orderId=id, limitPrice="106")
    room.restart()
    await room.look()

    row = await room.order(id)
    assert (row.status, row.limit_price, row.broker_order_id) == ("ACCEPTED", D(106), "3")


async def test_an_order_that_is_cancelled_and_not_replaced_ends_with_the_brokers_words(room: Room) -> None:
    id = await resting(room, "tacc_b")
    room.venue("tacc_b").refuses_new = (-2010, "Order would immediately match and take.")

    replaced = (await room.do(REPLACE, orderId=id, limitPrice="105"))["order"]

    told = (
        "BROKER_REFUSED: it was cancelled, and what was to replace it refused: Order would immediately match and take."
    )
    assert (replaced["status"], replaced["reason"]) == ("CANCELED", f"{told} (-2010)")
    row = await room.order(id)
    assert (row.open, row.limit_price, row.filled) == (False, D(100), D(0))


async def test_an_order_that_is_cancelled_and_may_have_been_replaced_stays_open_until_that_is_known(room: Room) -> None:
    id = await resting(room, "tacc_b")
    room.venue("tacc_b").refuses_new = (-1007, "Timeout waiting for response from backend server.")

    asked = (await room.do(REPLACE, orderId=id, limitPrice="105"))["order"]["status"]
    await room.look(61)

    assert (asked, (await room.order(id)).status) == ("PENDING_REPLACE", "CANCELED")


@pytest.mark.parametrize("account", BOTH)
async def test_other_terms_that_are_refused_anyhow_ask_nothing_of_the_broker(room: Room, account: str) -> None:
    id = await resting(room, account)
    venue = room.venue(account)
    venue.asked.clear()

    codes = [await room.code(REPLACE, orderId=id, limitPrice=each) for each in ("100.001", "300")]

    assert (codes, venue.asked) == (["PRICE_OFF_TICK", "PRICE_COLLAR"], [])


async def test_an_order_is_replaced_though_its_key_has_read_all_that_it_may_beside_the_others(room: Room) -> None:
    id, brokers = await resting(room, "tacc_b"), room.house.host.service(Brokers)
    brokers._link("binance_testnet").pace.used("weight", 3500)
    broker = await brokers.of(await room.account("tacc_b"))
    known = reference(await room.order(id))
    for read in (broker.open_orders, partial(broker.find, known)):
        with suppress(BrokerBusy):
            for _ in range(20):
                await read()
    with pytest.raises(BrokerBusy):
        await broker.find(known)

    replaced = (await room.do(REPLACE, orderId=id, limitPrice="105"))["order"]

    assert (replaced["status"], replaced["limitPrice"]) == ("ACCEPTED", "105")


async def test_a_size_that_is_no_whole_number_and_stays_is_not_sent_with_another_price_to_alpaca(room: Room) -> None:
    venue = room.venue("tacc_a")
    id = (await room.place("tacc_a", quantity="0.5"))["order"]["id"]
    of_order = venue._of_order
    # What is left out of a replacement stays as it is.
    venue._of_order = lambda method, at, given: of_order(method, at, {"qty": str(venue.orders[at].quantity), **given})

    moved = (await room.do(REPLACE, orderId=id, limitPrice="99"))["order"]
    other = (await room.do(REPLACE, orderId=id, limitPrice="98", quantity="0.6"))["order"]

    assert [body.get("qty") for body in venue.bodies] == ["0.5", None, "0.6"]
    assert [(each["quantity"], each["limitPrice"]) for each in (moved, other)] == [("0.5", "99"), ("0.6", "98")]


@pytest.mark.parametrize("wanted", [CANCEL, CANCEL_ALL])
async def test_an_order_that_may_have_been_replaced_is_cancelled_though_reading_is_used_up(
    room: Room, wanted: str
) -> None:
    venue = room.venue("tacc_a")
    id = (await room.place("tacc_a"))["order"]["id"]
    venue.faults.append(("PATCH", "", DOWN_AFTER))
    asked = (await room.do(REPLACE, orderId=id, limitPrice="99"))["order"]["status"]
    await use_up(room, "tacc_a")

    await room.do(wanted, **({"orderId": id} if wanted == CANCEL else {"accountId": "tacc_a"}))

    assert (asked, (await room.order(id)).status) == ("PENDING_REPLACE", "PENDING_CANCEL")
    assert [each.status for each in venue.orders.values()] == ["replaced", "canceled"]


async def test_a_replacement_that_was_refused_for_our_clock_is_sent_once_more(room: Room) -> None:
    venue = room.venue("tacc_b")
    id = (await room.place("tacc_b"))["order"]["id"]
    venue.faults.append(("POST", "/cancelReplace", CLOCK))

    order = (await room.do(REPLACE, orderId=id, limitPrice="99"))["order"]

    assert (order["status"], order["limitPrice"]) == ("ACCEPTED", "99")
    assert [each.price for each in venue.orders.values() if each.open] == ["99"]


async def test_a_replacement_that_was_refused_for_our_clock_is_not_sent_once_more_beside_a_kill_switch(
    room: Room,
) -> None:
    venue = room.venue("tacc_b")
    id = (await room.place("tacc_b"))["order"]["id"]
    gate = Gate(venue, "GET", "/time")
    venue.faults.append(("POST", "/cancelReplace", CLOCK))

    replacing = await gate.holding(room.code(REPLACE, orderId=id, limitPrice="105", quantity="3"))
    await room.do(HALT, id="tacc_b", reason="stop")
    gate.open()

    refused, row = await replacing, await room.order(id)
    assert (refused, row.status, row.quantity) == ("KILL_SWITCH", "ACCEPTED", D(1))
    assert [(each.price, each.open) for each in venue.orders.values()] == [("100", True)]


@pytest.mark.parametrize(("account", "method"), [("tacc_a", "PATCH"), ("tacc_b", "POST")])
async def test_what_was_replaced_and_filled_in_part_is_cancelled_though_its_fills_cannot_be_asked_for(
    room: Room, account: str, method: str
) -> None:
    venue = room.venue(account)
    id = (await room.place(account))["order"]["id"]
    venue.faults.append((method, "", LOST))
    await room.do(REPLACE, orderId=id, limitPrice="99")
    new = list(venue.orders.values())[-1]
    venue.fill(new, "0.4", "99")
    await use_up(room, account)

    await room.do(CANCEL, orderId=id)
    await room.look(61)

    row = await room.order(id)
    assert (new.status, row.status, row.filled) == ("canceled", "CANCELED", D("0.4"))
