"""Each recorded conversation once more over a real socket: the machine sends what it must, and tells what is said."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.core.check.replay import KEY
from gateway.core.lines.channels import Place
from gateway.core.lines.connection import Connection, Upstream
from gateway.core.lines.line import Event, Update
from gateway.core.lines.socket import Sockets, Wire, furnished, rebased
from providers.feeds import Feed, Topic
from providers.recording import plain
from tests.contract.streams import NOW, Snapshot, StreamCase, cases_of, data_of, topics_of
from tests.contract.suite import PROVIDERS
from tests.doubles.clocks import HeldClock, until
from tests.doubles.sockets import Talk, socket_venue


def said_before_trouble(case: StreamCase) -> list[tuple[Any, ...]]:
    """What is told before a gap or a farewell: there the machine begins anew, which no recording foresees."""
    found = []
    for news in case.expect:
        if {"gap", "restart"} & set(news):
            break
        if "said" in news:
            found.append((news["said"], news["values"], news.get("as_of"), news.get("snapshot", False)))
    return found


CASES = [
    case
    for name in PROVIDERS
    for case in cases_of(name)
    if case.stream.feed.address.startswith("ws") and said_before_trouble(case)
]

TURNS = 100


class Venue:
    """A recording that talks: it waits for the frames of the subscription, then goes through its steps."""

    def __init__(self, case: StreamCase) -> None:
        self.case, self.clock = case, HeldClock(NOW)
        self.answers = [step["http"] for step in case.steps if "http" in step]
        if "http" in case.locate:
            self.answers.insert(0, case.locate["http"])
        self.asked = 0
        self._due = asyncio.Semaphore(1 if "http" in case.locate else 0)
        self.told: list[tuple[Any, ...]] = []

    async def script(self, talk: Talk) -> None:
        await talk.wait(len(self.case.sent))
        # Some feeds ask before they have subscribed.
        asked = 1 if "http" in self.case.locate else 0
        for step in self.case.steps:
            if "http" in step:
                asked += 1
                # What was sent before is read before: both ends are in this loop.
                for _ in range(TURNS):
                    await asyncio.sleep(0)
                self._due.release()
                await until(lambda wanted=asked: self.asked >= wanted)  # type: ignore[misc]
            else:
                await talk.send(data_of(step))

    async def ask(self, call: Callable[[Any], Any], weight: int = 1) -> Any:
        return await call(self)

    async def get(self, *asked: Any, **more: Any) -> Any:
        return await (await self._next()).get(*asked, **more)

    async def post(self, *asked: Any, **more: Any) -> Any:
        return await (await self._next()).post(*asked, **more)

    async def _next(self) -> Snapshot:
        """An answer, once its turn among the steps has come."""
        await self._due.acquire()
        self.asked += 1
        return Snapshot(self.case.provider, self.answers.pop(0))

    def place(self, topic: Topic) -> Place:
        def tell(event: Event) -> None:
            if isinstance(event, Update):
                self.told.append((topic.channel, plain(event.values), plain(event.as_of), event.snapshot))

        return Place(topic=topic, tell=tell)


@asynccontextmanager
async def connected(venue: Venue, url: str) -> AsyncIterator[None]:
    case, sockets = venue.case, Sockets(venue.clock)
    feed = case.stream.feed
    key = dict.fromkeys((part.name for part in (*case.cls.profile.credentials, *feed.credentials)), KEY)

    async def dial(made: Feed, address: str) -> Wire:
        there, headers = furnished(rebased(address, url, case.provider), case.provider, made.credentials, key)
        return await sockets.open(case.provider, there, headers)

    async def is_open(_: Any) -> bool:
        return True

    upstream = Upstream(
        provider=case.provider, feed=lambda: feed(case.cls.profile, key, venue.clock), dial=dial, ask=venue.ask,
        is_open=is_open,
    )  # fmt: skip
    connection = Connection(upstream, venue.clock, random.Random(1), lambda _: None)
    for topic in topics_of(case.cls, case.stream, case.asks):
        connection.join(venue.place(topic))
    try:
        yield
    finally:
        await connection.close()
        await sockets.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.provider}-{case.capability}-{case.name}")
async def test_a_conversation_over_a_socket_comes_to_the_same(case: StreamCase):
    venue, expected = Venue(case), said_before_trouble(case)

    async with socket_venue(venue.script) as double, connected(venue, double.url):
        talk = await double.talk(0)
        while len(talk.received) < len(case.sent):
            await venue.clock.turn(1)
        await until(lambda: len(venue.told) >= len(expected))

    assert talk.received[: len(case.sent)] == list(case.sent)
    assert venue.told[: len(expected)] == expected
