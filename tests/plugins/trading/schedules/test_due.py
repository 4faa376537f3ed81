"""What is due of one organisation, or fails, delays nobody else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select
from structlog.testing import capture_logs

from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.tables import organisations
from plugins.trading.engine import scheduling
from plugins.trading.orders.placing import place
from plugins.trading.rows import AccountRow, OrderRow, ScheduleRow
from plugins.trading.tables import schedules
from tests.gateway.doubles import NOON
from tests.plugins.trading.engine.floorhouse import BTC, ETH, D, Hall, hall, tell_once_priced, wish
from tests.plugins.trading.schedules.test_schedules import CREATE

SECOND = timedelta(seconds=1)


async def _plan(made: Hall, account: AccountRow, by: str = "ada", **given: Any) -> str:
    asked = {"accountId": account.id, "symbol": BTC, "side": "BUY", "every": "DAY", "quantity": "1"}
    schedule: str = (await made.company.ask(by, CREATE, **asked | given))["orderSchedule"]["id"]
    return schedule


async def _row(made: Hall, schedule: str) -> ScheduleRow:
    async with made.house.store.read() as tx:
        (row,) = await tx.all(select(schedules).where(schedules.c.id == schedule), ScheduleRow)
    return row


async def _guests(made: Hall, count: int) -> list[str]:
    """Schedules of another organisation, which were due before all others."""
    guest = await made.company.guest("eve", "Difference Engines")
    account = await made.account("5000", owner=guest.id, tenant_id=guest.tenant)
    found = [await _plan(made, account, "eve") for _ in range(count)]
    made.house.clock.turn(1)
    return found


async def _become(made: Hall, status: str) -> None:
    async with made.house.store.write() as tx:
        await made.house.host.service(OrganisationDesk).set_status(tx, made.company.people["eve"].tenant, status, None)


async def _placed(made: Hall, ids: list[str]) -> list[int]:
    return [(await _row(made, each)).placed for each in ids]


async def test_schedules_of_one_organisation_that_wait_delay_no_others(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "AT_ONCE", 4)
    monkeypatch.setattr(scheduling, "A_TENANT", 3)
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        guests = await _guests(made, 5)
        mine = await _plan(made, await made.account("500", owner=made.company.people["ada"].id))

        await made.look()
        assert (await _placed(made, [mine]), sorted(await _placed(made, guests))) == ([1], [0, 0, 1, 1, 1])
        await made.look()

        assert await _placed(made, guests) == [1, 1, 1, 1, 1]


async def test_schedules_of_a_suspended_organisation_delay_nobody_and_go_on_once_it_is_active(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "AT_ONCE", 2)
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        guests = await _guests(made, 2)
        mine = await _plan(made, await made.account("500", owner=made.company.people["ada"].id))
        await _become(made, "suspended")

        await made.look()
        assert (await _placed(made, [mine]), await _placed(made, guests)) == ([1], [0, 0])
        await _become(made, "active")
        await made.look()

        assert await _placed(made, guests) == [1, 1]
        assert (await _row(made, guests[0])).next_at == NOON + timedelta(days=1)


async def test_suspended_organisations_are_left_out_however_many_there_are(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        mine = await _plan(made, await made.account("500", owner=made.company.people["ada"].id))
        closed = [
            {"id": f"org_closed{n}", "name": "C", "plan": "free", "status": "suspended", "created_at": NOON}
            for n in range(40)
        ]
        async with made.house.store.write() as tx:
            await tx.run(organisations.insert().values(closed))
        asked: list[str] = []
        event.listen(
            made.house.store.engine.sync_engine, "before_cursor_execute", lambda *given: asked.append(str(given[3]))
        )

        await made.look()

        assert await _placed(made, [mine]) == [1]
        assert [each for each in asked if "org_closed" in each] == []


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Instruments whose orders raise what nobody expects."""
    named: set[str] = set()

    def raising(*given: Any) -> list[OrderRow]:
        if given[2].symbol in named:
            raise ArithmeticError("nobody expects this")
        return place(*given)

    monkeypatch.setattr(scheduling, "place", raising)
    return named


async def test_one_that_fails_is_told_tried_later_and_later_and_goes_on_once_it_can(
    sqlite_url: str, tmp_path: Path, broken: set[str]
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100", ETH: "10"}
        account = await made.account("500", owner=made.company.people["ada"].id)
        bad = await _plan(made, account)
        good = await _plan(made, account, symbol=ETH)
        broken.add(BTC)

        waited = list[float]()
        with capture_logs() as logs:
            for _ in range(12):
                await made.look()
                row = await _row(made, bad)
                assert row.next_at is not None
                waited.append((row.next_at - made.house.clock.now()).total_seconds())
                made.house.clock.turn(waited[-1])

        assert waited == [5, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600]
        assert (row.placed, row.active, row.problem) == (
            0, True, "INTERNAL: it could not be placed, for a fault of ours: it is tried again at `nextAt`."
        )  # fmt: skip
        assert [each["schedule"] for each in logs if each["log_level"] == "error"] == [bad] * 12
        assert await _placed(made, [good]) == [1]
        broken.clear()
        await made.look()
        row = await _row(made, bad)
        assert (row.placed, row.problem, row.next_at) == (1, None, NOON + timedelta(days=1))


async def test_one_that_fails_still_at_its_next_time_is_due_then_and_not_later(
    sqlite_url: str, tmp_path: Path, broken: set[str]
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        schedule = await _plan(made, await made.account("500", owner=made.company.people["ada"].id), every="HOUR")
        broken.add(BTC)

        made.house.clock.turn(2000)
        await made.look()
        row = await _row(made, schedule)

        assert (row.next_at, row.changed_at) == (NOON + timedelta(hours=1), NOON + timedelta(seconds=2000))


async def test_one_that_was_cancelled_while_it_failed_stays_cancelled(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: set[str]
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        schedule = await _plan(made, await made.account("500", owner=made.company.people["ada"].id))
        before = await _row(made, schedule)
        async with made.house.store.write() as tx:
            await tx.run(schedules.update().values(active=False, next_at=None))

        await scheduling.Scheduler(made.house.host).put_off(before)

        row = await _row(made, schedule)
        assert (row.active, row.next_at, row.problem) == (False, None, None)


async def test_one_that_fails_until_it_ends_says_so(sqlite_url: str, tmp_path: Path, broken: set[str]) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account("500", owner=made.company.people["ada"].id)
        schedule = await _plan(made, account, every="HOUR", endAt=(NOON + timedelta(minutes=20)).isoformat())
        broken.add(BTC)

        for seconds in (0, 600, 600, 600):
            made.house.clock.turn(seconds)
            await made.look()
        row = await _row(made, schedule)

        told = "INTERNAL: its last order could not be placed before `endAt`, for a fault of ours."
        assert (row.placed, row.active, row.next_at, row.problem) == (0, False, None, told)


@pytest.mark.parametrize("missing", [BTC, ETH])
async def test_one_that_lacks_a_price_is_tried_again_soon_and_not_with_its_next_period(
    sqlite_url: str, tmp_path: Path, missing: str
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100", ETH: "10"}
        account = await made.account(owner=made.company.people["ada"].id, margin="MARGIN", leverage=D(5))
        await made.place(account, wish("BUY", "MARKET", "1", symbol=ETH), price="10")
        schedule = await _plan(made, account, every="MONTH")
        price = made.board.prices.pop(missing)

        waited = list[float]()
        for _ in range(3):
            await made.look()
            row = await _row(made, schedule)
            assert row.next_at is not None
            waited.append((row.next_at - made.house.clock.now()).total_seconds())
            made.house.clock.turn(waited[-1])

        told = {
            BTC: "NO_PRICE: Nobody prices crypto:BTC/USD now: nobody.",
            ETH: "NO_PRICE: The account cannot be valued now: no price of crypto:ETH/USD.",
        }
        assert (waited, row.placed, row.active, row.problem) == ([5, 5, 10], 0, True, told[missing])
        made.board.prices[missing] = price
        await made.look()
        row = await _row(made, schedule)
        assert (row.placed, row.problem, row.next_at) == (1, None, NOON.replace(month=12))


async def test_what_streams_after_one_was_priced_and_before_it_is_placed_counts(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.hears, made.board.prices = True, {BTC: "100"}
        account = await made.trader(owner=made.company.people["ada"].id)
        await _plan(made, account, every="MONTH")
        tell_once_priced(made, monkeypatch, "scheduling", "110")
        await made.look()

        assert (await made.fills(account))[-1] == ("BUY", "1", "110")


@pytest.mark.parametrize(
    ("symbol", "told"), [("fx:EUR/USD", ", at 2026-11-22T22:00:00Z."), (BTC, "."), ("equity:AAPL", ".")]
)
async def test_one_whose_market_is_closed_says_what_passes_and_when_it_opens_where_that_is_known(
    sqlite_url: str, tmp_path: Path, symbol: str, told: str
) -> None:
    """At three in New York on Friday apples are halted; the others are asked for on Saturday."""
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {symbol: "2"}
        made.board.closed.add(symbol)
        schedule = await _plan(made, await made.account("500", owner=made.company.people["ada"].id), symbol=symbol)

        made.house.clock.turn(8 * 3600 if symbol == "equity:AAPL" else 20 * 3600)
        await made.look()
        row = await _row(made, schedule)

        waits = (
            f"The market of {symbol} is CLOSED: an order of a schedule waits for nothing, and passes after the opening"
        )
        assert (row.placed, row.active, row.problem) == (0, True, f"MARKET_CLOSED: {waits}{told}")
        assert row.next_at == NOON + timedelta(days=1)


async def test_one_that_ends_having_placed_nothing_says_why(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account("50", owner=made.company.people["ada"].id)
        end = (NOON + timedelta(seconds=90)).isoformat()
        poor, unpriced = await _plan(made, account, endAt=end), await _plan(made, account, endAt=end, symbol=ETH)
        await made.look()
        unworked = await _plan(made, account, endAt=end)
        made.house.clock.turn(100)
        await made.look()

        rows = [await _row(made, each) for each in (poor, unpriced, unworked)]

        assert [(row.placed, row.active, row.next_at, row.problem) for row in rows] == [
            (0, False, None, "INSUFFICIENT_FUNDS: The order needs 100 USD, and 50 is free: 0.50005 would pass."),
            (0, False, None, "NO_PRICE: Nobody prices crypto:ETH/USD now: nobody."),
            (0, False, None, "MISSED: its order was due at 2026-11-20T12:00:00Z, and nobody came to it before "
             "`endAt`: make one with a later end."),
        ]  # fmt: skip
