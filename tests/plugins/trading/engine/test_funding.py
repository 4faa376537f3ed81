"""Funding of perpetuals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from gateway.core.contract import Fetched, Market
from gateway.core.matching.funding import last_funding
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.trading.ledger.carrying import funding_key
from plugins.trading.ledger.proof.carrying import carrying_findings
from plugins.trading.ledger.proof.loading import ProofStore
from plugins.trading.ledger.proof.proving import verify
from plugins.trading.ledger.proof.trades import trade_findings
from plugins.trading.rows import EntryRow, TripRow
from plugins.trading.tables import accounts, entries, trips
from schema.errors import FailureCode, NoAnswer
from schema.symbols import parse_instrument
from schema.words.candles import CANDLES, Bars, cut
from schema.words.derivatives import FUNDING_HISTORY, FUNDING_RATES, FundingRate
from schema.words.intervals import Interval
from tests.plugins.trading import rowsof
from tests.plugins.trading.engine.floorhouse import PERP, Hall, another, hall, wish

D = Decimal
FOUR = datetime(2026, 11, 20, 16, tzinfo=UTC)


def test_the_last_time_is_a_multiple_of_eight_hours() -> None:
    assert [last_funding(FOUR.replace(hour=hour)).hour for hour in (0, 7, 8, 15, 16, 23)] == [0, 0, 8, 8, 16, 16]


async def _short(made: Hall, quantity: str = "5") -> Any:
    made.board.rates, made.board.prices = {("USDT", "USD"): "1"}, {PERP: "100"}
    account = await made.account("1000", margin="MARGIN", leverage=D(10), day="2026-11-20", day_equity=D(1000))
    await made.place(account, wish("SELL", "MARKET", quantity, symbol=PERP), price="100")
    return account


ETH_PERP = "crypto:ETH/USDT:USDT"
HOUR = timedelta(hours=1)


def _answers(monkeypatch: pytest.MonkeyPatch, told: dict[str, list[FundingRate] | FailureCode], *bars: Bars) -> None:
    """Histories by instrument, or why there is none; candles, where there are some; nobody has a running rate."""

    async def fetch(self: Market, capability: Any, ask: Any, terms: Any = None) -> Fetched:
        if capability is CANDLES and bars:
            assert ask.interval is Interval.H1
            return Fetched(value=cut(bars[0], ask.start, ask.end), provenance=rowsof.MADE)
        answer = told.get(str(ask.instrument)) if capability is FUNDING_HISTORY else None
        if not isinstance(answer, list):
            raise NoAnswer(str(ask), answer or FailureCode.NOT_COVERED, "nobody", ())
        paid = tuple(each for each in answer if ask.start <= each.time < ask.end)
        return Fetched(value=paid, provenance=rowsof.MADE)

    monkeypatch.setattr(Market, "fetch", fetch)


def _paid(time: datetime, rate: str = "0.001", symbol: str = PERP, **prices: str) -> FundingRate:
    told = {name: D(price) for name, price in prices.items()}
    return FundingRate(instrument=parse_instrument(symbol), rate=D(rate), time=time, settled=True, **told)  # type: ignore[arg-type]


async def _memos(made: Hall) -> list[str]:
    async with made.house.store.read() as tx:
        rows = await tx.all(select(entries).where(entries.c.kind == "FUNDING").order_by(entries.c.number), EntryRow)
    return [str(row.memo) for row in rows]


def _history(monkeypatch: pytest.MonkeyPatch, *times: datetime, code: FailureCode | None = None) -> list[Any]:
    """A venue that has paid 0.001 at a mark of 100 at some times; what it was asked."""
    asked: list[Any] = []

    async def fetch(self: Market, capability: Any, ask: Any, terms: Any = None) -> Fetched:
        asked.append(ask)
        if capability is not FUNDING_HISTORY or code is not None:
            raise NoAnswer(str(ask), code or FailureCode.NOT_COVERED, "nobody", ())
        rate = FundingRate(
            instrument=parse_instrument(PERP), rate=D("0.001"), time=FOUR, settled=True, mark_price=D(100)
        )
        paid = tuple(replace(rate, time=each) for each in times if ask.start <= each < ask.end)
        return Fetched(value=paid, provenance=rowsof.MADE)

    monkeypatch.setattr(Market, "fetch", fetch)
    return asked


async def _findings(made: Hall) -> list[str]:
    async with made.house.store.read() as tx:
        return [each.message for each in await verify(tx)]


async def test_what_is_traded_after_the_time_changes_nothing_of_its_funding(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _history(monkeypatch, FOUR)
    async with hall(sqlite_url, tmp_path) as made:
        grown, closed = await _short(made, "1"), await _short(made)
        await made.look()
        made.house.clock.turn(4 * 3600 + 30)
        await made.place(grown, wish("SELL", "MARKET", "9", symbol=PERP), price="100")
        await made.place(closed, wish("BUY", "MARKET", "5", symbol=PERP), price="100")
        fresh = await _short(made, "7")
        await made.look()

        made.house.clock.turn(95)
        await made.look()

        # Short 1, 5 and 0 at 16:00.
        assert [D(await made.cash(each, "USDT")) for each in (grown, closed)] == [D("0.1"), D("0.5")]
        assert [(await made.row(each)).funded_at for each in (grown, closed, fresh)] == [FOUR, FOUR, FOUR]
        assert (await made.row(fresh)).entries == 2
        async with made.house.store.read() as tx:
            (trip,) = await tx.all(select(trips), TripRow)
        assert (trip.account_id, trip.funding) == (closed.id, D("0.5"))
        assert await _findings(made) == []

        # The same entry of a time before it was held.
        async with made.house.store.read() as tx:
            kept = await ProofStore().kept(tx, closed.tenant_id, closed.id)
        assert kept is not None
        early = replace(kept.entries[-1], idempotency_key=funding_key(PERP, FOUR - timedelta(hours=8)))
        wrong = replace(kept, entries=(*kept.entries[:-1], early))
        told = f"it is funding of {PERP} until 2026-11-20 08:00 UTC, and none was held"
        assert carrying_findings(wrong) == [(early.id, told)]


async def test_times_that_nobody_worked_are_made_up_for_in_order(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _history(monkeypatch, *(FOUR + timedelta(hours=8 * n) for n in range(40)))
    async with hall(sqlite_url, tmp_path) as made:
        account = await _short(made)
        await made.look()
        made.house.clock.turn((4 + 16) * 3600 + 121)
        await made.look()
        await made.look()

        assert D(await made.cash(account, "USDT")) == D("1.5")
        made.house.clock.turn(12 * 86_400)
        await made.look()

        # Of what lies further back than seven days nothing is made up: 21 times.
        assert D(await made.cash(account, "USDT")) == D("12")
        assert await _findings(made) == []


async def test_without_a_history_only_the_newest_time_is_booked_by_the_running_rate(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = [FailureCode.UPSTREAM_UNAVAILABLE]

    async def fetch(self: Market, capability: Any, ask: Any, terms: Any = None) -> Fetched:
        if capability is not FUNDING_RATES:
            raise NoAnswer(str(ask), codes[-1], "nobody", ())
        hour = 3_600_000
        rate = FundingRate(
            instrument=parse_instrument(PERP), rate=D("0.001"), time=FOUR, settled=False, interval_ms=4 * hour
        )
        return Fetched(value=rate, provenance=rowsof.MADE)

    monkeypatch.setattr(Market, "fetch", fetch)
    async with hall(sqlite_url, tmp_path) as made:
        account = await _short(made)
        await made.look()
        made.house.clock.turn(12 * 3600 + 121)
        await made.look()
        # It may be told later.
        assert (await made.row(account)).entries == 2

        codes.append(FailureCode.NOT_COVERED)
        made.house.clock.turn(30)
        await made.look()

        # At 20:00 and at midnight.
        assert D(await made.cash(account, "USDT")) == D("1")


async def test_a_kill_switch_keeps_nobody_from_paying_funding(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _history(monkeypatch, FOUR)
    async with hall(sqlite_url, tmp_path) as made:
        account = await _short(made)
        async with made.house.store.write() as tx:
            await tx.run(accounts.update().values(halted=True))

        made.house.clock.turn(4 * 3600 + 121)
        await made.look()

        assert D(await made.cash(account, "USDT")) == D("0.5")


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

        # 0.0005 of 5 at 100 and at 110, received by who is short.
        assert D(await made.cash(account, "USDT")) == D("0.525")
        # Of noon, which is long ago, a price of then.
        assert [type(each).__name__ for each in asked] == ["FundingHistoryAsk", "CandlesAsk"]
        async with made.house.store.read() as tx:
            (row,) = await made.engine._rows.positions(tx, [account.id])
            assert row.funding == D("0.525")
            entry = await tx.first(select(entries).where(entries.c.kind == "FUNDING"), EntryRow)
            assert entry is not None
            assert (entry.instrument, entry.memo) == (
                PERP, f"funding of {PERP}, 2026-11-20 12:00 UTC: 0.0005 of -5 at 100, "
                "2026-11-20 16:00 UTC: 0.0005 of -5 at 110",
            )  # fmt: skip
            assert [each for each in await verify(tx) if "funding" in each.message] == []

        # Once entries named none: then it is proved by currency.
        async with made.house.store.read() as tx:
            kept = await ProofStore().kept(tx, account.tenant_id, account.id)
        assert kept is not None
        place = next(n for n, each in enumerate(kept.entries) if each.kind == "FUNDING")
        vague = [*kept.entries[:place], replace(kept.entries[place], instrument=None), *kept.entries[place + 1 :]]
        wrong = (replace(kept.positions[0], funding=D(1)),)
        told = "funding is 1, and 0.525 by what it follows from"
        assert [
            [found for found in trade_findings(each) if "funding" in found[1]]
            for each in (
                replace(kept, entries=vague), replace(kept, positions=wrong),
                replace(kept, entries=vague, positions=wrong), replace(kept, positions=()),
            )
        ] == [
            [], [(PERP, told)], [("USDT", told)], [(PERP, "funding is 0, and 0.525 by what it follows from")]
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
        made.house.clock.turn(30)
        await made.look()

        assert D(await made.cash(account, "USDT")) == D("-0.5")


async def test_what_nobody_tells_a_rate_of_holds_up_no_other_perpetual_of_its_account(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = [FOUR + timedelta(hours=8 * n) for n in range(3)]
    told: dict[str, list[FundingRate] | FailureCode] = {
        PERP: [_paid(at, mark_price="100") for at in day], ETH_PERP: FailureCode.UPSTREAM_UNAVAILABLE
    }  # fmt: skip
    _answers(monkeypatch, told)
    async with hall(sqlite_url, tmp_path) as made:
        account = await _short(made)
        await made.place(account, wish("SELL", "MARKET", "2", symbol=ETH_PERP), price="10")
        await made.look()

        made.house.clock.turn(4 * 3600 + 121)
        await made.look()
        assert D(await made.cash(account, "USDT")) == D("0.5")
        assert (await made.row(account)).funded_at == FOUR - timedelta(hours=8)
        made.house.clock.turn(30)
        await made.look()
        version = (await made.row(account)).version
        made.house.clock.turn(8 * 3600)
        await made.look()
        assert D(await made.cash(account, "USDT")) == D(1)
        async with another(made, sqlite_url, tmp_path) as later:
            await made.engine.close()
            await later.look()
            assert D(await made.cash(account, "USDT")) == D(1)
            assert (await made.row(account)).version == version + 1

            # It is told of both times in the end.
            told[ETH_PERP] = [_paid(at, "-0.01", ETH_PERP, mark_price="10") for at in day]
            made.house.clock.turn(30)
            await later.look()
            await later.look()

        # 0.001 of 5 at 100 received twice, 0.01 of 2 at 10 paid twice.
        assert D(await made.cash(account, "USDT")) == D("0.6")
        assert (await made.row(account)).funded_at == day[1]
        assert await _findings(made) == []


async def test_what_nobody_prices_holds_up_no_other_perpetual_of_its_account(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answers(monkeypatch, {PERP: [_paid(FOUR)], ETH_PERP: [_paid(FOUR, "0.01", ETH_PERP)]})
    async with hall(sqlite_url, tmp_path) as made:
        account = await _short(made)
        await made.place(account, wish("SELL", "MARKET", "2", symbol=ETH_PERP), price="10")
        await made.look()

        made.house.clock.turn(4 * 3600 + 121)
        await made.look()
        assert D(await made.cash(account, "USDT")) == D("0.5")
        made.board.prices[ETH_PERP] = "20"
        made.house.clock.turn(30)
        await made.look()

        assert D(await made.cash(account, "USDT")) == D("0.9")
        assert (await made.row(account)).funded_at == FOUR


async def test_payments_that_cancel_each_other_out_are_counted_once_while_another_perpetual_waits(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, list[FundingRate] | FailureCode] = {
        PERP: [_paid(FOUR - 2 * HOUR, "0.001", mark_price="100"), _paid(FOUR, "-0.001", mark_price="100")],
        ETH_PERP: FailureCode.UPSTREAM_UNAVAILABLE,
    }
    _answers(monkeypatch, told)
    async with hall(sqlite_url, tmp_path) as made:
        account = await _short(made)
        await made.place(account, wish("SELL", "MARKET", "2", symbol=ETH_PERP), price="10")
        made.house.clock.turn(3 * 3600)
        made.board.prices[ETH_PERP] = "10"
        # Closed and opened anew between the two.
        await made.place(account, wish("BUY", "MARKET", "5", symbol=PERP), price="100")
        made.house.clock.turn(1)
        await made.place(account, wish("SELL", "MARKET", "5", symbol=PERP), price="100")
        made.house.clock.turn(3600 + 121)
        await made.look()
        async with another(made, sqlite_url, tmp_path) as later:
            await made.engine.close()
            await later.look()
            told[ETH_PERP] = [_paid(FOUR, "0", ETH_PERP, mark_price="10")]
            made.house.clock.turn(30)
            await later.look()

        async with made.house.store.read() as tx:
            (trip,) = await tx.all(select(trips), TripRow)
            held = {row.instrument: row.funding for row in await made.engine._rows.positions(tx, [account.id])}
        assert (trip.funding, held) == (D("0.5"), {PERP: D("-0.5"), ETH_PERP: D(0)})


async def test_a_payment_is_booked_at_the_mark_or_the_index_of_its_venue(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [_paid(FOUR - HOUR, index_price="85"), _paid(FOUR, index_price="85", mark_price="84")]
    _answers(monkeypatch, {PERP: told})
    async with hall(sqlite_url, tmp_path) as made:
        account = await _short(made)
        made.house.clock.turn(4 * 3600 + 121)
        await made.look()

        # The price of now is 100.
        assert D(await made.cash(account, "USDT")) == D("0.425") + D("0.42")


async def test_a_payment_of_long_ago_without_a_mark_is_booked_at_the_opening_of_its_hour(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = (FOUR - 2 * HOUR, FOUR - HOUR, FOUR)
    prices = (D(80), D(90), D(95))
    bars = Bars(open_time=times, open=prices, high=(D(99),) * 3, low=(D(1),) * 3, close=(D(50),) * 3)
    # One is a moment early, one in the middle of an hour, whose price nobody tells.
    told = [_paid(FOUR - 2 * HOUR - timedelta(seconds=1)), _paid(FOUR - HOUR / 2), _paid(FOUR)]
    _answers(monkeypatch, {PERP: told}, bars)
    async with hall(sqlite_url, tmp_path) as made:
        account, other = await _short(made), await _short(made)
        async with made.house.store.write() as tx:
            await tx.run(accounts.update().where(accounts.c.id == other.id).values(funded_at=FOUR))
        made.house.clock.turn(4 * 3600 + 121)
        await made.look()
        assert await _memos(made) == [
            f"funding of {PERP}, 2026-11-20 13:59 UTC: 0.001 of -5 at 80, 2026-11-20 15:30 UTC: 0.001 of -5 at 100, "
            "2026-11-20 16:00 UTC: 0.001 of -5 at 100"
        ]
        assert D(await made.cash(account, "USDT")) == D("1.4")

        # Two days later 16:00 is long ago, too.
        async with made.house.store.write() as tx:
            begun = FOUR - 8 * HOUR
            await tx.run(accounts.update().where(accounts.c.id == other.id).values(funded_at=begun))
        made.house.clock.turn(48 * 3600)
        await made.look()

        assert (await _memos(made))[1].endswith("2026-11-20 16:00 UTC: 0.001 of -5 at 95")


async def _become(made: Hall, status: str) -> None:
    async with made.house.store.write() as tx:
        await made.house.host.service(OrganisationDesk).set_status(tx, made.company.tenant, status, None)


async def test_what_was_paid_while_the_organisation_was_suspended_is_booked_once_it_is_active(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answers(monkeypatch, {PERP: [_paid(FOUR, mark_price="100")]})
    async with hall(sqlite_url, tmp_path) as made:
        accounts_of_one = [await _short(made), await _short(made)]
        await made.look()
        await _become(made, "suspended")
        asked: list[str] = []
        event.listen(
            made.house.store.engine.sync_engine, "before_cursor_execute", lambda *given: asked.append(str(given[2]))
        )
        made.house.clock.turn(4 * 3600 + 121)
        await made.look()
        asked.clear()
        for _ in range(29):
            made.house.clock.turn(1)
            await made.look()
        assert [each for each in asked if "funded_at <" in each] == []
        assert [(await made.row(each)).entries for each in accounts_of_one] == [2, 2]

        await _become(made, "active")
        made.house.clock.turn(1)
        await made.look()

        assert [D(await made.cash(each, "USDT")) for each in accounts_of_one] == [D("0.5"), D("0.5")]
        assert [(await made.row(each)).funded_at for each in accounts_of_one] == [FOUR, FOUR]


async def test_an_organisation_that_is_gone_owes_no_funding(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answers(monkeypatch, {PERP: [_paid(FOUR, mark_price="100")]})
    async with hall(sqlite_url, tmp_path) as made:
        account = await _short(made)
        async with made.house.store.write() as tx:
            await tx.run(accounts.update().values(tenant_id="org_gone"))
        made.house.clock.turn(4 * 3600 + 121)
        await made.look()
        asked: list[str] = []
        event.listen(
            made.house.store.engine.sync_engine, "before_cursor_execute", lambda *given: asked.append(str(given[2]))
        )
        made.house.clock.turn(31)
        await made.look()

        assert [each for each in asked if "funded_at <" in each] == []
        assert (await made.row(account)).funded_at == FOUR - timedelta(hours=8)
