"""A gateway whose upstreams a test speaks for, an organisation with a portfolio in hand, and an evaluator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select

from gateway.core.outbox.tables import events, log
from gateway.core.ports import Computing, Panels, Portfolios
from plugins.risk.evaluation.engine import Engine
from plugins.risk.tables import limits
from schema.symbols import parse_instrument
from tests.gateway.live.handlines import HandLines
from tests.house import House, open_house
from tests.plugins.accounts.organisations.company import Company, found
from tests.plugins.risk.doubles import HandComputing, HandPanels, HandPortfolios, Held, holdings

SANDBOX = "sandbox"
BTC, ETH = "crypto:BTC/USD", "crypto:ETH/USD"
ERRORS = "userErrors { field code message }"
FIELDS = """id portfolioId kind text threshold hysteresisBps assetClass confidence days note active state arm value
  subject problem evaluatedAt lastBreachedAt"""
CREATE = (
    f"mutation($i: RiskLimitCreateInput!) {{ r: riskLimitCreate(input: $i) {{ riskLimit {{ {FIELDS} }} {ERRORS} }} }}"
)
UPDATE = (
    f"mutation($i: RiskLimitUpdateInput!) {{ r: riskLimitUpdate(input: $i) {{ riskLimit {{ {FIELDS} }} {ERRORS} }} }}"
)
DELETE = f"mutation($i: RiskLimitDeleteInput!) {{ r: riskLimitDelete(input: $i) {{ riskLimitId {ERRORS} }} }}"
FOLIO = "folio_1"


@dataclass
class Watch:
    """One process with an evaluator."""

    house: House
    company: Company
    lines: HandLines
    portfolios: HandPortfolios
    panels: HandPanels
    computing: HandComputing

    @property
    def engine(self) -> Engine:
        """The process's."""
        return self.house.host.service(Engine)

    def hold(
        self, held: Held, *, cash: str = "0", portfolio: str = FOLIO, splits: Mapping[str, str] | None = None
    ) -> None:
        """What the organisation's portfolio holds from now on."""
        made = holdings(held, cash=cash, portfolio=portfolio, at=self.house.clock.now(), splits=splits)
        self.portfolios.held[self.company.tenant, portfolio] = made

    async def limit(self, kind: str, threshold: str, **given: Any) -> str:
        """A new limit of Ada's, which the evaluator knows of; its id."""
        payload = await self.company.ask("ada", CREATE, portfolioId=FOLIO, kind=kind, threshold=threshold, **given)
        assert payload["userErrors"] == []
        await self.look()
        return str(payload["riskLimit"]["id"])

    async def look(self) -> None:
        """The evaluator looks for changes; streams begin."""
        await self.engine.look()
        await self.settle()

    async def settle(self) -> None:
        """Everything that is under way is done."""
        for _ in range(3):
            for _ in range(30):
                await asyncio.sleep(0)
            await self.engine.settled()

    async def tick(self, *prices: tuple[str, str]) -> None:
        """The sandbox says prices, and all that follows is written, one after the other."""
        for symbol, price in prices:
            self.lines.price(SANDBOX, price, instrument=parse_instrument(symbol))
            await self.settle()

    async def change(self, held: Held, *, cash: str = "0", splits: Mapping[str, str] | None = None) -> None:
        """The portfolio is changed, and read anew."""
        self.hold(held, cash=cash, splits=splits)
        self.engine.refresh(FOLIO)
        await self.settle()

    async def told(self) -> list[dict[str, Any]]:
        """The breaches in the organisation's log, the oldest first."""
        return await told(self.house, self.company.tenant)

    async def row(self, limit_id: str) -> dict[str, Any]:
        """As it is stored."""
        async with self.house.store.read() as tx:
            found = (await tx.connection.execute(select(limits).where(limits.c.id == limit_id))).one()
        return dict(found._mapping)


async def told(house: House, tenant: str) -> list[dict[str, Any]]:
    """The breaches in a log, as they are delivered."""
    query = select(events.c.data).join(log, log.c.event_id == events.c.id).where(log.c.tenant_id == tenant)
    async with house.store.read() as tx:
        rows = await tx.values(query.where(log.c.type == "risk.limit_breached").order_by(log.c.position))
    return [orjson.loads(row) for row in rows]


def furnish(house: House, portfolios: HandPortfolios) -> tuple[HandPanels, HandComputing]:
    """Put doubles in the place of the ports; the real processes stay at hand."""
    panels, computing = HandPanels(), HandComputing(real=house.host.service(Computing))
    house.host.services.update({Portfolios: portfolios, Panels: panels, Computing: computing})
    return panels, computing


@asynccontextmanager
async def watch(database: str, folder: Path, **how: Any) -> AsyncIterator[Watch]:
    """A process with Ada's organisation, on a plan without limits, and its portfolio of a bitcoin and ten ether."""
    lines, portfolios = HandLines(), HandPortfolios()
    async with open_house(database, folder, lines=lines, **how) as house:
        panels, computing = furnish(house, portfolios)
        company = await found(house)
        await company.upgrade()
        made = Watch(house, company, lines, portfolios, panels, computing)
        made.hold({BTC: ("1", "100"), ETH: ("10", "10")}, cash="50")
        try:
            yield made
        finally:
            await house.host.service(Engine).close()


@asynccontextmanager
async def another(made: Watch, database: str, folder: Path) -> AsyncIterator[Watch]:
    """One more process on the same database, or the same one started again."""
    lines = HandLines()
    async with open_house(database, folder, lines=lines, clock=made.house.clock) as house:
        panels, computing = furnish(house, made.portfolios)
        company = Company(house, made.company.tenant, made.company.people, made.company.tokens)
        try:
            yield Watch(house, company, lines, made.portfolios, panels, computing)
        finally:
            await house.host.service(Engine).close()
