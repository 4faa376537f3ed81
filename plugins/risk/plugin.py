"""The plugin's value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gateway.core.contract import RENEW_S, Host, Plugin, Worker
from gateway.core.ports import Hedges, JobKinds
from gateway.core.store import Tx
from plugins.risk.background.kinds import KINDS
from plugins.risk.background.types import RiskReport
from plugins.risk.constraints.desk import ConstraintDesk
from plugins.risk.constraints.fields import find_constraint_set
from plugins.risk.constraints.store import ConstraintStore
from plugins.risk.evaluation.engine import Engine
from plugins.risk.hedging.serving import Hedger
from plugins.risk.limits.desk import TOPIC, LimitDesk
from plugins.risk.limits.events import EVENTS
from plugins.risk.limits.fields import find_limit
from plugins.risk.limits.store import LimitStore
from plugins.risk.optimising.types import OptimizationResult
from plugins.risk.root import RiskMutation, RiskQuery
from plugins.risk.tables import TABLES

PORTFOLIO_CHANGED = "portfolio.changed"
"""Whoever keeps portfolios says so with its `id`; holdings that nobody speaks of are read anew every half minute."""


def services(host: Host) -> dict[type, Any]:
    """One of each a process."""
    return {
        ConstraintDesk: ConstraintDesk(host), LimitDesk: LimitDesk(host), Engine: Engine(host), Hedges: Hedger(),
    }  # fmt: skip


def workers(host: Host) -> Sequence[Worker]:
    """The evaluator; what a person changes reaches it by the bus."""
    engine = host.service(Engine)
    host.bus.subscribe(TOPIC, lambda message: engine.doubt([str(message.get("id"))]))
    host.bus.subscribe(PORTFOLIO_CHANGED, lambda message: engine.refresh(str(message.get("id"))))
    return (Worker(name="risk", every=RENEW_S, run=engine.look, finish=engine.close),)


async def start(host: Host) -> None:
    """Heavy questions may be asked as jobs."""
    host.service(JobKinds).register(KINDS)


async def stop(host: Host) -> None:
    """Nothing is left of it."""
    await host.service(Engine).close()


async def export(host: Host, tx: Tx, tenant: str) -> Mapping[str, Any]:
    """Every set of constraints and every limit of the organisation, and when they were breached."""
    limits = LimitStore()
    return {
        "constraints": [_without_tenant(asdict(row)) for row in await ConstraintStore().whole(tx, tenant)],
        "limits": [_without_tenant(asdict(row)) for row in await limits.whole(tx, tenant)],
        "breaches": [_without_tenant(asdict(row)) for row in await limits.breached(tx, tenant)],
    }


async def erase(host: Host, tx: Tx, tenant: str) -> None:
    """All of it; whoever evaluates limits finds them gone."""
    await ConstraintStore().erase(tx, tenant)
    await LimitStore().erase(tx, tenant)


def _without_tenant(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "tenant_id"}


plugin = Plugin(
    name="risk", query=RiskQuery, mutation=RiskMutation, events=EVENTS, services=services, tables=TABLES,
    migrations=Path(__file__).parent / "migrations", workers=workers, start=start, stop=stop,
    types=(OptimizationResult, RiskReport),
    nodes={"cset": find_constraint_set, "limit": find_limit}, export=export, erase=erase,
)  # fmt: skip
