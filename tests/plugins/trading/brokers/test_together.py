"""Orders of a hedge and of a group at a broker: kept at once, sent to the end, and taken back where one is refused."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

import pytest

from plugins.trading.brokers.desk import LiveDesk
from plugins.trading.brokers.sendings import Sendings
from tests.doubles.brokers import LIMITED
from tests.plugins.trading.brokers.gates import Gate
from tests.plugins.trading.brokers.room import CANCEL, ETHER, GROUP, Room
from tests.plugins.trading.brokers.test_groups import BOTH, ends, group, stand
from tests.plugins.trading.brokers.test_hedges import BTC, EXECUTE, MINE

FAILED = "GROUP_FAILED: an order that was placed together with it was refused"


def hedge(quantity: str = "2", other: str = "3") -> dict[str, Any]:
    legs = [
        {"symbol": BTC, "side": "BUY", "quantity": quantity},
        {"symbol": ETHER, "side": "BUY", "quantity": other},
    ]
    return {"accountId": MINE, "legs": legs, "clientHedgeId": "h"}


def told(payload: Any) -> list[tuple[list[str], str, str]]:
    return [(each["field"], each["code"], each["message"]) for each in payload["userErrors"]]


def statuses(payload: Any) -> tuple[bool, list[str]]:
    return payload["hedge"]["complete"], [each["status"] for each in payload["hedge"]["orders"]]


def killed_at(patch: pytest.MonkeyPatch, number: int) -> None:
    """The process ends before it sends the order of this number."""
    real, calls = LiveDesk.send, count(1)

    async def send(desk: LiveDesk, *given: Any) -> Any:
        if next(calls) == number:
            raise RuntimeError("gone")
        return await real(desk, *given)

    patch.setattr(LiveDesk, "send", send)


async def test_a_hedge_of_which_a_check_refuses_a_leg_is_no_hedge_and_sends_nothing(room: Room) -> None:
    room.venue(MINE).fills_at = "100"

    first = await room.see(EXECUTE, **hedge(other="0.00001"))
    again = await room.see(EXECUTE, **hedge(other="0.00001"))

    assert told(first) == [
        (["input", "legs", "1", "quantity"], "SIZE_BELOW_MINIMUM", "quantity must be at least 0.001.")
    ]  # fmt: skip
    assert (first["hedge"], again) == (None, first)
    assert (await room.orders(MINE), room.venue(MINE).orders) == ([], {})


async def test_a_hedge_of_which_the_broker_refuses_a_leg_is_answered_alike_again(room: Room) -> None:
    room.venue(MINE).fills_at, room.venue(MINE).refuses_from = "100", 2

    first = await room.see(EXECUTE, **hedge())
    again = await room.see(EXECUTE, **hedge())

    assert told(first) == [(["input", "legs", "1"], "BROKER_REFUSED", "BROKER_REFUSED: enough (-2010)")]
    assert statuses(first) == (False, ["FILLED", "REJECTED"])
    assert again == first
    assert room.venue(MINE).count("POST", "/order") == 2


async def test_what_of_a_hedge_is_filled_stays_where_a_later_leg_is_refused_and_the_rest_is_not(
    room: Room,
) -> None:
    venue = room.venue(MINE)
    venue.refuses_from = 2
    gate = Gate(venue, "POST", "/order", answered=True)
    executing = await gate.holding(room.see(EXECUTE, **hedge()))
    venue.fill(venue.orders["1"], "1", "100")

    gate.open()
    made = await executing

    assert statuses(made) == (False, ["CANCELED", "REJECTED"])
    assert made["hedge"]["open"] == [{"symbol": BTC, "quantity": "1"}]
    assert told(made) == [(["input", "legs", "1"], "BROKER_REFUSED", "BROKER_REFUSED: enough (-2010)")]
    assert await room.see(EXECUTE, **hedge()) == made
    assert await room.findings() == []


async def test_a_hedge_of_which_nothing_is_left_is_refused_alike_again(room: Room) -> None:
    room.venue(MINE).refuses = "enough"

    first = await room.see(EXECUTE, **hedge())
    again = await room.see(EXECUTE, **hedge())

    assert told(first) == [(["input", "legs", "0"], "BROKER_REFUSED", "BROKER_REFUSED: enough (-2010)")]
    assert (first["hedge"], again) == (None, first)
    assert [row.status for row in await room.orders(MINE)] == ["REJECTED", "CANCELED"]
    assert room.venue(MINE).count("POST", "/order") == 1


async def test_a_hedge_whose_legs_are_on_their_way_is_not_complete(room: Room) -> None:
    room.venue(MINE).fills_at = "100"
    gate = Gate(room.venue(MINE), "POST", "/order")
    executing = await gate.holding(room.see(EXECUTE, **hedge()))

    meanwhile = await room.see(EXECUTE, **hedge())
    gate.open()
    made = await executing

    assert (statuses(meanwhile), meanwhile["userErrors"]) == ((False, ["NEW", "NEW"]), [])
    assert (statuses(made), made["userErrors"]) == ((True, ["FILLED", "FILLED"]), [])
    assert room.venue(MINE).count("POST", "/order") == 2


async def test_the_id_of_a_hedge_with_other_input_is_refused(room: Room) -> None:
    room.venue(MINE).fills_at = "100"
    await room.see(EXECUTE, **hedge())

    other = await room.see(EXECUTE, **hedge("5"))

    assert [(field, code) for field, code, _ in told(other)] == [(["input", "clientHedgeId"], "IDEMPOTENCY_MISMATCH")]
    assert (other["hedge"], len(await room.orders(MINE))) == (None, 2)


async def test_a_hedge_is_sent_to_the_end_when_whoever_asked_for_it_has_gone(room: Room) -> None:
    room.venue(MINE).fills_at = "100"
    gate = Gate(room.venue(MINE), "POST", "/order")
    executing = await gate.holding(room.see(EXECUTE, **hedge()))
    executing.cancel()
    await asyncio.wait([executing])

    gate.open()
    await room.house.host.service(Sendings).settled()

    assert executing.cancelled()
    made = await room.see(EXECUTE, **hedge())
    assert (statuses(made), made["userErrors"]) == ((True, ["FILLED", "FILLED"]), [])
    assert room.venue(MINE).count("POST", "/order") == 2


async def test_a_hedge_whose_process_ends_between_legs_says_which_was_not_sent(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.venue(MINE).fills_at = "100"
    with monkeypatch.context() as patch:
        killed_at(patch, 2)
        assert "errors" in await room.ask(EXECUTE, **hedge())
    room.restart()

    soon = await room.see(EXECUTE, **hedge())
    await room.look(61)
    late = await room.see(EXECUTE, **hedge())

    assert (statuses(soon), soon["userErrors"]) == ((False, ["FILLED", "NEW"]), [])
    assert statuses(late) == (False, ["FILLED", "REJECTED"])
    assert told(late) == [
        (["input", "legs", "1"], "BROKER_UNAVAILABLE", "BROKER_UNAVAILABLE: it has not reached the broker")
    ]  # fmt: skip
    assert room.venue(MINE).count("POST", "/order") == 1


@pytest.mark.parametrize("account", BOTH)
async def test_a_group_is_sent_to_the_end_when_whoever_asked_for_it_has_gone(room: Room, account: str) -> None:
    gate = Gate(room.venue(account), "POST", ends(account))
    placing = await gate.holding(room.see(GROUP, **group(account, "100", "99", "98")))
    placing.cancel()
    await asyncio.wait([placing])

    gate.open()
    await room.house.host.service(Sendings).settled()

    assert await stand(room, account) == [("ACCEPTED", "")] * 3


@pytest.mark.parametrize("account", BOTH)
async def test_a_group_whose_process_ends_before_its_last_order_is_sent_is_taken_back(
    room: Room, monkeypatch: pytest.MonkeyPatch, account: str
) -> None:
    wanted = group(account, "100", "99", "98") | {"idempotencyKey": "g"}
    with monkeypatch.context() as patch:
        killed_at(patch, 3)
        assert "errors" in await room.ask(GROUP, **wanted)
    room.restart()
    await room.look(30)
    soon = await stand(room, account)

    await room.look(31)
    await room.look()

    assert soon == [("ACCEPTED", ""), ("ACCEPTED", ""), ("NEW", "")]
    assert [(row.status, row.reason) for row in await room.orders(account)] == [
        ("CANCELED", FAILED), ("CANCELED", FAILED),
        ("REJECTED", "BROKER_UNAVAILABLE: it has not reached the broker"),
    ]  # fmt: skip
    assert [each.status for each in room.venue(account).orders.values()] == ["canceled", "canceled"]
    ids = [row.id for row in await room.orders(account)]
    assert [each["id"] for each in (await room.do(GROUP, **wanted))["orders"]] == ids


async def test_a_group_of_which_one_is_refused_after_its_process_has_ended_is_taken_back_but_for_what_is_filled(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside an order that was placed on its own."""
    with monkeypatch.context() as patch:
        killed_at(patch, 3)
        await room.ask(GROUP, **group("tacc_a", "100", "99", "98"))
    single = (await room.place("tacc_a"))["order"]["id"]
    venue = room.venue("tacc_a")
    venue.fill(venue.orders["1"], "1", "100")

    await room.look(61)
    await room.look()

    assert await stand(room, "tacc_a") == [
        ("FILLED", ""), ("CANCELED", "GROUP_FAILED"), ("REJECTED", "BROKER_UNAVAILABLE"), ("ACCEPTED", "")
    ]  # fmt: skip
    assert (await room.order(single)).group_id is None


async def test_once_all_of_a_group_were_accepted_each_is_on_its_own(room: Room) -> None:
    await room.do(GROUP, **group("tacc_a", "100", "99"))
    room.venue("tacc_a").orders["1"].status = "rejected"

    await room.look()
    await room.look()

    assert [status for status, _ in await stand(room, "tacc_a")] == ["REJECTED", "ACCEPTED"]


async def test_what_is_cancelled_by_its_owner_takes_no_other_of_its_group_along(room: Room) -> None:
    await room.do(GROUP, **group("tacc_b", "100", "99"))
    room.venue("tacc_b").orders["1"].status = "canceled"

    await room.look()
    await room.look()

    assert [status for status, _ in await stand(room, "tacc_b")] == ["CANCELED", "ACCEPTED"]


async def test_what_its_broker_takes_no_room_for_as_a_whole_is_not_begun(room: Room) -> None:
    """Of 50 orders in 10 seconds a part is left for what is cancelled."""
    for _ in range(46):
        await room.place(MINE)
    room.venue(MINE).fills_at = "100"

    made = await room.see(EXECUTE, **hedge())
    code = await room.code(GROUP, **group(MINE, "100", "99"))
    single = (await room.place(MINE))["order"]["status"]

    (error,) = made["userErrors"]
    assert (made["hedge"], error["field"], error["code"]) == (None, None, "BROKER_UNAVAILABLE")
    assert error["message"] == "binance_testnet takes no more orders for 0.1 s: try again then."
    assert (code, single, len(await room.orders(MINE))) == ("BROKER_UNAVAILABLE", "FILLED", 47)


async def test_what_others_take_the_room_of_meanwhile_is_sent_once_there_is_room_again(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.venue(MINE).fills_at = "100"
    executing = await (gate := Gate(room.venue(MINE), "POST", "/order")).holding(room.see(EXECUTE, **hedge()))
    for _ in range(46):
        await room.place(MINE)
    waited = list[float]()

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        room.house.clock.turn(seconds)

    monkeypatch.setattr(room.house.clock, "sleep", sleep)
    gate.open()
    made = await executing

    assert (statuses(made), made["userErrors"]) == ((True, ["FILLED", "FILLED"]), [])
    assert sum(waited) == pytest.approx(0.1)


async def test_what_waits_for_room_and_is_cancelled_meanwhile_is_not_sent(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    placing = await (gate := Gate(room.venue(MINE), "POST", "/order")).holding(
        room.see(GROUP, **group(MINE, "100", "99"))
    )  # fmt: skip
    for _ in range(46):
        await room.place(MINE)
    last = (await room.orders(MINE))[1]

    async def sleep(seconds: float) -> None:
        room.house.clock.turn(seconds)
        await room.do(CANCEL, orderId=last.id)

    monkeypatch.setattr(room.house.clock, "sleep", sleep)
    gate.open()
    await placing

    assert ((await room.order(last.id)).status, room.venue(MINE).by_client_id(last.id)) == ("CANCELED", None)


async def test_what_waits_for_room_for_longer_than_it_may_be_sent_is_refused(room: Room) -> None:
    gate = Gate(room.venue(MINE), "POST", "/order", answered=True)
    placing = await gate.holding(room.see(GROUP, **group(MINE, "100", "99")))
    room.venue(MINE).faults.append(("POST", "/order", LIMITED))
    room.house.clock.turn(15)
    await room.place(MINE)

    gate.open()
    await placing

    assert [(row.status, row.reason) for row in (await room.orders(MINE))[:2]] == [
        ("PENDING_CANCEL", FAILED),
        ("REJECTED", "BROKER_UNAVAILABLE: binance_testnet takes no more requests for 7.0 s"),
    ]  # fmt: skip


@pytest.mark.parametrize("account", BOTH)
async def test_a_group_of_which_one_is_rejected_after_it_was_accepted_and_before_the_last_is_sent_is_taken_back(
    room: Room, account: str
) -> None:
    venue = room.venue(account)
    gate = Gate(venue, "POST", ends(account), answered=True)
    venue.respond, held = gate._respond, venue.respond
    placed = count(1)

    async def responds(request: Any) -> Any:
        third = request.method == "POST" and request.path.endswith(ends(account)) and next(placed) == 2
        return await (held if third else gate._respond)(request)

    venue.respond = responds
    placing = await gate.holding(room.see(GROUP, **group(account, "100", "99", "98")))
    venue.orders["1"].status = "rejected"
    await room.look()

    gate.open()
    await placing

    assert [status for status, _ in await stand(room, account)] == ["REJECTED", "CANCELED", "CANCELED"]
    assert [row.reason for row in (await room.orders(account))[1:]] == [FAILED, FAILED]
    assert [each.status for each in venue.orders.values()] == ["rejected", "canceled"]
