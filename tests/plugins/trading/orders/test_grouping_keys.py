"""Orders that are placed together under a key are placed once; what changes orders stands in the audit trail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from plugins.accounts.tables import audit
from tests.plugins.trading.orders.pit import (
    BTC,
    CANCEL,
    CANCEL_ALL,
    GROUP,
    PROTECT,
    REPLACE,
    Pit,
)


def together(rule: str, *limits: str, key: str | None = "k1", symbol: str = BTC) -> dict[str, Any]:
    orders = [
        {"symbol": symbol, "side": "BUY", "type": "LIMIT", "quantity": "1", "limitPrice": limit} for limit in limits
    ]
    return {"accountId": "tacc_1", "rule": rule, "orders": orders, "idempotencyKey": key}


@pytest.mark.parametrize("rule", ["ALL", "OCO", "OTO"])
async def test_the_same_key_is_the_same_orders(pit: Pit, rule: str):
    first = await pit.do(GROUP, **together(rule, "90", "91.0"))
    await pit.do(CANCEL, orderId=first["orders"][0]["id"])
    before = await pit.state()

    again = await pit.do(GROUP, **together(rule, "90.00", "91", symbol="BTC-USD"))

    assert [each["id"] for each in again["orders"]] == [each["id"] for each in first["orders"]]
    assert again["orders"][0]["status"] == "CANCELED"
    assert await pit.state() == before


async def test_a_key_that_came_with_other_orders_is_refused(pit: Pit):
    await pit.do(GROUP, **together("ALL", "90", "91"))

    found = [
        await pit.refused(GROUP, **together("ALL", "90", "92")), await pit.refused(GROUP, **together("OCO", "90", "91"))
    ]  # fmt: skip
    others = await pit.do(GROUP, **together("ALL", "90", "91", key="k2"))

    assert [each[:2] for each in found] == [("IDEMPOTENCY_MISMATCH", "input.idempotencyKey")] * 2
    assert [each["number"] for each in others["orders"]] == [3, 4]


async def test_what_changes_orders_stands_in_the_audit_trail(pit: Pit):
    one, other = (each["id"] for each in (await pit.do(GROUP, **together("ALL", "90", "91")))["orders"])
    await pit.do(REPLACE, orderId=one, limitPrice="92.5")
    await pit.do(CANCEL, orderId=one)
    await pit.do(CANCEL_ALL, accountId="tacc_1", symbol="BTC/USD")
    bought = await pit.place("BUY", "MARKET")
    kept = await pit.do(PROTECT, accountId="tacc_1", symbol=BTC, stopLoss={"stopPrice": "90"})

    async with pit.house.store.read() as tx:
        rows = (await tx.connection.execute(select(audit).order_by(audit.c.id))).mappings().all()
    told = {(row["action"], row["target"]): (_read(row["before"]), _read(row["after"])) for row in rows}

    assert {key for key in told if key[0] == "order.placed"} == {
        ("order.placed", each) for each in (one, other, bought["order"]["id"])
    }
    assert told["order.replaced", one] == (
        {"limitPrice": "90"}, {"account": "tacc_1", "limitPrice": "92.5"}
    )  # fmt: skip
    assert told["order.canceled", one][1] == {"account": "tacc_1", "symbol": BTC, "withIt": []}
    assert told["orders.canceled", "tacc_1"][1] == {"symbol": BTC, "orders": [other]}
    assert told["position.protected", "tacc_1"][1] == {
        "symbol": BTC, "orders": [each["id"] for each in kept["orders"]], "canceled": []
    }  # fmt: skip


def _read(stored: Any) -> Any:
    return json.loads(stored) if isinstance(stored, str) else stored
