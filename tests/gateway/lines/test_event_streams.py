"""A feed over server-sent events: its topics stand in the address, and others mean another stream."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from gateway.core.lines.channels import Place
from gateway.core.lines.connection import Connection, Upstream
from gateway.core.lines.line import Event, Trouble, Update
from gateway.core.lines.socket import Sockets, Wire, rebased
from providers.contract import Http
from providers.feeds import Feed, News, Out, Said, Topic
from providers.row import Row
from schema.symbols import parse_instrument
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from tests.doubles.clocks import HeldClock, until
from tests.doubles.tape import Tape


class Ticking(Feed):
    """`{"id", "p"}` for each id in the address."""

    address = "https://ticks.example/stream"

    async def locate(self, http: Http, topics: Sequence[Topic]) -> str:
        return f"{self.address}?ids={','.join(sorted(topic.channel for topic in topics))}"

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        return ()

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        return ()

    def read(self, frame: Row) -> Iterable[News]:
        topic = self.topics.get(frame.text("id"))
        if topic is None:
            return []
        quote = Quote(instrument=topic.instrument, price=frame.decimal("p"), price_type=PriceType.LAST)
        return [Said(channel=topic.channel, values=(quote,))]


class Ticker:
    """The venue: each stream's address, and a way to send an event on the last one."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.open = 0
        self._replies: list[web.StreamResponse] = []

    async def serve(self, request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await reply.prepare(request)
        self.asked.append(request.query["ids"])
        self._replies.append(reply)
        self.open += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.open -= 1
        return reply

    async def send(self, text: str) -> None:
        await self._replies[-1].write(f"data: {text}\n\n".encode())


@asynccontextmanager
async def streaming() -> AsyncIterator[tuple[Ticker, HeldClock, Callable[[str], list[Event]]]]:
    ticker, clock = Ticker(), HeldClock()
    app = web.Application()
    app.router.add_get("/{path:.*}", ticker.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
    sockets = Sockets(clock)

    async def dial(feed: Feed, url: str) -> Wire:
        return await sockets.open("tape", rebased(url, base, "tape"), {})

    async def ask(call: Callable[[Any], Any], weight: int = 1) -> Any:
        return await call(None)

    async def is_open(_: Any) -> bool:
        return True

    upstream = Upstream(
        provider="tape", feed=lambda: Ticking(Tape.profile, {}, clock), dial=dial, ask=ask, is_open=is_open
    )
    connection = Connection(upstream, clock, random.Random(1), lambda _: None)

    def join(name: str) -> list[Event]:
        told: list[Event] = []
        ask_ = QuotesAsk(instruments=(parse_instrument(f"crypto:{name}/USD"),))
        connection.join(Place(topic=Topic(channel=name, capability=QUOTES, ask=ask_), tell=told.append))
        return told

    try:
        yield ticker, clock, join
    finally:
        await connection.close()
        await sockets.close()
        await until(lambda: ticker.open == 0)
        await runner.cleanup()


async def test_a_further_topic_opens_another_stream_without_trouble_for_the_first():
    async with streaming() as (ticker, clock, join):
        btc = join("BTC")
        await until(lambda: ticker.asked == ["BTC"])
        await ticker.send('{"id": "BTC", "p": 1}')
        await until(lambda: len(btc) == 1)

        eth = join("ETH")
        await until(lambda: ticker.open == 0)
        await clock.turn(0.2)
        await until(lambda: ticker.asked == ["BTC", "BTC,ETH"])
        await ticker.send('{"id": "ETH", "p": 2}')
        await ticker.send('{"id": "BTC", "p": 3}')
        await until(lambda: len(btc) == 2)

        assert [event.values[0].price for event in (*btc, *eth) if isinstance(event, Update)] == [1, 3, 2]
        assert not any(isinstance(event, Trouble) for event in (*btc, *eth))
