"""Sending on request: tests, single deliveries anew, windows of what was missed. The dispatcher does the work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any

import strawberry

from gateway.core.contract import Context, Host
from gateway.core.ports import Audit, Outbox
from gateway.core.store import Tx, new_id
from plugins.webhooks.desk import EndpointDesk
from plugins.webhooks.events import WebhookTest
from plugins.webhooks.filters import matching
from plugins.webhooks.news import tell_due
from plugins.webhooks.rows import ENABLED, TEST, DeliveryRow, EndpointRow, due_now
from plugins.webhooks.rules import check_window
from plugins.webhooks.store import DeliveryStore
from schema.events import EPOCH, Event
from schema.names import could_be_id
from schema.provenance import DataMode
from schema.words.problems import Refused

AT_ONCE = 1_000
"""Entries of the log that one transaction of a replay looks at."""
_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a replay is about: [since, until), and whether only what was given up."""

    since: datetime
    until: datetime | None = None
    only_failed: bool = True


class SendingDesk:
    """One a process; writes what is due and wakes the dispatcher."""

    def __init__(self, host: Host, endpoints: EndpointDesk) -> None:
        self._host, self._endpoints, self.rows = host, endpoints, DeliveryStore()

    async def test(self, context: Context, endpoint_id: str, event_type: str | None) -> DeliveryRow:
        """A sample of a type, in its own form, to this endpoint alone; without a type, `webhook.test`."""
        outbox, now = self._host.service(Outbox), self._host.clock.now()
        async with self._host.store.write() as tx:
            endpoint = await self._sending(tx, context, endpoint_id)
            event = self._sample(endpoint, event_type, outbox.catalog)
            made = due_now(endpoint, outbox.emit_aside(tx, event), event.name, now)
            await self.rows.put(tx, context.tenant, [made])
            await self._record(tx, context, "webhook.tested", endpoint.id, {"event_type": event.name})
            tell_due(self._host, tx, endpoint.id)
        return made

    async def resend(self, context: Context, delivery_id: str) -> DeliveryRow:
        """The same event under the same id, whatever became of the delivery before."""
        outbox, now = self._host.service(Outbox), self._host.clock.now()
        async with self._host.store.write() as tx:
            found = await self.rows.find(tx, context.tenant, delivery_id) if could_be_id(delivery_id) else None
            if found is None:
                told = "No delivery of your organisation has this id: `deliveries` of an endpoint lists them."
                raise Refused("NOT_FOUND", told, "id")
            await self._sending(tx, context, found.endpoint_id)
            if not await outbox.printed(tx, [found.event_id]):
                raise Refused("EVENT_GONE", "The event is older than events are kept for: it cannot be sent.", "id")
            await self.rows.resend(tx, context.tenant, found.id, now=now)
            await self._record(tx, context, "webhook.resent", found.endpoint_id, {"delivery": found.id})
            changed = await self.rows.find(tx, context.tenant, found.id)
            tell_due(self._host, tx, found.endpoint_id)
        assert changed is not None  # noqa: S101 - it was just there
        return changed

    async def replay(self, context: Context, endpoint_id: str, window: Window) -> int:
        """How many deliveries are due because of it: those that were given up, and, unless they alone are wanted,
        events of the log that fit the endpoint's filters and were never sent there."""
        now = self._host.clock.now()
        since, until = check_window(window.since, window.until, now)
        async with self._host.store.write() as tx:
            endpoint = await self._sending(tx, context, endpoint_id)
            queued = await self.rows.resend_failed(tx, context.tenant, endpoint.id, since=since, until=until, now=now)
            after = {"since": since, "until": until, "only_failed": window.only_failed}
            await self._record(tx, context, "webhook.replayed", endpoint.id, after)
            tell_due(self._host, tx, endpoint.id)
        if not window.only_failed:
            queued += await self._replay_missing(context.tenant, endpoint, since, until)
        return queued

    async def _replay_missing(self, tenant: str, endpoint: EndpointRow, since: datetime, until: datetime) -> int:
        """In short transactions: what one of them wrote stays written, and is never written twice."""
        outbox, after, queued = self._host.service(Outbox), 0, 0
        while True:
            async with self._host.store.write() as tx:
                found = await outbox.between(tx, tenant, since=since, until=until, after=after, limit=AT_ONCE)
                wanted = [each for each in found if matching([endpoint], each, outbox.catalog)]
                now = self._host.clock.now()
                queued += await self.rows.put(
                    tx, tenant, [due_now(endpoint, each.event_id, each.type, now) for each in wanted]
                )
                tell_due(self._host, tx, endpoint.id)
            if len(found) < AT_ONCE:
                return queued
            after = found[-1].position

    async def _sending(self, tx: Tx, context: Context, endpoint_id: str) -> EndpointRow:
        """An endpoint that is sent to."""
        found = await self._endpoints.known(tx, context, endpoint_id)
        if found.status != ENABLED:
            reason = str(found.disabled_reason).rstrip(".")
            told = f"The endpoint is disabled: {reason}. Enable it first, with webhookEndpointEnable."
            raise Refused("ENDPOINT_DISABLED", told, "id")
        return found

    def _sample(self, endpoint: EndpointRow, name: str | None, catalog: Mapping[str, type[Event]]) -> Event:
        """Marked as none that happened: by its id, and by its mode."""
        kind = WebhookTest if name is None else catalog.get(name)
        if kind is None:
            near = get_close_matches((name or "")[:_SHOWN], sorted(catalog), n=3, cutoff=0.5)
            hint = f"did you mean {', '.join(near)}?" if near else "leave it out for a plain test."
            told = f"{(name or '')[:_SHOWN]!r} is no event type: {hint}"
            raise Refused("EVENT_TYPE_UNKNOWN", told, "eventType")
        if kind is WebhookTest:
            event: Event = WebhookTest(endpoint_id=strawberry.ID(endpoint.id))
        else:
            try:
                event = kind.sample()
            except TypeError:
                raise Refused("NO_SAMPLE", f"{kind.name} has no sample: test with another type.", "eventType") from None
        return replace(event, id=strawberry.ID(new_id(TEST)), occurred_at=EPOCH, mode=DataMode.SIMULATED)

    async def _record(self, tx: Tx, context: Context, action: str, target: str, after: Mapping[str, Any]) -> None:
        await self._host.service(Audit).record(tx, context.act(action, target, after=after))
