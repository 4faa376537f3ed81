"""An organisation is erased while its orders work at brokers."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from gateway.core.ports import ProviderKeys
from plugins.trading.brokers import erasing
from plugins.trading.brokers.pacing import Urgency
from plugins.trading.plugin import erase
from tests.doubles.brokers import DOWN, DOWN_AFTER, HANG, LIMITED, LOST
from tests.plugins.trading.brokers.room import CANCEL, REPLACE, Room, use_up
from tests.plugins.trading.ledger.books import TENANT

BOTH = ("tacc_a", "tacc_b")


async def erased(room: Room) -> list[tuple[str, str, str | None, str]]:
    """What is told of orders that may go on: broker, order, its id there, why."""
    with capture_logs() as logs:
        async with room.house.store.write() as tx:
            await erase(room.house.host, tx, TENANT)
    assert [row for account in BOTH for row in await room.orders(account)] == []
    found = [each for each in logs if each["event"] == "broker_order_left"]
    return [(each["broker"], each["order"], each["at_broker"], each["reason"]) for each in found]


def statuses(room: Room) -> list[str]:
    """Of all orders at both."""
    return [each.status for account in BOTH for each in room.venue(account).orders.values()]


async def test_orders_that_work_at_brokers_are_cancelled_there_before_their_organisation_is_erased(room: Room) -> None:
    for account in BOTH:
        await room.place(account)
        await room.place(account)
        room.venue(account).add(client_id="theirs", symbol="X", side="buy", type="limit", tif="gtc", quantity=1)
    await room.become("suspended")
    await room.look()
    assert statuses(room) == ["new"] * 6

    told = await erased(room)
    await room.look(301)

    assert told == []
    assert statuses(room) == ["canceled", "canceled", "new"] * 2


async def test_many_orders_are_cancelled_some_together_before_their_organisation_is_erased(room: Room) -> None:
    for _ in range(16):
        await room.place("tacc_a")
    venue, together = room.venue("tacc_a"), asyncio.Barrier(8)
    respond = venue.respond

    async def responds(request: web.Request) -> web.StreamResponse:
        if request.method == "DELETE":
            await together.wait()
        answered: web.StreamResponse = await respond(request)
        return answered

    venue.respond = responds

    assert await erased(room) == []
    assert statuses(room) == ["canceled"] * 16


async def test_an_order_whose_id_the_broker_has_not_told_is_cancelled_where_reading_is_used_up(room: Room) -> None:
    venue = room.venue("tacc_a")
    venue.faults += [("POST", "/orders", LOST)] * 2
    by_hand = (await room.place("tacc_a"))["order"]["id"]
    for _ in range(12):
        await room.place("tacc_a")
    await use_up(room, "tacc_a")

    asked = (await room.do(CANCEL, orderId=by_hand))["order"]["status"]
    after = venue.by_client_id(by_hand).status
    told = await erased(room)

    assert (asked, after, told) == ("PENDING_CANCEL", "canceled", [])
    assert statuses(room) == ["canceled"] * 13


@pytest.mark.parametrize("account", BOTH)
async def test_an_order_that_was_filled_a_moment_before_is_not_told_as_left(room: Room, account: str) -> None:
    venue = room.venue(account)
    for _ in range(2):
        await room.place(account)
    venue.fill(venue.orders["1"], "1", "100")

    told = await erased(room)

    assert (told, statuses(room)) == ([], ["filled", "canceled"])


async def test_one_that_may_have_been_replaced_is_looked_for_where_reading_is_used_up(room: Room) -> None:
    id = (await room.place("tacc_a"))["order"]["id"]
    room.venue("tacc_a").faults.append(("PATCH", "", DOWN))
    asked = (await room.do(REPLACE, orderId=id, limitPrice="99"))["order"]["status"]
    await use_up(room, "tacc_a")

    told = await erased(room)

    assert (asked, told, statuses(room)) == ("PENDING_REPLACE", [], ["canceled"])


async def test_a_short_pause_of_the_limits_is_waited_out_and_a_long_one_is_told(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "AT_ONCE", 1)
    ids = [(await room.place("tacc_a"))["order"]["id"] for _ in range(2)]
    room.house.clock.slept.clear()
    await use_up(room, "tacc_a", Urgency.CANCEL)
    room.venue("tacc_a").faults.append(("DELETE", "/orders/2", LIMITED))

    told = await erased(room)

    reason = "alpaca_paper says that it was asked too often: again in 7 s"
    assert (told, statuses(room)) == ([("alpaca_paper", ids[1], "2", reason)], ["canceled", "new"])
    assert max(room.house.clock.slept) == pytest.approx(0.35)


async def test_of_one_that_may_have_been_replaced_each_is_cancelled_once_however_long_the_limits_last(
    room: Room,
) -> None:
    id = (await room.place("tacc_a"))["order"]["id"]
    room.venue("tacc_a").faults.append(("PATCH", "", DOWN))
    await room.do(REPLACE, orderId=id, limitPrice="99")
    await use_up(room, "tacc_a", Urgency.CANCEL)
    room.house.clock.turn(0.35)

    told = await erased(room)

    assert (told, statuses(room), room.venue("tacc_a").count("DELETE", "")) == ([], ["canceled"], 1)


@pytest.mark.parametrize("account", BOTH)
@pytest.mark.parametrize(("fault", "there"), [(DOWN, ["canceled"]), (DOWN_AFTER, ["{}", "canceled"])])
async def test_an_order_that_is_being_replaced_is_cancelled_before_its_organisation_is_erased_whichever_it_is(
    room: Room, account: str, fault: str, there: list[str]
) -> None:
    id = (await room.place(account))["order"]["id"]
    room.venue(account).faults.append(("PATCH" if account == "tacc_a" else "POST", "", fault))
    asked = (await room.do(REPLACE, orderId=id, limitPrice="99"))["order"]

    told = await erased(room)

    assert (asked["status"], told) == ("PENDING_REPLACE", [])
    assert statuses(room) == [each.format("replaced" if account == "tacc_a" else "canceled") for each in there]


async def test_an_order_that_works_on_as_its_replacement_is_cancelled_is_told(room: Room) -> None:
    id = (await room.place("tacc_a"))["order"]["id"]
    venue = room.venue("tacc_a")
    venue.holds_replacements = True
    venue.faults.append(("PATCH", "", DOWN_AFTER))
    await room.do(REPLACE, orderId=id, limitPrice="99")

    told = await erased(room)

    assert told == [("alpaca_paper", id, "1", "order is pending replace")]
    assert statuses(room) == ["pending_replace", "canceled"]


async def test_what_a_broker_does_not_take_or_answer_then_is_told_order_by_order(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "AT_ONCE", 1)
    placed = [(await room.place("tacc_a"))["order"]["id"] for _ in range(3)]
    other = (await room.place("tacc_b"))["order"]["id"]
    a = room.venue("tacc_a")
    a.orders["1"].status = "pending_replace"
    a.faults.append(("DELETE", "/orders/2", DOWN))
    room.venue("tacc_b").key = "another"

    told = await erased(room)

    assert told == [
        ("alpaca_paper", placed[0], "1", "order is pending replace"),
        ("alpaca_paper", placed[1], "2", "alpaca_paper answered with status 500"),
        ("alpaca_paper", placed[2], "3", "alpaca_paper answered with status 500"),
        (
            "binance_testnet", other, "1",
            "binance_testnet does not take the key: Invalid API-key, IP, or permissions for action. (-2015)",
        ),
    ]  # fmt: skip


async def test_erasing_waits_no_longer_for_a_broker_than_it_may(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    placed = (await room.place("tacc_a"))["order"]["id"]
    room.venue("tacc_a").faults.append(("DELETE", "/orders/1", HANG))
    monkeypatch.setattr(erasing, "WITHIN_S", 0.05)

    told = await erased(room)

    assert told == [("alpaca_paper", placed, "1", "no answer came in time")]


async def test_an_organisation_without_a_key_is_erased_all_the_same(room: Room) -> None:
    placed = (await room.place("tacc_b"))["order"]["id"]
    del room.house.host.services[ProviderKeys]

    ((_, order, _, reason),) = await erased(room)

    assert (order, reason.partition(":")[0]) == (placed, "Your organisation has no key for binance_testnet")
