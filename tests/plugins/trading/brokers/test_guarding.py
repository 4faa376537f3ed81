"""The greatest daily loss of accounts at brokers: what opens is cancelled there, and it is told once a day."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from plugins.trading.brokers.guarding import LiveGuard
from plugins.trading.engine.engine import Engine
from plugins.trading.rows import AccountRow, OrderRow
from tests.doubles.brokers import DOWN, LOST
from tests.plugins.trading.brokers.room import BROKERS, PLACE, REPLACE, SYMBOLS, Room, beside, hold
from tests.plugins.trading.rowsof import D

BOTH = ("tacc_a", "tacc_b")
REASON = "DAILY_LOSS_REACHED: the account has lost as much as it may in a day"


async def rest(room: Room, account: str, **given: Any) -> str:
    """An order that opens, and works at the broker."""
    placed = await room.place(account, **{"limitPrice": "95", **given})
    return str(placed["order"]["id"])


def stands(room: Room, account: str, id: str) -> str:
    found = room.venue(account).by_client_id(id)
    return str(found.status)


@pytest.mark.parametrize("account", BOTH)
async def test_what_opens_is_cancelled_at_the_broker_and_what_reduces_stays(room: Room, account: str) -> None:
    await hold(room, account)
    opens = await rest(room, account)
    closes = await rest(room, account, side="SELL", limitPrice="110", quantity="5", reduceOnly=True)

    await room.guard("90.1")
    assert (await room.losses(), stands(room, account, opens)) == ([], "new")
    await room.guard("90")
    await room.guard("89")
    await room.look()

    assert (stands(room, account, opens), stands(room, account, closes)) == ("canceled", "new")
    rows = [await room.order(each) for each in (opens, closes)]
    assert [(row.status, row.reason) for row in rows] == [("CANCELED", REASON), ("ACCEPTED", None)]
    (event,) = await room.losses()
    told = ("accountId", "dayEquity", "maxDailyLoss", "canceledOrders", "mode")
    zero = {"tacc_a": "0.00", "tacc_b": "0.00000000"}[account]
    assert [event[name] for name in told] == [account, zero, "50", 1, "LIVE"]
    assert (D(event["loss"]), D(event["equity"])) == (D(50), D(-50))
    assert (await room.account(account)).loss_day == "2026-11-20"
    wanted = {"accountId": account, "symbol": SYMBOLS[account], "side": "BUY", "type": "LIMIT", "limitPrice": "90"}
    assert await room.code(PLACE, **wanted, quantity="1") == "DAILY_LOSS_REACHED"
    assert [each[0] for each in room.venue(account).asked].count("DELETE") == 1


@pytest.mark.parametrize(("margin", "stays"), [("CASH", True), ("MARGIN", False)])
async def test_sales_of_an_account_that_cannot_borrow_stay_and_are_taken(
    room: Room, margin: str, stays: bool
) -> None:  # fmt: skip
    await room.limit("tacc_a", margin=margin)
    await hold(room, "tacc_a")
    opens = await rest(room, "tacc_a")
    sells = await rest(room, "tacc_a", side="SELL", limitPrice="110", quantity="2")

    await room.guard("90")
    await room.guard("89")
    await room.look()

    assert [stands(room, "tacc_a", each) for each in (opens, sells)] == ["canceled", "new" if stays else "canceled"]
    assert [each["canceledOrders"] for each in await room.losses()] == [1 if stays else 2]
    wanted = {"accountId": "tacc_a", "symbol": SYMBOLS["tacc_a"], "type": "LIMIT", "side": "SELL", "limitPrice": "95"}
    placed = await room.see(PLACE, **wanted, quantity="1")
    assert [each["code"] for each in placed["userErrors"]] == ([] if stays else ["DAILY_LOSS_REACHED"])
    if stays:
        moved = await room.do(REPLACE, orderId=sells, limitPrice="105")
        assert moved["order"]["limitPrice"] == "105"


@pytest.mark.parametrize("account", BOTH)
async def test_a_broker_that_does_not_answer_is_asked_again_and_the_loss_is_told_once(room: Room, account: str) -> None:
    await hold(room, account)
    first, second = await rest(room, account), await rest(room, account)
    room.venue(account).faults += [("DELETE", "", DOWN)] * 2

    await room.guard("90")
    assert [stands(room, account, each) for each in (first, second)] == ["new", "new"]
    assert [(await room.order(each)).status for each in (first, second)] == ["PENDING_CANCEL"] * 2
    await room.guard("80")
    await room.look()
    await room.look()

    assert [stands(room, account, each) for each in (first, second)] == ["canceled", "canceled"]
    assert [(await room.order(each)).status for each in (first, second)] == ["CANCELED"] * 2
    assert [each["canceledOrders"] for each in await room.losses()] == [2]


@pytest.mark.parametrize("account", BOTH)
async def test_an_order_that_is_filled_before_it_can_be_cancelled_is_booked(room: Room, account: str) -> None:
    await hold(room, account)
    filled, other = await rest(room, account), await rest(room, account)
    venue = room.venue(account)
    venue.fill(venue.by_client_id(filled), "1", "95")

    await room.guard("90")
    await room.look()

    row = await room.order(filled)
    assert (row.status, row.reason, row.filled) == ("FILLED", None, D(1))
    assert (await room.order(other)).status == "CANCELED"
    assert (await room.holds(account))[1] == {SYMBOLS[account]: "6"}
    assert await room.findings() == []


async def test_a_day_begins_at_its_first_look_though_no_order_is_placed_and_each_day_is_told(room: Room) -> None:
    await hold(room, "tacc_a")
    await room.guard("90")
    assert len(await room.losses()) == 1

    await room.guard("80", after=86_400)
    row = await room.account("tacc_a")
    assert (row.day, row.day_equity, len(await room.losses())) == ("2026-11-21", D(-100), 1)
    await room.guard("70")

    row = await room.account("tacc_a")
    assert (row.day, row.day_equity, row.loss_day) == ("2026-11-21", D(-100), "2026-11-21")
    assert [D(each["loss"]) for each in await room.losses()] == [D(50), D(50)]


async def test_a_day_begins_though_nothing_is_held_and_nothing_works_anywhere(room: Room) -> None:
    await room.limit("tacc_a", "50", day="2026-11-19", day_equity=D(7))

    await room.guard()

    row = await room.account("tacc_a")
    assert (row.day, row.day_equity, room.quoted.asked) == ("2026-11-20", D(0), [])


async def test_what_was_lost_between_midnight_and_the_first_look_counts(room: Room) -> None:
    await room.limit("tacc_b", "50", day="2026-11-19", day_equity=D(7))
    venue = room.venue("tacc_b")
    venue.fills_at = "100"
    await room.place("tacc_b", type="MARKET", quantity="5")
    await room.limit("tacc_b", "50", day="2026-11-19", day_equity=D(7))

    await room.guard("90")

    row = await room.account("tacc_b")
    assert (row.day, row.day_equity, row.loss_day) == ("2026-11-20", D(0), "2026-11-20")
    assert len(await room.losses()) == 1


async def test_a_loss_that_closed_the_last_position_counts_too(room: Room) -> None:
    await hold(room, "tacc_b")
    opens = await rest(room, "tacc_b")
    room.venue("tacc_b").fills_at = "89"
    await room.place("tacc_b", side="SELL", type="MARKET", quantity="5", reduceOnly=True)
    # Nothing is held that needs a price.
    room.quoted.price = None

    await room.guard()

    assert ((await room.holds("tacc_b"))[1], stands(room, "tacc_b", opens)) == ({}, "canceled")
    assert [D(each["loss"]) for each in await room.losses()] == [D(55)]


async def test_old_or_missing_prices_decide_nothing(room: Room) -> None:
    await hold(room, "tacc_a")
    opens = await rest(room, "tacc_a")
    room.quoted.price, room.quoted.age = "50", timedelta(days=1)

    with capture_logs() as logs:
        await room.guard()
        room.quoted.price = None
        await room.guard(after=60)
        await room.guard(after=60)
    assert (await room.losses(), stands(room, "tacc_a", opens)) == ([], "new")
    assert [each["account"] for each in logs if each["event"] == "trading_not_valued"] == ["tacc_a"]

    room.quoted.age = timedelta()
    await room.guard("90", after=60)
    assert ([D(each["loss"]) for each in await room.losses()], stands(room, "tacc_a", opens)) == ([D(50)], "canceled")


async def test_the_loss_is_counted_in_the_accounts_currency(room: Room) -> None:
    await hold(room, "tacc_b")
    await room.limit("tacc_b", "40", currency="USD")
    room.quoted.others = {"crypto:USDT/USD": "0.5", "crypto:USD/USDT": "2"}

    await room.guard("85")
    assert await room.losses() == []
    await room.guard("84")

    (event,) = await room.losses()
    assert (event["currency"], D(event["loss"])) == ("USD", D(40))


@pytest.mark.parametrize("account", BOTH)
async def test_orders_that_were_placed_elsewhere_are_left_alone(room: Room, account: str) -> None:
    await hold(room, account)
    theirs = room.venue(account).add(
        client_id="by-hand", symbol="BTC/USD" if account == "tacc_a" else "BTCUSDT", side="BUY", type="LIMIT",
        tif="GTC", quantity=D(1), price="90",
    )  # fmt: skip
    ours = await rest(room, account)

    await room.guard("90")

    assert (theirs.status, stands(room, account, ours)) == ("new", "canceled")


async def test_a_kill_switch_does_not_hold_it_back_as_brokers_fill_while_it_is_on(room: Room) -> None:
    await hold(room, "tacc_a")
    opens = await rest(room, "tacc_a")
    await room.limit("tacc_a", halted=True, halt_reason="lunch")

    await room.guard("90")

    assert (stands(room, "tacc_a", opens), len(await room.losses())) == ("canceled", 1)


@pytest.mark.parametrize("account", BOTH)
async def test_an_order_that_was_on_its_way_is_cancelled_once_the_broker_has_it(room: Room, account: str) -> None:
    await hold(room, account)
    room.venue(account).faults.append(("POST", "/orders" if account == "tacc_a" else "/order", LOST))
    opens = await rest(room, account)
    assert (await room.order(opens)).status == "NEW"

    await room.guard("90")
    await room.look()

    assert (stands(room, account, opens), (await room.order(opens)).status) == ("canceled", "CANCELED")


async def test_an_order_that_may_have_been_replaced_is_cancelled_once_the_broker_says_which_it_is(room: Room) -> None:
    await hold(room, "tacc_a")
    opens, venue = await rest(room, "tacc_a"), room.venue("tacc_a")
    venue.faults.append(("PATCH", "", LOST))
    await room.do(REPLACE, orderId=opens, limitPrice="94")

    await room.guard("90")
    assert ((await room.order(opens)).status, (await room.losses())[0]["canceledOrders"]) == ("PENDING_REPLACE", 0)
    await room.look()
    assert (await room.order(opens)).status == "ACCEPTED"
    await room.guard()
    await room.look()

    row = await room.order(opens)
    assert (row.status, row.reason, len(await room.losses())) == ("CANCELED", REASON, 1)
    assert [each.open for each in venue.orders.values() if each.side == "buy" and not each.deals] == [False, False]


async def test_a_limit_that_is_raised_takes_orders_again_and_is_counted_anew(room: Room) -> None:
    await hold(room, "tacc_a")
    await room.guard("90")
    await room.limit("tacc_a", "80", loss_day=None)
    opens = await rest(room, "tacc_a", limitPrice="85")

    await room.guard("85")
    assert stands(room, "tacc_a", opens) == "new"
    await room.guard("84")

    assert stands(room, "tacc_a", opens) == "canceled"
    assert [each["maxDailyLoss"] for each in await room.losses()] == ["50", "80"]


async def test_of_several_processes_only_the_one_that_holds_the_account_looks(
    room: Room, sqlite_url: str, tmp_path: Path
) -> None:
    await hold(room, "tacc_a")
    await room.guard()
    async with beside(room, sqlite_url, tmp_path) as other:
        await other.guard("90", after=0)
        elsewhere = (await room.account("tacc_a")).shard + 1
        engine = other.house.host.service(Engine)
        await engine._dues.look(frozenset({elsewhere}))
        await engine.settled()
        assert (await room.losses(), other.quoted.asked) == ([], [])

        await room.house.host.service(Engine).close()
        await other.guard()

    assert len(await room.losses()) == 1


async def test_two_processes_that_find_the_same_loss_tell_of_it_once(
    room: Room, sqlite_url: str, tmp_path: Path
) -> None:
    await hold(room, "tacc_a")
    opens = await rest(room, "tacc_a")
    async with beside(room, sqlite_url, tmp_path) as other:
        room.quoted.price = other.quoted.price = "90"
        room.house.clock.turn(5)
        before = await room.account("tacc_a")
        for each in (room, other):
            await each.house.host.service(Engine)._dues._guard._one(before)

        assert (room.quoted.asked[-1], other.quoted.asked) == (SYMBOLS["tacc_a"], [SYMBOLS["tacc_a"]])
    assert (len(await room.losses()), stands(room, "tacc_a", opens)) == (1, "canceled")


async def test_an_account_without_a_limit_has_its_day_noted_once_and_is_not_asked_for_again_and_again(
    room: Room,
) -> None:
    await hold(room, "tacc_a")
    await room.limit("tacc_a", None, day="2026-11-19", day_equity=D(7))
    room.quoted.price = None
    await room.guard()
    asked = len(room.quoted.asked)
    for _ in range(5):
        await room.guard()
    assert len(room.quoted.asked) == asked

    await room.guard("90", after=60)
    await room.guard("80")

    row = await room.account("tacc_a")
    assert (row.day, row.day_equity, row.loss_day, await room.losses()) == ("2026-11-20", D(0), None, [])


async def test_an_organisation_that_is_suspended_is_not_looked_after(room: Room) -> None:
    await hold(room, "tacc_a")
    await room.become("suspended")
    await room.guard("90")
    assert await room.losses() == []

    await room.become("active")
    await room.guard()

    assert len(await room.losses()) == 1


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ("tacc_a", "request is not authorized"),
        ("tacc_b", "Invalid API-key, IP, or permissions for action. (-2015)"),
    ],
)
async def test_a_key_that_is_not_taken_is_tried_once_and_the_loss_is_told(room: Room, account: str, said: str) -> None:
    await hold(room, account)
    opens = [await rest(room, account), await rest(room, account)]
    room.venue(account).key = "another"

    with capture_logs() as logs:
        await room.guard("90")
        await room.guard()

    told = f"{BROKERS[account]} does not take the key: {said}"
    assert [each["reason"] for each in logs if each["event"] == "broker_cancel_unsent"] == [told]
    assert [each[0] for each in room.venue(account).asked].count("DELETE") == 1
    assert [(await room.order(each)).status for each in opens] == ["PENDING_CANCEL"] * 2
    assert len(await room.losses()) == 1


async def test_whoever_watches_the_account_is_told(room: Room) -> None:
    await hold(room, "tacc_a")
    opens = await rest(room, "tacc_a")
    document = "subscription($id: ID!) { account(id: $id, everyMs: 0) { events { type } orders { id status } } }"

    async with room.watching(document, id="tacc_a") as updates:
        await anext(updates)
        await room.guard("90")
        found: list[Any] = []
        while len(found) < 20 and not any(each["events"] for each in found):
            found.append(await anext(updates))

    assert [each["type"] for update in found for each in update["events"]] == ["account.daily_loss_reached"]
    orders = [(each["id"], each["status"]) for update in found for each in update["orders"]]
    assert orders == [(opens, "PENDING_CANCEL")]


async def test_what_nobody_expects_of_one_account_is_told_and_looked_at_again(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hold(room, "tacc_a")
    look, broken = LiveGuard._look, ["tacc_a"]

    async def looked(self: LiveGuard, account: AccountRow) -> list[OrderRow]:
        if account.id in broken:
            raise ArithmeticError("nobody expects this")
        return await look(self, account)

    monkeypatch.setattr(LiveGuard, "_look", looked)
    with capture_logs() as logs:
        await room.guard("90")
    assert [each["account"] for each in logs if each["event"] == "broker_account_not_guarded"] == ["tacc_a"]
    broken.clear()
    await room.guard("90")

    assert len(await room.losses()) == 1
