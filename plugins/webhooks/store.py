"""SQL of webhooks: endpoints, their deliveries, attempts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.store import Tx
from plugins.webhooks.rows import (
    DISABLED,
    DROPPED,
    ENABLED,
    EXHAUSTED,
    PENDING,
    RETRYING,
    TEST,
    AttemptRow,
    DeliveryRow,
    EndpointRow,
)
from plugins.webhooks.tables import attempts, deliveries, endpoints
from schema.pages import Position

WAITING, FAILED = (PENDING, RETRYING), (EXHAUSTED, DROPPED)


class EndpointStore:
    """Endpoints of an organisation."""

    async def hold(self, tx: Tx, tenant: str) -> None:
        """Wait for others who change this tenant's endpoints, until the transaction ends. SQLite has one writer."""
        if tx.dialect == "postgresql":
            await tx.run(select(func.pg_advisory_xact_lock(func.hashtextextended(f"webhooks {tenant}", 0))))

    async def add(self, tx: Tx, tenant: str, row: EndpointRow) -> None:
        """Put it in."""
        await tx.run(endpoints.insert().values(**asdict(row) | {"tenant_id": tenant}))

    async def find(self, tx: Tx, tenant: str, endpoint_id: str) -> EndpointRow | None:
        """One of them."""
        return await tx.first(select(endpoints).where(_endpoint(tenant, endpoint_id)), EndpointRow)

    async def take(self, tx: Tx, tenant: str, endpoint_id: str) -> EndpointRow | None:
        """The same, held until the transaction ends: whoever changes an endpoint and its deliveries takes it first."""
        query = select(endpoints).where(_endpoint(tenant, endpoint_id)).with_for_update()
        return await tx.first(query, EndpointRow)

    async def by_key(self, tx: Tx, tenant: str, idempotency_key: str) -> EndpointRow | None:
        """The one that a client's key has made."""
        mine = and_(endpoints.c.tenant_id == tenant, endpoints.c.idempotency_key == idempotency_key)
        return await tx.first(select(endpoints).where(mine), EndpointRow)

    async def all(self, tx: Tx, tenant: str) -> list[EndpointRow]:
        """All of them, the oldest first."""
        mine = select(endpoints).where(endpoints.c.tenant_id == tenant)
        return await tx.all(mine.order_by(endpoints.c.created_at, endpoints.c.id), EndpointRow)

    async def page(self, tx: Tx, tenant: str, limit: int, *, behind: Position | None) -> list[EndpointRow]:
        """Some of them, the oldest first."""
        mine = select(endpoints).where(endpoints.c.tenant_id == tenant)
        if behind is not None:
            at, id = behind
            made = endpoints.c.created_at
            mine = mine.where(or_(made > at, and_(made == at, endpoints.c.id > id)))
        return await tx.all(mine.order_by(endpoints.c.created_at, endpoints.c.id).limit(limit), EndpointRow)

    async def count(self, tx: Tx, tenant: str) -> int:
        """How many there are, the disabled ones included."""
        query = select(func.count()).select_from(endpoints).where(endpoints.c.tenant_id == tenant)
        return int(await tx.value(query))

    async def change(self, tx: Tx, tenant: str, endpoint_id: str, changes: Mapping[str, Any]) -> None:
        """Set columns."""
        await tx.run(update(endpoints).where(_endpoint(tenant, endpoint_id)).values(**changes))

    async def disable(self, tx: Tx, tenant: str, endpoint_id: str, *, reason: str, at: datetime) -> bool:
        """Send no more there; what waits is given up. False where it is disabled already, or gone."""
        on = and_(_endpoint(tenant, endpoint_id), endpoints.c.status == ENABLED)
        told = {"status": DISABLED, "disabled_reason": reason, "disabled_at": at, "changed_at": at}
        if await tx.run(update(endpoints).where(on).values(**told)) == 0:
            return False
        waiting = and_(_of(tenant, endpoint_id), deliveries.c.status.in_(WAITING))
        given_up = {"status": DROPPED, "due_at": None, "leased_until": None, "settled_at": at, "last_error": reason}
        await tx.run(update(deliveries).where(waiting).values(**given_up))
        return True

    async def remove(self, tx: Tx, tenant: str, endpoint_id: str) -> bool:
        """With all deliveries; whether there was one."""
        theirs = select(deliveries.c.id).where(_of(tenant, endpoint_id))
        await tx.run(delete(attempts).where(attempts.c.tenant_id == tenant, attempts.c.delivery_id.in_(theirs)))
        await tx.run(delete(deliveries).where(_of(tenant, endpoint_id)))
        return await tx.run(delete(endpoints).where(_endpoint(tenant, endpoint_id))) > 0

    async def tests(self, tx: Tx, tenant: str) -> list[str]:
        """Ids of events that never happened, of all deliveries of the organisation."""
        theirs = and_(deliveries.c.tenant_id == tenant, deliveries.c.event_id.startswith(f"{TEST}_", autoescape=True))
        return await tx.values(select(deliveries.c.event_id).where(theirs))

    async def erase(self, tx: Tx, tenant: str) -> None:
        """Everything of the organisation."""
        for table in (attempts, deliveries, endpoints):
            await tx.run(delete(table).where(table.c.tenant_id == tenant))


class DeliveryStore:
    """Deliveries to endpoints of an organisation, and their attempts."""

    async def find(self, tx: Tx, tenant: str, delivery_id: str) -> DeliveryRow | None:
        """One of them."""
        return await tx.first(select(deliveries).where(_delivery(tenant, delivery_id)), DeliveryRow)

    async def page(
        self, tx: Tx, tenant: str, endpoint_id: str, limit: int, *, status: str | None, behind: Position | None
    ) -> list[DeliveryRow]:
        """Some of an endpoint's, the newest first."""
        wanted = select(deliveries).where(_of(tenant, endpoint_id))
        if status is not None:
            wanted = wanted.where(deliveries.c.status == status)
        if behind is not None:
            at, id = behind
            made = deliveries.c.created_at
            wanted = wanted.where(or_(made < at, and_(made == at, deliveries.c.id < id)))
        newest = wanted.order_by(deliveries.c.created_at.desc(), deliveries.c.id.desc())
        return await tx.all(newest.limit(limit), DeliveryRow)

    async def attempts_of(self, tx: Tx, tenant: str, delivery_ids: Collection[str]) -> list[AttemptRow]:
        """Of some deliveries, in order."""
        mine = and_(attempts.c.tenant_id == tenant, attempts.c.delivery_id.in_(sorted(delivery_ids)))
        return await tx.all(
            select(attempts).where(mine).order_by(attempts.c.delivery_id, attempts.c.number), AttemptRow
        )

    async def put(self, tx: Tx, tenant: str, rows: Sequence[DeliveryRow]) -> int:
        """Put in those of events that were not sent there before; how many they were."""
        if not rows:
            return 0
        values = [asdict(row) | {"tenant_id": tenant} for row in rows]
        once = tx.insert(deliveries).values(values).on_conflict_do_nothing(index_elements=["endpoint_id", "event_id"])
        return len(await tx.values(once.returning(deliveries.c.id)))

    async def resend(self, tx: Tx, tenant: str, delivery_id: str, *, now: datetime) -> None:
        """Send it anew, with the whole schedule before it."""
        await tx.run(update(deliveries).where(_delivery(tenant, delivery_id)).values(_anew(now)))

    async def resend_failed(
        self, tx: Tx, tenant: str, endpoint_id: str, *, since: datetime, until: datetime, now: datetime
    ) -> int:
        """Send anew what was given up of those made in [since, until); how many."""
        made = and_(deliveries.c.created_at >= since, deliveries.c.created_at < until)
        failed = and_(_of(tenant, endpoint_id), deliveries.c.status.in_(FAILED), made)
        return await tx.run(update(deliveries).where(failed).values(_anew(now)))

    async def all(self, tx: Tx, tenant: str) -> list[DeliveryRow]:
        """Everything that is kept, for the organisation's export."""
        mine = select(deliveries).where(deliveries.c.tenant_id == tenant)
        return await tx.all(mine.order_by(deliveries.c.created_at, deliveries.c.id), DeliveryRow)

    async def all_attempts(self, tx: Tx, tenant: str) -> list[AttemptRow]:
        """Everything that is kept, for the organisation's export."""
        mine = select(attempts).where(attempts.c.tenant_id == tenant)
        return await tx.all(mine.order_by(attempts.c.at, attempts.c.delivery_id, attempts.c.number), AttemptRow)


class EndpointDirectory:
    """Across tenants: what the fleet has to produce, and what an earlier root secret has sealed."""

    async def enabled(self, tx: Tx) -> list[EndpointRow]:
        """All that are sent to."""
        return await tx.all(select(endpoints).where(endpoints.c.status == ENABLED), EndpointRow)

    async def outdated(self, tx: Tx, root: str) -> list[EndpointRow]:
        """Endpoints whose secrets are sealed with another root secret than the newest."""
        old = or_(endpoints.c.root.is_(None), endpoints.c.root != root)
        return await tx.all(select(endpoints).where(old), EndpointRow)

    async def reseal(self, tx: Tx, row: EndpointRow, renewed: EndpointRow) -> None:
        """Unless it was changed meanwhile."""
        this = and_(_endpoint(row.tenant_id, row.id), endpoints.c.secret == row.secret)
        same = and_(this, endpoints.c.changed_at == row.changed_at)
        await tx.run(
            update(endpoints).where(same).values(
                headers=renewed.headers, secret=renewed.secret, previous_secret=renewed.previous_secret,
                signing_key=renewed.signing_key, root=renewed.root,
            )
        )  # fmt: skip


def _anew(now: datetime) -> dict[str, Any]:
    return {
        "status": PENDING, "due_at": now, "settled_at": None, "earlier_attempts": deliveries.c.attempts,
        "last_error": None,
    }  # fmt: skip


def _endpoint(tenant: str, endpoint_id: str) -> ColumnElement[bool]:
    return and_(endpoints.c.tenant_id == tenant, endpoints.c.id == endpoint_id)


def _of(tenant: str, endpoint_id: str) -> ColumnElement[bool]:
    return and_(deliveries.c.tenant_id == tenant, deliveries.c.endpoint_id == endpoint_id)


def _delivery(tenant: str, delivery_id: str) -> ColumnElement[bool]:
    return and_(deliveries.c.tenant_id == tenant, deliveries.c.id == delivery_id)
