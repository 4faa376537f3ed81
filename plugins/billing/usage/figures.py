"""What `/metrics` shows of the business: figures of the whole fleet, read from the rollups every few minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from gateway.core.contract import Host
from gateway.core.metrics import gauge
from gateway.core.store import Tx
from plugins.billing.calendar import hour_of
from plugins.billing.tables import usage_fields
from plugins.billing.usage.counts import WHOLE

EVERY_S = 300.0
DAY = timedelta(days=1)
ACTIVE = gauge("marketgate_active_tenants", "Organisations that asked for anything in the last 24 hours.")
OPERATIONS = gauge("marketgate_operations_of_day", "Operations of all organisations in the last 24 hours.")
POINTS = gauge("marketgate_points_of_day", "Points that these were priced at.")


@dataclass(frozen=True, slots=True)
class Day:
    """Sums of the last 24 full hours and the present one."""

    tenants: int
    operations: int
    points: int


async def day_of(tx: Tx, now: datetime) -> Day:
    """By the index of hours alone, whoever the organisations are."""
    columns = usage_fields.c
    found = select(
        func.count(columns.tenant_id.distinct()).label("tenants"),
        func.coalesce(func.sum(columns.operations), 0).label("operations"),
        func.coalesce(func.sum(columns.points), 0).label("points"),
    ).where(columns.hour >= hour_of(now) - DAY, columns.field == WHOLE)
    return await tx.first(found, Day) or Day(0, 0, 0)


async def show(host: Host) -> None:
    """Read and show them."""
    async with host.store.read() as tx:
        found = await day_of(tx, host.clock.now())
    ACTIVE.set(found.tenants)
    OPERATIONS.set(int(found.operations))
    POINTS.set(int(found.points))
