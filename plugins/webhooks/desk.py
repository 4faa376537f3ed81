"""Endpoints: made, changed, switched on and off, given another secret; each act with its line of the audit trail."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import strawberry

from gateway.core.contract import Context, Host
from gateway.core.ports import Audit, Outbox
from gateway.core.store import Tx, new_id
from plugins.webhooks import rules
from plugins.webhooks.addresses import check_sendable, check_url
from plugins.webhooks.channels import read_channels
from plugins.webhooks.events import WebhookEndpointDisabled
from plugins.webhooks.filters import pinned
from plugins.webhooks.keys import make_pair, read_secret
from plugins.webhooks.news import tell_changed
from plugins.webhooks.rows import DISABLED, ED25519, ENABLED, HMAC, EndpointRow
from plugins.webhooks.seal import Seal
from plugins.webhooks.store import EndpointStore
from schema.names import could_be_id
from schema.pages import Position
from schema.words.problems import Refused

NO_ENDPOINT = "No endpoint of your organisation has this id: `webhookEndpoints { nodes { id } }` lists them."
_DIGEST = "webhook request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A new endpoint as its maker wants it, unread."""

    url: str
    event_types: Sequence[str]
    description: str | None = None
    channels: Sequence[str] = ()
    headers: Sequence[tuple[str, str]] = ()
    rate_per_second: int | None = None
    secret: str | None = None
    signing: str = HMAC
    idempotency_key: str | None = None


class EndpointDesk:
    """One a process. Endpoints are the organisation's: whoever may read webhooks sees all of them."""

    def __init__(self, host: Host, seal: Seal) -> None:
        self._host, self._seal, self.rows = host, seal, EndpointStore()

    async def find(self, context: Context, endpoint_id: str) -> EndpointRow | None:
        """One of the organisation's."""
        async with self._host.store.read() as tx:
            return await self.rows.find(tx, context.tenant, endpoint_id)

    async def page(self, context: Context, limit: int, *, behind: Position | None) -> list[EndpointRow]:
        """The oldest first."""
        async with self._host.store.read() as tx:
            return await self.rows.page(tx, context.tenant, limit, behind=behind)

    async def create(self, context: Context, wanted: Wanted) -> tuple[EndpointRow, str | None]:
        """A new endpoint and its secret; the same request again has none."""
        key = rules.check_key(wanted.idempotency_key)
        if key is not None:
            async with self._host.store.read() as tx:
                earlier = await self._earlier(tx, context, wanted, key)
            if earlier is not None:
                return earlier, None
        secret = read_secret(wanted.secret)
        row = await self._made(context, wanted, secret)
        async with self._host.store.write() as tx:
            await self.rows.hold(tx, context.tenant)
            if key is not None and (earlier := await self._earlier(tx, context, wanted, key)) is not None:
                return earlier, None
            most = context.principal.limits.webhooks
            if await self.rows.count(tx, context.tenant) >= most:
                told = f"Your plan has room for {most} endpoints: delete one first, or take another plan."
                raise Refused("TOO_MANY_ENDPOINTS", told)
            await self.rows.add(tx, context.tenant, row)
            await self._record(tx, context, "webhook.created", row.id, after=shown(row))
            tell_changed(self._host, tx, context.tenant)
        return row, secret

    async def update(self, context: Context, endpoint_id: str, changes: Mapping[str, Any]) -> EndpointRow:
        """*changes* by the names of `Wanted`, unread; what is not named stays."""
        before = await self.find(context, endpoint_id) if could_be_id(endpoint_id) else None
        if before is None:
            raise Refused("NOT_FOUND", NO_ENDPOINT, "id")
        # Before the transaction: names are resolved, a security's number is asked of providers.
        values = await self._changed(context, before, changes)
        async with self._host.store.write() as tx:
            await self.rows.hold(tx, context.tenant)
            held = await self.known(tx, context, endpoint_id)
            if "event_types" in values:
                values["pins"] = pinned(values["event_types"], self._host.service(Outbox).catalog, held.pins)
            values = {name: value for name, value in values.items() if value != getattr(held, name)}
            if not values:
                return held
            row = replace(held, **values, changed_at=self._host.clock.now())
            await self.rows.change(tx, context.tenant, endpoint_id, {**values, "changed_at": row.changed_at})
            await self._record(tx, context, "webhook.updated", endpoint_id, before=shown(held), after=shown(row))
            tell_changed(self._host, tx, context.tenant)
        return row

    async def delete(self, context: Context, endpoint_id: str) -> str:
        """The id of what is gone, with all its deliveries."""
        async with self._host.store.write() as tx:
            row = await self.known(tx, context, endpoint_id)
            await self.rows.remove(tx, context.tenant, endpoint_id)
            await self._record(tx, context, "webhook.deleted", endpoint_id, before=shown(row))
            tell_changed(self._host, tx, context.tenant)
        return endpoint_id

    async def enable(self, context: Context, endpoint_id: str) -> EndpointRow:
        """A second time is no error."""
        async with self._host.store.write() as tx:
            held = await self.known(tx, context, endpoint_id)
            if held.status == ENABLED:
                return held
            values: dict[str, Any] = {
                "status": ENABLED, "disabled_reason": None, "disabled_at": None, "failing_since": None,
                "failed_at": None, "allowed_at": None, "changed_at": self._host.clock.now(),
            }  # fmt: skip
            await self.rows.change(tx, context.tenant, endpoint_id, values)
            await self._record(tx, context, "webhook.enabled", endpoint_id)
            tell_changed(self._host, tx, context.tenant)
        return replace(held, **values)

    async def disable(self, context: Context, endpoint_id: str) -> EndpointRow:
        """A second time is no error, and changes nothing."""
        now, reason = self._host.clock.now(), f"Disabled by {owner_of(context)}."
        async with self._host.store.write() as tx:
            held = await self.known(tx, context, endpoint_id)
            if not await self.rows.disable(tx, context.tenant, endpoint_id, reason=reason, at=now):
                return held
            told = WebhookEndpointDisabled(endpoint_id=strawberry.ID(endpoint_id), url=held.url, reason=reason)
            self._host.service(Outbox).emit(tx, told, tenant=context.tenant)
            await self._record(tx, context, "webhook.disabled", endpoint_id)
            tell_changed(self._host, tx, context.tenant)
        return replace(held, status=DISABLED, disabled_reason=reason, disabled_at=now, changed_at=now)

    async def rotate(
        self, context: Context, endpoint_id: str, overlap_hours: int, own: str | None
    ) -> tuple[EndpointRow, str]:
        """The endpoint and its new secret; the one before goes on to sign until the overlap ends."""
        overlap, secret, now = rules.check_overlap(overlap_hours), read_secret(own), self._host.clock.now()
        async with self._host.store.write() as tx:
            await self.rows.hold(tx, context.tenant)
            held = await self.known(tx, context, endpoint_id)
            values: dict[str, Any] = {
                "secret": self._seal.close(secret), "previous_secret": held.secret if overlap else None,
                "previous_until": now + overlap if overlap else None, "changed_at": now,
            }  # fmt: skip
            await self.rows.change(tx, context.tenant, endpoint_id, values)
            await self._record(tx, context, "webhook.rotated", endpoint_id, after={"overlap_hours": overlap_hours})
            tell_changed(self._host, tx, context.tenant)
        return replace(held, **values), secret

    async def known(self, tx: Tx, context: Context, endpoint_id: str) -> EndpointRow:
        """One that is there, held until the transaction ends."""
        found = await self.rows.take(tx, context.tenant, endpoint_id) if could_be_id(endpoint_id) else None
        if found is None:
            raise Refused("NOT_FOUND", NO_ENDPOINT, "id")
        return found

    async def _earlier(self, tx: Tx, context: Context, wanted: Wanted, key: str) -> EndpointRow | None:
        """What the same request has made before; Refused where the key came with another one."""
        found = await self.rows.by_key(tx, context.tenant, key)
        if found is not None and found.request_digest not in self._host.vault.digests(_DIGEST, _told(wanted)):
            told = "This idempotencyKey has made an endpoint with other input: repeat that input, or give another key."
            raise Refused("IDEMPOTENCY_MISMATCH", told, "idempotencyKey")
        return found

    async def _made(self, context: Context, wanted: Wanted, secret: str) -> EndpointRow:
        """The row, once everything in the request is as it must be."""
        catalog, now = self._host.service(Outbox).catalog, self._host.clock.now()
        patterns = rules.check_patterns(wanted.event_types, catalog)
        description, rate = rules.check_description(wanted.description), rules.check_rate(wanted.rate_per_second)
        headers = rules.check_headers(wanted.headers)
        check_sendable(self._host, headers)
        channels = await read_channels(context, wanted.channels)
        await check_url(self._host, wanted.url)
        return EndpointRow(
            tenant_id=context.tenant, id=new_id("hook"), url=wanted.url, description=description,
            owner=owner_of(context), event_types=patterns, channels=channels, header_names=list(headers),
            headers=self._seal.close_headers(headers), rate_per_second=rate, status=ENABLED, disabled_reason=None,
            disabled_at=None, failing_since=None, secret=self._seal.close(secret), previous_secret=None,
            previous_until=None, **self._signing(wanted.signing), pins=pinned(patterns, catalog, {}),
            root=self._seal.root, idempotency_key=wanted.idempotency_key,
            request_digest=self._host.vault.digest(_DIGEST, _told(wanted)) if wanted.idempotency_key else None,
            created_at=now, changed_at=now,
        )  # fmt: skip

    async def _changed(self, context: Context, held: EndpointRow, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Columns, once everything is as it must be."""
        made: dict[str, Any] = {}
        if "event_types" in changes:
            catalog = self._host.service(Outbox).catalog
            made["event_types"] = rules.check_patterns(changes["event_types"] or (), catalog)
        if "description" in changes:
            made["description"] = rules.check_description(changes["description"])
        if "rate_per_second" in changes:
            made["rate_per_second"] = rules.check_rate(changes["rate_per_second"])
        if "headers" in changes:
            headers = rules.check_headers(changes["headers"] or ())
            check_sendable(self._host, headers)
            made |= {"header_names": list(headers), "headers": self._seal.close_headers(headers)}
        if "channels" in changes:
            made["channels"] = await read_channels(context, changes["channels"] or ())
        if changes.get("signing") not in (None, held.signing):
            made |= self._signing(changes["signing"])
        if changes.get("url") not in (None, held.url):
            await check_url(self._host, changes["url"])
            made |= {"url": changes["url"], "failing_since": None, "failed_at": None, "allowed_at": None}
        return made

    def _signing(self, signing: str) -> dict[str, Any]:
        """Columns of a way to sign; an ed25519 key is made anew each time it is chosen."""
        if signing != ED25519:
            return {"signing": signing, "signing_key": None, "public_key": None}
        pair = make_pair()
        return {"signing": signing, "signing_key": self._seal.close(pair.private), "public_key": pair.public}

    async def _record(
        self,
        tx: Tx,
        context: Context,
        action: str,
        target: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        await self._host.service(Audit).record(tx, context.act(action, target, before=before, after=after))


def owner_of(context: Context) -> str:
    """A person before the session's token; else the key."""
    return context.principal.user or context.principal.actor


def shown(row: EndpointRow) -> dict[str, Any]:
    """As the audit trail shows it: nothing that is encrypted."""
    return {
        "url": row.url, "description": row.description, "event_types": row.event_types, "channels": row.channels,
        "headers": row.header_names, "rate_per_second": row.rate_per_second, "signing": row.signing,
        "status": row.status,
    }  # fmt: skip


def _told(wanted: Wanted) -> str:
    """A request as one text, for its digest: it may hold secrets."""
    return json.dumps({**asdict(wanted), "idempotency_key": None}, sort_keys=True)
