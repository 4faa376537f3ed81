"""Orders of a margin account that are reached while a price or a rate is missing by which it is valued."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.core.matching.conditions import Direction, PriceCondition, TimeCondition, plain
from plugins.trading.engine.dealing import Dealer
from plugins.trading.engine.engine import Engine
from plugins.trading.engine.seat import Seat
from plugins.trading.rows import AccountRow, OrderRow
from plugins.trading.writing import writing
from schema.words.candles import Candle
from schema.words.live import NoticeCode
from schema.words.orders import TimeInForce
from tests.gateway.doubles import NOON
from tests.plugins.trading.engine.floorhouse import BTC, ETH, FREE, D, Hall, another, deaf, hall, losing, wish

TETHER = "crypto:BTC/USDT"
LENDS: dict[str, Any] = {"margin": "MARGIN", "leverage": D(5)}


@pytest.fixture
async def made(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(sqlite_url, tmp_path) as made:
        yield made


async def _hold_ether(made: Hall, account: AccountRow) -> None:
    made.board.prices[ETH] = "10"
    await made.place(account, wish("BUY", "MARKET", "1", symbol=ETH), price="10")


async def _rests(made: Hall, *, asked: bool) -> tuple[AccountRow, OrderRow]:
    """A purchase at 99, and ether whose stream is stale; whether its price is told where it is *asked* for."""
    account = await made.account("10000", **LENDS)
    (limit,) = await made.place(account, wish("BUY", "LIMIT", "1", limit_price="99"), price="100")
    await _hold_ether(made, account)
    await made.look()
    await made.tick("10", ETH)
    made.house.clock.turn(1)
    await made.tick("100", bid="99.9", ask="100.1")
    await made.trouble(NoticeCode.STALE, ETH)
    if not asked:
        made.board.prices.clear()
    made.house.clock.turn(1)
    return account, limit


async def _reach(made: Hall) -> None:
    """The ask is at 99, and the last price below it: a loss against the mark, which no reserve holds."""
    await made.tick("98.95", bid="98.9", ask="99")


async def _hears(made: Hall, limit: OrderRow) -> None:
    """It rests, and the next message fills it."""
    assert await made.stand(limit.id) == ("ACCEPTED", "0")

    made.house.clock.turn(1)
    await made.tick("90", bid="89.9", ask="90")

    assert await made.stand(limit.id) == ("FILLED", "1")


async def test_a_price_that_no_stream_tells_is_asked_for_before_an_order_is_judged(made: Hall) -> None:
    account, limit = await _rests(made, asked=True)

    await _reach(made)

    assert await made.stand(limit.id) == ("FILLED", "1")
    assert await made.fills(account) == [("BUY", "1", "10"), ("BUY", "1", "99")]


async def test_an_order_waits_while_its_account_cannot_be_valued_and_is_looked_at_again(made: Hall) -> None:
    account, limit = await _rests(made, asked=False)

    await _reach(made)
    await made.look()
    row = await made.order(limit.id)
    assert (row.status, row.filled, row.reason, row.reserved) == ("ACCEPTED", D(0), None, limit.reserved)

    made.board.prices[ETH] = "10"
    made.house.clock.turn(2)
    await made.look()

    assert await made.stand(limit.id) == ("FILLED", "1")
    assert await made.fills(account) == [("BUY", "1", "10"), ("BUY", "1", "99")]


async def test_a_source_that_does_not_answer_holds_up_no_order(made: Hall) -> None:
    account, limit = await _rests(made, asked=True)
    await made.place(account, wish("BUY", "MARKET", "1"), price="100")
    (stop,) = await made.place(
        account, wish("SELL", "STOP_MARKET", "1", stop_price="95", reduce_only=True), price="100"
    )  # fmt: skip
    await made.look()
    made.board.hangs = asyncio.Event()
    made.house.clock.turn(61)

    await _reach(made)
    assert await made.stand(limit.id) == ("ACCEPTED", "0")
    await made.tick("94", bid="93.9", ask="94.1")
    assert await made.stand(stop.id) == ("FILLED", "1")


async def test_an_order_that_arrives_where_nobody_answers_holds_up_no_other(made: Hall) -> None:
    account = await made.account("10000")
    await made.place(account, wish("BUY", "MARKET", "1"), price="100")
    (stop,) = await made.place(account, wish("SELL", "STOP_MARKET", "1", stop_price="95"), price="100")
    at = made.house.clock.now() + timedelta(seconds=5)
    made.board.prices[ETH] = "10"
    (waits,) = await made.place(
        account, wish("BUY", "MARKET", "1", ETH, condition=plain(TimeCondition(at=at))), price="10"
    )
    await made.look()
    made.board.hangs = asyncio.Event()
    made.house.clock.turn(6)
    await made.look()

    await made.tick("94")
    assert [await made.stand(row.id) for row in (stop, waits)] == [("FILLED", "1"), ("NEW", "0")]

    made.board.hangs.set()
    await made.settle()
    await made.look()
    assert await made.stand(waits.id) == ("FILLED", "1")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Accounts, each time that one is locked by the engine."""
    real, found = Dealer.floor, list[str]()

    def floor(dealer: Dealer, seat: Seat, *names: str) -> Any:
        found.append(seat.id)
        return real(dealer, seat, *names)

    monkeypatch.setattr(Dealer, "floor", floor)
    return found


async def test_an_order_that_waits_for_a_price_is_looked_at_each_second_by_a_new_message_and_not_with_each(
    made: Hall, begun: list[str]
) -> None:
    await _rests(made, asked=False)
    await _reach(made)
    begun.clear()
    for _ in range(5):
        made.house.clock.turn(0.1)
        await _reach(made)
    assert begun == []

    await made.look()
    assert len(begun) == 1


@pytest.mark.parametrize(("latency", "again"), [(0, 1), (500, 2)])
async def test_orders_that_wait_for_a_price_are_left_alone_together_and_once_by_what_is_known(
    made: Hall, begun: list[str], latency: int, again: int
) -> None:
    account, _ = await _rests(made, asked=True)
    async with writing(made.house.host, account.tenant_id, account.id) as w:
        w.set(model={**FREE, "latency_ms": latency})
    rows = await made.place(account, *[wish("BUY", "LIMIT", "1", limit_price="99")] * 60, price="100")
    await made.look()
    made.board.prices.clear()
    begun.clear()
    made.house.clock.turn(2)

    await _reach(made)
    await made.look()
    assert len(begun) == 1
    for _ in range(3):
        made.house.clock.turn(1)
        await made.look()
    assert len(begun) == 1

    async with writing(made.house.host, account.tenant_id, account.id) as w:
        w.touch()
    made.engine.doubt(account.id)
    await made.settle()
    await made.look()
    assert len(begun) == 1 + again
    made.board.prices[ETH] = "10"
    made.house.clock.turn(2)
    await made.look()
    assert {await made.stand(row.id) for row in rows} == {("FILLED", "1")}


async def test_an_order_that_was_not_filled_before_its_account_could_be_valued_hears_what_comes_then(
    made: Hall,
) -> None:
    _, limit = await _rests(made, asked=False)
    await _reach(made)
    await made.tick("100", bid="99.9", ask="100.1")
    made.board.prices[ETH] = "10"
    made.house.clock.turn(2)
    await made.tick("100", bid="99.9", ask="100.1")
    await made.look()
    await _hears(made, limit)


async def test_an_order_that_was_put_off_and_is_replaced_hears_what_comes_once_it_has_arrived(made: Hall) -> None:
    account = await made.account("10000", model={**FREE, "latency_ms": 500}, **LENDS)
    (limit,) = await made.place(account, wish("BUY", "LIMIT", "1", limit_price="99"), price="100")
    await _hold_ether(made, account)
    await made.tick("10", ETH)
    made.house.clock.turn(1)
    await made.look()
    await made.tick("100", bid="99.9", ask="100.1")
    made.house.clock.turn(1)
    await made.look()
    await made.trouble(NoticeCode.STALE, ETH)
    made.board.prices.clear()
    made.house.clock.turn(1)
    await _reach(made)
    made.board.prices[ETH] = "10"
    await made.replace(limit, "100", limit_price=D(98))
    for _ in range(2):
        made.house.clock.turn(2)
        await made.tick("100", bid="99.9", ask="100.1")
        await made.look()
    await _hears(made, limit)


async def test_an_order_that_was_put_off_waits_also_where_the_answer_of_that_transaction_is_lost(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.trading.engine.places.PAUSES_S", (0.0,))
    account, limit = await _rests(made, asked=True)
    await made.place(account, wish("BUY", "MARKET", "1"), price="100")
    (stop,) = await made.place(
        account, wish("SELL", "STOP_MARKET", "1", stop_price="99.5", reduce_only=True), price="100"
    )  # fmt: skip
    await made.look()
    made.board.prices.clear()
    made.house.clock.turn(2)
    lost = losing(made, monkeypatch)
    await _reach(made)
    stands = [await made.stand(row.id) for row in (stop, limit)]
    assert (lost, stands) == ([], [("FILLED", "1"), ("ACCEPTED", "0")])

    made.board.prices[ETH] = "10"
    made.house.clock.turn(2)
    await made.look()

    assert await made.stand(limit.id) == ("FILLED", "1")


async def test_a_message_that_has_passed_since_fills_nothing_once_prices_are_there(made: Hall) -> None:
    _, limit = await _rests(made, asked=False)

    await _reach(made)
    await made.tick("101", bid="100.9", ask="101.1")
    made.board.prices[ETH] = "10"
    made.house.clock.turn(2)
    await made.look()

    assert await made.stand(limit.id) == ("ACCEPTED", "0")


async def test_by_an_old_price_of_what_it_holds_no_order_is_filled_beyond_its_reserve(made: Hall) -> None:
    account = await made.account("10000", **LENDS)
    (limit,) = await made.place(account, wish("BUY", "LIMIT", "1", limit_price="99"), price="100")
    await _hold_ether(made, account)
    await made.look()
    await made.tick("10", ETH)
    made.board.prices.clear()
    made.house.clock.turn(61)

    await _reach(made)
    assert await made.stand(limit.id) == ("ACCEPTED", "0")
    await made.tick("10", ETH)
    await made.look()

    assert await made.stand(limit.id) == ("FILLED", "1")


async def test_a_stop_that_turns_a_position_closes_it_though_the_account_cannot_be_valued(made: Hall) -> None:
    account, _ = await _rests(made, asked=True)
    await _reach(made)
    (stop,) = await made.place(account, wish("SELL", "STOP_MARKET", "100", stop_price="90"), price="100")
    await made.look()
    made.board.prices.clear()
    made.house.clock.turn(2)

    await made.tick("80", bid="70", ask="90.1")
    assert await made.stand(stop.id) == ("PARTIALLY_FILLED", "1")
    assert await made.held(account) == {ETH: "1"}

    made.board.prices[ETH] = "10"
    made.house.clock.turn(2)
    await made.look()

    assert await made.stand(stop.id) == ("FILLED", "100")


@pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
async def test_what_cannot_wait_ends_and_says_which_price_is_missing(made: Hall, tif: TimeInForce) -> None:
    account, _ = await _rests(made, asked=True)
    stop = wish("BUY", "STOP_LIMIT", "1", stop_price="101", limit_price="102", time_in_force=tif)
    (order,) = await made.place(account, stop, price="100")
    await made.look()
    made.board.prices.clear()
    made.house.clock.turn(1)

    await made.tick("101", bid="100", ask="102")

    row, told = await made.order(order.id), "NO_PRICE: the account cannot be valued: no price of crypto:ETH/USD"
    assert (row.status, row.filled, row.reason) == ("REJECTED", D(0), told)


async def test_what_is_due_waits_on_and_is_filled_as_it_arrives_once_prices_are_there(made: Hall) -> None:
    account = await made.account("10000", **LENDS, model={**FREE, "latency_ms": 500})
    await _hold_ether(made, account)
    made.house.clock.turn(1)
    await made.look()
    await made.tick("10", ETH)
    await made.trouble(NoticeCode.STALE, ETH)
    (order,) = await made.place(account, wish("BUY", "LIMIT", "2", limit_price="105"), price="99")
    made.board.prices.clear()
    await made.look()
    await made.tick("90", bid="80", ask="104")
    made.house.clock.turn(1)
    await made.look()
    assert await made.stand(order.id) == ("ACCEPTED", "0")

    made.board.prices[ETH] = "10"
    made.house.clock.turn(2)
    await made.look()

    assert await made.stand(order.id) == ("FILLED", "2")
    assert (await made.fills(account))[-1] == ("BUY", "2", "104")


async def test_a_process_that_goes_on_asks_for_what_its_streams_have_not_told_yet(
    made: Hall, sqlite_url: str, tmp_path: Path
) -> None:
    account = await made.account("10000", **LENDS)
    await _hold_ether(made, account)
    (limit,) = await made.place(account, wish("BUY", "LIMIT", "1", limit_price="99"), price="100")
    await made.look()
    made.house.clock.turn(1)
    await made.tick("10", ETH)
    await made.tick("100", bid="99.9", ask="100.1")
    await made.engine.close()

    async with another(made, sqlite_url, tmp_path) as second:
        second.house.clock.turn(1)
        await second.look()
        await _reach(second)

        assert await second.stand(limit.id) == ("FILLED", "1")


async def test_what_was_bought_while_nobody_looked_is_asked_for_too(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await made.account("10000", **LENDS)
    (limit,) = await made.place(account, wish("BUY", "LIMIT", "1", limit_price="99"), price="100")
    await made.look()
    monkeypatch.setattr(Engine, "_reload", deaf)
    made.house.clock.turn(1)
    await _hold_ether(made, account)

    await _reach(made)

    assert await made.stand(limit.id) == ("FILLED", "1")


async def test_an_order_waits_for_the_rate_of_its_currency(made: Hall) -> None:
    made.board.rates = {("USD", "EUR"): "0.9"}
    account = await made.account("10000", currency="EUR", **LENDS)
    (limit,) = await made.place(account, wish("BUY", "LIMIT", "1", limit_price="99"), price="100")
    await made.look()
    made.board.rates = {}
    made.house.clock.turn(20)
    await _reach(made)
    assert await made.stand(limit.id) == ("ACCEPTED", "0")

    made.board.rates = {("USD", "EUR"): "0.9"}
    made.house.clock.turn(10)
    await made.look()

    assert await made.stand(limit.id) == ("FILLED", "1")


async def test_what_a_bar_opens_is_valued_by_the_bar_before_a_stream_tells_its_price(made: Hall) -> None:
    model = {**FREE, "source": "BARS", "provider": "binance"}
    account = await made.account("10000", currency="USDT", model=model, **LENDS)
    sales = [wish("SELL", "LIMIT", "1", symbol=TETHER, limit_price=price) for price in ("110", "111", "112")]
    rows = await made.place(account, *sales, price="100")
    await made.look()
    made.house.clock.turn(121)

    bar = Candle(
        open_time=NOON + timedelta(minutes=1), closed=True, open=D(115), high=D(116), low=D(113), close=D(114),
        volume=D(100),
    )  # fmt: skip
    await made.say("binance", bar, TETHER)

    assert [await made.stand(row.id) for row in rows] == [("FILLED", "1")] * 3
    assert await made.fills(account) == [("SELL", "1", "115")] * 3


async def test_an_order_whose_condition_is_met_waits_until_its_account_can_be_valued(made: Hall) -> None:
    account, _ = await _rests(made, asked=True)
    above = plain(PriceCondition(symbol=BTC, direction=Direction.ABOVE, level=D("100.5")))
    (waits,) = await made.place(account, wish("BUY", "LIMIT", "1", limit_price="95", condition=above), price="100")
    await made.look()
    made.board.prices = {BTC: "101"}

    await made.tick("101")
    await made.look()
    assert await made.stand(waits.id) == ("NEW", "0")
    made.board.prices[ETH] = "10"
    await made.look()

    assert await made.stand(waits.id) == ("ACCEPTED", "0")
