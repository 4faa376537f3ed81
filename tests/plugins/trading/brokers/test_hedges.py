"""Hedges at brokers: leg by leg, under ids of their own, and answered alike as often as they are asked for."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.trading.hedging.desk import HedgeDesk
from plugins.trading.hedging.legs import client_order_id, hedge_id
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


async def test_a_leg_whose_id_a_caller_has_given_an_order_has_another(room: Room) -> None:
    hedge = hedge_id(MINE, "h")
    for number in (1, 2):
        await room.place(MINE, clientOrderId=client_order_id(hedge, 1, number))

    made = await executed(room)
    again = await executed(room)

    assert (made["userErrors"], again) == ([], made)
    (order,) = made["hedge"]["orders"]
    assert order == {"clientOrderId": f"{hedge}:1:3", "side": "BUY", "quantity": "2", "status": "FILLED"}
    assert len(await room.orders(MINE)) == 3


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
        patch.setattr("plugins.trading.orders.desk.OrderDesk.place", killed)
        with pytest.raises(RuntimeError):
            await room.house.host.service(HedgeDesk).close(room.house.context(room.who), MINE, made["hedge"]["id"], "k")
    again = await room.see(SHUT, **closing)

    assert [(each["field"], each["code"], each["message"]) for each in again["userErrors"]] == [(
        ["input", "hedgeId"], "BROKER_UNAVAILABLE",
        "Closing it under this idempotencyKey was not answered: what `open` names, another key closes.",
    )]  # fmt: skip
    assert again["hedge"]["open"] == [{"symbol": BTC, "quantity": "2"}]
    assert len(await room.orders(MINE)) == 1
