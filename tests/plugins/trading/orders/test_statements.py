"""What an order asks the database for: each statement more is felt by whoever waits for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from tests.plugins.trading.orders.pit import Pit

LOOKED_AT = ["SELECT trading_accounts", "SELECT trading_orders"]
"""Before it is locked: the account, and what came under the same client's id."""
LOCKED = [
    "SELECT trading_accounts", "SELECT trading_permits", "SELECT trading_orders", "SELECT trading_orders",
    "SELECT trading_positions", "SELECT trading_balances",
]  # fmt: skip
"""The account, kill switches, open orders of the instrument and the sum of the others, what is held, and money."""
BOOKED = [
    "INSERT trading_fills", "INSERT trading_entries", "INSERT trading_lines", "INSERT trading_balances",
    "INSERT trading_positions",
]  # fmt: skip
TOLD = ["UPDATE trading_accounts", "INSERT outbox_heads", "INSERT outbox_events", "INSERT outbox_log"]
_FORM = re.compile(r"(SELECT|INSERT INTO|UPDATE|DELETE FROM)(?: .*? FROM)? (\w+)", re.DOTALL)


@contextmanager
def statements(pit: Pit) -> Iterator[list[str]]:
    """Verb and table of each statement, in order; without those that begin transactions and tell other processes."""
    asked: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        found = _FORM.match(statement)
        if found is not None and "pg_notify" not in statement:
            asked.append(f"{found[1].split()[0]} {found[2]}")

    engine = pit.house.store.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def settle(pit: Pit) -> None:
    """An order before has made the market's price and rules known, and opened the account's balances."""
    pit.price("99", "101")
    await pit.place("BUY", "MARKET")


async def test_an_order_that_rests_takes_no_more_statements_than_it_needs(pit_on_both: Pit):
    pit = pit_on_both
    await settle(pit)

    with statements(pit) as asked:
        await pit.place("BUY", "LIMIT", limitPrice="90", clientOrderId="rests")

    assert asked == [*LOOKED_AT, *LOCKED, "INSERT accounts_audit", "INSERT trading_orders", *TOLD]


async def test_an_order_that_is_filled_at_once_takes_five_more(pit_on_both: Pit):
    pit = pit_on_both
    await settle(pit)

    with statements(pit) as asked:
        await pit.place("BUY", "MARKET", clientOrderId="filled")

    assert asked == [*LOOKED_AT, *LOCKED, "INSERT accounts_audit", "INSERT trading_orders", *BOOKED, *TOLD]
