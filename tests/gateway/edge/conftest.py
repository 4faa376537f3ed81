"""A small schema behind the real edge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import httpx
import pytest
import strawberry
from starlette.applications import Starlette

from gateway.core.identity import Principal
from gateway.core.settings import Settings
from gateway.edge.execute import RequestFacts
from gateway.edge.gate import Gate
from gateway.edge.health import HealthReport
from gateway.edge.limits import EdgeSettings
from gateway.edge.persisted import SharedDocuments
from gateway.edge.routes import build_edge
from schema.errors import AmbiguousInstrument
from tests.furnished import furnish
from tests.gateway.doubles import ROOT_SECRET
from tests.gateway.edge.floors import Floor, opened


@dataclass
class World:
    """What the resolvers did, and what the app is told."""

    facts: list[RequestFacts] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    never: asyncio.Event = field(default_factory=asyncio.Event)


@strawberry.input
class RangeInput:
    lowest: int = 0
    highest: int = 10


def resolve_hello(info: strawberry.Info, name: str = "world") -> str:
    info.context.calls.append(f"hello {name}")
    return f"hello {name}"


async def resolve_later(info: strawberry.Info, name: str) -> str:
    await asyncio.sleep(0)
    info.context.calls.append(f"later {name}")
    return name


async def resolve_never(info: strawberry.Info) -> str:
    info.context.begun.set()
    try:
        await info.context.never.wait()
    except asyncio.CancelledError:
        info.context.calls.append("cancelled")
        raise
    return "never"


def resolve_broken() -> str:
    raise RuntimeError("the password is hunter2")


def resolve_broken_required() -> str:
    raise RuntimeError("the password is hunter2")


def resolve_expected() -> str | None:
    raise AmbiguousInstrument("BTC", ["crypto:BTC/USD", "equity:BTC"])


def resolve_width(range: RangeInput) -> int:
    return range.highest - range.lowest


def resolve_odd() -> str:
    return "\ud800"


def resolve_rows(count: int) -> list[Row]:
    return [Row(number=number) for number in range(count)]


def resolve_child() -> Row:
    return Row(number=1)


@strawberry.type
class Row:
    number: int
    failing: str | None = strawberry.field(resolver=resolve_broken)
    child: Row = strawberry.field(resolver=resolve_child)


@strawberry.type
class Query:
    hello: str = strawberry.field(resolver=resolve_hello)
    later: str | None = strawberry.field(resolver=resolve_later)
    never: str | None = strawberry.field(resolver=resolve_never)
    broken: str | None = strawberry.field(resolver=resolve_broken)
    broken_required: str = strawberry.field(resolver=resolve_broken_required)
    expected: str | None = strawberry.field(resolver=resolve_expected)
    width: int | None = strawberry.field(resolver=resolve_width)
    odd: str | None = strawberry.field(resolver=resolve_odd)
    rows: list[Row] = strawberry.field(resolver=resolve_rows)
    row: Row = strawberry.field(resolver=resolve_child)


async def resolve_note(info: strawberry.Info, text: str) -> str:
    info.context.calls.append(f"note begins {text}")
    await asyncio.sleep(0)
    info.context.calls.append(f"note ends {text}")
    return text


@strawberry.type
class Mutation:
    note: str | None = strawberry.field(resolver=resolve_note)


SCHEMA = strawberry.Schema(query=Query, mutation=Mutation)

Build = Callable[..., Starlette]
Connect = Callable[..., httpx.AsyncClient]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def settings(tmp_path) -> EdgeSettings:
    """Production, without pages."""
    return EdgeSettings(static=tmp_path / "none")


@pytest.fixture
def build(world: World, settings: EdgeSettings) -> Build:
    def context_for(facts: RequestFacts, _: Principal) -> World:
        world.facts.append(facts)
        return world

    async def readiness() -> list[str]:
        return world.missing

    def health() -> HealthReport:
        provider = {"id": "kraken", "name": "Kraken", "status": "READY", "reason": None}
        return HealthReport(status="ok", mode="recorded", env="test", version="0.1.0", providers=[provider])

    def make(
        schema: strawberry.Schema = SCHEMA, persisted: SharedDocuments | None = None, gate: Gate | None = None,
        **changes: object,
    ) -> Starlette:  # fmt: skip
        return build_edge(
            schema=schema,
            persisted=persisted,
            gate=gate,
            settings=replace(settings, **changes),  # type: ignore[arg-type]
            context_for=context_for,
            readiness=readiness,
            health=health,
        )

    return make


@pytest.fixture
async def connect(build: Build) -> AsyncIterator[Connect]:
    """A client of an app with the settings given; `raise_app_exceptions` stays on, so no fault passes unseen."""
    opened: list[httpx.AsyncClient] = []

    def make(**changes: object) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=build(**changes))
        client = httpx.AsyncClient(transport=transport, base_url="http://edge.test")
        del client.headers["accept"]
        opened.append(client)
        return client

    yield make
    closing: list[Awaitable[None]] = [client.aclose() for client in opened]
    await asyncio.gather(*closing)


@pytest.fixture
def settings_and_key(sqlite_url, tmp_path) -> tuple[Settings, str]:
    made = Settings.model_validate(
        {"env": "development", "data_dir": tmp_path, "database_url": sqlite_url, "secret_key": ROOT_SECRET}
    )
    return made, furnish(made)


@pytest.fixture
async def floor(settings_and_key) -> AsyncIterator[Floor]:
    async with opened(*settings_and_key) as floor:
        yield floor
