"""SQL of preferences."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, select

from gateway.core.ports import Preference
from gateway.core.store import Tx
from plugins.preferences.tables import routing


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceRow:
    """`preferences_routing`."""

    tenant_id: str
    order: list[str]
    denied: list[str]
    dearest: Decimal | None
    changed_at: datetime
    changed_by: str

    @property
    def preference(self) -> Preference:
        """As routing has it."""
        return Preference(tuple(self.order), frozenset(self.denied), self.dearest)


class PreferenceStore:
    """One row a tenant at most."""

    async def find(self, tx: Tx, tenant: str) -> PreferenceRow | None:
        """None where the tenant never said anything."""
        return await tx.first(select(routing).where(routing.c.tenant_id == tenant), PreferenceRow)

    async def put(self, tx: Tx, tenant: str, row: PreferenceRow) -> None:
        """In place of an earlier one."""
        values = asdict(row) | {"tenant_id": tenant}
        changed = {name: value for name, value in values.items() if name != "tenant_id"}
        made = tx.insert(routing).values(**values)
        await tx.run(made.on_conflict_do_update(index_elements=["tenant_id"], set_=changed))

    async def erase(self, tx: Tx, tenant: str) -> None:
        """Forget it."""
        await tx.run(delete(routing).where(routing.c.tenant_id == tenant))
