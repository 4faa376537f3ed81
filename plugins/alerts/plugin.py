"""The plugin's value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gateway.core.contract import RENEW_S, Host, Plugin, Worker
from gateway.core.store import Tx
from plugins.alerts.desk import TOPIC, AlertDesk
from plugins.alerts.evaluation.engine import Engine
from plugins.alerts.events import EVENTS
from plugins.alerts.fields import AlertMutation, AlertQuery
from plugins.alerts.store import AlertStore
from plugins.alerts.tables import TABLES
from plugins.alerts.types import find_alert


def services(host: Host) -> dict[type, Any]:
    """One of each a process."""
    return {AlertDesk: AlertDesk(host), Engine: Engine(host)}


def workers(host: Host) -> Sequence[Worker]:
    """The evaluator; what a person changes reaches it by the bus."""
    engine = host.service(Engine)
    host.bus.subscribe(TOPIC, lambda message: engine.doubt([str(message.get("id"))]))
    return (Worker(name="alerts", every=RENEW_S, run=engine.look, finish=engine.close),)


async def stop(host: Host) -> None:
    """Nothing is left of it."""
    await host.service(Engine).close()


async def export(host: Host, tx: Tx, tenant: str) -> Mapping[str, Any]:
    """Every alert of the organisation, and when they fired as long as it is kept."""
    store = AlertStore()
    held = [_without_tenant(asdict(row)) for row in await store.whole(tx, tenant)]
    return {"alerts": held, "firings": [_without_tenant(asdict(row)) for row in await store.fired(tx, tenant)]}


async def erase(host: Host, tx: Tx, tenant: str) -> None:
    """Every alert of the organisation; whoever evaluates them finds them gone."""
    await AlertStore().erase(tx, tenant)


def _without_tenant(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "tenant_id"}


plugin = Plugin(
    name="alerts", query=AlertQuery, mutation=AlertMutation, events=EVENTS, services=services, tables=TABLES,
    migrations=Path(__file__).parent / "migrations", workers=workers, stop=stop, nodes={"alert": find_alert},
    export=export, erase=erase,
)  # fmt: skip
