"""Nothing stays behind: not after ten thousand keys in flight at once, not after a week of every kind of question."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter, deque
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.contract import Worker
from plugins.market.drawn import Drawn
from schema.errors import NoAnswer
from schema.symbols import InstrumentId
from tests.gateway.doubles import BTC, World, late, priced, venue, world
from tests.house import House, open_house

KEYS, ENTRIES = 10_000, 1_000
WARMING, DAYS, EVERY_H = 2, 6, 3
TURN_S = 0.3
"""What a worker without end has for its work of one day."""
ROOTS = ("gateway", "plugins", "providers", "schema")
RUNNING = ("Task", "Future", "coroutine", "Timeout", "TimerHandle", "frame", "traceback")


def alive() -> Counter[str]:
    """How many objects of each class of ours there are, and of what keeps things running."""
    gc.collect()
    kinds = (type(each) for each in gc.get_objects())
    return Counter(
        kind.__qualname__ for kind in kinds if str(kind.__module__).startswith(ROOTS) or kind.__qualname__ in RUNNING
    )


def entries() -> int:
    """How much all containers hold that have no bound of their own: what leaks need not be an object of ours."""
    return sum(
        len(each)
        for each in gc.get_objects()
        if isinstance(each, dict | list | set) or (isinstance(each, deque) and each.maxlen is None)
    )


def grown(before: Counter[str], after: Counter[str]) -> dict[str, int]:
    """What there is more of."""
    return dict(after - before)


async def in_flight(w: World, first: int) -> int:
    """Ask for so many keys at once, all of them under way together; how many were answered."""
    # Made by hand: the parser remembers the newest few thousand.
    instruments = [replace(BTC, base=f"K{first + n}X") for n in range(KEYS)]

    async def ask(instrument: InstrumentId) -> bool:
        try:
            return str((await w.quote(instrument, timeout=120.0)).value.price) == "7"
        except NoAnswer:
            return False

    return sum(await asyncio.gather(*map(ask, instruments)))


async def test_ten_thousand_keys_in_flight_leave_no_more_than_the_cache_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.core.routing.ROUTES", ENTRIES)
    w = world(venue("alpha"), venue("beta", priority=20), cache_bytes=1_000_000)
    for name in ("alpha", "beta"):
        w.wire.handlers[name] = late(0.1, priced("7"))
    elsewhere = alive()
    assert await in_flight(w, 0) == KEYS
    w.wire.requests.clear()
    before = alive()

    assert await in_flight(w, KEYS) == KEYS
    w.wire.requests.clear()

    after = alive()
    assert grown(before, after) == {}
    held = grown(elsewhere, after)
    assert (held.get("Flight"), held["Quote"]) == (None, len(w.pipeline.cache))
    assert 500_000 < w.pipeline.cache.bytes <= 1_000_000
    assert len(asyncio.all_tasks()) == 1


PAIR, RANGE = "crypto:BTC/USD", 'start: "2026-11-01T00:00:00Z", end: "2026-11-03T00:00:00Z"'
QUESTIONS = (
    f'{{ quote(symbol: "{PAIR}") {{ id price bid ask provenance {{ provider ageMs cacheStatus }} }} }}',
    f'{{ quotes(symbols: ["{PAIR}", "equity:AAPL", "crypto:NOPE/USD"]) {{ nodes {{ price }} failures {{ code }} }} }}',
    f'{{ candles(symbol: "{PAIR}", interval: H1, {RANGE}) {{ columns {{ openTime close }} }} }}',
    f'{{ orderBook(symbol: "{PAIR}", depth: 20) {{ bids {{ price size }} }} }}',
    f'{{ trades(symbol: "{PAIR}", last: 50) {{ price size time }} }}',
    '{ quote(symbol: "crypto:NOPE/USD") { price } }',
    "{ quote(symbol: ",
    "{ nothing }",
    "{ providers { id } }",
)


async def turn_of(worker: Worker) -> None:
    """One run; of a worker that goes on without end as much as it has to do now."""
    running = asyncio.ensure_future(worker.run())
    await asyncio.wait({running}, timeout=TURN_S)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def ask_everything(house: House, days: int) -> None:
    """Every few hours all questions at once, twice: cold, then from the cache. Every day the plugins' workers."""
    for hour in range(0, days * 24, EVERY_H):
        house.clock.turn(EVERY_H * 3600)
        for _ in range(2):
            await asyncio.gather(*map(house.ask, QUESTIONS))
        house.results.clear()
        if hour % 24 == 0:
            for plugin in house.host.plugins:
                for worker in plugin.workers(house.host) if plugin.workers else ():
                    await turn_of(worker)


def drop_memos(house: House) -> None:
    """What is kept of values that were shown is bounded in number, and goes with them."""
    house.executor._kept.drop()
    house.host.service(Drawn).drop()


async def test_a_week_of_every_question_leaves_nothing_behind(tmp_path: Path, sqlite_url: str) -> None:
    async with open_house(sqlite_url, tmp_path) as house:
        await ask_everything(house, WARMING)
        drop_memos(house)
        before, held = alive(), entries()

        await ask_everything(house, DAYS)
        drop_memos(house)

        assert grown(before, alive()) == {}
        # Less than one for each question; what the database layer remembers came with the first days.
        assert entries() - held < DAYS * 24 // EVERY_H * len(QUESTIONS)
