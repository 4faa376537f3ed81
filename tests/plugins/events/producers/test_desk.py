"""The producers of a process: one that breaks is begun again, and ends no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.core.ports import Interests
from plugins.events.plugin import plugin
from plugins.events.producers.candles import CandleProducer
from plugins.events.producers.desk import PAUSES
from schema.errors import BadInput
from tests.plugins.events.producers.fleet import MINUTES, Shop, open_shop, until


@pytest.fixture
async def shop(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(sqlite_url, tmp_path) as made:
        yield made


class HastyClock:
    """Sleeps at once, and says how long it would have been."""

    def __init__(self, shop: Shop, most: int) -> None:
        self.slept: list[float] = []
        self._clock, self._most = shop.house.clock, most
        self._sleep = shop.house.clock.sleep

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) >= self._most:
            await self._sleep(3600)


@pytest.mark.parametrize("error", [BadInput("symbol", "nobody streams it"), RuntimeError("a defect")])
async def test_a_producer_that_breaks_is_begun_again_after_longer_and_longer_pauses(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    hasty, begun = HastyClock(shop, len(PAUSES) + 2), []

    async def broken(self: CandleProducer) -> None:
        if self._subject != MINUTES:
            await asyncio.Event().wait()
        begun.append(self)
        raise error

    monkeypatch.setattr(CandleProducer, "run", broken)
    monkeypatch.setattr(shop.house.clock, "sleep", hasty.sleep)
    shop.asked.ask(MINUTES, "candle.closed")
    shop.asked.ask("crypto:ETH/USD#M1", "candle.closed")
    await shop.desk.look()
    await until(lambda: len(begun) > len(PAUSES))

    assert hasty.slept[: len(PAUSES)] == list(PAUSES)
    assert {key: task.done() for key, task in shop.desk.running.items()} == {
        f"candles|{MINUTES}": False, "candles|crypto:ETH/USD#M1": False,
    }  # fmt: skip


async def test_without_endpoints_nothing_is_looked_for(shop: Shop):
    shop.asked.ask(MINUTES, "candle.closed")
    del shop.house.host.services[Interests]

    await shop.desk.look()

    assert shop.desk.running == {}


async def test_the_workers_look_and_hand_over_at_the_end(shop: Shop):
    assert plugin.workers is not None
    (producing, tidying) = plugin.workers(shop.house.host)
    shop.asked.ask(MINUTES, "candle.closed")

    await producing.run()
    held = set(shop.desk.leases.held)
    await tidying.run()
    assert producing.finish is not None
    await producing.finish()

    assert held == {f"candles|{MINUTES}"}
    assert (shop.desk.running, shop.desk.leases.held) == ({}, set())
