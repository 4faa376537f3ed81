"""Units that a broker has taken or brought without a trade: fees in coins, splits. They are booked for no money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gateway.core.matching.positions import apply
from gateway.core.matching.rounding import quantum_of
from gateway.core.quant.lots import LotMethod
from gateway.core.store import new_id
from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.drafts import units_adjustment
from plugins.trading.positions.store import PositionStore, TripStore
from plugins.trading.positions.turning import position_of, position_row, stored, trip_row
from plugins.trading.rows import EntryRow
from plugins.trading.writing import Writing
from schema.provenance import DataMode
from schema.words.trades import Side

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """Units that belong to no order."""

    tenant_id: str
    account_id: str
    instrument: str
    currency: str
    strategy: str | None = None


async def book_units(
    w: Writing, instrument: str, currency: str, more: Decimal, *, memo: str, at: datetime, made_by: str,
    key: str | None = None,
) -> EntryRow:  # fmt: skip
    """So many units more than before, below zero fewer, at a price of nothing; what a key has booked stays as it is."""
    tx, tenant, account, store = w.tx, w.tenant, w.account, PositionStore()
    if key is not None and (again := await LedgerBook().repeated(tx, account, key, key)):
        return again[0]
    before = await store.find(tx, tenant, account.id, instrument)
    applied = apply(
        position_of(before) if before else None, Side.BUY if more > 0 else Side.SELL, more.copy_abs(), NOTHING, at,
        LotMethod(account.method), quantum=quantum_of(currency),
    )  # fmt: skip
    draft = units_adjustment(
        instrument=instrument, currency=currency, units=more, realised=applied.realised, memo=memo
    )  # fmt: skip
    (entry,) = await LedgerBook().post(w, [draft], at=at, made_by=made_by, key=key, digest=key)
    if applied.trip is not None and before is not None:
        await TripStore().add(tx, tenant, [trip_row(applied.trip, new_id("trip"), before, DataMode.LIVE.value)])
    if applied.position is None:
        await store.remove(tx, tenant, account.id, instrument)
    else:
        kept = None if applied.trip is not None else before
        came = Brought(tenant_id=tenant, account_id=account.id, instrument=instrument, currency=currency)
        row = position_row(applied.position, applied, kept, came, DataMode.LIVE.value, at)
        await store.put(tx, tenant, stored(row))
    return entry
