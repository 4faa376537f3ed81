"""A gateway whose upstreams a test speaks for, an organisation with alerts, and an evaluator that is looked after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select, update

from gateway.core.outbox.tables import events, log
from gateway.core.ports import Outbox
from plugins.alerts.evaluation.engine import Engine
from plugins.alerts.tables import alerts
from tests.gateway.doubles import BTC
from tests.gateway.live.handlines import HandLines
from tests.house import House, open_house
from tests.plugins.accounts.organisations.company import Company, found

SANDBOX = "sandbox"
ERRORS = "userErrors { field code message }"
FIELDS = "id symbol condition { kind text } priceType recurrence active state arm lastTriggeredAt note"
CREATE = f"mutation($i: AlertCreateInput!) {{ r: alertCreate(input: $i) {{ alert {{ {FIELDS} }} {ERRORS} }} }}"
UPDATE = f"mutation($i: AlertUpdateInput!) {{ r: alertUpdate(input: $i) {{ alert {{ {FIELDS} }} {ERRORS} }} }}"
DELETE = f"mutation($i: AlertInput!) {{ r: alertDelete(input: $i) {{ alertId {ERRORS} }} }}"
ENABLE = f"mutation($i: AlertInput!) {{ r: alertEnable(input: $i) {{ alert {{ {FIELDS} }} {ERRORS} }} }}"
DISABLE = f"mutation($i: AlertInput!) {{ r: alertDisable(input: $i) {{ alert {{ {FIELDS} }} {ERRORS} }} }}"
LIST = "query($first: Int, $after: Cursor) { alerts(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }"  # noqa: E501


@dataclass
class Watch:
    """One process with an evaluator."""

    house: House
    company: Company
    lines: HandLines

    @property
    def engine(self) -> Engine:
        """The process's."""
        return self.house.host.service(Engine)

    async def alert(self, **given: Any) -> str:
        """A new alert of Ada's on bitcoin, which the evaluator knows of; its id."""
        payload = await self.company.ask("ada", CREATE, **{"symbol": "BTC/USD", **given})
        assert payload["userErrors"] == []
        await self.look()
        return str(payload["alert"]["id"])

    async def look(self) -> None:
        """The evaluator looks for changes; streams begin."""
        await self.engine.look()
        await self.settle()

    async def settle(self) -> None:
        """Everything that is under way is done."""
        for _ in range(60):
            await asyncio.sleep(0)
        await self.engine.writer.settled()

    async def tick(self, *prices: str, provider: str = SANDBOX, **how: Any) -> None:
        """A provider says prices, and all that follows is written."""
        self.lines.price(provider, *prices, **how)
        await self.settle()

    async def told(self) -> list[dict[str, Any]]:
        """The events of alerts in the organisation's log, the oldest first."""
        return await told(self.house, self.company.tenant)

    async def fired(self) -> list[tuple[str | None, bool]]:
        """Values and `afterGap` of the events."""
        return [(each["value"], each["afterGap"]) for each in await self.told()]

    async def row(self, alert_id: str) -> dict[str, Any]:
        """As it is stored."""
        async with self.house.store.read() as tx:
            found = (await tx.connection.execute(select(alerts).where(alerts.c.id == alert_id))).one()
        return dict(found._mapping)


async def told(house: House, tenant: str) -> list[dict[str, Any]]:
    """The events of alerts in a log, as they are delivered."""
    assert Outbox in house.host.services
    query = select(events.c.data).join(log, log.c.event_id == events.c.id).where(log.c.tenant_id == tenant)
    async with house.store.read() as tx:
        rows = await tx.values(query.where(log.c.type.like("%.alert.%")).order_by(log.c.position))
    return [orjson.loads(row) for row in rows]


@asynccontextmanager
async def watch(database: str, folder: Path, **how: Any) -> AsyncIterator[Watch]:
    """A process with Ada's organisation, on a plan without limits."""
    lines = HandLines()
    async with open_house(database, folder, lines=lines, **how) as house:
        company = await found(house)
        await company.upgrade()
        try:
            yield Watch(house, company, lines)
        finally:
            await house.host.service(Engine).close()


@asynccontextmanager
async def another(made: Watch, database: str, folder: Path) -> AsyncIterator[Watch]:
    """One more process on the same database, or the same one started again."""
    lines = HandLines()
    async with open_house(database, folder, lines=lines, clock=made.house.clock) as house:
        company = Company(house, made.company.tenant, made.company.people, made.company.tokens)
        try:
            yield Watch(house, company, lines)
        finally:
            await house.host.service(Engine).close()


async def forget_leases(made: Watch) -> None:
    """Of a process that is gone: its leases have run out."""
    from plugins.alerts.tables import evaluators, leases

    async with made.house.store.write() as tx:
        past = made.house.clock.now().replace(year=2000)
        await tx.run(update(leases).values(until=past))
        await tx.run(update(evaluators).values(until=past))


__all__ = ["BTC", "CREATE", "DELETE", "DISABLE", "ENABLE", "LIST", "UPDATE", "Watch", "another", "told", "watch"]
