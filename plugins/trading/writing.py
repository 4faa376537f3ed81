"""One account at a time: its row is locked first, and its counters are stored once, at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.core.contract import Host
from gateway.core.store import Tx
from plugins.trading.accounts.access import unknown
from plugins.trading.accounts.store import AccountStore
from plugins.trading.rows import AccountRow, BalanceRow
from schema.words.problems import Refused


@dataclass(slots=True, kw_only=True)
class Writing:
    """An account while it is locked. What is set here is stored when the block ends, with its next version."""

    tx: Tx
    account: AccountRow
    """As it will be stored, but for version and time of change."""
    changes: dict[str, Any] = field(default_factory=dict)
    touched: bool = False
    """Whether anything of the account has changed, in whatever table."""
    balances: dict[tuple[str, str], BalanceRow] = field(default_factory=dict)
    """Those that were read under this lock, by ledger and asset, as they are now."""

    @property
    def tenant(self) -> str:
        """The organisation that it belongs to."""
        return self.account.tenant_id

    def set(self, **values: Any) -> None:
        """Set columns of the account."""
        self.account = replace(self.account, **values)
        self.changes |= values
        self.touched = True

    def touch(self) -> None:
        """An order or a position has changed: the account gets its next version."""
        self.touched = True

    def next_entries(self, count: int) -> int:
        """Take so many numbers of entries; the first of them."""
        first = self.account.entries + 1
        self.set(entries=self.account.entries + count)
        return first

    def next_order(self) -> int:
        """Take a number of an order."""
        self.set(orders=self.account.orders + 1)
        return self.account.orders


@asynccontextmanager
async def writing(host: Host, tenant: str, account_id: str) -> AsyncIterator[Writing]:
    """A transaction that changes one account; Refused NOT_FOUND where there is none, or it is deleted."""
    async with writings(host, tenant, (account_id,)) as locked:
        yield locked[account_id]


@asynccontextmanager
async def writings(host: Host, tenant: str, account_ids: Sequence[str]) -> AsyncIterator[dict[str, Writing]]:
    """The same of several accounts, locked in the order of their ids, so that two never wait for each other."""
    async with host.store.write(*turns_of(tenant, *account_ids)) as tx:
        locked = {each: await lock(tx, tenant, each) for each in sorted(set(account_ids))}
        yield locked
        for each in locked.values():
            await finish(host, each)


def turns_of(tenant: str, *account_ids: str) -> list[str]:
    """What those that lock these accounts wait for each other by."""
    return [f"account {tenant} {each}" for each in account_ids]


async def lock(tx: Tx, tenant: str, account_id: str) -> Writing:
    """Wait for others that change this account, until the end of the transaction; Refused NOT_FOUND."""
    row = await AccountStore().lock(tx, tenant, account_id)
    if row is None:
        raise unknown("accountId")
    return Writing(tx=tx, account=row)


def is_gone(error: Exception) -> bool:
    """Whether an account was refused as there is none, or it is deleted; any other refusal is of what was asked."""
    return isinstance(error, Refused) and error.code == "NOT_FOUND" and error.field == ("accountId",)


async def finish(host: Host, w: Writing) -> None:
    """Store what was set, and the next version, if anything has changed."""
    if not w.touched:
        return
    w.set(version=w.account.version + 1, changed_at=host.clock.now())
    await AccountStore().set(w.tx, w.tenant, w.account.id, **w.changes)
    w.changes, w.touched = {}, False
