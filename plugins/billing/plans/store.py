"""SQL of the operator's plans."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import delete, select

from gateway.core.store import Tx
from plugins.billing.plans.catalog import PlanRow
from plugins.billing.tables import plans


class PlanDirectory:
    """Plans belong to no tenant: the operator defines them, all may be put on them."""

    async def all(self, tx: Tx) -> list[PlanRow]:
        """By name."""
        return await tx.all(select(plans).order_by(plans.c.name), PlanRow)

    async def find(self, tx: Tx, name: str) -> PlanRow | None:
        """One of them."""
        return await tx.first(select(plans).where(plans.c.name == name), PlanRow)

    async def keep(self, tx: Tx, name: str) -> bool:
        """Whether it is there, and stays until the transaction ends: a tenant may be put on it."""
        found = select(plans.c.name).where(plans.c.name == name).with_for_update(read=True)
        return await tx.value(found) is not None

    async def lock(self, tx: Tx, name: str) -> PlanRow | None:
        """The plan, with nobody put on it until the transaction ends."""
        return await tx.first(select(plans).where(plans.c.name == name).with_for_update(), PlanRow)

    async def put(self, tx: Tx, plan: PlanRow) -> None:
        """Define it, or define it anew."""
        values = {**asdict(plan), "providers": None if plan.providers is None else list(plan.providers)}
        made = tx.insert(plans).values(values)
        others = {column: made.excluded[column] for column in values if column != "name"}
        await tx.run(made.on_conflict_do_update(index_elements=[plans.c.name], set_=others))

    async def remove(self, tx: Tx, name: str) -> None:
        """Forget it."""
        await tx.run(delete(plans).where(plans.c.name == name))
