"""Transactions whose answer is lost: what they have done is not done again, and what they have not is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from gateway.core.matching.model import Tick
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.market import Market
from plugins.trading.orders.wishes import Exit
from plugins.trading.rows import AccountRow, OrderRow
from plugins.trading.writing import writing
from schema.symbols import parse_instrument
from schema.words.candles import Candle
from tests.gateway.doubles import NOON
from tests.plugins.trading.engine.floorhouse import BTC, FREE, D, Hall, hall, losing, wish

TETHER = "crypto:BTC/USDT"
Lose = Callable[..., list[int]]


@pytest.fixture
async def made(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hall]:
    monkeypatch.setattr("plugins.trading.engine.places.PAUSES_S", (0.0,))
    async with hall(sqlite_url, tmp_path) as made:
        yield made


@pytest.fixture
def lose(made: Hall, monkeypatch: pytest.MonkeyPatch) -> Lose:
    return partial(losing, made, monkeypatch)


async def _filled(made: Hall, rows: list[OrderRow]) -> Decimal:
    return sum([(await made.order(row.id)).filled for row in rows], D(0))


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("latency", [0, 1000])
async def test_orders_share_what_a_message_offers_also_where_an_answer_is_lost(
    made: Hall, lose: Lose, committed: bool, latency: int
) -> None:
    account = await made.account("100000", model={**FREE, "latency_ms": latency})
    await made.look()
    rows = await made.place(account, *[wish("BUY", "LIMIT", "1", limit_price="99")] * 40, price="100")
    await made.look()
    made.house.clock.turn(0.5)
    left = lose(committed=committed)

    await made.tick("98", bid="97", ask="98", ask_size="30")
    made.house.clock.turn(1)
    for _ in range(2):
        await made.look()

    assert (left, await _filled(made, rows), len(await made.fills(account))) == ([], D(30), 30)


@pytest.mark.parametrize("committed", [True, False])
async def test_a_stop_that_a_bar_has_triggered_is_not_filled_by_the_same_bar_where_that_answer_is_lost(
    made: Hall, lose: Lose, committed: bool
) -> None:
    account = await made.account(currency="USDT", model={**FREE, "source": "BARS", "provider": "binance"})
    stop = wish("BUY", "STOP_LIMIT", "1", symbol=TETHER, stop_price="11", limit_price="9")
    (order,) = await made.place(account, stop, price="10")
    await made.look()
    made.house.clock.turn(121)
    left = lose(committed=committed)

    bar = Candle(
        open_time=NOON + timedelta(minutes=1), closed=True, open=D(10), high=D(12), low=D(8), close=D(10),
        volume=D(100),
    )  # fmt: skip
    await made.say("binance", bar, TETHER)

    row = await made.order(order.id)
    assert (left, row.status, row.version, await made.fills(account)) == ([], "TRIGGERED", order.version + 1, [])


async def _fill(made: Hall, account: AccountRow, order: OrderRow) -> None:
    """Another process fills a part of it."""
    async with writing(made.house.host, account.tenant_id, account.id) as w:
        other = await Floor.opened(made.house.host, w)
        tick = Tick(instrument=parse_instrument(BTC), at=other.now, ask=D(99), ask_size=D(1), as_of=other.now)
        ground = made.ground(w.account, BTC, None)
        market = Market(spec=ground.spec, model=ground.model, tick=tick, open=True)
        other.take(other.round([other.orders[order.id]], market))
        await other.write()


@pytest.mark.parametrize("committed", [True, False])
async def test_what_another_one_fills_meanwhile_does_not_tell_whether_a_transaction_was_committed(
    made: Hall, lose: Lose, committed: bool
) -> None:
    account = await made.account()
    first, second = await made.place(account, *[wish("BUY", "LIMIT", "3", limit_price="99")] * 2, price="100")
    await made.look()
    made.house.clock.turn(1)
    left = lose(committed=committed, then=lambda: _fill(made, account, first))

    await made.tick("98", bid="97", ask="98", ask_size="2")

    assert (left, await made.stand(first.id), await made.stand(second.id)) == (
        [], ("FILLED", "3"), ("ACCEPTED", "0")
    )  # fmt: skip
    assert sorted(price for _, _, price in await made.fills(account)) == ["98", "99"]


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("changes", [1, 2, 3])
async def test_a_stop_is_triggered_once_however_often_others_have_resized_it_since_an_answer_was_lost(
    made: Hall, lose: Lose, committed: bool, changes: int
) -> None:
    account = await made.account("1000")
    bracket = wish("BUY", "MARKET", "5", stop_loss=Exit(stop_price=D(95), limit_price=D(94)))
    _, loss = await made.place(account, bracket, price="100")
    await made.look()
    made.house.clock.turn(6)

    async def reduce() -> None:
        for _ in range(changes):
            made.house.clock.turn(0.1)
            await made.place(account, wish("SELL", "MARKET", "1", reduce_only=True), price="100")

    left = lose(committed=committed, then=reduce)
    await made.tick("93", bid="93", ask="93.1")

    row, version = await made.order(loss.id), loss.version + changes + 1
    assert (left, row.status, row.quantity, row.version) == ([], "TRIGGERED", D(5 - changes), version)


@pytest.mark.parametrize("committed", [True, False])
async def test_an_order_that_others_have_changed_twice_does_not_tell_whether_a_trigger_was_written_with_it(
    made: Hall, lose: Lose, committed: bool
) -> None:
    account = await made.account("1000", model={**FREE, "latency_ms": 1000})
    terms = {"stop_price": "105", "limit_price": "101"}
    (stop,) = await made.place(account, wish("BUY", "STOP_LIMIT", "1", **terms), price="100")
    await made.look()
    made.house.clock.turn(2)
    await made.tick("100")
    (limit,) = await made.place(account, wish("BUY", "LIMIT", "1", limit_price="90"), price="100")
    await made.look()
    made.house.clock.turn(2)

    async def revise() -> None:
        for price in (91, 92, 93):
            await made.replace(limit, "106", limit_price=D(price))

    left = lose(committed=committed, then=revise)
    await made.tick("106", bid="105.9", ask="106")

    assert (left, (await made.order(stop.id)).status) == ([], "TRIGGERED")
