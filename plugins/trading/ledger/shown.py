"""Entries as they are shown: with their lines, and with what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.store import Tx
from plugins.trading.ledger.book import by_entry
from plugins.trading.ledger.drafts import Line
from plugins.trading.ledger.store import LedgerStore
from plugins.trading.rows import EntryRow
from schema.words.orders import EntryState


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An entry, its lines, and the entry that posted, voided or reversed it."""

    row: EntryRow
    lines: tuple[Line, ...]
    followed: EntryRow | None = None

    @property
    def state(self) -> EntryState:
        """Whether it counts."""
        if self.row.voids:
            return EntryState.VOIDED
        if not self.row.pending:
            return EntryState.POSTED
        if self.followed is None:
            return EntryState.PENDING
        return EntryState.VOIDED if self.followed.voids else EntryState.POSTED


async def shown_of(tx: Tx, tenant: str, account_id: str, rows: Sequence[EntryRow]) -> list[Shown]:
    """Two statements, however many they are."""
    store, ids = LedgerStore(), [row.id for row in rows]
    lines = by_entry(await store.lines(tx, tenant, account_id, ids))
    followed = {str(each.resolves or each.reverses): each for each in await store.about(tx, tenant, account_id, ids)}
    return [Shown(row=row, lines=tuple(lines.get(row.id, ())), followed=followed.get(row.id)) for row in rows]
