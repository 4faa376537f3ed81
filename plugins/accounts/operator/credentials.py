"""Operators' keys: made, listed, revoked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.core.contract import Context, Host
from gateway.core.identity import OperatorRole
from gateway.core.ports import Audit
from gateway.core.store import new_id
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.keys.rows import OperatorKeyRow
from plugins.accounts.keys.rules import check_networks
from plugins.accounts.operator.store import OperatorKeyDirectory
from plugins.accounts.operator.tenants import read
from plugins.accounts.organisations.retries import earlier
from plugins.accounts.sessions.desk import SessionDesk
from schema.names import could_be_id
from schema.pages import Position
from schema.words.problems import Refused

NO_KEY = "There is no operator's key with this id: `operatorKeys` lists them."


class OperatorKeys:
    """One a process."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._rows = OperatorKeyDirectory()

    async def page(self, count: int, after: Position | None) -> list[OperatorKeyRow]:
        """The oldest first."""
        async with self._host.store.read() as tx:
            return await self._rows.page(tx, count, after)

    async def create(
        self,
        context: Context,
        name: str,
        role: OperatorRole,
        networks: Sequence[str],
        expires_at: datetime | None,
        key: str | None,
    ) -> tuple[OperatorKeyRow, str | None]:
        """The key and its secret, which is shown this once: the same idempotency key again shows none."""
        name, allowed = read(name, "name"), check_networks(networks)
        if expires_at is not None and expires_at <= self._host.clock.now():
            raise Refused("EXPIRY_INVALID", "The key would have expired already: give a later time.", "expiresAt")
        async with self._host.store.write() as tx:
            claimed, wanted = new_id("opk"), (name, role, allowed, expires_at)
            before = await earlier(context, tx, "operatorkey.create", key, claimed, wanted=wanted)
            found = await self._rows.find(tx, before) if before is not None else None
            if found is not None:
                return found, None
            made, secret = await self._host.service(KeyDesk).create_operator(
                tx, name=name, role=role, networks=allowed, expires_at=expires_at, key_id=claimed
            )
            after = {"name": name, "role": role.value, "networks": allowed, "expiresAt": expires_at}
            act = context.act("operatorkey.created", made.id, tenant="", after=after)
            await self._host.service(Audit).record(tx, act)
        return made, secret

    async def revoke(self, context: Context, key_id: str) -> OperatorKeyRow:
        """It works no more, in any process; nothing where it was revoked before."""
        async with self._host.store.write() as tx:
            row = await self._rows.find(tx, key_id) if could_be_id(key_id) else None
            if row is None:
                raise Refused("NOT_FOUND", NO_KEY, "id")
            if await self._rows.revoke(tx, key_id, self._host.clock.now()):
                await self._host.service(SessionDesk).credential_revoked(tx, "operator", key_id)
                act = context.act("operatorkey.revoked", key_id, tenant="", before={"name": row.name, "role": row.role})
                await self._host.service(Audit).record(tx, act)
            return await self._rows.find(tx, key_id) or row
