"""Trailing exits that have nothing to protect for a while: they begin anew, whatever was followed before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from plugins.trading.engine.engine import Engine
from plugins.trading.orders.wishes import Exit
from plugins.trading.rows import AccountRow, OrderRow
from tests.plugins.trading.engine.floorhouse import Hall, deaf, hall, wish

D = Decimal
OPEN: dict[str, Any] = {"margin": "MARGIN", "leverage": D(5)}


@pytest.fixture
async def made(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hall]:
    monkeypatch.setattr(Engine, "_reload", deaf)
    async with hall(sqlite_url, tmp_path) as made:
        yield made


async def trailing(made: Hall) -> tuple[AccountRow, OrderRow, OrderRow]:
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
    account, entry, exit_ = await trailing(made)
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
    assert (row.quantity, row.trail_extreme) == (D(2), D(97))

    made.house.clock.turn(1)
    await made.tick("98", bid="97", ask="98")
    waits = await made.stand(exit_.id)
    made.house.clock.turn(1)
    await made.tick("93", bid="92", ask="93")

    assert (waits, await made.stand(exit_.id)) == (("ACCEPTED", "0"), ("FILLED", "2"))


async def test_an_exit_that_others_have_closed_and_opened_anew_between_two_looks_forgets_the_old_peak(
    made: Hall,
) -> None:
    account, entry, exit_ = await trailing(made)
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
