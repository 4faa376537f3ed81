"""Messages and orders that pass each other: what comes between the commit of an order and its being read here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.core.lines.line import Update
from gateway.core.matching.conditions import Direction, PriceCondition, plain
from plugins.trading.engine.engine import Engine
from plugins.trading.markets.priced import Priced
from plugins.trading.orders.wishes import Exit
from plugins.trading.rows import OrderRow
from schema.symbols import parse_instrument
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from tests.plugins.trading.engine.floorhouse import BTC, FREE, SANDBOX, Hall, another, deaf, hall, priced, wish

D = Decimal
OPEN: dict[str, Any] = {"margin": "MARGIN", "leverage": D(5)}


@pytest.fixture
async def made(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hall]:
    monkeypatch.setattr(Engine, "_reload", deaf)
    async with hall(sqlite_url, tmp_path) as made:
        yield made


async def until(come: Callable[[], bool]) -> None:
    """Lines open, and are joined, once the database has told whose keys they take."""
    for _ in range(1000):
        if come():
            return
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    "wished",
    [
        wish("SELL", "STOP_MARKET", "5", stop_price="95"), wish("BUY", "LIMIT", "1", limit_price="98"),
        wish("SELL", "TRAILING_STOP", "5", trail_amount="2"),
    ],
)  # fmt: skip
async def test_an_order_meets_the_message_that_came_before_it_was_read(made: Hall, wished: Any) -> None:
    account = await made.trader()
    (order,) = await made.place(account, wished, price="100")
    made.house.clock.turn(1)
    await made.tick("94")
    assert await made.stand(order.id) == ("ACCEPTED", "0")

    await made.look()

    assert (await made.fills(account))[1:] == [(wished.side, f"{wished.quantity}", "94")]


async def test_the_first_order_of_an_account_meets_it_where_another_account_listens(made: Hall) -> None:
    await made.trader()
    account = await made.account()
    (order,) = await made.place(account, wish("BUY", "LIMIT", "1", limit_price="98"), price="100")
    made.house.clock.turn(1)
    await made.tick("97")

    await made.look()

    assert await made.stand(order.id) == ("FILLED", "1")


async def test_what_another_process_places_meets_it_and_trails_go_on_whatever_it_writes(
    database: str, tmp_path: Path
) -> None:
    async with hall(database, tmp_path) as made, another(made, database, tmp_path) as other:
        account = await made.trader(**OPEN)
        (trail,) = await made.place(account, wish("SELL", "TRAILING_STOP", "5", trail_amount="2"), price="100")
        await made.look()
        made.house.clock.turn(1)
        await made.tick("120")
        (limit,) = await other.place(account, wish("BUY", "LIMIT", "2", limit_price="119.5"), price="120")
        made.house.clock.turn(1)
        await made.tick("119")
        assert await made.stand(limit.id) == ("ACCEPTED", "0")
        assert (await made.order(trail.id)).trail_extreme == D(100)

        await made.look()
        assert await made.stand(limit.id) == ("FILLED", "2")
        assert (await made.order(trail.id)).trail_extreme == D(120)
        await made.tick("117")

        assert await made.stand(trail.id) == ("FILLED", "5")


async def test_exits_that_another_process_has_woken_meet_it(made: Hall) -> None:
    account = await made.trader()
    bracket = wish("BUY", "MARKET", "1", stop_loss=Exit(stop_price=D(95)))
    _, loss = await made.place(account, bracket, price="100")
    made.house.clock.turn(1)
    await made.tick("94")

    await made.look()

    assert await made.stand(loss.id) == ("FILLED", "1")


async def test_a_condition_that_it_fulfils_has_come(made: Hall) -> None:
    account = await made.trader()
    above = plain(PriceCondition(symbol=BTC, direction=Direction.ABOVE, level=D(110)))
    (order,) = await made.place(account, wish("BUY", "MARKET", "1", condition=above), price="100")
    made.house.clock.turn(1)
    made.board.prices = {BTC: "120"}
    await made.tick("120")
    assert await made.stand(order.id) == ("NEW", "0")

    await made.look()

    assert (await made.fills(account))[1:] == [("BUY", "1", "120")]


async def test_a_stop_that_was_replaced_meets_it_and_its_old_price_does_not(made: Hall) -> None:
    account = await made.trader()
    (order,) = await made.place(account, wish("SELL", "STOP_MARKET", "5", stop_price="90"), price="100")
    await made.look()
    made.house.clock.turn(1)
    await made.tick("99")
    await made.replace(order, "100", stop_price=D(95))
    made.house.clock.turn(1)
    await made.tick("94")
    assert await made.stand(order.id) == ("ACCEPTED", "0")

    await made.look()

    assert (await made.fills(account))[1:] == [("SELL", "5", "94")]


async def test_a_price_that_is_asked_for_and_stays_wakes_a_stop_too(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stamped(*what: Any, **how: Any) -> Priced:
        found = priced(*what, **how)
        return replace(found, tick=replace(found.tick, as_of=stamp))

    stamp = made.house.clock.now()
    monkeypatch.setattr("plugins.trading.engine.feeds.POLL_S", 0.001)
    monkeypatch.setattr("tests.plugins.trading.engine.floorhouse.priced", stamped)
    made.board.prices = {BTC: "100"}
    account = await made.account(model={**FREE, "provider": "frankfurter"})
    await made.place(account, wish("BUY", "MARKET", "5"), price="100")
    await made.look()
    await made.asked()
    made.house.clock.turn(1)
    (order,) = await made.place(account, wish("SELL", "STOP_MARKET", "5", stop_price="95"), price="100")
    made.house.clock.turn(1)
    stamp = made.house.clock.now()
    made.board.prices = {BTC: "94"}
    await made.asked()
    await made.asked()
    assert await made.stand(order.id) == ("ACCEPTED", "0")

    await made.look()

    assert await made.stand(order.id) == ("FILLED", "5")


async def test_a_message_that_is_older_than_an_order_passes_it_by(made: Hall) -> None:
    account = await made.trader()
    await made.tick("94")
    made.house.clock.turn(1)
    (placed,) = await made.place(account, wish("SELL", "STOP_MARKET", "2", stop_price="95"), price="100")
    made.house.clock.turn(1)
    now = made.house.clock.now()
    before = now - timedelta(seconds=2)
    quote = Quote(
        instrument=parse_instrument(BTC), price=D(93), price_type=PriceType.LAST, as_of=before, currency="USD"
    )
    await made._send(SANDBOX, Update(values=(quote,), as_of=before, snapshot=False, received=now), BTC)

    for _ in range(3):
        await made.look()

    assert await made.stand(placed.id) == ("ACCEPTED", "0")


async def test_a_message_that_waits_for_the_account_passes_by_what_is_placed_meanwhile(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await made.trader(**OPEN)
    (first,) = await made.place(account, wish("BUY", "LIMIT", "1", limit_price="98"), price="100")
    await made.look()
    later: list[OrderRow] = []
    guard, marks = made.engine._guard, made.engine._guard.marks

    async def slow(*what: Any) -> Any:
        if not later:
            made.house.clock.turn(1)
            later.extend(await made.place(account, wish("BUY", "LIMIT", "1", limit_price="97"), price="100"))
        return await marks(*what)

    monkeypatch.setattr(guard, "marks", slow)
    await made.tick("96")
    await made.look()
    assert [await made.stand(each.id) for each in (first, *later)] == [("FILLED", "1"), ("ACCEPTED", "0")]

    await made.tick("96.5")

    assert await made.stand(later[0].id) == ("FILLED", "1")


async def test_orders_share_a_message_also_where_one_of_them_meets_it_late_and_none_meets_it_twice(made: Hall) -> None:
    account = await made.trader()
    (first,) = await made.place(account, wish("BUY", "LIMIT", "3", limit_price="98"), price="100")
    await made.look()
    made.house.clock.turn(1)
    (second,) = await made.place(account, wish("BUY", "LIMIT", "3", limit_price="98"), price="100")
    made.house.clock.turn(1)
    await made.tick("97", bid="97", ask="97.5", ask_size="4")
    # The account has changed: what belongs to it is read anew with the first one's fill, and meets the message so.
    assert [await made.stand(each.id) for each in (first, second)] == [("FILLED", "3"), ("PARTIALLY_FILLED", "1")]
    (third,) = await made.place(account, wish("BUY", "LIMIT", "3", limit_price="98"), price="100")

    for _ in range(3):
        made.house.clock.turn(1)
        await made.look()

    assert [await made.stand(each.id) for each in (second, third)] == [("PARTIALLY_FILLED", "1"), ("ACCEPTED", "0")]


async def test_an_order_that_met_a_message_with_another_one_does_not_meet_it_again_once_it_is_known(
    made: Hall,
) -> None:
    account = await made.trader(model={**FREE, "participation": "0.25"})
    (first,) = await made.place(account, wish("BUY", "LIMIT", "3", limit_price="98"), price="100")
    await made.look()
    (second,) = await made.place(account, wish("BUY", "LIMIT", "3", limit_price="98"), price="100")
    made.house.clock.turn(1)
    await made.tick("97", bid="97", ask="97.5", ask_size="4")

    for _ in range(3):
        await made.look()

    stood = [await made.stand(each.id) for each in (first, second)]
    assert stood == [("PARTIALLY_FILLED", "1"), ("PARTIALLY_FILLED", "1")]


async def test_what_is_left_of_a_message_is_what_a_late_order_takes(made: Hall) -> None:
    account = await made.trader(model={**FREE, "participation": "0.5"})
    (late,) = await made.place(account, wish("BUY", "LIMIT", "3", limit_price="98"), price="100")
    made.house.clock.turn(1)
    await made.tick("97", bid="97", ask="97.5", ask_size="4")

    for _ in range(3):
        await made.look()
    await made.replace(late, "100", quantity=D(4))
    for _ in range(3):
        await made.look()

    assert await made.stand(late.id) == ("PARTIALLY_FILLED", "2")


async def test_a_trail_follows_the_message_that_came_before_it_was_read(made: Hall) -> None:
    account = await made.trader()
    (trail,) = await made.place(account, wish("SELL", "TRAILING_STOP", "5", trail_amount="2"), price="100")
    made.house.clock.turn(1)
    await made.tick("120")

    await made.look()
    assert (await made.order(trail.id)).trail_extreme == D(120)
    await made.tick("117")

    assert await made.stand(trail.id) == ("FILLED", "5")


async def test_what_was_shown_to_who_begins_to_listen_counts_where_it_was_stamped_after_the_order(made: Hall) -> None:
    account = await made.account()
    async with made.house.context().market.live(QUOTES, {BTC: QuotesAsk(instruments=(parse_instrument(BTC),))}):
        (rests,) = await made.place(account, wish("BUY", "LIMIT", limit_price="99"), price="100")
        made.house.clock.turn(1)
        await made.tick("98")
        await until(lambda: bool(made.lines.open_now) and made.lines._queue(SANDBOX, parse_instrument(BTC)).empty())

        await made.look()
        await until(lambda: any(feed.last for feed in made.engine.feeds))
        await made.look()

    assert await made.stand(rests.id) == ("FILLED", "1")


async def test_the_newest_price_counts_once_trading_goes_on(made: Hall) -> None:
    account = await made.trader()
    (stop,) = await made.place(account, wish("SELL", "STOP_MARKET", "5", stop_price="95"), price="100")
    await made.look()
    await made.halt(account)
    made.house.clock.turn(1)
    await made.tick("90")
    await made.look()
    made.house.clock.turn(1)
    await made.tick("94")
    await made.look()
    assert await made.stand(stop.id) == ("ACCEPTED", "0")

    await made.halt(account, False)
    await made.look()

    assert (await made.fills(account))[1:] == [("SELL", "5", "94")]
