"""The plugin's value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gateway.core.contract import Archived, Host, Plugin, Worker
from gateway.core.ports import Endpoints, Interests, Outbox
from gateway.core.store import Tx
from plugins.webhooks.delivery import part as delivery
from plugins.webhooks.delivery.dispatcher import Dispatcher
from plugins.webhooks.desk import EndpointDesk
from plugins.webhooks.events import EVENTS
from plugins.webhooks.interests import EndpointInterests
from plugins.webhooks.mutation import WebhookMutation
from plugins.webhooks.news import hear_due, tell_changed
from plugins.webhooks.query import WebhookQuery, find_delivery, find_endpoint
from plugins.webhooks.seal import RENEW_EVERY, Seal
from plugins.webhooks.sending import SendingDesk
from plugins.webhooks.store import DeliveryStore, EndpointStore
from plugins.webhooks.tables import TABLES, attempts, deliveries

_HIDDEN = {
    "tenant_id", "headers", "secret", "previous_secret", "signing_key", "root", "idempotency_key", "request_digest",
    "failed_at", "allowed_at",
}  # fmt: skip
"""Columns that no export shows: what is encrypted is never readable again."""


def services(host: Host) -> dict[type, Any]:
    """One of each a process."""
    seal, engine = Seal(host), delivery.services(host)
    desk, interests = EndpointDesk(host, seal), EndpointInterests(host)
    hear_due(host, engine[Dispatcher].due)
    return {
        Seal: seal, EndpointDesk: desk, SendingDesk: SendingDesk(host, desk), Interests: interests,
        Endpoints: interests, **engine,
    }  # fmt: skip


def workers(host: Host) -> Sequence[Worker]:
    """The engine that sends, and what the rotation of the root secret leaves to do."""
    renewal = Worker(name="webhooks_renew", every=RENEW_EVERY, run=host.service(Seal).renew)
    return [*delivery.workers(host), renewal]


async def export(host: Host, tx: Tx, tenant: str) -> Mapping[str, Any]:
    """Endpoints without their secrets, and the log of deliveries."""
    endpoints, deliveries = EndpointStore(), DeliveryStore()
    return {
        "endpoints": [_plain(row) for row in await endpoints.all(tx, tenant)],
        "deliveries": [_plain(row) for row in await deliveries.all(tx, tenant)],
        "attempts": [_plain(row) for row in await deliveries.all_attempts(tx, tenant)],
    }


def _plain(row: Any) -> dict[str, Any]:
    return {name: value for name, value in asdict(row).items() if name not in _HIDDEN}


async def erase(host: Host, tx: Tx, tenant: str) -> None:
    """Every endpoint of the organisation, and what was sent there; events of tests stand in no log of its."""
    rows = EndpointStore()
    await host.service(Outbox).erase_aside(tx, await rows.tests(tx, tenant))
    await rows.erase(tx, tenant)
    tell_changed(host, tx, tenant)


plugin = Plugin(
    name="webhooks", query=WebhookQuery, mutation=WebhookMutation, events=EVENTS, services=services, workers=workers,
    tables=TABLES, migrations=Path(__file__).parent / "migrations",
    nodes={"hook": find_endpoint, "dlv": find_delivery}, export=export, erase=erase,
    archived=(Archived(table=deliveries, days="delivery_days"), Archived(table=attempts, days="delivery_days")),
)  # fmt: skip
