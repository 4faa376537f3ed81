"""Interest on money that a margin account owes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select

from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.drafts import deposit, withdrawal
from plugins.trading.ledger.proof.loading import ProofStore
from plugins.trading.ledger.proof.proving import findings_of, verify
from plugins.trading.rows import AccountRow, EntryRow
from plugins.trading.tables import accounts, entries
from plugins.trading.writing import writing
from tests.plugins.trading.engine.floorhouse import Hall, another, hall, wish

D = Decimal
RATE: dict[str, Any] = {"margin": "MARGIN", "leverage": D(10), "margin_interest_rate": D("0.1")}


async def _booked(made: Hall, account: AccountRow) -> list[tuple[str | None, bool]]:
    """Memos of interest, and whether it was booked on this day."""
    mine = (entries.c.account_id == account.id, entries.c.kind == "INTEREST")
    async with made.house.store.read() as tx:
        rows = await tx.all(select(entries).where(*mine).order_by(entries.c.number), EntryRow)
    today = made.house.clock.now().date()
    return [(row.memo, row.at.date() == today) for row in rows]


async def test_what_is_owed_at_the_end_of_a_day_costs_a_day_of_interest_once(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("100", **RATE)
        free = await made.account("1000", **RATE)
        cash = await made.account("1000")
        for each in (account, free, cash):
            await made.place(each, wish("BUY", "MARKET", "8"), price="100")
        await made.look()
        assert (await made.row(account)).charged_at == datetime(2026, 11, 20, tzinfo=UTC)
        assert await _booked(made, account) == []

        made.house.clock.turn(12 * 3600 + 120)
        await made.look()
        await made.look()
        async with another(made, sqlite_url, tmp_path) as later:
            await made.engine.close()
            await later.look()

        # 700 × 0.1 ÷ 365.
        assert await _booked(made, account) == [("interest of 2026-11-20: 0.1 a year on -700.00 USD", True)]
        assert [D(await made.cash(each)) for each in (account, free, cash)] == [D("-700.19"), D(200), D(200)]
        assert [(await made.row(each)).charged_at for each in (account, free, cash)] == [
            datetime(2026, 11, 21, tzinfo=UTC), None, None,
        ]  # fmt: skip


async def test_days_that_nobody_worked_are_charged_one_by_one_by_the_balance_of_their_end(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("100", **RATE)
        await made.place(account, wish("BUY", "MARKET", "8"), price="100")
        await made.look()
        async with made.house.store.write() as tx:
            await tx.run(accounts.update().values(halted=True))
        made.house.clock.turn(24 * 3600)
        async with writing(made.house.host, account.tenant_id, account.id) as w:
            now = made.house.clock.now()
            await LedgerBook().post(w, [deposit("USD", D(300))], at=now, made_by="user_ada")
        made.house.clock.turn(24 * 3600 + 120)
        async with writing(made.house.host, account.tenant_id, account.id) as w:
            now = made.house.clock.now()
            await LedgerBook().post(w, [deposit("USD", D(500))], at=now, made_by="user_ada")
        await made.look()

        assert await _booked(made, account) == [
            ("interest of 2026-11-20: 0.1 a year on -700.00 USD", True),
            ("interest of 2026-11-21: 0.1 a year on -400.00 USD", True),
        ]
        assert D(await made.cash(account)) == D("100") - D("0.19") - D("0.11")
        assert (await made.row(account)).charged_at is None
        async with made.house.store.read() as tx:
            assert await verify(tx) == []
            kept = await ProofStore().kept(tx, account.tenant_id, account.id)
        assert kept is not None
        last = replace(kept.entries[-1], memo="interest of 2026-11-21: 0.2 a year on -400.00 USD")
        found = findings_of(replace(kept, entries=(*kept.entries[:-1], last)))
        assert [each.message for each in found] == ["its interest is -0.11, and -0.22 by what it follows from"]


async def test_what_a_process_books_whose_clock_is_behind_at_midnight_is_in_the_days_interest(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("100", **RATE)
        await made.place(account, wish("BUY", "MARKET", "8"), price="100")
        await made.look()
        made.house.clock.turn(12 * 3600 + 0.2)
        await made.look()
        behind = datetime(2026, 11, 20, 23, 59, 59, 700_000, UTC)
        async with writing(made.house.host, account.tenant_id, account.id) as w:
            await LedgerBook().post(w, [withdrawal("USD", D(300))], at=behind, made_by="user_ada")
        made.house.clock.turn(120)
        await made.look()

        assert await _booked(made, account) == [("interest of 2026-11-20: 0.1 a year on -1000.00 USD", True)]
        async with made.house.store.read() as tx:
            assert await verify(tx) == []
