"""Brackets, OCO and OTO, and what conditional orders wait for."""

from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.matching.conditions import (
    Direction,
    Facts,
    OrderCondition,
    PriceCondition,
    TimeCondition,
    ValueCondition,
    hopeless,
    met,
    plain,
    read,
)
from gateway.core.matching.contingencies import Cancel, Linked, Resize, Wake, consequences, fitted
from schema.errors import BadInput
from schema.words.orders import OrderLeg, OrderStatus
from tests.gateway.matching.tapes import at

NEW, ACCEPTED, PARTLY = OrderStatus.NEW, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED
FILLED, CANCELED, EXPIRED, REJECTED = (
    OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED,
)  # fmt: skip


PROTECTION = (("target", OrderLeg.TAKE_PROFIT), ("stop", OrderLeg.STOP_LOSS))


def linked(name, status, quantity=10, filled=0, leg=None, parent=None, group=None):
    return Linked(
        id=name, status=status, quantity=D(quantity), filled=D(filled), leg=leg, parent=parent, group=group
    )  # fmt: skip


def entry(status, filled=0):
    return linked("entry", status, 10, filled, OrderLeg.ENTRY)


def target(status, quantity=10, filled=0):
    return linked("target", status, quantity, filled, OrderLeg.TAKE_PROFIT, "entry", "g")


def stop(status, quantity=10, filled=0):
    return linked("stop", status, quantity, filled, OrderLeg.STOP_LOSS, "entry", "g")


def wake(name, quantity):
    return Wake(id=name, quantity=D(quantity))


def resize(name, quantity):
    return Resize(id=name, quantity=D(quantity))


def cancel(name, reason):
    return Cancel(id=name, reason=reason)


@pytest.mark.parametrize(
    ("changed", "opened", "others", "then"),
    [
        # The entry: its exits wake with what it opens, grow with it, and end with it.
        (entry(ACCEPTED), 0, [target(NEW), stop(NEW)], []),
        (entry(PARTLY, 4), 4, [target(NEW), stop(NEW)], [wake("target", 4), wake("stop", 4)]),
        (entry(PARTLY, 4), 4, [stop(NEW)], [wake("stop", 4)]),
        (entry(FILLED, 10), 6, [target(ACCEPTED, 4), stop(ACCEPTED, 4)], [resize("target", 10), resize("stop", 10)]),
        (entry(FILLED, 10), 0, [target(ACCEPTED), stop(ACCEPTED)], []),
        (entry(CANCELED, 4), 0, [target(ACCEPTED, 4), stop(ACCEPTED, 4)], []),
        (
            entry(EXPIRED), 0, [target(NEW), stop(NEW)],
            [cancel("target", "PARENT_ENDED"), cancel("stop", "PARENT_ENDED")],
        ),
        # What it fills may close what was held before it opens anything.
        (entry(PARTLY, 4), 0, [target(NEW), stop(NEW)], []),
        (entry(PARTLY, 4), 1, [target(NEW), stop(NEW)], [wake("target", 1), wake("stop", 1)]),
        (
            entry(FILLED, 10), 0, [target(NEW), stop(NEW)],
            [cancel("target", "ENTRY_CLOSED"), cancel("stop", "ENTRY_CLOSED")],
        ),
        # What something else has closed, it does not protect again.
        (entry(PARTLY, 8), 4, [target(ACCEPTED, 1), stop(ACCEPTED, 1)], [resize("target", 5), resize("stop", 5)]),
        # Exits of no size wait for more of it, and end with it.
        (entry(PARTLY, 4), 0, [target(PARTLY, 1, 1), stop(ACCEPTED, 0)], []),
        (entry(FILLED, 10), 6, [target(PARTLY, 1, 1), stop(ACCEPTED, 0)], [resize("target", 7), resize("stop", 6)]),
        (
            entry(CANCELED, 4), 0, [target(PARTLY, 1, 1), stop(ACCEPTED, 0)],
            [cancel("target", "CLOSED"), cancel("stop", "CLOSED")],
        ),
        # An exit: the other shrinks by what it fills, and ends with it.
        (target(PARTLY, 10, 3), 0, [entry(FILLED, 10), stop(ACCEPTED)], [resize("stop", 7)]),
        (target(FILLED, 10, 10), 0, [entry(FILLED, 10), stop(ACCEPTED)], [cancel("stop", "OTHER_FILLED")]),
        (stop(FILLED, 7, 7), 0, [entry(FILLED, 10), target(PARTLY, 10, 3)], [cancel("target", "OTHER_FILLED")]),
        (target(CANCELED), 0, [entry(FILLED, 10), stop(ACCEPTED)], []),
        # Both filled before the entry is whole: its rest is not wanted any more.
        (
            stop(FILLED, 4, 4), 0, [entry(PARTLY, 4), target(ACCEPTED, 4)],
            [cancel("entry", "EXIT_FILLED"), cancel("target", "OTHER_FILLED")],
        ),
        (target(PARTLY, 4, 1), 0, [entry(PARTLY, 4), stop(ACCEPTED, 4)], [resize("stop", 3)]),
        # The entry grows while an exit has filled a part.
        (entry(PARTLY, 8), 4, [target(PARTLY, 4, 1), stop(ACCEPTED, 3)], [resize("target", 8), resize("stop", 7)]),
    ],
)  # fmt: skip
def test_a_bracket_protects_what_its_entry_has_opened(changed, opened, others, then):
    assert list(consequences(changed, others, D(opened))) == then


def test_whatever_is_held_exits_are_no_larger_together_and_the_newest_give_way_first():
    old = [target(PARTLY, 6, 1), stop(ACCEPTED, 5)]
    new = [replace(each, id=f"new {each.id}", parent="new", group="n", filled=D(0), quantity=D(3)) for each in old]

    assert fitted([*old, *new], (), D(8)) == ()
    assert fitted([*old, *new], (), D(7)) == (resize("new target", 2), resize("new stop", 2))
    assert fitted([*old, *new], (), D(4)) == (
        resize("target", 5), resize("stop", 4), cancel("new target", "CLOSED"), cancel("new stop", "CLOSED"),
    )  # fmt: skip
    assert fitted([*old, *new], ["entry", "new"], D(0)) == (
        resize("target", 1), resize("stop", 0), resize("new target", 0), resize("new stop", 0),
    )  # fmt: skip
    dormant = [replace(each, quantity=each.filled) for each in old]
    assert fitted(dormant, ["entry"], D(0)) == fitted(dormant, ["entry"], D(9)) == ()
    assert fitted(dormant, [], D(9)) == (cancel("target", "CLOSED"), cancel("stop", "CLOSED"))


def test_a_stop_that_was_triggered_and_has_nothing_to_close_ends_with_what_is_left_of_its_entry():
    touched = replace(stop(PARTLY, 6, 1), triggered=True)
    pair = [target(ACCEPTED, 5), touched]

    assert fitted(pair, ["entry"], D(2)) == (resize("target", 2), resize("stop", 3))
    assert fitted(pair, ["entry"], D(0)) == (
        resize("target", 0), cancel("stop", "CLOSED"), cancel("entry", "EXIT_FILLED")
    )  # fmt: skip
    assert fitted(pair, [], D(0)) == (cancel("target", "CLOSED"), cancel("stop", "CLOSED"))


def test_the_first_fill_of_one_cancels_the_others():
    one, two, three = (linked(name, ACCEPTED, leg=OrderLeg.OCO, group="g") for name in ("one", "two", "three"))
    ended = replace(three, status=CANCELED)

    assert consequences(one, [two, three]) == ()
    assert consequences(replace(one, status=CANCELED), [two, three]) == ()
    filled = replace(one, status=PARTLY, filled=D(1))
    assert consequences(filled, [two, ended]) == (Cancel(id="two", reason="OTHER_FILLED"),)


def test_exits_of_a_position_without_an_entry_stay_as_large_as_what_is_left_of_it():
    target, stop = (linked(name, ACCEPTED, leg=leg, group="g") for name, leg in PROTECTION)

    partly = replace(target, status=PARTLY, filled=D(4))
    assert consequences(partly, [stop]) == (resize("stop", 6),)
    assert consequences(partly, [replace(stop, quantity=D(6))]) == ()
    both = replace(stop, status=PARTLY, quantity=D(6), filled=D(1))
    assert consequences(both, [partly]) == (resize("target", 9),)
    assert consequences(replace(partly, status=FILLED, filled=D(10)), [stop]) == (
        Cancel(id="stop", reason="OTHER_FILLED"),
    )
    assert consequences(replace(partly, status=CANCELED), [replace(stop, quantity=D(6))]) == ()


def test_a_parent_can_wake_orders_that_cancel_each_other():
    parent = linked("parent", FILLED, filled=10)
    one, two = (linked(name, NEW, 3, leg=OrderLeg.OCO, parent="parent", group="g") for name in ("one", "two"))

    assert consequences(parent, [one, two]) == (wake("one", 3), wake("two", 3))
    filled = replace(one, status=PARTLY, filled=D(1))
    assert consequences(filled, [parent, replace(two, status=ACCEPTED)]) == (Cancel(id="two", reason="OTHER_FILLED"),)


def test_a_triggered_order_waits_until_its_parent_is_filled_whole():
    parent, child = linked("parent", PARTLY, filled=5), linked("child", NEW, 3, leg=OrderLeg.OTO, parent="parent")

    assert consequences(parent, [child]) == ()
    assert consequences(replace(parent, status=FILLED), [child]) == (wake("child", 3),)
    assert consequences(replace(parent, status=FILLED), [replace(child, status=ACCEPTED)]) == ()
    assert consequences(replace(parent, status=CANCELED), [child]) == (Cancel(id="child", reason="PARENT_ENDED"),)
    assert consequences(replace(child, status=CANCELED), [parent]) == ()


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(["entry", "target", "stop", "sale"]), st.integers(1, 10)), max_size=12))
def test_a_bracket_protects_what_is_left_of_what_its_entry_has_opened(moves):
    orders = {each.id: each for each in (entry(ACCEPTED), target(NEW), stop(NEW))}
    held = D(0)
    for name, wanted in moves:
        if name == "sale":
            held = max(D(0), held - wanted)
            obey(orders, fitted(working(orders), open_in(orders), held))
            continue
        now = orders[name]
        if now.ended or now.status is NEW:
            continue
        filled = min(now.quantity, now.filled + wanted)
        if filled == now.filled:
            continue
        orders[name] = replace(now, filled=filled, status=FILLED if filled == now.quantity else PARTLY)
        opened = filled - now.filled if name == "entry" else D(0)
        held += opened or now.filled - filled
        obey(orders, consequences(orders[name], orders.values(), opened))
        assert consequences(orders[name], orders.values()) == ()
        assert held >= 0
        assert fitted(working(orders), open_in(orders), held) == ()
        left = [each.left for each in working(orders)]
        assert left == [held] * len(left)


def working(orders):
    return [orders[each] for each in ("target", "stop") if not orders[each].ended and orders[each].status is not NEW]


def open_in(orders):
    return [each.id for each in orders.values() if not each.ended]


def obey(orders, then):
    for each in then:
        if not orders[each.id].ended:
            orders[each.id] = obeyed(orders[each.id], each)


def obeyed(order, then):
    match then:
        case Wake():
            return replace(order, status=ACCEPTED, quantity=then.quantity)
        case Resize():
            return replace(order, quantity=then.quantity)
        case Cancel():
            return replace(order, status=CANCELED)


FACTS = Facts(now=at(5), prices={"BTC": D(100)}, orders={"done": FILLED, "gone": CANCELED}, values={"rsi": D(30)})


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (PriceCondition(symbol="BTC", direction=Direction.ABOVE, level=D(100)), True),
        (PriceCondition(symbol="BTC", direction=Direction.ABOVE, level=D("100.01")), False),
        (PriceCondition(symbol="BTC", direction=Direction.BELOW, level=D(100)), True),
        (PriceCondition(symbol="ETH", direction=Direction.BELOW, level=D(100)), False),
        (ValueCondition(key="rsi", direction=Direction.BELOW, level=D(30)), True),
        (ValueCondition(key="ema", direction=Direction.BELOW, level=D(30)), False),
        (TimeCondition(at=at(5)), True),
        (TimeCondition(at=at(6)), False),
        (OrderCondition(order_id="done"), True),
        (OrderCondition(order_id="gone"), False),
        (OrderCondition(order_id="gone", status=CANCELED), True),
        (OrderCondition(order_id="unknown"), False),
    ],
)
def test_a_condition_holds_when_what_is_known_meets_it_and_is_stored(condition, holds):
    assert met(condition, FACTS) is holds
    assert read(plain(condition)) == condition


def test_a_condition_on_an_order_that_ended_otherwise_is_hopeless():
    assert hopeless(OrderCondition(order_id="gone"), FACTS)
    assert not any(hopeless(OrderCondition(order_id=each), FACTS) for each in ("done", "unknown"))
    assert not hopeless(TimeCondition(at=at(6)), FACTS)


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"kind": "TEA"}, "condition.kind: must be one of PRICE, TIME, ORDER, VALUE, not 'TEA'"),
        ({"kind": "PRICE"}, "condition.symbol: must be a text of 1 to 200 characters, not None"),
        (
            {"kind": "PRICE", "symbol": "BTC", "direction": "UP"},
            "condition.direction: must be one of ABOVE, BELOW, not 'UP'",
        ),
        (
            {"kind": "VALUE", "key": "rsi", "direction": "ABOVE", "level": "x"},
            "condition.level: must be a number, not 'x'",
        ),
        (
            {"kind": "TIME", "at": "2026-11-02T12:00"},
            "condition.at: must be a time with its offset from UTC, not '2026-11-02T12:00'",
        ),
        ({"kind": "TIME", "at": 5}, "condition.at: must be a time with its offset from UTC, not 5"),
        (
            {"kind": "ORDER", "order_id": "o", "status": "DONE"},
            f"condition.status: must be one of {', '.join(OrderStatus.__members__)}, not 'DONE'",
        ),
    ],
)
def test_a_condition_that_does_not_read_names_the_field(stored, message):
    with pytest.raises(BadInput, match="condition") as refused:
        read(stored)

    assert str(refused.value) == message
