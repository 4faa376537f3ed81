"""Sizes, prices and sums as great as the form takes: an order or a refusal in words, never a fault."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plugins.trading.orders.pit import CLOSE, PERP, PLACE, REPLACE, VAST, D, Pit, open_pit, wish
from tests.plugins.trading.orders.test_affording import PREVIEW

GREATEST = "1" + "0" * 18
TOO_GREAT = "9" * 30
TOLD = "must be at most 1000000000000000000."
SCHEDULE = """mutation($i: OrderScheduleCreateInput!) {
  r: orderScheduleCreate(input: $i) { orderSchedule { id } userErrors { field code message } } }"""
HEDGE = """mutation($i: HedgeExecuteInput!) {
  r: hedgeExecute(input: $i) { hedge { id } userErrors { field code message } } }"""


@pytest.mark.parametrize(("account", "lacking"), [("tacc_1", "INSUFFICIENT_FUNDS"), ("tacc_2", "INSUFFICIENT_MARGIN")])
@pytest.mark.parametrize(
    "given",
    [
        wish("BUY", "LIMIT", GREATEST, limitPrice="80"),
        wish("BUY", "LIMIT", GREATEST, limitPrice=GREATEST),
        wish("BUY", "MARKET", GREATEST),
        wish("BUY", "MARKET", None, notional=GREATEST),
        wish("BUY", "LIMIT", None, notional=GREATEST, limitPrice="80"),
        wish("BUY", "STOP_MARKET", "0.01", stopPrice=GREATEST),
        wish("BUY", "STOP_LIMIT", "0.01", stopPrice=GREATEST, limitPrice=GREATEST),
        wish("BUY", "TRAILING_STOP", GREATEST, trailPercent="1"),
    ],
)
async def test_the_greatest_order_is_refused_for_what_the_account_lacks(
    pit: Pit, account: str, lacking: str, given: dict[str, Any]
) -> None:
    await pit.open("tacc_3", margin="MARGIN", leverage=D(5), model={"collar_bps": None})
    await pit.open("tacc_4", model={"collar_bps": None})
    asked = given | {"symbol": VAST, "accountId": {"tacc_1": "tacc_4", "tacc_2": "tacc_3"}[account]}

    code, field, _ = await pit.refused(PLACE, **asked)
    previewed = await pit.see(PREVIEW, i=asked)

    assert (code, field) == (lacking, "input.notional" if "notional" in given else "input.quantity")
    assert [each["code"] for each in previewed["userErrors"]] == [lacking]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (wish("BUY", "MARKET", TOO_GREAT), "quantity"),
        (wish("BUY", "MARKET", None, notional=TOO_GREAT), "notional"),
        (wish("BUY", "LIMIT", "1", limitPrice=TOO_GREAT), "limitPrice"),
        (wish("BUY", "STOP_MARKET", "1", stopPrice=TOO_GREAT), "stopPrice"),
        (wish("SELL", "TRAILING_STOP", "1", trailAmount=TOO_GREAT), "trailAmount"),
        (wish("BUY", "MARKET", "1", takeProfit={"limitPrice": TOO_GREAT}), "takeProfit.limitPrice"),
        (wish("BUY", "MARKET", "1", stopLoss={"trailAmount": TOO_GREAT}), "stopLoss.trailAmount"),
    ],
)
async def test_a_greater_number_is_refused_with_the_greatest_that_there_is(
    pit: Pit, given: dict[str, Any], field: str
) -> None:
    refused = await pit.refused(PLACE, **given | {"symbol": VAST, "accountId": "tacc_2"})

    assert refused == ("ORDER_INVALID", f"input.{field}", f"{field.split('.')[-1]} {TOLD}")


async def test_schedules_hedges_conditions_and_changes_have_the_same_greatest_number(pit: Pit) -> None:
    of: dict[str, Any] = {"accountId": "tacc_2", "symbol": VAST}
    order = (await pit.place("BUY", "LIMIT", limitPrice="90", **of))["order"]["id"]
    condition = {"price": {"crossing": "ABOVE", "level": TOO_GREAT}}

    assert await pit.refused(SCHEDULE, **of, side="BUY", every="HOUR", quantity=TOO_GREAT) == (
        "SCHEDULE_INVALID", "input.quantity", f"quantity {TOLD}"
    )  # fmt: skip
    assert await pit.refused(SCHEDULE, **of, side="BUY", every="HOUR", notional=TOO_GREAT) == (
        "SCHEDULE_INVALID", "input.notional", f"notional {TOLD}"
    )  # fmt: skip
    legs = [{"symbol": VAST, "side": "SELL", "quantity": TOO_GREAT}]
    assert await pit.refused(HEDGE, accountId="tacc_2", legs=legs) == (
        "ORDER_INVALID", "input.legs.0.quantity", f"quantity {TOLD}"
    )  # fmt: skip
    assert await pit.refused(REPLACE, orderId=order, quantity=TOO_GREAT) == (
        "ORDER_INVALID", "input.quantity", f"quantity {TOLD}"
    )  # fmt: skip
    assert await pit.refused(PLACE, **wish("BUY", "MARKET", condition=condition)) == (
        "ORDER_INVALID", "input.condition.price.level", f"level {TOLD}"
    )  # fmt: skip
    assert (await pit.refused(REPLACE, orderId=order, quantity=GREATEST))[0] == "INSUFFICIENT_MARGIN"
    legs = [{"symbol": VAST, "side": "SELL", "quantity": GREATEST}]
    assert (await pit.refused(HEDGE, accountId="tacc_2", legs=legs))[0] == "INSUFFICIENT_MARGIN"


async def test_a_far_limit_behind_a_long_keeps_nothing_from_being_closed(pit: Pit) -> None:
    of: dict[str, Any] = {"accountId": "tacc_2", "symbol": VAST}
    await pit.place("BUY", "MARKET", "0.01", **of)
    far = (await pit.place("SELL", "LIMIT", "0.01", limitPrice=GREATEST, **of))["order"]
    assert (far["status"], far["reserved"]) == ("ACCEPTED", "0")

    closed = await pit.do(CLOSE, **of)

    assert closed["order"]["status"] == "FILLED"
    assert (await pit.order(far["id"]))["reserved"] == "2002000000000000.00"
    assert (await pit.refused(PLACE, **wish("SELL", "MARKET", "0.001", **of)))[0] == "INSUFFICIENT_MARGIN"


async def test_a_margin_is_told_to_the_digits_of_its_currency(pit: Pit) -> None:
    await pit.open("tacc_3", "0", currency="BTC", margin="MARGIN", leverage=D(2))
    await pit.pay_in("tacc_3", "BTC", "0.00001")

    refused = await pit.refused(PLACE, **wish("BUY", "LIMIT", "0.101", accountId="tacc_3", limitPrice="99.1"))

    assert refused == (
        "INSUFFICIENT_MARGIN", "input.quantity",
        "The order needs a margin of 0.05020000 BTC, and 0.00001000 is available: pay in, `accountConvert`, or close "
        "something.",
    )  # fmt: skip


def _digits(most: int) -> st.SearchStrategy[str]:
    return st.builds(
        lambda units, places: format(D(units).scaleb(-places), "f"), st.integers(-5, 10**most), st.integers(0, 26)
    )


NUMBERS = st.one_of(_digits(3), _digits(20), _digits(43), st.sampled_from([GREATEST, TOO_GREAT, "0"]))
TYPES = ["MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT", "TRAILING_STOP", "MARKET_IF_TOUCHED"]


@st.composite
def wishes(draw: Any) -> dict[str, Any]:
    """Orders of every type, with any numbers."""
    type_ = draw(st.sampled_from(TYPES))
    given: dict[str, Any] = wish(draw(st.sampled_from(["BUY", "SELL"])), type_, None)
    given |= {
        draw(st.sampled_from(["quantity", "notional"])): draw(NUMBERS),
        "symbol": draw(st.sampled_from([VAST, PERP])),
    }
    if type_ in ("LIMIT", "STOP_LIMIT"):
        given["limitPrice"] = draw(NUMBERS)
    if type_ in ("STOP_MARKET", "STOP_LIMIT", "MARKET_IF_TOUCHED"):
        given["stopPrice"] = draw(NUMBERS)
    if type_ == "TRAILING_STOP":
        given[draw(st.sampled_from(["trailAmount", "trailPercent"]))] = draw(NUMBERS)
    given["accountId"] = draw(st.sampled_from(["tacc_1", "tacc_2", "tacc_3"]))
    return given


def test_any_numbers_make_an_order_or_a_refusal_in_words(sqlite_url: str, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        pit = runner.run(stack.enter_async_context(open_pit(sqlite_url, tmp_path)))
        runner.run(pit.open("tacc_3", "1000000000000", margin="MARGIN", leverage=D(100), model={"collar_bps": None}))

        @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(given=wishes(), price=st.sampled_from(["99", "0.00000001", "1" + "0" * 15]))
        def course(given: dict[str, Any], price: str) -> None:
            for symbol in (VAST, PERP):
                pit.price(price, str(D(price) + D("0.00000001")), symbol)
            previewed, placed = (runner.run(pit.see(document, i=given)) for document in (PREVIEW, PLACE))
            assert previewed["userErrors"] == placed["userErrors"]
            assert bool(placed["userErrors"]) is not bool(placed["order"])
            runner.run(pit.tick(given["accountId"], given["symbol"]))

        course()
        assert runner.run(pit.findings()) == []
        runner.run(stack.aclose())
