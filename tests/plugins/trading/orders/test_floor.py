"""What a message and other terms make of an account's orders, in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.core.matching.model import Bar
from plugins.trading.orders.placing import arrive
from plugins.trading.orders.rowbook import RowBook
from plugins.trading.orders.wishes import Exit
from schema.words.orders import OrderLeg, TimeInForce
from schema.words.problems import Refused
from tests.plugins.trading.engine.floorhouse import wish
from tests.plugins.trading.orders.slate import D, Slate, slate
from tests.plugins.trading.rowsof import NOON

SLIPS = {"slippage": {"kind": "BASIS_POINTS", "bps": "1000"}, "fees": {"maker": "0", "taker": "0", "least": "0"}}
"""A tenth of the price is lost by whatever takes."""


def code_of(refused: pytest.ExceptionInfo[Refused]) -> tuple[str, tuple[str, ...], str]:
    return refused.value.code, refused.value.field, refused.value.message


def test_a_replaced_order_takes_no_more_margin_than_it_could_be_placed_with():
    desk = slate(margin="MARGIN", leverage=D(100), model=SLIPS)
    (resting,) = desk.place(wish("BUY", "LIMIT", "1", limit_price="95"))

    with pytest.raises(Refused) as placed:
        desk.place(wish("BUY", "LIMIT", "99", limit_price="110"))
    with pytest.raises(Refused) as changed:
        desk.replace(resting, quantity=D(99), limit_price=D(110))

    # 99 bought at 110 are worth 100 each: 990 are lost, and a hundredth of 9900 is the margin.
    told = "The order needs a margin of 1089.00 USD, and {} is available: {} would pass."
    assert code_of(placed) == ("INSUFFICIENT_MARGIN", ("quantity",), told.format("999.05", "90.822"))
    assert code_of(changed) == ("INSUFFICIENT_MARGIN", ("quantity",), told.format("1000.00", "90.909"))
    assert desk.floor.orders[resting.id] == resting
    assert (desk.held(), desk.floor.fills) == ("0", [])


def test_what_the_refusal_of_a_replacement_says_would_pass_does_and_leaves_the_leverage_kept():
    desk = slate(margin="MARGIN", leverage=D(100), model=SLIPS)
    (resting,) = desk.place(wish("BUY", "LIMIT", "1", limit_price="95"))

    after = desk.replace(resting, quantity=D("90.909"), limit_price=D(110))

    assert (after.status, desk.held()) == ("FILLED", "90.909")
    assert D(0) <= desk.room < D("0.01")


def test_a_quantity_alone_is_judged_by_what_it_takes_at_once():
    desk = slate(margin="MARGIN", leverage=D(100), model=SLIPS)
    desk.price("100", size="1")
    (resting,) = desk.place(wish("BUY", "LIMIT", "2", limit_price="110"))
    desk.price("100")

    with pytest.raises(Refused) as refused:
        desk.replace(resting, quantity=D(100))

    # One is held at a loss of 10; 99 more would lose 990.
    assert code_of(refused) == (
        "INSUFFICIENT_MARGIN", ("quantity",),
        "The order needs a margin of 1089.00 USD, and 989.00 is available: 90.909 would pass.",
    )  # fmt: skip
    assert desk.stand(resting) == ("PARTIALLY_FILLED", "1")


def test_a_stop_that_is_touched_by_now_is_judged_by_what_it_takes_at_once():
    desk = slate(margin="MARGIN", leverage=D(100), model=SLIPS)
    (resting,) = desk.place(wish("BUY", "STOP_MARKET", "1", stop_price="104"))
    desk.price("105")

    with pytest.raises(Refused) as refused:
        desk.replace(resting, quantity=D(99))

    assert code_of(refused)[0] == "INSUFFICIENT_MARGIN"
    assert desk.stand(resting) == ("ACCEPTED", "0")


def test_a_cash_accounts_order_that_cannot_be_paid_with_its_new_terms_stays_as_it_was():
    model = {"fees": {"maker": "0", "taker": "0.01", "least": "0"}, "slippage": SLIPS["slippage"]}
    desk = slate(model=model)
    (resting,) = desk.place(wish("BUY", "STOP_MARKET", "1", stop_price="120"))
    desk.price("125")

    with pytest.raises(Refused) as refused:
        desk.replace(resting, quantity=D("7.3"))

    # A unit costs 137.5 and a hundredth of it, and not the 131.25 that would be reserved.
    assert code_of(refused) == (
        "INSUFFICIENT_FUNDS", ("quantity",),
        "The order needs 1013.79 USD, and 1000 is free: 7.2 would pass.",
    )  # fmt: skip
    assert desk.stand(resting) == ("ACCEPTED", "0")
    assert desk.floor.events[1:] == []


def test_what_a_message_cannot_fill_whole_says_what_it_can():
    desk = slate("100000")
    desk.price("99", "101", ask_size="3", bid_size="2")
    fok = {"time_in_force": TimeInForce.FOK}

    def refused(type_: str, quantity: str | None, **given: object) -> tuple[str, ...]:
        with pytest.raises(Refused) as found:
            desk.place(wish("BUY", type_, quantity, **fok, **given))  # type: ignore[arg-type]
        code, field, message = code_of(found)
        assert desk.floor.orders == {}
        return code, *field, message

    more, far = "as would IOC or GTC, which take what there is.", "Nothing is offered at 95 now: "
    assert [
        refused("MARKET", "4"),
        refused("MARKET", None, notional="404"),
        refused("LIMIT", "4", limit_price="102"),
        refused("LIMIT", "3", limit_price="95"),
        refused("LIMIT", "4", limit_price="95"),
    ] == [
        ("FOK_NOT_FILLABLE", "timeInForce", f"Only 3 of 4 is offered now: 3 would pass, {more}"),
        ("FOK_NOT_FILLABLE", "timeInForce", f"Only 3 of 4 is offered now: a notional of 303 would pass, {more}"),
        ("FOK_NOT_FILLABLE", "timeInForce", f"Only 3 of 4 is offered now: 3 would pass, {more}"),
        ("FOK_NOT_FILLABLE", "timeInForce", f"{far}a limitPrice of 101 would pass, as would GTC, which waits."),
        ("FOK_NOT_FILLABLE", "timeInForce", f"{far}3 at a limitPrice of 101 would pass, as would GTC, which waits."),
    ]
    assert desk.place(wish("BUY", "MARKET", None, notional="303", **fok))[0].filled == D(3)
    desk.floor.orders, desk.spec = RowBook(), replace(desk.spec, step=None)
    desk.price("99", "101.3", ask_size="0.33333333")
    # 0.33333333 at 101.3 are 33.766666329.
    part = f"Only 0.33333333 of 3.94866732 is offered now: a notional of 33.76 would pass, {more}"
    assert refused("MARKET", None, notional="400") == ("FOK_NOT_FILLABLE", "timeInForce", part)
    assert desk.place(wish("BUY", "MARKET", None, notional="33.76", **fok))[0].status == "FILLED"
    desk.price("99", "101", ask_size="3")
    assert desk.place(wish("BUY", "LIMIT", "3", limit_price="101", **fok))[0].filled == D(3)


def test_what_only_rests_says_the_last_price_at_which_it_does():
    desk, told = slate(), []
    desk.floor.w.account = replace(desk.floor.w.account, margin="MARGIN")
    cases = (("BUY", "101", "99", "0.01"), ("SELL", "98", "99", "0.01"), ("BUY", "101", "99", None))
    for side, limit, bid, unit in cases:
        desk.price(bid, "100.995")
        desk.spec = replace(desk.spec, tick=None if unit is None else D(unit))
        with pytest.raises(Refused) as refused:
            desk.place(wish(side, "LIMIT", "1", limit_price=limit, post_only=True))
        told.append(refused.value.message)

    assert told == [
        "limitPrice 101 would be filled at once: 100.99 would pass.",
        "limitPrice 98 would be filled at once: 99.01 would pass.",
        "limitPrice 101 would be filled at once: a price below 100.995 would pass.",
    ]
    (resting,) = desk.place(wish("SELL", "LIMIT", "1", limit_price="99.01", post_only=True))
    assert desk.stand(resting) == ("ACCEPTED", "0")


def test_a_size_that_would_pass_does_whatever_chance_makes_of_the_next_order():
    model = {"slippage": {"kind": "SIZE", "bps": "100", "jitter": "0.1", "most": "0.5"}, "fees": SLIPS["fees"]}
    for seed in range(30):
        desk = slate(model={**model, "seed": seed})
        with pytest.raises(Refused) as refused:
            desk.place(wish("BUY", "MARKET", "20"))
        passing = refused.value.message.split(": ")[1].removesuffix(" would pass.")

        assert desk.place(wish("BUY", "MARKET", passing))[0].status == "FILLED"


def test_the_same_orders_meet_the_same_prices_alike_in_each_account():
    model = {"slippage": {"kind": "SIZE", "bps": "100", "jitter": "0.01"}, "fees": SLIPS["fees"], "seed": 7}

    made = []
    for _ in range(2):
        desk = slate(model=model)
        for side in ("BUY", "BUY", "SELL"):
            desk.place(wish(side, "MARKET", "1"))
        made.append([fill.price for fill in desk.floor.fills])

    assert made[0] == made[1]
    assert len(set(made[0])) == 3


def bracket(desk: Slate, loss: Exit | None = None, profit: Exit | None = None) -> list[str]:
    """A purchase of ten at 99, whose exits wait."""
    entry = wish("BUY", "LIMIT", "10", limit_price="99", take_profit=profit, stop_loss=loss)
    return [row.id for row in desk.place(entry)]


def test_a_stop_loss_is_triggered_by_the_message_that_touches_it_while_its_entry_is_still_filled():
    desk = slate()
    entry, loss = bracket(desk, loss=Exit(stop_price=D(95)))

    for price in ("99", "97", "95", "93", "90"):
        desk.meet(price, ask_size="1", bid_size="50")

    # Three are bought by 95, the last of them by the message that sells them.
    assert desk.sold == [("3", "95")]
    assert desk.held() == "0"
    assert [desk.stand(desk.floor.orders[each]) for each in (entry, loss)] == [("CANCELED", "3"), ("FILLED", "3")]
    assert desk.floor.orders[entry].reason == "EXIT_FILLED: its position was closed"
    assert desk.floor.cash["USD"] == D("994")


def test_a_stop_loss_that_finds_few_buyers_goes_on_selling_while_its_entry_is_still_filled():
    desk = slate()
    entry, loss = bracket(desk, loss=Exit(stop_price=D(95)))

    for price in ("99", "98", "97", "95", "94"):
        desk.meet(price, ask_size="1", bid_size="3")

    # What was triggered goes before a limit: with the fourth sold nothing is bought any more.
    assert desk.sold == [("3", "95"), ("1", "94")]
    assert [desk.stand(desk.floor.orders[each]) for each in (entry, loss)] == [("CANCELED", "4"), ("FILLED", "4")]


def test_a_trailing_stop_follows_and_is_triggered_while_its_entry_is_still_filled():
    desk = slate()
    _, loss = bracket(desk, loss=Exit(trail_amount=D(3)))

    for bid in ("95", "97", "98", "96", "95"):
        desk.meet(bid, "99", ask_size="1", bid_size="50")

    # It follows to 98, and stands at 95.
    assert desk.floor.orders[loss].trail_extreme == D(98)
    assert desk.sold == [("5", "95")]


def test_a_take_profit_is_filled_by_the_message_that_also_fills_its_entry():
    desk = slate()
    entry, profit = bracket(desk, profit=Exit(limit_price=D(102)))
    desk.meet("98", "99", ask_size="2", bid_size="1")

    # A crossed quote: both sides take.
    desk.meet("102", "99", ask_size="1", bid_size="50")

    assert desk.sold == [("3", "102")]
    assert [desk.stand(desk.floor.orders[each]) for each in (entry, profit)] == [("CANCELED", "3"), ("FILLED", "3")]


def test_against_a_bar_an_exit_sells_no_more_than_it_protected_before_the_bar():
    desk = slate(model={**SLIPS, "source": "BARS", "slippage": {"kind": "NONE"}})
    entry, profit = bracket(desk, profit=Exit(limit_price=D(102)))

    def bar(volume: str) -> None:
        """From 100 to 98, to 103, and back."""
        desk.price("100")
        start = desk.floor.now
        desk.floor.now += timedelta(minutes=1)
        made = Bar(
            start=start, end=desk.floor.now, open=D(100), high=D(103), low=D(98), close=D(100), volume=D(volume)
        )  # fmt: skip
        desk.tick = replace(desk.tick, at=desk.floor.now, as_of=desk.floor.now, bar=made)
        desk.floor.take(desk.floor.round([row for row in desk.floor.open if row.accepted_at], desk.ground.market))

    bar("6")
    bar("50")

    # The four that the second bar buys may have come after its high.
    assert desk.sold == [("6", "102")]
    stood = [desk.stand(desk.floor.orders[each]) for each in (entry, profit)]
    assert stood == [("FILLED", "10"), ("PARTIALLY_FILLED", "6")]
    bar("50")
    assert (desk.held(), desk.stand(desk.floor.orders[profit])) == ("0", ("FILLED", "10"))


def test_a_trailing_stop_follows_while_the_take_profit_beside_it_is_filled():
    desk = slate()
    desk.place(wish("BUY", "MARKET", "5"))
    protects = {"group": "grp_1", "leg": OrderLeg.TAKE_PROFIT}
    desk.place(wish("SELL", "LIMIT", "5", limit_price="105", reduce_only=True), **protects)
    trails = wish("SELL", "TRAILING_STOP", "5", trail_amount="5", reduce_only=True)
    (loss,) = desk.place(trails, group="grp_1", leg=OrderLeg.STOP_LOSS)

    desk.meet("108", size="1")
    desk.meet("112", size="1")
    desk.meet("104", size="50")

    # From 112 it stands at 107: below that all that is left is sold.
    assert desk.sold == [("1", "108"), ("1", "112"), ("3", "104")]
    assert desk.stand(loss) == ("FILLED", "3")


def test_what_only_reduces_is_bounded_by_what_is_held_and_not_by_a_purchase_that_was_refused():
    desk = slate(margin="MARGIN", leverage=D(5), model=SLIPS)
    desk.place(wish("BUY", "LIMIT", "4", limit_price="100"))
    (reduces,) = desk.place(wish("SELL", "STOP_MARKET", "4", stop_price="90", reduce_only=True))
    desk.floor.put(replace(desk.floor.orders[reduces.id], quantity=D(9)))
    desk.place(wish("BUY", "STOP_MARKET", "5", stop_price="101"))
    # The money is gone by the time that the stop is touched.
    desk.floor.cash["USD"] = D(-390)

    desk.meet("90", "101")

    assert [fill.quantity for fill in desk.floor.fills] == [D(4), D(4)]
    assert desk.held() == "0"


PRICES = st.sampled_from(["80", "90", "99", "100", "101", "110", "120"])
SIZES = st.sampled_from(["1", "9", "28", "95", "190", "300"])
SIDES = st.sampled_from(["BUY", "SELL"])
ACTS = st.one_of(
    st.tuples(st.just("tick"), PRICES, st.sampled_from(["0", "0.01", "1", "4"]), st.sampled_from([None, "0.5", "20"])),
    st.tuples(
        st.just("place"), SIDES, st.sampled_from(["MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT", "TRAILING_STOP"]),
        SIZES, PRICES, PRICES, st.booleans(),
    ),
    st.tuples(st.just("replace"), st.integers(0, 9), SIZES, PRICES, PRICES),
    st.tuples(st.just("protect"), SIZES, PRICES, PRICES),
    st.tuples(st.just("follow"), SIDES, SIZES, PRICES, SIDES, SIZES),
    st.tuples(st.just("wait"), SIDES, SIZES),
    st.tuples(st.just("come")),
)  # fmt: skip
"""What is done with an account; what is refused is left out."""


def act(desk: Slate, doing: tuple[object, ...]) -> None:
    match doing:
        case "tick", str() as bid, str() as spread, size:
            desk.meet(bid, format(D(bid) + D(spread), "f"), size)  # type: ignore[arg-type]
        case "place", str() as side, str() as type_, str() as size, str() as limit, str() as stop, bool() as exits:
            more = {"limit_price": limit} if type_.endswith("LIMIT") else {}
            more |= {"stop_price": stop} if type_.startswith("STOP") else {}
            more |= {"trail_amount": "2"} if type_ == "TRAILING_STOP" else {}
            lost = Exit(stop_price=D(70 if side == "BUY" else 140)) if exits else None
            desk.place(wish(side, type_, size, stop_loss=lost, **more))
        case "replace", int() as number, str() as size, str() as limit, str() as stop:
            open_ = desk.floor.open
            if open_:
                row = open_[number % len(open_)]
                terms = {"quantity": D(size)}
                terms |= {"limit_price": D(limit)} if row.limit_price else {}
                terms |= {"stop_price": D(stop)} if row.stop_price else {}
                desk.replace(row, **terms)
        case "follow", str() as side, str() as size, str() as limit, str() as then, str() as more_:
            (first,) = desk.place(wish(side, "LIMIT", size, limit_price=limit))
            desk.place(wish(then, "MARKET", more_), parent=first.id)
            desk.floor.follow(first.id, desk.ground.market)
        case "wait", str() as side, str() as size:
            desk.place(wish(side, "MARKET", size, condition={"kind": "TIME", "at": NOON.isoformat()}))
        case ("come",):
            for row in [each for each in desk.floor.open if each.condition is not None]:
                arrive(desk.floor, desk.ground, row)
        case "protect", str() as size, str() as limit, str() as stop:
            side = "SELL" if desk.floor.held("crypto:BTC/USD") > 0 else "BUY"
            how = {"group": f"grp_{len(desk.floor.orders)}"}
            profit = wish(side, "LIMIT", size, limit_price=limit, reduce_only=True)
            loss = wish(side, "STOP_MARKET", size, stop_price=stop, reduce_only=True)
            desk.place(profit, leg=OrderLeg.TAKE_PROFIT, **how)
            desk.place(loss, leg=OrderLeg.STOP_LOSS, **how)


@settings(max_examples=60, deadline=None)
@example(
    lends=True, leverage=100, bps="1000", fee="0",
    course=[("place", "BUY", "LIMIT", "1", "90", "90", False), ("replace", 0, "95", "110", "90")],
)  # fmt: skip
@given(
    lends=st.sampled_from([True, True, False]),
    leverage=st.sampled_from([3, 100]),
    bps=st.sampled_from(["0", "1000"]),
    fee=st.sampled_from(["0", "0.02"]),
    course=st.lists(ACTS, min_size=10, max_size=30),
)
def test_whatever_is_ordered_no_fill_passes_the_leverage(lends, leverage, bps, fee, course):
    model = {
        "slippage": {"kind": "BASIS_POINTS", "bps": bps}, "fees": {"maker": "0", "taker": fee, "least": "0"},
        "collar_bps": None,
    }  # fmt: skip
    account: dict[str, Any] = {"margin": "MARGIN", "leverage": D(leverage)} if lends else {}
    desk = slate(model=model, **account)
    rooms = list[tuple[Decimal, Decimal]]()
    book = desk.floor._fill

    def judged(*given):
        """Of what opens: the room before and after, at the moment of the fill."""
        held, before = desk.floor.held("crypto:BTC/USD"), desk.room
        after = book(*given)
        now = desk.floor.held("crypto:BTC/USD")
        if now and (not held or (held > 0) != (now > 0) or abs(now) > abs(held)):
            rooms.append((before, desk.room))
        return after

    desk.floor._fill = judged  # type: ignore[method-assign]
    for doing in course:
        try:
            act(desk, doing)
        except Refused:
            continue

    # A cash account's room is its cash.
    assert [each for each in rooms if each[1] < min(D(0), each[0]) - D("0.02")] == []
