"""One reading of an account's rows for all who watch it in this process, as long as the account is at one version."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from weakref import WeakValueDictionary

from sqlalchemy import select

from gateway.core.contract import Context, Host
from gateway.core.store import Tx
from plugins.trading.accounts.access import Gate
from plugins.trading.live.view import Rows
from plugins.trading.orders.store import OrderStore
from plugins.trading.positions.standings import Appraiser
from plugins.trading.rows import AccountRow, FillRow, OrderRow
from plugins.trading.tables import fills, orders


class Reading:
    """Of one account. Whether somebody may see it is looked at for each of them, each time."""

    def __init__(self, account_id: str) -> None:
        self._account_id, self._one = account_id, asyncio.Lock()
        self._rows: Rows | None = None
        self._ended: dict[str, OrderRow] = {}
        self._fills: dict[str, FillRow] = {}

    async def rows(
        self, context: Context, *, known: Collection[str] = (), fill_ids: Sequence[str] = (), anew: bool = False
    ) -> Rows:
        """All in one view; of orders the open ones, and those that are *known* whatever became of them.

        Whatever changes raises the account's version, but how far its stops have followed: *anew* reads that too.
        """
        async with self._one, context.host.store.read() as tx:
            account = await Gate().seen(tx, context, self._account_id, "id")
            rows = self._rows
            if anew or rows is None or rows.account.version != account.version:
                held = await context.service(Appraiser).read(tx, account)
                now = {row.id: row for row in await OrderStore().open(tx, context.tenant, account.id)}
                rows = self._rows = Rows(account=account, held=held, open=now)
                self._ended, self._fills = {}, {}
            gone = sorted(set(known) - rows.open.keys())
            for part in _parts([id for id in gone if id not in self._ended]):
                self._ended |= {row.id: row for row in await _orders(tx, account, part)}
            for part in _parts([id for id in fill_ids if id not in self._fills]):
                self._fills |= {row.id: row for row in await _fills(tx, account, part)}
            ended = [self._ended[id] for id in gone if id in self._ended]
            filled = [self._fills[id] for id in fill_ids if id in self._fills]
        return replace(rows, ended=sorted(ended, key=lambda row: row.number), fills=filled)


class Readings:
    """One a process: an account's is kept while somebody watches it."""

    def __init__(self, host: Host) -> None:
        self._all: WeakValueDictionary[str, Reading] = WeakValueDictionary()

    def of(self, account_id: str) -> Reading:
        """The one that all share."""
        found = self._all.get(account_id)
        if found is None:
            found = self._all[account_id] = Reading(account_id)
        return found


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[at : at + 500] for at in range(0, len(ids), 500)]


async def _orders(tx: Tx, account: AccountRow, ids: Sequence[str]) -> list[OrderRow]:
    mine = (orders.c.tenant_id == account.tenant_id, orders.c.account_id == account.id, orders.c.id.in_(ids))
    return await tx.all(select(orders).where(*mine), OrderRow)


async def _fills(tx: Tx, account: AccountRow, ids: Sequence[str]) -> list[FillRow]:
    mine = (fills.c.tenant_id == account.tenant_id, fills.c.account_id == account.id, fills.c.id.in_(ids))
    return await tx.all(select(fills).where(*mine), FillRow)
