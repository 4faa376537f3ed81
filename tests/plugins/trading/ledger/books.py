"""An account, its book, and the database that both are in: all that the ledger needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

from gateway.core.contract import Host
from gateway.core.store import Store
from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.drafts import Draft
from plugins.trading.rows import AccountRow, EntryRow
from plugins.trading.tables import accounts
from plugins.trading.writing import Writing, writing

TENANT, BY = "org_a", "user_ada"
T0 = datetime(2026, 11, 20, 12, tzinfo=UTC)
D = Decimal


def account_row(account_id: str = "tacc_1", *, margin: str = "CASH", **given: Any) -> AccountRow:
    values: dict[str, Any] = {
        "tenant_id": TENANT, "id": account_id, "made_by": BY, "owner": BY, "name": account_id, "kind": "PAPER",
        "broker": "simulator", "currency": "USDT", "initial_balance": D(0), "margin": margin, "leverage": D(1),
        "max_daily_loss": None, "method": "FIFO", "shared": True, "model": {}, "halted": False, "halt_reason": None,
        "day": None, "day_equity": None, "loss_day": None, "margin_called": False, "shard": 0, "version": 1,
        "entries": 0, "orders": 0, "idempotency_key": None, "request_digest": None, "created_at": T0,
        "changed_at": T0, "deleted_at": None,
    }  # fmt: skip
    return AccountRow(**values | given)


@dataclass
class Books:
    """One account on a database; `at` is the time of what is booked."""

    store: Store
    account: str = "tacc_1"
    at: datetime = T0
    book: LedgerBook = field(default_factory=LedgerBook)

    @property
    def host(self) -> Host:
        return cast(Host, SimpleNamespace(store=self.store, clock=SimpleNamespace(now=lambda: self.at)))

    async def open(self, **given: Any) -> None:
        row = account_row(self.account, **given)
        async with self.store.write() as tx:
            await tx.run(accounts.insert().values(**asdict(row)))

    def later(self, seconds: int = 60) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Writing]:
        async with writing(self.host, TENANT, self.account) as w:
            yield w

    async def post(self, *drafts: Draft, **given: Any) -> list[EntryRow]:
        async with self.writing() as w:
            return await self.book.post(w, drafts, at=self.at, made_by=BY, **given)

    async def pend(self, draft: Draft, **given: Any) -> EntryRow:
        async with self.writing() as w:
            return await self.book.pend(w, draft, at=self.at, made_by=BY, **given)

    async def settle(self, deed: str, entry_id: str, **given: Any) -> EntryRow:
        """`post_pending`, `void` or `reverse`."""
        async with self.writing() as w:
            found: EntryRow = await getattr(self.book, deed)(w, entry_id, at=self.at, made_by=BY, **given)
            return found

    async def cash(self, at: datetime | None = None) -> dict[str, tuple[str, str]]:
        """Posted and held, by currency."""
        async with self.store.read() as tx:
            rows = await self.book.balances(tx, TENANT, self.account, at)
        return {row.asset: (str(row.posted), str(row.held)) for row in rows if row.ledger == "cash"}

    async def balances(self, at: datetime | None = None) -> dict[tuple[str, str], Decimal]:
        async with self.store.read() as tx:
            rows = await self.book.balances(tx, TENANT, self.account, at)
        return {(row.ledger, row.asset): row.posted for row in rows if row.posted}

    async def row(self) -> AccountRow:
        async with self.store.read() as tx:
            found = await tx.first(accounts.select().where(accounts.c.id == self.account), AccountRow)
        assert found is not None
        return found

    async def do(self, statement: Any) -> None:
        async with self.store.write() as tx:
            await tx.run(statement)
