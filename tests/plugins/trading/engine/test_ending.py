"""An engine that ends, a seat that raises, and writes that fail for long: nobody else waits for that."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.core.matching.conditions import TimeCondition, plain
from gateway.core.store import Tx
from plugins.trading.engine import engine as engines
from plugins.trading.engine.engine import Engine
from plugins.trading.engine.seat import Seat
from schema.errors import DatabaseUnavailable
from schema.words.orders import TimeInForce
from tests.plugins.trading.engine.floorhouse import BTC, Hall, another, deaf, hall, wish
from tests.plugins.trading.schedules.test_due import _plan, _row


@pytest.fixture
async def made(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(sqlite_url, tmp_path) as made:
        yield made


async def _turns(until: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not until():  # noqa: ASYNC110 - nothing is told of it
            await asyncio.sleep(0)


async def _hanging(made: Hall) -> str:
    """A schedule whose order waits for a price that does not come."""
    account = await made.account(owner=made.company.people["ada"].id)
    made.board.prices = {BTC: "100"}
    schedule = await _plan(made, account)
    made.board.hangs = asyncio.Event()
    made.house.clock.turn(1)
    made.board.asked.clear()
    await made.engine.look()
    async with asyncio.timeout(5):
        await made.board.asked.wait()
    return schedule


async def test_others_have_the_parts_of_a_process_that_ends_while_it_waits_for_a_slow_source(made: Hall) -> None:
    schedule = await _hanging(made)

    closing = asyncio.create_task(made.engine.close())
    await _turns(lambda: not made.engine._leads.shards)
    waits = closing.done()
    assert made.board.hangs is not None
    made.board.hangs.set()
    await closing

    row = await _row(made, schedule)
    assert (waits, row.placed, row.problem) == (False, 1, None)


async def test_a_process_that_ends_waits_for_no_source_for_ever_and_another_one_places_what_is_due(
    made: Hall, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "CLOSE_S", 0.05)
    schedule = await _hanging(made)

    with capture_logs() as logs:
        await made.engine.close()

    told = [each["tasks"] for each in logs if each["event"] == "trading_cut_short"]
    assert (told, (await _row(made, schedule)).placed) == ([["trading.schedule"]], 0)
    made.board.hangs = None
    async with another(made, sqlite_url, tmp_path) as second:
        await second.look()
        assert (await _row(second, schedule)).placed == 1


@pytest.mark.parametrize("about", ["ring", "look"])
async def test_a_seat_that_raises_keeps_no_other_one_from_what_its_time_does(
    made: Hall, monkeypatch: pytest.MonkeyPatch, about: str
) -> None:
    before = made.house.clock.now()
    ends: dict[str, Any] = {"time_in_force": TimeInForce.GTD, "expires_at": before + timedelta(seconds=5)}
    rows = {}
    for _ in range(3):
        account = await made.account()
        (row,) = await made.place(account, wish("BUY", "LIMIT", "1", limit_price="90", **ends), price="100")
        rows[account.id] = row
    await made.look()
    bad = made.engine.seats[0].id
    late, next_at = Seat.late, Seat.next_at

    def raising_late(seat: Seat, now: datetime) -> list[str]:
        return late(seat, now) if seat.id != bad else 1 / 0  # type: ignore[return-value]

    def raising_next(seat: Seat, now: datetime) -> datetime | None:
        return next_at(seat, now) if seat.id != bad else 1 / 0  # type: ignore[return-value]

    monkeypatch.setattr(Seat, "late", raising_late)
    with capture_logs() as logs:
        made.house.clock.turn(6)
        if about == "ring":
            made.engine._ring(before)
            await made.settle()
        else:
            # All are read anew.
            made.engine._anew = -1e9
            await made.look()
        monkeypatch.setattr(Seat, "next_at", raising_next)
        assert made.engine._next() is None

    stands = {id: (await made.order(row.id)).status for id, row in rows.items()}
    assert stands == {id: "ACCEPTED" if id == bad else "EXPIRED" for id in rows}
    failed = {(each["about"], each["account"]) for each in logs if each["event"] == "trading_failed"}
    assert failed | {("ring", bad)} == {(about, bad), ("next", bad), ("ring", bad)}


async def test_what_waits_for_a_database_that_is_away_waits_once(made: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await made.account()
    ends: dict[str, Any] = {
        "time_in_force": TimeInForce.GTD,
        "expires_at": made.house.clock.now() + timedelta(seconds=5),
    }
    condition = plain(TimeCondition(at=ends["expires_at"]))
    later = wish("BUY", "LIMIT", "1", limit_price="80", condition=condition)
    made.board.prices = {BTC: "100"}
    (waits,) = await made.place(await made.account(), later, price="100")
    (old,) = await made.place(account, wish("BUY", "LIMIT", "1", limit_price="80", **ends), price="100")
    await made.look()
    with monkeypatch.context() as patched:
        patched.setattr(Engine, "_reload", deaf)
        (limit,) = await made.place(account, wish("BUY", "LIMIT", "1", limit_price="99"), price="100")
        made.house.clock.turn(1)
        await made.tick("98")
    real, away = made.house.store.write, [True]

    @asynccontextmanager
    async def write(*turns: str) -> AsyncIterator[Tx]:
        if turns and away:
            raise DatabaseUnavailable
        async with real(*turns) as tx:
            yield tx

    monkeypatch.setattr(made.house.store, "write", write)
    most = Counter[str]()
    for _ in range(20):
        made.house.clock.turn(0.5)
        await made.engine.look()
        for _ in range(5):
            await asyncio.sleep(0)
        for place in made.engine._places.all:
            most |= Counter(each.about for each in place.jobs)
    away.clear()
    await made.settle()

    assert most == {"time": 1}
    stands = [await made.stand(row.id) for row in (old, limit, waits)]
    assert stands == [("EXPIRED", "0"), ("FILLED", "1"), ("ACCEPTED", "0")]
