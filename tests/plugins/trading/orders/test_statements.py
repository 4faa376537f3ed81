"""What an order asks the database for: each statement more is felt by whoever waits for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from tests.plugins.trading.orders.pit import Pit

LOOKED_AT = ["SELECT trading_accounts, trading_orders"]
"""Before it is locked: the account, and what came under the same client's id."""
LOCKED = [
    "SELECT trading_accounts",
    "SELECT trading_orders, trading_orders, trading_positions, trading_balances, trading_permits, trading_switches",
]
"""Open orders of the instrument and the sum of the others, what is held, money, and kill switches."""
PLACED = ["INSERT accounts_audit", "INSERT trading_orders"]
BOOKED = [
    "INSERT trading_fills", "INSERT trading_entries", "INSERT trading_lines", "INSERT trading_balances",
    "INSERT trading_positions",
]  # fmt: skip
TOLD = ["INSERT outbox_events", "INSERT outbox_log"]
_ASKED = re.compile(r"\sFROM (\w+)")
_WRITTEN = re.compile(r"^\(?(INSERT INTO|UPDATE|DELETE FROM) (\w+)", re.MULTILINE)


def together(*writes: str) -> str:
    """In one way to the database."""
    return " + ".join(writes)


@contextmanager
def statements(pit: Pit) -> Iterator[list[str]]:
    """Verb and table of all that each statement reads or writes, in order; without those that begin transactions."""
    asked: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append(f"SELECT {', '.join(_ASKED.findall(statement))}")
        elif not statement.startswith("BEGIN"):
            asked.append(together(*[f"{verb.split()[0]} {table}" for verb, table in _WRITTEN.findall(statement)]))

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

    written = together(*PLACED, "UPDATE trading_accounts", "INSERT outbox_heads")
    assert asked == [*LOOKED_AT, *LOCKED, written, together(*TOLD)]


async def test_an_order_that_is_filled_at_once_takes_no_more(pit_on_both: Pit):
    pit = pit_on_both
    await settle(pit)

    with statements(pit) as asked:
        await pit.place("BUY", "MARKET", clientOrderId="filled")

    written = together(*PLACED, *BOOKED, "UPDATE trading_accounts", "INSERT outbox_heads")
    assert asked == [*LOOKED_AT, *LOCKED, written, together(*TOLD)]
