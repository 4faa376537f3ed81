"""A whole gateway over real sockets whose upstream lines are in hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from gateway.app import Gateway, build_gateway, create_app
from gateway.core.settings import Settings
from gateway.edge.execute import Executor
from tests.gateway.edge.sockets import Peer, dialled, serving
from tests.gateway.live.handlines import HandLines
from tests.house import own_plugins, own_providers, own_schema


@dataclass
class Floor:
    """A gateway whose upstream lines are in hand."""

    url: str
    lines: HandLines
    executor: Executor
    key: str
    gateway: Gateway

    @asynccontextmanager
    async def dial(self, **options: Any) -> AsyncIterator[Peer]:
        """A socket that is ready."""
        async with dialled(self.url, headers={"x-api-key": self.key}, **options) as peer:
            await peer.initialise()
            yield peer

    @property
    def http(self) -> str:
        """The endpoint's address for plain requests."""
        return self.url.replace("ws://", "http://")


@asynccontextmanager
async def opened(made: Settings, key: str, **parts: Any) -> AsyncIterator[Floor]:
    """Serve until the block ends; nothing of any stream is left then."""
    lines = HandLines()
    given = {"discovered": own_providers(), "found": own_plugins(), "schema": own_schema(), **parts}
    gateway = build_gateway(made, lines=lines, **given)
    app = create_app(made, gateway=gateway)
    async with serving(app) as url:
        yield Floor(url, lines, app.state.executor, key, gateway)
    await gateway.close()
    assert lines.open_now == []
    assert len(app.state.executor.broadcasts) == 0
