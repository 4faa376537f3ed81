"""Accounts as they stand in the database: what is known already is not read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.store import Tx
from plugins.trading.engine import reading
from plugins.trading.engine.directory import EngineDirectory
from plugins.trading.engine.reading import read_accounts
from plugins.trading.orders.floor import Floor
from plugins.trading.rows import OrderRow
from plugins.trading.writing import writing
from schema.words.orders import OrderStatus
from tests.plugins.trading.engine.floorhouse import BTC, Hall, hall, wish

FAR = {"limit_price": "10"}


@pytest.fixture
async def made(sqlite_url: str, tmp_path: Path):
    async with hall(sqlite_url, tmp_path) as made:
        yield made


async def test_only_orders_that_have_changed_are_read_again(made: Hall, monkeypatch: pytest.MonkeyPatch):
    account = await made.account("1000")
    orders = await made.place(account, *(wish("BUY", "LIMIT", "1", BTC, **FAR) for _ in range(3)), price="100")
    async with made.house.store.read() as tx:
        known = {row.id: row for row in (await read_accounts(tx, [account.id]))[account.id].orders}
    async with writing(made.house.host, account.tenant_id, account.id) as w:
        floor = await Floor.opened(made.house.host, w)
        floor.end(floor.orders[orders[0].id], OrderStatus.CANCELED, None)
        floor.w.touch()
        await floor.write()
    (new,) = await made.place(account, wish("BUY", "LIMIT", "2", BTC, **FAR), price="100")
    asked = list[str]()
    real = EngineDirectory.named

    async def named(self: EngineDirectory, tx: Tx, ids: list[str]) -> list[OrderRow]:
        asked.extend(ids)
        return await real(self, tx, ids)

    monkeypatch.setattr(EngineDirectory, "named", named)

    async with made.house.store.read() as tx:
        again = (await read_accounts(tx, [account.id], {account.id: known}))[account.id]
        whole = (await read_accounts(tx, [account.id]))[account.id]
        monkeypatch.setattr(reading, "MOST_NAMED", 0)
        without = (await read_accounts(tx, [account.id], {account.id: known}))[account.id]

    assert [row.id for row in again.orders] == [orders[1].id, orders[2].id, new.id]
    assert again == whole == without
    assert asked == [new.id]
    assert again.orders[0] is known[orders[1].id]
