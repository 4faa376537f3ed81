"""A gateway behind a real socket, its clock standing at noon, with two venues whose minutes a test writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from gateway.app import create_app
from gateway.core.upstream import RawReply, Request
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.organisations.desk import OrganisationDesk
from providers import Discovered
from schema.scopes import Scope
from tests.gateway.doubles import Handler, Wire, reply, venue
from tests.house import House, open_house

MINUTE, PIECE = 60, 1_000
SYMBOL = "symbol=crypto:BTC/USD&interval=1m"
DAY = f"{SYMBOL}&start=2026-11-19&end=2026-11-20"
WEEK = f"{SYMBOL}&start=2026-11-13&end=2026-11-20"


@dataclass
class Export:
    """A running gateway, a client of it, and the wire to its upstreams."""

    house: House
    wire: Wire
    url: str
    client: httpx.AsyncClient

    async def key(self, *scopes: Scope, plan: str = "pro") -> str:
        """A key of a new organisation."""
        async with self.house.store.write() as tx:
            tenant = await self.house.host.service(OrganisationDesk).create(tx, "Acme", None, plan=plan)
            _, text = await self.house.host.service(KeyDesk).create(
                tx, tenant, name="k", scopes=scopes or (Scope.MARKET_READ,), created_by="usr_x"
            )
        return text

    async def get(self, ending: str, query: str = DAY, **headers: str) -> httpx.Response:
        """The whole of an export."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(f"{self.url}/candles.{ending}?{query}", headers=sent)

    async def text(self, ending: str, query: str = DAY) -> str:
        """Of one that must not fail."""
        answer = await self.get(ending, query)
        assert answer.status_code == 200, answer.text
        return answer.text

    @property
    def under_way(self) -> int:
        """Operations that hold a place."""
        return sum(self.house.gateway.allowances._under_way.values())


def minutes(request: Request, price: Callable[[int], str] = lambda at: f"{at % 86_400}.10") -> RawReply:
    """One row for each minute that is asked for."""
    asked = dict(request.params)
    return reply([[at, price(at)] for at in range(int(asked["start"]), int(asked["end"]), MINUTE)])


def breaking(after: int, then: Handler) -> Handler:
    """Minutes so many times, then something else."""
    calls = 0

    def handler(request: Request) -> object:
        nonlocal calls
        calls += 1
        return minutes(request) if calls <= after else then(request)

    return handler  # type: ignore[return-value]


@asynccontextmanager
async def exporting(
    database: str, folder: Path, venues: Sequence[str] = ("alpha",), unkept: Collection[str] = (), **settings: Any
) -> AsyncIterator[Export]:
    """Started; every venue answers minutes, `alpha` before the others; the licence of *unkept* ones forbids keeping."""
    wire = Wire()
    classes = {
        name: venue(name, priority=place, max_rows=PIECE, cacheable=name not in unkept)
        for place, name in enumerate(venues)
    }
    wire.handlers.update(dict.fromkeys(classes, minutes))
    given: dict[str, Any] = {"upstreams": "live", "anonymous_points": 10_000, **settings}
    async with (
        open_house(
            database, folder, transport=wire, discovered=Discovered(classes=classes, failed={}), **given
        ) as house,
        serving(house) as url,
        httpx.AsyncClient(timeout=30, trust_env=False) as client,
    ):
        yield Export(house, wire, url, client)


@asynccontextmanager
async def serving(house: House) -> AsyncIterator[str]:
    """The house behind uvicorn; its address."""
    app = create_app(house.host.settings, gateway=house.gateway)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, http="httptools", log_config=None, lifespan="off", timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


async def until(condition: Callable[[], bool], within: float = 10.0) -> None:
    """Another task decides when it holds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - another task decides
            await asyncio.sleep(0.002)


def rows_of(text: str) -> list[list[str]]:
    """The candles of a CSV export."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return [line.split(",") for line in lines[1:]]
