"""One message has one size for all orders of an account, whichever transaction they meet it in."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from plugins.trading.orders.floor import Floor
from tests.plugins.trading.engine.floorhouse import FREE, hall, wish

LATE = {**FREE, "latency_ms": 1000}


async def test_orders_that_are_late_share_the_newest_message(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account(model=LATE)
        first, second = await made.place(account, wish("BUY", "MARKET", "2"), wish("BUY", "MARKET", "2"), price="100")
        await made.look()
        await made.tick("100", bid="99", ask="100", ask_size="3")
        made.house.clock.turn(1)
        await made.look()
        assert (await made.stand(first.id), await made.stand(second.id)) == (("FILLED", "2"), ("PARTIALLY_FILLED", "1"))

        await made.tick("100", bid="99", ask="100", ask_size="3")

        assert await made.stand(second.id) == ("FILLED", "2")


async def test_of_orders_that_are_late_the_best_price_comes_first(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account(model=LATE)
        low, high = await made.place(
            account, wish("BUY", "LIMIT", "3", limit_price="101"), wish("BUY", "LIMIT", "3", limit_price="102"),
            price="100",
        )  # fmt: skip
        await made.look()
        await made.tick("100", bid="99", ask="100", ask_size="3")
        made.house.clock.turn(1)
        await made.look()

        assert (await made.stand(low.id), await made.stand(high.id)) == (("ACCEPTED", "0"), ("FILLED", "3"))


async def test_an_order_that_is_late_finds_what_resting_ones_left_of_the_newest_message(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account(model=LATE)
        (rests,) = await made.place(account, wish("BUY", "LIMIT", "2", limit_price="100"), price="101")
        made.house.clock.turn(1)
        await made.look()
        await made.tick("101", bid="100", ask="101", ask_size="3")
        (late,) = await made.place(account, wish("BUY", "MARKET", "2"), price="101")
        made.engine.doubt(account.id)
        await made.settle()
        await made.tick("100", bid="99", ask="100", ask_size="3")
        made.house.clock.turn(1)

        await made.look()

        assert (await made.stand(rests.id), await made.stand(late.id)) == (("FILLED", "2"), ("PARTIALLY_FILLED", "1"))


async def test_what_was_not_written_has_taken_nothing_of_a_message(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.trading.engine.places.PAUSES_S", (0.0,))
    real, failures = Floor.write, [OperationalError("away", {}, Exception("away"))]

    async def write(floor: Floor) -> None:
        if floor.fills and failures:
            raise failures.pop()
        await real(floor)

    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account()
        (rests,) = await made.place(account, wish("BUY", "LIMIT", "2", limit_price="99"), price="100")
        await made.look()
        monkeypatch.setattr(Floor, "write", write)
        await made.tick("98", bid="97", ask="98", ask_size="2")
        await made.settle()

        assert (failures, await made.stand(rests.id)) == ([], ("FILLED", "2"))
