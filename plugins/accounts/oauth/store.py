"""Which person a provider's account belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from gateway.core.store import Tx
from plugins.accounts.tables import identities


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRow:
    """A provider's account, by the id that it has there, and whose it is here."""

    provider: str
    subject: str
    user_id: str
    created_at: datetime


class Identities:
    """A person's, in no tenant: found before anybody is known."""

    async def find(self, tx: Tx, provider: str, subject: str) -> IdentityRow | None:
        """Whose account it is."""
        columns = identities.c
        this = select(identities).where(columns.provider == provider, columns.subject == subject)
        return await tx.first(this, IdentityRow)

    async def add(self, tx: Tx, row: IdentityRow) -> bool:
        """Link an account; False where it was linked a moment ago."""
        values = {
            "provider": row.provider, "subject": row.subject, "user_id": row.user_id, "created_at": row.created_at,
        }  # fmt: skip
        added = tx.insert(identities).values(**values)
        return await tx.run(added.on_conflict_do_nothing(index_elements=["provider", "subject"])) == 1
