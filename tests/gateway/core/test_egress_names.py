"""Lookups in threads: a slow name server holds up its own names only."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.core.egress.names import LOOKUPS, LOOKUPS_OF_DOMAIN, SystemNames


class Slow:
    """A `getaddrinfo` that says nothing of *.slow.example until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.begun = threading.Semaphore(0)

    def __call__(self, name: str, *_: Any, **__: Any) -> list[Any]:
        if name.endswith("slow.example"):
            self.begun.release()
            self.let_go.wait(20)
        if name == "nobody.example":
            raise socket.gaierror(-2, "unknown")
        return [(socket.AF_INET, None, 6, "", (address, 0)) for address in ("127.0.0.7", "127.0.0.7", "127.0.0.8")]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    made = Slow()
    monkeypatch.setattr("gateway.core.egress.names.socket.getaddrinfo", made)
    yield made
    made.let_go.set()


async def test_the_system_is_asked():
    assert set(await SystemNames()("localhost")) <= {"127.0.0.1", "::1"}


async def test_each_address_comes_once(slow: Slow):
    assert list(await SystemNames()("quick.example")) == ["127.0.0.7", "127.0.0.8"]


async def test_a_name_that_nobody_knows_is_an_error_and_leaves_room(slow: Slow):
    asking = SystemNames()

    for _ in range(LOOKUPS + 1):
        with pytest.raises(OSError, match="unknown"):
            await asking("nobody.example")


async def test_a_domain_whose_name_server_is_slow_holds_up_itself_only(slow: Slow):
    asking = SystemNames()
    waiting = [asyncio.create_task(asking(f"a{n}.slow.example")) for n in range(LOOKUPS_OF_DOMAIN + 5)]
    for _ in range(LOOKUPS_OF_DOMAIN):
        await asyncio.to_thread(slow.begun.acquire)

    assert list(await asking("quick.test")) == ["127.0.0.7", "127.0.0.8"]
    assert not slow.begun.acquire(blocking=False)

    slow.let_go.set()
    assert [len(found) for found in await asyncio.gather(*waiting)] == [2] * (LOOKUPS_OF_DOMAIN + 5)


async def test_a_lookup_that_nobody_waits_for_any_more_has_its_turn_until_it_ends(slow: Slow):
    asking = SystemNames()
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
