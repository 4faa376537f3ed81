"""Exits are no larger than what is held, whatever has reduced it, and end once that is gone; entries that fill on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.trading.orders.protecting import close_down, cover, protects, take_away
from plugins.trading.orders.wishes import Exit
from plugins.trading.rows import OrderRow
from schema.words.orders import OrderLeg, OrderStatus
from schema.words.problems import Refused
from tests.plugins.trading.engine.floorhouse import wish as wished
from tests.plugins.trading.orders.pit import BTC, CANCEL, CLOSE, PROTECT, REPLACE, Pit
from tests.plugins.trading.orders.slate import BTC as SLATE
from tests.plugins.trading.orders.slate import D, Slate, slate
from tests.plugins.trading.orders.test_groups import group, part, stand

EXITS: dict[str, Any] = {"takeProfit": {"limitPrice": "110"}, "stopLoss": {"stopPrice": "95"}}
CLOSED = "CLOSED: its position was closed"


def bracket(desk: Slate, quantity: str, **more: Any) -> list[OrderRow]:
    """A purchase of so much, its take-profit and its stop-loss."""
    exits: dict[str, Any] = {"take_profit": Exit(limit_price=D(110)), "stop_loss": Exit(stop_price=D(95))}
    return desk.place(wished("BUY", more.pop("type", "MARKET"), quantity, **exits, **more))


def sizes(desk: Slate, *rows: OrderRow) -> list[tuple[str, str]]:
    """Status, and what is left, of each."""
    now = [desk.floor.orders[row.id] for row in rows]
    return [(each.status, format(((each.quantity or D(0)) - each.filled).normalize(), "f")) for each in now]


async def filling(pit: Pit) -> list[str]:
    """A bracket of five at 101, of which three are bought: the ids of entry, take-profit and stop-loss."""
    pit.price("99", "101", size="3")
    placed = await pit.place("BUY", "LIMIT", "5", limitPrice="101", **EXITS)
    return [each["id"] for each in (placed["order"], *placed["children"])]


async def test_closing_a_position_whole_cancels_what_is_left_of_the_entry_that_opened_it(pit: Pit):
    ids = await filling(pit)
    resting = await pit.place("BUY", "LIMIT", "1", limitPrice="90", **EXITS | {"stopLoss": {"stopPrice": "80"}})

    closed = await pit.do(CLOSE, accountId="tacc_1", symbol=BTC)
    pit.price("99", "100")
    await pit.tick()

    assert (closed["order"]["status"], await pit.positions()) == ("FILLED", {})
    assert await stand(pit, *ids) == [("CANCELED", "5", "3"), ("CANCELED", "3", "0"), ("CANCELED", "3", "0")]
    assert [(await pit.order(each))["reason"] for each in ids] == [CLOSED] * 3
    # A bracket that has opened nothing yet waits on.
    waiting = [each["id"] for each in (resting["order"], *resting["children"])]
    assert [status for status, *_ in await stand(pit, *waiting)] == ["ACCEPTED", "NEW", "NEW"]


async def test_closing_a_position_whole_cancels_what_is_left_of_purchases_at_the_market(pit: Pit):
    pit.price("99", "101", size="3")
    bought = await pit.place("BUY", "MARKET", "5")
    late = await pit.place("BUY", "MARKET", "1")
    stop = await pit.place("BUY", "STOP_MARKET", "1", stopPrice="120")
    resting = await pit.place("BUY", "LIMIT", "1", limitPrice="90")
    ids = [each["order"]["id"] for each in (bought, late, stop, resting)]
    before = await stand(pit, *ids)

    part = await pit.do(CLOSE, accountId="tacc_1", symbol=BTC, quantity="1")
    between = await stand(pit, *ids)
    closed = await pit.do(CLOSE, accountId="tacc_1", symbol=BTC)
    pit.price("99", "101", size="50")
    await pit.tick()

    assert before == [("PARTIALLY_FILLED", "5", "3"), *[("ACCEPTED", "1", "0")] * 3]
    assert (part["order"]["status"], between) == ("FILLED", before)
    assert (closed["order"]["status"], await pit.positions()) == ("FILLED", {})
    after = [("CANCELED", "5", "3"), ("CANCELED", "1", "0"), *[("ACCEPTED", "1", "0")] * 2]
    assert await stand(pit, *ids) == after
    assert [(await pit.order(each))["reason"] for each in ids] == [CLOSED, CLOSED, None, None]


@pytest.mark.parametrize("act", [CLOSE, PROTECT])
async def test_what_protects_the_next_fill_of_an_entry_outlives_a_position_of_the_other_side(pit: Pit, act: str):
    await pit.open("tacc_turned", margin="MARGIN", leverage=D(5))
    pit.price("99", "101", size="3")
    placed = await pit.place("BUY", "LIMIT", "5", limitPrice="101", accountId="tacc_turned", **EXITS)
    entry, *exits = (each["id"] for each in (placed["order"], *placed["children"]))
    pit.price("99", "102", size="9")
    await pit.place("SELL", "MARKET", "4", accountId="tacc_turned")
    turned = await stand(pit, entry, *exits)

    terms: dict[str, Any] = {"stopLoss": {"stopPrice": "120"}} if act == PROTECT else {}
    await pit.do(act, accountId="tacc_turned", symbol=BTC, **terms)
    pit.price("99", "101", size="9")
    await pit.tick("tacc_turned")

    opened = "1" if act == PROTECT else "2"
    assert turned == [("PARTIALLY_FILLED", "5", "3"), ("ACCEPTED", "0", "0"), ("ACCEPTED", "0", "0")]
    assert await stand(pit, entry, *exits) == [("FILLED", "5", "5"), *[("ACCEPTED", opened, "0")] * 2]
    assert await pit.positions("tacc_turned") == {BTC: opened}


async def test_what_a_close_has_left_sells_no_later_position(pit: Pit):
    await pit.place("BUY", "MARKET", "5")
    pit.price("99", "101", size="1")
    first = (await pit.do(CLOSE, accountId="tacc_1", symbol=BTC))["order"]["id"]
    left = await stand(pit, first)
    pit.price("99", "101", size="50")
    await pit.do(CLOSE, accountId="tacc_1", symbol=BTC)
    ended = await pit.order(first)

    pit.price("99", "101", size="50")
    await pit.place("BUY", "MARKET", "2")
    pit.price("99", "101", size="50")
    await pit.tick()

    assert left == [("PARTIALLY_FILLED", "5", "1")]
    assert (ended["status"], ended["reason"], await pit.positions()) == ("CANCELED", CLOSED, {BTC: "2"})


async def test_new_exits_of_a_position_grow_with_the_entry_that_fills_on_and_end_it_once_one_is_filled(pit: Pit):
    entry, *old = await filling(pit)
    terms: dict[str, Any] = {"takeProfit": {"limitPrice": "112"}, "stopLoss": {"stopPrice": "90"}}

    changed = await pit.do(PROTECT, accountId="tacc_1", symbol=BTC, **terms)
    profit, loss = (each["id"] for each in changed["orders"])
    at_first = await stand(pit, entry, profit, loss)
    pit.price("99", "100", size="1")
    await pit.tick()
    grown = await stand(pit, entry, profit, loss)
    pit.price("89", "110", size="50")
    await pit.tick()

    assert [each["id"] for each in changed["canceled"]] == old
    assert [each["parentId"] for each in changed["orders"]] == [entry, entry]
    assert at_first == [("PARTIALLY_FILLED", "5", "3"), ("ACCEPTED", "3", "0"), ("ACCEPTED", "3", "0")]
    assert grown == [("PARTIALLY_FILLED", "5", "4"), ("ACCEPTED", "4", "0"), ("ACCEPTED", "4", "0")]
    assert await stand(pit, entry, profit, loss) == [
        ("CANCELED", "5", "4"),
        ("CANCELED", "4", "0"),
        ("FILLED", "4", "4"),
    ]
    assert await pit.positions() == {}


async def test_of_several_entries_that_fill_on_new_exits_follow_the_last_and_the_others_are_cancelled(pit: Pit):
    first, *_ = await filling(pit)
    second, *_ = await filling(pit)
    bare = await pit.do(PROTECT, accountId="tacc_1", symbol=BTC)
    kept = [(await pit.order(each))["status"] for each in (first, second)]

    changed = await pit.do(PROTECT, accountId="tacc_1", symbol=BTC, stopLoss={"stopPrice": "90"})
    pit.price("99", "100")
    await pit.tick()

    # Without new exits nothing of the entries changes.
    assert (len(bare["canceled"]), kept) == (4, ["PARTIALLY_FILLED"] * 2)
    told = "EXITS_REPLACED: the exits that took the place of its own follow another entry"
    assert [(each["id"], each["reason"]) for each in changed["canceled"]] == [(first, told)]
    assert await stand(pit, first, second, changed["orders"][0]["id"]) == [
        ("CANCELED", "5", "3"), ("FILLED", "5", "5"), ("ACCEPTED", "8", "0"),
    ]  # fmt: skip


async def test_a_part_that_is_closed_is_protected_no_more_and_no_exit_lives_to_sell_a_later_position(pit: Pit):
    placed = await pit.place("BUY", "MARKET", "5", **EXITS)
    exits = [each["id"] for each in placed["children"]]

    await pit.do(CLOSE, accountId="tacc_1", symbol=BTC, quantity="2")
    smaller = await stand(pit, *exits)
    await pit.place("BUY", "MARKET", "1")
    beside = await stand(pit, *exits)
    pit.price("94", "95")
    await pit.tick()
    pit.price("111", "112")
    await pit.tick()

    assert smaller == beside == [("ACCEPTED", "3", "0"), ("ACCEPTED", "3", "0")]
    assert await stand(pit, *exits) == [("CANCELED", "3", "0"), ("FILLED", "3", "3")]
    assert await pit.positions() == {BTC: "1"}


async def test_exits_of_a_protected_position_shrink_with_it_and_end_with_it_whatever_sells_it(pit: Pit):
    await pit.place("BUY", "MARKET", "5")
    made = (await pit.do(PROTECT, accountId="tacc_1", symbol=BTC, **EXITS))["orders"]
    exits = [each["id"] for each in made]

    await pit.place("SELL", "MARKET", "1", reduceOnly=True)
    after_one = await stand(pit, *exits)
    await pit.place("SELL", "LIMIT", "1.5", limitPrice="105")
    pit.price("105", "106", size="1")
    await pit.tick()
    after_part = await stand(pit, *exits)
    pit.price("104", "106")
    await pit.place("SELL", "MARKET", "2.5")
    pit.price("105", "106")
    await pit.tick()

    assert after_one == [("ACCEPTED", "4", "0")] * 2
    assert after_part == [("ACCEPTED", "3", "0")] * 2
    assert await stand(pit, *exits) == [("CANCELED", "0.5", "0")] * 2
    assert [(await pit.order(each))["reason"] for each in exits] == [CLOSED] * 2
    assert await pit.positions() == {}


async def test_a_size_is_no_term_of_an_exit(pit: Pit):
    waiting = await pit.place("BUY", "LIMIT", "5", limitPrice="98", **EXITS | {"stopLoss": {"stopPrice": "90"}})
    entry, profit, loss = (each["id"] for each in (waiting["order"], *waiting["children"]))
    early = await pit.refused(REPLACE, orderId=profit, quantity="2")
    pit.price("97", "98")
    await pit.tick()
    late = await pit.refused(REPLACE, orderId=loss, quantity="50", stopPrice="91")
    same = await pit.do(REPLACE, orderId=loss, quantity="5", stopPrice="91")

    told = "A {} is as large as what {}: leave quantity out."
    assert early == ("ORDER_INVALID", "input.quantity", told.format("TAKE_PROFIT", "its entry opens"))
    assert late == ("ORDER_INVALID", "input.quantity", told.format("STOP_LOSS", "it protects, 5 now"))
    assert (same["order"]["stopPrice"], same["order"]["quantity"]) == ("91", "5")
    assert await stand(pit, entry, profit) == [("FILLED", "5", "5"), ("ACCEPTED", "5", "0")]


async def test_an_entry_is_not_made_so_small_that_it_would_only_close(pit: Pit):
    two = {"accountId": "tacc_2"}
    await pit.place("SELL", "MARKET", "5", **two)
    exits: dict[str, Any] = {"takeProfit": {"limitPrice": "110"}, "stopLoss": {"stopPrice": "90"}}
    placed = await pit.place("BUY", "LIMIT", "10", limitPrice="95", **two, **exits)
    entry, *children = (each["id"] for each in (placed["order"], *placed["children"]))

    refused = await pit.refused(REPLACE, orderId=entry, quantity="5")
    moved = await pit.do(REPLACE, orderId=entry, limitPrice="94")
    passes = await pit.do(REPLACE, orderId=entry, quantity="5.001")
    pit.price("93", "94")
    await pit.tick("tacc_2")

    told = (
        "The order would only make the position of -5 smaller, and leave nothing for its exits to close: a quantity "
        "above 5 would pass."
    )
    assert refused == ("ORDER_INVALID", "input.quantity", told)
    assert (moved["order"]["quantity"], passes["order"]["quantity"]) == ("10", "5.001")
    assert await stand(pit, entry, *children) == [("FILLED", "5.001", "5.001")] + [("ACCEPTED", "0.001", "0")] * 2


async def test_an_order_behind_another_waits_for_its_condition_though_its_size_is_not_known(pit: Pit):
    later = {"time": "2026-11-21T12:00:00Z"}
    first, second = await group(
        pit, "OTO", part("BUY", "MARKET"), part("BUY", "MARKET", notional="50", condition=later) | {"quantity": None}
    )  # fmt: skip

    assert (first["status"], second["status"], second["reason"]) == ("FILLED", "NEW", None)
    await pit.do(CANCEL, orderId=second["id"])


async def test_what_closes_a_position_takes_its_exits_before_the_order_behind_it_opens_another(pit: Pit):
    placed = await pit.place("BUY", "MARKET", "5", **EXITS)
    sold, bought = await group(
        pit, "OTO", part("SELL", "MARKET", "5"), part("BUY", "LIMIT", "5", limitPrice="101", timeInForce="IOC")
    )

    assert (sold["status"], bought["status"]) == ("FILLED", "FILLED")
    assert [status for status, *_ in await stand(pit, *(each["id"] for each in placed["children"]))] == ["CANCELED"] * 2
    assert await pit.positions() == {BTC: "5"}


async def test_exits_without_a_size_are_kept_and_changed_and_grow_on_both_databases(pit_on_both: Pit):
    pit = pit_on_both
    entry, profit, loss = await filling(pit)
    pit.price("99", "102")
    await pit.place("SELL", "MARKET", "3")
    asleep, proof = await stand(pit, entry, profit, loss), await pit.findings()
    pit.price("94", "102")
    await pit.tick()
    size = await pit.refused(REPLACE, orderId=loss, quantity="1")
    moved = await pit.do(REPLACE, orderId=loss, stopPrice="90")
    pit.price("99", "101", size="1")
    await pit.tick()
    awake = await stand(pit, entry, profit, loss)
    pit.price("110", "111", size="0.4")
    await pit.tick()
    pit.price("109", "111")
    await pit.place("SELL", "MARKET", "0.6")
    partly, proof = await stand(pit, entry, profit, loss), [*proof, *await pit.findings()]
    gone = await pit.do(CANCEL, orderId=entry)

    assert asleep == [("PARTIALLY_FILLED", "5", "3"), ("ACCEPTED", "0", "0"), ("ACCEPTED", "0", "0")]
    assert size[2] == "A STOP_LOSS is as large as what it protects, 0 now: leave quantity out."
    assert (moved["order"]["status"], moved["order"]["stopPrice"]) == ("ACCEPTED", "90")
    assert awake == [("PARTIALLY_FILLED", "5", "4"), ("ACCEPTED", "1", "0"), ("ACCEPTED", "1", "0")]
    assert partly == [("PARTIALLY_FILLED", "5", "4"), ("PARTIALLY_FILLED", "0.4", "0.4"), ("ACCEPTED", "0", "0")]
    assert [(each["id"], each["reason"]) for each in gone["canceled"]] == [(profit, CLOSED), (loss, CLOSED)]
    assert ([*proof, *await pit.findings()], await pit.positions()) == ([], {})


def test_the_exits_that_were_placed_last_give_way_first():
    desk = slate("10000")
    _, *old = bracket(desk, "5")
    _, *new = bracket(desk, "3")

    desk.place(wished("SELL", "MARKET", "1"))
    first = sizes(desk, *old, *new)
    desk.place(wished("SELL", "MARKET", "3"))
    then = sizes(desk, *old, *new)
    desk.place(wished("BUY", "MARKET", "9"))
    desk.meet("94")

    assert first == [("ACCEPTED", "5")] * 2 + [("ACCEPTED", "2")] * 2
    assert then == [("ACCEPTED", "4")] * 2 + [("CANCELED", "2")] * 2
    assert desk.floor.orders[new[0].id].reason == CLOSED
    # What is bought beside them, they do not protect.
    assert (desk.sold[2:], desk.held()) == ([("4", "94")], "9")


def test_one_bracket_s_exit_takes_nothing_of_what_another_protects():
    desk = slate("10000")
    _, *old = bracket(desk, "5")
    desk.price("101")
    exits: dict[str, Any] = {"take_profit": Exit(limit_price=D(120)), "stop_loss": Exit(stop_price=D(98))}
    _, *new = desk.place(wished("BUY", "MARKET", "3", **exits))

    desk.meet("98", size="2")
    partly = sizes(desk, *old, *new)
    desk.meet("111")

    assert partly == [("ACCEPTED", "5")] * 2 + [("ACCEPTED", "1"), ("PARTIALLY_FILLED", "1")]
    assert sizes(desk, *old) == [("FILLED", "0"), ("CANCELED", "5")]
    assert (desk.sold, desk.held()) == ([("2", "98"), ("1", "111"), ("5", "111")], "0")


def test_a_turn_ends_the_exits_of_what_was_held_and_wakes_those_of_what_is():
    desk = slate("10000", margin="MARGIN", leverage=D(5))
    _, *old = bracket(desk, "5")
    entry, new = desk.place(wished("SELL", "LIMIT", "8", limit_price="100", stop_loss=Exit(stop_price=D(105))))

    assert sizes(desk, *old) == [("CANCELED", "5")] * 2
    assert sizes(desk, entry, new) == [("FILLED", "0"), ("ACCEPTED", "3")]
    assert desk.held() == "-3"


def test_whatever_else_is_filled_by_a_message_leaves_no_exit_behind():
    desk = slate("10000", margin="MARGIN", leverage=D(5))
    _, *exits = bracket(desk, "5")
    desk.place(wished("SELL", "STOP_MARKET", "5", stop_price="99", reduce_only=True))

    desk.meet("98", size="4")
    partly = sizes(desk, *exits)
    desk.meet("98")

    assert partly == [("ACCEPTED", "1")] * 2
    assert [desk.floor.orders[each.id].reason for each in exits] == [CLOSED] * 2


def test_exits_whose_entry_fills_on_wait_with_no_size_for_what_it_opens_next():
    desk = slate("10000")
    desk.price("100", size="3")
    entry, profit, loss = bracket(desk, "5", type="LIMIT", limit_price="100")
    desk.meet("110", size="1")
    partly = sizes(desk, entry, profit, loss)
    desk.price("110")
    desk.place(wished("SELL", "MARKET", "2"))
    asleep = sizes(desk, entry, profit, loss)
    # Neither price, nor another purchase, nor other terms are anything to them.
    desk.meet("111", "112")
    desk.place(wished("BUY", "MARKET", "4"))
    desk.meet("94", "101")
    desk.meet("111", "112")
    moved = desk.replace(desk.floor.orders[loss.id], stop_price=D(96))
    still = sizes(desk, entry, profit, loss)
    desk.meet("99", "100", size="1")
    awake = sizes(desk, entry, profit, loss)
    desk.meet("96", "101")

    assert partly == [("PARTIALLY_FILLED", "2"), ("PARTIALLY_FILLED", "2"), ("ACCEPTED", "2")]
    assert asleep == still == [("PARTIALLY_FILLED", "2"), ("PARTIALLY_FILLED", "0"), ("ACCEPTED", "0")]
    assert (moved.stop_price, moved.status) == (D(96), "ACCEPTED")
    assert awake == [("PARTIALLY_FILLED", "1"), ("PARTIALLY_FILLED", "1"), ("ACCEPTED", "1")]
    # The stop closes what was opened since, and with it what is left of the entry.
    assert sizes(desk, entry, profit, loss) == [("CANCELED", "1"), ("CANCELED", "1"), ("FILLED", "0")]
    assert (desk.sold[-1], desk.held()) == (("1", "96"), "4")


def test_exits_of_no_size_end_with_the_entry_that_they_wait_for():
    desk = slate("10000")
    desk.price("100", size="3")
    entry, profit, loss = bracket(desk, "5", type="LIMIT", limit_price="100")
    desk.place(wished("SELL", "MARKET", "3"))
    asleep = sizes(desk, profit, loss)
    desk.floor.end(desk.floor.orders[entry.id], OrderStatus.CANCELED, "CANCELED")

    assert asleep == [("ACCEPTED", "0")] * 2
    assert [desk.floor.orders[each.id].reason for each in (profit, loss)] == [CLOSED] * 2


def test_exits_that_were_left_behind_end_before_a_position_is_opened_that_they_would_close():
    desk = slate("10000")
    _, *exits = bracket(desk, "5")
    desk.floor.positions.clear()

    desk.place(wished("BUY", "MARKET", "2"))
    desk.meet("94")

    assert [desk.floor.orders[each.id].reason for each in exits] == [CLOSED] * 2
    assert desk.held() == "2"


SIZES, PRICES = st.sampled_from(["1", "2", "3", "5"]), st.sampled_from(["94", "97", "100", "103", "111"])
SIDES = st.sampled_from(["BUY", "SELL"])
ACTS = st.one_of(
    st.tuples(st.just("bracket"), SIDES, SIZES, PRICES),
    st.tuples(st.just("order"), SIDES, SIZES),
    st.tuples(st.just("limit"), SIDES, SIZES, PRICES),
    st.tuples(st.just("tick"), PRICES, st.sampled_from([None, "1", "2"])),
    st.tuples(st.just("protect"), st.just("")),
    st.tuples(st.just("close"), st.just("")),
    st.tuples(st.just("cancel"), st.integers(0, 9)),
)


def act(desk: Slate, doing: tuple[Any, ...]) -> None:
    now, held = desk.tick.last or D(0), desk.floor.held(str(SLATE))
    match doing:
        case "bracket", side, size, price:
            far = D(12) if side == "BUY" else D(-12)
            exits: dict[str, Any] = {
                "take_profit": Exit(limit_price=D(price) + far), "stop_loss": Exit(stop_price=D(price) - far / 2)
            }  # fmt: skip
            desk.place(wished(side, "LIMIT", size, limit_price=price, **exits))
        case "order", side, size:
            desk.place(wished(side, "MARKET", size))
        case "limit", side, size, price:
            desk.place(wished(side, "LIMIT", size, limit_price=price))
        case "tick", price, size:
            desk.meet(price, size=size)
        case "protect", _ if held:
            side, far = ("SELL", D(8)) if held > 0 else ("BUY", D(-8))
            take_away(desk.floor, str(SLATE), "REPLACED")
            how: dict[str, Any] = {"group": f"grp_{len(desk.floor.orders)}"}
            size = format(abs(held), "f")
            profit = wished(side, "LIMIT", size, limit_price=now + far, reduce_only=True)
            loss = wished(side, "STOP_MARKET", size, stop_price=now - far, reduce_only=True)
            rows = desk.place(profit, leg=OrderLeg.TAKE_PROFIT, **how) + desk.place(loss, leg=OrderLeg.STOP_LOSS, **how)
            cover(desk.floor, str(SLATE), rows)
        case "close", _ if held:
            close_down(desk.floor, str(SLATE))
            side = "SELL" if held > 0 else "BUY"
            desk.place(wished(side, "MARKET", format(abs(held), "f"), reduce_only=True))
        case "cancel", int() as number if desk.floor.open:
            row = desk.floor.open[number % len(desk.floor.open)]
            desk.floor.end(row, OrderStatus.CANCELED, "CANCELED")


@settings(max_examples=150, deadline=None)
@given(lends=st.booleans(), course=st.lists(ACTS, min_size=8, max_size=30))
def test_whatever_is_done_exits_protect_no_more_than_is_held_and_both_of_a_pair_the_same(lends, course):
    account: dict[str, Any] = {"margin": "MARGIN", "leverage": D(5)} if lends else {}
    desk = slate("5000", **account)
    for doing in course:
        # What is refused is rolled back.
        before = desk.floor.orders.copy()
        try:
            act(desk, doing)
        except Refused:
            desk.floor.orders = before
        open_, held = desk.floor.open, desk.floor.held(str(SLATE))
        for side, most in (("SELL", held), ("BUY", -held)):
            pairs: dict[str | None, set[Decimal]] = {}
            for row in open_:
                if protects(row) and row.side == side:
                    left = (row.quantity or D(0)) - row.filled
                    pairs.setdefault(row.group_id, set()).add(left)
                    assert left > 0 or row.parent_id in {each.id for each in open_}
            assert all(len(each) == 1 for each in pairs.values())
            assert sum(max(each) for each in pairs.values()) <= max(D(0), most)
