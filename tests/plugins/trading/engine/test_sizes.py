"""One message has one size for all orders of an account, whichever transaction they meet it in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from plugins.trading.engine import dealing
from plugins.trading.engine.seat import Seat
from plugins.trading.orders.floor import Floor
from plugins.trading.writing import writing
from schema.symbols import parse_instrument
from schema.words.candles import Candle
from schema.words.orders import OrderStatus
from tests.gateway.doubles import NOON
from tests.plugins.trading.engine.floorhouse import BTC, FREE, SANDBOX, hall, losing, wish

D = Decimal
TETHER = "crypto:BTC/USDT"

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


def before_the_second(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], Awaitable[None]]) -> list[str]:
    """Do this between the first transaction of an account and the next; the accounts whose transactions were begun."""
    real, begun = dealing.Dealer.floor, list[str]()

    @asynccontextmanager
    async def floor(dealer: dealing.Dealer, seat: Seat, *names: str) -> AsyncIterator[tuple[Floor, bool]]:
        begun.append(seat.id)
        if len(begun) == 2:
            await deed()
        async with real(dealer, seat, *names) as found:
            yield found

    monkeypatch.setattr(dealing.Dealer, "floor", floor)
    return begun


async def test_what_fills_many_orders_does_so_in_several_transactions_and_passes_by_what_changed_between(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dealing, "FILLS_AT_ONCE", 2)
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("1000")
        limits = [wish("BUY", "LIMIT", "1", limit_price=str(price)) for price in (99, 98, 97, 96, 95)]
        rows = await made.place(account, *limits, price="100")
        await made.look()

        async def between() -> None:
            made.house.clock.turn(1)
            await made.replace(rows[2], "100", limit_price=D(98))
            async with writing(made.house.host, account.tenant_id, account.id) as w:
                other = await Floor.opened(made.house.host, w)
                other.end(other.orders[rows[3].id], OrderStatus.CANCELED, "CANCELED")
                await other.write()

        begun = before_the_second(monkeypatch, between)
        made.house.clock.turn(1)
        await made.tick("94")

        assert [(await made.stand(row.id))[0] for row in rows] == ["FILLED", "FILLED", "ACCEPTED", "CANCELED", "FILLED"]
        assert len(begun) == 2
        assert await made.held(account) == {BTC: "3"}

        made.house.clock.turn(1)
        await made.tick("94")

        assert await made.stand(rows[2].id) == ("FILLED", "1")


async def test_an_order_that_is_replaced_between_two_transactions_is_passed_by_by_what_came_before_that(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dealing, "FILLS_AT_ONCE", 1)
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("1000")
        limits = [wish("BUY", "LIMIT", "1", limit_price=str(price)) for price in (99, 98)]
        rows = await made.place(account, *limits, price="100")
        await made.look()

        async def between() -> None:
            made.house.clock.turn(1)
            made.lines.price(SANDBOX, "90", instrument=parse_instrument(BTC))
            place = made.engine._places.find(account.id)
            for _ in range(100):
                await asyncio.sleep(0)
            assert place is not None
            assert len(place.messages) == 1
            made.house.clock.turn(6)
            await made.replace(rows[1], "100", limit_price=D(91))

        before_the_second(monkeypatch, between)
        made.house.clock.turn(1)
        await made.tick("95")

        assert [(await made.stand(row.id))[0] for row in rows] == ["FILLED", "ACCEPTED"]
        made.house.clock.turn(1)
        await made.tick("90")
        assert await made.stand(rows[1].id) == ("FILLED", "1")


@pytest.mark.parametrize(("first", "stands"), [("5", [("PARTIALLY_FILLED", "2")]),
                                              ("2", [("FILLED", "2"), ("ACCEPTED", "0")])])  # fmt: skip
async def test_a_message_whose_transaction_was_committed_though_its_answer_is_lost_is_met_once(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, stands: list[tuple[str, str]]
) -> None:
    monkeypatch.setattr("plugins.trading.engine.places.PAUSES_S", (0.0,))
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account()
        limits = [wish("BUY", "LIMIT", size, limit_price="99") for size in (first, "3")[: len(stands)]]
        rows = await made.place(account, *limits, price="100")
        await made.look()
        lost = losing(made, monkeypatch)
        made.house.clock.turn(1)
        await made.tick("98", bid="97", ask="98", ask_size="2")

        assert (lost, [await made.stand(row.id) for row in rows]) == ([], stands)


async def test_a_halt_between_two_transactions_of_a_message_keeps_the_rest_for_when_trading_goes_on(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dealing, "FILLS_AT_ONCE", 1)
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("1000")
        limits = [wish("BUY", "LIMIT", "1", limit_price=str(price)) for price in (99, 98)]
        rows = await made.place(account, *limits, price="100")
        await made.look()

        before_the_second(monkeypatch, partial(made.halt, account))
        made.house.clock.turn(1)
        await made.tick("97")
        assert [(await made.stand(row.id))[0] for row in rows] == ["FILLED", "ACCEPTED"]

        await made.halt(account, False)
        made.engine.doubt(account.id)
        await made.look()

        assert [(await made.stand(row.id))[0] for row in rows] == ["FILLED", "FILLED"]


@pytest.mark.parametrize("fails", [1, 2, 3])
async def test_a_message_whose_transaction_fails_goes_on_where_it_was(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    monkeypatch.setattr("plugins.trading.engine.places.PAUSES_S", (0.0,))
    monkeypatch.setattr(dealing, "FILLS_AT_ONCE", 1)
    real, count = Floor.write, 0
    model = {**FREE, "source": "BARS", "provider": "binance"}

    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account(currency="USDT", model=model)
        limit = wish("BUY", "LIMIT", "1", symbol=TETHER, limit_price="9")
        stop = wish("BUY", "STOP_LIMIT", "1", symbol=TETHER, stop_price="11", limit_price="9")
        rows = await made.place(account, stop, limit, limit, price="10")
        await made.look()

        async def write(floor: Floor) -> None:
            nonlocal count
            count += 1
            await real(floor)
            if count == fails:
                raise OperationalError("away", {}, Exception("away"))

        monkeypatch.setattr(Floor, "write", write)
        made.house.clock.turn(121)
        bar: dict[str, Any] = {"open": D(10), "high": D(12), "low": D(8), "close": D(10), "volume": D(100)}
        await made.say("binance", Candle(open_time=NOON + timedelta(minutes=1), closed=True, **bar), TETHER)
        await made.settle()

        # Nobody knows whether the bar was at 9 before it was at 11.
        stands = [await made.stand(row.id) for row in rows]
        assert stands == [("TRIGGERED", "0"), ("FILLED", "1"), ("FILLED", "1")]
