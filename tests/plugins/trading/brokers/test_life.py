"""Orders at brokers through a whole gateway: kept, sent once, settled by what the broker says, whenever it says it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import update
from structlog.testing import capture_logs

from plugins.trading.brokers import link as links
from plugins.trading.brokers.settling import UNREACHED, Settler
from plugins.trading.orders import losing
from plugins.trading.positions.standing import Standing, standing
from plugins.trading.rows import AccountRow
from plugins.trading.tables import accounts
from schema.words.orders import OrderStatus
from tests.doubles.brokers import DOWN, DOWN_AFTER, HANG, LIMITED, LOST
from tests.plugins.trading.brokers.gates import Gate
from tests.plugins.trading.brokers.room import (
    CANCEL,
    CANCEL_ALL,
    CLOSE,
    GROUP,
    PLACE,
    REPLACE,
    SYMBOLS,
    Room,
    mutation,
)
from tests.plugins.trading.rowsof import D

HALT = mutation("tradingAccountHalt", "TradingAccountHaltInput", "account { id }")
BOTH = ("tacc_a", "tacc_b")


def ends(account: str) -> str:
    return "/orders" if account == "tacc_a" else "/order"


async def test_an_order_is_accepted_filled_in_parts_and_booked_once(room: Room) -> None:
    for account in BOTH:
        venue = room.venue(account)
        placed = (await room.place(account, strategy="s"))["order"]
        assert placed["status"] == "ACCEPTED"
        at_broker = venue.by_client_id(placed["id"])
        venue.fill(at_broker, "0.4", "100")
        await room.look()
        part = await room.order(placed["id"])
        assert (part.status, part.filled, part.broker_order_id) == ("PARTIALLY_FILLED", D("0.4"), at_broker.id)

        venue.fill(at_broker, "0.35", "99.5")
        venue.fill(at_broker, "0.25", "99")
        # Fills are told in another order than they came.
        at_broker.deals.reverse()
        await room.look()
        await room.look()

        row = await room.order(placed["id"])
        assert (row.status, row.open, row.filled, row.paid) == ("FILLED", False, D(1), D("99.575"))
        assert [(each.number, each.quantity) for each in await room.fills(row.id)] == [
            (1, D("0.4")), (2, D("0.35")), (3, D("0.25"))
        ]  # fmt: skip
        assert len({each.broker_fill_id for each in await room.fills(row.id)}) == 3
        assert (await room.holds(account))[1] == {SYMBOLS[account]: "1"}
    assert await room.findings() == []
    once = ["order.accepted", "order.filled", "position.opened", "order.filled", "order.filled"]
    assert await room.kinds() == once * 2


async def test_a_market_order_at_binance_is_filled_by_its_own_answer_and_fees_are_booked_as_they_were_taken(
    room: Room,
) -> None:
    venue = room.venue("tacc_b")
    venue.fills_at = "100"

    venue.fee = ("0.1", "USDT")
    quote = await room.place("tacc_b", type="MARKET")
    venue.fee = ("0.001", "BTC")
    base = await room.place("tacc_b", type="MARKET")
    venue.fee = ("0.002", "BNB")
    other = await room.place("tacc_b", type="MARKET")
    venue.fee = ("0", "USDT")
    closed = await room.do(CLOSE, accountId="tacc_b", symbol=SYMBOLS["tacc_b"])

    assert [each["order"]["status"] for each in (quote, base, other, closed)] == ["FILLED"] * 4
    assert [(each["fills"][0]["quantity"], each["fills"][0]["fee"]) for each in (quote, base, other)] == [
        ("1", "0.10000000"), ("0.999", "0.10000000"), ("1", "0")
    ]  # fmt: skip
    assert quote["fills"][0]["mode"] == "LIVE"
    # What was taken in bitcoin is not there to be sold.
    assert closed["fills"] == [{"quantity": "2.999", "price": "100"}]
    cash, units = await room.holds("tacc_b")
    assert (cash, units) == ({"USDT": "-0.20000000", "BNB": "-0.00200000"}, {})
    assert venue.bodies[-1]["side"] == "SELL"
    assert await room.findings() == []


async def test_an_answer_that_is_lost_decides_nothing_and_the_order_is_found_by_its_id(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    for account, faults in (("tacc_a", (LOST, HANG, DOWN_AFTER)), ("tacc_b", (DOWN_AFTER, LOST))):
        venue = room.venue(account)
        for what in faults:
            monkeypatch.setattr(links, "TIMEOUT_S", 0.5 if what == HANG else 8.0)
            sent = venue.count("POST", ends(account))
            venue.faults.append(("POST", ends(account), what))
            placed = (await room.place(account, clientOrderId=what))["order"]
            assert placed["status"] == "NEW"

            again = (await room.place(account, clientOrderId=what))["order"]
            await room.look()

            row = await room.order(placed["id"])
            assert (again["id"], row.status) == (placed["id"], "ACCEPTED")
            assert venue.count("POST", ends(account)) == sent + 1
            assert sum(each.client_id == row.id for each in venue.orders.values()) == 1
    assert await room.findings() == []


async def test_after_a_crash_between_sending_and_the_answer_the_order_is_found_with_its_fills(room: Room) -> None:
    for account in BOTH:
        venue = room.venue(account)
        venue.fills_at = "100"
        venue.faults.append(("POST", ends(account), HANG))
        sending = asyncio.create_task(room.place(account))
        async with asyncio.timeout(10):
            await venue.hangs.wait()
        # Nothing of what would follow the answer comes to pass.
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        (kept,) = await room.orders(account)
        assert (kept.status, kept.broker_order_id) == ("NEW", None)

        room.restart()
        await room.look()

        row = await room.order(kept.id)
        assert (row.status, row.filled, len(await room.fills(row.id))) == ("FILLED", D(1), 1)
        assert venue.count("POST", ends(account)) == 1
    assert await room.findings() == []


async def test_the_same_client_id_many_times_at_once_is_sent_once(room: Room) -> None:
    for account in BOTH:
        answers = await asyncio.gather(*(room.place(account, clientOrderId="once") for _ in range(20)))

        assert len({each["order"]["id"] for each in answers}) == 1
        assert room.venue(account).count("POST", ends(account)) == 1


async def test_an_order_that_never_reached_the_broker_is_given_up_after_a_while_and_never_sent(room: Room) -> None:
    for account in BOTH:
        venue = room.venue(account)
        venue.faults += [("POST", ends(account), DOWN)] * 2
        placed = (await room.place(account))["order"]
        canceled = (await room.place(account))["order"]
        asked = await room.do(CANCEL, orderId=canceled["id"])
        assert (placed["status"], asked["order"]["status"]) == ("NEW", "PENDING_CANCEL")

        for _ in range(12):
            await room.look()
        assert (await room.order(placed["id"])).status == "NEW"
        await room.look()

        rows = [await room.order(each["id"]) for each in (placed, canceled)]
        assert [(row.status, row.reason) for row in rows] == [
            ("REJECTED", "BROKER_UNAVAILABLE: it has not reached the broker"),
            ("CANCELED", "CANCELED: it had not reached the broker"),
        ]
        assert (venue.count("POST", ends(account)), venue.orders) == (2, {})


async def test_what_the_broker_refuses_is_rejected_in_its_words_and_what_it_never_took_says_so(room: Room) -> None:
    for account in BOTH:
        venue = room.venue(account)
        venue.refuses = "insufficient balance"
        refused = (await room.place(account))["order"]
        assert refused["status"] == "REJECTED"
        assert refused["reason"].startswith("BROKER_REFUSED: insufficient balance")

        venue.refuses = None
        venue.faults.append(("POST", ends(account), LIMITED))
        busy = (await room.place(account))["order"]
        assert (busy["status"], busy["reason"].partition(":")[0]) == ("REJECTED", "BROKER_UNAVAILABLE")
        wanted = {"accountId": account, "symbol": SYMBOLS[account], "side": "BUY", "type": "MARKET", "quantity": "1"}
        assert await room.code(PLACE, **wanted) == "BROKER_UNAVAILABLE"
        assert len(await room.orders(account)) == 2
        assert venue.orders == {}
    assert await room.kinds() == ["order.rejected"] * 4


async def test_cancelling_is_asked_until_it_is_done_and_a_fill_may_come_before(room: Room) -> None:
    venue = room.venue("tacc_a")
    venue.holds_cancels = True
    placed = (await room.place("tacc_a"))["order"]
    asked = (await room.do(CANCEL, orderId=placed["id"]))["order"]
    at_broker = venue.by_client_id(placed["id"])
    assert (asked["status"], at_broker.status) == ("PENDING_CANCEL", "pending_cancel")
    venue.fill(at_broker, "1", "100")
    await room.look()
    assert (await room.order(placed["id"])).status == "FILLED"

    for account in BOTH:
        venue = room.venue(account)
        venue.holds_cancels = False
        one = (await room.place(account))["order"]
        venue.fill(venue.by_client_id(one["id"]), "0.5", "100")
        venue.faults.append(("DELETE", "", DOWN))
        assert (await room.do(CANCEL, orderId=one["id"]))["order"]["status"] == "PENDING_CANCEL"
        await room.look()
        await room.look()
        row = await room.order(one["id"])
        assert (row.status, row.filled) == ("CANCELED", D("0.5"))
        assert await room.code(CANCEL, orderId=one["id"]) == "ORDER_ENDED"

        both = [(await room.place(account))["order"]["id"] for _ in range(2)]
        found = (await room.do(CANCEL_ALL, accountId=account))["canceled"]
        assert {each["id"]: each["status"] for each in found} == dict.fromkeys(both, "CANCELED")
    assert await room.findings() == []


async def test_a_cancellation_that_comes_too_late_shows_the_fill(room: Room) -> None:
    for account in BOTH:
        venue = room.venue(account)
        placed = (await room.place(account))["order"]
        venue.fill(venue.by_client_id(placed["id"]), "1", "100")

        answered = (await room.do(CANCEL, orderId=placed["id"]))["order"]

        assert (answered["status"], answered["filledQuantity"]) == ("FILLED", "1")


async def test_other_terms_are_another_order_at_the_broker_and_the_same_one_here(room: Room) -> None:
    for account in BOTH:
        venue = room.venue(account)
        placed = (await room.place(account))["order"]

        changed = (await room.do(REPLACE, orderId=placed["id"], limitPrice="101", quantity="2"))["order"]
        assert (changed["id"], changed["status"]) == (placed["id"], "ACCEPTED")
        assert (changed["limitPrice"], changed["quantity"]) == ("101", "2")
        open_ = [each for each in venue.orders.values() if each.open]
        assert [(each.price, each.quantity) for each in open_] == [("101", D(2))]

        venue.faults.append(("PATCH" if account == "tacc_a" else "POST", "", LOST))
        lost = (await room.do(REPLACE, orderId=placed["id"], limitPrice="102"))["order"]
        assert lost["status"] == "PENDING_REPLACE"
        room.restart()
        await room.look()
        row = await room.order(placed["id"])
        assert (row.status, row.limit_price) == ("ACCEPTED", D(102))

        venue.faults.append(("PATCH" if account == "tacc_a" else "POST", "", DOWN))
        await room.do(REPLACE, orderId=placed["id"], limitPrice="103")
        await room.look()
        assert (await room.order(placed["id"])).status == "PENDING_REPLACE"
        await room.look(60)
        row = await room.order(placed["id"])
        assert (row.status, row.limit_price) == ("ACCEPTED", D(102))

        venue.refuses = "no"
        assert await room.code(REPLACE, orderId=placed["id"], limitPrice="104") == "BROKER_REFUSED"
        venue.refuses = None
        row = await room.order(placed["id"])
        assert (row.status, row.limit_price) == ("ACCEPTED", D(102))

        (at_broker,) = [each for each in venue.orders.values() if each.open]
        venue.fill(at_broker, "0.5", "102")
        assert await room.code(REPLACE, orderId=placed["id"], limitPrice="105") == "ORDER_INVALID"
        venue.fill(at_broker, "1.5", "102")
        await room.look()
        assert (await room.order(placed["id"])).status == "FILLED"
    assert await room.findings() == []


async def test_an_order_that_may_have_been_replaced_is_not_cancelled_before_that_is_known(room: Room) -> None:
    for account, method in (("tacc_a", "PATCH"), ("tacc_b", "POST")):
        venue = room.venue(account)
        done, undone = [(await room.place(account))["order"]["id"] for _ in range(2)]
        venue.faults.append((method, "", LOST))
        await room.do(REPLACE, orderId=done, limitPrice="101")
        venue.faults.append((method, "", DOWN))
        await room.do(REPLACE, orderId=undone, limitPrice="102")

        assert await room.code(CANCEL, orderId=undone) == "BROKER_UNAVAILABLE"
        canceled = (await room.do(CANCEL_ALL, accountId=account))["canceled"]

        assert [(each["id"], each["status"], each["limitPrice"]) for each in canceled] == [(done, "CANCELED", "101")]
        assert (await room.order(undone)).status == "PENDING_REPLACE"
        room.house.clock.turn(61)
        assert (await room.do(CANCEL, orderId=undone))["order"]["status"] == "CANCELED"
        assert not any(each.open for each in venue.orders.values())


async def test_what_brokers_do_not_have_is_refused_before_anything_is_sent(room: Room) -> None:
    wanted = {"symbol": SYMBOLS["tacc_a"], "side": "BUY", "type": "LIMIT", "quantity": "1", "limitPrice": "100"}
    a = {"accountId": "tacc_a"} | wanted
    b = {"accountId": "tacc_b"} | wanted | {"symbol": SYMBOLS["tacc_b"]}
    await room.look()
    for venue in room.venues.values():
        venue.asked.clear()

    codes = [
        await room.code(PLACE, **a | {"postOnly": True}), await room.code(PLACE, **b | {"timeInForce": "DAY"}),
        await room.code(PLACE, **a | {"stopLoss": {"stopPrice": "90"}}),
        await room.code(PLACE, **a | {"limitPrice": "100.001"}), await room.code(PLACE, **a | {"limitPrice": "300"}),
        await room.code(PLACE, **a | {"side": "SELL", "reduceOnly": True}),
        await room.code(GROUP, accountId="tacc_a", rule="OCO", orders=[wanted, wanted]),
        await room.code(GROUP, accountId="tacc_a", rule="ALL", orders=[wanted, wanted | {"postOnly": True}]),
        await room.code(CLOSE, accountId="tacc_a", symbol=SYMBOLS["tacc_a"]),
    ]  # fmt: skip

    assert codes == [
        "ORDER_INVALID", "ORDER_INVALID", "ORDER_INVALID", "PRICE_OFF_TICK", "PRICE_COLLAR",
        "REDUCE_ONLY_WOULD_INCREASE", "ORDER_INVALID", "ORDER_INVALID", "REDUCE_ONLY_WOULD_INCREASE",
    ]  # fmt: skip
    assert all(venue.asked == [] for venue in room.venues.values())
    assert await room.orders("tacc_a") + await room.orders("tacc_b") == []


async def test_orders_that_belong_together_are_sent_one_after_the_other_until_one_is_refused(room: Room) -> None:
    for account in BOTH:
        venue = room.venue(account)
        each = {"symbol": SYMBOLS[account], "side": "BUY", "type": "LIMIT", "quantity": "1", "limitPrice": "100"}
        taken = await room.do(GROUP, accountId=account, rule="ALL", orders=[each] * 3)
        assert [(await room.order(one["id"])).status for one in taken["orders"]] == ["ACCEPTED"] * 3

        venue.refuses_from = venue.count("POST", ends(account)) + 2
        half = await room.do(GROUP, accountId=account, rule="ALL", orders=[each] * 3)

        rows = [await room.order(one["id"]) for one in half["orders"]]
        assert [(row.status, (row.reason or "").partition(":")[0]) for row in rows] == [
            ("CANCELED", (rows[0].reason or "").partition(":")[0]),
            ("REJECTED", "BROKER_REFUSED"), ("CANCELED", "GROUP_FAILED"),
        ]  # fmt: skip
        assert venue.count("POST", ends(account)) == 5
        assert sum(one.open for one in venue.orders.values()) == 3


@pytest.mark.parametrize("later", [False, True])
async def test_the_greatest_daily_loss_holds_at_a_broker_too(room: Room, later: bool) -> None:
    async with room.house.store.write() as tx:
        await tx.run(update(accounts).where(accounts.c.id == "tacc_a").values(max_daily_loss=D(5)))
    venue = room.venue("tacc_a")
    venue.fills_at = "100"
    await room.place("tacc_a", type="MARKET")
    if later:
        room.house.clock.turn(86_400)
        await room.place("tacc_a", type="MARKET")
    venue.fills_at = "50"

    closed = await room.do(CLOSE, accountId="tacc_a", symbol=SYMBOLS["tacc_a"])
    wanted = {"symbol": SYMBOLS["tacc_a"], "side": "BUY", "type": "LIMIT", "limitPrice": "100", "quantity": "1"}
    refused = await room.see(PLACE, accountId="tacc_a", **wanted)

    assert (closed["order"]["status"], refused["order"]) == ("FILLED", None)
    assert [each["code"] for each in refused["userErrors"]] == ["DAILY_LOSS_REACHED"]


@pytest.mark.parametrize("account", ["tacc_a", "tacc_b"])
async def test_the_venues_greatest_size_holds_for_what_closes_too(room: Room, account: str) -> None:
    venue = room.venue(account)
    venue.fills_at = "100"
    for quantity in ("1000", "800"):
        await room.place(account, type="MARKET", quantity=quantity)
    sent = len(venue.orders)

    whole = await room.see(CLOSE, accountId=account, symbol=SYMBOLS[account])
    assert [(each["code"], each["message"]) for each in whole["userErrors"]] == [
        ("SIZE_ABOVE_MAXIMUM", "quantity must be at most 1000.")
    ]
    assert (whole["order"], len(venue.orders)) == (None, sent)
    parts = [
        await room.do(CLOSE, accountId=account, symbol=SYMBOLS[account], **each) for each in ({"quantity": "1000"}, {})
    ]

    assert [each["order"]["filledQuantity"] for each in parts] == ["1000", "800"]


async def test_an_account_is_valued_once_for_an_order(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    await room.limit("tacc_a", "50", day="2026-11-19")
    valued: list[str] = []

    def count(row: AccountRow, *rest: Any) -> Standing:
        valued.append(row.id)
        return standing(row, *rest)

    monkeypatch.setattr(losing, "standing", count)

    placed = await room.place("tacc_a")
    assert (valued, (await room.account("tacc_a")).day) == (["tacc_a"], "2026-11-20")
    await room.do(CANCEL, orderId=placed["order"]["id"])
    await room.place("tacc_a")

    assert valued == ["tacc_a"] * 2


async def test_cancelling_all_of_one_instrument_settles_what_may_have_been_replaced(room: Room) -> None:
    venue = room.venue("tacc_a")
    placed = (await room.place("tacc_a"))["order"]["id"]
    venue.faults.append(("PATCH", "", LOST))
    await room.do(REPLACE, orderId=placed, limitPrice="101")

    canceled = (await room.do(CANCEL_ALL, accountId="tacc_a", symbol=SYMBOLS["tacc_a"]))["canceled"]

    assert [each["id"] for each in canceled] == [placed]
    assert [each.open for each in venue.orders.values()] == [False, False]


async def give_up(room: Room, account: str) -> None:
    """Another process, which has found nothing at the broker for long enough, ends what is being sent."""
    (row,) = [each for each in await room.orders(account) if each.status == "NEW"]
    await Settler(room.house.host).end(row, OrderStatus.REJECTED, UNREACHED)


@pytest.mark.parametrize("account", BOTH)
@pytest.mark.parametrize("filled", [None, "0.4"])
async def test_an_order_that_was_given_up_while_it_was_sent_is_cancelled_as_soon_as_it_is_accepted(
    room: Room, account: str, filled: str | None
) -> None:
    venue = room.venue(account)
    gate = Gate(venue, "POST", ends(account))
    wanted = {"accountId": account, "symbol": SYMBOLS[account], "side": "BUY", "type": "LIMIT", "quantity": "1"}
    placing = await gate.holding(room.do(PLACE, **wanted, limitPrice="100"))
    await give_up(room, account)
    if filled is not None:
        add = venue.add

        def part(**given: Any) -> Any:
            made = add(**given)
            venue.fill(made, filled, "100")
            return made

        venue.add = part

    with capture_logs() as logs:
        gate.open()
        order = (await placing)["order"]

    row = await room.order(order["id"])
    (at_broker,) = venue.orders.values()
    assert (order["status"], order["reason"]) == (row.status, row.reason)
    assert (row.status, row.reason) == ("REJECTED", UNREACHED)
    assert (at_broker.status, row.filled, row.broker_order_id) == ("canceled", D(filled or 0), at_broker.id)
    assert [each["order"] for each in logs if each["event"] == "broker_order_stray"] == [row.id]
    assert await room.findings() == []


@pytest.mark.parametrize("account", BOTH)
async def test_an_order_that_was_given_up_and_filled_as_it_arrived_is_booked_and_not_cancelled(
    room: Room, account: str
) -> None:
    venue = room.venue(account)
    gate = Gate(venue, "POST", ends(account))
    wanted = {"accountId": account, "symbol": SYMBOLS[account], "side": "BUY", "type": "MARKET", "quantity": "1"}
    placing = await gate.holding(room.do(PLACE, **wanted))
    await give_up(room, account)
    venue.fills_at = "100"

    gate.open()
    order = (await placing)["order"]

    assert ((await room.order(order["id"])).filled, venue.count("DELETE", "")) == (D(1), 0)


CLOCK_OFF = {"accountId": "tacc_b", "symbol": SYMBOLS["tacc_b"], "side": "BUY", "type": "LIMIT", "quantity": "1"}


async def resent(room: Room) -> tuple[Gate, asyncio.Task[Any]]:
    """An order that Binance has refused for our clock, while its own is asked for anew."""
    venue = room.venue("tacc_b")
    await room.place("tacc_b")
    venue.skew = timedelta(seconds=30)
    gate = Gate(venue, "GET", "/time")
    return gate, await gate.holding(room.do(PLACE, **CLOCK_OFF, limitPrice="100"))


async def test_an_order_that_was_refused_for_the_clock_is_sent_once_more(room: Room) -> None:
    gate, placing = await resent(room)

    gate.open()
    status = (await placing)["order"]["status"]

    assert (status, room.venue("tacc_b").count("POST", "/order"), len(room.venue("tacc_b").orders)) == (
        "ACCEPTED",
        3,
        2,
    )


async def test_an_order_that_was_refused_for_the_clock_is_not_sent_again_once_a_kill_switch_is_on(room: Room) -> None:
    gate, placing = await resent(room)

    await room.do(HALT, id="tacc_b", reason="now")
    gate.open()
    order = (await placing)["order"]

    assert (order["status"], order["reason"].partition(":")[0]) == ("REJECTED", "KILL_SWITCH")
    assert (room.venue("tacc_b").count("POST", "/order"), len(room.venue("tacc_b").orders)) == (2, 1)


async def test_an_order_that_was_refused_for_the_clock_is_not_sent_again_once_it_was_given_up(room: Room) -> None:
    gate, placing = await resent(room)

    await give_up(room, "tacc_b")
    gate.open()
    order = (await placing)["order"]

    assert (order["status"], order["reason"]) == ("REJECTED", UNREACHED)
    assert room.venue("tacc_b").count("POST", "/order") == 2


async def test_an_order_that_is_refused_for_the_clock_twice_has_not_reached_its_broker(room: Room) -> None:
    gate, placing = await resent(room)

    gate.open()
    venue = room.venue("tacc_b")
    respond = venue.respond

    async def late(request: web.Request) -> web.StreamResponse:
        venue.skew = timedelta(seconds=90)
        answered: web.StreamResponse = await respond(request)
        return answered

    venue.respond = late
    order = (await placing)["order"]

    assert (order["status"], order["reason"].partition(":")[0]) == ("REJECTED", "BROKER_UNAVAILABLE")
    assert len(room.venue("tacc_b").orders) == 1
