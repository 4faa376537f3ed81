"""Hedges of an account: proposed by who serves the port, executed as one, closed as far as they are held."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.core.identity import Scope
from gateway.core.ports import Hedges, Panels
from plugins.trading.hedging import desk as hedging_desk
from plugins.trading.hedging.legs import client_order_id, hedge_id, left_of
from plugins.trading.orders import desk as orders_desk
from plugins.trading.orders import ground, knowing
from plugins.trading.orders.ground import Ground
from plugins.trading.positions.store import PositionStore
from schema.words.venues import MarketState
from tests.plugins.risk.doubles import HandPanels
from tests.plugins.risk.panels import panel
from tests.plugins.trading.hedging.conftest import UP
from tests.plugins.trading.ledger.books import TENANT
from tests.plugins.trading.live.room import BTC, ETH, PERP, D, Room, caller
from tests.plugins.trading.rowsof import position

ANALYZE = """query($id: ID!, $candidates: [String!]!, $symbol: String, $benchmark: String) {
  hedgeAnalyze(accountId: $id, candidates: $candidates, symbol: $symbol, benchmark: $benchmark) {
  currency positions value warnings hedges { symbol kind side quantity target held price value roundedRatio
    residualValue cost { fees spread total days } } } }"""
ORDERS = "orders { symbol side type quantity status cause groupId leg }"
HEDGE = f"hedge {{ id complete {ORDERS} open {{ symbol quantity }} }} userErrors {{ field code message }}"
EXECUTE = f"mutation($i: HedgeExecuteInput!) {{ r: hedgeExecute(input: $i) {{ {HEDGE} }} }}"
CLOSE = f"mutation($i: HedgeCloseInput!) {{ r: hedgeClose(input: $i) {{ {HEDGE} }} }}"
HELD = "query($id: ID!) { positions(accountId: $id) { nodes { symbol quantity } } }"
MINE = "tacc_2"


def leg(symbol: str, side: str, quantity: str) -> dict[str, str]:
    return {"symbol": symbol, "side": side, "quantity": quantity}


async def held(room: Room) -> dict[str, str]:
    found = await room.see(HELD, id=MINE)
    return {each["symbol"]: each["quantity"] for each in found["nodes"]}


async def execute(room: Room, **given: Any) -> Any:
    return await room.see(EXECUTE, i={"accountId": MINE, **given})


def codes(payload: Any) -> list[tuple[str, str]]:
    assert payload["hedge"] is None
    return [(".".join(each["field"] or ()), each["code"]) for each in payload["userErrors"]]


async def test_positions_are_hedged_together_less_what_is_held_of_the_candidate(room: Room):
    await room.place("BUY", "MARKET", "3", accountId=MINE)
    await room.place("SELL", "MARKET", "1", accountId=MINE, symbol=PERP)

    (whole,) = (await room.see(ANALYZE, id=MINE, candidates=[PERP]))["hedges"]
    alone = await room.see(ANALYZE, id=MINE, symbol=BTC, candidates=[PERP])
    both = await room.see(ANALYZE, id=MINE, benchmark=BTC, candidates=[PERP, ETH])

    # Bitcoin and its perpetual move alike: what is worth 300 is hedged by three of them.
    assert whole == {
        "symbol": PERP, "kind": "MINIMUM_VARIANCE", "side": "SELL", "quantity": "2", "target": "-3", "held": "-1",
        "price": "100", "value": "-300.00", "roundedRatio": 1.0, "residualValue": "0.00",
        "cost": {"fees": "0.00", "spread": "6.00", "total": "6.00", "days": 30},
    }  # fmt: skip
    assert (alone["currency"], alone["positions"], alone["value"]) == ("USD", [BTC], "300.00")
    assert [(each["quantity"], each["held"]) for each in alone["hedges"]] == [("3", "0")]
    assert {(each["symbol"], each["kind"]) for each in both["hedges"]} == {
        (PERP, "MINIMUM_VARIANCE"), (PERP, "BETA"), (ETH, "MINIMUM_VARIANCE"), (ETH, "BETA"),
    }  # fmt: skip


async def test_what_trades_on_fewer_days_hedges_and_the_dates_that_are_left_out_are_told(room: Room):
    closes = UP | {ETH: ["10", "11", None, None, "9.801", "10.7811"]}
    room.house.host.services[Panels] = HandPanels(panel(closes))
    await room.place("BUY", "MARKET", "3", accountId=MINE)

    found = await room.see(ANALYZE, id=MINE, candidates=[ETH])
    both = await room.see(ANALYZE, id=MINE, candidates=[ETH, PERP])
    made = await execute(room, **{"with": {"candidate": ETH}})

    told = "dates left out because a close is missing: 2; the return after one spans it"
    assert (found["warnings"], both["warnings"]) == ([told], [told])
    assert [(each["side"], each["quantity"], each["roundedRatio"]) for each in found["hedges"]] == [("SELL", "6", 1.0)]
    assert (made["userErrors"], await held(room)) == ([], {BTC: "3", ETH: "-6"})


async def test_a_hedge_by_closes_of_the_last_days_alone_is_refused_and_says_whose(room: Room):
    closes = {name: [*UP[name], "108", "109"] for name in (BTC, PERP)} | {ETH: [None] * 5 + ["10", "11", "10"]}
    room.house.host.services[Panels] = HandPanels(panel(closes))
    await room.place("BUY", "MARKET", "3", accountId=MINE)

    body = await room.ask(ANALYZE, id=MINE, candidates=[ETH, PERP])
    refused = await execute(room, **{"with": {"candidate": ETH}})
    without = await room.see(ANALYZE, id=MINE, candidates=[PERP])

    told = (
        "every instrument has a close on 3 of 8 dates only, and a hedge needs half of them: leave out what has few "
        f"({ETH} has closes from 2026-11-07 to 2026-11-09)"
    )
    assert [(each["extensions"]["code"], each["message"]) for each in body["errors"]] == [("NOT_COMPUTABLE", told)]
    assert [(each["code"], each["message"]) for each in refused["userErrors"]] == [("HEDGE_NOT_COMPUTABLE", f"{told}.")]
    assert (without["warnings"], [each["symbol"] for each in without["hedges"]]) == ([], [PERP])


async def test_a_hedge_is_made_though_somebody_has_called_an_order_as_its_leg(room: Room):
    named = client_order_id(hedge_id(MINE, "h"), 1)
    await room.place("BUY", "MARKET", "1", accountId=MINE, symbol=ETH, clientOrderId=named)

    made = await execute(room, legs=[leg(PERP, "SELL", "2")], clientHedgeId="h")
    again = await execute(room, legs=[leg(PERP, "SELL", "2")], clientHedgeId="h")

    assert (made["userErrors"], made["hedge"]["complete"], again) == ([], True, made)
    assert await held(room) == {PERP: "-2", ETH: "1"}


async def test_a_hedge_is_one_and_the_same_id_makes_it_once(room: Room):
    legs = [leg(PERP, "SELL", "2"), leg(ETH, "BUY", "1")]

    made = await execute(room, legs=legs, clientHedgeId="h")
    again = await execute(room, legs=legs, clientHedgeId="h")
    other = await execute(room, legs=legs[:1], clientHedgeId="h")
    after = await room.state()
    refused = {
        "SIZE_OFF_STEP": await execute(room, legs=[legs[0], leg(ETH, "BUY", "1.0001")], clientHedgeId="i"),
        "INSUFFICIENT_MARGIN": await execute(room, legs=[legs[0], leg(ETH, "BUY", "9000")]),
        "HEDGE_INVALID": await execute(room, legs=[legs[0], legs[0]]),
        "UNKNOWN_INSTRUMENT": await execute(room, legs=[leg("macro:CPI", "BUY", "1")]),
    }

    none = [await execute(room, legs=[]), await execute(room, legs=[leg(PERP, "SELL", "0")])]
    long = await execute(room, legs=legs, clientHedgeId="x" * 65)

    hedge = made["hedge"]["id"]
    assert [codes(each)[0] for each in (*none, long)] == [
        ("input.legs", "HEDGE_INVALID"), ("input.legs.0.quantity", "HEDGE_INVALID"),
        ("input.clientHedgeId", "HEDGE_INVALID"),
    ]  # fmt: skip
    assert (made["userErrors"], made["hedge"]["complete"]) == ([], True)
    assert made["hedge"]["orders"] == [
        {"symbol": PERP, "side": "SELL", "type": "MARKET", "quantity": "2", "status": "FILLED", "cause": "HEDGE",
         "groupId": hedge, "leg": None},
        {"symbol": ETH, "side": "BUY", "type": "MARKET", "quantity": "1", "status": "FILLED", "cause": "HEDGE",
         "groupId": hedge, "leg": None},
    ]  # fmt: skip
    assert made["hedge"]["open"] == [{"symbol": PERP, "quantity": "-2"}, {"symbol": ETH, "quantity": "1"}]
    assert again == made
    assert codes(other) == [("input.clientHedgeId", "IDEMPOTENCY_MISMATCH")]
    assert [codes(each)[0][1] for each in refused.values()] == list(refused)
    assert codes(refused["SIZE_OFF_STEP"]) == [("input.legs.1.quantity", "SIZE_OFF_STEP")]
    assert await room.state() == after
    assert await held(room) == {PERP: "-2", ETH: "1"}


async def test_a_hedge_is_closed_as_far_as_the_account_still_holds_it_and_once(room: Room):
    await room.place("SELL", "MARKET", "1", accountId=MINE, symbol=PERP)
    hedge = (await execute(room, legs=[leg(PERP, "SELL", "2"), leg(ETH, "BUY", "1")]))["hedge"]["id"]
    await room.place("SELL", "MARKET", "0.75", accountId=MINE, symbol=ETH)

    closed = await room.see(CLOSE, i={"accountId": MINE, "hedgeId": hedge})
    again = await room.see(CLOSE, i={"accountId": MINE, "hedgeId": hedge})
    unknown = await room.see(CLOSE, i={"accountId": MINE, "hedgeId": "hedge_none"})
    elsewhere = await room.see(CLOSE, i={"accountId": "tacc_1", "hedgeId": hedge})

    orders = [(each["symbol"], each["side"], each["quantity"], each["cause"]) for each in closed["hedge"]["orders"]]
    assert orders[2:] == [(PERP, "BUY", "2", "CLOSE"), (ETH, "SELL", "0.25", "CLOSE")]
    # What the account has sold meanwhile is no part of it any more.
    assert (closed["hedge"]["open"], closed["hedge"]["complete"]) == ([], True)
    assert await held(room) == {PERP: "-1"}
    assert codes(again) == [("input.hedgeId", "HEDGE_CLOSED")]
    assert codes(unknown) == codes(elsewhere) == [("input.hedgeId", "NOT_FOUND")]


async def test_the_same_key_closes_a_hedge_once(room: Room):
    await room.place("BUY", "MARKET", "3", accountId=MINE)
    first = (await execute(room, legs=[leg(PERP, "SELL", "2")]))["hedge"]["id"]
    second = (await execute(room, legs=[leg(PERP, "SELL", "1")]))["hedge"]["id"]
    closing = {"accountId": MINE, "hedgeId": first, "idempotencyKey": "k"}

    answers = await asyncio.gather(*(room.see(CLOSE, i=closing) for _ in range(5)))
    other = await room.see(CLOSE, i=closing | {"hedgeId": second})
    anew = await room.see(CLOSE, i=closing | {"idempotencyKey": "k2"})

    assert [each["userErrors"] for each in answers] == [[]] * 5
    assert {len(each["hedge"]["orders"]) for each in answers} == {2}
    assert codes(other) == [("input.idempotencyKey", "IDEMPOTENCY_MISMATCH")]
    assert codes(anew) == [("input.hedgeId", "HEDGE_CLOSED")]
    assert await held(room) == {BTC: "3", PERP: "-1"}


async def test_orders_of_a_hedge_wait_beside_each_other_and_go_with_it(room: Room):
    await room.open("tacc_3", margin="MARGIN", leverage=D(5), model={"latency_ms": 1000})
    made = await room.see(
        EXECUTE, i={"accountId": "tacc_3", "legs": [leg(PERP, "SELL", "2"), leg(ETH, "SELL", "1")]}
    )  # fmt: skip

    closed = await room.see(CLOSE, i={"accountId": "tacc_3", "hedgeId": made["hedge"]["id"]})

    assert (made["hedge"]["complete"], closed["hedge"]["complete"]) == (False, False)
    assert [each["status"] for each in made["hedge"]["orders"]] == ["ACCEPTED", "ACCEPTED"]
    assert [each["status"] for each in closed["hedge"]["orders"]] == ["CANCELED", "CANCELED"]
    assert closed["hedge"]["open"] == []


async def test_a_hedge_may_be_reckoned_when_it_is_executed(room: Room):
    nothing = await execute(room, **{"with": {"candidate": PERP}})
    await room.place("BUY", "MARKET", "3", accountId=MINE)

    made = await execute(room, clientHedgeId="h", **{"with": {"candidate": PERP}})
    again = await execute(room, clientHedgeId="h", **{"with": {"candidate": PERP}})
    enough = await execute(room, **{"with": {"candidate": PERP}})
    both = await execute(room, legs=[leg(PERP, "SELL", "2")], **{"with": {"candidate": PERP}})

    assert codes(nothing) == codes(enough) == [("input.with.candidate", "HEDGE_NOT_COMPUTABLE")]
    assert made["hedge"]["open"] == [{"symbol": PERP, "quantity": "-3"}]
    assert again == made
    assert codes(both) == [("input.legs", "HEDGE_INVALID")]
    assert await held(room) == {BTC: "3", PERP: "-3"}


@pytest.mark.parametrize(
    ("given", "field", "code", "told"),
    [
        ({"candidate": PERP, "kind": "BETA"}, "benchmark", "HEDGE_INVALID",
         "A BETA hedge needs a benchmark, against which betas are reckoned: an index or a fund, as `index:SPX`."),
        ({"candidate": PERP, "kind": "BETA", "benchmark": "???"}, "benchmark", "HEDGE_NOT_COMPUTABLE",
         "benchmark: '???' cannot be read: write an id such as 'crypto:BTC/USD' or 'equity:AAPL', or a short form such "
         "as AAPL, BTC-USD, EURUSD."),
        ({"candidate": PERP, "symbol": ETH}, "symbol", "HEDGE_NOT_COMPUTABLE",
         f"symbol: the account holds nothing of {ETH}: there is nothing to hedge."),
        ({"candidate": PERP, "kind": "BETA", "benchmark": BTC, "targetBeta": 101}, "targetBeta", "HEDGE_NOT_COMPUTABLE",
         "targetBeta: must be from -100 to 100, not 101."),
        ({"candidate": "index:SPX"}, "candidate", "HEDGE_NOT_COMPUTABLE",
         "candidates: index:SPX is a number made of others, which nobody can buy: trade a fund or a future on it."),
    ],
)  # fmt: skip
async def test_what_a_hedge_that_is_reckoned_lacks_is_refused_at_its_own_field(
    room: Room, given: dict[str, Any], field: str, code: str, told: str
):
    closes = UP | {PERP: ["101", None, "99.99", "109.989", "98.9901", "108.88911"]}
    room.house.host.services[Panels] = HandPanels(panel(closes))
    await room.place("BUY", "MARKET", "3", accountId=MINE)
    before = await room.state()

    refused = await execute(room, **{"with": given})

    (error,) = refused["userErrors"]
    assert (error["field"], error["code"], error["message"]) == (["input", "with", field], code, told)
    assert await room.state() == before


async def test_a_hedge_whose_market_is_closed_says_what_passes_and_when_it_opens_where_that_is_known(room: Room):
    """Friday night in New York."""
    euro = "fx:EUR/USD"
    room.price("1.1", "1.2", euro)
    made = await execute(room, legs=[leg(ETH, "BUY", "1"), leg(euro, "BUY", "10")])
    room.house.clock.turn(16 * 3600)
    for symbol in (euro, ETH):
        room.told[symbol]["market_state"] = MarketState.CLOSED
    before = await room.state()

    known = await execute(room, legs=[leg(PERP, "SELL", "2"), leg(euro, "BUY", "10")])
    unknown = await execute(room, legs=[leg(ETH, "BUY", "1")])
    shut = await room.see(CLOSE, i={"accountId": MINE, "hedgeId": made["hedge"]["id"]})
    room.price("49", "51", ETH)
    later = await room.see(CLOSE, i={"accountId": MINE, "hedgeId": made["hedge"]["id"]})

    waits, opens = "is CLOSED: orders of a hedge wait for nothing:", "after the opening, at 2026-11-22T22:00:00Z."
    assert [(*each["field"], each["code"], each["message"]) for found in (known, unknown, shut, later)
            for each in found["userErrors"]] == [
        ("input", "legs", "1", "symbol", "MARKET_CLOSED", f"The market of {euro} {waits} execute it {opens}"),
        ("input", "legs", "0", "symbol", "MARKET_CLOSED",
         f"The market of {ETH} {waits} execute it after the opening."),
        ("input", "hedgeId", "MARKET_CLOSED", f"The market of {ETH} {waits} close it after the opening."),
        ("input", "hedgeId", "MARKET_CLOSED", f"The market of {euro} {waits} close it {opens}"),
    ]  # fmt: skip
    assert await room.state() == before


async def test_without_a_plugin_that_proposes_hedges_legs_still_do(room: Room):
    await room.place("BUY", "MARKET", "3", accountId=MINE)
    del room.house.host.services[Hedges]

    body = await room.ask(ANALYZE, id=MINE, candidates=[PERP])
    reckoned = await execute(room, **{"with": {"candidate": PERP}})
    made = await execute(room, legs=[leg(PERP, "SELL", "3")])

    (error,) = body["errors"]
    assert (error["extensions"]["code"], "no plugin of this gateway proposes hedges" in error["message"]) == (
        "NOT_COVERED", True,
    )  # fmt: skip
    assert codes(reckoned) == [("", "HEDGES_UNAVAILABLE")]
    assert made["userErrors"] == []


async def test_who_may_only_look_proposes_and_executes_nothing(room: Room):
    await room.place("BUY", "MARKET", "3", accountId=MINE)
    looks = caller("user_ada", Scope.TRADING_READ, Scope.MARKET_READ)
    asked: dict[str, Any] = {"id": MINE, "candidates": [PERP]}

    seen = await room.ask(ANALYZE, looks, **asked)
    strange = await room.ask(ANALYZE, caller("user_eve"), **asked)
    legs = {"accountId": MINE, "legs": [leg(PERP, "SELL", "3")]}
    forbidden = await room.ask(EXECUTE, looks, i=legs)
    unknown = await room.see(EXECUTE, caller("user_eve"), i=legs)

    assert seen["data"]["hedgeAnalyze"]["positions"] == [BTC]
    assert strange["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert forbidden["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert codes(unknown) == [("input.accountId", "NOT_FOUND")]


async def test_a_hedge_is_priced_anew_where_the_account_holds_something_new(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    """Another client buys ether meanwhile: here once prices were asked, and before the account is locked."""
    asked: list[set[str]] = []

    async def ground_of(*given: Any, **more: Any) -> Ground:
        found = await ground.ground_of(*given, **more)
        if not asked:
            async with room.house.store.write() as tx:
                await PositionStore().put(tx, TENANT, position(ETH, "1", "50", account_id=MINE))
        asked.append({*more["held"]})
        return found

    monkeypatch.setattr(knowing, "ground_of", ground_of)
    made = await execute(room, legs=[leg(PERP, "SELL", "2")])
    opening = list(asked)
    async with room.house.store.write() as tx:
        await PositionStore().remove(tx, TENANT, MINE, ETH)
    asked.clear()
    closed = await room.see(CLOSE, i={"accountId": MINE, "hedgeId": made["hedge"]["id"]})

    assert opening == [{PERP}, {PERP, ETH}]
    assert asked == [{PERP}, {PERP, ETH}]
    assert (made["userErrors"], closed["userErrors"]) == ([], [])
    assert await held(room) == {ETH: "1"}


async def test_what_a_hedge_is_about_to_buy_is_priced_for_an_order_that_is_decided_meanwhile(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    hedging, gate, asked = asyncio.Event(), asyncio.Event(), list[frozenset[str]]()

    async def ask_all(*given: Any, **more: Any) -> list[Ground]:
        hedging.set()
        await gate.wait()
        return await knowing.ask_all(*given, **more)

    async def ask_one(context: Any, known: Any, *given: Any) -> Ground:
        if not asked:
            # Somebody else buys ether meanwhile: it is decided anew.
            async with room.house.store.write() as tx:
                await PositionStore().put(tx, TENANT, position(ETH, "1", "50", account_id=MINE))
        asked.append(known.held)
        return await knowing.ask_one(context, known, *given)

    monkeypatch.setattr(hedging_desk, "ask_all", ask_all)
    monkeypatch.setattr(orders_desk, "ask_one", ask_one)
    made = asyncio.create_task(execute(room, legs=[leg(PERP, "SELL", "2")]))
    await hedging.wait()
    await room.place("BUY", "MARKET", "1", accountId=MINE)
    gate.set()

    assert (await made)["userErrors"] == []
    assert asked == [frozenset(), frozenset({BTC, ETH, PERP})]


def test_nothing_is_left_of_no_orders() -> None:
    assert left_of([]) == {}
