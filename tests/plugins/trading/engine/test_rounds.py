"""What fills or brings many orders does so in several transactions, none of which is long."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from gateway.core.matching.conditions import TimeCondition, plain
from plugins.trading.engine import dealing
from plugins.trading.orders.floor import Floor
from plugins.trading.rows import AccountRow, OrderRow
from plugins.trading.tables import positions
from plugins.trading.writing import writing
from schema.symbols import parse_instrument
from schema.words.books import OrderBook, PriceLevel
from schema.words.orders import OrderStatus
from tests.gateway.doubles import NOON
from tests.plugins.trading.engine.floorhouse import BTC, ETH, FREE, D, Hall, hall, wish
from tests.plugins.trading.engine.test_sizes import before_the_second

SOON = plain(TimeCondition(at=NOON + timedelta(seconds=30)))
LATE = {**FREE, "latency_ms": 20_000}
BOOKS = {**FREE, "source": "BOOK", "provider": "bitstamp"}


async def _nothing() -> None:
    """Between two transactions."""


async def _say_asks(made: Hall, *asks: tuple[str, str], snapshot: bool = False) -> None:
    """A book: prices and sizes of who sells."""
    levels = tuple(PriceLevel(price=D(price), size=D(size)) for price, size in asks)
    book = OrderBook(instrument=parse_instrument(BTC), as_of=made.house.clock.now(), asks=levels, bids=())
    await made.say("bitstamp", book, BTC, snapshot=snapshot)
    made.house.clock.turn(1)


async def _lots(made: Hall) -> list[list[str]]:
    async with made.house.store.read() as tx:
        return list(await tx.value(select(positions.c.lots)))


async def test_each_level_that_an_order_takes_is_a_fill_of_those_that_one_transaction_makes(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dealing, "FILLS_AT_ONCE", 2)
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account(method="FIFO", model=BOOKS)
        rows = await made.place(account, *[wish("BUY", "LIMIT", "2", limit_price="95")] * 4, price="100")
        await made.look()
        made.house.clock.turn(1)
        await _say_asks(made, ("100", "1"), snapshot=True)
        begun = before_the_second(monkeypatch, _nothing)

        await _say_asks(made, ("90", "1"), ("91", "2"), ("92", "4"), ("93", "1"))

        assert [await made.stand(row.id) for row in rows] == [("FILLED", "2")] * 4
        bought = [("1", "90"), ("1", "91"), ("1", "91"), ("1", "92"), ("2", "92"), ("1", "92"), ("1", "93")]
        assert await made.fills(account) == [("BUY", *each) for each in bought]
        assert len(begun) == 3
        when = (NOON.replace(second=2)).isoformat()
        costs = ["90", "91", "91", "92", "184", "92", "93"]
        assert await _lots(made) == [[when, quantity, cost] for (quantity, _), cost in zip(bought, costs, strict=True)]


async def _due(made: Hall, number: int) -> tuple[AccountRow, list[OrderRow]]:
    """Orders that are due with the next look, and an account that has money for them."""
    account = await made.account(model=LATE)
    rows = await made.place(account, *[wish("BUY", "LIMIT", "1", limit_price="101")] * number, price="100")
    await made.look()
    await made.tick("100")
    made.house.clock.turn(20)
    return account, rows


async def _statuses(made: Hall, rows: list[OrderRow]) -> list[str]:
    return [(await made.order(row.id)).status for row in rows]


async def test_orders_that_are_due_together_are_filled_in_several_transactions_that_pass_by_what_changed_between(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dealing, "FILLS_AT_ONCE", 2)
    async with hall(sqlite_url, tmp_path) as made:
        account, rows = await _due(made, 6)

        async def between() -> None:
            await made.replace(rows[2], "100", quantity=D(2))
            async with writing(made.house.host, account.tenant_id, account.id) as w:
                other = await Floor.opened(made.house.host, w)
                other.end(other.orders[rows[3].id], OrderStatus.CANCELED, "CANCELED")
                await other.write()

        begun = before_the_second(monkeypatch, between)
        await made.look()

        assert await _statuses(made, rows) == ["FILLED", "FILLED", "ACCEPTED", "CANCELED", "FILLED", "FILLED"]
        assert (len(begun), await made.held(account)) == (2, {BTC: "4"})

        made.house.clock.turn(20)
        await made.look()

        assert await made.stand(rows[2].id) == ("FILLED", "2")


async def test_a_halt_between_two_transactions_of_orders_that_are_due_keeps_the_rest_for_when_trading_goes_on(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dealing, "FILLS_AT_ONCE", 1)
    async with hall(sqlite_url, tmp_path) as made:
        account, rows = await _due(made, 3)
        begun = before_the_second(monkeypatch, partial(made.halt, account))
        await made.look()
        assert (await _statuses(made, rows), len(begun)) == (["FILLED", "ACCEPTED", "ACCEPTED"], 2)

        await made.halt(account, False)
        made.engine.doubt(account.id)
        await made.look()

        assert await _statuses(made, rows) == ["FILLED"] * 3


@pytest.mark.parametrize("fails", [1, 2, 3])
async def test_orders_that_are_due_go_on_where_they_were_where_a_transaction_fails(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    monkeypatch.setattr("plugins.trading.engine.places.PAUSES_S", (0.0,))
    monkeypatch.setattr(dealing, "FILLS_AT_ONCE", 1)
    real, count = Floor.write, 0

    async def write(floor: Floor) -> None:
        nonlocal count
        count += 1
        await real(floor)
        if count == fails:
            raise OperationalError("away", {}, Exception("away"))

    async with hall(sqlite_url, tmp_path) as made:
        account, rows = await _due(made, 3)
        monkeypatch.setattr(Floor, "write", write)
        await made.look()

        assert (await _statuses(made, rows), count) == (["FILLED"] * 3, 4)
        assert await made.fills(account) == [("BUY", "1", "100")] * 3


async def _waiting(made: Hall, *given: dict[str, Any], **account: Any) -> tuple[AccountRow, list[OrderRow]]:
    """Orders at the market whose time comes with the next look."""
    made.board.prices = {BTC: "100", ETH: "100"}
    opened = await made.account(**account)
    wishes = [wish("BUY", "MARKET", **{"condition": SOON, **each}) for each in given]
    rows = await made.place(opened, *wishes, price="100")
    await made.look()
    made.house.clock.turn(30)
    return opened, rows


async def test_orders_whose_conditions_hold_arrive_together_each_judged_by_itself(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dealing, "ARRIVALS_AT_ONCE", 3)
    async with hall(sqlite_url, tmp_path) as made:
        sizes = ("4", "7", "5", "2", "1")
        account, rows = await _waiting(made, *({"quantity": size} for size in sizes))
        begun = before_the_second(monkeypatch, _nothing)

        await made.look()

        assert await _statuses(made, rows) == ["FILLED", "REJECTED", "FILLED", "REJECTED", "FILLED"]
        told = "INSUFFICIENT_FUNDS: The order needs 700 USD, and 600 is free: 6.00005 would pass."
        assert (await made.order(rows[1].id)).reason == told
        assert (len(begun), await made.cash(account)) == (2, "0.00")


async def test_orders_that_arrive_and_are_filled_do_so_in_several_transactions(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dealing, "FILLS_AT_ONCE", 2)
    async with hall(sqlite_url, tmp_path) as made:
        account, rows = await _waiting(made, *[{}] * 5)
        begun = before_the_second(monkeypatch, partial(made.replace, rows[3], "100", quantity=D(2)))

        await made.look()

        assert (await _statuses(made, rows), len(begun)) == (["FILLED"] * 5, 3)
        assert await made.held(account) == {BTC: "6"}


async def test_what_an_order_that_has_arrived_holds_is_priced_before_the_next_one_is_judged(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        both: tuple[dict[str, Any], ...] = {"symbol": ETH}, {}, {"symbol": ETH}, {}
        account, rows = await _waiting(made, *both, margin="MARGIN", leverage=D(5))
        begun = before_the_second(monkeypatch, _nothing)

        await made.look()

        assert (await _statuses(made, rows), len(begun)) == (["FILLED"] * 4, 3)
        assert await made.held(account) == {BTC: "2", ETH: "2"}


async def test_of_orders_that_cannot_be_written_together_those_that_can_arrive_by_themselves(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Floor.write
    async with hall(sqlite_url, tmp_path) as made:
        _, rows = await _waiting(made, {}, {}, {})

        async def write(floor: Floor) -> None:
            if floor.orders[rows[1].id].filled:
                raise ValueError("nobody expects this")
            await real(floor)

        monkeypatch.setattr(Floor, "write", write)
        with capture_logs() as logs:
            await made.look()

        assert await _statuses(made, rows) == ["FILLED", "NEW", "FILLED"]
        told = ("trading_arriving_alone", "trading_order_failed")
        assert [each["event"] for each in logs if each["event"] in told] == [*told]
        assert [each["order"] for each in logs if each["event"] == told[1]] == [rows[1].id]
