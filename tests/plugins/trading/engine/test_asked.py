"""Accounts that are valued by prices that are asked for, as no stream tells them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from plugins.trading.markets.prices import Priced
from plugins.trading.rows import AccountRow
from schema.words.live import NoticeCode
from tests.plugins.trading.engine.floorhouse import BTC, ETH, FREE, D, Hall, hall, priced, wish

LENDS: dict[str, Any] = {"margin": "MARGIN", "leverage": D(5), "model": FREE}


@pytest.fixture
async def made(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(sqlite_url, tmp_path) as made:
        yield made


async def _quiet(made: Hall, balance: str, bitcoin: str = "4", ether: str = "1", **given: Any) -> AccountRow:
    """An account whose ether no stream tells any more: whoever is asked says 10. Bitcoin is told at 100."""
    account = await made.account(balance, **given)
    made.board.prices = {BTC: "100", ETH: "10"}
    await made.place(account, wish("BUY", "MARKET", bitcoin), price="100")
    await made.place(account, wish("BUY", "MARKET", ether, symbol=ETH), price="10")
    await made.look()
    await made.tick("10", ETH)
    await made.tick("100")
    await made.trouble(NoticeCode.STALE, ETH)
    made.house.clock.turn(1)
    return account


async def test_a_price_that_was_asked_for_is_as_old_as_its_stamp_says_and_not_as_its_answer(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stamped(*what: Any, **how: Any) -> Priced:
        found, age = priced(*what, **how), timedelta(seconds=55)
        return replace(found, age=age, tick=replace(found.tick, as_of=found.tick.at - age))

    monkeypatch.setattr("tests.plugins.trading.engine.floorhouse.priced", stamped)
    account = await _quiet(made, "10000", **LENDS)
    near, far = await made.place(
        account, wish("BUY", "LIMIT", "1", limit_price="99.5"), wish("BUY", "LIMIT", "1", limit_price="99"), price="100"
    )  # fmt: skip
    await made.look()
    await made.tick("99.4", bid="99.3", ask="99.5")
    made.board.hangs = asyncio.Event()

    made.house.clock.turn(6)
    await made.tick("98.95", bid="98.9", ask="99")

    assert [await made.stand(each.id) for each in (near, far)] == [("FILLED", "1"), ("ACCEPTED", "0")]
