"""Messages that are older than what they find: they fill nothing of it, and what they touch is not forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.core.lines.line import Update
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.placing import replaced
from plugins.trading.orders.wishes import Exit
from plugins.trading.rows import AccountRow, OrderRow
from plugins.trading.writing import writing
from schema.symbols import parse_instrument
from schema.words.orders import OrderLeg
from schema.words.quotes import PriceType, Quote
from tests.plugins.trading.engine.floorhouse import BTC, FREE, SANDBOX, Hall, hall, wish

D = Decimal
LATE = {**FREE, "latency_ms": 1000}


@pytest.fixture
async def made(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(sqlite_url, tmp_path) as made:
        yield made


async def trader(made: Hall, price: str, **given: Any) -> AccountRow:
    """An account that holds five, and whose feed told a price six seconds ago."""
    account = await made.account("10000", **given)
    await made.place(account, wish("BUY", "MARKET", "5"), price="100")
    made.house.clock.turn(2)
    await made.look()
    await made.tick("100")
    await made.look()
    made.house.clock.turn(1)
    await made.tick(price)
    await later(made, 6)
    return account


async def later(made: Hall, seconds: int) -> None:
    for _ in range(seconds):
        made.house.clock.turn(1)
        await made.look()


async def replace(made: Hall, order: OrderRow, price: str, **terms: Any) -> None:
    """As `orderReplace` does, at a price, which the engine hears of at once."""
    await made.replace(order, price, **terms)
    made.engine.doubt(order.account_id)
    await made.settle()


async def told(made: Hall, price: str, seconds: float, **more: str) -> None:
    """A price arrives now that its provider has stamped so many seconds ago."""
    now = made.house.clock.now()
    stamp = now - timedelta(seconds=seconds)
    given: dict[str, Any] = {name: D(value) for name, value in more.items()}
    quote = Quote(
        instrument=parse_instrument(BTC), price=D(price), price_type=PriceType.LAST, as_of=stamp, currency="USD",
        **given,
    )  # fmt: skip
    await made._send(SANDBOX, Update(values=(quote,), as_of=stamp, snapshot=False, received=now), BTC)


async def test_exits_of_an_entry_that_is_filled_at_once_wait_for_the_next_message(made: Hall) -> None:
    account = await trader(made, "94")
    bracket = wish("BUY", "MARKET", "5", stop_loss=Exit(stop_price=D(95)))
    _, loss = await made.place(account, bracket, price="100")

    await later(made, 3)
    waits = await made.stand(loss.id)
    await made.tick("94")

    assert (waits, await made.stand(loss.id)) == (("ACCEPTED", "0"), ("FILLED", "5"))


async def test_exits_are_not_met_by_the_message_that_has_woken_them(made: Hall) -> None:
    account = await trader(made, "100")
    bracket = wish("BUY", "LIMIT", "5", limit_price="98", stop_loss=Exit(stop_price=D(95)))
    entry, loss = await made.place(account, bracket, price="100")
    await later(made, 1)
    await made.tick("94")
    assert await made.stand(entry.id) == ("FILLED", "5")

    await later(made, 3)
    waits = await made.stand(loss.id)
    await made.tick("94.5")

    assert (waits, await made.stand(loss.id)) == (("ACCEPTED", "0"), ("FILLED", "5"))


async def test_what_waits_for_another_order_is_not_met_by_a_message_from_before_that_was_filled(made: Hall) -> None:
    account = await trader(made, "90")
    (first,) = await made.place(account, wish("SELL", "LIMIT", "1", limit_price="110"), price="100", leg=OrderLeg.OTO)
    (waits,) = await made.place(
        account, wish("BUY", "LIMIT", "2", limit_price="95"), price="100", leg=OrderLeg.OTO, parent=first.id
    )
    await later(made, 1)
    await replace(made, first, "100", limit_price=D(100))
    assert await made.stand(first.id) == ("FILLED", "1")

    await later(made, 3)
    stood = await made.stand(waits.id)
    await made.tick("90")

    assert (stood, await made.stand(waits.id)) == (("ACCEPTED", "0"), ("FILLED", "2"))


async def test_behind_a_latency_the_newest_message_counts_that_came_after_they_were_woken(made: Hall) -> None:
    account = await trader(made, "94", model=LATE)
    bracket = wish("BUY", "MARKET", "5", stop_loss=Exit(stop_price=D(95)))
    entry, loss = await made.place(account, bracket, price="100")
    made.engine.doubt(account.id)
    await made.settle()
    # What was placed takes the newest price once it is due, what that wakes does not.
    await later(made, 3)
    stood = await made.stand(entry.id), await made.stand(loss.id)
    await made.tick("99")
    await later(made, 1)
    calm = await made.stand(loss.id)
    await made.tick("93")

    assert (stood, calm) == ((("FILLED", "5"), ("ACCEPTED", "0")), ("ACCEPTED", "0"))
    assert await made.stand(loss.id) == ("FILLED", "5")


async def test_a_message_from_before_another_size_was_asked_for_passes_it_by(made: Hall) -> None:
    account = await trader(made, "101")
    (order,) = await made.place(account, wish("BUY", "LIMIT", "2", limit_price="100"), price="101")
    await later(made, 1)
    place, free = made.engine._places.find(account.id), asyncio.Event()
    assert place is not None

    async def busy() -> None:
        await free.wait()

    made.engine._places.put(place, busy, "busy")
    quote = Quote(
        instrument=parse_instrument(BTC), price=D(100), price_type=PriceType.LAST, as_of=made.house.clock.now(),
        currency="USD",
    )  # fmt: skip
    update = Update(values=(quote,), as_of=quote.as_of, snapshot=False, received=made.house.clock.now())
    made.lines._queue(SANDBOX, parse_instrument(BTC)).put_nowait(update)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(place.messages) == 1
    made.house.clock.turn(5)
    async with writing(made.house.host, order.tenant_id, order.account_id) as w:
        floor = await Floor.opened(made.house.host, w)
        replaced(floor, made.ground(w.account, BTC, "110"), floor.orders[order.id], {"quantity": D(8)}, None)
        await floor.write()

    free.set()
    await made.settle()
    stood = await made.stand(order.id)
    await later(made, 1)
    await made.tick("100")

    assert (stood, await made.stand(order.id)) == (("ACCEPTED", "0"), ("FILLED", "8"))


async def test_a_message_that_its_provider_has_stamped_before_an_order_passes_it_by(made: Hall) -> None:
    account = await trader(made, "100")
    (order,) = await made.place(account, wish("BUY", "LIMIT", "2", limit_price="95"), price="100")
    await later(made, 1)

    await told(made, "94", seconds=2)
    await later(made, 3)

    assert await made.stand(order.id) == ("ACCEPTED", "0")


async def test_an_order_does_not_wait_for_a_clock_that_is_behind(made: Hall) -> None:
    account = await trader(made, "100")
    (order,) = await made.place(account, wish("BUY", "LIMIT", "2", limit_price="95"), price="100")
    await later(made, 5)

    await told(made, "94", seconds=8)

    assert await made.stand(order.id) == ("FILLED", "2")


async def bracketed(made: Hall, **given: Any) -> tuple[AccountRow, OrderRow, OrderRow]:
    """A bracket of three at 100, of which one is bought, and its stop at 95."""
    account = await made.account("1000", **given)
    bracket = wish("BUY", "LIMIT", "3", limit_price="100", stop_loss=Exit(stop_price=D(95)))
    entry, loss = await made.place(account, bracket, price="101")
    await later(made, 2)
    await made.tick("100", bid="99", ask="100", ask_size="1")
    assert await made.stand(entry.id) == ("PARTIALLY_FILLED", "1")
    made.house.clock.turn(0.2)
    return account, entry, loss


async def test_exits_that_their_entry_opens_more_for_are_not_met_by_a_message_from_before_that(made: Hall) -> None:
    account, _, loss = await bracketed(made)
    await made.place(account, wish("SELL", "MARKET", "1", reduce_only=True), price="99")
    await later(made, 1)
    assert (await made.order(loss.id)).quantity == D(0)
    await made.tick("100", bid="99", ask="100", ask_size="1")
    assert (await made.order(loss.id)).quantity == D(1)

    await later(made, 1)
    await told(made, "94", seconds=2, bid="94", ask="101")
    stood = await made.stand(loss.id)
    await later(made, 1)
    await made.tick("94", bid="94", ask="101")

    assert (stood, await made.stand(loss.id)) == (("ACCEPTED", "0"), ("FILLED", "1"))


async def test_exits_are_not_met_by_the_message_that_closes_their_position_and_opens_more_once_all_are_due(
    made: Hall,
) -> None:
    account, entry, loss = await bracketed(made, model=LATE)
    await made.replace(entry, "101", limit_price=D("100.5"))
    await made.place(account, wish("SELL", "MARKET", "1", reduce_only=True), price="99")
    await made.look()
    made.house.clock.turn(0.2)
    await made.tick("95", bid="94", ask="100.5", ask_size="1")
    assert await made.stand(loss.id) == ("ACCEPTED", "0")

    await later(made, 1)

    assert (await made.stand(entry.id), await made.held(account)) == (("PARTIALLY_FILLED", "2"), {BTC: "1"})
    assert await made.stand(loss.id) == ("ACCEPTED", "0")
