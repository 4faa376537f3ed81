"""The size that a refusal names passes: with what is filled, in money where it was given so, beside the exits."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from plugins.trading.orders.wishes import Exit
from schema.words.problems import Refused
from tests.plugins.trading.engine.floorhouse import wish as wish_of
from tests.plugins.trading.orders.pit import BTC, FREE, PERP, PLACE, REPLACE, Pit, wish
from tests.plugins.trading.orders.slate import FREE as NO_FEES
from tests.plugins.trading.orders.slate import D, Slate, slate

SHORT, INCREASE = "SHORT_NOT_ALLOWED", "REDUCE_ONLY_WOULD_INCREASE"


def named(message: str, words: str = "would pass") -> str:
    found = re.search(rf"([\d.]+) {words}", message)
    assert found is not None, message
    return found[1]


def refused(act: Callable[[], Any]) -> tuple[str, tuple[str, ...], str]:
    with pytest.raises(Refused) as found:
        act()
    return found.value.code, found.value.field, found.value.message


@pytest.mark.parametrize("reduces", [True, False])
async def test_of_what_is_filled_in_part_the_greatest_quantity_counts_that(pit: Pit, reduces: bool):
    await pit.place("BUY", "MARKET", "10")
    order = (await pit.place("SELL", "LIMIT", "10", limitPrice="105", reduceOnly=reduces))["order"]["id"]
    pit.price("105", "106", size="8")
    await pit.tick()
    pit.price("100", "101")

    found = await pit.refused(REPLACE, orderId=order, quantity="50")
    moved = await pit.do(REPLACE, orderId=order, quantity="10", limitPrice="106")
    more = await pit.refused(REPLACE, orderId=order, quantity="10.001")

    told = {
        True: f"The account holds 2 of {BTC}: to sell 42 would not only reduce it; with the 8 that are filled, at most "
        "10 passes.",
        False: f"A cash account sells only what it has: of {BTC} 2 is free, not 42: with the 8 that are filled, 10 "
        "would pass.",
    }[reduces]  # fmt: skip
    assert found == (INCREASE if reduces else SHORT, "input.quantity", told)
    assert (moved["order"]["status"], moved["order"]["quantity"]) == ("PARTIALLY_FILLED", "10")
    assert more[:2] == found[:2]


def test_no_greater_quantity_is_named_that_the_instrument_is_not_traded_in():
    desk = holding("1.25")
    (sale,) = desk.place(wish_of("SELL", "LIMIT", "0.9", limit_price="105"))
    desk.place(wish_of("SELL", "LIMIT", "0.1", limit_price="115"))
    desk.meet("105", size="0.5")

    found = refused(lambda: desk.replace(sale, quantity=D(3)))

    told = f"A cash account sells only what it has: of {BTC} 0.65 is free, not 2.5."
    assert found == (SHORT, ("quantity",), told)


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        ({"type": "MARKET"}, SHORT,
         f"A cash account sells only what it has: of {BTC} 1 is free, not 5.05: a notional of 99 would pass."),
        ({"type": "LIMIT", "limitPrice": "105"}, SHORT,
         f"A cash account sells only what it has: of {BTC} 1 is free, not 4.761: a notional of 105 would pass."),
        ({"type": "MARKET", "reduceOnly": True}, INCREASE,
         f"The account holds 1 of {BTC}: to sell 5.05 would not only reduce it; at most a notional of 99 passes."),
        ({"type": "STOP_MARKET", "stopPrice": "90", "reduceOnly": True}, INCREASE,
         f"The account holds 1 of {BTC}: to sell 5.555 would not only reduce it; at most a notional of 90 passes."),
        ({"type": "MARKET", "symbol": FREE}, SHORT,
         f"A cash account sells only what it has: of {FREE} 1 is free, not 5.05: a notional of 99 would pass."),
        ({"type": "MARKET", "symbol": PERP, "accountId": "tacc_2", "reduceOnly": True}, INCREASE,
         f"The account holds 1 of {PERP}: to sell 5.05 would not only reduce it; at most a notional of 99 passes."),
    ],
)  # fmt: skip
async def test_of_an_order_that_was_sized_by_money_what_passes_is_told_in_money(
    pit: Pit, given: dict[str, Any], code: str, told: str
):
    where = {name: given[name] for name in ("symbol", "accountId") if name in given}
    await pit.place("BUY", "MARKET", "1", **where)
    terms = {name: value for name, value in given.items() if name != "type"}
    asked = wish("SELL", given["type"], None, **terms)

    found = await pit.refused(PLACE, **asked, notional="500")
    assert found == (code, "input.notional", told)
    placed = await pit.do(PLACE, **asked, notional=named(told, "(?:would pass|passes)"))

    assert placed["order"]["quantity"] == "1"


def holding(quantity: str, least_worth: str | None = None) -> Slate:
    """An account that holds so much of an instrument whose sizes have come to be coarser."""
    desk = slate(bid="99")
    desk.spec = replace(desk.spec, step=None)
    desk.place(wish_of("BUY", "MARKET", quantity))
    desk.spec = replace(desk.spec, step=D("0.1"), min_notional=D(least_worth) if least_worth else None)
    return desk


def test_where_no_sum_comes_to_a_size_that_passes_the_quantity_does():
    desk = holding("0.15", "10")
    asked = wish_of("SELL", "MARKET", None, notional="50")

    short = refused(lambda: desk.place(asked))
    increase = refused(lambda: desk.place(replace(asked, reduce_only=True)))
    (sold,) = desk.place(wish_of("SELL", "MARKET", "0.15", reduce_only=True))

    assert short == (
        SHORT, ("notional",), f"A cash account sells only what it has: of {BTC} 0.15 is free, not 0.5."
    )  # fmt: skip
    assert increase == (
        INCREASE, ("notional",),
        f"The account holds 0.15 of {BTC}: to sell 0.5 would not only reduce it; at most a quantity of 0.15 passes.",
    )  # fmt: skip
    assert sold.status == "FILLED"


def test_a_sum_for_what_is_held_beside_the_steps_comes_to_the_steps_of_it():
    desk = holding("1.25")

    found = refused(lambda: desk.place(wish_of("SELL", "MARKET", None, notional="500", reduce_only=True)))
    (sold,) = desk.place(wish_of("SELL", "MARKET", None, notional="123.75", reduce_only=True))

    assert found[1:] == (
        ("notional",),
        f"The account holds 1.25 of {BTC}: to sell 5 would not only reduce it; at most a notional of 123.75 passes.",
    )
    assert (sold.status, sold.quantity) == ("FILLED", D("1.2"))


async def test_other_terms_of_what_was_sized_by_money_are_told_in_quantities(pit: Pit):
    order = (await pit.place("BUY", "LIMIT", None, notional="9000", limitPrice="90"))["order"]["id"]

    found = await pit.refused(REPLACE, orderId=order, limitPrice="105")
    moved = await pit.do(REPLACE, orderId=order, limitPrice="105", quantity=named(found[2]))

    assert found == (
        "INSUFFICIENT_FUNDS", "input.quantity",
        "The order needs 10102.02 USD, and 10000 is free: 98.99 would pass.",
    )  # fmt: skip
    assert (moved["order"]["status"], moved["order"]["notional"]) == ("FILLED", None)


def short_entry(cash: str) -> Any:
    """A purchase of one that has bought back half of 0.9; of what is left of it 0.1 opens."""
    desk = slate("200", margin="MARGIN", leverage=D(1))
    desk.place(wish_of("SELL", "MARKET", "0.9"))
    entry, loss = desk.place(wish_of("BUY", "LIMIT", "1", limit_price="99", stop_loss=Exit(stop_price=D(80))))
    desk.meet("98", "99", size="0.5")
    desk.floor.cash["USD"] = D(cash)
    return desk, entry, loss


def test_an_entry_that_has_closed_in_part_is_told_no_size_that_leaves_its_exits_nothing():
    desk, entry, loss = short_entry("45")

    found = refused(lambda: desk.replace(entry, quantity=D(3)))
    desk.cancel(loss)
    bare = refused(lambda: desk.replace(entry, quantity=D(3)))

    assert found[2].endswith("is available: pay in, `accountConvert`, or close something.")
    assert bare[2].endswith("is available: 0.9 would pass.")
    assert desk.replace(entry, quantity=D("0.9")).quantity == D("0.9")


def test_an_entry_that_has_closed_in_part_is_told_the_greatest_size_that_opens():
    desk, entry, _ = short_entry("100")

    found = refused(lambda: desk.replace(entry, quantity=D(3)))
    size = named(found[2])

    assert D(size) > D("0.9")
    assert desk.replace(entry, quantity=D(size)).quantity == D(size)


@pytest.mark.parametrize(
    ("exits", "told"),
    [
        ({"takeProfit": {"limitPrice": "98"}}, "the best price is 101: use GTC, which waits."),
        ({"takeProfit": {"limitPrice": "99.01"}}, "a limitPrice of 101 would pass, as would GTC, which waits."),
    ],
)
async def test_no_price_is_named_that_an_exit_lies_on_the_wrong_side_of(pit: Pit, exits: Any, told: str):
    asked = wish("BUY", "LIMIT", timeInForce="FOK", **exits)

    found = await pit.refused(PLACE, **asked, limitPrice="95")
    waits = await pit.do(PLACE, **asked | {"timeInForce": "GTC"}, limitPrice="95")

    assert found[0] == "FOK_NOT_FILLABLE"
    assert found[2].endswith(told)
    assert waits["order"]["status"] == "ACCEPTED"


@pytest.mark.parametrize(("stop", "told"), [("99.99", "move it away from the market"), ("99.98", "99.99 would pass")])
def test_no_resting_price_is_named_that_a_stop_lies_at(stop: str, told: str):
    desk = slate()
    desk.price("100")
    asked = wish_of("BUY", "LIMIT", "1", limit_price="100", post_only=True, stop_loss=Exit(stop_price=D(stop)))

    found = refused(lambda: desk.place(asked))

    assert found[2] == f"limitPrice 100 would be filled at once: {told}."


def test_a_sale_that_is_filled_in_part_names_a_greater_size_that_pays_for_its_fee():
    desk = slate("1000", model=NO_FEES)
    desk.place(wish_of("BUY", "MARKET", "10"))
    (sale,) = desk.place(wish_of("SELL", "LIMIT", "10", limit_price="105"))
    desk.meet("105", size="8")
    desk.price("105")
    desk.floor.cash["USD"] = D(0)
    desk.floor.w.account = replace(desk.floor.w.account, model={"fees": {"maker": "0", "taker": "0", "least": "5"}})

    found = refused(lambda: desk.replace(sale, quantity=D("8.01")))

    assert found == (
        "INSUFFICIENT_FUNDS", ("quantity",),
        "The sale costs 3.95 USD more than it brings, and 0 is free: 8.048 would pass.",
    )  # fmt: skip
    assert desk.replace(sale, quantity=D("8.048")).status == "FILLED"
