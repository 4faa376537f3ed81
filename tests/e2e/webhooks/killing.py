"""Events while the processes that send them are killed again and again.

`python -m tests.e2e.webhooks.killing sqlite|postgresql EVENTS ENDPOINTS KILLS` prints what came of it; the suite runs a
smaller one.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select, update

from gateway.core.clock import SystemClock
from gateway.core.secrets import Vault
from gateway.core.store import Store
from plugins.webhooks.tables import deliveries, endpoints
from tests.e2e.webhooks.emitter import emit
from tests.forked import Forked, Program, marketgate
from tests.gateway.doubles import ROOT_SECRET
from tests.house import migrate
from tests.plugins.webhooks.delivery.office import TENANT, sealed_row
from tests.plugins.webhooks.delivery.receivers import Got, Receiver, listening
from tests.servers import postgresql, scratch

PATIENCE_S = 600.0


@dataclass(slots=True, kw_only=True)
class Trial:
    """What is asked for, and what came of it."""

    database: str
    events: int
    endpoints: int
    kills: int
    seed: int = 1
    acknowledged: set[str] = field(default_factory=set)
    received: dict[str, Counter[str]] = field(default_factory=dict)
    """By path: how often each event came."""
    took_s: float = 0.0

    @property
    def lost(self) -> int:
        """Deliveries of acknowledged events that never came."""
        return sum(len(self.acknowledged - got.keys()) for got in self.received.values())

    @property
    def again(self) -> int:
        """Requests beyond the first of each delivery: all with an id that came before."""
        return sum(sum(got.values()) - len(got) for got in self.received.values())


async def run(trial: Trial) -> Trial:
    """Emit, kill, and wait for the rest."""
    begun, chance = time.monotonic(), random.Random(trial.seed)
    trial.received = {f"/{number}": Counter() for number in range(trial.endpoints)}

    def note(got: Got) -> None:
        trial.received[got.path][got.id] += 1

    with tempfile.TemporaryDirectory() as folder:
        acknowledged = Path(folder) / "acknowledged"
        acknowledged.touch()
        store = Store(trial.database)
        async with listening(Receiver(keeps=False, on_got=note)) as receiver:
            await subscribe(store, [receiver.url(path) for path in trial.received])
            with ExitStack() as stack:
                emitter = Killable(emit, [str(acknowledged), str(trial.events)], trial.database, folder)
                worker = Killable(marketgate, ["worker"], trial.database, folder)
                for each in (emitter, worker):
                    stack.enter_context(each.running())
                # By progress: processes that start while the machine is busy would be killed before they did anything.
                for number, count in enumerate(sorted(chance.sample(range(1, trial.events), trial.kills))):
                    await until_told(acknowledged, count)
                    await asyncio.sleep(chance.uniform(0.0, 0.1))
                    (emitter, worker)[number % 2].kill_and_start()
                await until_told(acknowledged, trial.events)
                await until_settled(store)
        trial.acknowledged = told(acknowledged)
        await store.close()
    trial.took_s = time.monotonic() - begun
    return trial


class Killable:
    """A process that is started anew whenever it was killed."""

    def __init__(self, program: Program, arguments: list[str], database: str, folder: str) -> None:
        self._program, self._arguments, self._env = program, arguments, environment(database, folder)
        self._log = Path(folder) / f"{program.__name__}.log"
        self._process: Forked | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Until the block ends."""
        self._start()
        try:
            yield
        finally:
            self._kill()

    def kill_and_start(self) -> None:
        """No warning, no clean-up."""
        self._kill()
        self._start()

    def _start(self) -> None:
        with self._log.open("ab") as log:
            self._process = Forked(
                self._arguments, env=self._env, cwd=Path(__file__).parents[3], stdout=log, stderr=log,
                program=self._program,
            )  # fmt: skip

    def _kill(self) -> None:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()[-2_000:]
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(60)


def environment(database: str, folder: str) -> Mapping[str, str]:
    """Of a development process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MARKETGATE_")}
    return kept | {
        "MARKETGATE_ENV": "development", "MARKETGATE_DATABASE_URL": database, "MARKETGATE_SECRET_KEY": ROOT_SECRET,
        "MARKETGATE_DATA_DIR": folder, "MARKETGATE_LOG_LEVEL": "warning",
    }  # fmt: skip


async def subscribe(store: Store, urls: list[str]) -> None:
    """An endpoint for each."""
    vault, now = Vault(lambda: (ROOT_SECRET,)), SystemClock().now()
    async with store.write() as tx:
        for url in urls:
            await tx.run(endpoints.insert().values(**sealed_row(vault, now, url, TENANT)))


async def until_told(acknowledged: Path, count: int) -> None:
    """Until so many events are acknowledged."""
    deadline = time.monotonic() + PATIENCE_S
    while len(told(acknowledged)) < count:
        await asyncio.sleep(0.1)
        assert time.monotonic() < deadline


def told(acknowledged: Path) -> set[str]:
    """Ids of events."""
    return set(acknowledged.read_text().split())


async def until_settled(store: Store) -> None:
    """Until no delivery waits. What the killed had claimed is handed on at once: the test lets their time pass."""
    async with store.write() as tx:
        over = SystemClock().now() - timedelta(seconds=1)
        await tx.run(update(deliveries).where(deliveries.c.leased_until.is_not(None)).values(leased_until=over))
    quiet = 0
    async with asyncio.timeout(PATIENCE_S):
        while quiet < 3:
            await asyncio.sleep(0.3)
            async with store.read() as tx:
                left = await tx.value(
                    select(func.count()).select_from(deliveries).where(deliveries.c.due_at.is_not(None))
                )
            quiet = 0 if left else quiet + 1


def main(kind: str, events: int, count: int, kills: int) -> None:
    """One trial."""
    with ExitStack() as stack:
        if kind == "postgresql":
            url = stack.enter_context(postgresql())
        else:
            url = f"sqlite:///{scratch('mgkill') / 'marketgate.sqlite3'}"
        migrate(url)
        done = asyncio.run(run(Trial(database=url, events=events, endpoints=count, kills=kills)))
    sys.stdout.write(
        f"{kind}: {len(done.acknowledged)} acknowledged events to {count} endpoints, {kills} kills in "
        f"{done.took_s:.0f} s: {done.lost} lost, {done.again} came again with the same id\n"
    )


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
