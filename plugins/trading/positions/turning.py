"""Between a position's row and the position that matching knows. Pure.

While an account is worked, a row has its lots as they are (`Lot`), in a tuple: they are turned into what is stored, and
summed, once, when the row is written.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from gateway.core.matching.positions import Applied, Position, Trip
from gateway.core.matching.rounding import EXACT, plain
from gateway.core.quant.lots import Lot
from plugins.trading.rows import PositionRow, TripRow


class Opener(Protocol):
    """What opened a position: an order, or units that came without one."""

    @property
    def tenant_id(self) -> str: ...
    @property
    def account_id(self) -> str: ...
    @property
    def instrument(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def strategy(self) -> str | None: ...


def position_of(row: PositionRow) -> Position:
    """With its lots."""
    return Position(
        lots=_lots(row), opened_at=row.opened_at, bought=row.bought, bought_value=row.bought_value, sold=row.sold,
        sold_value=row.sold_value, realised=row.realised, fees=row.fees, funding=row.funding,
    )  # fmt: skip


def position_row(
    position: Position, applied: Applied, before: PositionRow | None, order: Opener, mode: str, now: datetime
) -> PositionRow:
    """As a fill has left it, to go on with: see `stored`. *before* is the same position before the fill."""
    quantity, cost = applied.opened_quantity, applied.cost_in
    if before is not None:
        quantity = EXACT.add(before.quantity, EXACT.subtract(quantity, applied.closed_quantity))
        cost = EXACT.add(before.cost, EXACT.subtract(cost, applied.cost_out))
    same = before is not None and before.opened_at == position.opened_at
    return PositionRow(
        tenant_id=order.tenant_id, account_id=order.account_id, instrument=order.instrument,
        quantity=plain(quantity), cost=cost, currency=order.currency, lots=position.lots,
        bought=position.bought, bought_value=position.bought_value, sold=position.sold,
        sold_value=position.sold_value, realised=position.realised, fees=position.fees, funding=position.funding,
        strategy=before.strategy if before is not None and same else order.strategy, mode=mode,
        opened_at=position.opened_at, changed_at=now,
    )  # fmt: skip


def stored(row: PositionRow) -> PositionRow:
    """As it is written: with its sums, and with its lots as texts."""
    if not isinstance(row.lots, tuple):
        return row
    position = position_of(row)
    lots = [[lot.opened.isoformat(), f"{plain(lot.quantity):f}", f"{lot.cost:f}"] for lot in position.lots]
    return replace(row, quantity=plain(position.quantity), cost=position.cost, lots=lots)


def trip_row(trip: Trip, id: str, before: PositionRow, mode: str) -> TripRow:
    """A position that is no more."""
    return TripRow(
        tenant_id=before.tenant_id, id=id, account_id=before.account_id, instrument=before.instrument,
        side=trip.side.value, quantity=plain(trip.quantity), entry_price=trip.entry_price, exit_price=trip.exit_price,
        currency=before.currency, realised=trip.realised, fees=trip.fees, funding=trip.funding,
        strategy=before.strategy, mode=mode, opened_at=trip.opened_at, closed_at=trip.closed_at,
    )  # fmt: skip


def _lots(row: PositionRow) -> tuple[Lot, ...]:
    if isinstance(row.lots, tuple):
        return row.lots
    return tuple(
        Lot(opened=datetime.fromisoformat(opened), quantity=Decimal(quantity), cost=Decimal(cost))
        for opened, quantity, cost in row.lots
    )
