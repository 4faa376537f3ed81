"""What a stream has told counts only as long as it is the price of now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.core.lines.line import Update
from schema.provenance import DataMode, FeedDelay, Provenance
from schema.symbols import parse_instrument
from schema.words.quotes import PriceType, Quote
from tests.plugins.trading.engine.floorhouse import BTC, ETH, FREE, SANDBOX, D, Hall, hall, wish

LENDS: dict[str, Any] = {"margin": "MARGIN", "leverage": D(5), "model": FREE}


@pytest.fixture
async def made(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(sqlite_url, tmp_path) as made:
        yield made


async def _say(made: Hall, price: str, symbol: str = ETH, *, as_of: datetime | None = None, **how: Any) -> None:
    """The sandbox says a price, stamped now where nothing else is given; provenance beside it."""
    now = made.house.clock.now()
    stamp = as_of or now
    told = Provenance(provider=SANDBOX, mode=DataMode.LIVE, **{"as_of": stamp, "fetched_at": now, **how})
    quote = Quote(
        instrument=parse_instrument(symbol), price=D(price), price_type=PriceType.LAST, as_of=stamp, currency="USD"
    )  # fmt: skip
    await made._send(
        SANDBOX, Update(values=(quote,), as_of=stamp, snapshot=False, received=now, provenance=told), symbol
    )


async def test_a_price_of_once_a_day_closes_by_force_however_long_ago_it_was_told(made: Hall) -> None:
    account = await made.account("100", **LENDS)
    made.board.prices = {BTC: "100"}
    await made.place(account, wish("BUY", "MARKET", "1"), price="100")
    await made.place(account, wish("BUY", "MARKET", "30", symbol=ETH), price="10")
    await made.look()
    await made.tick("100")
    await _say(made, "8", delay=FeedDelay.END_OF_DAY)
    made.house.clock.turn(70)

    # Equity 100 - 30 × 2 - 10 = 30, maintenance (30 × 8 + 90) / 10 = 33.
    await made.tick("90")
    await made.look()

    assert (await made.fills(account))[2:] == [("SELL", "30", "8")]
    assert await made.held(account) == {BTC: "1"}


async def test_an_order_that_takes_its_time_meets_a_price_of_once_a_day(made: Hall) -> None:
    account = await made.account(model={**FREE, "latency_ms": 1000})
    await made.place(account, wish("BUY", "LIMIT", symbol=ETH, limit_price="7"), price="8")
    await made.look()
    await _say(made, "8", delay=FeedDelay.END_OF_DAY)
    made.house.clock.turn(70)
    (order,) = await made.place(account, wish("BUY", "MARKET", symbol=ETH), price="8")
    await made.look()

    made.house.clock.turn(1)
    await made.look()

    assert await made.stand(order.id) == ("FILLED", "1")
