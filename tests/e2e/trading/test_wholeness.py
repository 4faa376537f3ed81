"""The checks after a storm find what is wrong, and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from plugins.trading.rows import FillRow, OrderRow
from tests.e2e.trading.board import Board
from tests.e2e.trading.dealing import Trial
from tests.e2e.trading.wholeness import Kept, differences
from tests.plugins.trading.rowsof import NOON, account, position

BTC, D = "crypto:BTC/USD", Decimal
MARGIN: dict[str, Any] = {"margin": "MARGIN", "leverage": D(5)}


def order(id: str, **given: Any) -> OrderRow:
    """A purchase of one at a limit of 90."""
    values: dict[str, Any] = dict.fromkeys(OrderRow.__dataclass_fields__)
    values |= {
        "tenant_id": "org_a", "id": id, "account_id": "tacc_1", "number": 1, "made_by": "user_ada", "instrument": BTC,
        "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": D(1), "limit_price": D(90),
        "post_only": False, "reduce_only": False, "cause": "USER", "status": "ACCEPTED", "filled": D(0), "paid": D(0),
        "fills": 0, "reserved": D("90.02"), "currency": "USD", "accepted_at": NOON, "open": True, "shard": 0,
        "version": 1, "replacements": 0, "created_at": NOON, "changed_at": NOON,
    }  # fmt: skip
    return OrderRow(**values | given)


def fill(order_id: str, quantity: str, **given: Any) -> FillRow:
    values: dict[str, Any] = {
        "tenant_id": "org_a", "id": f"fill_{order_id}", "account_id": "tacc_1", "order_id": order_id, "number": 1,
        "broker_fill_id": None, "instrument": BTC, "side": "BUY", "quantity": D(quantity), "price": D(90),
        "currency": "USD", "reference": None, "fee": D(0), "liquidity": "MAKER", "realised": D(0), "strategy": None,
        "provider": "sandbox", "mode": "SIMULATED", "priced_at": NOON, "at": NOON,
    }  # fmt: skip
    return FillRow(**values | given)


def found(
    orders: Iterable[OrderRow], fills: Iterable[FillRow] = (), positions: Iterable[Any] = (),
    trial: Trial | None = None, **of_account: Any,
) -> list[str]:  # fmt: skip
    """Of one account, while bitcoin was between 100 and 104 and at 101 at last."""
    trial = trial or Trial(database="", folder=Path(), operations=0, clients=0)
    trial.board = Board()
    for second, price in enumerate(("100", "104", "101", "101", "101")):
        quote = {"instrument": {"id": BTC}, "provenance": {"asOf": str(second)}, "price": price, "bid": price}
        trial.board.note([quote | {"ask": price}])
    kept = Kept(
        accounts=[account(**of_account)], orders=list(orders), fills=list(fills), positions=list(positions), entries=[],
        lines=[], schedules=[],
    )  # fmt: skip
    return list(differences(trial, kept))


FILLED: dict[str, Any] = {
    "status": "FILLED", "open": False, "reserved": D(0), "filled": D(1), "fills": 1, "ended_at": NOON
}  # fmt: skip


def test_what_is_whole_is_nothing():
    held = position(BTC, "1", "90")

    assert found([order("a"), order("b", **FILLED)], [fill("b", "1")], [held]) == []


def test_fills_positions_and_ends_are_compared():
    ended = {**FILLED, "status": "CANCELED", "filled": D(0), "fills": 0}

    assert found([order("a", **FILLED)]) == ["order a has 1 of 1 fills, and there are 0 of 0"]
    assert found([order("a", **FILLED | {"quantity": D(2)})], [fill("a", "1")], [position(BTC, "1", "90")]) == [
        "order a is FILLED with 1 of 2"
    ]
    assert found([order("a", **FILLED)], [fill("a", "1")]) == [
        "('tacc_1', 'crypto:BTC/USD') has dealt 1, and holds nothing"
    ]
    assert found([], [], [position(BTC, "1", "90")]) == ["tacc_1 holds 1 of crypto:BTC/USD, and has dealt 0"]
    assert found([order("a", **ended | {"reserved": D(5)})]) == ["order a is CANCELED, and holds 5"]
    assert found([order("a", **ended | {"reason": "NO_PRICE: nobody"})]) == ["order a is CANCELED: NO_PRICE: nobody"]


def test_reserves_are_those_of_some_price_that_was_seen():
    stop: dict[str, Any] = {"type": "STOP_MARKET", "limit_price": None, "stop_price": D(103)}
    # 103 to 104, half the collar more, a fifth of it; and a fee of 0.02 %.
    at_most = {"reserved": D("21.86")}

    assert found([order("a", **stop, **at_most)], **MARGIN) == []
    assert found([order("a", **stop, reserved=D("21.5"))], **MARGIN) == [
        "order a (STOP_MARKET BUY None ACCEPTED) of MARGIN tacc_1 holds 21.5, and reckoned anew 21.65 to 21.86"
    ]
    assert found([order("a", reserved=D(0))], **MARGIN) == [
        "order a (LIMIT BUY None ACCEPTED) of MARGIN tacc_1 holds 0, and reckoned anew 18.02 to 18.02"
    ]


def test_prices_between_two_looks_are_seen():
    def told(second: int) -> dict[str, Any]:
        return {
            "instrument": {"id": BTC}, "price": "88000", "bid": "88000", "ask": "88000",
            "provenance": {"asOf": f"2026-11-30T12:00:{second:02}+00:00"},
        }  # fmt: skip

    board = Board()
    board.look([told(0)])
    board.look([told(1)])
    assert (board.seen[BTC].low, board.seen[BTC].high) == (D(88_000), D(88_000))

    board.look([told(9)])
    assert (board.seen[BTC].low, board.seen[BTC].high) == (D(88_000), D("88134.14"))


def test_a_stop_that_three_prices_have_passed_by_is_found():
    stop: dict[str, Any] = {
        "side": "SELL", "type": "STOP_MARKET", "limit_price": None, "reduce_only": True, "reserved": D(0),
    }  # fmt: skip

    assert found([order("a", **stop, stop_price=D(100))]) == []
    assert found([order("a", **stop, stop_price=D(102))]) == [
        "stop a (SELL crypto:BTC/USD None) at 102 was passed by: 101, 101, 101"
    ]


def test_beyond_its_leverage_is_what_no_price_that_was_seen_explains():
    def told(available: str) -> list[str]:
        trial = Trial(database="", folder=Path(), operations=0, clients=0)
        trial.standings["tacc_1"] = {"equity": "100", "marginUsed": "100", "marginAvailable": available}
        bought = [order("a", **FILLED | {"quantity": D(3), "filled": D(3)})]
        return found(bought, [fill("a", "3")], [position(BTC, "3", "270")], trial, **MARGIN)

    # Three units moved by four, and what they use with them.
    assert told("-24") == []
    assert len(told("-24.01")) == 1


def test_a_group_is_there_whole_or_not_at_all():
    def told(*tags: str) -> list[str]:
        trial = Trial(database="", folder=Path(), operations=0, clients=0)
        trial.asked = {"tacc_1 1-1": 2}
        return found([order(f"a{n}", strategy=tag) for n, tag in enumerate(tags)], trial=trial)

    assert told() == told("1-1", "1-1") == []
    assert told("1-1") == ["group tacc_1 1-1: 1 orders, not 0 or 2"]
