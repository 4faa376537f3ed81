"""Trails go on from where they were, whoever writes their orders; exits that have nothing to protect begin anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from plugins.trading.engine.engine import Engine
from plugins.trading.orders.wishes import Exit
from plugins.trading.rows import AccountRow, OrderRow
from schema.words.orders import TimeInForce
from tests.plugins.trading.engine.floorhouse import Hall, another, deaf, hall, wish

D = Decimal
OPEN: dict[str, Any] = {"margin": "MARGIN", "leverage": D(5)}


@pytest.fixture
async def made(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hall]:
    monkeypatch.setattr(Engine, "_reload", deaf)
    async with hall(sqlite_url, tmp_path) as made:
        yield made


async def bracketed(made: Hall) -> tuple[AccountRow, OrderRow, OrderRow]:
    """Three of five are bought at 100, and a trail of 5 is behind 120, which is written."""
    account = await made.account("10000", **OPEN)
    bracket = wish("BUY", "LIMIT", "5", limit_price="100", stop_loss=Exit(trail_amount=D(5)))
    entry, exit_ = await made.place(account, bracket, price="101")
    await made.look()
    for price, size in (("100", "3"), ("121", "1")):
        made.house.clock.turn(1)
        await made.tick(price, bid=str(D(price) - 1), ask=price, ask_size=size, bid_size=size)
        await made.look()
    row = await made.order(exit_.id)
    assert (row.quantity, row.trail_extreme) == (D(3), D(120))
    return account, entry, exit_


async def test_an_exit_that_begins_anew_with_the_message_that_closed_its_position_forgets_the_old_peak(
    made: Hall,
) -> None:
    account, entry, exit_ = await bracketed(made)
    stop = wish("SELL", "STOP_MARKET", "3", stop_price="118", reduce_only=True)
    (closing,) = await made.place(account, stop, price="120")
    await made.look()
    made.house.clock.turn(1)
    await made.tick("118", bid="117", ask="118", bid_size="1")
    assert await made.stand(closing.id) == ("PARTIALLY_FILLED", "1")
    made.house.clock.turn(1)
    await made.tick("98", bid="97", ask="98")
    assert await made.stand(entry.id) == ("FILLED", "5")
    await made.look()
    row = await made.order(exit_.id)
    assert (row.quantity, row.trail_extreme) == (D(2), None)

    made.house.clock.turn(1)
    await made.tick("98", bid="97", ask="98")
    waits = await made.stand(exit_.id)
    made.house.clock.turn(1)
    await made.tick("93", bid="92", ask="93")

    assert (waits, await made.stand(exit_.id)) == (("ACCEPTED", "0"), ("FILLED", "2"))


async def test_an_exit_that_others_have_closed_and_opened_anew_between_two_looks_forgets_the_old_peak(
    made: Hall,
) -> None:
    account, entry, exit_ = await bracketed(made)
    made.house.clock.turn(1)
    await made.place(account, wish("SELL", "MARKET", "3", reduce_only=True), price="119")
    made.house.clock.turn(1)
    await made.replace(entry, "102", limit_price=D(103))
    assert await made.stand(entry.id) == ("FILLED", "5")

    await made.look()
    assert (await made.order(exit_.id)).trail_extreme is None
    made.house.clock.turn(1)
    await made.tick("102", bid="101", ask="102")
    waits = await made.stand(exit_.id)
    made.house.clock.turn(1)
    await made.tick("97", bid="96", ask="97")

    assert (waits, await made.stand(exit_.id)) == (("ACCEPTED", "0"), ("FILLED", "2"))


@pytest.fixture
async def trailing(made: Hall) -> tuple[AccountRow, OrderRow]:
    """A trail of 2 behind 120, which only memory knows."""
    account = await made.trader(**OPEN)
    expires = made.house.clock.now() + timedelta(seconds=60)
    given: dict[str, Any] = {"stop_price": "50", "time_in_force": TimeInForce.GTD, "expires_at": expires}
    _, trail = await made.place(
        account, wish("SELL", "STOP_MARKET", "3", **given), wish("SELL", "TRAILING_STOP", "5", trail_amount="2"),
        price="100",
    )  # fmt: skip
    await made.look()
    made.house.clock.turn(1)
    await made.tick("120")
    row = await made.order(trail.id)
    assert row.trail_extreme == D(100)
    return account, row


async def test_a_trail_stays_where_it_is_when_another_order_changes_what_it_reserves(
    made: Hall, trailing: tuple[AccountRow, OrderRow]
) -> None:
    account, trail = trailing
    await made.place(account, wish("SELL", "LIMIT", "2", limit_price="140"), wish("BUY", "MARKET", "2"), price="120")
    assert (await made.order(trail.id)).version > trail.version

    await made.look()
    assert (await made.order(trail.id)).trail_extreme == D(120)
    await made.tick("117")

    assert await made.stand(trail.id) == ("FILLED", "5")


async def test_a_trail_stays_where_it_is_when_another_order_expires(
    made: Hall, trailing: tuple[AccountRow, OrderRow]
) -> None:
    _, trail = trailing
    made.house.clock.turn(60)
    # The look writes how far it has followed once the expiry has written the order.
    await made.look()
    assert (await made.order(trail.id)).version > trail.version

    assert (await made.order(trail.id)).trail_extreme == D(120)
    await made.tick("117")
    assert await made.stand(trail.id) == ("FILLED", "5")


async def test_a_trail_stays_where_it_is_when_its_size_changes_and_is_written_before_that_was_read(
    made: Hall, trailing: tuple[AccountRow, OrderRow]
) -> None:
    _, trail = trailing
    await made.replace(trail, "100", quantity=D(4))
    await made.engine._keep_extremes()
    assert (await made.order(trail.id)).trail_extreme == D(100)

    await made.look()
    assert (await made.order(trail.id)).trail_extreme == D(120)
    await made.tick("117")

    assert await made.stand(trail.id) == ("FILLED", "4")


async def test_a_trail_stops_by_what_only_memory_knows_when_others_have_just_written_its_order(
    made: Hall, trailing: tuple[AccountRow, OrderRow]
) -> None:
    _, trail = trailing
    await made.replace(trail, "100", quantity=D(4))
    await made.engine._keep_extremes()

    await made.tick("117")

    assert await made.stand(trail.id) == ("FILLED", "4")


async def test_a_trail_stays_where_it_is_when_its_entry_is_filled_further_by_others(made: Hall) -> None:
    account = await made.trader()
    bracket = wish("BUY", "LIMIT", "5", limit_price="99", stop_loss=Exit(trail_amount=D(2)))
    entry, trail = await made.place(account, bracket, price="100")
    await made.look()
    made.house.clock.turn(1)
    await made.tick("98", bid="98", ask="98.5", ask_size="3")
    made.house.clock.turn(1)
    await made.tick("98", bid="98", ask="99.5")
    made.house.clock.turn(1)
    await made.tick("120")
    await made.replace(entry, "100", limit_price=D(100))
    row = await made.order(trail.id)
    assert (row.quantity, row.trail_extreme) == (D(5), D(98))

    await made.look()
    assert (await made.order(trail.id)).trail_extreme == D(120)
    await made.tick("117")

    assert await made.stand(trail.id) == ("FILLED", "5")


async def test_another_trail_is_behind_the_same_best_price(made: Hall, trailing: tuple[AccountRow, OrderRow]) -> None:
    _, trail = trailing
    await made.replace(trail, "100", trail_amount=D(4))
    await made.look()

    await made.tick("117")
    assert await made.stand(trail.id) == ("ACCEPTED", "0")
    await made.tick("116")

    assert await made.stand(trail.id) == ("FILLED", "5")


async def test_who_goes_on_after_another_write_knows_how_far_a_trail_had_come(
    made: Hall, trailing: tuple[AccountRow, OrderRow], sqlite_url: str, tmp_path: Path
) -> None:
    _, trail = trailing
    await made.replace(trail, "100", quantity=D(4))
    await made.look()
    await made.engine.close()

    async with another(made, sqlite_url, tmp_path) as later:
        await later.look()
        await later.tick("117")

        assert await later.stand(trail.id) == ("FILLED", "4")


async def test_a_trailing_exit_begins_anew_once_its_entry_opens_more_after_a_close(made: Hall) -> None:
    account = await made.account("10000")
    entry, exit_ = await made.place(
        account, wish("BUY", "LIMIT", "5", limit_price="100", stop_loss=Exit(trail_amount=D(2))), price="101"
    )
    await made.look()
    made.house.clock.turn(1)
    await made.tick("100", bid="99.5", ask="100", ask_size="3")
    made.house.clock.turn(1)
    await made.tick("120", bid="119.9", ask="120")
    assert await made.stand(entry.id) == ("PARTIALLY_FILLED", "3")
    await made.place(account, wish("SELL", "MARKET", "3"), price="120")
    made.house.clock.turn(1)
    await made.tick("99", bid="98.9", ask="99")
    assert await made.stand(entry.id) == ("FILLED", "5")

    made.house.clock.turn(1)
    await made.tick("98.5", bid="98.4", ask="98.5")
    waits = await made.stand(exit_.id)
    made.house.clock.turn(1)
    await made.tick("96.5", bid="96.4", ask="96.5")
    await made.look()

    assert (waits, await made.stand(exit_.id)) == (("ACCEPTED", "0"), ("FILLED", "2"))
