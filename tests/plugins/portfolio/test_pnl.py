"""Profit by lots of a long history, beside the event loop, and at instants around a split."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway.core.quant.lots import LotMethod
from plugins.portfolio.desk import PortfolioDesk
from plugins.portfolio.store import TransactionRow
from plugins.portfolio.valuation.holdings import Appraiser
from plugins.portfolio.valuation.pnl import profits_of
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
        stood.append(stalls.busiest)

    (line,) = found.lines
    assert (len(line.lots), line.quantity, line.cost, line.total) == (2_500, D(3_750), D(12_500), D(13_750))
    assert min(stood) < MOST_S


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
