"""A part that a process gives up, as another one has joined: nothing that was told before is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.core.lines.line import Update
from plugins.trading.accounts.desk import SHARDS
from plugins.trading.engine.directory import EngineDirectory, Extreme
from plugins.trading.rows import AccountRow, OrderRow
from plugins.trading.tables import leases
from schema.errors import DatabaseUnavailable
from schema.symbols import parse_instrument
from schema.words.quotes import PriceType, Quote
from tests.plugins.trading.engine.floorhouse import BTC, SANDBOX, D, Hall, another, hall, wish


@pytest.fixture
async def made(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(sqlite_url, tmp_path) as made:
        yield made


@pytest.fixture
async def joins(made: Hall, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Hall]:
    async with another(made, sqlite_url, tmp_path) as joins:
        yield joins


async def _trail(made: Hall) -> tuple[AccountRow, OrderRow]:
    """Of an account in the last part: it is the first to be given up."""
    account = await made.trader(shard=SHARDS - 1)
    (trail,) = await made.place(account, wish("SELL", "TRAILING_STOP", "5", trail_amount="2"), price="100")
    await made.look()
    made.house.clock.turn(1)
    return account, trail


async def _turns(until: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not until():  # noqa: ASYNC110 - nothing is told of it
            await asyncio.sleep(0)


def _tell(made: Hall, price: str) -> None:
    now = made.house.clock.now()
    quote = Quote(
        instrument=parse_instrument(BTC), price=D(price), price_type=PriceType.LAST, as_of=now, currency="USD"
    )  # fmt: skip
    update = Update(values=(quote,), as_of=now, snapshot=False, received=now)
    made.lines._queue(SANDBOX, quote.instrument).put_nowait(update)


def _held_up(made: Hall, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Messages are met once it is set."""
    goes_on, dealer = asyncio.Event(), made.engine._dealer
    meet = dealer.meet

    async def slow(*given: Any) -> None:
        await goes_on.wait()
        await meet(*given)

    monkeypatch.setattr(dealer, "meet", slow)
    return goes_on


async def _holders(made: Hall) -> list[str]:
    async with made.house.store.read() as tx:
        return await tx.values(select(leases.c.holder).distinct())


async def test_who_joins_knows_how_far_a_trail_has_come(made: Hall, joins: Hall) -> None:
    _, trail = await _trail(made)
    await made.tick("120")
    await joins.look()

    await made.look()
    kept = (await made.order(trail.id)).trail_extreme
    await joins.look()
    await joins.tick("117")

    assert (made.engine.seats, kept) == ([], D(120))
    assert await joins.stand(trail.id) == ("FILLED", "5")


async def test_what_was_told_before_a_part_is_given_up_is_matched_still(
    made: Hall, joins: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await made.trader(shard=SHARDS - 1)
    first, second = await made.place(
        account, *(wish("SELL", "LIMIT", "1", limit_price=price) for price in ("110", "120")), price="100"
    )
    await made.look()
    goes_on = _held_up(made, monkeypatch)
    (place,) = made.engine._places.all
    for price in ("111", "121"):
        made.house.clock.turn(1)
        _tell(made, price)
        await _turns(lambda: place.task)
    await _turns(lambda: place.messages)
    await joins.look()

    look = asyncio.create_task(made.look())
    await _turns(lambda: place.leaving)
    holders = await _holders(made)
    goes_on.set()
    await look

    assert len(holders) == 1
    assert (await made.stand(first.id), await made.stand(second.id)) == (("FILLED", "1"), ("FILLED", "1"))
    assert made.engine.seats == []


async def test_an_extreme_that_is_written_never_goes_back(made: Hall) -> None:
    account, trail = await _trail(made)
    (low,) = await made.place(account, wish("BUY", "TRAILING_STOP", "1", trail_amount="2"), price="100")
    told = [(trail, "120", "119", "121"), (low, "90", "91", "89")]

    found = []
    for n in (1, 2, 3):
        async with made.house.store.write() as tx:
            extremes = [Extreme(each[0].id, each[0].version, D(str(each[n]))) for each in told]
            await EngineDirectory().keep_extremes(tx, extremes)
        found.append([(await made.order(each[0].id)).trail_extreme for each in told])

    assert found == [[D(120), D(90)], [D(120), D(90)], [D(121), D(89)]]


@pytest.mark.parametrize("closes", [False, True])
async def test_what_is_done_still_of_a_margin_account_is_judged_by_prices(
    made: Hall, joins: Hall, monkeypatch: pytest.MonkeyPatch, closes: bool
) -> None:
    account = await made.trader(shard=SHARDS - 1, margin="MARGIN", leverage=D(2))
    (stop,) = await made.place(account, wish("BUY", "STOP_MARKET", "1", stop_price="110"), price="100")
    await made.look()
    goes_on = _held_up(made, monkeypatch)
    (place,) = made.engine._places.all
    made.house.clock.turn(1)
    _tell(made, "130")
    await _turns(lambda: place.task)
    await joins.look()
    leaves = asyncio.create_task(made.engine.close() if closes else made.look())
    await _turns(lambda: place.leaving)

    goes_on.set()
    await leaves

    row = await made.order(stop.id)
    assert (row.status, row.reason, row.filled) == ("FILLED", None, D(1))


async def test_a_part_that_could_not_be_read_when_it_was_taken_is_read_with_the_next_look(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await made.account()
    await made.place(account, wish("BUY", "LIMIT", "1", limit_price="90"), price="100")

    async def away(*_: Any) -> list[AccountRow]:
        raise DatabaseUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(EngineDirectory, "busy", away)
        with pytest.raises(DatabaseUnavailable):
            await made.look()
    before = made.engine.seats
    await made.look()

    assert before == []
    assert [seat.id for seat in made.engine.seats] == [account.id]
