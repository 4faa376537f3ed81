"""SQL of alerts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.contract import WatchedRows
from gateway.core.store import Tx
from plugins.alerts.tables import alerts, courses, firings
from schema.pages import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """`alerts_alerts`."""

    tenant_id: str
    id: str
    made_by: str
    instrument: str | None
    shard: int
    condition: Any
    price_type: str | None
    repeating: bool
    cooldown_ms: int
    hysteresis_bps: int
    fire_if_true: bool
    note: str | None
    active: bool
    state: str
    arm: int
    generation: int
    last_triggered_at: datetime | None
    seen_at: datetime | None
    idempotency_key: str | None
    request_digest: str | None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """`alerts_firings`."""

    tenant_id: str
    alert_id: str
    arm: int
    event_id: str
    at: datetime


_CHANGING = (
    "condition", "shard", "price_type", "repeating", "cooldown_ms", "hysteresis_bps", "fire_if_true", "note", "active",
    "state", "arm", "generation", "seen_at", "changed_at",
)  # fmt: skip


class AlertStore:
    """An organisation's alerts."""

    async def hold(self, tx: Tx, tenant: str) -> None:
        """Wait for others who add to the organisation's alerts, until the end of the transaction."""
        if tx.dialect == "postgresql":
            await tx.run(select(func.pg_advisory_xact_lock(func.hashtextextended(f"alerts {tenant}", 0))))

    async def add(self, tx: Tx, tenant: str, row: AlertRow) -> None:
        """Put it in."""
        await tx.run(alerts.insert().values(**asdict(row) | {"tenant_id": tenant}))

    async def find(self, tx: Tx, tenant: str, alert_id: str) -> AlertRow | None:
        """One of them."""
        return await tx.first(select(alerts).where(_one(tenant, alert_id)), AlertRow)

    async def lock(self, tx: Tx, tenant: str, alert_id: str) -> AlertRow | None:
        """One of them, which nobody else changes until the end of the transaction."""
        return await tx.first(select(alerts).where(_one(tenant, alert_id)).with_for_update(), AlertRow)

    async def with_key(self, tx: Tx, tenant: str, idempotency_key: str) -> AlertRow | None:
        """What was made under a client's key."""
        mine = and_(alerts.c.tenant_id == tenant, alerts.c.idempotency_key == idempotency_key)
        return await tx.first(select(alerts).where(mine), AlertRow)

    async def count(self, tx: Tx, tenant: str) -> int:
        """How many there are."""
        return int(await tx.value(select(func.count()).select_from(alerts).where(alerts.c.tenant_id == tenant)))

    async def page(self, tx: Tx, tenant: str, limit: int, *, behind: Position | None) -> list[AlertRow]:
        """Some of them, the oldest first."""
        mine = select(alerts).where(alerts.c.tenant_id == tenant)
        if behind is not None:
            at, id = behind
            made = alerts.c.created_at
            mine = mine.where(or_(made > at, and_(made == at, alerts.c.id > id)))
        return await tx.all(mine.order_by(alerts.c.created_at, alerts.c.id).limit(limit), AlertRow)

    async def change(self, tx: Tx, tenant: str, alert_id: str, row: AlertRow) -> None:
        """Set what a person may change, and where it stands then."""
        values = {name: getattr(row, name) for name in _CHANGING}
        await tx.run(update(alerts).where(_one(tenant, alert_id)).values(**values))

    async def remove(self, tx: Tx, tenant: str, alert_id: str) -> bool:
        """Whether there was one."""
        await tx.run(delete(firings).where(firings.c.tenant_id == tenant, firings.c.alert_id == alert_id))
        return await tx.run(delete(alerts).where(_one(tenant, alert_id))) > 0

    async def whole(self, tx: Tx, tenant: str) -> list[AlertRow]:
        """All, for the organisation's export."""
        return await tx.all(select(alerts).where(alerts.c.tenant_id == tenant).order_by(alerts.c.id), AlertRow)

    async def fired(self, tx: Tx, tenant: str) -> list[Firing]:
        """When they fired, as long as it is kept."""
        mine = select(firings).where(firings.c.tenant_id == tenant)
        return await tx.all(mine.order_by(firings.c.alert_id, firings.c.arm), Firing)

    async def erase(self, tx: Tx, tenant: str) -> None:
        """All."""
        await tx.run(delete(firings).where(firings.c.tenant_id == tenant))
        await tx.run(delete(alerts).where(alerts.c.tenant_id == tenant))


class EvaluationDirectory(WatchedRows[AlertRow]):
    """Evaluation is of all tenants at once: each row that it reads and writes carries its own tenant along."""

    def __init__(self) -> None:
        super().__init__(alerts, AlertRow)

    async def fire(self, tx: Tx, fired: Sequence[Firing]) -> set[tuple[str, int]]:
        """Write firings; which of them are new."""
        made = tx.insert(firings).values([asdict(each) for each in fired]).on_conflict_do_nothing()
        rows = await tx.connection.execute(made.returning(firings.c.alert_id, firings.c.arm))
        return {(row.alert_id, row.arm) for row in rows}

    async def settle(self, tx: Tx, stood: Sequence[Mapping[str, Any]]) -> None:
        """Write where alerts stand: `alert`, `of` (its generation), state, arm, active, last_triggered_at, seen_at."""
        where = and_(alerts.c.id == bindparam("alert"), alerts.c.generation == bindparam("of"))
        columns = ("state", "arm", "active", "last_triggered_at", "seen_at")
        # By way of the connection: many rows, one statement.
        statement = update(alerts).where(where).values({name: bindparam(f"new_{name}") for name in columns})
        await tx.connection.execute(statement, list(stood))

    async def providers(self, tx: Tx, names: Collection[str]) -> Mapping[str, str]:
        """Who told the last number of measures."""
        rows = await tx.connection.execute(select(courses).where(courses.c.name.in_(sorted(names))))
        return {row.name: row.provider for row in rows}

    async def told_by(self, tx: Tx, providers: Mapping[str, str]) -> None:
        """Who tells the numbers of measures from now on."""
        rows = [{"name": name, "provider": provider} for name, provider in sorted(providers.items())]
        made = tx.insert(courses).values(rows)
        await tx.run(made.on_conflict_do_update(index_elements=["name"], set_={"provider": made.excluded.provider}))

    async def forget(self, tx: Tx, before: datetime) -> None:
        """Firings that are too old: arm numbers only rise, so that none of them comes again."""
        await tx.run(delete(firings).where(firings.c.at < before))


def _one(tenant: str, alert_id: str) -> ColumnElement[bool]:
    return and_(alerts.c.tenant_id == tenant, alerts.c.id == alert_id)
