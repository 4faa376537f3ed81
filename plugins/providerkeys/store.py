"""SQL of tenants' own provider keys."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import and_, delete, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.store import Tx
from plugins.providerkeys.tables import keys


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """`providerkeys_keys`; what is sealed is never shown."""

    tenant_id: str
    provider: str
    names: list[str]
    sealed: str = field(repr=False)
    root: str
    set_at: datetime
    set_by: str
    tested_at: datetime | None
    outcome: str | None
    message: str | None
    refused_at: datetime | None = None


class KeyStore:
    """Keys of one organisation, by provider."""

    async def all(self, tx: Tx, tenant: str) -> list[KeyRow]:
        """In order of the providers' ids."""
        return await tx.all(select(keys).where(keys.c.tenant_id == tenant).order_by(keys.c.provider), KeyRow)

    async def find(self, tx: Tx, tenant: str, provider: str) -> KeyRow | None:
        """The key for one provider."""
        return await tx.first(select(keys).where(_one(tenant, provider)), KeyRow)

    async def put(self, tx: Tx, tenant: str, row: KeyRow) -> None:
        """Put it in, in place of an earlier one."""
        values = asdict(row) | {"tenant_id": tenant}
        changed = {name: value for name, value in values.items() if name not in ("tenant_id", "provider")}
        made = tx.insert(keys).values(**values)
        await tx.run(made.on_conflict_do_update(index_elements=["tenant_id", "provider"], set_=changed))

    async def note_test(
        self, tx: Tx, tenant: str, provider: str, *, sealed: str, at: datetime, outcome: str, message: str | None
    ) -> bool:
        """How a test ended; False where the key is another by now."""
        this = update(keys).where(_one(tenant, provider), keys.c.sealed == sealed)
        return await tx.run(this.values(tested_at=at, outcome=outcome, message=message)) > 0

    async def refused(self, tx: Tx, tenant: str, provider: str, at: datetime) -> bool:
        """Whether it is news that the provider refuses the key."""
        this = update(keys).where(_one(tenant, provider), keys.c.refused_at.is_(None))
        return await tx.run(this.values(refused_at=at)) > 0

    async def works(self, tx: Tx, tenant: str, provider: str) -> None:
        """The provider takes the key."""
        this = update(keys).where(_one(tenant, provider), keys.c.refused_at.is_not(None))
        await tx.run(this.values(refused_at=None))

    async def remove(self, tx: Tx, tenant: str, provider: str) -> bool:
        """Whether there was one."""
        return await tx.run(delete(keys).where(_one(tenant, provider))) > 0

    async def erase(self, tx: Tx, tenant: str) -> None:
        """All of the organisation's."""
        await tx.run(delete(keys).where(keys.c.tenant_id == tenant))


class SealDirectory:
    """Across tenants: when the root secret changes, every key is sealed anew."""

    async def outdated(self, tx: Tx, root: str) -> list[KeyRow]:
        """Keys that are sealed with another root secret than the newest."""
        query = select(keys).where(keys.c.root != root).order_by(keys.c.tenant_id, keys.c.provider)
        return await tx.all(query, KeyRow)

    async def reseal(self, tx: Tx, row: KeyRow, sealed: str, root: str) -> None:
        """Unless it was changed meanwhile."""
        this = update(keys).where(_one(row.tenant_id, row.provider), keys.c.sealed == row.sealed)
        await tx.run(this.values(sealed=sealed, root=root))


def _one(tenant: str, provider: str) -> ColumnElement[bool]:
    return and_(keys.c.tenant_id == tenant, keys.c.provider == provider)
