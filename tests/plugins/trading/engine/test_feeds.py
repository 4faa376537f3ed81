"""What a stream has told counts only as long as it is the price of now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.core.lines.line import Ended, Update
from gateway.core.live.messages import Message, Position, Tapped
from gateway.core.matching.model import ExecutionModel
from plugins.trading.engine.feeds import Feed
from plugins.trading.markets.priced import Priced
from plugins.trading.markets.ticks import tick_of
from plugins.trading.orders.ground import ground_of
from schema.errors import ConnectionFailed
from schema.provenance import DataMode, FeedDelay, Provenance
from schema.symbols import parse_instrument
from schema.words.candles import Bars
from schema.words.live import NoticeCode
from schema.words.quotes import PriceType, Quote
from schema.words.venues import MarketState
from tests.plugins.trading.engine.floorhouse import (
    BTC,
    ETH,
    FREE,
    SANDBOX,
    D,
    Hall,
    HandPrices,
    another,
    hall,
    priced,
    wish,
)
from tests.plugins.trading.rowsof import MADE

LENDS: dict[str, Any] = {"margin": "MARGIN", "leverage": D(5), "model": FREE}


@pytest.fixture
async def made(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(sqlite_url, tmp_path) as made:
        yield made


def _feed(made: Hall, symbol: str = BTC) -> Feed:
    (feed,) = (each for each in made.engine.feeds if str(each.key.instrument) == symbol)
    return feed


async def _say(
    made: Hall, price: str, symbol: str = ETH, *, as_of: datetime | None = None, state: MarketState | None = None,
    currency: str = "USD", **how: Any,
) -> None:  # fmt: skip
    """The sandbox says a price, stamped now where nothing else is given; provenance beside it."""
    now = made.house.clock.now()
    stamp = as_of or now
    told = Provenance(**{"provider": SANDBOX, "mode": DataMode.LIVE, "as_of": stamp, "fetched_at": now, **how})
    quote = Quote(
        instrument=parse_instrument(symbol), price=D(price), price_type=PriceType.LAST, as_of=stamp, currency=currency,
        market_state=state or MarketState.UNKNOWN,
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


async def _two(made: Hall, balance: str, bitcoin: str, ether: str) -> Any:
    """An account of margin that holds both; bitcoin streams at 100."""
    account = await made.account(balance, **LENDS)
    made.board.prices = {BTC: "100", ETH: "10"}
    await made.place(account, wish("BUY", "MARKET", bitcoin), price="100")
    await made.place(account, wish("BUY", "MARKET", ether, symbol=ETH), price="10")
    await made.look()
    await made.tick("100")
    return account


async def test_nothing_is_closed_by_force_in_a_market_that_has_closed_since_its_last_message(made: Hall) -> None:
    account = await _two(made, "100", "1", "30")
    await made.tick("8", ETH)
    await made.look()
    made.house.clock.turn(5)
    made.board.closed.add(ETH)
    await made.trouble(NoticeCode.MARKET_CLOSED, ETH)
    made.house.clock.turn(40)

    # Equity 100 - 30 × 2 - 10 = 30, maintenance (30 × 8 + 90) / 10 = 33.
    await made.tick("90")
    await made.look()

    assert await made.held(account) == {ETH: "30"}


async def test_an_order_that_is_due_after_the_close_waits_though_no_message_has_told_it(made: Hall) -> None:
    account = await made.account(model={**FREE, "latency_ms": 60_000})
    (order,) = await made.place(account, wish("BUY", "LIMIT", limit_price="105"), price="100")
    await made.look()
    made.house.clock.turn(55)
    await made.tick("100")
    made.board.closed.add(BTC)

    made.house.clock.turn(6)
    await made.look()

    assert await made.stand(order.id) == ("ACCEPTED", "0")


async def test_who_orders_after_the_close_is_told_that_it_is_closed(made: Hall) -> None:
    made.board.hears = True
    account = await made.trader()
    made.board.closed.add(BTC)
    await made.trouble(NoticeCode.MARKET_CLOSED)

    (seat,) = made.engine.seats
    ground = await ground_of(seat.context(), account, parse_instrument(BTC), "symbol")

    assert ground.priced is not None
    assert (ground.priced.price, ground.priced.open) == (D(100), False)


async def test_the_last_price_of_a_market_that_has_opened_since_is_old(made: Hall) -> None:
    made.board.closed.add(ETH)
    account = await _two(made, "100", "2", "10")
    await made.tick("5", ETH)
    made.house.clock.turn(36_000)
    made.board.closed.clear()
    made.house.clock.turn(1800)
    made.board.prices[ETH] = "20"

    # Equity by what is answered: 100 + 10 × 10 - 2 × 20 = 160. By the last close it would be 10, and 21 is needed.
    await made.look()
    await made.tick("80")
    await made.look()

    assert await made.held(account) == {BTC: "2", ETH: "10"}


async def test_what_was_told_before_the_opening_fills_nothing_after_it(made: Hall) -> None:
    account = await made.account(model={**FREE, "latency_ms": 10_000})
    made.board.closed.add(BTC)
    (order,) = await made.place(account, wish("BUY", "LIMIT", limit_price="105"), price="100")
    await made.look()
    made.house.clock.turn(55)
    await made.tick("100")
    made.board.closed.clear()

    made.house.clock.turn(5)
    await made.look()
    assert await made.stand(order.id) == ("ACCEPTED", "0")
    await made.tick("101")

    assert await made.fills(account) == [("BUY", "1", "101")]


REGULAR, CLOSED, HALTED, UNKNOWN = MarketState.REGULAR, MarketState.CLOSED, MarketState.HALTED, MarketState.UNKNOWN


@pytest.mark.parametrize(
    ("told", "calendar", "found"),
    [
        (REGULAR, (REGULAR, CLOSED), [REGULAR, CLOSED]),
        (REGULAR, (CLOSED, CLOSED), [REGULAR, CLOSED]),
        (REGULAR, (UNKNOWN, UNKNOWN), [REGULAR, REGULAR]),
        (CLOSED, (UNKNOWN, UNKNOWN), [CLOSED, CLOSED]),
        (CLOSED, (CLOSED, REGULAR), [CLOSED, REGULAR]),
        (CLOSED, (REGULAR, REGULAR), [CLOSED, CLOSED]),
        (HALTED, (REGULAR, REGULAR), [HALTED, HALTED]),
        (HALTED, (REGULAR, CLOSED), [HALTED, CLOSED]),
        (None, (REGULAR, CLOSED), [REGULAR, CLOSED]),
        (None, (CLOSED, REGULAR), [CLOSED, REGULAR]),
    ],
)
async def test_what_a_live_provider_says_of_its_market_stands_until_the_calendar_turns(
    made: Hall, monkeypatch: pytest.MonkeyPatch, told: MarketState | None, calendar: tuple[MarketState, MarketState],
    found: list[MarketState],
) -> None:  # fmt: skip
    says = [calendar[0]]

    async def state(*_: Any) -> MarketState:
        return says[0]

    monkeypatch.setattr(HandPrices, "state", state)
    await made.trader()
    await _say(made, "100", BTC, state=told, mode=DataMode.SIMULATED if told is None else DataMode.LIVE)
    await made.look()
    states = [_feed(made).state]

    says[0] = calendar[1]
    made.house.clock.turn(60)
    await made.look()

    assert [*states, _feed(made).state] == found


async def test_the_calendar_is_asked_once_a_minute_whatever_is_looked_at(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[tuple[int, int]]()
    await made.trader()
    made.house.clock.turn(58 - made.house.clock.now().second)
    await made.look()

    async def state(*_: Any) -> MarketState:
        now = made.house.clock.now()
        asked.append((now.minute, now.second))
        return REGULAR

    monkeypatch.setattr(HandPrices, "state", state)
    for _ in range(70):
        await made.look()
        made.house.clock.turn(1)

    assert asked == [(1, 0), (2, 0)]


@pytest.mark.parametrize(
    ("seconds", "how"),
    [(3600, {}), (-60, {"delay": FeedDelay.DELAYED, "delay_seconds": 900})],
    ids=["an hour ahead", "less late than its feed is said to be"],
)
async def test_no_message_keeps_answers_from_deciding_by_a_stamp_that_is_still_to_come(
    made: Hall, seconds: int, how: dict[str, Any]
) -> None:
    account = await made.account("100", **LENDS)
    made.board.prices = {ETH: "10"}
    await made.place(account, wish("BUY", "MARKET", "40", symbol=ETH), price="10")
    await made.look()
    await _say(made, "10", as_of=made.house.clock.now() + timedelta(seconds=seconds), **how)
    await made.trouble(NoticeCode.STALE, ETH)

    made.board.prices[ETH] = "8"
    made.house.clock.turn(1)
    await made.look()

    assert await made.held(account) == {}


async def test_a_stamp_that_is_still_to_come_keeps_no_price_fresh(made: Hall) -> None:
    await made.trader()
    await _say(made, "100", BTC, as_of=made.house.clock.now() + timedelta(hours=1))

    made.house.clock.turn(61)

    told = _feed(made).priced(ExecutionModel())
    assert told is not None
    assert (told.age, told.too_old(ExecutionModel())) == (timedelta(seconds=61), True)


@pytest.mark.parametrize("code", [NoticeCode.RECONNECTING, NoticeCode.STALE])
async def test_nobody_is_closed_by_force_by_a_price_from_before_its_stream_was_lost(
    made: Hall, code: NoticeCode
) -> None:
    account = await _two(made, "100", "2", "10")
    await made.tick("5", ETH)
    await made.trouble(code, ETH)
    made.board.prices[ETH] = "20"
    made.house.clock.turn(50)
    await made.trouble(NoticeCode.FRESH_AGAIN, ETH)

    # Equity by what is answered: 100 + 10 × 10 - 2 × 20 = 160. By the price from before it would be 10.
    await made.tick("80")
    await made.look()

    assert await made.held(account) == {BTC: "2", ETH: "10"}


async def test_a_stream_that_is_there_again_and_quiet_is_asked_for_once(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.trading.engine.feeds.POLL_S", 0.001)
    made.board.prices = {BTC: "98"}
    account = await made.account(model={**FREE, "latency_ms": 1000})
    (order,) = await made.place(account, wish("BUY", "MARKET"), price="100")
    await made.look()
    await made.tick("100")
    await made.trouble(NoticeCode.RECONNECTING)
    made.house.clock.turn(1)
    made.board.asked.clear()
    await made.look()
    assert not made.board.asked.is_set()

    await made.trouble(NoticeCode.FRESH_AGAIN)
    async with asyncio.timeout(5):
        await made.board.asked.wait()
    await made.settle()
    made.board.asked.clear()
    await made.look()

    assert await made.fills(account) == [("BUY", "1", "98")]
    assert not made.board.asked.is_set()
    assert (await made.stand(order.id)) == ("FILLED", "1")


async def test_what_has_ended_is_asked_for_until_it_is_streamed_again(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.trading.engine.feeds.POLL_S", 0.001)
    made.board.prices = {BTC: "100"}
    account = await made.account(model={**FREE, "provider": SANDBOX})
    (rests,) = await made.place(account, wish("BUY", "LIMIT", limit_price="99"), price="100")
    await made.look()
    await made.tick("100")
    await made._send(SANDBOX, Ended(error=ConnectionFailed(SANDBOX, "gone")), BTC)
    await made.asked()
    assert _feed(made).looked
    assert await made.stand(rests.id) == ("ACCEPTED", "0")

    made.board.prices = {BTC: "98"}
    await made.asked()
    await made.asked()

    assert await made.fills(account) == [("BUY", "1", "98")]


def _stamp(monkeypatch: pytest.MonkeyPatch, stamp: datetime, **sides: Any) -> None:
    """So whatever is answered is stamped."""

    def stamped(*what: Any, **how: Any) -> Priced:
        found = priced(*what, **how)
        return replace(found, tick=replace(found.tick, as_of=stamp, **sides))

    monkeypatch.setattr("tests.plugins.trading.engine.floorhouse.priced", stamped)


async def test_an_answer_that_is_older_than_what_was_streamed_is_no_news(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await made.trader()
    (stop,) = await made.place(account, wish("SELL", "STOP_MARKET", "1", stop_price="95"), price="100")
    await made.look()
    made.house.clock.turn(40)
    streamed = made.house.clock.now()
    await made.tick("100")
    made.house.clock.turn(2)
    await made.trouble(NoticeCode.STALE)
    made.board.prices[BTC] = "90"

    _stamp(monkeypatch, streamed - timedelta(microseconds=1))
    await _feed(made)._poll()
    await made.settle()
    assert (await made.stand(stop.id), _feed(made).silent) == (("ACCEPTED", "0"), True)
    _stamp(monkeypatch, streamed)
    await _feed(made)._poll()
    await made.settle()

    assert (await made.stand(stop.id), _feed(made).silent) == (("FILLED", "1"), False)


async def test_a_price_is_in_the_currency_that_its_quote_tells(made: Hall) -> None:
    account = await made.account()
    await made.place(account, wish("BUY", "MARKET", symbol="equity:VOD"), price="100")
    await made.look()
    feed = _feed(made, "equity:VOD")
    feed.spec = made.board.spec("equity:VOD")
    now = made.house.clock.now()
    told = Provenance(provider=SANDBOX, mode=DataMode.LIVE, as_of=now, fetched_at=now)
    quote = Quote(
        instrument=feed.key.instrument, price=D(80), price_type=PriceType.LAST, as_of=now, currency="GBP",
        provenance=told,
    )  # fmt: skip

    await feed._told(tick_of(quote, now), quote, shown=False)
    found = feed.priced(ExecutionModel())

    assert found is not None
    assert (feed.spec.currency, found.price, found.currency) == ("USD", D(80), "GBP")


async def test_a_message_in_another_currency_fills_nothing_that_rests(made: Hall) -> None:
    account = await made.account()
    (order,) = await made.place(account, wish("BUY", "LIMIT", limit_price="85"), price="100")
    await made.look()

    await _say(made, "80", BTC, currency="GBP")
    assert await made.stand(order.id) == ("ACCEPTED", "0")
    await _say(made, "80", BTC)

    assert await made.stand(order.id) == ("FILLED", "1")


async def test_an_order_that_takes_its_time_waits_for_a_price_in_its_own_currency(made: Hall) -> None:
    account = await made.account(model={**FREE, "latency_ms": 1000})
    (order,) = await made.place(account, wish("BUY", "MARKET"), price="100")
    await made.look()
    await _say(made, "80", BTC, currency="GBP")

    made.house.clock.turn(1)
    await made.look()
    assert await made.stand(order.id) == ("ACCEPTED", "0")
    await _say(made, "101", BTC)

    assert await made.fills(account) == [("BUY", "1", "101")]


async def test_nobody_is_closed_by_force_by_a_price_in_another_currency(made: Hall) -> None:
    account = await made.account("100", **LENDS)
    made.board.prices, made.board.rates = {ETH: "10"}, {("EUR", "USD"): "1"}
    await made.place(account, wish("BUY", "MARKET", "40", symbol=ETH), price="10")
    await made.look()

    # Equity 100 - 40 × 2.4 = 4, maintenance 30.4.
    await _say(made, "7.6", currency="EUR")
    await made.look()
    assert await made.held(account) == {ETH: "40"}
    await _say(made, "7.6")
    await made.look()

    assert await made.held(account) == {}


async def test_no_look_waits_for_hours_that_are_slow_and_none_asks_for_them_twice(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.trading.engine.engine.HOURS_S", 0.001)
    await made.trader()
    asked, told, state = list[str](), asyncio.Event(), HandPrices.state

    async def slow(self: HandPrices, instrument: Any, quote: Any = None) -> MarketState:
        asked.append(str(instrument))
        await told.wait()
        return await state(self, instrument, quote)

    monkeypatch.setattr(HandPrices, "state", slow)
    made.house.clock.turn(60)
    for _ in range(3):
        async with asyncio.timeout(5):
            await made.engine.look()
        made.house.clock.turn(60)
    told.set()
    await made.settle()

    assert asked == [BTC]


async def test_an_engine_that_ends_waits_for_no_hours(made: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.trading.engine.engine.HOURS_S", 0.001)
    monkeypatch.setattr("plugins.trading.engine.engine.CLOSE_S", 0.001)
    await made.trader()

    async def never(*_: Any) -> MarketState:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(HandPrices, "state", never)
    made.house.clock.turn(60)
    await made.engine.look()
    async with asyncio.timeout(5):
        await made.engine.close()

    assert not [each for each in asyncio.all_tasks() if each.get_name() == "trading.hours"]


async def test_a_slow_answer_is_not_given_up_for_messages_that_tell_nothing(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.trading.engine.feeds.POLL_S", 0.001)
    await made.trader()
    made.board.prices[BTC], made.board.hangs = "90", asyncio.Event()
    asked, answered = list[int](), HandPrices.answered

    async def counted(self: HandPrices, *what: Any, **how: Any) -> Any:
        asked.append(1)
        return await answered(self, *what, **how)

    monkeypatch.setattr(HandPrices, "answered", counted)
    await made._send(SANDBOX, Ended(error=ConnectionFailed(SANDBOX, "gone")), BTC)
    feed = _feed(made)
    for number in range(3):
        message = Message(position=Position(9, number), snapshot=False, values=(), provenance=None)
        feed._tap(Tapped(symbol=BTC, provider=SANDBOX, message=message))
        await made.settle()
    assert len(asked) == 1
    made.board.hangs.set()
    await made.asked()

    assert feed.last is not None
    assert (feed.last.last, feed.looked) == (D(90), True)


async def test_what_was_told_in_the_second_before_the_opening_does_not_outlast_it(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = [MarketState.CLOSED]

    async def state(*_: Any) -> MarketState:
        return says[0]

    monkeypatch.setattr(HandPrices, "state", state)
    account = await made.account()
    await made.place(account, wish("BUY", "LIMIT", limit_price="85"), price="100")
    await made.look()
    made.house.clock.turn(59.9 - made.house.clock.now().second)
    await _say(made, "100", BTC, state=MarketState.CLOSED)
    says[0] = MarketState.REGULAR

    made.house.clock.turn(60)
    await made.look()

    assert _feed(made).state is MarketState.REGULAR


LATE: dict[str, Any] = {"delay": FeedDelay.DELAYED, "delay_seconds": 900}


@pytest.mark.parametrize(("seconds", "left"), [(2, ("ACCEPTED", "0")), (301, ("FILLED", "1"))])
async def test_a_stream_that_runs_behind_does_not_take_the_place_of_one_that_has_just_told(
    made: Hall, seconds: float, left: tuple[str, str]
) -> None:
    account = await made.account()
    (order,) = await made.place(account, wish("BUY", "LIMIT", limit_price="85"), price="100")
    await made.look()
    await _say(made, "100", BTC, delay=FeedDelay.REALTIME)
    made.house.clock.turn(seconds)

    await _say(made, "80", BTC, as_of=made.house.clock.now() - timedelta(seconds=895), **LATE)

    assert await made.stand(order.id) == left


async def test_a_stream_of_the_provider_that_an_account_names_may_run_behind(made: Hall) -> None:
    account = await made.account(model={**FREE, "provider": SANDBOX})
    (order,) = await made.place(account, wish("BUY", "LIMIT", limit_price="85"), price="100")
    await made.look()
    await _say(made, "100", BTC, delay=FeedDelay.REALTIME)
    made.house.clock.turn(2)

    await _say(made, "80", BTC, as_of=made.house.clock.now() - timedelta(seconds=895), **LATE)

    assert await made.stand(order.id) == ("FILLED", "1")


async def test_an_answer_that_runs_behind_does_not_take_the_place_of_a_stream_that_has_just_ended(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await made.account()
    (order,) = await made.place(account, wish("BUY", "LIMIT", limit_price="85"), price="100")
    await made.look()
    await _say(made, "100", BTC, delay=FeedDelay.REALTIME)
    made.house.clock.turn(2)
    await made.trouble(NoticeCode.STALE)

    def late(*what: Any, **how: Any) -> Priced:
        found = priced(*what, **how)
        return replace(found, provenance=replace(found.provenance, **LATE))

    monkeypatch.setattr("tests.plugins.trading.engine.floorhouse.priced", late)
    made.board.prices = {BTC: "80"}
    await _feed(made)._poll()
    await made.settle()
    assert (await made.stand(order.id), _feed(made).silent) == (("ACCEPTED", "0"), True)
    made.house.clock.turn(300)
    await _feed(made)._poll()
    await made.settle()

    assert (await made.stand(order.id), _feed(made).silent) == (("FILLED", "1"), False)


async def test_nobody_is_closed_by_force_by_a_stream_that_runs_behind_one_that_has_just_told(made: Hall) -> None:
    account = await made.account("100", **LENDS)
    made.board.prices = {ETH: "10"}
    await made.place(account, wish("BUY", "MARKET", "40", symbol=ETH), price="10")
    await made.look()
    await _say(made, "10", delay=FeedDelay.REALTIME)
    made.house.clock.turn(1)

    await _say(made, "7.6", as_of=made.house.clock.now() - timedelta(seconds=895), **LATE)
    await made.look()

    assert await made.held(account) == {ETH: "40"}


async def _quiet_after(made: Hall, monkeypatch: pytest.MonkeyPatch, provider: str) -> list[float]:
    """When it was asked for, of a stream without stamps that is there again; who answers stamps its last trade."""
    monkeypatch.setattr("plugins.trading.engine.feeds.POLL_S", 0.001)
    made.board.prices = {BTC: "100"}
    await made.trader()
    traded = made.house.clock.now() - timedelta(seconds=20)

    def stamped(*what: Any, **how: Any) -> Priced:
        found, now = priced(*what, **how), made.house.clock.now()
        made_by = replace(found.provenance, provider=provider, as_of=traded, fetched_at=now)
        return replace(found, tick=replace(found.tick, at=now, as_of=traded, provider=provider), provenance=made_by)

    monkeypatch.setattr("tests.plugins.trading.engine.floorhouse.priced", stamped)
    now = made.house.clock.now()
    told = Provenance(provider=SANDBOX, mode=DataMode.LIVE, as_of=None, fetched_at=now)
    quote = Quote(instrument=parse_instrument(BTC), price=D(100), price_type=PriceType.LAST, currency="USD")
    update = Update(values=(quote,), as_of=None, snapshot=False, received=now, provenance=told)
    await made._send(SANDBOX, update, BTC)
    await made.trouble(NoticeCode.RECONNECTING)
    made.house.clock.turn(1)
    asked: list[float] = []
    answered = HandPrices.answered

    async def counted(self: HandPrices, *what: Any, **how: Any) -> Any:
        asked.append(made.house.clock.monotonic())
        return await answered(self, *what, **how)

    monkeypatch.setattr(HandPrices, "answered", counted)
    made.board.asked.clear()
    await made.trouble(NoticeCode.FRESH_AGAIN)
    async with asyncio.timeout(5):
        await made.board.asked.wait()
    await made.settle()
    for _ in range(20):
        await asyncio.sleep(0.001)
    return asked


@pytest.mark.parametrize(("provider", "again"), [(SANDBOX, False), ("alpha", True)])
async def test_a_stream_without_stamps_that_is_there_again_and_quiet_is_asked_for_until_an_answer_counts(
    made: Hall, monkeypatch: pytest.MonkeyPatch, provider: str, again: bool
) -> None:
    asked = await _quiet_after(made, monkeypatch, provider)

    assert (len(asked) > 1, _feed(made).silent) == (again, again)


@pytest.mark.parametrize("provider", [SANDBOX, "alpha"])
async def test_a_quiet_stream_is_asked_for_again_after_an_answer_that_is_older_than_what_it_told(
    made: Hall, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    monkeypatch.setattr("plugins.trading.engine.feeds.POLL_S", 0.001)
    made.board.prices, account = {BTC: "100"}, await made.account()
    (order,) = await made.place(account, wish("BUY", "LIMIT", limit_price="85"), price="100")
    await made.look()
    await _say(made, "100", BTC, delay=FeedDelay.REALTIME)
    stamps = [made.house.clock.now() - timedelta(seconds=1)]

    def stamped(*what: Any, **how: Any) -> Priced:
        found, now = priced(*what, **how), made.house.clock.now()
        at = stamps[0] if stamps else now
        own = replace(found.provenance, provider=provider, as_of=at, fetched_at=now)
        return replace(found, tick=replace(found.tick, at=now, as_of=at, provider=provider), provenance=own)

    monkeypatch.setattr("tests.plugins.trading.engine.floorhouse.priced", stamped)
    await made.trouble(NoticeCode.RECONNECTING)
    made.house.clock.turn(2)
    await made.trouble(NoticeCode.FRESH_AGAIN)
    await made.asked()
    before = await made.stand(order.id)
    stamps.clear()
    made.board.prices = {BTC: "80"}
    await made.asked()

    assert (before, await made.stand(order.id)) == (("ACCEPTED", "0"), ("FILLED", "1"))


async def _asked_by(made: Hall, doing: Awaitable[None]) -> None:
    """Once a price was asked for by that."""
    made.board.asked.clear()
    await doing
    async with asyncio.timeout(5):
        await made.board.asked.wait()
    await made.settle()


@pytest.mark.parametrize("prompt", [True, False], ids=["a stream that was prompt", "one that never was"])
async def test_what_is_prompt_is_asked_for_while_a_stream_runs_behind_and_one_that_always_did_goes_on(
    made: Hall, monkeypatch: pytest.MonkeyPatch, prompt: bool
) -> None:
    monkeypatch.setattr("plugins.trading.engine.feeds.POLL_S", 0.001)
    account = await made.account()
    (order,) = await made.place(account, wish("BUY", "LIMIT", limit_price="85"), price="100")
    await made.look()
    late = {"as_of": made.house.clock.now() - timedelta(seconds=895), **LATE}
    await _say(made, "100", BTC, **({"delay": FeedDelay.REALTIME} if prompt else late))
    if prompt:
        made.board.prices = {BTC: "80"}
        made.house.clock.turn(10)
    else:
        made.board.prices = {BTC: "100"}
        await made.trouble(NoticeCode.RECONNECTING)
        made.house.clock.turn(2)
        await _asked_by(made, made.trouble(NoticeCode.FRESH_AGAIN))
        made.house.clock.turn(10)
    told = _say(made, "80", BTC, as_of=made.house.clock.now() - timedelta(seconds=895), **LATE)
    await (_asked_by(made, told) if prompt else told)

    assert await made.stand(order.id) == ("FILLED", "1")


@pytest.mark.parametrize(("told", "stands"), [(None, ("FILLED", "1")), ("EUR", ("ACCEPTED", "0"))])
async def test_bars_that_are_answered_in_another_currency_fill_nothing(
    made: Hall, monkeypatch: pytest.MonkeyPatch, told: str | None, stands: tuple[str, str]
) -> None:
    account = await made.account(model={**FREE, "source": "BARS", "provider": SANDBOX})
    (order,) = await made.place(account, wish("BUY", "LIMIT", "1", limit_price="9"), price="10")
    await made.look()
    feed = _feed(made)
    real = feed._context
    await made.trouble(NoticeCode.RECONNECTING)
    made.house.clock.turn(181)

    async def fetch(capability: Any, ask: Any, terms: Any) -> Any:
        times = (ask.start, ask.start + timedelta(minutes=1))
        top, low, middle = ((D(each),) * 2 for each in (12, 8, 10))
        bars = Bars(
            open_time=times, open=middle, high=top, low=low, close=middle, volume=(D(100),) * 2, closed=(True, True),
            currency=told,
        )  # fmt: skip
        return SimpleNamespace(value=bars, provenance=replace(MADE, provider=SANDBOX))

    market = SimpleNamespace(fetch=fetch)
    monkeypatch.setattr(feed, "_context", lambda: SimpleNamespace(market=market, local=real().local))
    await feed._poll_bars()
    monkeypatch.setattr(feed, "_context", real)
    await made.settle()

    assert await made.stand(order.id) == stands


async def test_who_takes_over_closes_by_force_by_no_answer_that_was_met_before(
    made: Hall, monkeypatch: pytest.MonkeyPatch, sqlite_url: str, tmp_path: Path
) -> None:
    account = await made.account("100", **LENDS)
    made.board.prices = {ETH: "10"}
    await made.place(account, wish("BUY", "MARKET", "40", symbol=ETH), price="10")
    await made.look()
    await made.tick("10", ETH)
    await made.trouble(NoticeCode.STALE, ETH)
    made.house.clock.turn(3)
    ahead = made.house.clock.now() + timedelta(seconds=0.5)
    _stamp(monkeypatch, ahead, bid=D("7.8"), ask=D("7.8"), bid_size=D(5), ask_size=D(5))
    made.board.prices[ETH] = "7.8"
    await made.look()
    await made.engine.close()
    sold = [("BUY", "40", "10"), ("SELL", "5", "7.8")]

    async with another(made, sqlite_url, tmp_path) as other:
        for _ in range(8):
            made.house.clock.turn(1)
            await other.look()
        assert await other.fills(account) == sold
        _stamp(monkeypatch, ahead + timedelta(seconds=5), bid=D("7.8"), ask=D("7.8"), bid_size=D(5), ask_size=D(5))
        made.house.clock.turn(1)
        await other.look()

        assert await other.fills(account) == [*sold, ("SELL", "5", "7.8")]


async def test_no_message_waits_for_an_answer_that_is_slow(made: Hall) -> None:
    await made.trader()
    made.board.hangs = asyncio.Event()
    made.board.asked.clear()
    await made._send(SANDBOX, Ended(error=ConnectionFailed(SANDBOX, "gone")), BTC)
    assert made.board.asked.is_set()

    now, feed = made.house.clock.now(), _feed(made)
    told = Provenance(provider=SANDBOX, mode=DataMode.LIVE, as_of=now, fetched_at=now)
    quote = Quote(
        instrument=feed.key.instrument, price=D(97), price_type=PriceType.LAST, as_of=now, currency="USD",
        provenance=told,
    )  # fmt: skip
    message = Message(position=Position(9, 9), snapshot=True, values=(quote,), provenance=told)
    feed._tap(Tapped(symbol=BTC, provider=SANDBOX, message=message))
    await made.settle()

    found = feed.priced(ExecutionModel())
    assert found is not None
    assert (found.price, feed.looked) == (D(97), False)
