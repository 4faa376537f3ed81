"""A book under any course of deeds: what it keeps is what a plain model of it keeps."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal as D
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from gateway.core.store import Store
from plugins.trading.ledger.drafts import Draft, deposit, interest, spot_fill, withdrawal
from plugins.trading.rows import EntryRow
from plugins.trading.tables import entries
from schema.words.problems import Refused
from tests.plugins.trading.ledger.books import TENANT, Books

_names = count(1)
AMOUNTS = st.integers(1, 500).map(lambda cents: D(cents) / 100)
CURRENCIES = st.sampled_from(["USD", "EUR"])


def machine(url: str) -> type[RuleBasedStateMachine]:
    class Course(RuleBasedStateMachine):
        """`cash` and `held` are what the model expects; `entries` what was booked."""

        def __init__(self) -> None:
            super().__init__()
            self.loop = asyncio.new_event_loop()
            self.books = Books(Store(url), account=f"tacc_course_{next(_names)}")
            self.run(self.books.open())
            self.cash: Counter[str] = Counter()
            self.held: Counter[str] = Counter()
            self.plain: list[tuple[EntryRow, str, Any]] = []
            self.pending: list[tuple[EntryRow, str, Any]] = []
            self.resolved: list[str] = []
            self.reversed: list[str] = []
            self.booked = 0
            self.past: list[tuple[Any, dict[str, Any]]] = []

        def run(self, work: Any) -> Any:
            return self.loop.run_until_complete(work)

        def teardown(self) -> None:
            self.run(self.books.store.close())
            self.loop.close()

        def attempt(self, work: Any, currency: str, change: Any) -> Any:
            """Refused exactly where it would overdraw."""
            there = self.cash[currency] - self.held[currency]
            try:
                found = self.run(work)
            except Refused as error:
                refused: Refused | None = error
                found = None
            else:
                refused = None
            overdraws = change < 0 and there + change < 0
            assert (refused is not None and refused.code == "INSUFFICIENT_FUNDS") == overdraws
            return found

        def booked_one(self, made: Draft, currency: str, change: Any) -> None:
            rows = self.attempt(self.books.post(made), currency, change)
            if rows:
                self.cash[currency] += change
                self.booked += 1
                self.plain.append((rows[0], currency, change))

        @rule(currency=CURRENCIES, amount=AMOUNTS)
        def pay_in(self, currency: str, amount: Any) -> None:
            self.booked_one(deposit(currency, amount), currency, amount)

        @rule(currency=CURRENCIES, amount=AMOUNTS)
        def pay_out(self, currency: str, amount: Any) -> None:
            self.booked_one(withdrawal(currency, amount), currency, -amount)

        @rule(currency=CURRENCIES, amount=AMOUNTS)
        def owe_interest(self, currency: str, amount: Any) -> None:
            self.booked_one(interest(currency, -amount), currency, -amount)

        @rule(currency=CURRENCIES, units=st.integers(-3, 3).filter(bool), price=AMOUNTS)
        def trade(self, currency: str, units: int, price: Any) -> None:
            made = spot_fill(instrument=f"crypto:X/{currency}", currency=currency, units=D(units), price=price)
            self.booked_one(made, currency, -units * price)

        @rule(currency=CURRENCIES, amount=AMOUNTS)
        def hold(self, currency: str, amount: Any) -> None:
            row = self.attempt(self.books.pend(withdrawal(currency, amount)), currency, -amount)
            if row:
                self.held[currency] += amount
                self.booked += 1
                self.pending.append((row, currency, amount))

        @precondition(lambda self: self.pending)
        @rule(place=st.integers(0, 50), posts=st.booleans())
        def resolve(self, place: int, posts: bool) -> None:
            row, currency, amount = self.pending.pop(place % len(self.pending))
            self.run(self.books.settle("post_pending" if posts else "void", row.id))
            self.held[currency] -= amount
            self.cash[currency] -= amount if posts else 0
            self.booked += 1
            self.resolved.append(row.id)

        @precondition(lambda self: self.resolved or self.reversed)
        @rule(place=st.integers(0, 50))
        def repeat_what_is_done(self, place: int) -> None:
            done = [("post_pending", each) for each in self.resolved] + [("reverse", each) for each in self.reversed]
            deed, entry = done[place % len(done)]
            with pytest.raises(Refused) as refused:
                self.run(self.books.settle(deed, entry))
            assert refused.value.code in ("ENTRY_RESOLVED", "ENTRY_REVERSED")

        @precondition(lambda self: self.plain)
        @rule(place=st.integers(0, 50))
        def take_back(self, place: int) -> None:
            row, currency, change = self.plain[place % len(self.plain)]
            if self.attempt(self.books.settle("reverse", row.id), currency, -change):
                self.plain.remove((row, currency, change))
                self.cash[currency] -= change
                self.booked += 1
                self.reversed.append(row.id)

        @rule()
        def wait(self) -> None:
            self.past.append((self.books.at, {each: (self.cash[each], self.held[each]) for each in self.cash}))
            self.books.later()

        @invariant()
        def agree(self) -> None:
            stands = {each: (self.cash[each], self.held[each]) for each in {*self.cash, *self.held}}
            for at, expected in ((None, stands), (self.books.at, stands), *self.past[-1:]):
                found = self.run(self.books.cash(at))
                kept = {each: (D(found[each][0]), D(found[each][1])) for each in found}
                assert {each: both for each, both in kept.items() if any(both)} == {
                    each: both for each, both in expected.items() if any(both)
                }

        @invariant()
        def numbers_have_no_gap(self) -> None:
            async def numbers() -> list[int]:
                mine = (entries.c.tenant_id == TENANT, entries.c.account_id == self.books.account)
                async with self.books.store.read() as tx:
                    return await tx.values(select(entries.c.number).where(*mine).order_by(entries.c.number))

            assert self.run(numbers()) == list(range(1, self.booked + 1))

    return Course


@pytest.mark.parametrize(("kind", "examples"), [("sqlite", 8), ("postgresql", 1)])
def test_a_book_keeps_what_a_plain_model_of_it_keeps(kind: str, examples: int, request: pytest.FixtureRequest) -> None:
    url = str(request.getfixturevalue("sqlite_url" if kind == "sqlite" else "postgresql_url"))

    run_state_machine_as_test(
        machine(url),
        settings=settings(
            max_examples=examples, stateful_step_count=30, deadline=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
