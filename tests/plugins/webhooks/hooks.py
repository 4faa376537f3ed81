"""An organisation that has webhooks, and what tests ask of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import strawberry
from sqlalchemy import select, update

from gateway.core.egress.guarded import GuardedEgress
from gateway.core.identity import Role
from gateway.core.ports import Egress, Outbox
from plugins.webhooks.events import WebhookDeliveryExhausted
from plugins.webhooks.rows import DeliveryRow, EndpointRow
from plugins.webhooks.tables import deliveries, endpoints
from tests.house import House
from tests.plugins.accounts.organisations.company import Company, found

URL = "https://hooks.example.com/in"
ERRORS = "userErrors { field code message }"
SHOWN = """id url description eventTypes channels headers ratePerSecond status disabledReason disabledAt failingSince
  owner createdAt signing publicKey previousSecretUntil"""
DELIVERY = """id eventId eventType status createdAt nextAttemptAt settledAt event { __typename id type mode }
  attempts { at url responseStatus latencyMs error responseExcerpt }"""


def mutation(name: str, input: str, answer: str) -> str:
    return f"mutation($i: {input}!) {{ r: {name}(input: $i) {{ {answer} {ERRORS} }} }}"


CREATE = mutation(
    "webhookEndpointCreate", "WebhookEndpointCreateInput", f"webhookEndpoint {{ {SHOWN} }} secret"
)  # fmt: skip
UPDATE = mutation("webhookEndpointUpdate", "WebhookEndpointUpdateInput", f"webhookEndpoint {{ {SHOWN} }}")
DELETE = mutation("webhookEndpointDelete", "WebhookEndpointDeleteInput", "webhookEndpointId")
ENABLE = mutation("webhookEndpointEnable", "WebhookEndpointEnableInput", f"webhookEndpoint {{ {SHOWN} }}")
DISABLE = mutation("webhookEndpointDisable", "WebhookEndpointDisableInput", f"webhookEndpoint {{ {SHOWN} }}")
ROTATE = mutation(
    "webhookEndpointRotateSecret", "WebhookEndpointRotateSecretInput", f"webhookEndpoint {{ {SHOWN} }} secret"
)  # fmt: skip
TEST = mutation("webhookEndpointTest", "WebhookEndpointTestInput", f"delivery {{ {DELIVERY} }}")
RESEND = mutation("webhookDeliveryResend", "WebhookDeliveryResendInput", f"delivery {{ {DELIVERY} }}")
RECOVER = mutation("webhookEndpointRecover", "WebhookEndpointRecoverInput", "queued")
REPLAY = f"""mutation($id: ID!, $since: DateTime!, $until: DateTime, $only: Boolean) {{
  r: webhookEndpointReplay(id: $id, since: $since, until: $until, onlyFailed: $only) {{ queued {ERRORS} }} }}"""
LIST = f"""query($first: Int, $after: Cursor) {{ webhookEndpoints(first: $first, after: $after) {{
  nodes {{ {SHOWN} }} pageInfo {{ hasNextPage hasPreviousPage endCursor }} }} }}"""
NODE = f"query($id: ID!) {{ node(id: $id) {{ __typename id ... on WebhookEndpoint {{ {SHOWN} }} }} }}"
DELIVERIES = f"""query($id: ID!, $status: DeliveryStatus, $first: Int, $after: Cursor) {{ node(id: $id) {{
  ... on WebhookEndpoint {{ deliveries(status: $status, first: $first, after: $after) {{
    nodes {{ {DELIVERY} }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"""


NAMES = {"hooks.example.com": ["93.184.215.14"], "inward.example.com": ["10.0.0.7"]}


async def lookup(name: str) -> Sequence[str]:
    """What a name server would say."""
    if name not in NAMES:
        raise OSError("no such name")
    return NAMES[name]


def guarded(house: House) -> GuardedEgress:
    """The way out as it is in production, with a name server of its own."""
    return GuardedEgress((), development=False, clock=house.clock, lookup=lookup)


async def company_with_hooks(house: House) -> Company:
    """Ada's, where Bob is a viewer."""
    house.host.services[Egress] = guarded(house)
    made = await found(house)
    await made.hire("bob", Role.VIEWER)
    await made.upgrade()
    return made


async def make(company: Company, **given: Any) -> dict[str, Any]:
    """An endpoint of Ada's, as it is shown."""
    payload = await company.ask("ada", CREATE, **{"url": URL, "eventTypes": ["*"], **given})
    assert payload["userErrors"] == []
    endpoint: dict[str, Any] = payload["webhookEndpoint"]
    return endpoint


async def row_of(company: Company, id: str) -> EndpointRow:
    """As the database has it."""
    async with company.house.store.read() as tx:
        found = await tx.first(select(endpoints).where(endpoints.c.id == id), EndpointRow)
    assert found is not None
    return found


async def rows_of(company: Company, id: str) -> list[DeliveryRow]:
    """An endpoint's deliveries, the oldest first."""
    async with company.house.store.read() as tx:
        query = select(deliveries).where(deliveries.c.endpoint_id == id)
        return await tx.all(query.order_by(deliveries.c.created_at, deliveries.c.event_id), DeliveryRow)


async def happen(company: Company, about: str = "hook_00000000000000000000") -> str:
    """An event in the organisation's log, about some other endpoint; its id."""
    event = WebhookDeliveryExhausted(
        delivery_id=strawberry.ID("dlv_00000000000000000000"), endpoint_id=strawberry.ID(about),
        undelivered_id=strawberry.ID("evt_00000000000000000000"), undelivered_type="apikey.created", attempts=12,
    )  # fmt: skip
    async with company.house.store.write() as tx:
        return company.house.host.service(Outbox).emit(tx, event, tenant=company.tenant)


async def settle(company: Company, delivery_id: str, status: str, *, attempts: int = 12) -> None:
    """As the dispatcher would."""
    values = {"status": status, "due_at": None, "settled_at": company.house.clock.now(), "attempts": attempts}
    async with company.house.store.write() as tx:
        await tx.run(update(deliveries).where(deliveries.c.id == delivery_id).values(**values))


def text(moment: datetime) -> str:
    """As GraphQL writes it."""
    return moment.isoformat().replace("+00:00", "Z")


HOUR = timedelta(hours=1)
