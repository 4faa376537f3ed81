"""The plugin's value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateway.core.contract import Host, Plugin
from gateway.core.ports import Outbox
from gateway.core.store import Tx
from plugins.events.live import EventSubscription
from plugins.events.query import EventQuery


async def export(host: Host, tx: Tx, tenant: str) -> Mapping[str, Any]:
    """Every event that the organisation was told."""
    return {"events": [json.loads(data) for data in await host.service(Outbox).export(tx, tenant)]}


async def erase(host: Host, tx: Tx, tenant: str) -> None:
    """The organisation's log."""
    await host.service(Outbox).erase(tx, tenant)


plugin = Plugin(name="events", query=EventQuery, subscription=EventSubscription, export=export, erase=erase)
