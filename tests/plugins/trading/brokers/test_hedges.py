"""Hedges at brokers: leg by leg, closed no more than once, and answered alike as often as they are asked for."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from plugins.trading.hedging.desk import HedgeDesk
from plugins.trading.hedging.legs import client_order_id, hedge_id
from plugins.trading.hedging.store import HedgeStore
from tests.plugins.trading.brokers.room import ERRORS, SYMBOLS, Room

MINE = "tacc_b"
BTC = SYMBOLS[MINE]
HEDGE = "hedge { id complete orders { clientOrderId side quantity status } open { symbol quantity } }"
EXECUTE = f"mutation($i: HedgeExecuteInput!) {{ r: hedgeExecute(input: $i) {{ {HEDGE} {ERRORS} }} }}"
SHUT = f"mutation($i: HedgeCloseInput!) {{ r: hedgeClose(input: $i) {{ {HEDGE} {ERRORS} }} }}"


async def executed(room: Room, quantity: str = "2", key: str = "h") -> Any:
    room.venue(MINE).fills_at = "100"
    legs = [{"symbol": BTC, "side": "BUY", "quantity": quantity}]
    return await room.see(EXECUTE, accountId=MINE, legs=legs, clientHedgeId=key)


async def test_a_leg_whose_id_a_caller_has_given_an_order_has_none(room: Room) -> None:
    await room.place(MINE, clientOrderId=client_order_id(hedge_id(MINE, "h"), 1))

    made = await executed(room)
    again = await executed(room)

    assert (made["userErrors"], again) == ([], made)
    (order,) = made["hedge"]["orders"]
    assert order == {"clientOrderId": None, "side": "BUY", "quantity": "2", "status": "FILLED"}
    assert len(await room.orders(MINE)) == 2


async def test_another_hedge_under_the_same_id_at_once_is_refused_with_that_id(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have looked before either has sent anything."""
    await executed(room)
    real = HedgeDesk._held

    async def none_yet(desk: HedgeDesk, *given: Any) -> list[Any]:
        monkeypatch.setattr(HedgeDesk, "_held", real)
        return []

    monkeypatch.setattr(HedgeDesk, "_held", none_yet)
    other = await executed(room, "3")

    assert [(each["field"], each["code"]) for each in other["userErrors"]] == [
        (["input", "clientHedgeId"], "IDEMPOTENCY_MISMATCH")
    ]  # fmt: skip
    assert len(await room.orders(MINE)) == 1


async def test_closing_a_hedge_again_with_its_key_answers_what_was_refused_at_first(room: Room) -> None:
    made = await executed(room)
    closing = {"accountId": MINE, "hedgeId": made["hedge"]["id"], "idempotencyKey": "k"}
    room.venue(MINE).refuses = "enough"

    first = await room.see(SHUT, **closing)
    room.venue(MINE).refuses = None
    again = await room.see(SHUT, **closing)

    assert [(each["field"], each["code"], each["message"]) for each in first["userErrors"]] == [
        (["input", "hedgeId"], "BROKER_REFUSED", f"{BTC}: BROKER_REFUSED: enough (-2010)")
    ]  # fmt: skip
    assert again == first
    assert [each["status"] for each in again["hedge"]["orders"]] == ["FILLED", "REJECTED"]
    anew = await room.see(SHUT, **{**closing, "idempotencyKey": "k2"})
    assert (anew["userErrors"], anew["hedge"]["open"]) == ([], [])
    assert await room.see(SHUT, **{**closing, "idempotencyKey": "k2"}) == anew


async def test_closing_a_hedge_that_nobody_has_answered_says_how_to_go_on(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await executed(room)
    closing = {"accountId": MINE, "hedgeId": made["hedge"]["id"], "idempotencyKey": "k"}

    async def killed(*given: Any) -> None:
        raise RuntimeError("gone")

    with monkeypatch.context() as patch:
        patch.setattr("plugins.trading.brokers.desk.LiveDesk.place_fitted", killed)
        with pytest.raises(RuntimeError):
            await room.house.host.service(HedgeDesk).close(room.house.context(room.who), MINE, made["hedge"]["id"], "k")
    again = await room.see(SHUT, **closing)

    assert [(each["field"], each["code"], each["message"]) for each in again["userErrors"]] == [(
        ["input", "hedgeId"], "BROKER_UNAVAILABLE",
        "Closing it under this idempotencyKey was not answered: what `open` names, another key closes.",
    )]  # fmt: skip
    assert again["hedge"]["open"] == [{"symbol": BTC, "quantity": "2"}]
    assert len(await room.orders(MINE)) == 1


@pytest.mark.parametrize("late", [False, True])
async def test_closing_a_hedge_twice_at_once_with_one_key_answers_as_it_stands_after_it(
    room: Room, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    """The other one closes it whole before this one looks what is left, or after."""
    made = await executed(room)
    closing = {"accountId": MINE, "hedgeId": made["hedge"]["id"], "idempotencyKey": "k"}
    real, looks, others = HedgeDesk._held, count(1), list[Any]()

    async def held(desk: HedgeDesk, *given: Any) -> Any:
        if next(looks) != 2:
            return await real(desk, *given)
        before = await real(desk, *given)
        with monkeypatch.context() as patch:
            patch.setattr(HedgeDesk, "_held", real)
            others.append(await room.see(SHUT, **closing))
        return before if late else await real(desk, *given)

    monkeypatch.setattr(HedgeDesk, "_held", held)
    mine = await room.see(SHUT, **closing)

    (first,) = others
    assert (first["userErrors"], first["hedge"]["open"]) == ([], [])
    assert mine == first
    assert len(await room.orders(MINE)) == 2


async def test_closing_a_hedge_again_while_the_answer_comes_answers_as_it_stands_after_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each statement sees what is committed before it, as PostgreSQL's do."""
    made = await executed(room)
    closing = {"accountId": MINE, "hedgeId": made["hedge"]["id"], "idempotencyKey": "k"}
    rows, answered = HedgeStore.of, HedgeStore.answered
    old = await room.house.host.service(HedgeDesk)._held(
        room.house.context(room.who), await room.account(MINE), made["hedge"]["id"]
    )  # fmt: skip
    first = await room.see(SHUT, **closing)
    asked: list[str] = []

    async def rows_of(self: HedgeStore, *given: Any) -> Any:
        return await rows(self, *given) if "answered" in asked else old

    async def then_answered(self: HedgeStore, *given: Any) -> Any:
        asked.append("answered")
        return await answered(self, *given)

    monkeypatch.setattr(HedgeStore, "of", rows_of)
    monkeypatch.setattr(HedgeStore, "answered", then_answered)
    again = await room.see(SHUT, **closing)

    assert (again["hedge"], again["userErrors"]) == (first["hedge"], [])
    assert again["hedge"]["open"] == []


@pytest.mark.parametrize(
    ("account", "fee", "held", "closes", "left"),
    [
        ("tacc_b", ("0.0001234", "BTC"), "0.9998766", "0.999", "0.0008766"),
        ("tacc_a", ("0", "USD"), "0.9975", "0.997", "0.003"),
    ],
)
async def test_a_leg_in_coins_is_closed_as_far_as_its_broker_has_it_in_whole_steps_and_then_counts_as_closed(
    room: Room, account: str, fee: tuple[str, str], held: str, closes: str, left: str
) -> None:
    """Binance takes its fee out of what is bought; Alpaca too, and tells it at the end of the day."""
    venue, symbol = room.venue(account), SYMBOLS[account]
    venue.fills_at, venue.fee = "100", fee
    legs = [{"symbol": symbol, "side": "BUY", "quantity": "1"}]
    made = await room.do(EXECUTE, accountId=account, legs=legs, clientHedgeId="h")
    venue.keeps_units, venue.units = True, {"BTC" if account == "tacc_b" else "BTCUSD": held}
    shut = {"accountId": account, "hedgeId": made["hedge"]["id"]}

    closed = await room.do(SHUT, **shut)
    venue.tolls = [{"id": "t", "symbol": "BTCUSD", "qty": "-0.0025", "price": "100", "date": "2026-11-20"}]
    await room.look(301)
    again = await room.see(SHUT, **shut)

    assert [(each["quantity"], each["status"]) for each in closed["hedge"]["orders"]][1] == (closes, "FILLED")
    assert closed["hedge"]["open"] == [{"symbol": symbol, "quantity": left}]
    assert [each["code"] for each in again["userErrors"]] == ["HEDGE_CLOSED"]


async def test_of_a_hedge_what_others_have_sold_of_the_coin_at_the_broker_is_not_asked_for(room: Room) -> None:
    """Behind the lock as before it."""
    made = await executed(room, "2")
    venue = room.venue(MINE)
    venue.keeps_units, venue.units = True, {"BTC": "1.2345"}

    closed = await room.do(SHUT, accountId=MINE, hedgeId=made["hedge"]["id"])

    assert [each["quantity"] for each in closed["hedge"]["orders"]] == ["2", "1.234"]


async def test_two_legs_of_one_instrument_are_no_hedge_at_a_broker_either(room: Room) -> None:
    legs = [{"symbol": BTC, "side": side, "quantity": "1"} for side in ("BUY", "SELL")]

    made = await room.see(EXECUTE, accountId=MINE, legs=legs, clientHedgeId="h")

    assert [(each["field"], each["code"]) for each in made["userErrors"]] == [
        (["input", "legs", "1", "symbol"], "HEDGE_INVALID")
    ]  # fmt: skip
    assert (made["hedge"], await room.orders(MINE)) == (None, [])
