"""SQL of the engine. It sends for all tenants at once; every row that it writes carries the tenant that it read."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, bindparam, delete, func, or_, select, text, update

from gateway.core.ports import Archive
from gateway.core.store import Instant, Tx
from plugins.webhooks.delivery.lanes import SLOTS
from plugins.webhooks.delivery.pace import Pace
from plugins.webhooks.delivery.rows import Claimed, Settlement, Standing, Waiting
from plugins.webhooks.delivery.verdict import Outcome
from plugins.webhooks.rows import DISABLED, DROPPED, ENABLED, EndpointRow
from plugins.webhooks.tables import attempts, deliveries, endpoints

_FREE = "due_at <= :now AND (leased_until IS NULL OR leased_until <= :now)"
_COLUMNS = ", ".join(Claimed.__slots__)
_OURS = ", ".join(f"delivery.{name}" for name in Claimed.__slots__)


def _timed(sql: str, *names: str) -> TextClause:
    return text(sql).bindparams(*(bindparam(name, type_=Instant()) for name in names))


# One look-up in an index for each endpoint, whatever waits for it or for others.
_CLAIM = _timed(
    f"""
    WITH picked AS (
      SELECT waiting.id FROM unnest(CAST(:endpoints AS text[]), CAST(:counts AS int[])) AS wish(endpoint, most),
      LATERAL (
        SELECT id FROM webhooks_deliveries WHERE endpoint_id = wish.endpoint AND {_FREE}
        ORDER BY due_at LIMIT wish.most FOR UPDATE SKIP LOCKED
      ) AS waiting
    )
    UPDATE webhooks_deliveries SET leased_until = :lease WHERE id IN (SELECT id FROM picked) RETURNING {_COLUMNS}
    """,  # noqa: S608 - constants
    "now", "lease",
)  # fmt: skip
_PICK = _timed(
    f"""
    SELECT {_OURS} FROM json_each(:endpoints) AS wish CROSS JOIN webhooks_deliveries AS delivery
    ON delivery.rowid IN (
      SELECT each.rowid FROM webhooks_deliveries AS each WHERE each.endpoint_id = wish.value AND {_FREE}
      ORDER BY each.due_at LIMIT {SLOTS}
    )
    """,  # noqa: S608 - constants
    "now",
)
_WAITING = text(
    """
    WITH RECURSIVE walk(endpoint) AS (
      SELECT min(endpoint_id) FROM webhooks_deliveries WHERE due_at IS NOT NULL
      UNION ALL
      SELECT (
        SELECT min(endpoint_id) FROM webhooks_deliveries WHERE due_at IS NOT NULL AND endpoint_id > walk.endpoint
      ) FROM walk WHERE walk.endpoint IS NOT NULL
    )
    SELECT endpoint AS endpoint_id, (
      SELECT min(due_at) FROM webhooks_deliveries WHERE endpoint_id = walk.endpoint AND due_at IS NOT NULL
    ) AS due_at FROM walk WHERE endpoint IS NOT NULL
    """
).columns(due_at=Instant())


class DeliveryDirectory:
    """Across tenants: who sends takes what is due, whosever it is."""

    async def marks(self, tx: Tx, tenants: Collection[str]) -> dict[str, tuple[int, datetime]]:
        """By tenant what changes whenever an endpoint comes, goes or is changed; without those that have none."""
        enabled = func.count().filter(endpoints.c.status == ENABLED)
        columns = select(endpoints.c.tenant_id, enabled, func.max(endpoints.c.changed_at, type_=Instant()))
        grouped = columns.where(endpoints.c.tenant_id.in_(sorted(tenants))).group_by(endpoints.c.tenant_id)
        return {row[0]: (row[1], row[2]) for row in await tx.connection.execute(grouped)}

    async def listeners(self, tx: Tx, tenants: Collection[str]) -> list[EndpointRow]:
        """The enabled endpoints of these."""
        wanted = endpoints.c.tenant_id.in_(sorted(tenants)), endpoints.c.status == ENABLED
        return await tx.all(select(endpoints).where(*wanted), EndpointRow)

    async def add(self, tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
        """New deliveries; one that is there stays as it is."""
        await tx.run(tx.insert(deliveries).on_conflict_do_nothing(), rows)

    async def claim(self, tx: Tx, wishes: Mapping[str, int], now: datetime, lease: datetime) -> list[Claimed]:
        """What is due and nobody's, by endpoint at most so many; no other transaction claims it before *lease*."""
        if tx.dialect == "postgresql":
            given = {"endpoints": list(wishes), "counts": list(wishes.values()), "now": now, "lease": lease}
            return await tx.all(_CLAIM.bindparams(**given), Claimed)
        # SQLite's LIMIT takes no column. Of its writers there is one at a time.
        found = await tx.all(_PICK.bindparams(endpoints=json.dumps(list(wishes)), now=now), Claimed)
        left, claimed = dict(wishes), []
        for each in found:
            if left[each.endpoint_id] > 0:
                left[each.endpoint_id] -= 1
                claimed.append(each)
        mine = deliveries.c.id.in_([each.id for each in claimed])
        await tx.run(update(deliveries).where(mine).values(leased_until=lease))
        return claimed

    async def waiting(self, tx: Tx) -> list[Waiting]:
        """Every endpoint for which anything waits, by its index alone."""
        return await tx.all(_WAITING, Waiting)

    async def standings(self, tx: Tx, ids: Collection[str]) -> list[Standing]:
        """What may have changed."""
        columns = select(*(endpoints.c[name] for name in Standing.__slots__))
        return await tx.all(columns.where(endpoints.c.id.in_(sorted(ids))), Standing)

    async def paces(self, tx: Tx, ids: Collection[str]) -> list[Pace]:
        """Of endpoints that have a rate, held until the end of the transaction; without those that another holds."""
        columns = select(endpoints.c.id, endpoints.c.rate_per_second, endpoints.c.allowed_at)
        wanted = columns.where(endpoints.c.id.in_(sorted(ids)), endpoints.c.rate_per_second.is_not(None))
        return await tx.all(wanted.order_by(endpoints.c.id).with_for_update(skip_locked=True), Pace)

    async def allow(self, tx: Tx, endpoint_id: str, allowed_at: datetime) -> None:
        """When the next attempt is allowed, whichever process makes it."""
        await tx.run(update(endpoints).where(endpoints.c.id == endpoint_id).values(allowed_at=allowed_at))

    async def endpoints(self, tx: Tx, ids: Collection[str]) -> list[EndpointRow]:
        """Whole rows."""
        return await tx.all(select(endpoints).where(endpoints.c.id.in_(sorted(ids))), EndpointRow)

    async def lock(self, tx: Tx, ids: Collection[str]) -> list[EndpointRow]:
        """The same, held until the end of the transaction. Whoever changes an endpoint and its deliveries takes it
        first."""
        wanted = select(endpoints).where(endpoints.c.id.in_(sorted(ids))).order_by(endpoints.c.id)
        return await tx.all(wanted.with_for_update(), EndpointRow)

    async def succeeded(self, tx: Tx, settlements: Sequence[Settlement], now: datetime) -> set[str]:
        """Ids of those that were this process's still."""
        found: set[str] = set()
        for status in sorted({each.verdict.status or 0 for each in settlements}):
            alike = [each for each in settlements if each.verdict.status == status]
            changed = {
                "status": Outcome.SUCCEEDED.value, "attempts": deliveries.c.attempts + 1, "due_at": None,
                "leased_until": None, "settled_at": now, "last_status": status, "last_error": None,
            }  # fmt: skip
            mine = (
                deliveries.c.id.in_([each.claimed.id for each in alike]),
                deliveries.c.leased_until.in_(sorted({each.lease for each in alike})),
            )
            found |= set(await tx.values(update(deliveries).where(*mine).values(changed).returning(deliveries.c.id)))
        return found

    async def failed(self, tx: Tx, settlement: Settlement, now: datetime) -> bool:
        """Whether it was this process's still."""
        verdict = settlement.verdict
        changed = {
            "status": verdict.outcome.value, "attempts": deliveries.c.attempts + 1, "due_at": verdict.due_at,
            "leased_until": None, "settled_at": now if verdict.due_at is None else None, "last_status": verdict.status,
            "last_error": verdict.error,
        }  # fmt: skip
        mine = deliveries.c.id == settlement.claimed.id, deliveries.c.leased_until == settlement.lease
        return await tx.run(update(deliveries).where(*mine).values(changed)) > 0

    async def note(self, tx: Tx, settlements: Sequence[Settlement]) -> None:
        """Lines of the delivery log."""
        rows = [
            {
                "tenant_id": each.claimed.tenant_id, "delivery_id": each.claimed.id,
                "number": each.claimed.attempts + 1, "at": each.answer.at, "url": each.url,
                "response_status": each.verdict.status,
                "latency_ms": each.answer.latency_ms, "error": each.verdict.error, "excerpt": each.verdict.excerpt,
            }
            for each in settlements
        ]  # fmt: skip
        await tx.run(tx.insert(attempts).on_conflict_do_nothing(), rows)

    async def release(self, tx: Tx, ids: Collection[str], lease: datetime) -> None:
        """Let others have what was claimed and not sent."""
        mine = deliveries.c.id.in_(sorted(ids)), deliveries.c.leased_until == lease
        await tx.run(update(deliveries).where(*mine).values(leased_until=None))

    async def drop(self, tx: Tx, ids: Collection[str], now: datetime, reason: str) -> None:
        """Give up what cannot be sent."""
        given_up = {"status": DROPPED, "due_at": None, "leased_until": None, "settled_at": now, "last_error": reason}
        await tx.run(update(deliveries).where(deliveries.c.id.in_(sorted(ids))).values(given_up))

    async def recovered(self, tx: Tx, ids: Collection[str]) -> None:
        """These endpoints do not fail any more."""
        await tx.run(
            update(endpoints).where(endpoints.c.id.in_(sorted(ids))).values(failing_since=None, failed_at=None)
        )

    async def failing(self, tx: Tx, endpoint_id: str, since: datetime, last: datetime) -> None:
        """It has failed since then, last just now."""
        changed = {"failing_since": since, "failed_at": last}
        await tx.run(update(endpoints).where(endpoints.c.id == endpoint_id).values(changed))

    async def disable(self, tx: Tx, endpoint_id: str, now: datetime, reason: str) -> None:
        """Send nothing to it any more; what waits and is not on its way is given up."""
        changed = {"status": DISABLED, "disabled_reason": reason, "disabled_at": now, "changed_at": now}
        await tx.run(update(endpoints).where(endpoints.c.id == endpoint_id).values(changed))
        waits = deliveries.c.endpoint_id == endpoint_id, deliveries.c.due_at.is_not(None)
        idle = or_(deliveries.c.leased_until.is_(None), deliveries.c.leased_until <= now)
        given_up = {"status": DROPPED, "due_at": None, "leased_until": None, "settled_at": now, "last_error": reason}
        await tx.run(update(deliveries).where(*waits, idle).values(given_up))

    async def forget_attempts(self, tx: Tx, archive: Archive, before: datetime, most: int) -> int:
        """How many lines went, about *most* at a time."""
        keys = select(attempts.c.delivery_id).where(attempts.c.at < before).order_by(attempts.c.at).limit(most)
        ids = sorted({str(id) for id in await tx.values(keys)})
        old = delete(attempts).where(attempts.c.delivery_id.in_(ids), attempts.c.at < before)
        return await archive.remove(tx, old, attempts.c.at)

    async def forget_deliveries(self, tx: Tx, archive: Archive, before: datetime, most: int) -> int:
        """How many settled ones went."""
        old = select(deliveries.c.id).where(deliveries.c.settled_at < before).order_by(deliveries.c.settled_at)
        gone = delete(deliveries).where(deliveries.c.id.in_(old.limit(most)))
        return await archive.remove(tx, gone, deliveries.c.settled_at)
