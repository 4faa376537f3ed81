"""Real sockets: uvicorn on loopback behind a small schema with subscriptions, and a client of the bare protocol."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import strawberry
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from gateway.core.identity import ANONYMOUS, CallerKind, Principal
from gateway.edge.cost import Price
from gateway.edge.errors import Refused
from gateway.edge.execute import PreparedOperation, RequestFacts
from gateway.edge.frames import FramesProtocol
from gateway.edge.gate import Admission, Told
from gateway.edge.health import HealthReport
from gateway.edge.limits import EdgeSettings
from gateway.edge.routes import build_edge
from gateway.edge.shedding import Shedding
from schema.errors import AmbiguousInstrument, Refusal

LARGEST = 1024 * 1024
TOLD = Told(cost=7, limit=100, remaining=93, resets=1_800_000_060, at=1_800_000_000)
KNOWN = Principal(tenant="ten_1", kind=CallerKind.API_KEY, key="key_1")


@dataclass
class Stage:
    """What the resolvers did, what the gate is told to say, and what it saw."""

    principal: Principal = ANONYMOUS
    refusal: Exception | None = None
    slow_s: float = 0.0
    """How long it takes to know who asks."""
    refused_operation: Refusal | None = None
    facts: list[RequestFacts] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    never: asyncio.Event = field(default_factory=asyncio.Event)
    closers: list[Callable[[str], None]] = field(default_factory=list)
    open: int = 0
    failures: list[bool] = field(default_factory=list)

    async def identify(self, facts: RequestFacts) -> Principal:
        self.facts.append(facts)
        await asyncio.sleep(self.slow_s)
        if self.refusal is not None:
            raise self.refusal
        return self.principal

    def recognise(self, facts: RequestFacts) -> Principal | None:
        return None

    def admit_now(self, prepared: PreparedOperation, principal: Principal, facts: RequestFacts) -> Admission | None:
        return None

    async def admit(self, prepared: PreparedOperation, principal: Principal, facts: RequestFacts) -> Admission:
        if self.refused_operation is not None:
            raise self.refused_operation
        self.open += 1
        return Admission(TOLD, self.release)

    def check_unread(self, source: str, principal: Principal) -> None:
        """Everything is read."""

    async def charge_refused(self, refused: Refused, principal: Principal, facts: RequestFacts) -> Refused:
        return refused

    async def admit_price(self, price: Price, principal: Principal, facts: RequestFacts) -> Admission:
        if self.refused_operation is not None:
            raise self.refused_operation
        self.open += 1
        return Admission(TOLD._replace(cost=price.cost), self.release)

    def release(self, context: object, failed: bool) -> None:
        self.open -= 1
        self.failures.append(failed)

    def connect(self, principal: Principal, facts: RequestFacts) -> Callable[[], None]:
        return lambda: None

    def watch(self, principal: Principal, closed: Callable[[str], None]) -> Callable[[], None]:
        self.closers.append(closed)
        return lambda: self.closers.remove(closed)


@dataclass
class Asked:
    """The context of one operation, or of one event of a subscription."""

    stage: Stage
    facts: RequestFacts
    counted: int = 0


Info = strawberry.Info[Asked, None]


def resolve_hello(info: Info, name: str = "world") -> str:
    return f"hello {name}"


async def resolve_never(info: Info) -> str | None:
    stage = info.context.stage
    stage.begun.set()
    try:
        await stage.never.wait()
    except asyncio.CancelledError:
        stage.calls.append("never cancelled")
        raise
    return "never"


def resolve_broken() -> str | None:
    raise RuntimeError("the password is hunter2")


def resolve_odd() -> str:
    return "\ud800"


async def resolve_slow_note(info: Info, text: str) -> str:
    stage = info.context.stage
    stage.begun.set()
    stage.calls.append(f"begins {text}")
    await stage.never.wait()
    stage.calls.append(f"ends {text}")
    return text


def resolve_note(info: Info, text: str) -> str:
    info.context.stage.calls.append(text)
    return text


def resolve_counted(info: Info) -> int:
    """How often this context was asked: one for each event where events have contexts of their own."""
    info.context.counted += 1
    return info.context.counted


@strawberry.type
class Tick:
    number: int
    counted: int = strawberry.field(resolver=resolve_counted)
    broken: str | None = strawberry.field(resolver=resolve_broken)
    never: str | None = strawberry.field(resolver=resolve_never)


async def resolve_count(info: Info, to: int) -> AsyncGenerator[Tick]:
    stage = info.context.stage
    try:
        for number in range(to):
            yield Tick(number=number)
    finally:
        stage.calls.append("count closed")


async def resolve_silence(info: Info) -> AsyncGenerator[Tick]:
    stage = info.context.stage
    stage.begun.set()
    try:
        await stage.never.wait()
        yield Tick(number=0)
    finally:
        stage.calls.append("silence closed")


async def resolve_flood(info: Info, size: int) -> AsyncGenerator[str]:
    stage = info.context.stage
    try:
        while True:
            stage.calls.append("flood")
            yield "x" * size
    finally:
        stage.calls.append("flood closed")


async def resolve_breaks(after: int) -> AsyncGenerator[Tick]:
    for number in range(after):
        yield Tick(number=number)
    raise RuntimeError("the password is hunter2")


async def resolve_expected() -> AsyncGenerator[Tick]:
    raise AmbiguousInstrument("BTC", ["crypto:BTC/USD", "equity:BTC"])
    yield Tick(number=0)


@strawberry.type
class Query:
    hello: str = strawberry.field(resolver=resolve_hello)
    never: str | None = strawberry.field(resolver=resolve_never)
    broken: str | None = strawberry.field(resolver=resolve_broken)
    odd: str | None = strawberry.field(resolver=resolve_odd)


@strawberry.type
class Mutation:
    note: str | None = strawberry.field(resolver=resolve_note)
    slow_note: str | None = strawberry.field(resolver=resolve_slow_note)


@strawberry.type
class Subscription:
    count = strawberry.subscription(resolver=resolve_count)
    silence = strawberry.subscription(resolver=resolve_silence)
    flood = strawberry.subscription(resolver=resolve_flood)
    breaks = strawberry.subscription(resolver=resolve_breaks)
    expected = strawberry.subscription(resolver=resolve_expected)


SCHEMA = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription)


def stage_app(stage: Stage, settings: EdgeSettings, shedding: Shedding | None = None) -> Starlette:
    """The real edge, its gate played by the stage."""

    async def readiness() -> list[str]:
        return []

    def health() -> HealthReport:
        return HealthReport(status="ok", mode="recorded", env="test", version="0.1.0", providers=[])

    return build_edge(
        schema=SCHEMA, settings=settings, context_for=lambda facts, _: Asked(stage=stage, facts=facts), gate=stage,
        readiness=readiness, health=health, shedding=shedding,
    )  # fmt: skip


@asynccontextmanager
async def serving(app: Starlette, protocol: type[FramesProtocol] = FramesProtocol) -> AsyncIterator[str]:
    """Address of a socket endpoint of its own port, until the block ends."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws=protocol, ws_max_size=LARGEST,
        timeout_graceful_shutdown=5,
    )  # fmt: skip
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    try:
        await settled(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}/graphql"
    finally:
        server.should_exit = True
        await running


def narrow(url: str) -> socket.socket:
    """A client's socket that takes little before it is read."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    made.connect(("127.0.0.1", int(url.split(":")[2].split("/")[0])))
    return made


@dataclass
class Peer:
    """A client that says exactly what a test tells it to."""

    connection: ClientConnection

    async def say(self, message: object) -> None:
        await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        """The next message; a frame that is not text fails."""
        async with asyncio.timeout(10):
            text = await self.connection.recv()
        assert isinstance(text, str)
        return dict(json.loads(text))

    async def initialise(self, payload: Mapping[str, object] | None = None) -> None:
        await self.say({"type": "connection_init", **({} if payload is None else {"payload": payload})})
        assert await self.hear() == {"type": "connection_ack"}

    async def ask(self, document: str, id: str = "1", **payload: object) -> None:
        await self.say({"type": "subscribe", "id": id, "payload": {"query": document, **payload}})

    async def answer(self, document: str, id: str = "1", **payload: object) -> Any:
        """The data of a query or mutation."""
        await self.ask(document, id, **payload)
        following = await self.hear()
        assert (following["type"], following["id"]) == ("next", id), following
        assert await self.hear() == {"type": "complete", "id": id}
        return following["payload"]["data"]

    async def end(self) -> tuple[int | None, str]:
        """Code and reason of the close frame; whatever still comes before is passed over."""
        try:
            async with asyncio.timeout(10):
                while True:
                    await self.connection.recv()
        except ConnectionClosed as closed:
            return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (None, "")


@asynccontextmanager
async def dialled(
    url: str, *, protocols: list[str] | None = None, headers: Mapping[str, str] | None = None, **options: Any
) -> AsyncIterator[Peer]:
    """A connection that offers the protocol unless told otherwise."""
    subprotocols: Any = ["graphql-transport-ws"] if protocols is None else protocols or None
    async with connect(
        url, subprotocols=subprotocols, additional_headers=dict(headers or {}), proxy=None, **options
    ) as connection:
        yield Peer(connection)


def strangers(before: set[asyncio.Task[Any]]) -> list[str]:
    """Tasks of the gateway that were not there before."""
    names = [str(task.get_coro()) for task in asyncio.all_tasks() - before if not task.done()]
    return [name for name in names if "Socket." in name or "Operations." in name or "run_asgi" in name]


async def settled(condition: Callable[[], bool]) -> None:
    """Wait until something holds that other tasks bring about."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nothing that it waits for has an event
            await asyncio.sleep(0.01)
