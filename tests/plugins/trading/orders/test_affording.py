"""What an order takes of an account: to the cent where it is filled at once, its reserve where it rests."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_UP, Decimal
from typing import Any

import pytest

from gateway.core.matching.model import ExecutionModel, Fees, Slippage
from plugins.trading.orders.affording import _edge
from plugins.trading.orders.market import Market
from plugins.trading.orders.reckoning import Reserves
from plugins.trading.orders.wishes import Wish
from plugins.trading.rows import OrderRow
from schema.words.orders import SlippageKind
from schema.words.problems import Refused
from tests.plugins.trading.engine.floorhouse import wish as wish_of
from tests.plugins.trading.orders.pit import BTC, CLOSE, FREE, PLACE, REPLACE, D, Pit, wish
from tests.plugins.trading.orders.slate import Slate, slate

PREVIEW = "query($i: OrderPlaceInput!) { r: orderPreview(input: $i) { userErrors { field code message } } }"


async def standing(pit: Pit, account: str) -> dict[str, Decimal]:
    document = "query($id: ID!) { tradingAccount(id: $id) { standing { equity marginUsed marginAvailable } } }"
    found = (await pit.see(document, id=account))["standing"]
    return {name: D(value) for name, value in found.items()}


async def test_all_cash_is_spent_by_what_the_refusal_of_one_step_more_says(pit: Pit):
    whole = wish("BUY", "MARKET", "98.991")

    told = await pit.refused(PLACE, **whole)
    placed = await pit.do(PLACE, **wish("BUY", "MARKET", None, notional="9998"))

    assert told[2] == "The order needs 10000.09 USD, and 10000 is free: 98.99 would pass."
    assert (placed["order"]["status"], placed["order"]["quantity"]) == ("FILLED", "98.99")
    # 98.99 at 101, and 0.02 % of that.
    assert await pit.held() == ("0.01", "0")
    assert await pit.findings() == []


async def test_slippage_and_fees_are_in_the_greatest_that_would_pass(pit: Pit):
    model = ExecutionModel(
        fees=Fees(maker=D(0), taker=D("0.01"), fixed=D(5)),
        slippage=Slippage(kind=SlippageKind.BASIS_POINTS, bps=D(100)),
    )
    await pit.open("tacc_dear", model=model.plain())

    dear = {"accountId": "tacc_dear"}
    told = await pit.refused(PLACE, **wish("BUY", "MARKET", None, notional="9990", **dear))
    passed = await pit.refused(PLACE, **wish("BUY", "MARKET", "97.011", **dear))
    placed = await pit.place("BUY", "MARKET", "97.01", **dear)

    # 102.01 a unit, 1 % of that, and 5: (10000 - 5) / 103.0301 = 97.0105...; of the step 0.001.
    assert told[:2] == ("INSUFFICIENT_FUNDS", "input.notional")
    assert placed["order"]["status"] == "FILLED"
    assert passed[2].endswith("97.01 would pass.")


async def test_what_is_filled_at_once_counts_by_its_price_and_what_rests_by_its_reserve(pit: Pit):
    pit.price("99", "101", size="50")

    told = await pit.refused(PLACE, **wish("BUY", "MARKET", "98"))
    placed = await pit.place("BUY", "MARKET", "96")

    # 50 at 101 with 1.01 of fee; the other 48 are reserved for at 106.05 each, 1.02 with the fee.
    assert told[0] == "INSUFFICIENT_FUNDS"
    assert (placed["order"]["status"], placed["order"]["filledQuantity"]) == ("PARTIALLY_FILLED", "50")
    cash, reserved = await pit.held()
    assert (cash, D(reserved) <= D(cash)) == ("4948.99", True)


async def test_a_margin_account_is_left_with_no_less_than_nothing(pit: Pit):
    await pit.open("tacc_poor", "100", margin="MARGIN", leverage=D(5))
    poor = {"accountId": "tacc_poor"}

    await pit.place("SELL", "MARKET", "4.757", **poor)
    left = await standing(pit, "tacc_poor")
    told = await pit.refused(PLACE, **wish("SELL", "MARKET", "0.2", **poor))
    await pit.do(CLOSE, accountId="tacc_poor", symbol=BTC)

    # Sold at 99 what is worth 100: the mark takes 4.757, the fee 0.09, the margin a fifth of 475.7.
    assert left == {"equity": D("95.15"), "marginUsed": D("95.14"), "marginAvailable": D("0.01")}
    assert told[0] == "INSUFFICIENT_MARGIN"
    assert await pit.positions("tacc_poor") == {}


async def test_what_closes_takes_nothing_and_what_turns_takes_what_it_opens(pit: Pit):
    await pit.open("tacc_poor", "100", margin="MARGIN", leverage=D(5))
    poor = {"accountId": "tacc_poor"}
    await pit.place("BUY", "MARKET", "4.7", **poor)

    turned = await pit.place("SELL", "MARKET", "8", **poor)

    assert turned["order"]["status"] == "FILLED"
    assert await pit.positions("tacc_poor") == {BTC: "-3.3"}
    assert (await standing(pit, "tacc_poor"))["marginAvailable"] > 0


async def test_a_position_is_turned_in_one_order_where_the_book_is_thinner_than_the_order(pit: Pit):
    await pit.open("tacc_poor", "1000", margin="MARGIN", leverage=D(5))
    poor = {"accountId": "tacc_poor"}
    pit.price("100", "100")
    await pit.place("BUY", "MARKET", "48", **poor)
    pit.price("100", "100", size="40")

    turns = (await pit.place("SELL", "MARKET", "87", **poor))["order"]

    assert (turns["status"], turns["filledQuantity"]) == ("PARTIALLY_FILLED", "40")
    # 8 of the 47 that are left close still; 39 at 100 and half the collar more: a fifth of it, and 0.02 % of fee.
    assert turns["reserved"] == "819.82"


async def test_an_order_that_waits_reserves_as_before(pit: Pit):
    placed = await pit.place("BUY", "LIMIT", "98.9", limitPrice="98")
    raised = await pit.do(REPLACE, orderId=placed["order"]["id"], limitPrice="100")

    assert (placed["order"]["reserved"], raised["order"]["reserved"]) == ("9694.14", "9891.98")
    assert (await pit.refused(REPLACE, orderId=placed["order"]["id"], quantity="100"))[2] == (
        "The order needs 10002 USD, and 10000 is free: 99.98 would pass."
    )


async def test_a_sale_that_costs_more_than_it_brings_is_refused_and_never_half_booked(pit: Pit):
    least = {"fees": {"maker": "0", "taker": "0", "least": "5"}}
    await pit.open("tacc_bare", "106", model=least)
    bare = {"accountId": "tacc_bare", "symbol": FREE}
    await pit.place("BUY", "MARKET", "1", **bare)

    told = await pit.refused(PLACE, **wish("SELL", "MARKET", "0.01", **bare))
    notional = await pit.refused(PLACE, **wish("SELL", "MARKET", None, notional="1", **bare))
    seen = (await pit.see(PREVIEW, i=wish("SELL", "MARKET", "0.01", **bare)))["userErrors"]
    resting = await pit.place("SELL", "LIMIT", "0.01", limitPrice="105", **bare)
    pit.price("106", "107", FREE)
    await pit.tick("tacc_bare", FREE)
    await pit.place("SELL", "MARKET", "0.051", **bare)

    # 0.01 at 99 brings 0.99, and costs 5.
    assert told == (
        "INSUFFICIENT_FUNDS", "input.quantity",
        "The sale costs 4.01 USD more than it brings, and 0 is free: 0.051 would pass.",
    )  # fmt: skip
    assert notional[1:] == (
        "input.notional",
        "The sale costs 4.01 USD more than it brings, and 0 is free: a notional of 5.049 would pass.",
    )
    assert seen == [{"field": ["input", "quantity"], "code": told[0], "message": told[2]}]
    ended = await pit.order(resting["order"]["id"])
    assert (ended["status"], ended["reason"]) == (
        "REJECTED", "INSUFFICIENT_FUNDS: its fill costs 3.94 USD more than it brings, and 0 is free",
    )  # fmt: skip
    assert await pit.positions("tacc_bare") == {FREE: "0.949"}
    assert await pit.findings() == []


@pytest.mark.parametrize("most", [0, 1, 2, 3, 999, 12_345, 10**20])
def test_the_edge_of_what_passes_is_found_exactly_from_either_side(most: int):
    assert _edge(lambda count: D(count - most), 0, 10**21) == most
    assert _edge(lambda count: D(most - count), 10**21, -1) == most
    assert _edge(lambda count: None if count > most else D(0), 0, 10**21) == most


@pytest.mark.parametrize(
    ("taken", "free", "most", "looks"),
    [
        (lambda count: D(count) * D("0.101"), D("9366.25"), 92_735, 4),
        (lambda count: max(D(0), D(count - 70_000) * D("0.101")), D("9366.25"), 162_735, 9),
        # Rounded to cents that hold thousands of them.
        (lambda count: (D(count) / 10_000).quantize(D("0.01"), ROUND_UP), D("500.01"), 5_000_100, 17),
    ],
)  # fmt: skip
def test_it_is_found_in_few_looks(taken: Callable[[int], Decimal], free: Decimal, most: int, looks: int):
    looked = list[int]()

    def excess(count: int) -> Decimal:
        looked.append(count)
        return taken(count) - free

    assert _edge(excess, 0, 10**9) == most
    assert len(looked) == looks


@pytest.mark.parametrize(("type_", "limit"), [("MARKET", None), ("LIMIT", "99"), ("LIMIT", "101")])
def test_among_many_open_orders_the_greatest_size_is_named_exactly(type_: str, limit: str | None):
    desk = slate("2000", margin="MARGIN", leverage=D(2), model={"slippage": {"kind": "BASIS_POINTS", "bps": "7"}})
    desk.price("99.9", "100.1", ask_size="7", bid_size="7")
    desk.place(wish_of("SELL", "MARKET", "5"))
    for number in range(130):
        desk.place(wish_of("BUY", "LIMIT", "0.1", limit_price=f"{80 + number % 10}"))

    def asked(quantity: str) -> Wish:
        return wish_of("BUY", type_, quantity, **({} if limit is None else {"limit_price": limit}))

    with pytest.raises(Refused) as refused:
        desk.place(asked("5000"))
    size = re.findall(r"([\d.]+) would pass", refused.value.message)[0]
    with pytest.raises(Refused) as more:
        desk.place(asked(f"{D(size) + D('0.001')}"))
    (placed,) = desk.place(asked(size))

    assert more.value.message.endswith(f": {size} would pass.")
    assert (placed.open or placed.status == "FILLED", f"{placed.quantity:f}") == (True, size)


def crowded() -> Slate:
    """Short of 50, which 200 purchases are to close."""
    desk = slate("10000", model={}, margin="MARGIN", leverage=D(3))
    desk.place(wish_of("SELL", "MARKET", "50"))
    for _ in range(200):
        desk.place(wish_of("BUY", "LIMIT", "0.2", limit_price="90"))
    return desk


@pytest.mark.parametrize(
    ("act", "passes"),
    [
        (lambda desk, size: desk.place(wish_of("BUY", "MARKET", size)), "313.721"),
        (lambda desk, size: desk.replace(desk.floor.open[0], quantity=D(size)), "287.735"),
        (lambda desk, size: desk.replace(desk.floor.open[0], quantity=D(size), limit_price=D(101)), "313.901"),
    ],
)  # fmt: skip
def test_to_name_what_passes_each_open_order_is_reckoned_a_few_times(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[Slate, str], Any], passes: str
):
    desk, counted, reckon = crowded(), list[str](), Reserves.of

    def of(self: Reserves, row: OrderRow, market: Market, opens: Decimal) -> Decimal:
        counted.append(row.id)
        return reckon(self, row, market, opens)

    monkeypatch.setattr(Reserves, "of", of)

    with pytest.raises(Refused) as refused:
        act(desk, "1000000000000000000")

    assert refused.value.message.endswith(f": {passes} would pass.")
    assert len(counted) < 6 * 200
    monkeypatch.undo()
    with pytest.raises(Refused):
        act(desk, format(D(passes) + D("0.001"), "f"))
    act(desk, passes)


async def test_an_order_that_takes_nothing_passes_where_less_than_nothing_is_available(pit: Pit):
    account = await pit.open("tacc_m", "100", margin="MARGIN", leverage=D(10), model=ExecutionModel().plain())
    await pit.place("BUY", "MARKET", "9", accountId=account)
    pit.price("80", "81")

    closes = await pit.place("SELL", "LIMIT", "9", accountId=account, limitPrice="90")

    assert closes["order"]["status"] == "ACCEPTED"


async def test_the_size_that_a_refusal_names_is_one_that_a_fill_or_kill_can_be_filled_with(pit: Pit):
    account = await pit.open("tacc_m", "1000", margin="MARGIN", leverage=D(1))
    pit.price("99", "100", size="4")

    asked = wish("BUY", "LIMIT", "50", accountId=account, limitPrice="100", timeInForce="FOK")
    told = (await pit.refused(PLACE, **asked))[2]
    size = re.search(r"([\d.]+) would pass", told)
    again = None if size is None else await pit.place(
        "BUY", "LIMIT", size[1], accountId=account, limitPrice="100", timeInForce="FOK"
    )  # fmt: skip

    assert (again and again["order"]["status"], told) == ("FILLED", told)


async def test_a_size_of_an_entry_that_would_leave_nothing_for_its_exits_is_not_told_to_pass(pit: Pit):
    """0.3 is asked for: as much as is held, so that no more than that would be sold."""
    await pit.place("BUY", "MARKET", "0.3", accountId="tacc_2")
    asked = {"accountId": "tacc_2", "limitPrice": "99", "timeInForce": "FOK", "takeProfit": {"limitPrice": "90"}}
    pit.price("99", "101", size="0.3")

    bare = await pit.refused(PLACE, **wish("SELL", "LIMIT", "5", **asked | {"takeProfit": None}))
    bracket = await pit.refused(PLACE, **wish("SELL", "LIMIT", "5", **asked))
    pit.price("99", "101", size="0.4")
    larger = await pit.refused(PLACE, **wish("SELL", "LIMIT", "5", **asked))
    placed = await pit.place("SELL", "LIMIT", "0.4", **asked)

    rest = "which take what there is."
    assert [bare, bracket, larger] == [
        ("FOK_NOT_FILLABLE", "input.timeInForce",
         f"Only 0.3 of 5 is offered now: 0.3 would pass, as would IOC or GTC, {rest}"),
        ("FOK_NOT_FILLABLE", "input.timeInForce", f"Only 0.3 of 5 is offered now: use IOC or GTC, {rest}"),
        ("FOK_NOT_FILLABLE", "input.timeInForce",
         f"Only 0.4 of 5 is offered now: 0.4 would pass, as would IOC or GTC, {rest}"),
    ]  # fmt: skip
    assert placed["order"]["status"] == "FILLED"
