"""Accounts that are valued by prices that are asked for, as no stream tells them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from plugins.trading.engine.asking import Asker
from plugins.trading.engine.guarding import Guard
from plugins.trading.engine.seat import Seat
from plugins.trading.markets.marks import Marks
from plugins.trading.markets.priced import Priced
from plugins.trading.rows import AccountRow
from plugins.trading.writing import writing
from schema.provenance import FeedDelay
from schema.words.live import NoticeCode
from tests.gateway.doubles import ManualClock
from tests.plugins.trading import rowsof
from tests.plugins.trading.engine.floorhouse import (
    BTC,
    ETH,
    FREE,
    SANDBOX,
    D,
    Hall,
    HandPrices,
    hall,
    priced,
    wish,
)

LENDS: dict[str, Any] = {"margin": "MARGIN", "leverage": D(5), "model": FREE}


@pytest.fixture
async def made(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(sqlite_url, tmp_path) as made:
        yield made


async def _quiet(made: Hall, balance: str, bitcoin: str = "4", ether: str = "1", **given: Any) -> AccountRow:
    """An account whose ether no stream tells any more: whoever is asked says 10. Bitcoin is told at 100."""
    account = await made.account(balance, **given)
    made.board.prices = {BTC: "100", ETH: "10"}
    if D(bitcoin):
        await made.place(account, wish("BUY", "MARKET", bitcoin), price="100")
    await made.place(account, wish("BUY", "MARKET", ether, symbol=ETH), price="10")
    await made.look()
    await made.tick("10", ETH)
    if D(bitcoin):
        await made.tick("100")
    await made.trouble(NoticeCode.STALE, ETH)
    made.house.clock.turn(1)
    return account


def _age(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """So old is what whoever is asked answers."""

    def stamped(*what: Any, **how: Any) -> Priced:
        found, age = priced(*what, **how), timedelta(seconds=seconds)
        return replace(found, age=age, tick=replace(found.tick, as_of=found.tick.at - age))

    monkeypatch.setattr("tests.plugins.trading.engine.floorhouse.priced", stamped)


async def test_a_price_that_was_asked_for_is_as_old_as_its_stamp_says_and_not_as_its_answer(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    _age(monkeypatch, 55)
    account = await _quiet(made, "10000", **LENDS)
    near, far = await made.place(
        account, wish("BUY", "LIMIT", "1", limit_price="99.5"), wish("BUY", "LIMIT", "1", limit_price="99"), price="100"
    )  # fmt: skip
    await made.look()
    await made.tick("99.4", bid="99.3", ask="99.5")
    made.board.hangs = asyncio.Event()

    made.house.clock.turn(6)
    await made.tick("98.95", bid="98.9", ask="99")

    assert [await made.stand(each.id) for each in (near, far)] == [("FILLED", "1"), ("ACCEPTED", "0")]


async def test_a_margin_account_is_closed_by_force_though_one_of_its_prices_is_streamed_no_more(made: Hall) -> None:
    account = await _quiet(made, "100", **LENDS)

    # Equity 100 - 4 × 20 = 20, maintenance (4 × 80 + 10) / 10 = 33.
    await made.tick("80")
    await made.look()

    assert await made.held(account) == {ETH: "1"}
    assert await made.told("account.margin_call") == ["account.margin_call"]


async def test_what_no_stream_tells_is_closed_by_force_at_the_price_that_is_asked_for(made: Hall) -> None:
    account = await _quiet(made, "100", bitcoin="0.1", ether="40", **LENDS)
    made.house.clock.turn(60)

    # Equity 100 - 40 × 2 = 20, maintenance (40 × 8 + 10) / 10 = 33; nothing is told meanwhile.
    made.board.prices[ETH] = "8"
    await made.look()

    assert await made.held(account) == {BTC: "0.1"}
    assert (await made.fills(account))[-1] == ("SELL", "40", "8")


async def test_the_greatest_loss_of_a_day_is_looked_at_by_prices_that_are_asked_for(made: Hall) -> None:
    account = await _quiet(made, "1000", day="2026-11-20", day_equity=D(1000), max_daily_loss=D(50), model=FREE)
    assert (await made.row(account)).loss_day is None

    await made.tick("87")
    await made.look()

    assert (await made.row(account)).loss_day == "2026-11-20"


async def test_old_prices_that_are_asked_for_decide_nothing_either(made: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await _quiet(made, "100", **LENDS)
    _age(monkeypatch, 61)

    await made.tick("80")
    await made.look()

    assert await made.held(account) == {BTC: "4", ETH: "1"}
    assert await made.told("account.margin_call") == []


async def test_what_nobody_trades_any_more_is_valued_and_others_are_closed_in_its_place(made: Hall) -> None:
    account = await _quiet(made, "100", bitcoin="0.1", ether="40", **LENDS)
    (feed,) = (each for each in made.engine.feeds if str(each.key.instrument) == ETH)
    feed.spec = None

    made.board.prices[ETH] = "8"
    await made.look()

    assert await made.held(account) == {ETH: "40"}


def _listen(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """What somebody is asked for."""
    real, asked = HandPrices.all_priced, list[set[str]]()

    async def all_priced(prices: HandPrices, instruments: Any, model: Any) -> Any:
        if instruments:
            asked.append({str(each) for each in instruments})
        return await real(prices, instruments, model)

    monkeypatch.setattr(HandPrices, "all_priced", all_priced)
    return asked


async def test_a_price_that_no_stream_tells_is_asked_for_once_a_second_and_not_with_each_message(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _quiet(made, "10000", **LENDS)
    asked = _listen(monkeypatch)

    for _ in range(2):
        for _ in range(3):
            await made.tick("99")
            await made.look()
        made.house.clock.turn(1)

    assert asked == [{ETH}, {ETH}]


async def test_a_price_that_nobody_tells_is_asked_for_each_five_seconds_where_no_order_needs_it(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await _quiet(made, "100", **LENDS)
    made.board.prices.clear()
    made.house.clock.turn(60)
    asked = _listen(monkeypatch)

    for _ in range(6):
        await made.tick("80")
        await made.look()
        made.house.clock.turn(1)
    assert (asked, await made.held(account)) == ([{ETH}, {ETH}], {BTC: "4", ETH: "1"})

    made.board.prices[ETH] = "10"
    made.house.clock.turn(4)
    await made.look()
    assert await made.held(account) == {ETH: "1"}


def _tell(monkeypatch: pytest.MonkeyPatch, **made: Any) -> None:
    """What whoever is asked answers comes so; `as_of` is that of its tick."""
    tick = {"as_of": made.pop("as_of")} if "as_of" in made else {}

    def told(*what: Any, **how: Any) -> Priced:
        found = priced(*what, **how)
        return replace(found, tick=replace(found.tick, **tick), provenance=replace(found.provenance, **made))

    monkeypatch.setattr("tests.plugins.trading.engine.floorhouse.priced", told)


@pytest.mark.parametrize(
    "how",
    [
        {"delay": FeedDelay.END_OF_DAY, "as_of": None},
        {"delay": FeedDelay.DELAYED},
        {"delay": FeedDelay.UNKNOWN},
        {"as_of": datetime(2026, 11, 20, 11, 59, 59, tzinfo=UTC)},
    ],
    ids=["once a day", "late by design", "late by nobody knows what", "older than what was streamed"],
)
async def test_nobody_is_closed_by_force_by_a_price_that_is_less_than_what_a_stream_told_before(
    made: Hall, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any]
) -> None:
    account = await _quiet(made, "100", bitcoin="0.1", ether="40", max_daily_loss=D(1), **LENDS)
    _tell(monkeypatch, **how)

    made.board.prices[ETH] = "8"
    await made.look()

    assert await made.held(account) == {BTC: "0.1", ETH: "40"}
    assert await made.told("account.margin_call", "account.daily_loss_reached") == []


@pytest.mark.parametrize(("provider", "left"), [(None, {BTC: "0.1", ETH: "40"}), (SANDBOX, {BTC: "0.1"})])
async def test_what_is_looked_for_once_a_stream_has_ended_decides_where_the_account_has_chosen_its_provider(
    made: Hall, monkeypatch: pytest.MonkeyPatch, provider: str | None, left: dict[str, str]
) -> None:
    model = {**FREE, "provider": provider}
    account = await _quiet(made, "100", bitcoin="0.1", ether="40", **{**LENDS, "model": model})
    _tell(monkeypatch, delay=FeedDelay.DELAYED)
    made.board.prices[ETH] = "8"
    (feed,) = (each for each in made.engine.feeds if str(each.key.instrument) == ETH)

    await feed._poll()
    await made.look()

    assert await made.held(account) == left


def _size(monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    """So much is there of what whoever is asked answers, on both sides."""

    def sized(*what: Any, **how: Any) -> Priced:
        found = priced(*what, **how)
        sides: dict[str, Any] = {"bid": found.price, "ask": found.price, "bid_size": D(size), "ask_size": D(size)}
        return replace(found, tick=replace(found.tick, **sides))

    monkeypatch.setattr("tests.plugins.trading.engine.floorhouse.priced", sized)


async def test_an_order_by_force_meets_each_answer_once_while_its_stream_is_silent(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await _quiet(made, "100", bitcoin="0", ether="40", **LENDS)
    _size(monkeypatch, "5")
    made.board.prices[ETH] = "7.8"

    for _ in range(3):
        await made.look()
        await made.look()
        made.house.clock.turn(1)

    assert (await made.fills(account))[1:] == [("SELL", "5", "7.8")] * 3
    # Equity 100 - 40 × 2.2 = 12, and the maintenance of ten is 7.8: that is enough.
    for _ in range(4):
        await made.look()
        made.house.clock.turn(1)
    assert await made.held(account) == {ETH: "10"}


@pytest.mark.parametrize("source", ["QUOTES", "BOOK"])
async def test_an_order_by_force_that_takes_its_time_to_the_market_meets_what_is_asked_for_then(
    made: Hall, source: str
) -> None:
    model = {**FREE, "latency_ms": 500, "source": source}
    account = await _quiet(made, "100", bitcoin="0", ether="40", **{**LENDS, "model": FREE})
    await _change(made, account, model)
    made.board.prices[ETH] = "8"

    await made.look()
    assert await made.held(account) == {ETH: "40"}

    made.house.clock.turn(1)
    await made.look()
    assert await made.held(account) == {}


async def test_nothing_else_is_closed_beside_an_order_that_waits_for_a_bar_of_a_silent_stream(made: Hall) -> None:
    account = await _quiet(made, "100", bitcoin="0.1", ether="40", **LENDS)
    await _change(made, account, {**FREE, "source": "BARS"})
    made.board.prices[ETH] = "8"

    for _ in range(5):
        await made.look()
        made.house.clock.turn(1)

    assert await made.held(account) == {BTC: "0.1", ETH: "40"}


async def test_what_has_closed_since_it_was_asked_for_is_not_closed_by_force(made: Hall) -> None:
    account = await _quiet(made, "100", bitcoin="3", ether="19", **LENDS)
    made.board.prices[ETH] = "8"
    await made.tick("100")
    await made.look()
    made.board.closed.add(ETH)
    made.board.hangs = asyncio.Event()

    # Equity 100 - 19 × 2 - 3 × 8 = 38, maintenance (19 × 8 + 3 × 92) / 10 = 42.8.
    made.house.clock.turn(15)
    await made.tick("92")
    await made.engine.look()
    made.board.hangs.set()
    await made.settle()

    assert await made.held(account) == {ETH: "19"}


async def _change(made: Hall, account: AccountRow, model: dict[str, Any]) -> None:
    """Its model, as its owner does."""
    async with writing(made.house.host, account.tenant_id, account.id) as w:
        w.set(model=model)
        w.touch()
    made.engine.doubt(account.id)
    await made.settle()


@pytest.mark.parametrize(("given", "seconds"), [(LENDS, [0, 5, 15, 35]), ({}, [0, 10, 30])], ids=["margin", "cash"])
async def test_an_old_price_is_asked_for_less_and_less_often(
    made: Hall, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], seconds: list[int]
) -> None:
    await _quiet(made, "10000", **given)
    _age(monkeypatch, 300)
    made.house.clock.turn(86400)
    asked, when = _listen(monkeypatch), list[int]()

    for second in range(60):
        await made.look()
        when += [second] * (len(asked) - len(when))
        made.house.clock.turn(1)

    assert when == seconds


async def test_all_accounts_that_ask_for_the_same_wait_for_its_answer(
    made: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = []
    made.board.prices = {BTC: "100", ETH: "10"}
    for _ in range(3):
        account = await made.account("10000", **LENDS)
        orders += await made.place(account, wish("BUY", "LIMIT", "1", limit_price="99"), price="100")
        await made.place(account, wish("BUY", "MARKET", "1", symbol=ETH), price="10")
    await made.look()
    await made.tick("100", bid="99.9", ask="100.1")
    made.house.clock.turn(2)
    made.board.hangs = asyncio.Event()

    asyncio.get_running_loop().call_later(0.02, made.board.hangs.set)
    await made.tick("98.95", bid="98.9", ask="99")

    assert [await made.stand(each.id) for each in orders] == [("FILLED", "1")] * 3


async def test_of_too_many_answers_the_oldest_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.trading.engine.asking.MOST", 2)
    asker, asked = Asker(ManualClock()), list[str]()

    def ask(key: str) -> Any:
        async def answer() -> Marks:
            asked.append(key)
            return Marks(currency="USD")

        return asker.of(key, answer, stands_s=1, lacks_s=1, lasts_s=60)

    for key in "ababcbca":
        await ask(key)

    assert asked == ["a", "b", "c", "a"]


async def test_of_too_many_prices_those_of_the_oldest_answer_are_forgotten_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("plugins.trading.engine.asking.MOST", 5)
    asker, asked = Asker(ManualClock()), list[str]()

    async def ask(key: str) -> Marks | None:
        async def answer() -> Marks:
            asked.append(key)
            return Marks(currency="USD", prices={each: rowsof.mark("1") for each in key})

        return await asker.of(key, answer, stands_s=1, lacks_s=1, lasts_s=60)

    for key in ("ab", "cd", "e", "ab", "f", "cd", "ab"):
        await ask(key)
    assert asked == ["ab", "cd", "e", "f", "ab"]

    # What is too large by itself is told all the same.
    told = await ask("abcdefg")
    assert (len(told.prices) if told else 0, len(asker)) == (7, 1)


async def test_an_answer_is_forgotten_once_nobody_would_be_told_it() -> None:
    clock = ManualClock()
    asker, known = Asker(clock), list[int]()

    async def answer() -> Marks:
        return Marks(currency="USD")

    await asker.of("day", answer, stands_s=1, lacks_s=1, lasts_s=86_400)
    for second in range(1000):
        clock.turn(1)
        await asker.of(second, answer, stands_s=1, lacks_s=1, lasts_s=60)
        known.append(len(asker))

    assert (known[50], max(known)) == (52, 71)
    told = await asker.of("day", _never, stands_s=1, lacks_s=1, lasts_s=86_400)
    assert told == Marks(currency="USD")


async def _never() -> Marks:
    raise RuntimeError("nobody is there")


async def test_how_often_an_answer_was_old_is_known_for_longer_than_it_is_told() -> None:
    clock, asked = ManualClock(), list[int]()
    asker = Asker(clock)

    for second in range(100):

        async def answer(second: int = second) -> Marks:
            asked.append(second)
            return Marks(currency="USD", prices={ETH: rowsof.mark("10", stale=True)})

        await asker.of("one", answer, stands_s=1, lacks_s=5, lasts_s=2)
        await asker.of(second, _nothing, stands_s=1, lacks_s=1, lasts_s=2)
        clock.turn(1)

    assert asked == [0, 5, 15, 35, 65, 95]


async def _nothing() -> Marks:
    return Marks(currency="USD")


@pytest.mark.parametrize("raises", [1, 2], ids=["as it is looked at", "as it is valued"])
async def test_an_account_whose_basis_raises_keeps_no_other_one_from_being_valued_and_is_valued_again(
    made: Hall, monkeypatch: pytest.MonkeyPatch, raises: int
) -> None:
    bad = await _quiet(made, "100", **LENDS)
    good = await made.account("100", **LENDS)
    await made.place(good, wish("BUY", "MARKET", "4"), price="100")
    real, times = Guard.basis, [0]

    def basis(guard: Guard, seat: Seat) -> object:
        times[0] += seat.id == bad.id
        if seat.id == bad.id and times[0] == raises:
            raise RuntimeError("poison")
        return real(guard, seat)

    await made.look()
    times[0] = 0
    monkeypatch.setattr(Guard, "basis", basis)
    await made.tick("79")
    await made.look()
    assert await made.held(good) == {}

    made.house.clock.turn(6)
    await made.tick("79")
    await made.look()
    assert await made.held(bad) == {ETH: "1"}
