"""Profit by lots of a long history, beside the event loop, and at instants around a split."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.core.contract import Ctx
from gateway.core.quant.lots import Lot, LotMethod
from plugins.portfolio.bench import Bench
from plugins.portfolio.desk import PortfolioDesk
from plugins.portfolio.shapes.profits import PortfolioPnl, PortfolioPnlLine, cost_of_lots, resolve_lots
from plugins.portfolio.store import TransactionRow
from plugins.portfolio.valuation.holdings import Appraiser
from plugins.portfolio.valuation.pnl import Profit, profits_of
from tests.loopmonitor import MOST_S, watched_loop
from tests.plugins.portfolio.conftest import Room
from tests.plugins.portfolio.test_ledger import row
from tests.plugins.portfolio.test_performance import PNL, recorded, trade
from tests.plugins.portfolio.test_portfolios import made

BTC = "crypto:BTC/USD"
D = Decimal
TRIES = 3


def long_history() -> list[TransactionRow]:
    """2,500 lots, and as many splits behind the first of them."""
    rows: list[TransactionRow] = []
    for day in range(2_500):
        rows.append(row(day, "BUY", instrument=BTC, quantity=D(1), price=D(5)))
        rows.append(row(day, "SPLIT", instrument=BTC, ratio=D(2) if day % 2 else D("0.5")))
    return rows


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_long_history_of_lots_lets_others_go_on(room: Room, monkeypatch: pytest.MonkeyPatch):
    id = str((await made(room))["id"])
    room.tapes.quotes[BTC] = "7"
    context, appraiser, rows = room.context(), room.service(Appraiser), long_history()
    portfolio = await room.service(PortfolioDesk).find(context, id)

    async def known(*_: object) -> list[TransactionRow]:
        return rows

    monkeypatch.setattr(appraiser, "transactions", known)
    stood = []
    for _ in range(TRIES):
        async with watched_loop() as stalls:
            found = await profits_of(context, appraiser, portfolio, LotMethod.FIFO, None)
            shown = await room.service(Bench).run_in_turns(context, PortfolioPnl.of, found, "USD")
        stood.append(stalls.busiest)

    (line,) = found.lines
    assert (len(line.lots), line.quantity, line.cost, line.total) == (2_500, D(3_750), D(12_500), D(13_750))
    assert shown.total == D(13_750)
    assert min(stood) < MOST_S


@dataclass
class Info:
    """Of a resolver."""

    context: Any


async def test_lots_are_shown_by_the_page_and_cost_what_is_asked_for():
    opened = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n // 2) for n in range(250)]
    lots = tuple(Lot(opened=at, quantity=D(1), cost=D("1.005") * n) for n, at in enumerate(opened))
    line = Profit(
        instrument=BTC, currency="USD", lots=lots, quantity=D(250), cost=D(1), realised=D(0), income=D(0), fees=D(0)
    )
    bench = Bench(lambda: 0.0)
    info, root = cast(Ctx, Info(SimpleNamespace(service=lambda _: bench))), PortfolioPnlLine.of(line)

    pages = [await resolve_lots(root, info, first=100)]
    while pages[-1].page_info.has_next_page:
        pages.append(await resolve_lots(root, info, first=100, after=pages[-1].page_info.end_cursor))
    fewer = PortfolioPnlLine.of(replace(line, lots=lots[40:]))
    rest = await resolve_lots(fewer, info, first=1, after=pages[0].page_info.end_cursor)
    bench.close()

    assert [(len(page.nodes), page.count) for page in pages] == [(100, 250), (100, 250), (50, 250)]
    assert [node.opened_at for page in pages for node in page.nodes] == opened
    assert (pages[0].nodes[1].cost, rest.nodes[0].opened_at) == (D("1.00"), opened[100])
    assert [cost_of_lots({"first": n}) for n in (None, 1, 20, 100, 10_000)] == [2, 1, 2, 10, 10]


async def test_on_the_day_of_a_split_its_instant_says_what_a_unit_is(room: Room):
    id = await recorded(
        room, trade("2026-11-02", "BUY", "10", "100", "AAPL", currency="USD"),
        {"kind": "SPLIT", "at": "2026-11-10T14:30:00Z", "symbol": "AAPL", "ratio": "4"},
    )  # fmt: skip
    room.tapes.closes["equity:AAPL"] = {"2026-11-09": "30"}

    (before,) = (await room.see(PNL, id=id, at="2026-11-10T09:00:00Z"))["pnl"]["lines"]
    (behind,) = (await room.see(PNL, id=id, at="2026-11-10T14:30:00Z"))["pnl"]["lines"]

    assert (before["quantity"], before["price"], before["unrealised"]) == ("10", "120", "200.00")
    assert (behind["quantity"], behind["price"], behind["unrealised"]) == ("40", "30", "200.00")
