"""One message has one size for all orders of an account, whichever transaction they meet it in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from plugins.trading.engine import dealing
from plugins.trading.engine.seat import Seat
from plugins.trading.orders.floor import Floor
from plugins.trading.writing import writing
from schema.words.orders import OrderStatus
from tests.plugins.trading.engine.floorhouse import BTC, FREE, hall, wish

D = Decimal

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


async def test_what_fills_many_orders_does_so_in_several_transactions_and_passes_by_what_changed_between(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dealing, "FILLS_AT_ONCE", 2)
    real, begun = dealing.Dealer.floor, list[str]()

    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("1000")
        limits = [wish("BUY", "LIMIT", "1", limit_price=str(price)) for price in (99, 98, 97, 96, 95)]
        rows = await made.place(account, *limits, price="100")
        await made.look()

        @asynccontextmanager
        async def floor(dealer: dealing.Dealer, seat: Seat, *names: str) -> AsyncIterator[tuple[Floor, bool]]:
            begun.append(seat.id)
            if len(begun) == 2:
                made.house.clock.turn(1)
                await made.replace(rows[2], "100", limit_price=D(98))
                async with writing(made.house.host, account.tenant_id, account.id) as w:
                    other = await Floor.opened(made.house.host, w)
                    other.end(other.orders[rows[3].id], OrderStatus.CANCELED, "CANCELED")
                    await other.write()
            async with real(dealer, seat, *names) as found:
                yield found

        monkeypatch.setattr(dealing.Dealer, "floor", floor)
        made.house.clock.turn(1)
        await made.tick("94")

        assert [(await made.stand(row.id))[0] for row in rows] == ["FILLED", "FILLED", "ACCEPTED", "CANCELED", "FILLED"]
        assert len(begun) == 2
        assert await made.held(account) == {BTC: "3"}

        made.house.clock.turn(1)
        await made.tick("94")

        assert await made.stand(rows[2].id) == ("FILLED", "1")


async def test_a_halt_between_two_transactions_of_a_message_keeps_the_rest_for_when_trading_goes_on(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dealing, "FILLS_AT_ONCE", 1)
    real, begun = dealing.Dealer.floor, list[str]()

    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("1000")
        limits = [wish("BUY", "LIMIT", "1", limit_price=str(price)) for price in (99, 98)]
        rows = await made.place(account, *limits, price="100")
        await made.look()

        @asynccontextmanager
        async def floor(dealer: dealing.Dealer, seat: Seat, *names: str) -> AsyncIterator[tuple[Floor, bool]]:
            begun.append(seat.id)
            if len(begun) == 2:
                await made.halt(account)
            async with real(dealer, seat, *names) as found:
                yield found

        monkeypatch.setattr(dealing.Dealer, "floor", floor)
        made.house.clock.turn(1)
        await made.tick("97")
        assert [(await made.stand(row.id))[0] for row in rows] == ["FILLED", "ACCEPTED"]

        await made.halt(account, False)
        made.engine.doubt(account.id)
        await made.look()

        assert [(await made.stand(row.id))[0] for row in rows] == ["FILLED", "FILLED"]
