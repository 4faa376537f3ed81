"""A live gateway over two venues, served by the real application, with a gate and provider keys worked by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from gateway.app import Gateway, build_gateway
from gateway.core.bus import Bus
from gateway.core.contract import Host, Plugin
from gateway.core.identity import ANONYMOUS, TENANT_SCOPES, UNLIMITED, CallerKind, Principal
from gateway.core.ports import ProviderKeys
from gateway.core.settings import Settings
from gateway.edge.cost import Price
from gateway.edge.errors import Refused
from gateway.edge.execute import PreparedOperation, RequestFacts
from gateway.edge.gate import Admission, Told
from gateway.edge.health import HealthReport
from gateway.edge.limits import EdgeSettings
from gateway.edge.routes import Edge, build_edge
from plugins.market.plugin import plugin as market
from providers import Discovered
from providers.contract import Provider
from schema.errors import RateLimited, Unauthenticated
from tests.gateway.doubles import ROOT_SECRET, ManualClock, Unspread, Wire, priced

RESETS = 1_795_176_060
"""Unix seconds: a minute after noon of the clock that is turned by hand."""
QUOTE = '{ quote(symbol: "crypto:BTC/USD") { price provenance { provider } } }'
FIELD = 'query Q($s: String = "crypto:BTC/USD") { quote(symbol: $s) { price } }'


def member(tenant: str, **changed: Any) -> Principal:
    """The key of an organisation."""
    limits = replace(UNLIMITED, **changed)
    return Principal(
        tenant=tenant, kind=CallerKind.API_KEY, key=f"key_{tenant}", scopes=TENANT_SCOPES, limits=limits
    )  # fmt: skip


@dataclass
class HandGate:
    """Knows callers by the text of their key; each has so many points."""

    callers: dict[str, Principal]
    left: dict[str, int] = field(default_factory=dict)
    at_once: bool = True
    """Whether it can say so without waiting."""
    recognised: int = 0
    admitted: int = 0
    released: list[tuple[str, bool]] = field(default_factory=list)

    def recognise(self, facts: RequestFacts) -> Principal | None:
        self.recognised += 1
        return self._known(facts) if self.at_once else None

    async def identify(self, facts: RequestFacts) -> Principal:
        found = self._known(facts)
        if found is None:
            raise Unauthenticated
        return found

    def admit_now(self, prepared: PreparedOperation, principal: Principal, facts: RequestFacts) -> Admission | None:
        if not self.at_once or self.left.get(principal.tenant, 100) < 1:
            return None
        return self._charge(principal)

    async def admit(self, prepared: PreparedOperation, principal: Principal, facts: RequestFacts) -> Admission:
        if self.left.get(principal.tenant, 100) < 1:
            raise RateLimited("Used up.", limit="pointsPerMinute", retry_after=7.0)
        return self._charge(principal)

    def check_unread(self, source: str, principal: Principal) -> None:
        """Everything is read."""

    async def charge_refused(self, refused: Refused, principal: Principal, facts: RequestFacts) -> Refused:
        return refused

    async def admit_price(self, price: Price, principal: Principal, facts: RequestFacts) -> Admission:
        return self._charge(principal)

    def connect(self, principal: Principal, facts: RequestFacts) -> Callable[[], None]:
        return lambda: None

    def watch(self, principal: Principal, closed: Callable[[str], None]) -> Callable[[], None]:
        return lambda: None

    def _known(self, facts: RequestFacts) -> Principal | None:
        key = facts.headers.get("x-api-key")
        return ANONYMOUS if key is None else self.callers.get(key)

    def _charge(self, principal: Principal) -> Admission:
        tenant = principal.tenant
        left = self.left[tenant] = self.left.get(tenant, 100) - 1
        self.admitted += 1
        told = Told(cost=1, limit=100, remaining=left, resets=RESETS, at=RESETS - 60)
        return Admission(told, lambda context, failed: self.released.append((tenant, failed)))


@dataclass
class HandKeys:
    """Tenants' own provider keys."""

    kept: dict[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)

    def held(self, tenant: str) -> Mapping[str, Mapping[str, str]]:
        return self.kept.get(tenant, {})

    async def of(self, tenant: str) -> Mapping[str, Mapping[str, str]]:
        return self.held(tenant)


@dataclass
class Stall:
    """One process of it."""

    gateway: Gateway
    app: Starlette
    wire: Wire
    clock: ManualClock
    gate: HandGate
    keys: HandKeys

    @property
    def calls(self) -> int:
        """Requests that went upstream."""
        return len(self.wire.requests)

    @property
    def kept(self) -> int:
        """Answers that are kept."""
        assert self.gateway.responses is not None
        return len(self.gateway.responses)

    async def ask(
        self, document: str = QUOTE, key: str | None = "a", variables: Mapping[str, Any] | None = None,
        *, headers: Mapping[str, str] | None = None, get: bool = False,
    ) -> httpx.Response:  # fmt: skip
        """By HTTP, through the whole application."""
        sent = {"accept-encoding": "identity", **({"x-api-key": key} if key else {}), **(headers or {})}
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://stall.test") as client:
            if get:
                return await client.get("/graphql", params={"query": document}, headers=sent)
            body = {"query": document, **({"variables": variables} if variables else {})}
            return await client.post("/graphql", json=body, headers=sent)

    async def price(self, key: str | None = "a", document: str = QUOTE) -> str:
        """Of bitcoin."""
        body = (await self.ask(document, key)).json()
        assert "errors" not in body, body
        return str(body["data"]["quote"]["price"])


def open_stall(
    folder: Path, *venues: type[Provider], callers: Mapping[str, Principal], bus: Bus | None = None,
    more: tuple[Plugin, ...] = (), **settings: Any,
) -> Stall:  # fmt: skip
    """Every venue answers 1 until told otherwise."""
    wire, clock, keys = Wire(), ManualClock(), HandKeys()
    for cls in venues:
        wire.handlers[cls.profile.id] = priced("1")

    def services(_: Host) -> dict[type, Any]:
        return {ProviderKeys: keys}

    given = {
        "env": "development", "upstreams": "live", "data_dir": folder, "secret_key": ROOT_SECRET, **settings,
    }  # fmt: skip
    gateway = build_gateway(
        Settings.model_validate(given), chance=Unspread(), clock=clock, transport=wire, bus=bus,
        discovered=Discovered(classes={cls.profile.id: cls for cls in venues}, failed={}),
        found=[market, Plugin(name="keys", services=services), *more],
    )  # fmt: skip
    gate = HandGate(dict(callers))
    return Stall(gateway, edge_of(gateway, gate, folder), wire, clock, gate, keys)


def edge_of(gateway: Gateway, gate: HandGate, folder: Path, **changed: Any) -> Edge:
    """Another edge over the same gateway."""

    async def ready() -> list[str]:
        return []

    app = build_edge(
        schema=gateway.schema, settings=EdgeSettings(static=folder / "none", **changed), context_for=gateway.context,
        gate=gate, responses=gateway.responses, readiness=ready,
        health=lambda: HealthReport(status="ok", mode="live", env="test", version="1", providers=[]),
    )  # fmt: skip
    assert isinstance(app, Edge)
    return app
