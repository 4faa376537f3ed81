"""50,000 alerts over 500 instruments at 1,000 ticks a second: what evaluation costs, and that each crossing fires once.

The ticks come through the hub, the firings go to a database with their events. Beside it, the same tape through a loop
that looks at every alert of the instrument at each tick.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from gateway.core.contract import Tapped
from gateway.core.live.messages import Message, Position
from gateway.core.outbox.tables import log
from gateway.core.store import new_id
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.alerts.conditions import AlertKind, AlertSide, Condition, plain, shard_of
from plugins.alerts.evaluation.engine import Engine
from plugins.alerts.evaluation.feeds import QuoteFeed, Surroundings
from plugins.alerts.evaluation.ladder import AlertState
from plugins.alerts.evaluation.occasions import Occasion, Watched
from plugins.alerts.store import AlertRow
from plugins.alerts.tables import alerts, firings
from schema.provenance import DataMode, Provenance
from schema.symbols import InstrumentId, crypto
from schema.words.quotes import PriceType, Quote
from tests.gateway.doubles import NOON, ManualClock
from tests.gateway.live.handlines import HandLines
from tests.house import House, migrate, open_house
from tests.plugins.accounts.organisations.company import found
from tests.servers import scratch

INSTRUMENTS, ALERTS, TICKS_A_SECOND, SECONDS = 500, 50_000, 1_000, 20
STEP, SPREAD = 0.0015, 0.10
"""How far a tick goes at most, and how far around the price the levels lie, as parts of the price."""
TARGET = 0.5
AT_ONCE = 1_000
VENUE = "bitstamp"

Tape = Sequence[tuple[InstrumentId, Decimal]]


@dataclass(slots=True)
class Plain:
    """An alert of the naive loop."""

    id: str
    threshold: Decimal
    below: bool
    armed: bool = False
    fired: int = 0

    def tick(self, price: Decimal) -> None:
        """One price."""
        true = price < self.threshold if self.below else price > self.threshold
        false = price > self.threshold if self.below else price < self.threshold
        if true and self.armed:
            self.armed, self.fired = False, self.fired + 1
        elif false:
            self.armed = True


def report() -> Iterator[str]:
    """Lines of the report."""
    folder = scratch("mgalerts")
    try:
        url = f"sqlite:///{folder / 'bench.sqlite3'}"
        migrate(url)
        yield from asyncio.run(_run(url, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _run(url: str, folder: Path) -> list[str]:
    chance, lines = random.Random(7), HandLines()
    instruments = [crypto(f"A{number}", "USD") for number in range(INSTRUMENTS)]
    async with open_house(url, folder, lines=lines) as house:
        company = await found(house)
        async with house.store.write() as tx:
            await house.host.service(OrganisationDesk).set_plan(tx, company.tenant, "unlimited")
        plains, rows = await _fill(house, company.tenant, instruments, chance)
        engine = house.host.service(Engine)
        started = time.perf_counter()
        await engine.look()
        loaded = time.perf_counter() - started
        first = [(instrument, Decimal(100)) for instrument in instruments]
        await _play(engine, lines, first, len(first))
        tape = _tape(instruments, chance)
        wall, cpu = await _measured(engine, lines, tape)
        fired, told = await _counted(house)
        await engine.close()
    whole = [*first, *tape]
    naive, expected = _naive(plains, whole)
    spent = _evaluated(rows, whole) / len(whole)
    wrong = sum(1 for alert_id in expected.keys() | fired.keys() if expected[alert_id] != fired[alert_id])
    return [
        f"Alerts: {ALERTS} over {INSTRUMENTS} instruments, {len(tape) / wall:.0f} ticks/s for {wall:.0f} s",
        f"evaluation: {spent * 1e6:.1f} us a tick, at {TICKS_A_SECOND} ticks/s {spent * TICKS_A_SECOND:.3f} of a core "
        f"(target < {TARGET}); with hub, database and events {cpu / wall:.2f} of a core",
        f"crossings: {sum(expected.values())}, fired {sum(fired.values())}, events {told}; alerts that fired too often "
        f"or too rarely: {wrong}",
        f"a look at every alert of the instrument: {naive / len(whole) * 1e6:.1f} us a tick, "
        f"{naive / len(whole) / spent:.1f} times that",
        f"reading {ALERTS} alerts and opening {INSTRUMENTS} streams: {loaded:.1f} s",
    ]


async def _fill(
    house: House, tenant: str, instruments: Sequence[InstrumentId], chance: random.Random
) -> tuple[dict[InstrumentId, list[Plain]], list[AlertRow]]:
    plains: dict[InstrumentId, list[Plain]] = {each: [] for each in instruments}
    rows: list[dict[str, Any]] = []
    for number in range(ALERTS):
        instrument = instruments[number % INSTRUMENTS]
        level = Decimal(round(100 * (1 + chance.uniform(-SPREAD, SPREAD)), 4)).quantize(Decimal("0.0001"))
        below, alert_id = chance.random() < 0.5, new_id("alert")
        plains[instrument].append(Plain(alert_id, level, below))
        side = AlertSide.BELOW if below else AlertSide.ABOVE
        condition = Condition(kind=AlertKind.PRICE, side=side, threshold=level)
        rows.append({
            "tenant_id": tenant, "id": alert_id, "made_by": "bench", "instrument": str(instrument),
            "shard": shard_of(condition, instrument), "condition": plain(condition), "price_type": "LAST",
            "repeating": True, "cooldown_ms": 0, "hysteresis_bps": 0, "fire_if_true": False, "note": None,
            "active": True, "state": AlertState.WAITING.value, "arm": 0, "generation": 0, "last_triggered_at": None,
            "seen_at": None, "idempotency_key": None, "request_digest": None, "created_at": NOON, "changed_at": NOON,
        })  # fmt: skip
    for begin in range(0, len(rows), AT_ONCE):
        async with house.store.write() as tx:
            await tx.run(alerts.insert(), rows[begin : begin + AT_ONCE])
    return plains, [AlertRow(**row) for row in rows]


def _tape(instruments: Sequence[InstrumentId], chance: random.Random) -> Tape:
    prices = dict.fromkeys(instruments, 100.0)
    tape = []
    for _ in range(TICKS_A_SECOND * SECONDS):
        instrument = chance.choice(instruments)
        prices[instrument] *= 1 + chance.uniform(-STEP, STEP)
        tape.append((instrument, Decimal(f"{prices[instrument]:.5f}1")))
    return tape


async def _play(engine: Engine, lines: HandLines, tape: Tape, at_once: int) -> None:
    """So many ticks at a time, in time."""
    started = time.perf_counter()
    for begin in range(0, len(tape), at_once):
        for instrument, price in tape[begin : begin + at_once]:
            lines.price(VENUE, str(price), instrument=instrument)
        late = started + (begin + at_once) / TICKS_A_SECOND - time.perf_counter()
        await asyncio.sleep(max(late, 0))
    await engine.writer.settled()


async def _measured(engine: Engine, lines: HandLines, tape: Tape) -> tuple[float, float]:
    """How long the tape ran, and the time of a core that all of it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    await _play(engine, lines, tape, TICKS_A_SECOND // 100)
    return time.perf_counter() - wall, time.process_time() - cpu


def _evaluated(rows: Sequence[AlertRow], tape: Tape) -> float:
    """The time of a core that the evaluator alone takes for a tape."""
    fired: list[Occasion] = []
    around = Surroundings(
        whose="", context=lambda: None, clock=ManualClock(), put=lambda told, _: fired.extend(told),  # type: ignore[arg-type, return-value]
    )  # fmt: skip
    feeds = {instrument: QuoteFeed(around, {}, instrument) for instrument, _ in tape}
    for row in rows:
        watched = Watched.of(row)
        if watched.measure.instrument in feeds:
            feeds[watched.measure.instrument].add(watched)
    made = Provenance(provider=VENUE, mode=DataMode.LIVE, as_of=NOON, fetched_at=NOON)
    told = []
    for number, (instrument, price) in enumerate(tape):
        quote = Quote(instrument=instrument, price=price, price_type=PriceType.LAST, as_of=NOON, provenance=made)
        message = Message(position=Position(1, number), values=(quote,), provenance=made)
        told.append((feeds[instrument], Tapped(symbol="", provider=VENUE, message=message)))
    begun = time.process_time()
    for feed, tapped in told:
        feed.heard(tapped)
    return time.process_time() - begun


async def _counted(house: House) -> tuple[Counter[str], int]:
    async with house.store.read() as tx:
        rows = await tx.connection.execute(select(firings.c.alert_id, func.count()).group_by(firings.c.alert_id))
        fired = Counter({row[0]: row[1] for row in rows})
        told = await tx.value(select(func.count()).select_from(log).where(log.c.type == "price.alert.triggered"))
    return fired, int(told)


def _naive(plains: dict[InstrumentId, list[Plain]], tape: Tape) -> tuple[float, Counter[str]]:
    begun = time.process_time()
    for instrument, price in tape:
        for each in plains[instrument]:
            each.tick(price)
    spent = time.process_time() - begun
    return spent, Counter({each.id: each.fired for group in plains.values() for each in group if each.fired})


if __name__ == "__main__":
    print("\n".join(report()))
