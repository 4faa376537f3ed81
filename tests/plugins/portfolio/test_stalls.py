"""A long history is valued beside the event loop, which never stands still for it."""

from __future__ import annotations

import asyncio
import gc
import math
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from typing import Any

import pytest

from gateway.cli.serve import COLLECT
from gateway.core.ports import PanelAsk
from plugins.portfolio.desk import PortfolioDesk
from plugins.portfolio.prices.panels import PanelDesk
from plugins.portfolio.valuation.holdings import Appraiser, Worth
from plugins.portfolio.valuation.how import How
from plugins.portfolio.valuation.performance import Performer
from schema.symbols import parse_instrument
from schema.words.candles import Bars, CandlesAsk
from tests.loopmonitor import MOST_S, watched_loop
from tests.plugins.portfolio.conftest import Room
from tests.plugins.portfolio.test_csv import IMPORT
from tests.plugins.portfolio.test_performance import deposit, recorded, trade
from tests.plugins.portfolio.test_portfolios import made

ASSETS, FIRST, DAYS = 10, date(2016, 11, 21), 3_652
NAMES = [f"crypto:C{number:02}/USD" for number in range(ASSETS)]
TRIES = 1
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What is measured has nothing to do with how it is stored."""


@cache
def long_bars(number: int) -> Bars:
    """Ten years of days, made before anything is measured."""
    named = [FIRST + timedelta(days=n) for n in range(DAYS)]
    closes = tuple(Decimal(round(10_000 + 3_000 * math.sin(n / (50 + number)) + n)) / 100 for n in range(DAYS))
    opened = tuple(datetime(day.year, day.month, day.day, tzinfo=UTC) for day in named)
    return Bars(open_time=opened, open=closes, high=closes, low=closes, close=closes)


@pytest.fixture
def long(room: Room, monkeypatch: pytest.MonkeyPatch) -> Room:
    def stored(ask: CandlesAsk) -> Bars:
        return long_bars(int(ask.instrument.base[1:]))

    monkeypatch.setattr(room.tapes, "bars", stored)
    for number in range(ASSETS):
        long_bars(number)
    return room


@pytest.fixture(autouse=True)
def _served() -> Iterator[None]:
    """Garbage is looked for as often as where the gateway serves."""
    before = gc.get_threshold()
    gc.set_threshold(*COLLECT)
    yield
    gc.set_threshold(*before)


async def least_of(ask: Callable[[], Awaitable[Any]]) -> tuple[Any, float]:
    """The answer, and how long the loop computed in one go, the best of a few; modules and processes are there then."""
    found, stood = await ask(), []
    for _ in range(TRIES):
        async with watched_loop() as stalls:
            await ask()
        stood.append(stalls.busiest)
    return found, min(stood)


@ONE_DATABASE
async def test_ten_assets_over_ten_years_let_others_go_on(long: Room):
    buys = [trade("2016-11-21", "BUY", "1", "100", symbol) for symbol in NAMES]
    id = await recorded(long, deposit("2016-11-21", "5000"), *buys)
    row = await long.service(PortfolioDesk).find(long.context(), id)
    ask = PanelAsk(
        instruments=tuple(map(parse_instrument, NAMES)), start=datetime(2016, 11, 21, tzinfo=UTC),
        end=datetime(2026, 11, 20, tzinfo=UTC),
    )  # fmt: skip

    panel, one = await least_of(lambda: long.service(PanelDesk).panel(long.context(), ask))
    found, two = await least_of(lambda: long.service(Performer).performance(long.context(), row, None, None, How()))

    assert (len(panel.dates), len(panel.closes)) == (DAYS - 1, ASSETS)
    assert found.report["count"] == DAYS - 1
    assert max(one, two) < MOST_S


SIXTEEN = [f"crypto:C{number:02}/USD" for number in range(16)]
MANY = 4_000


def file_of(first: date, count: int) -> str:
    """Buys of all ten in turn, a few hours apart."""
    begin = datetime(first.year, first.month, first.day, 10, tzinfo=UTC)
    lines = [
        f"{(begin + timedelta(hours=7 * n)).isoformat()},BUY,C{n % ASSETS:02}-USD,1,100.25,{n % 3},row {n}"
        for n in range(count)
    ]
    return "\n".join(["at,kind,symbol,quantity,price,fee,note", *lines])


@pytest.fixture
async def full(long: Room) -> tuple[Room, str]:
    """A portfolio of thousands of transactions."""
    id = str((await made(long, tracksCash=False))["id"])
    for first in (FIRST, date(2021, 3, 1)):
        payload = await long.do(IMPORT, portfolioId=id, csv=file_of(first, MANY // 2))
        assert (payload["imported"], payload["userErrors"]) == (MANY // 2, [])
    return long, id


@ONE_DATABASE
async def test_an_import_of_thousands_of_rows_lets_others_go_on(long: Room):
    text = file_of(FIRST, 5_000)

    async def imported() -> Any:
        id = (await made(long, tracksCash=False))["id"]
        return await long.do(IMPORT, portfolioId=id, csv=text)

    found, longest = await least_of(imported)
    assert found["imported"] == 5_000
    assert longest < MOST_S


FIELDS = (
    "holdings { value }", "pnl { total }", "income { fees }", "csv", "contributions { total }",
    "positionHistory { dates values columns { symbol quantities values } }",
    "performance { returns { dates returns wealth drawdowns } values { dates values broughtIn takenOut }"
    " rolling { volatility { dates values } sharpe { dates values } ewmaVolatility { dates values } } }",
)  # fmt: skip


@ONE_DATABASE
async def test_a_full_portfolio_lets_others_go_on(full: tuple[Room, str]):
    room, id = full
    row = await room.service(PortfolioDesk).find(room.context(), id)
    longest = {}

    async def looked() -> list[Worth]:
        appraiser: Appraiser = room.service(Appraiser)
        return await asyncio.gather(*(appraiser.worth(room.context(), row, None) for _ in range(10)))

    for fields in FIELDS:
        document = f"query($id: ID!) {{ portfolio(id: $id) {{ {fields} }} }}"
        found, longest[fields] = await least_of(partial(room.see, document, id=id))
        assert found
    worths, longest["ten at once"] = await least_of(looked)

    assert [sum(line.quantity for line in worth.lines) for worth in worths] == [MANY] * 10
    assert {name: stood for name, stood in longest.items() if stood > MOST_S} == {}


@ONE_DATABASE
async def test_a_universe_over_ten_years_lets_others_go_on(long: Room):
    document = """query($s: [String!]!) { universe(input: {symbols: $s}) {
      prices(start: "2016-11-21", end: "2026-11-20") { dates columns { symbol closes } } } }"""
    found, longest = await least_of(lambda: long.see(document, s=SIXTEEN))
    assert [len(column["closes"]) for column in found["prices"]["columns"]] == [DAYS - 1] * 16
    assert longest < MOST_S
