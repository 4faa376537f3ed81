"""Funding of perpetuals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.core.contract import Fetched, Market
from plugins.trading.engine.funding import last_funding
from plugins.trading.ledger.proof.loading import ProofStore
from plugins.trading.ledger.proof.proving import verify
from plugins.trading.ledger.proof.trades import trade_findings
from plugins.trading.rows import EntryRow
from plugins.trading.tables import entries
from schema.errors import FailureCode, NoAnswer
from schema.symbols import parse_instrument
from schema.words.derivatives import FUNDING_HISTORY, FundingRate
from tests.plugins.trading import rowsof
from tests.plugins.trading.engine.floorhouse import PERP, Hall, another, hall, wish

D = Decimal
FOUR = datetime(2026, 11, 20, 16, tzinfo=UTC)


def test_the_last_time_is_a_multiple_of_eight_hours() -> None:
    assert [last_funding(FOUR.replace(hour=hour)).hour for hour in (0, 7, 8, 15, 16, 23)] == [0, 0, 8, 8, 16, 16]


async def _short(made: Hall) -> Any:
    made.board.rates, made.board.prices = {("USDT", "USD"): "1"}, {PERP: "100"}
    account = await made.account("1000", margin="MARGIN", leverage=D(10), day="2026-11-20", day_equity=D(1000))
    await made.place(account, wish("SELL", "MARKET", "5", symbol=PERP), price="100")
    return account


async def test_funding_is_booked_once_for_each_time(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    async def fetch(self: Market, capability: Any, ask: Any, terms: Any = None) -> Fetched:
        asked.append(ask)
        if capability is not FUNDING_HISTORY:
            raise NoAnswer(str(ask), FailureCode.NOT_COVERED, "nobody", ())
        rate = FundingRate(instrument=parse_instrument(PERP), rate=D("0.0005"), time=FOUR, settled=True)
        paid = (replace(rate, time=FOUR.replace(hour=12)), replace(rate, mark_price=D(110)))
        return Fetched(value=paid, provenance=rowsof.MADE)

    monkeypatch.setattr(Market, "fetch", fetch)
    async with hall(sqlite_url, tmp_path) as made:
        account = await _short(made)
        await made.look()
        made.house.clock.turn(4 * 3600)
        await made.look()
        assert asked == []

        made.house.clock.turn(121)
        await made.look()
        await made.look()
        async with another(made, sqlite_url, tmp_path) as later:
            await made.engine.close()
            await later.look()

        # Twice 0.0005 of 5 at 110, received by who is short.
        assert D(await made.cash(account, "USDT")) == D("0.55")
        assert len(asked) == 2
        async with made.house.store.read() as tx:
            (row,) = await made.engine._rows.positions(tx, [account.id])
            assert row.funding == D("0.55")
            entry = await tx.first(select(entries).where(entries.c.kind == "FUNDING"), EntryRow)
            assert entry is not None
            assert entry.instrument == PERP
            assert [each for each in await verify(tx) if "funding" in each.message] == []

        # Once entries named none: then it is proved by currency.
        async with made.house.store.read() as tx:
            kept = await ProofStore().kept(tx, account.tenant_id, account.id)
        assert kept is not None
        place = next(n for n, each in enumerate(kept.entries) if each.kind == "FUNDING")
        vague = [*kept.entries[:place], replace(kept.entries[place], instrument=None), *kept.entries[place + 1 :]]
        wrong = (replace(kept.positions[0], funding=D(1)),)
        told = "funding is 1, and 0.55 by what it follows from"
        assert [
            [found for found in trade_findings(each) if "funding" in found[1]]
            for each in (
                replace(kept, entries=vague), replace(kept, positions=wrong),
                replace(kept, entries=vague, positions=wrong), replace(kept, positions=()),
            )
        ] == [
            [], [(PERP, told)], [("USDT", told)], [(PERP, "funding is 0, and 0.55 by what it follows from")]
        ]  # fmt: skip


async def test_what_nobody_tells_a_rate_of_waits(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[FundingRate] = []

    async def fetch(self: Market, capability: Any, ask: Any, terms: Any = None) -> Fetched:
        if capability is FUNDING_HISTORY or not told:
            raise NoAnswer(str(ask), FailureCode.NOT_COVERED, "nobody", ())
        return Fetched(value=told[0], provenance=rowsof.MADE)

    monkeypatch.setattr(Market, "fetch", fetch)
    async with hall(sqlite_url, tmp_path) as made:
        account = await _short(made)
        await made.look()
        made.house.clock.turn(4 * 3600 + 121)
        await made.look()
        assert (await made.row(account)).entries == 2
        told.append(FundingRate(instrument=parse_instrument(PERP), rate=D("-0.001"), time=FOUR, settled=False))
        await made.look()

        assert D(await made.cash(account, "USDT")) == D("-0.5")
