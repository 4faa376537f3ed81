"""Orders whose conditions hold, and that nobody prices at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.core.matching.conditions import Direction, PriceCondition, TimeCondition, plain
from gateway.core.matching.model import ExecutionModel
from plugins.trading.engine.dealing import Dealer
from plugins.trading.engine.grounds import Grounds
from plugins.trading.engine.seat import Seat
from plugins.trading.orders.ground import Ground, ground_of
from plugins.trading.rows import OrderRow
from schema.words.live import NoticeCode
from schema.words.orders import TimeInForce
from tests.plugins.trading.engine.floorhouse import BTC, ETH, FREE, D, Hall, hall, tell_once_priced, wish

LENDS: dict[str, Any] = {"margin": "MARGIN", "leverage": D(5)}
ACCOUNTS: Any = pytest.mark.parametrize("given", [{}, LENDS], ids=["cash", "margin"])


@pytest.fixture
async def made(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(sqlite_url, tmp_path) as made:
        yield made


def _in(made: Hall, seconds: int) -> dict[str, Any]:
    return plain(TimeCondition(at=made.house.clock.now() + timedelta(seconds=seconds)))


@ACCOUNTS
async def test_an_order_that_arrives_waits_on_while_nobody_prices_it(made: Hall, given: dict[str, Any]) -> None:
    account, below = await made.trader(**given), PriceCondition(symbol=BTC, direction=Direction.BELOW, level=D(90))
    then: dict[str, Any] = {"condition": _in(made, 4)}
    at_once = wish("BUY", "LIMIT", "1", limit_price="90", time_in_force=TimeInForce.IOC, **then)
    orders = await made.place(
        account, wish("SELL", "MARKET", "2", condition=plain(below)), wish("SELL", "MARKET", "1", **then),
        wish("BUY", "MARKET", None, notional="85", **then), at_once, price="100",
    )  # fmt: skip
    await made.look()
    made.house.clock.turn(4)
    await made.tick("85")
    assert [await made.stand(each.id) for each in orders] == [("NEW", "0")] * 4

    made.board.prices[BTC] = "85"
    made.house.clock.turn(1)
    await made.look()

    assert [await made.stand(each.id) for each in orders] == [
        ("FILLED", "2"), ("FILLED", "1"), ("FILLED", "1"), ("FILLED", "1"),
    ]  # fmt: skip
    assert await made.told("order.rejected") == []


async def test_one_that_waits_on_for_a_price_ends_with_its_time(made: Hall) -> None:
    account, end = await made.trader(), made.house.clock.now() + timedelta(seconds=10)
    (order,) = await made.place(
        account,
        wish("SELL", "MARKET", condition=_in(made, 4), time_in_force=TimeInForce.GTD, expires_at=end), price="100",
    )  # fmt: skip
    await made.look()
    made.house.clock.turn(4)
    await made.look()
    assert await made.stand(order.id) == ("NEW", "0")

    made.house.clock.turn(6)
    await made.look()

    assert await made.stand(order.id) == ("EXPIRED", "0")


async def test_a_market_that_is_closed_rejects_what_arrives_at_the_market(made: Hall) -> None:
    account = await made.trader()
    (order,) = await made.place(account, wish("SELL", "MARKET", condition=_in(made, 4)), price="100")
    made.board.prices, made.board.closed = {BTC: "100"}, {BTC}
    await made.look()
    made.house.clock.turn(4)

    await made.look()

    row, told = await made.order(order.id), "MARKET_CLOSED: The market of crypto:BTC/USD is CLOSED"
    assert (row.status, (row.reason or "").split(": place")[0]) == ("REJECTED", told)


@ACCOUNTS
async def test_an_order_that_waits_on_for_a_price_is_looked_at_each_second_and_not_with_each_message(
    made: Hall, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any]
) -> None:
    account = await made.trader(**given)
    await made.place(account, wish("SELL", "MARKET", condition=_in(made, 4)), price="100")
    await made.look()
    made.house.clock.turn(4)
    await made.look()
    real, begun = Grounds.of, list[str]()

    def of(grounds: Grounds, seat: Seat, *what: Any) -> Any:
        begun.append(seat.id)
        return real(grounds, seat, *what)

    monkeypatch.setattr(Grounds, "of", of)
    for _ in range(5):
        await made.tick("100")
    assert begun == []

    await made.look()
    assert len(begun) == 1


@ACCOUNTS
async def test_an_order_that_nobody_prices_begins_no_transaction_while_nothing_changes(
    made: Hall, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any]
) -> None:
    account = await made.trader(**given)
    (order,) = await made.place(account, wish("SELL", "MARKET", condition=_in(made, 4)), price="100")
    await made.look()
    made.house.clock.turn(4)
    await made.look()
    begun = _listen(monkeypatch)

    for _ in range(5):
        made.house.clock.turn(1)
        await made.look()
    assert begun == []

    # Something has changed: it is looked at once more.
    await made.place(account, wish("SELL", "LIMIT", "1", limit_price="200"), price="100")
    for _ in range(3):
        made.house.clock.turn(1)
        await made.look()
    assert (len(begun), await made.stand(order.id)) == (1, ("NEW", "0"))

    made.board.prices[BTC] = "85"
    made.house.clock.turn(1)
    await made.look()
    assert await made.stand(order.id) == ("FILLED", "1")


async def test_an_order_whose_account_nobody_values_begins_no_transaction_before_a_price_changes(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await made.trader(**LENDS)
    made.board.prices[BTC] = "100"
    await made.place(account, wish("BUY", "MARKET", "1", symbol=ETH), price="10")
    (order,) = await made.place(account, wish("BUY", "MARKET", condition=_in(made, 4)), price="100")
    await made.look()
    made.house.clock.turn(4)
    await made.look()
    begun, most = _listen(monkeypatch), list[int]()

    for price in ("100", "100", "101", "101"):
        made.board.prices[BTC] = price
        made.house.clock.turn(1)
        await made.look()
        most.append(len(begun))
    assert (most, await made.stand(order.id)) == ([0, 0, 1, 1], ("NEW", "0"))

    made.board.prices[ETH] = "10"
    made.house.clock.turn(1)
    await made.look()
    assert await made.stand(order.id) == ("FILLED", "1")


def _listen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Accounts whose transactions are begun."""
    real, begun = Dealer.floor, list[str]()

    def floor(dealer: Dealer, seat: Seat, *names: str) -> Any:
        begun.append(seat.id)
        return real(dealer, seat, *names)

    monkeypatch.setattr(Dealer, "floor", floor)
    return begun


async def test_however_many_instruments_nobody_answers_for_others_wait_once(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, names = await made.account(), [f"crypto:Q{letter}/USD" for letter in "ABCDE"]
    for name in names:
        await made.place(account, wish("BUY", "MARKET", symbol=name, condition=_in(made, 4)), price="10")
    await made.look()
    monkeypatch.setattr("plugins.trading.engine.dealing.ARRIVALS_AT_ONCE", 2)
    real, waited, asked = asyncio.wait, list[int](), list[str]()

    async def wait(tasks: Any, **how: Any) -> Any:
        if all(each.get_name() == "trading.ground" for each in tasks):
            waited.append(len(list(tasks)))
        return await real(tasks, timeout=0.01)

    async def ground(grounds: Grounds, seat: Seat, row: OrderRow) -> Ground:
        asked.append(row.instrument)
        return await asyncio.Future()

    monkeypatch.setattr(Grounds, "_ground", ground)
    monkeypatch.setattr("plugins.trading.engine.grounds.asyncio.wait", wait)
    made.house.clock.turn(4)
    await made.look()

    assert (waited, sorted(asked)) == ([5], names)


async def test_what_is_asked_for_orders_that_arrive_ends_with_the_engine(made: Hall) -> None:
    account = await made.account()
    await made.place(account, wish("BUY", "MARKET", condition=_in(made, 4)), price="100")
    await made.look()
    made.board.hangs = asyncio.Event()
    made.house.clock.turn(4)
    await made.look()

    await made.engine.close()

    assert [each for each in asyncio.all_tasks() if each.get_name() == "trading.ground"] == []


async def test_an_order_that_arrives_is_filled_by_what_streams_where_that_is_newer(made: Hall) -> None:
    account = await made.trader()
    made.board.hears, made.board.prices[BTC] = True, "100"
    above = PriceCondition(symbol=BTC, direction=Direction.ABOVE, level=D(150))
    (order,) = await made.place(account, wish("BUY", "MARKET", "1", condition=plain(above)), price="100")
    await made.look()
    made.house.clock.turn(1)

    await made.tick("160")

    assert await made.stand(order.id) == ("FILLED", "1")
    assert (await made.fills(account))[-1] == ("BUY", "1", "160")


async def test_an_order_arrives_by_what_streams_while_nobody_answers_and_not_while_that_is_stale(made: Hall) -> None:
    account = await made.trader()
    made.board.hears = True
    first, second = await made.place(
        account, wish("SELL", "MARKET", "1", condition=_in(made, 4)),
        wish("SELL", "MARKET", "1", condition=_in(made, 8)), price="100",
    )  # fmt: skip
    await made.look()
    made.house.clock.turn(4)
    await made.tick("85")
    await made.look()
    made.house.clock.turn(4)
    await made.trouble(NoticeCode.STALE)
    await made.look()

    assert [await made.stand(each.id) for each in (first, second)] == [("FILLED", "1"), ("NEW", "0")]
    assert (await made.fills(account))[-1] == ("SELL", "1", "85")


async def test_a_book_that_streams_again_is_priced_by_itself_and_not_by_what_was_answered_meanwhile(made: Hall) -> None:
    await made.trader()
    (feed,) = made.engine.feeds
    before = feed.priced(ExecutionModel())
    assert before is not None
    book = replace(before.tick, last=None, bid=D(60), ask=D(62))

    await feed._told(book, None, shown=False)

    told = feed.priced(ExecutionModel())
    assert told is not None
    assert (before.price, told.price) == (D(100), D(61))


async def test_a_stream_that_nobody_wants_any_more_goes_on_for_half_a_minute(made: Hall) -> None:
    account = await made.account()
    (order,) = await made.place(account, wish("BUY", "LIMIT", "1", limit_price="90"), price="100")
    await made.look()
    await made.tick("89")
    await made.place(account, wish("SELL", "MARKET", "1"), price="89")
    await made.look()
    feeds = [len(made.engine.feeds)]
    for seconds in (29, 1):
        made.house.clock.turn(seconds)
        await made.look()
        feeds.append(len(made.engine.feeds))

    assert (await made.stand(order.id), feeds) == (("FILLED", "1"), [1, 1, 0])


@ACCOUNTS
@pytest.mark.parametrize("more", [{}, {"time_in_force": TimeInForce.IOC}], ids=["gtc", "ioc"])
async def test_orders_that_arrive_in_many_transactions_arrive_by_prices_of_now(
    made: Hall, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], more: dict[str, Any]
) -> None:
    account = await made.account("10000", model={**FREE, "max_age_ms": 3000}, **given)
    made.board.prices[BTC] = "100"
    await made.place(account, *[wish("BUY", "MARKET", "1", condition=_in(made, 4), **more)] * 4, price="100")
    await made.look()
    monkeypatch.setattr("plugins.trading.engine.dealing.ARRIVALS_AT_ONCE", 1)
    _linger(monkeypatch, made, 1)
    made.house.clock.turn(4)

    await made.look()

    assert [price for _, _, price in await made.fills(account)] == ["100", "100", "102", "102"]


async def test_an_order_that_arrives_waits_on_where_its_price_has_aged_before_its_account_was_locked(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await made.account("10000", model={**FREE, "max_age_ms": 1500})
    made.board.prices[BTC] = "100"
    (order,) = await made.place(account, wish("BUY", "MARKET", "1", condition=_in(made, 4)), price="100")
    await made.look()
    made.house.clock.turn(4)

    with monkeypatch.context() as slow:
        _linger(slow, made, 2)
        await made.look()
    assert await made.stand(order.id) == ("NEW", "0")

    await made.look()
    assert await made.stand(order.id) == ("FILLED", "1")


def _linger(monkeypatch: pytest.MonkeyPatch, made: Hall, seconds: int) -> None:
    """So long passes before an account is locked; the price rises by one each second."""
    real = Dealer.floor

    def floor(dealer: Dealer, seat: Seat, *names: str) -> Any:
        made.house.clock.turn(seconds)
        made.board.prices[BTC] = str(D(made.board.prices[BTC]) + seconds)
        return real(dealer, seat, *names)

    monkeypatch.setattr(Dealer, "floor", floor)


async def test_what_streams_after_an_order_was_priced_and_before_it_arrives_counts(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await made.trader()
    made.board.hears, made.board.prices[BTC] = True, "100"
    (order,) = await made.place(account, wish("SELL", "MARKET", "1", condition=_in(made, 4)), price="100")
    await made.look()
    made.house.clock.turn(4)
    tell_once_priced(made, monkeypatch, "grounds", "85")
    await made.look()

    assert await made.stand(order.id) == ("FILLED", "1")
    assert (await made.fills(account))[-1] == ("SELL", "1", "85")


async def test_an_order_does_not_arrive_by_what_was_answered_before_what_it_waited_for_came(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, asked, real = await made.trader(), list[datetime](), ground_of

    async def noted(*how: Any, since: datetime, **more: Any) -> Ground:
        asked.append(since)
        return await real(*how, since=since, **more)

    monkeypatch.setattr("plugins.trading.engine.grounds.ground_of", noted)
    await made.place(account, wish("SELL", "MARKET", "1", condition=_in(made, 4)), price="100")
    await made.look()
    made.house.clock.turn(4)
    came = made.house.clock.now()
    for _ in range(3):
        await made.look()
        made.house.clock.turn(0.6)

    assert asked == [came, came, came + timedelta(seconds=0.2)]
