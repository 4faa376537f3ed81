"""What callers do with keys and tokens: checked, done and written down in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import strawberry

from gateway.core.contract import Context
from gateway.core.identity import CallerKind
from gateway.core.ports import Audit, Outbox
from gateway.core.store import Tx, new_id
from plugins.accounts.keys import bounds, rules
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.keys.events import created, revoked
from plugins.accounts.keys.rows import AccessTokenRow, ApiKeyRow
from plugins.accounts.keys.words import AccessTokenCreateInput, ApiKeyCreateInput, ApiKeyUpdateInput
from plugins.accounts.organisations.peers import sessions
from plugins.accounts.organisations.retries import earlier
from schema.errors import Unauthenticated
from schema.names import could_be_id
from schema.words.problems import Refused

_NO_KEY = "No key of your organisation has this id: `apiKeys { nodes { id } }` lists them."


class KeyActs:
    """Nobody gives more than they have: not in a new key, not in a changed or rotated one, not in a token."""

    def __init__(self, desk: KeyDesk) -> None:
        self._desk = desk

    async def create(self, context: Context, wanted: ApiKeyCreateInput) -> tuple[ApiKeyRow, str | None]:
        """A new key and its secret; the same request again has none."""
        id, tenant = new_id("key"), context.tenant
        async with context.host.store.write() as tx:
            first = await earlier(context, tx, "apiKeyCreate", wanted.idempotency_key, id, wanted=wanted)
            if first is not None:
                return await self._known(tx, context, first), None
            row, secret = await self._desk.create(
                tx, tenant, key_id=id, created_by=context.principal.actor, name=rules.check_name(wanted.name),
                scopes=rules.check_scopes(wanted.scopes, context.principal.scopes),
                origins=rules.check_origins(wanted.origins or ()), networks=rules.check_networks(wanted.networks or ()),
                expires_at=rules.check_expiry(wanted.expires_at, context.host.clock.now()),
            )  # fmt: skip
            await self._check_within(tx, context, row, bounds.LIMITS)
            await self._record(tx, context, "apikey.created", row.id, after=_shown(row))
            context.service(Outbox).emit(tx, created(row), tenant=context.tenant)
        return row, secret

    async def update(self, context: Context, wanted: ApiKeyUpdateInput) -> ApiKeyRow:
        """Rights that are taken away are gone at once."""
        async with context.host.store.write() as tx:
            row = await self._active(tx, context, wanted.id)
            bounds.check_held(row, context.principal.scopes)
            values = self._changes(context, row, wanted)
            changed = replace(row, **values)
            await self._check_within(tx, context, changed, values)
            if values:
                await self._desk.keys.change(tx, context.tenant, row.id, values)
                await sessions(context.host).credential_revoked(tx, "key", row.id)
                await self._record(
                    tx, context, "apikey.updated", row.id,
                    before={name: _shown(row)[name] for name in values}, after={n: _shown(changed)[n] for n in values},
                )  # fmt: skip
        return changed

    async def rotate(self, context: Context, key_id: str, overlap_s: int) -> tuple[ApiKeyRow, str, ApiKeyRow]:
        """The new key, its secret, and the old key as it is now."""
        overlap = timedelta(seconds=overlap_s) if 0 <= overlap_s <= rules.LONGEST_OVERLAP.total_seconds() else None
        if overlap is None:
            most = int(rules.LONGEST_OVERLAP.total_seconds())
            raise Refused("OVERLAP_INVALID", f"{overlap_s} is out of range: give 0 to {most}.", "overlapSeconds")
        async with context.host.store.write() as tx:
            old = await self._active(tx, context, key_id)
            # Its secret would be the caller's.
            bounds.check_held(old, context.principal.scopes)
            await self._check_within(tx, context, old, bounds.LIMITS, "id")
            made, secret = await self._desk.rotate(
                tx, context.tenant, old, created_by=context.principal.actor, overlap=overlap
            )
            await sessions(context.host).credential_revoked(tx, "key", old.id)
            after = {"successor": made.id, "overlap_seconds": overlap_s}
            await self._record(tx, context, "apikey.rotated", old.id, after=after)
            await self._record(tx, context, "apikey.created", made.id, after=_shown(made))
            context.service(Outbox).emit(tx, created(made, old.id), tenant=context.tenant)
            previous = await self._known(tx, context, old.id)
            if previous.revoked_at is not None:
                event = revoked(previous, context.principal.actor, made.id)
                context.service(Outbox).emit(tx, event, tenant=context.tenant)
        return made, secret, previous

    async def revoke(self, context: Context, key_id: str) -> ApiKeyRow:
        """A second time is no error."""
        async with context.host.store.write() as tx:
            row = await self._known(tx, context, key_id)
            # A person stops a key that leaked, whatever it may do.
            if context.principal.kind is not CallerKind.USER:
                bounds.check_held(row, context.principal.scopes)
            if row.revoked_at is None:
                await self._desk.revoke(tx, context.tenant, row.id)
                await sessions(context.host).credential_revoked(tx, "key", row.id)
                await self._record(tx, context, "apikey.revoked", row.id, before={"name": row.name})
                event = revoked(row, context.principal.actor)
                context.service(Outbox).emit(tx, event, tenant=context.tenant)
            return await self._known(tx, context, key_id)

    async def mint(self, context: Context, wanted: AccessTokenCreateInput) -> tuple[AccessTokenRow, str]:
        """A token that can do no more than its minter, and nothing that would outlive it."""
        caller, now = context.principal, context.host.clock.now()
        parent = caller.key or caller.session
        if caller.kind is CallerKind.ACCESS_TOKEN or parent is None:
            raise Refused("TOKEN_CANNOT_MINT", "An access token mints no others: use an API key, or sign in.")
        scopes = rules.check_scopes(wanted.scopes, caller.scopes)
        refused = sorted(scope.value for scope in rules.NEVER_IN_TOKENS if scope.value in scopes)
        if refused:
            told = f"No access token may have {', '.join(refused)}: leave it out, or use an API key on a server."
            raise Refused("SCOPE_NOT_ALLOWED", told, "scopes")
        ends = now + timedelta(seconds=_life(wanted.ttl_seconds))
        # A session outlives the token that a person shows of it; whether it lives is looked at with each use.
        if caller.key is not None and caller.expires_at is not None:
            ends = min(ends, caller.expires_at)
        if wanted.max_points is not None and wanted.max_points < 1:
            raise Refused("POINTS_INVALID", f"{wanted.max_points} is no limit: give 1 or more, or none.", "maxPoints")
        async with context.host.store.write() as tx:
            row, text = await self._desk.mint(
                tx, context.tenant, parent=parent, scopes=scopes, expires_at=ends,
                origins=rules.check_origins(wanted.origins or ()), max_points=wanted.max_points,
            )  # fmt: skip
            after = {
                "scopes": scopes,
                "origins": row.origins,
                "expires_at": row.expires_at,
                "max_points": row.max_points,
            }
            await self._record(tx, context, "accesstoken.created", row.id, after=after)
        return row, text

    async def _check_within(
        self, tx: Tx, context: Context, row: ApiKeyRow, limits: Collection[str], field: str | None = None
    ) -> None:
        """People have no such limits."""
        if context.principal.key is None:
            return
        caller = await self._desk.keys.find(tx, context.tenant, context.principal.key)
        if caller is None or not caller.lives(context.host.clock.now()):
            raise Unauthenticated
        bounds.check_within(row, caller, limits, field)

    async def _known(self, tx: Tx, context: Context, key_id: str) -> ApiKeyRow:
        found = await self._desk.keys.hold(tx, context.tenant, key_id) if could_be_id(key_id) else None
        if found is None:
            raise Refused("NOT_FOUND", _NO_KEY, "id")
        return found

    async def _active(self, tx: Tx, context: Context, key_id: str) -> ApiKeyRow:
        """One that lives and has no successor yet."""
        found = await self._known(tx, context, key_id)
        if found.replaced_by is not None:
            told = f"This key was rotated: its successor is {found.replaced_by}."
            raise Refused("NOT_ACTIVE", told, "id")
        if not found.lives(context.host.clock.now()):
            ended = "was revoked" if found.revoked_at else "has expired"
            raise Refused("NOT_ACTIVE", f"This key {ended}: make another one with apiKeyCreate.", "id")
        return found

    def _changes(self, context: Context, row: ApiKeyRow, wanted: ApiKeyUpdateInput) -> dict[str, Any]:
        """Columns that differ afterwards."""
        made: dict[str, Any] = {}
        if wanted.name is not strawberry.UNSET and wanted.name is not None:
            made["name"] = rules.check_name(wanted.name)
        if wanted.scopes is not strawberry.UNSET and wanted.scopes is not None:
            made["scopes"] = rules.check_scopes(wanted.scopes, context.principal.scopes)
        if wanted.origins is not strawberry.UNSET:
            made["origins"] = rules.check_origins(wanted.origins or ())
        if wanted.networks is not strawberry.UNSET:
            made["networks"] = rules.check_networks(wanted.networks or ())
        if wanted.expires_at is not strawberry.UNSET:
            made["expires_at"] = rules.check_expiry(wanted.expires_at, context.host.clock.now())
        return {name: value for name, value in made.items() if value != getattr(row, name)}

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
        await context.service(Audit).record(tx, context.act(action, target, before=before, after=after))


def _life(seconds: int | None) -> int:
    wanted = 900 if seconds is None else seconds
    if not rules.SHORTEST_TOKEN <= wanted <= rules.LONGEST_TOKEN:
        told = f"{wanted} s is out of range: give {rules.SHORTEST_TOKEN} to {rules.LONGEST_TOKEN}."
        raise Refused("LIFE_INVALID", told, "ttlSeconds")
    return wanted


def _shown(row: ApiKeyRow) -> dict[str, Any]:
    """As the audit trail shows it."""
    return {
        "name": row.name, "prefix": row.prefix, "scopes": row.scopes, "origins": row.origins, "networks": row.networks,
        "expires_at": row.expires_at,
    }  # fmt: skip
