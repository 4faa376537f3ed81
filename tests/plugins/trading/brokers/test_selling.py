"""A cash account sells at a broker what it holds, and nothing short, also after a greatest daily loss."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doubles.brokers import DOWN, DOWN_AFTER
from tests.plugins.trading.brokers.room import (
    CANCEL,
    CLOSE,
    ERRORS,
    ETHER,
    GROUP,
    MONEY,
    PLACE,
    REPLACE,
    SYMBOLS,
    Room,
    hold,
)

BOTH = ("tacc_a", "tacc_b")
REASON = "DAILY_LOSS_REACHED: the account has lost as much as it may in a day"
EXECUTE = f"mutation($i: HedgeExecuteInput!) {{ r: hedgeExecute(input: $i) {{ hedge {{ id }} {ERRORS} }} }}"
SHUT = f"mutation($i: HedgeCloseInput!) {{ r: hedgeClose(input: $i) {{ hedge {{ id }} {ERRORS} }} }}"


async def sale(room: Room, account: str, quantity: str, **given: Any) -> str:
    """One that rests."""
    placed = await room.place(account, side="SELL", **{"limitPrice": "110", "quantity": quantity, **given})
    return str(placed["order"]["id"])


async def lose(room: Room) -> None:
    """What is held is worth so much less that the loss of the day is reached, and the brokers have answered."""
    await room.guard("90")
    await room.guard("89")
    await room.look()


async def statuses(room: Room, *ids: str) -> list[str]:
    return [(await room.order(each)).status for each in ids]


async def refusal(room: Room, document: str, **given: Any) -> tuple[str, list[str], str]:
    (error,) = (await room.see(document, **given))["userErrors"]
    return error["code"], error["field"][1:], error["message"]


def told(account: str, words: str) -> str:
    return (
        f"The account has reached its greatest daily loss of 50 {MONEY[account]}: until the next UTC day only sales "
        f"of what is held are taken. {words}."
    )


def wish(account: str, quantity: str, **given: Any) -> dict[str, Any]:
    held = {"accountId": account, "symbol": SYMBOLS[account], "side": "SELL", "type": "MARKET", "quantity": quantity}
    return held | given


@pytest.mark.parametrize("account", BOTH)
async def test_a_sale_of_more_than_is_held_and_not_yet_for_sale_is_refused(room: Room, account: str) -> None:
    await hold(room, account)
    resting = await sale(room, account, "2")
    await lose(room)

    most = told(account, "It holds 5 of BTC, of which its other open sales sell 2: at most 3 passes")
    limit = {"type": "LIMIT", "limitPrice": "105"}
    assert await refusal(room, PLACE, **wish(account, "7", **limit)) == ("DAILY_LOSS_REACHED", ["quantity"], most)
    assert (await refusal(room, PLACE, **wish(account, "3.001")))[2] == most
    money = told(account, "It holds 5 of BTC, of which its other open sales sell 2: at most a notional of 315 passes")
    sized = wish(account, "7", **limit) | {"quantity": None, "notional": "735"}
    assert await refusal(room, PLACE, **sized) == ("DAILY_LOSS_REACHED", ["notional"], money)
    legs = [{"symbol": SYMBOLS[account], "side": "SELL", "quantity": "9"}]
    assert await refusal(room, EXECUTE, accountId=account, legs=legs) == (
        "DAILY_LOSS_REACHED", ["legs", "0", "quantity"], most,
    )  # fmt: skip
    alone = told(account, "It holds 5 of BTC: at most 5 passes")
    assert await refusal(room, REPLACE, orderId=resting, quantity="20") == (
        "DAILY_LOSS_REACHED", ["quantity"], alone,
    )  # fmt: skip
    assert (await room.holds(account))[1] == {SYMBOLS[account]: "5"}

    room.venue(account).fills_at = "89"
    await room.do(PLACE, **wish(account, "3"))
    assert (await room.holds(account))[1] == {SYMBOLS[account]: "2"}
    whole = told(account, "It holds 2 of BTC, all of which its other open sales sell: cancel one of them first")
    assert (await refusal(room, PLACE, **wish(account, "1")))[2] == whole


async def test_orders_of_a_group_are_counted_together_and_what_reduces_only_is_counted_too(room: Room) -> None:
    await hold(room, "tacc_a")
    await lose(room)

    one = {"symbol": SYMBOLS["tacc_a"], "side": "SELL", "type": "LIMIT", "limitPrice": "105", "quantity": "3"}
    most = "It holds 5 of BTC, of which its other open sales sell 3: at most 2 passes"
    assert await refusal(room, GROUP, accountId="tacc_a", rule="ALL", orders=[one, one]) == (
        "DAILY_LOSS_REACHED", ["orders", "1", "quantity"], told("tacc_a", most),
    )  # fmt: skip
    await sale(room, "tacc_a", "3", reduceOnly=True)
    closing = {"accountId": "tacc_a", "symbol": SYMBOLS["tacc_a"]}
    plain = wish("tacc_a", "3")
    assert await refusal(room, PLACE, **plain) == ("DAILY_LOSS_REACHED", ["quantity"], told("tacc_a", most))
    assert await room.code(CLOSE, **closing) == "REDUCE_ONLY_WOULD_INCREASE"
    await room.do(CLOSE, **closing, quantity="2")


async def test_what_is_not_held_is_not_sold_and_what_is_bought_is_told_what_is_taken(room: Room) -> None:
    await room.limit("tacc_b", "50", loss_day="2026-11-20")

    nothing = told("tacc_b", "It holds nothing of BTC")
    assert await refusal(room, PLACE, **wish("tacc_b", "1")) == ("DAILY_LOSS_REACHED", ["quantity"], nothing)
    code, field, message = await refusal(room, PLACE, **wish("tacc_b", "1", side="BUY"))
    assert (code, field) == ("DAILY_LOSS_REACHED", ["accountId"])
    assert message.endswith("until the next UTC day only sales of what is held are taken.")


@pytest.mark.parametrize(
    ("fee", "words"),
    [
        ("0.0001234", "It holds 0.9998766 of BTC: at most 0.999 passes"),
        ("0.9991", "It holds 0.0009 of BTC: no order passes for so little"),
    ],
)
async def test_what_is_told_to_pass_is_whole_steps(room: Room, fee: str, words: str) -> None:
    venue = room.venue("tacc_b")
    venue.fills_at, venue.fee = "100", (fee, "BTC")
    await room.place("tacc_b", type="MARKET")
    await room.limit("tacc_b", "50", loss_day="2026-11-20")

    assert (await refusal(room, PLACE, **wish("tacc_b", "1")))[2] == told("tacc_b", words)


async def test_a_loss_that_no_look_has_found_yet_refuses_it_too(room: Room) -> None:
    await hold(room, "tacc_b")
    room.quoted.price = "85"
    room.house.clock.turn(5)

    code, field, message = await refusal(room, PLACE, **wish("tacc_b", "6"))

    assert (code, field) == ("DAILY_LOSS_REACHED", ["quantity"])
    assert message == (
        "The account has lost 75.00000000 USDT today, and 50 is its greatest daily loss: until the next UTC day only "
        "sales of what is held are taken. It holds 5 of BTC: at most 5 passes."
    )
    room.quoted.price = "100"
    room.house.clock.turn(5)
    assert (await refusal(room, PLACE, **wish("tacc_b", "6")))[0] == "SHORT_NOT_ALLOWED"
    await room.do(PLACE, **wish("tacc_b", "5"))


@pytest.mark.parametrize("account", BOTH)
async def test_resting_sales_stay_in_their_order_as_far_as_what_is_held_goes(room: Room, account: str) -> None:
    await hold(room, account)
    await room.limit(account, margin="MARGIN")
    first, large, last = [await sale(room, account, each) for each in ("3", "50", "2")]
    beyond = await sale(room, account, "1")
    await room.limit(account, margin="CASH")

    await lose(room)

    assert await statuses(room, first, large, last, beyond) == ["ACCEPTED", "CANCELED", "ACCEPTED", "CANCELED"]
    assert [(await room.order(each)).reason for each in (large, beyond)] == [REASON, REASON]
    assert [each["canceledOrders"] for each in await room.losses()] == [2]


async def test_a_resting_sale_goes_once_one_that_was_cancelled_has_sold_of_what_it_would_sell(room: Room) -> None:
    await hold(room, "tacc_b")
    await room.limit("tacc_b", margin="MARGIN")
    first, large, last = [await sale(room, "tacc_b", each) for each in ("3", "50", "1")]
    await room.limit("tacc_b", margin="CASH")
    room.venue("tacc_b").fill(room.venue("tacc_b").by_client_id(large), "4", "110")

    await lose(room)
    assert (await room.holds("tacc_b"))[1] == {SYMBOLS["tacc_b"]: "1"}
    assert await statuses(room, first, large, last) == ["ACCEPTED", "CANCELED", "ACCEPTED"]
    await room.guard()
    await room.look()

    assert await statuses(room, first, large, last) == ["CANCELED", "CANCELED", "ACCEPTED"]


async def test_closing_a_hedge_that_other_sales_leave_too_little_for_is_refused(room: Room) -> None:
    await room.limit("tacc_b", "50")
    room.venue("tacc_b").fills_at = "100"
    legs = [{"symbol": SYMBOLS["tacc_b"], "side": "BUY", "quantity": "5"}]
    made = await room.do(EXECUTE, accountId="tacc_b", legs=legs)
    room.venue("tacc_b").fills_at = None
    await sale(room, "tacc_b", "2")
    await lose(room)

    most = "It holds 5 of BTC, of which its other open sales sell 2: at most 3 passes"
    assert await refusal(room, SHUT, accountId="tacc_b", hedgeId=made["hedge"]["id"]) == (
        "DAILY_LOSS_REACHED", ["hedgeId"], told("tacc_b", most),
    )  # fmt: skip


def short(words: str) -> str:
    return (
        f"A cash account sells only what it has. {words}. `positionAdjust` brings the books to what the broker holds."
    )


@pytest.mark.parametrize("account", BOTH)
async def test_what_is_sold_twice_is_sold_once_also_on_any_other_day(room: Room, account: str) -> None:
    await hold(room, account, loss=None)
    nothing = "It holds 5 of BTC, all of which its other open sales sell: cancel one of them first"

    once = await room.place(account, "SELL", "MARKET", quantity="5")
    twice = await refusal(room, PLACE, **wish(account, "5"))
    legs = [{"symbol": SYMBOLS[account], "side": "SELL", "quantity": "5"}]
    hedged = await refusal(room, EXECUTE, accountId=account, legs=legs)
    closed = await refusal(room, CLOSE, accountId=account, symbol=SYMBOLS[account])
    venue = room.venue(account)
    venue.fill(venue.by_client_id(once["order"]["id"]), "5", "100")
    await room.look()
    later = await refusal(room, PLACE, **wish(account, "5"))

    assert twice == closed == ("SHORT_NOT_ALLOWED", ["quantity"], short(nothing))
    assert hedged == ("SHORT_NOT_ALLOWED", ["legs", "0", "quantity"], short(nothing))
    assert later == ("SHORT_NOT_ALLOWED", ["quantity"], short("It holds nothing of BTC"))
    assert ((await room.holds(account))[1], len(await room.orders(account))) == ({}, 2)


async def test_of_shares_a_cash_account_sells_none_short(room: Room) -> None:
    shares, venue = {"symbol": "equity:AAPL"}, room.venue("tacc_a")
    venue.fills_at = "100"
    await room.place("tacc_a", quantity="2", **shares)
    venue.fills_at = None
    resting = (await room.place("tacc_a", "SELL", quantity="1", limitPrice="110", **shares))["order"]["id"]

    most = short("It holds 2 of equity:AAPL, of which its other open sales sell 1: at most 1 passes")
    limit = shares | {"type": "LIMIT", "limitPrice": "100"}
    assert (await refusal(room, PLACE, **wish("tacc_a", "2", **limit)))[2] == most
    assert (await refusal(room, REPLACE, orderId=resting, quantity="3"))[2] == short(
        "It holds 2 of equity:AAPL: at most 2 passes"
    )  # fmt: skip
    await room.do(PLACE, **wish("tacc_a", "1", **limit))


async def test_a_coin_is_sold_by_any_pair_of_it_wherever_it_is_booked(room: Room) -> None:
    room.quoted.others = {"crypto:ETH/BTC": "0.1", ETHER: "10"}
    venue, by_bitcoin = room.venue("tacc_b"), {"symbol": "crypto:ETH/BTC"}
    venue.fills_at = "10"
    await room.place("tacc_b", type="MARKET", quantity="10", symbol=ETHER)
    venue.fills_at = None
    await sale(room, "tacc_b", "4", symbol=ETHER, limitPrice="11")

    most = short("It holds 10 of ETH, of which its other open sales sell 4: at most 6 passes")
    assert (await refusal(room, PLACE, **wish("tacc_b", "7", **by_bitcoin)))[2] == most
    venue.fills_at = "0.1"
    await room.do(PLACE, **wish("tacc_b", "6", **by_bitcoin))
    most = short("It holds 0.6 of BTC: at most 0.6 passes")
    assert (await refusal(room, PLACE, **wish("tacc_b", "0.7")))[2] == most
    venue.fills_at = "100"
    await room.do(PLACE, **wish("tacc_b", "0.6"))


async def test_coins_that_came_as_money_are_sold_after_a_loss_and_such_a_sale_stays(room: Room) -> None:
    room.quoted.others = {"crypto:ETH/BTC": "0.1", ETHER: "10"}
    venue = room.venue("tacc_b")
    venue.fills_at = "10"
    await room.place("tacc_b", type="MARKET", quantity="10", symbol=ETHER)
    venue.fills_at = "0.1"
    await room.place("tacc_b", "SELL", "MARKET", quantity="10", symbol="crypto:ETH/BTC")
    venue.fills_at = None
    await room.limit("tacc_b", "50", loss_day="2026-11-20")

    resting = await sale(room, "tacc_b", "1")
    await room.guard()
    await room.look()

    assert await statuses(room, resting) == ["ACCEPTED"]


async def test_no_more_coins_are_closed_than_their_pairs_and_money_hold_together(room: Room) -> None:
    room.quoted.others = {"crypto:ETH/BTC": "0.1", ETHER: "10"}
    await room.limit("tacc_b", None, margin="MARGIN")
    venue = room.venue("tacc_b")
    venue.fills_at = "10"
    await room.place("tacc_b", type="MARKET", quantity="10", symbol=ETHER)
    venue.fills_at = "0.1"
    await room.place("tacc_b", "SELL", "MARKET", quantity="9", symbol="crypto:ETH/BTC")

    venue.fills_at = "10"
    refused = await refusal(room, CLOSE, accountId="tacc_b", symbol=ETHER, quantity="2")
    closed = await room.do(CLOSE, accountId="tacc_b", symbol=ETHER)

    told = "No broker lends coins. It holds 1 of ETH: at most 1 passes."
    way = "`positionAdjust` brings the books to what the broker holds."
    assert refused == ("REDUCE_ONLY_WOULD_INCREASE", ["quantity"], f"{told} {way}")
    assert closed["order"]["filledQuantity"] == "1"
    assert (await room.holds("tacc_b"))[1] == {"crypto:ETH/BTC": "-9", ETHER: "9"}


async def test_closing_a_hedge_that_sold_coins_of_another_pair_buys_none(room: Room) -> None:
    room.quoted.others = {"crypto:ETH/BTC": "0.1", ETHER: "10"}
    venue = room.venue("tacc_b")
    venue.fills_at = "10"
    await room.place("tacc_b", type="MARKET", quantity="10", symbol=ETHER)
    venue.fills_at = "0.1"
    legs = [{"symbol": "crypto:ETH/BTC", "side": "SELL", "quantity": "10"}]
    made = await room.do(EXECUTE, accountId="tacc_b", legs=legs)

    refused = await refusal(room, SHUT, accountId="tacc_b", hedgeId=made["hedge"]["id"])

    assert refused[:2] == ("REDUCE_ONLY_WOULD_INCREASE", ["hedgeId"])
    assert len(await room.orders("tacc_b")) == 2


async def test_after_a_loss_what_only_reduces_is_judged_by_its_pair_and_a_plain_sale_by_the_whole_coin(
    room: Room,
) -> None:
    room.quoted.others = {"crypto:BTC/USD": "100", "crypto:USDT/USD": "1"}
    dollars, venue = {"symbol": "crypto:BTC/USD"}, room.venue("tacc_b")
    venue.fills_at = "100"
    await room.place("tacc_b", type="MARKET", quantity="2")
    await room.place("tacc_b", type="MARKET", quantity="1", **dollars)
    venue.fills_at = None
    reduces = await sale(room, "tacc_b", "2", reduceOnly=True)
    await room.limit("tacc_b", None, margin="MARGIN")
    plain, beyond = [await sale(room, "tacc_b", each, **dollars) for each in ("1", "0.5")]
    await room.limit("tacc_b", "50", margin="CASH", loss_day="2026-11-20")

    await room.guard()
    await room.look()

    assert await statuses(room, reduces, plain, beyond) == ["ACCEPTED", "ACCEPTED", "CANCELED"]
    venue.fills_at = "100"
    assert await refusal(room, PLACE, **wish("tacc_b", "1")) == (
        "DAILY_LOSS_REACHED", ["quantity"],
        told("tacc_b", "It holds 3 of BTC, all of which its other open sales sell: cancel one of them first"),
    )  # fmt: skip


PENDING = "Open purchases of 1 are not filled yet: wait for them, or until they have ended."


def stop(account: str, **given: Any) -> dict[str, Any]:
    return wish(account, "1", type="STOP_LIMIT", stopPrice="90", limitPrice="89", **given)


@pytest.mark.parametrize("account", BOTH)
async def test_a_stop_right_after_a_purchase_that_is_filled_a_moment_later_is_taken(room: Room, account: str) -> None:
    venue = room.venue(account)
    bought = (await room.place(account, type="MARKET"))["order"]
    nothing = f"A cash account sells only what it has. It holds nothing of BTC. {PENDING}"

    early = await refusal(room, PLACE, **stop(account))
    venue.fill(venue.by_client_id(bought["id"]), "1", "100")
    placed = (await room.do(PLACE, **stop(account)))["order"]
    whole = "It holds 1 of BTC, all of which its other open sales sell: cancel one of them first"
    twice = await refusal(room, PLACE, **stop(account))

    assert early == ("SHORT_NOT_ALLOWED", ["quantity"], nothing)
    assert (bought["status"], placed["status"]) == ("ACCEPTED", "ACCEPTED")
    assert twice == ("SHORT_NOT_ALLOWED", ["quantity"], short(whole))
    assert ((await room.holds(account))[1], len(venue.orders)) == ({SYMBOLS[account]: "1"}, 2)


async def test_a_purchase_that_alpaca_counts_as_filled_and_does_not_list_yet_is_sold_once(room: Room) -> None:
    venue = room.venue("tacc_a")
    bought = (await room.place("tacc_a", type="MARKET"))["order"]
    venue.fill(venue.by_client_id(bought["id"]), "1", "100")
    venue.hides_fills = True

    placed = (await room.do(PLACE, **stop("tacc_a")))["order"]
    twice = await room.code(PLACE, **stop("tacc_a"))
    venue.hides_fills = False
    await room.look()

    assert (placed["status"], twice) == ("ACCEPTED", "SHORT_NOT_ALLOWED")
    assert (await room.holds("tacc_a"))[1] == {SYMBOLS["tacc_a"]: "1"}


@pytest.mark.parametrize("account", BOTH)
async def test_where_the_broker_does_not_answer_for_the_purchase_its_sale_is_refused(room: Room, account: str) -> None:
    venue = room.venue(account)
    bought = (await room.place(account, type="MARKET"))["order"]
    venue.fill(venue.by_client_id(bought["id"]), "1", "100")
    venue.faults.append(("GET", "/orders/1" if account == "tacc_a" else "/order", DOWN))

    assert (await refusal(room, PLACE, **stop(account)))[2].endswith(PENDING)
    await room.do(PLACE, **stop(account))


@pytest.mark.parametrize("account", BOTH)
async def test_a_sale_that_is_refused_asks_for_the_last_five_purchases_only(room: Room, account: str) -> None:
    for _ in range(7):
        await room.place(account, limitPrice="80")
    asked = len(room.venue(account).asked)

    told = (await refusal(room, PLACE, **stop(account)))[2]

    assert told.endswith(PENDING.replace("1", "7"))
    assert [each[0] for each in room.venue(account).asked[asked:]] == ["GET"] * 5


async def test_a_sale_after_a_stop_whose_end_was_not_answered_is_taken_once_the_broker_tells_it(room: Room) -> None:
    await hold(room, "tacc_b", loss=None)
    venue = room.venue("tacc_b")
    resting = await sale(room, "tacc_b", "5")
    venue.faults.append(("DELETE", "/order", DOWN_AFTER))
    await room.do(CANCEL, orderId=resting)
    assert await statuses(room, resting) == ["PENDING_CANCEL"]

    venue.faults.append(("GET", "/order", DOWN))
    waits = "It holds 5 of BTC, all of which its other open sales sell: wait until the one that is being cancelled has"
    assert await refusal(room, PLACE, **wish("tacc_b", "5")) == (
        "SHORT_NOT_ALLOWED", ["quantity"], short(f"{waits} ended"),
    )  # fmt: skip
    await room.do(PLACE, **wish("tacc_b", "5"))
    assert await statuses(room, resting) == ["CANCELED"]


@pytest.mark.parametrize("filled", ["100", None])
@pytest.mark.parametrize("account", BOTH)
async def test_what_is_bought_in_a_group_is_sold_behind_it_and_no_more(
    room: Room, account: str, filled: str | None
) -> None:
    venue = room.venue(account)
    venue.fills_at = filled
    symbol = SYMBOLS[account]
    purchase = {"symbol": symbol, "side": "BUY", "type": "MARKET", "quantity": "1"}
    protects = {"symbol": symbol, "side": "SELL", "type": "STOP_LIMIT", "stopPrice": "90", "limitPrice": "89"}
    one, two = protects | {"quantity": "1"}, protects | {"quantity": "2"}
    group = {"accountId": account, "rule": "ALL"}

    larger = await refusal(room, GROUP, **group, orders=[purchase, two])
    before = await refusal(room, GROUP, **group, orders=[one, purchase])
    assert (larger[:2], before[:2]) == (
        ("SHORT_NOT_ALLOWED", ["orders", "1", "quantity"]), ("SHORT_NOT_ALLOWED", ["orders", "0", "quantity"])
    )  # fmt: skip
    assert venue.orders == {}
    await room.do(GROUP, **group, orders=[purchase, one])

    assert [each.side.upper() for each in venue.orders.values()] == ["BUY", "SELL"]


async def test_a_hedge_sells_by_another_pair_what_it_buys_first(room: Room) -> None:
    room.quoted.others = {"crypto:ETH/BTC": "0.1", ETHER: "10"}
    room.venue("tacc_b").fills_at = "10"
    buys = {"symbol": ETHER, "side": "BUY", "quantity": "1"}
    sells = {"symbol": "crypto:ETH/BTC", "side": "SELL", "quantity": "1"}

    await room.do(EXECUTE, accountId="tacc_b", legs=[buys, sells])

    assert (await room.holds("tacc_b"))[1] == {"crypto:ETH/BTC": "-1", ETHER: "1"}


@pytest.mark.parametrize("account", BOTH)
async def test_a_resting_sale_of_units_that_no_book_has_is_moved_and_not_enlarged(room: Room, account: str) -> None:
    await room.limit(account, None, margin="MARGIN")
    resting = await sale(room, account, "2")
    await room.limit(account, None, margin="CASH")

    moved = (await room.do(REPLACE, orderId=resting, limitPrice="115"))["order"]
    larger = await refusal(room, REPLACE, orderId=resting, quantity="3")
    smaller = (await room.do(REPLACE, orderId=resting, quantity="1"))["order"]

    assert (moved["limitPrice"], smaller["quantity"]) == ("115", "1")
    assert larger == ("SHORT_NOT_ALLOWED", ["quantity"], short("It holds nothing of BTC"))
