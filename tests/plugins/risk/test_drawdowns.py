"""Limits on drawdowns: payments, trades and splits are none, whoever evaluates and whenever."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.risk.doubles import holdings
from tests.plugins.risk.watching import BTC, ETH, UPDATE, Watch, another, watch


@pytest.fixture
async def w(database: str, tmp_path: Path) -> AsyncIterator[Watch]:
    async with watch(database, tmp_path) as made:
        yield made


async def values(w: Watch) -> list[tuple[Any, Any, int]]:
    return [(each["kind"], each["value"], each["arm"]) for each in await w.told()]


async def test_a_drawdown_is_counted_from_the_peak_that_was_seen(w: Watch):
    limit = await w.limit("DRAWDOWN", "0.2")

    await w.tick((BTC, "250"), (BTC, "170"), (BTC, "169"))

    assert await values(w) == [("DRAWDOWN", "0.2025", 1)]
    assert (await w.row(limit))["peak"] == Decimal(400)


async def test_what_is_paid_out_is_no_drawdown(w: Watch):
    await w.limit("DRAWDOWN", "0.2")
    held = {BTC: ("1", "100"), ETH: ("10", "10")}

    await w.change(held, cash="0")
    await w.change({BTC: ("0.5", "100"), ETH: ("5", "10")}, cash="0")
    before = await w.told()
    await w.tick((BTC, "59"))

    assert before == []
    assert await values(w) == [("DRAWDOWN", "0.205", 1)]


async def test_a_peak_outlives_the_process_that_saw_it(w: Watch, database: str, tmp_path: Path):
    limit = await w.limit("DRAWDOWN", "0.2")
    await w.tick((BTC, "250"))
    w.house.clock.turn(61)
    await w.change({BTC: ("1", "249"), ETH: ("10", "10")}, cash="50")
    await w.engine.close()

    async with another(w, database, tmp_path / "other") as next_one:
        await next_one.look()
        await next_one.change({BTC: ("1", "169"), ETH: ("10", "10")}, cash="50")

        assert [(each["limitId"], each["value"]) for each in await next_one.told()] == [(limit, "0.2025")]


async def withdrawn(w: Watch) -> str:
    """A limit on half a bitcoin and money, of which most was paid out just now; its id."""
    w.hold({BTC: ("0.5", "50000")}, cash="75000")
    limit = await w.limit("DRAWDOWN", "0.2")
    await w.change({BTC: ("0.5", "50000")}, cash="15000")
    return limit


async def test_a_peak_moves_along_in_its_row_at_once(w: Watch):
    row = await w.row(await withdrawn(w))

    assert (row["peak"], row["value"]) == (Decimal(40_000), Decimal(0))


async def test_a_note_after_a_withdrawal_breaches_no_drawdown(w: Watch):
    limit = await withdrawn(w)

    await w.company.ask("ada", UPDATE, id=limit, note="Careful")
    w.engine.doubt([limit])
    await w.settle()
    await w.look()

    assert await w.told() == []
    assert (await w.row(limit))["value"] == Decimal(0)


async def test_a_withdrawal_while_nobody_evaluates_is_no_drawdown(w: Watch, database: str, tmp_path: Path):
    w.hold({BTC: ("0.5", "50000")}, cash="75000")
    limit = await w.limit("DRAWDOWN", "0.2")
    await w.tick((BTC, "60000"))
    await w.engine.close()
    w.hold({BTC: ("0.5", "54000")}, cash="15000")

    async with another(w, database, tmp_path / "other") as next_one:
        await next_one.look()
        await next_one.settle()

        # Before the withdrawal 102,000 of the peak's 105,000 would be left.
        assert await next_one.told() == []
        assert (await next_one.row(limit))["value"] == Decimal("0.0285714286")


async def test_a_withdrawal_while_a_limit_is_off_is_no_drawdown(w: Watch):
    w.hold({BTC: ("0.5", "50000")}, cash="75000")
    limit = await w.limit("DRAWDOWN", "0.2")
    await w.tick((BTC, "60000"))

    await w.company.ask("ada", UPDATE, id=limit, active=False)
    await w.look()
    w.hold({BTC: ("0.5", "60000")}, cash="15000")
    await w.company.ask("ada", UPDATE, id=limit, active=True)
    await w.look()
    before = await w.row(limit)
    await w.tick((BTC, "41000"))

    assert before["value"] == Decimal(0)
    assert await values(w) == [("DRAWDOWN", "0.2111111111", 3)]


async def test_what_was_sold_while_a_limit_is_off_leaves_its_drawdown_as_it_was(w: Watch):
    w.hold({BTC: ("1", "60000")})
    limit = await w.limit("DRAWDOWN", "0.2")
    await w.tick((BTC, "54000"))

    await w.company.ask("ada", UPDATE, id=limit, active=False)
    await w.look()
    w.hold({}, cash="100000")
    await w.company.ask("ada", UPDATE, id=limit, active=True)
    await w.look()

    row = await w.row(limit)
    assert (row["state"], row["value"]) == ("ARMED", Decimal("0.1"))


async def test_a_loss_that_was_sold_while_nobody_evaluates_is_told_once_with_its_day(
    w: Watch, database: str, tmp_path: Path
):
    w.hold({BTC: ("1", "60000")})
    limit = await w.limit("DRAWDOWN", "0.2")
    await w.engine.close()
    nights = [w.house.clock.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(n) for n in (1, 2, 3)]
    bitcoin = (("66000", "0"), ("49500", "0"))
    for night, (price, cash) in zip(nights, bitcoin, strict=False):
        w.portfolios.past[night] = holdings({BTC: ("1", price)}, cash=cash, at=night)
    w.portfolios.past[nights[2]] = holdings({}, cash="49500", at=nights[2])
    w.hold({}, cash="49500")
    w.house.clock.turn(3 * 86_400)

    for again in ("other", "third"):
        async with another(w, database, tmp_path / again) as next_one:
            await next_one.look()
            breaches, row = await next_one.told(), await next_one.row(limit)

    assert [(each["limitId"], each["value"], each["portfolioValue"]) for each in breaches] == [
        (limit, "0.25", "49500.00")
    ]
    assert datetime.fromisoformat(breaches[0]["occurredAt"]) == nights[1]
    assert (row["state"], row["value"], row["peak"]) == ("BREACHED", Decimal("0.25"), Decimal(66_000))


async def test_a_withdrawal_while_there_is_no_price_is_no_drawdown(w: Watch):
    w.hold({BTC: ("0.5", "50000")}, cash="75000")
    await w.limit("DRAWDOWN", "0.2")

    await w.change({BTC: ("0.5", None)}, cash="75000")
    await w.change({BTC: ("0.5", "50000")}, cash="15000")

    assert await w.told() == []


async def test_a_split_is_no_drawdown_whether_it_is_recorded_before_or_after_its_price(w: Watch):
    w.hold({BTC: ("100", "400")})
    limit = await w.limit("DRAWDOWN", "0.2")

    await w.change({BTC: ("400", "400")}, splits={BTC: "4"})
    await w.tick((BTC, "100"))
    early = await w.row(limit)
    await w.change({BTC: ("800", "50")}, splits={BTC: "8"})
    await w.tick((BTC, "39"))

    assert (early["peak"], early["state"]) == (Decimal(40_000), "ARMED")
    assert await values(w) == [("DRAWDOWN", "0.22", 1)]
