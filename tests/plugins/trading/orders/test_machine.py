"""Accounts under any course of orders, prices and money: what must hold of them always."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from plugins.trading.ledger.proof.proving import verify
from plugins.trading.rows import FillRow, OrderRow
from plugins.trading.tables import balances, fills, orders
from tests.plugins.trading.ledger.asking import DEPOSIT, WITHDRAW
from tests.plugins.trading.orders.pit import (
    BTC,
    CANCEL,
    CANCEL_ALL,
    CLOSE,
    GROUP,
    PERP,
    PLACE,
    PROTECT,
    REPLACE,
    D,
    Pit,
    open_pit,
    wish,
)

_names = count(1)
ENDED = {"FILLED", "CANCELED", "EXPIRED", "REJECTED"}
CENTS = st.integers(7_000, 13_000).map(lambda cents: str(D(cents) / 100))
SIZES = st.integers(100, 60_000).map(lambda units: str(D(units) / 1_000))
SIDES = st.sampled_from(["BUY", "SELL"])
PLACES = st.integers(0, 20)
EQUITY = "query($id: ID!) { tradingAccount(id: $id) { standing { equity } } }"


@st.composite
def wishes(draw: Any) -> dict[str, Any]:
    """Orders of every type, most of which pass."""
    type_ = draw(st.sampled_from(["MARKET", "LIMIT", "LIMIT", "STOP_MARKET", "STOP_LIMIT", "TRAILING_STOP"]))
    given: dict[str, Any] = wish(draw(SIDES), type_, draw(SIZES), symbol=draw(st.sampled_from([BTC, BTC, PERP])))
    if type_ in ("LIMIT", "STOP_LIMIT"):
        given["limitPrice"] = draw(CENTS)
    if type_ in ("STOP_MARKET", "STOP_LIMIT"):
        given["stopPrice"] = draw(CENTS)
    if type_ == "TRAILING_STOP":
        given["trailAmount"] = "2"
    if type_ in ("MARKET", "LIMIT"):
        given["timeInForce"] = draw(st.sampled_from(["GTC", "IOC", "FOK", "DAY"]))
    if type_ != "MARKET":
        given["timeInForce"] = given.get("timeInForce", "GTC")
    if draw(st.booleans()):
        given["reduceOnly"] = draw(st.booleans())
    if not given.get("reduceOnly") and draw(st.integers(0, 3)) == 0:
        given |= {"takeProfit": {"limitPrice": "140"}, "stopLoss": {"stopPrice": "60"}}
        given |= {"side": "BUY"}
    return given


def machine(loop: asyncio.AbstractEventLoop, pit: Pit) -> type[RuleBasedStateMachine]:
    class Course(RuleBasedStateMachine):
        """One account, of cash or of margin."""

        @initialize(lends=st.booleans(), method=st.sampled_from(["FIFO", "AVERAGE_COST"]))
        def open(self, lends: bool, method: str) -> None:
            self.account, self.lends = f"tacc_m{next(_names)}", lends
            given: dict[str, Any] = {"margin": "MARGIN", "leverage": D(5)} if lends else {}
            self.run(pit.open(self.account, method=method, **given))
            self.paid_in, self.ended, self.steps = D(10_000), dict[str, OrderRow](), 0
            self.move("99", "1", "5")

        def run(self, work: Any) -> Any:
            return loop.run_until_complete(work)

        def ask(self, document: str, **given: Any) -> Any:
            return self.run(pit.see(document, i={"accountId": self.account} | given))

        def some(self, place: int) -> OrderRow | None:
            open_ = [row for row in self.rows if row.open]
            return open_[place % len(open_)] if open_ else None

        @rule(bid=CENTS, spread=st.sampled_from(["0.01", "1", "3"]), size=st.sampled_from(["0.5", "5", "40"]))
        def move(self, bid: str, spread: str, size: str) -> None:
            """The price moves, and meets what is open."""
            for symbol in (BTC, PERP):
                pit.price(bid, str(D(bid) + D(spread)), symbol, size)
                self.run(pit.tick(self.account, symbol))

        @rule(given=wishes())
        def place(self, given: dict[str, Any]) -> None:
            self.ask(PLACE, **given | {"accountId": self.account})

        @rule(rule=st.sampled_from(["OCO", "OTO", "ALL"]), parts=st.lists(wishes(), min_size=2, max_size=3))
        def group(self, rule: str, parts: list[dict[str, Any]]) -> None:
            kept = [
                {name: part[name] for name in part.keys() - {"accountId", "takeProfit", "stopLoss"}} for part in parts
            ]
            self.ask(GROUP, rule=rule, orders=kept)

        @rule(place=PLACES, quantity=SIZES, price=CENTS)
        def change(self, place: int, quantity: str, price: str) -> None:
            if row := self.some(place):
                terms = {"quantity": quantity} | ({"limitPrice": price} if row.limit_price else {})
                self.run(pit.see(REPLACE, i={"orderId": row.id} | terms))

        @rule(place=PLACES)
        def cancel(self, place: int) -> None:
            if row := self.some(place):
                assert self.run(pit.see(CANCEL, i={"orderId": row.id}))["userErrors"] == []

        @rule(quantity=st.one_of(st.none(), SIZES), symbol=st.sampled_from([BTC, PERP]))
        def close(self, quantity: str | None, symbol: str) -> None:
            self.ask(CLOSE, symbol=symbol, quantity=quantity)

        @rule(profit=st.booleans())
        def protect(self, profit: bool) -> None:
            self.ask(
                PROTECT,
                symbol=BTC,
                stopLoss={"stopPrice": "65"},
                **({"takeProfit": {"limitPrice": "135"}} if profit else {}),
            )

        @rule()
        def cancel_all(self) -> None:
            self.ask(CANCEL_ALL)
            self.look()
            assert not any(row.open for row in self.rows)

        @rule(cents=st.integers(1, 500_000), pays_in=st.booleans())
        def pay(self, cents: int, pays_in: bool) -> None:
            amount = D(cents) / 100
            payload = self.ask(DEPOSIT if pays_in else WITHDRAW, amount=str(amount), currency="USD")
            if payload["entry"]:
                self.paid_in += amount if pays_in else -amount

        def look(self) -> None:
            self.run(self._look())

        async def _look(self) -> None:
            async with pit.house.store.read() as tx:
                mine = select(orders).where(orders.c.account_id == self.account).order_by(orders.c.number)
                self.rows = await tx.all(mine, OrderRow)
                self.fills = await tx.all(select(fills).where(fills.c.account_id == self.account), FillRow)
                self.cash = await tx.value(
                    select(balances.c.posted).where(balances.c.account_id == self.account, balances.c.ledger == "cash")
                )
                self.steps += 1
                self.found = await verify(tx, None, self.account) if self.steps % 3 == 0 else []

        @invariant()
        def it_holds(self) -> None:
            self.look()
            assert self.found == []
            for row in self.rows:
                if row.id in self.ended:
                    assert self.ended[row.id] == row
                elif row.status in ENDED:
                    self.ended[row.id] = row
                    assert not row.open
                    assert row.reserved == 0
            self.check_fills()
            self.check_exits()
            self.check_equity()
            if not self.lends:
                self.check_cash()

        def check_fills(self) -> None:
            by_order: dict[str, Decimal] = {}
            for fill in self.fills:
                by_order[fill.order_id] = by_order.get(fill.order_id, D(0)) + fill.quantity
            for row in self.rows:
                assert row.filled == by_order.pop(row.id, D(0))
                assert row.quantity is None or row.filled <= row.quantity
            assert by_order == {}

        def check_exits(self) -> None:
            """Together they protect no more than is held, and none that has nothing to protect waits for nothing."""
            held, sizes = dict[str, Decimal](), dict[tuple[str, str], dict[str, Decimal]]()
            for fill in self.fills:
                signed = fill.quantity if fill.side == "BUY" else -fill.quantity
                held[fill.instrument] = held.get(fill.instrument, D(0)) + signed
            open_ = {row.id for row in self.rows if row.open}
            for row in self.rows:
                if row.open and row.leg in ("TAKE_PROFIT", "STOP_LOSS") and row.status != "NEW":
                    assert row.quantity is not None
                    assert row.quantity > row.filled or row.parent_id in open_
                    groups = sizes.setdefault((row.instrument, row.side), {})
                    assert groups.setdefault(str(row.group_id), row.quantity - row.filled) == row.quantity - row.filled
            for (instrument, side), groups in sizes.items():
                assert sum(groups.values()) <= max(D(0), held[instrument] * (1 if side == "SELL" else -1))

        def check_cash(self) -> None:
            held = {BTC: D(0)}
            for fill in self.fills:
                held[fill.instrument] += fill.quantity if fill.side == "BUY" else -fill.quantity
            reserved = sum((row.reserved for row in self.rows if row.open), D(0))
            assert self.cash >= reserved >= 0
            assert held[BTC] >= 0

        def check_equity(self) -> None:
            """What was paid in, and what trades brought by the price of now."""
            told = pit.told[BTC]["price"]
            won, cents = D(0), D(0)
            for fill in self.fills:
                signed = fill.quantity if fill.side == "BUY" else -fill.quantity
                won += signed * (told - fill.price) - fill.fee
                cents += D("0.01")
            equity = D(self.run(pit.see(EQUITY, id=self.account))["standing"]["equity"])
            assert abs(equity - self.paid_in - won) <= cents

    return Course


def course(url: str, folder: Path, examples: int, steps: int) -> None:
    """Several accounts, one after the other, in one gateway."""
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    try:
        pit = loop.run_until_complete(stack.enter_async_context(open_pit(url, folder)))
        run_state_machine_as_test(
            machine(loop, pit),
            settings=settings(
                max_examples=examples, stateful_step_count=steps, deadline=None, database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
    finally:
        loop.run_until_complete(stack.aclose())
        loop.close()


def test_whatever_is_ordered_an_account_stays_whole(sqlite_url: str, tmp_path: Path):
    course(sqlite_url, tmp_path, int(os.environ.get("MARKETGATE_TEST_COURSES", "3")), 25)


def test_whatever_is_ordered_an_account_stays_whole_on_postgresql(empty_postgresql_url: str, tmp_path: Path):
    course(empty_postgresql_url, tmp_path, 1, 20)
