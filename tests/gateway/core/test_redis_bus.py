"""The bus between processes, over a real server that comes and goes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis.asyncio

from gateway.core.redis import DEAD_S, SOCKET_S, RedisBus
from tests.servers import restartable_valkey

LONG = 10.0
TOPIC = "accounts.revoked"


async def until(condition: Callable[[], bool], within: float = LONG) -> float:
    """Seconds until it holds."""
    begun = time.perf_counter()
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - another process decides
            await asyncio.sleep(0.005)
    return time.perf_counter() - begun


@asynccontextmanager
async def process(url: str) -> AsyncIterator[tuple[RedisBus, list[Any]]]:
    """A bus that listens, and what it has heard."""
    bus = RedisBus(url)
    heard: list[Any] = []
    bus.subscribe(TOPIC, heard.append)
    await bus.start()
    try:
        yield bus, heard
    finally:
        await bus.close()


async def test_a_message_is_heard_here_at_once_and_in_the_others_soon_and_nowhere_twice(redis_url):
    async with process(redis_url) as (one, here), process(redis_url) as (_, there):
        await one.publish(TOPIC, {"kind": "key", "id": "key_1"})
        at_once = list(here)
        await until(lambda: bool(there), 1.0)
        await asyncio.sleep(0.05)

    assert at_once == here == there == [{"kind": "key", "id": "key_1"}]


async def test_topics_are_heard_apart_and_in_order(redis_url):
    async with process(redis_url) as (one, _), process(redis_url) as (two, heard):
        others: list[Any] = []
        two.subscribe("other", others.append)
        for number in range(20):
            await one.publish(TOPIC, {"n": number})
            await one.publish("other", {"m": number})
        await until(lambda: len(heard) + len(others) == 40)

    assert (heard, others) == ([{"n": n} for n in range(20)], [{"m": n} for n in range(20)])


async def test_who_ended_a_subscription_hears_nothing_more(redis_url):
    async with process(redis_url) as (one, _), process(redis_url) as (two, heard):
        seen: list[Any] = []
        two.subscribe(TOPIC, seen.append)()
        await one.publish(TOPIC, {"n": 1})
        await until(lambda: bool(heard))

    assert (heard, seen) == ([{"n": 1}], [])


async def test_frames_of_strangers_are_left_alone(redis_url):
    client = redis.asyncio.Redis.from_url(redis_url)
    async with process(redis_url) as (one, _), process(redis_url) as (_, heard):
        for frame in (b"\xff", b"[]", b'{"origin": 1}', b'{"origin": "x", "message": []}'):
            await client.publish(f"marketgate:{TOPIC}", frame)
        await one.publish(TOPIC, {"n": 1})
        await until(lambda: bool(heard))
    await client.aclose()

    assert heard == [{"n": 1}]


async def test_a_handler_that_breaks_stops_neither_the_others_nor_the_bus(redis_url):
    async with process(redis_url) as (one, _), RedisBusOf(redis_url) as two:
        heard: list[Any] = []

        def broken(_: Any) -> None:
            raise ValueError("broken")

        two.subscribe(TOPIC, broken)
        two.subscribe(TOPIC, heard.append)
        for number in range(2):
            await one.publish(TOPIC, {"n": number})
        await until(lambda: len(heard) == 2)

        assert two.connected


async def test_a_local_handler_that_breaks_stops_neither_the_others_nor_the_message(redis_url):
    async with process(redis_url) as (_, there), RedisBusOf(redis_url) as one:
        heard: list[Any] = []

        def broken(_: Any) -> None:
            raise ValueError("broken")

        one.subscribe(TOPIC, broken)
        one.subscribe(TOPIC, heard.append)
        await one.publish(TOPIC, {"n": 1})
        await until(lambda: bool(there))

    assert heard == there == [{"n": 1}]


async def test_a_gap_handler_that_breaks_stops_neither_the_others_nor_the_bus(redis_url):
    one, gaps = RedisBus(redis_url), []

    def broken() -> None:
        raise ValueError("broken")

    one.on_gap(broken)
    one.on_gap(lambda: gaps.append("gap"))
    await one.start()
    connected = one.connected
    await one.close()

    assert (connected, gaps) == (True, ["gap"])


async def test_listening_survives_what_nobody_expects(redis_url, monkeypatch):
    one = RedisBus(redis_url)
    hear, tries = one._hear, []

    async def breaking() -> None:
        tries.append("try")
        if len(tries) == 1:
            raise KeyError("unexpected")
        await hear()

    monkeypatch.setattr(one, "_hear", breaking)
    await one.start()
    connected = one.connected
    await one.close()

    assert (connected, tries) == (True, ["try", "try"])


async def test_after_a_failure_nothing_waits_for_a_silent_server_for_a_while():
    with restartable_valkey() as server:
        async with process(server.url) as (bus, heard):
            server.freeze()
            begun = time.perf_counter()
            await asyncio.gather(*(bus.publish(TOPIC, {"n": n}) for n in range(40)))
            for n in range(40, 60):
                await bus.publish(TOPIC, {"n": n})
            waited = time.perf_counter() - begun
            server.thaw()

    assert heard == [{"n": n} for n in range(60)]
    assert waited < SOCKET_S * 2
    assert bus.lost == 60


async def test_who_is_cancelled_while_publishing_has_published(redis_url):
    async with process(redis_url) as (one, here), process(redis_url) as (_, there):
        publishing = asyncio.create_task(one.publish(TOPIC, {"n": 1}))
        await asyncio.sleep(0)
        publishing.cancel()
        await until(lambda: bool(there))

    assert here == there == [{"n": 1}]


class RedisBusOf:
    """A started bus without handlers."""

    def __init__(self, url: str) -> None:
        self.bus = RedisBus(url)

    async def __aenter__(self) -> RedisBus:
        await self.bus.start()
        return self.bus

    async def __aexit__(self, *_: object) -> None:
        await self.bus.close()


async def test_after_the_server_was_away_the_bus_connects_again_and_says_that_there_was_a_gap():
    gaps: list[str] = []
    with restartable_valkey() as server:
        async with process(server.url) as (one, _), process(server.url) as (two, heard):
            two.on_gap(lambda: gaps.append("gap"))
            server.stop()
            await until(lambda: not two.connected and not one.connected)
            begun = time.perf_counter()
            await one.publish(TOPIC, {"n": "lost"})
            waited = time.perf_counter() - begun
            told_before = list(gaps)

            server.start()
            await until(lambda: two.connected and one.connected)
            await one.publish(TOPIC, {"n": "heard"})
            await until(lambda: bool(heard))

    assert waited < SOCKET_S * 2
    assert (told_before, gaps, heard) == ([], ["gap"], [{"n": "heard"}])


async def test_a_server_that_falls_silent_is_noticed_and_publishing_waits_only_for_a_moment():
    with restartable_valkey() as server:
        async with process(server.url) as (bus, heard):
            server.freeze()
            begun = time.perf_counter()
            await bus.publish(TOPIC, {"n": 1})
            waited = time.perf_counter() - begun
            await until(lambda: not bus.connected, DEAD_S * 3)
            server.thaw()
            await until(lambda: bus.connected)

    assert waited < SOCKET_S * 2
    assert heard == [{"n": 1}]


async def test_a_start_without_a_server_is_not_held_up_and_the_bus_connects_when_there_is_one(caplog: Any):
    with restartable_valkey() as server:
        server.stop()
        begun = time.perf_counter()
        async with process(server.url) as (bus, heard):
            started_in = time.perf_counter() - begun
            alone = bus.connected
            await bus.publish(TOPIC, {"n": 1})
            server.start()
            await until(lambda: bus.connected)

    assert (started_in < 2.0, alone, heard) == (True, False, [{"n": 1}])


async def test_closing_ends_every_task_and_connection(redis_url):
    before = asyncio.all_tasks()
    client = redis.asyncio.Redis.from_url(redis_url)
    clients = len(await client.client_list())

    async with process(redis_url) as (bus, _):
        await bus.publish(TOPIC, {"n": 1})
        during = len(await client.client_list())

    await asyncio.sleep(0.05)
    after = len(await client.client_list())
    await client.aclose()
    assert (during - clients, after - clients) == (2, 0)
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0"])
async def test_one_outage_is_logged_once(url, capsys):
    async with process(url) as (bus, _):
        for _ in range(5):
            await bus.publish(TOPIC, {"n": 1})
        await asyncio.sleep(0.3)

    written = capsys.readouterr()
    assert (written.out + written.err).count("bus_disconnected") == 1
