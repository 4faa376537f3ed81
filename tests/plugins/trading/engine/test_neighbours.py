"""The trouble of one account is not another's: what is due, what indicators say, what cannot be read."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.core.matching.conditions import Direction, ValueCondition, plain
from plugins.trading.engine.charging import Charger
from plugins.trading.rows import AccountRow
from plugins.trading.tables import accounts, orders
from tests.plugins.trading.engine.floorhouse import BTC, ETH, D, Hall, hall, wish


async def _owing(made: Hall, **given: str) -> AccountRow:
    """An account whose interest is due."""
    account = await made.account("100", margin="MARGIN", leverage=D(10), margin_interest_rate=D("0.1"), **given)
    await made.place(account, wish("BUY", "MARKET", "8"), price="100")
    return account


async def test_an_account_whose_interest_cannot_be_booked_keeps_no_other_from_being_charged(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, book = set[str](), Charger.book

    async def booked(self: Charger, account: AccountRow) -> bool:
        if account.id in broken:
            raise ArithmeticError("nobody expects this")
        return await book(self, account)

    monkeypatch.setattr(Charger, "book", booked)
    async with hall(sqlite_url, tmp_path) as made:
        bad, good = sorted([await _owing(made), await _owing(made)], key=lambda row: row.id)
        broken.add(bad.id)
        await made.look()
        made.house.clock.turn(12 * 3600 + 120)
        with capture_logs() as logs:
            await made.look()

        assert [await made.cash(each) for each in (bad, good)] == ["-700.00", "-700.19"]
        assert [each["account"] for each in logs if each["event"] == "trading_not_booked"] == [bad.id]


async def test_an_organisation_whose_interest_takes_its_time_keeps_no_other_waiting(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, begun, charged, book = set[str](), list[str](), asyncio.Event(), Charger.book
    gate = asyncio.Event()

    async def booked(self: Charger, account: AccountRow) -> bool:
        begun.append(account.id)
        if account.id in slow:
            await gate.wait()
        done = await book(self, account)
        if account.id not in slow:
            charged.set()
        return done

    monkeypatch.setattr(Charger, "book", booked)
    async with hall(sqlite_url, tmp_path) as made:
        guest = await made.company.guest("eve", "Difference Engines")
        first, mine = await _owing(made, tenant_id=guest.tenant), await _owing(made)
        async with made.house.store.write() as tx:
            before = first.created_at.replace(hour=0) - timedelta(hours=1)
            await tx.run(accounts.update().where(accounts.c.id == first.id).values(charged_at=before))
        slow.add(first.id)

        made.house.clock.turn(12 * 3600 + 120)
        await made.engine.look()
        try:
            async with asyncio.timeout(5):
                await charged.wait()
        finally:
            gate.set()
        await made.settle()

        assert begun == [first.id, mine.id]
        assert await made.cash(mine) == "-700.19"


async def test_an_indicator_that_cannot_be_reckoned_keeps_no_other_from_being_told(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices, made.board.closes = {ETH: "100", BTC: "100"}, {ETH: ["10", "12", "11", "99"]}
        account = await made.account()
        waits = [
            plain(ValueCondition(key=f"SMA:3:{each}", direction=Direction.ABOVE, level=D(-1))) for each in (BTC, ETH)
        ]
        wishes = [wish("BUY", "MARKET", condition=each) for each in waits]
        bad, good = await made.place(account, *wishes, price="100")

        with capture_logs() as logs:
            await made.look()

        assert [(await made.order(each.id)).status for each in (bad, good)] == ["NEW", "FILLED"]
        assert {each.get("key") for each in logs if each["log_level"] == "error"} == {f"SMA:3:{BTC}"}


async def test_an_account_that_cannot_be_read_keeps_no_other_from_being_worked(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        bad, good = await made.trader(), await made.trader()
        (broken,) = await made.place(bad, wish("BUY", "LIMIT", limit_price="90"), price="100")
        await made.look()
        (order,) = await made.place(good, wish("BUY", "LIMIT", limit_price="95"), price="100")
        async with made.house.store.write() as tx:
            await tx.run(orders.update().where(orders.c.id == broken.id).values(type="NOBODY KNOWS", version=9))
            await tx.run(accounts.update().where(accounts.c.id == bad.id).values(version=99))

        with capture_logs() as logs:
            await made.look()
        made.house.clock.turn(1)
        await made.tick("95")

        assert await made.stand(order.id) == ("FILLED", "1")
        assert {each["account"] for each in logs if each["event"] == "trading_account_unreadable"} == {bad.id}
