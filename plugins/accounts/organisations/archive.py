"""Everything that is held of an organisation: told as JSON, and erased once its time of grace is over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import structlog
from sqlalchemy import Table, delete, select, text, update

from gateway.core.contract import Context, Host
from gateway.core.ports import Act, Audit
from gateway.core.store import Tx
from plugins.accounts.audit.rows import AuditRow
from plugins.accounts.audit.store import AuditStore
from plugins.accounts.organisations.peers import sessions
from plugins.accounts.organisations.rows import Status
from plugins.accounts.organisations.store import OrganisationDirectory, OrganisationStore
from plugins.accounts.tables import TABLES, audit, memberships, organisations, retries, users
from plugins.accounts.tables import sessions as session_rows
from schema.scalars import datetime_text, decimal_text
from schema.words.problems import Refused

FORMAT = 1
SECRET = ("digest", "secret", "sealed", "password", "token_text")
"""What a column's name holds if its value signs in, or proves that somebody can."""
PREFIX = "accounts_"
MOST_LINES, LINES_AT_ONCE = 100_000, 1_000
"""Lines of the audit trail in one document, and in one look at the database."""
_REST = "The newest lines; older ones are told by `auditExport(since:, until:)`."

log = structlog.get_logger(__name__)


async def export(host: Host, tx: Tx, tenant: str) -> Mapping[str, Any]:
    """What accounts holds: the organisation, its members, and every table that has its rows, without secrets."""
    organisation = await _rows(tx, select(organisations).where(organisations.c.id == tenant))
    listed = select(memberships, users.c.email).join(users, users.c.id == memberships.c.user_id)
    found: dict[str, Any] = {
        "organisation": organisation[0] if organisation else None,
        "members": await _rows(tx, listed.where(memberships.c.tenant_id == tenant)),
    }
    for table in _tenant_tables():
        if table not in (memberships, retries, audit):
            shown = [column for column in table.c if not any(word in column.name for word in SECRET)]
            query = select(*shown).where(table.c.tenant_id == tenant)
            found[table.name.removeprefix(PREFIX)] = await _rows(tx, query)
    return found | await _trail(tx, tenant)


async def erase(host: Host, tx: Tx, tenant: str) -> None:
    """Every row of the organisation, and at last the organisation; people stay, for they belong to themselves."""
    # First, for it waits for a sealer that is at it: what is sealed behind our back would stay.
    await AuditStore().erase(tx, tenant)
    for table in reversed(_tenant_tables()):
        await tx.run(delete(table).where(table.c.tenant_id == tenant))
    mine = session_rows.c.organisation_id == tenant
    await tx.run(update(session_rows).where(mine).values(organisation_id=None))
    await OrganisationStore().remove(tx, tenant)


async def _trail(tx: Tx, tenant: str) -> dict[str, Any]:
    """The newest lines, the oldest of them first, and whether there are others."""
    names = [name for name in AuditRow.__slots__ if name != "tenant_id"]
    lines: list[dict[str, Any]] = []
    behind, more = None, True
    while more and len(lines) <= MOST_LINES:
        page = await AuditStore().newest(tx, tenant, LINES_AT_ONCE, behind)
        # Page by page, so that others are answered in between.
        lines += [{name: getattr(line, name) for name in names} for line in page]
        more = len(page) == LINES_AT_ONCE
        behind = (page[-1].at, page[-1].id) if page else None
    shown = lines[:MOST_LINES]
    told: dict[str, Any] = {"complete": len(shown) == len(lines), "lines": len(shown)}
    if not told["complete"]:
        told |= {"before": shown[-1]["at"], "note": _REST}
    return {"audit": shown[::-1], "auditTrail": told}


def _tenant_tables() -> list[Table]:
    return [table for table in TABLES.sorted_tables if table.info["scope"] == "tenant"]


async def _rows(tx: Tx, query: Any) -> list[dict[str, Any]]:
    result = await tx.connection.execute(query)
    return [{name: value for name, value in row.items() if name != "tenant_id"} for row in result.mappings()]


class Archive:
    """Walks all plugins."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def document(self, context: Context) -> str:
        """One view of the caller's organisation in all plugins; that it was taken stands in the audit trail."""
        host, tenant = self._host, context.tenant
        async with host.store.read() as tx:
            if tx.dialect == "postgresql":
                await tx.run(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            if await OrganisationStore().find(tx, tenant) is None:
                raise Refused("NOT_FOUND", "You act in no organisation: switch to one of yours.")
            plugins = {plugin.name: await plugin.export(host, tx, tenant) for plugin in host.plugins if plugin.export}
        async with host.store.write() as tx:
            await context.service(Audit).record(tx, context.act("organisation.exported", tenant))
        whole = {"format": FORMAT, "organisation": tenant, "exportedAt": host.clock.now(), "plugins": plugins}
        return await asyncio.to_thread(json.dumps, whole, default=_plain, ensure_ascii=False)

    async def erase_due(self) -> None:
        """Erase organisations whose time of grace is over, each in a transaction of its own."""
        async with self._host.store.read() as tx:
            due = await OrganisationDirectory().due(tx, self._host.clock.now())
        failures: list[Exception] = []
        for tenant in due:
            try:
                await self._erase(tenant)
            except Exception as failure:  # noqa: BLE001 - one that cannot be erased must not keep the others; raised below
                failures.append(failure)
        if failures:
            raise ExceptionGroup("organisations that could not be erased", failures)

    async def _erase(self, tenant: str) -> None:
        host = self._host
        async with host.store.write() as tx:
            row = await OrganisationStore().lock(tx, tenant)
            # Restored, suspended, or erased by another process, since it was seen.
            if row is None or row.status != Status.DELETING or row.erase_at is None:
                return
            if row.erase_at > host.clock.now():
                return
            await sessions(host).tenant_changed(tx, tenant)
            # Accounts last: the others may still ask it about the organisation.
            for plugin in sorted(host.plugins, key=lambda each: each.tables is TABLES):
                if plugin.erase is not None:
                    await plugin.erase(host, tx, tenant)
            tombstone = Act(
                tenant="", action="organisation.erased", target=tenant, actor="system", actor_kind="system",
                after={"deletedUntil": row.erase_at.isoformat()},
            )  # fmt: skip
            await host.service(Audit).record(tx, tombstone)
        log.info("organisation_erased", tenant=tenant)


def _plain(value: object) -> object:
    match value:
        case datetime():
            return datetime_text(value)
        case date():
            return value.isoformat()
        case Decimal():
            return decimal_text(value)
        case Enum():
            return value.value
        case set() | frozenset() | tuple():
            return sorted(value)
    raise TypeError(f"an export holds plain values, not {type(value).__name__}")
