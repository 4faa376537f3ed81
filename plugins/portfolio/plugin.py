"""The plugin's value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import strawberry

from gateway.core.contract import Host, Plugin
from gateway.core.ports import Panels, Portfolios
from gateway.core.store import Tx
from plugins.portfolio.bench import Bench
from plugins.portfolio.changes import Changes
from plugins.portfolio.desk import PortfolioDesk
from plugins.portfolio.fields import PortfolioMutation, PortfolioQuery, find_portfolio
from plugins.portfolio.jobs import PortfolioJobMutation, PortfolioPerformanceResult, start
from plugins.portfolio.live import PortfolioSubscription
from plugins.portfolio.prices.panels import PanelDesk
from plugins.portfolio.recording import TransactionDesk
from plugins.portfolio.store import PortfolioStore, TransactionStore, UniverseStore
from plugins.portfolio.tables import TABLES
from plugins.portfolio.universes.desk import UniverseDesk
from plugins.portfolio.universes.fields import UniverseMutation, UniverseQuery, find_universe
from plugins.portfolio.valuation.holdings import Appraiser
from plugins.portfolio.valuation.performance import Performer


def services(host: Host) -> dict[type, Any]:
    """One of each a process."""
    bench = Bench(host.clock.monotonic)
    panels = PanelDesk(host, bench)
    appraiser = Appraiser(host, panels, bench)
    return {
        Panels: panels, PanelDesk: panels, Portfolios: appraiser, Appraiser: appraiser,
        PortfolioDesk: PortfolioDesk(host), TransactionDesk: TransactionDesk(host),
        Performer: Performer(host, panels, appraiser, bench), UniverseDesk: UniverseDesk(host),
        Changes: Changes(host), Bench: bench,
    }  # fmt: skip


async def stop(host: Host) -> None:
    """Nothing is left of it."""
    host.service(Bench).close()


async def export(host: Host, tx: Tx, tenant: str) -> Mapping[str, Any]:
    """Portfolios, what happened in them, and universes."""
    portfolios = await PortfolioStore().whole(tx, tenant)
    transactions = await TransactionStore().whole(tx, tenant)
    universes = await UniverseStore().whole(tx, tenant)
    return {
        "portfolios": [_without_tenant(asdict(row)) for row in portfolios],
        "transactions": [_without_tenant(asdict(row)) for row in transactions],
        "universes": [_without_tenant(asdict(row)) for row in universes],
    }


async def erase(host: Host, tx: Tx, tenant: str) -> None:
    """All of the organisation."""
    await PortfolioStore().erase(tx, tenant)


def _without_tenant(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "tenant_id"}


@strawberry.type(description="Portfolios and universes.")
class Query(PortfolioQuery, UniverseQuery):
    """Root fields."""


@strawberry.type(description="Changes of portfolios and universes.")
class Mutation(PortfolioMutation, UniverseMutation, PortfolioJobMutation):
    """Root fields."""


plugin = Plugin(
    name="portfolio", query=Query, mutation=Mutation, subscription=PortfolioSubscription, services=services,
    tables=TABLES, migrations=Path(__file__).parent / "migrations", export=export, erase=erase,
    nodes={"portfolio": find_portfolio, "universe": find_universe}, types=(PortfolioPerformanceResult,), start=start,
    stop=stop,
)  # fmt: skip
