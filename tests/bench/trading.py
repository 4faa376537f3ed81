"""1,000 open orders on 100 instruments at 500 ticks a second: what working them costs; and how long placing one takes.

The event loop and the collector of garbage are those of the gateway's process. The ticks come through the hub; fills
go to a database with their ledger entries, positions and events. The same orders and the same tape are then matched in
memory alone: what of the cost is matching.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import uvloop
from sqlalchemy import func, select

from gateway.cli.serve import settle
from gateway.core.matching.lifecycle import WORKING
from gateway.core.matching.model import ExecutionModel, Tick, Working
from gateway.core.matching.venue import match
from plugins.trading.orders.turning import form_of
from plugins.trading.orders.wishes import Wish
from plugins.trading.rows import AccountRow, OrderRow
from plugins.trading.tables import fills, orders
from schema.symbols import InstrumentId, crypto
from schema.words.orders import OrderStatus
from tests.gateway.doubles import NOON
from tests.house import migrate
from tests.plugins.trading.engine.floorhouse import Hall, hall, wish
from tests.servers import postgresql, scratch

INSTRUMENTS, ORDERS, ACCOUNTS, TICKS_A_SECOND, SECONDS = 100, 1_000, 50, 500, 20
STEP, SPREAD = 0.005, 0.10
"""How far a tick goes at most, and how far around the price the levels lie, as parts of the price."""
TARGET, PLACED_MS = 0.5, 10
PLACED, WARM, OPEN = 200, 40, 10
"""Orders that are placed, those before that warm up, and how many an account has open in the end."""
VENUE = "bitstamp"
HELD, BESIDE = ("ETH", "SOL", "XRP", "ADA", "DOGE"), 50
"""What a margin account holds, and how many open orders it has of the instrument that is ordered."""
RESTS, FILLED = {"type": "LIMIT", "limitPrice": "1000"}, {"type": "MARKET"}
KINDS = {
    "far from the market": (("BUY",), RESTS, False),
    "filled at once": (("BUY", "SELL"), FILLED, False),
    f"filled at once on margin, beside {len(HELD)} positions and {BESIDE} open orders": (("BUY", "SELL"), FILLED, True),
}
"""An account's sides in turn, so that no position is left for the engine to value, the order, and whether the account
has a margin, so that all that it has is valued."""
PLACE = "mutation($i: OrderPlaceInput!) { r: orderPlace(input: $i) { order { id } userErrors { code message } } }"

Tape = Sequence[tuple[InstrumentId, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one tape cost."""

    wall: float
    cpu: float
    opened: int
    accounts: int
    instruments: int
    filled: int
    alone: float
    """Of the time of a core: matching alone."""
    expected: int
    """Orders that are filled by that."""


def report() -> Iterator[str]:
    """Lines of the report, of both databases."""
    folder = scratch("mgtrading")
    try:
        yield from _report(f"sqlite:///{folder / 'bench.sqlite3'}", folder, "SQLite")
        with postgresql() as url:
            yield from _report(url, folder, "PostgreSQL")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _report(url: str, folder: Path, name: str) -> Iterator[str]:
    migrate(url)
    worked, placed = uvloop.run(_run(url, folder))
    ticks = TICKS_A_SECOND * SECONDS
    yield (
        f"{name}: {worked.opened} open orders of {worked.accounts} accounts on {worked.instruments} instruments, "
        f"{ticks / worked.wall:.0f} ticks/s for {worked.wall:.0f} s: {worked.cpu / worked.wall:.2f} of a core with "
        f"hub, database and events (target < {TARGET}); {worked.filled} fills, "
        f"{worked.expected} expected; "
        f"matching alone {worked.alone / worked.wall:.3f} of a core, {worked.alone / ticks * 1e6:.0f} us a tick"
    )
    for kind, times, cpu in placed:
        ordered = sorted(times)
        yield (
            f"{name}: orderPlace, {len(times)} {kind} one after the other: median {median(times):.1f} ms, "
            f"p95 {ordered[int(len(times) * 0.95)]:.1f} ms (target < {PLACED_MS} ms); {cpu:.1f} ms of a core each"
        )


async def _run(url: str, folder: Path) -> tuple[Measured, list[tuple[str, list[float], float]]]:
    chance = random.Random(7)
    async with hall(url, folder) as made:
        settle()
        # Signed in for some minutes only, and ticks turn the clock.
        placed = [(kind, *await _placing(made, *how)) for kind, how in KINDS.items()]
        return await _work(made, chance), placed


async def _work(made: Hall, chance: random.Random) -> Measured:
    instruments = [crypto(f"A{number}", "USD") for number in range(INSTRUMENTS)]
    await _fill(made, instruments, chance)
    rows = await _open(made)
    await made.look()
    await _play(made, [(each, "100") for each in instruments])
    tape = _tape(instruments, chance)
    before = await _booked(made)
    wall, cpu = time.perf_counter(), time.process_time()
    await _play(made, tape)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    filled = await _booked(made) - before
    alone, expected = _matched(made, rows, tape)
    return Measured(
        wall=wall,
        cpu=cpu,
        opened=len(rows),
        filled=filled,
        alone=alone,
        expected=expected,
        accounts=len({row.account_id for row in rows}),
        instruments=len({row.instrument for row in rows}),
    )


async def _booked(made: Hall) -> int:
    async with made.house.store.read() as tx:
        return int(await tx.value(select(func.count()).select_from(fills)))


async def _fill(made: Hall, instruments: Sequence[InstrumentId], chance: random.Random) -> None:
    for each in range(ACCOUNTS):
        account = await made.account("1000000", margin="MARGIN", leverage=Decimal(10), day="2026-11-20",
                                     day_equity=Decimal(1_000_000))  # fmt: skip
        first = each * ORDERS // ACCOUNTS
        numbers = range(first, first + ORDERS // ACCOUNTS)
        wishes = [_wish(str(instruments[number % INSTRUMENTS]), number, chance) for number in numbers]
        await made.place(account, *wishes, price="100")


def _wish(symbol: str, number: int, chance: random.Random) -> Wish:
    """Six limits, three stops and a trailing stop of ten."""
    side, away = chance.choice(("BUY", "SELL")), Decimal(f"{chance.uniform(0.02, SPREAD) * 100:.2f}")
    below = 100 - away
    if number % 10 < 6:
        return wish(side, "LIMIT", "1", symbol, limit_price=str(below if side == "BUY" else 100 + away))
    if number % 10 < 9:
        return wish(side, "STOP_MARKET", "1", symbol, stop_price=str(100 + away if side == "BUY" else below))
    return wish(side, "TRAILING_STOP", "1", symbol, trail_amount=str(away))


def _tape(instruments: Sequence[InstrumentId], chance: random.Random) -> Tape:
    prices = dict.fromkeys(instruments, 100.0)
    tape = []
    for _ in range(TICKS_A_SECOND * SECONDS):
        instrument = chance.choice(instruments)
        prices[instrument] *= 1 + chance.uniform(-STEP, STEP)
        tape.append((instrument, f"{prices[instrument]:.5f}"))
    return tape


async def _play(made: Hall, tape: Tape) -> None:
    """So many ticks at a time, in time, and a look of the engine each second."""
    started, at_once = time.perf_counter(), max(1, TICKS_A_SECOND // 50)
    for begin in range(0, len(tape), at_once):
        for instrument, price in tape[begin : begin + at_once]:
            made.lines.price(VENUE, price, instrument=instrument)
        if begin % TICKS_A_SECOND == 0:
            await made.engine.look()
        late = started + (begin + at_once) / TICKS_A_SECOND - time.perf_counter()
        await asyncio.sleep(max(late, 0))
    await made.settle()


async def _open(made: Hall) -> list[OrderRow]:
    async with made.house.store.read() as tx:
        return await tx.all(select(orders).where(orders.c.open.is_(True)), OrderRow)


def _matched(made: Hall, rows: Sequence[OrderRow], tape: Tape) -> tuple[float, int]:
    """The time of a core that matching alone takes for a tape: an account after the other, orders in memory."""
    model, held = ExecutionModel(), dict[InstrumentId, dict[str, dict[str, Working]]]()
    for row in rows:
        form = form_of(row, lends=True)
        held.setdefault(form.instrument, {}).setdefault(row.account_id, {})[row.id] = form
    specs = {each: made.board.spec(str(each)) for each in held}
    ticks = [Tick(instrument=each, at=NOON, last=Decimal(price)) for each, price in tape]
    begun, filled = time.process_time(), 0
    for tick in ticks:
        for forms in held.get(tick.instrument, {}).values():
            steps = match(forms.values(), tick, specs[tick.instrument], model, held=Decimal(0))
            for step in steps:
                if step.changed and step.order.status in WORKING:
                    forms[step.order.id] = step.order
                elif step.order.status is OrderStatus.FILLED:
                    del forms[step.order.id]
                    filled += 1
    return time.process_time() - begun, filled


async def _placing(made: Hall, sides: Sequence[str], how: dict[str, str], margin: bool) -> tuple[list[float], float]:
    """Orders through the executor, as over HTTP, in milliseconds."""
    times = []
    made.board.prices["crypto:BTC/USD"] = "2000"
    accounts = [await _account(made, margin=margin) for _ in range(PLACED // OPEN)]
    for number in range(PLACED + WARM):
        if number == WARM:
            cpu = time.process_time()
        asked: dict[str, Any] = {
            "accountId": accounts[number % len(accounts)].id, "symbol": "crypto:BTC/USD",
            "side": sides[number // len(accounts) % len(sides)],
            "quantity": "0.01", "clientOrderId": f"bench-{margin}-{number}", **how,
        }  # fmt: skip
        begun = time.perf_counter()
        payload = await made.company.ask("ada", PLACE, **asked)
        times.append((time.perf_counter() - begun) * 1000)
        if payload["userErrors"]:
            raise RuntimeError(f"orderPlace: {payload['userErrors']}")
    return times[WARM:], (time.process_time() - cpu) / PLACED * 1000


async def _account(made: Hall, *, margin: bool) -> AccountRow:
    owner = made.company.people["ada"].id
    if not margin:
        return await made.account("1000000", owner=owner)
    account = await made.account("1000000", owner=owner, margin="MARGIN", leverage=Decimal(5))
    for base in HELD:
        symbol = str(crypto(base, "USD"))
        made.board.prices[symbol] = "100"
        await made.place(account, wish("BUY", "MARKET", "1", symbol), price="100")
    rests = [wish("BUY", "LIMIT", "0.1", limit_price=str(1000 + number)) for number in range(BESIDE)]
    await made.place(account, *rests, price="2000")
    return account


if __name__ == "__main__":
    print("\n".join(report()))
