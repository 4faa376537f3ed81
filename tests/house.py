"""A whole gateway on a real database, asked through the executor that serves every transport."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import strawberry

from gateway.app import Gateway, build_gateway, make_gate
from gateway.core.bus import Bus
from gateway.core.contract import Context, Host, Plugin
from gateway.core.identity import ANONYMOUS, Principal
from gateway.core.lines.line import Lines
from gateway.core.migrations.runner import upgrade
from gateway.core.settings import Settings
from gateway.core.store import Store
from gateway.core.upstream import Transport
from gateway.domains import build_schema, histories, load_plugins
from gateway.edge.execute import Executor, OperationRequest, OperationResult, RequestFacts
from gateway.edge.graphqlcore import core_schema
from gateway.edge.limits import EdgeSettings
from providers import Discovered, discover
from tests.collecting import loosen
from tests.gateway.doubles import ROOT_SECRET, ManualClock
from tests.readonce import RememberingReader, share_statements

AGENT = "Mozilla/5.0 (X11; Linux x86_64) tests"


@dataclass
class House:
    """One process. `ask` answers the GraphQL response as a client would read it."""

    gateway: Gateway
    executor: Executor
    clock: ManualClock
    results: list[OperationResult] = field(default_factory=list)

    @property
    def host(self) -> Host:
        """What services are made of."""
        return self.gateway.host

    @property
    def store(self) -> Store:
        """The database."""
        return self.gateway.host.store

    async def ask(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        key: str | None = None,
        ip: str = "127.0.0.1",
        origin: str | None = None,
        same_origin: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send a document; the last `OperationResult` (status, headers, cookies) stands at the end of `results`."""
        sent = {"user-agent": AGENT, **(headers or {})}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        if key is not None:
            sent["x-api-key"] = key
        if origin is not None:
            sent["origin"] = origin
        facts = RequestFacts(
            request_id="req_test", transport="http", client_ip=ip, headers=sent, same_origin=same_origin
        )
        request = OperationRequest(query=document, variables=dict(variables or {}))
        result = await self.executor.execute(request, facts)
        self.results.append(result)
        return result.body()

    def context(self, principal: Principal = ANONYMOUS) -> Context:
        """A resolver's context, for services that take one."""
        return self.gateway.context(RequestFacts(request_id="req_test", transport="http"), principal)


@asynccontextmanager
async def open_house(
    database: str,
    folder: Path,
    *,
    clock: ManualClock | None = None,
    bus: Bus | None = None,
    transport: Transport | None = None,
    discovered: Discovered | None = None,
    found: Sequence[Plugin] | None = None,
    lines: Lines | None = None,
    **settings: Any,
) -> AsyncIterator[House]:
    """A started gateway (offline market) on a migrated database; settings by their field names."""
    clock = clock or ManualClock()
    given: dict[str, Any] = {
        "env": "development", "data_dir": folder, "database_url": database, "secret_key": ROOT_SECRET, **settings,
    }  # fmt: skip
    made = Settings.model_validate(given)
    gateway = build_gateway(
        made, clock=clock, bus=bus, transport=transport, discovered=discovered or own_providers(),
        found=own_plugins() if found is None else found, schema=own_schema() if found is None else None, lines=lines,
    )  # fmt: skip
    share_statements(gateway.host.store)
    await gateway.host.bus.start()
    for plugin in gateway.host.plugins:
        if plugin.start is not None:
            await plugin.start(gateway.host)
    edge = EdgeSettings(development=True, introspection=True, mode=made.mode)
    executor = Executor(gateway.schema, settings=edge, context_for=gateway.context, gate=make_gate(gateway))
    if found is None:
        executor._reader = RememberingReader(core_schema(gateway.schema), edge)
    try:
        yield House(gateway=gateway, executor=executor, clock=clock)
    finally:
        await gateway.close()


@cache
def own_plugins() -> list[Plugin]:
    """All of this repository."""
    return load_plugins(third_party=False)


@cache
def own_schema() -> strawberry.Schema:
    """Theirs. A schema is never changed once it is built, and building it is more than half of a gateway."""
    loosen()
    return build_schema(own_plugins())


def schema_for(found: Sequence[Plugin]) -> strawberry.Schema:
    """As `build_schema`, without building what is there."""
    ours = own_plugins()
    same = len(found) == len(ours) and all(one is other for one, other in zip(found, ours, strict=True))
    return own_schema() if same else build_schema(found)


@cache
def own_providers() -> Discovered:
    """All of this repository's providers."""
    return discover()


def migrate(database: str) -> None:
    """Bring a database to the newest tables of all plugins."""

    async def run() -> None:
        store = Store(database)
        await upgrade(store, histories(own_plugins()))
        await store.close()

    asyncio.run(run())
