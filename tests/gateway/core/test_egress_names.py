"""Lookups in threads: a slow name server holds up its own names only."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.core.egress.names import (
    KNOWN_S,
    LOOKUPS,
    LOOKUPS_OF_DOMAIN,
    SLOW_LOOKUPS,
    SLOW_S,
    SystemNames,
    domain_of,
)
from tests.gateway.doubles import ManualClock


class Slow:
    """A `getaddrinfo` that says nothing of *.slow.example until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.begun = threading.Semaphore(0)
        self.hangs: set[str] = set()
        self.unsaid: set[str] = set()
        self.gone: set[str] = set()

    async def begins(self, count: int = 1) -> None:
        """So many of the slow ones are looked up now."""
        for _ in range(count):
            assert await asyncio.to_thread(self.begun.acquire, timeout=20)

    def __call__(self, name: str, *_: Any, **__: Any) -> list[Any]:
        if name in self.hangs or name.endswith("slow.example"):
            self.begun.release()
            self.let_go.wait(20)
        if name in self.unsaid:
            raise socket.gaierror(socket.EAI_AGAIN, "not now")
        if name in self.gone or name == "nobody.example":
            raise socket.gaierror(-2, "unknown")
        return [(socket.AF_INET, None, 6, "", (address, 0)) for address in ("127.0.0.7", "127.0.0.7", "127.0.0.8")]


class Patience(ManualClock):
    """Its sleepers wake when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.sleepers: list[asyncio.Future[None]] = []

    async def sleep(self, seconds: float) -> None:
        assert seconds == SLOW_S
        self.sleepers.append(asyncio.get_running_loop().create_future())
        await self.sleepers[-1]

    async def runs_out(self) -> None:
        for sleeper in self.sleepers:
            if not sleeper.done():
                sleeper.set_result(None)
        for _ in range(10):
            await asyncio.sleep(0)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    made = Slow()
    monkeypatch.setattr("gateway.core.egress.names.socket.getaddrinfo", made)
    yield made
    made.let_go.set()


async def test_the_system_is_asked():
    assert set(await SystemNames(Patience())("localhost")) <= {"127.0.0.1", "::1"}


async def test_each_address_comes_once(slow: Slow):
    assert list(await SystemNames(Patience())("quick.example")) == ["127.0.0.7", "127.0.0.8"]


async def test_a_name_that_nobody_knows_is_an_error_and_leaves_room(slow: Slow):
    asking = SystemNames(Patience())

    for _ in range(LOOKUPS + 1):
        with pytest.raises(OSError, match="unknown"):
            await asking("nobody.example")


async def test_a_domain_whose_name_server_is_slow_holds_up_itself_only(slow: Slow):
    asking = SystemNames(Patience())
    waiting = [asyncio.create_task(asking(f"a{n}.slow.example")) for n in range(LOOKUPS_OF_DOMAIN + 5)]
    for _ in range(LOOKUPS_OF_DOMAIN):
        await asyncio.to_thread(slow.begun.acquire)

    assert list(await asking("quick.test")) == ["127.0.0.7", "127.0.0.8"]
    assert not slow.begun.acquire(blocking=False)

    slow.let_go.set()
    assert [len(found) for found in await asyncio.gather(*waiting)] == [2] * (LOOKUPS_OF_DOMAIN + 5)


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("hooks.shop.example", "shop.example"), ("shop.example", "shop.example"), ("a.b.shop.co.uk", "shop.co.uk"),
        ("a.shop.com.au", "shop.com.au"), ("co.uk", "co.uk"), ("localhost", "localhost"), ("a.b.ibm.com", "ibm.com"),
    ],
)  # fmt: skip
def test_a_domain_is_what_one_owner_has(name: str, domain: str):
    assert domain_of(name) == domain


async def test_slow_names_of_one_owner_do_not_hold_up_another_below_the_same_ending(slow: Slow):
    asking = SystemNames(Patience())
    slow.hangs = {f"a{n}.evil.co.uk" for n in range(LOOKUPS_OF_DOMAIN)}
    waiting = [asyncio.create_task(asking(name)) for name in sorted(slow.hangs)]
    await slow.begins(LOOKUPS_OF_DOMAIN)

    assert len(await asking("shop.co.uk")) == 2

    slow.let_go.set()
    await asyncio.gather(*waiting)


async def test_a_slow_lookup_gives_up_the_turn_of_its_domain(slow: Slow):
    clock = Patience()
    asking = SystemNames(clock)
    slow.hangs = {f"a{n}.host.example" for n in range(LOOKUPS_OF_DOMAIN)}
    waiting = [asyncio.create_task(asking(name)) for name in sorted(slow.hangs)]
    await slow.begins(LOOKUPS_OF_DOMAIN)
    another = asyncio.create_task(asking("quick.host.example"))
    await asking("quick.test")
    assert not another.done()

    await clock.runs_out()

    assert len(await another) == 2
    slow.let_go.set()
    await asyncio.gather(*waiting)


async def test_only_so_many_slow_lookups_go_aside(slow: Slow):
    clock = Patience()
    asking = SystemNames(clock)
    waiting = []
    for begin in range(0, SLOW_LOOKUPS, LOOKUPS_OF_DOMAIN):
        waiting += [asyncio.create_task(asking(f"a{begin + n}.slow.example")) for n in range(LOOKUPS_OF_DOMAIN)]
        await slow.begins(LOOKUPS_OF_DOMAIN)
        await clock.runs_out()
    waiting += [asyncio.create_task(asking(f"b{n}.slow.example")) for n in range(LOOKUPS_OF_DOMAIN)]
    await slow.begins(LOOKUPS_OF_DOMAIN)
    await clock.runs_out()

    waiting.append(asyncio.create_task(asking("c.slow.example")))
    assert len(await asking("quick.test")) == 2
    assert not slow.begun.acquire(blocking=False)

    slow.let_go.set()
    assert len(await asyncio.gather(*waiting)) == SLOW_LOOKUPS + LOOKUPS_OF_DOMAIN + 1


async def test_a_name_that_was_slow_waits_among_the_slow_ones_until_it_is_quick(slow: Slow):
    clock = Patience()
    asking = SystemNames(clock)
    names = [f"a{n}.host.example" for n in range(LOOKUPS_OF_DOMAIN)]
    slow.hangs = set(names)
    first = [asyncio.create_task(asking(name)) for name in names]
    await slow.begins(LOOKUPS_OF_DOMAIN)
    await clock.runs_out()
    slow.let_go.set()
    await asyncio.gather(*first)
    slow.let_go.clear()

    clock.turn(KNOWN_S + 1)
    second = [asyncio.create_task(asking(name)) for name in names]
    await slow.begins(LOOKUPS_OF_DOMAIN)
    assert len(await asking("quick.host.example")) == 2

    slow.let_go.set()
    await asyncio.gather(*second)
    slow.let_go.clear()
    clock.turn(KNOWN_S + 1)
    third = [asyncio.create_task(asking(name)) for name in names]
    await slow.begins(LOOKUPS_OF_DOMAIN)
    held = asyncio.create_task(asking("another.host.example"))
    await asking("quick.test")
    assert not held.done()

    slow.let_go.set()
    await asyncio.gather(held, *third)


async def test_where_the_resolver_is_slow_what_it_said_within_an_hour_is_good_enough(slow: Slow):
    clock = Patience()
    asking = SystemNames(clock)
    assert len(await asking("shop.example")) == 2
    slow.hangs.add("shop.example")

    again = asyncio.create_task(asking("shop.example"))
    await slow.begins()
    await clock.runs_out()
    assert list(await again) == ["127.0.0.7", "127.0.0.8"]

    clock.turn(KNOWN_S + 1)
    late = asyncio.create_task(asking("shop.example"))
    await asyncio.sleep(0)
    await clock.runs_out()
    assert not late.done()
    slow.let_go.set()
    assert len(await late) == 2


async def test_a_resolver_that_cannot_say_now_is_no_news_and_a_name_that_is_gone_is(slow: Slow):
    asking = SystemNames(Patience())
    await asking("shop.example")

    slow.unsaid.add("shop.example")
    assert list(await asking("shop.example")) == ["127.0.0.7", "127.0.0.8"]

    slow.unsaid.clear()
    slow.gone.add("shop.example")
    with pytest.raises(OSError, match="unknown"):
        await asking("shop.example")


async def test_a_name_is_looked_up_once_for_all_who_wait_for_it(slow: Slow):
    asking = SystemNames(Patience())
    waiting = [asyncio.create_task(asking("one.slow.example")) for _ in range(3)]
    await slow.begins()
    await asking("quick.test")
    assert not slow.begun.acquire(blocking=False)

    slow.let_go.set()
    assert [len(found) for found in await asyncio.gather(*waiting)] == [2, 2, 2]


async def test_a_lookup_that_nobody_waits_for_any_more_has_its_turn_until_it_ends(slow: Slow):
    asking = SystemNames(Patience())
    waiting = [asyncio.create_task(asking(f"a{n}.slow.example")) for n in range(LOOKUPS_OF_DOMAIN)]
    for task in waiting:
        await asyncio.to_thread(slow.begun.acquire)
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    another = asyncio.create_task(asking("another.slow.example"))
    await asking("quick.test")
    assert not slow.begun.acquire(blocking=False)

    slow.let_go.set()
    assert len(await another) == 2
