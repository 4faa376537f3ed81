"""Endpoints and events without GraphQL, and the engine driven by hand."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import select, update

from gateway.core.ports import Outbox
from gateway.core.secrets import Vault
from gateway.core.store import new_id
from plugins.webhooks.delivery.clearing import Clearing
from plugins.webhooks.delivery.dispatcher import Dispatcher
from plugins.webhooks.delivery.fanout import FanOut
from plugins.webhooks.rows import AttemptRow, DeliveryRow, EndpointRow
from plugins.webhooks.tables import attempts, deliveries, endpoints
from schema.events import ProviderDegraded
from tests.house import House
from tests.plugins.webhooks.delivery.receivers import Receiver

TENANT = "ten_alpha"
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


@dataclass
class Office:
    """One process."""

    house: House
    receiver: Receiver
    numbers: Any = field(default_factory=count)

    @property
    def dispatcher(self) -> Dispatcher:
        return self.house.host.service(Dispatcher)

    @property
    def fan_out(self) -> FanOut:
        return self.house.host.service(FanOut)

    @property
    def clearing(self) -> Clearing:
        return self.house.host.service(Clearing)

    async def endpoint(self, path: str = "/", *, tenant: str = TENANT, **changed: Any) -> str:
        """The id of a new one that gets everything."""
        async with self.house.store.write() as tx:
            row = endpoint_row(self.house, self.receiver.url(path), tenant, **changed)
            await tx.run(endpoints.insert().values(**row))
        return str(row["id"])

    async def happen(self, *tenants: str, capability: str = "quotes") -> str:
        """The id of a new event in the logs of these."""
        event = ProviderDegraded(
            provider="kraken", capability=capability, state="OPEN", reason=f"reason {next(self.numbers)}",
            since=self.house.clock.now(),
        )  # fmt: skip
        async with self.house.store.write() as tx:
            return str(self.house.host.service(Outbox).emit_to(tx, event, tenants or (TENANT,)))

    async def deliver(self) -> None:
        """Everything that is due now, and what that makes due."""
        for _ in range(3):
            while await self.fan_out.take():
                pass
            await self.dispatcher.drain()

    async def later(self, seconds: float) -> None:
        """Everything that is due after a while."""
        self.house.clock.turn(seconds)
        await self.deliver()

    async def deliveries(self) -> list[DeliveryRow]:
        async with self.house.store.read() as tx:
            return await tx.all(select(deliveries).order_by(deliveries.c.created_at, deliveries.c.id), DeliveryRow)

    async def attempts(self) -> list[AttemptRow]:
        async with self.house.store.read() as tx:
            return await tx.all(select(attempts).order_by(attempts.c.at, attempts.c.number), AttemptRow)

    async def found(self, endpoint: str) -> EndpointRow:
        async with self.house.store.read() as tx:
            row = await tx.first(select(endpoints).where(endpoints.c.id == endpoint), EndpointRow)
        assert row is not None
        return row

    async def change(self, endpoint: str, **values: Any) -> None:
        """As a mutation does it."""
        self.house.clock.turn(0.001)
        changed = {**values, "changed_at": self.house.clock.now()}
        async with self.house.store.write() as tx:
            await tx.run(update(endpoints).where(endpoints.c.id == endpoint).values(**changed))

    async def logged(self, kind: str, tenant: str = TENANT) -> list[dict[str, Any]]:
        """The data of all events of a type in a tenant's log."""
        entries = await self.house.host.service(Outbox).entries(tenant, after=0, types=(kind,))
        return [json.loads(each.data) for each in entries]


def endpoint_row(house: House, url: str, tenant: str, **changed: Any) -> dict[str, Any]:
    """Columns of an enabled one."""
    return sealed_row(house.host.vault, house.clock.now(), url, tenant, **changed)


def sealed_row(vault: Vault, now: datetime, url: str, tenant: str, **changed: Any) -> dict[str, Any]:
    """The same without a gateway."""
    sealed = {
        name: vault.encrypt(changed.pop(name))
        for name in ("secret", "previous_secret", "signing_key")
        if changed.get(name) is not None
    }
    return {
        "tenant_id": tenant, "id": new_id("hook"), "url": url, "owner": "usr_1", "event_types": ["*"], "channels": [],
        "header_names": [], "headers": vault.encrypt(json.dumps(changed.pop("headers", {}))), "status": "ENABLED",
        "secret": vault.encrypt(SECRET), "signing": "hmac", "pins": {}, "created_at": now, "changed_at": now,
        **sealed, **changed,
    }  # fmt: skip
