"""What an account has of money and positions while it is locked: fills are booked in memory, and written at the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Context, Decimal

from gateway.core.matching.funding import last_funding
from gateway.core.matching.model import Execution, Spec, Step
from gateway.core.matching.positions import Applied, apply
from gateway.core.matching.rounding import quantum_of, quotient
from gateway.core.quant.lots import LotMethod
from gateway.core.store import new_id
from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.chart import Ledger
from plugins.trading.ledger.drafts import Draft, commission, derivative_fill, spot_fill
from plugins.trading.markets.specs import is_perpetual
from plugins.trading.orders.events import OrderFilled, PositionClosed, PositionOpened
from plugins.trading.orders.market import Market
from plugins.trading.orders.store import FillStore
from plugins.trading.orders.turning import fill_row
from plugins.trading.positions.store import PositionStore, TripStore
from plugins.trading.positions.turning import position_of, position_row, stored, trip_row
from plugins.trading.rows import FillRow, OrderRow, PositionRow, TripRow
from plugins.trading.writing import Writing
from schema.events import Event
from schema.words.orders import OrderStatus
from schema.words.trades import Side

ZERO = Decimal(0)
SYSTEM = "trading"
"""Who makes entries that nobody asked for."""
_EXACT = Context(prec=200)
BEFORE = timedelta(microseconds=1)
"""Who holds a perpetual from the instant of its funding on pays it."""


class Books:
    """Of one account, for one transaction."""

    def __init__(self, w: Writing, now: datetime) -> None:
        self.w, self.now = w, now
        self.positions: dict[str, PositionRow] = {}
        self.cash: dict[str, Decimal] = {}
        """What may be spent, by currency: less what pending entries hold, reserves not taken off."""
        self.fills: list[FillRow] = []
        self.trips: list[TripRow] = []
        self.events: list[Event] = []
        self._touched: dict[str, None] = {}
        self._drafts: list[Draft] = []

    def held(self, instrument: str) -> Decimal:
        """Below zero where short."""
        row = self.positions.get(instrument)
        return row.quantity if row else ZERO

    async def write_books(self) -> None:
        """Fills, their entries of the ledger, positions and what was closed of them."""
        tx, tenant, store = self.w.tx, self.w.tenant, PositionStore()
        if self.fills:
            await FillStore().add(tx, tenant, self.fills)
        if self._drafts:
            await LedgerBook().book(self.w, self._drafts, at=self.now, made_by=SYSTEM)
        for instrument in self._touched:
            row = self.positions.get(instrument)
            if row is None:
                await store.remove(tx, tenant, self.w.account.id, instrument)
            else:
                self.positions[instrument] = stored(row)
                await store.put(tx, tenant, self.positions[instrument])
        await TripStore().add(tx, tenant, self.trips)

    def _fill(self, row: OrderRow, after: OrderRow, step: Step, market: Market) -> OrderRow:
        filled, paid = row.filled, row.paid
        for index, execution in enumerate(step.executions, start=1):
            filled = _EXACT.add(filled, execution.quantity)
            paid = _EXACT.add(paid, _EXACT.multiply(execution.quantity, execution.price))
            last = index == len(step.executions)
            status = after.status if last else OrderStatus.PARTIALLY_FILLED.value
            now = replace(after, filled=filled, paid=paid, status=status)
            self._book(now, execution, market)
        return replace(after, paid=paid)

    def _book(self, row: OrderRow, execution: Execution, market: Market) -> None:
        """One execution: position, ledger, fill, events."""
        before, spec = self.positions.get(row.instrument), market.spec
        applied = apply(
            position_of(before) if before else None, Side(row.side), execution.quantity, execution.price, self.now,
            LotMethod(self.w.account.method), spec.contract_size, quantum=quantum_of(spec.currency),
            fee=execution.fee,
        )  # fmt: skip
        fill = fill_row(row, execution, applied, market, self.now)
        self.fills.append(fill)
        self._draft(row, fill, spec)
        self._touched[row.instrument] = None
        self.events.append(OrderFilled.told(row, fill))
        self._hold(row, before, applied, fill.mode)
        if spec.derivative and self.w.account.funded_at is None and is_perpetual(row.instrument):
            self.w.set(funded_at=last_funding(self.now - BEFORE))

    def _draft(self, row: OrderRow, fill: FillRow, spec: Spec) -> None:
        units = fill.quantity if row.side == Side.BUY else fill.quantity.copy_negate()
        booked = derivative_fill if spec.derivative else spot_fill
        trade = booked(
            instrument=row.instrument, currency=row.currency, units=units, price=fill.price, realised=fill.realised,
            order_id=row.id, fill_id=fill.id,
        )  # fmt: skip
        drafts = [trade]
        if fill.fee:
            paid = commission(row.currency, fill.fee, order_id=row.id, fill_id=fill.id, instrument=row.instrument)
            drafts.append(paid)
        for draft in drafts:
            moved = draft.moved(Ledger.CASH, row.currency)
            self.cash[row.currency] = _EXACT.add(self.cash.get(row.currency, ZERO), moved)
        self._drafts += drafts

    def _hold(self, row: OrderRow, before: PositionRow | None, applied: Applied, mode: str) -> None:
        if applied.trip is not None and before is not None:
            trip = trip_row(applied.trip, new_id("trip"), before, mode)
            self.trips.append(trip)
            self.events.append(PositionClosed.told(trip, row))
        if applied.position is None:
            self.positions.pop(row.instrument, None)
            return
        kept = None if applied.trip is not None else before
        after = position_row(applied.position, applied, kept, row, mode, self.now)
        self.positions[row.instrument] = after
        if kept is None:
            self.events.append(PositionOpened.told(after, row, quotient(after.bought_value, after.bought)))
