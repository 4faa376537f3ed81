"""An evaluator that is killed without warning: no crossing among the prices is lost, and none is told twice."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import select

from gateway.core.store import Store, new_id
from plugins.alerts.conditions import AlertKind, AlertSide, Condition, plain, shard_of
from plugins.alerts.store import AlertRow, AlertStore
from plugins.alerts.tables import alerts, firings
from tests.forked import CONTEXT
from tests.gateway.doubles import NOON
from tests.house import open_house
from tests.plugins.accounts.organisations.company import found
from tests.plugins.alerts.evaluator import INSTRUMENTS, live
from tests.plugins.alerts.watching import told

PER_INSTRUMENT = 30
LOW, HIGH = "90", "110"
TURNS = 6
KILLS = 2


def test_every_crossing_is_told_once_though_the_evaluator_is_killed(database: str, tmp_path: Path):
    tenant = asyncio.run(furnish(database, tmp_path))
    chance, life, kills = random.Random(11), 0, 0
    process = begin(database, tmp_path, life)
    try:
        for turn in range(TURNS):
            price = HIGH if turn % 2 else LOW
            while not process.say(price, kill_after=chance.uniform(0.0, 0.15) if kill_now(turn, kills) else None):
                # What was killed had the price, or half of it; whoever comes next hears where it stands.
                life, kills = life + 1, kills + 1
                process = begin(database, tmp_path, life)
    finally:
        process.end()

    fired, events = asyncio.run(counted(database, tmp_path, tenant))
    assert kills == KILLS
    assert fired == {TURNS // 2: PER_INSTRUMENT * len(INSTRUMENTS)}
    assert len(events) == PER_INSTRUMENT * len(INSTRUMENTS) * TURNS // 2
    assert set(Counter((each["alertId"], each["arm"]) for each in events).values()) == {1}


def kill_now(turn: int, kills: int) -> bool:
    """In the middle of the run, whichever way the price goes."""
    return kills < KILLS and turn >= 2 + kills


@dataclass(slots=True)
class Life:
    """One process, and the way to it."""

    process: Any
    pipe: Connection[Any, Any]

    def say(self, price: str, kill_after: float | None) -> bool:
        """Whether it is done with the price; no where it was killed."""
        self.pipe.send(price)
        if kill_after is None:
            assert self.pipe.recv() == price
            return True
        time.sleep(kill_after)
        self.end()
        return False

    def end(self) -> None:
        """Without warning."""
        self.process.kill()
        self.process.join(60)
        self.pipe.close()


def begin(database: str, folder: Path, number: int) -> Life:
    """The next life, once it watches all alerts."""
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=live, args=(database, str(folder), number, theirs))
    process.start()
    theirs.close()
    assert ours.recv() == PER_INSTRUMENT * len(INSTRUMENTS)
    return Life(process, ours)


async def furnish(database: str, folder: Path) -> str:
    """An organisation with alerts on every instrument, half of them for the way up; its id."""
    async with open_house(database, folder) as house:
        company = await found(house)
        await company.upgrade()
        async with house.store.write() as tx:
            for number in range(PER_INSTRUMENT * len(INSTRUMENTS)):
                await AlertStore().add(tx, company.tenant, row_of(company.tenant, number))
    return company.tenant


def row_of(tenant: str, number: int) -> AlertRow:
    """Levels between the two prices."""
    instrument = INSTRUMENTS[number % len(INSTRUMENTS)]
    condition = Condition(kind=AlertKind.PRICE, side=AlertSide.ABOVE, threshold=Decimal(97 + number % 7))
    given: dict[str, Any] = {
        "price_type": "LAST", "repeating": True, "cooldown_ms": 0, "hysteresis_bps": 0, "fire_if_true": False,
        "note": None, "active": True, "state": "WAITING", "arm": 0, "generation": 0, "last_triggered_at": None,
        "seen_at": None, "idempotency_key": None, "request_digest": None, "created_at": NOON, "changed_at": NOON,
    }  # fmt: skip
    return AlertRow(
        tenant_id=tenant, id=new_id("alert"), made_by="test", instrument=str(instrument),
        shard=shard_of(condition, instrument), condition=plain(condition), **given,
    )  # fmt: skip


async def counted(database: str, folder: Path, tenant: str) -> tuple[dict[int, int], list[dict[str, Any]]]:
    """How many alerts have fired how often, and the events."""
    store = Store(database)
    async with store.read() as tx:
        every = await tx.values(select(alerts.c.id))
        rows = Counter(await tx.values(select(firings.c.alert_id)))
    await store.close()
    async with open_house(database, folder) as house:
        events = await told(house, tenant)
    return dict(Counter(rows[alert_id] for alert_id in every)), events
