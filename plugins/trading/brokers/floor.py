"""An account at a broker while it is locked: the broker's reports and fills are booked, and nothing is simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Context, Decimal

from gateway.core.matching.lifecycle import TERMINAL
from gateway.core.matching.model import Spec
from gateway.core.matching.positions import apply
from gateway.core.matching.rounding import quantum_of
from gateway.core.quant.lots import LotMethod
from gateway.core.store import new_id
from plugins.trading.brokers.course import ASKED, OVER, ZERO, Charged, asked, charged, following, with_terms
from plugins.trading.brokers.port import Deal, Report
from plugins.trading.ledger.chart import Ledger, money
from plugins.trading.ledger.drafts import commission
from plugins.trading.orders.events import OrderAccepted, OrderFilled, told_end
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.reasons import told_reason
from plugins.trading.orders.selling import added, pot_of, unheld
from plugins.trading.positions.turning import position_of
from plugins.trading.rows import FillRow, OrderRow
from schema.provenance import DataMode
from schema.symbols import parse_instrument
from schema.words.orders import OrderStatus
from schema.words.trades import Side

_EXACT = Context(prec=200)
LIVE = DataMode.LIVE
OUTGROWN = "OUTGROWN: a part was filled before it was replaced, and it would have closed more than is held"


class LiveFloor(Floor):
    """The same, with what a broker tells in place of a simulated venue."""

    def settle(
        self, row: OrderRow, report: Report, deals: Sequence[Deal], *, complete: bool, settled: bool = False
    ) -> OrderRow:
        """The order after a report, and after those of its *deals* that were not booked before; *complete* where none
        is missing then. What changes nothing leaves no trace."""
        known = replace(row, broker_order_id=report.broker_id)
        another = report.broker_id != row.broker_order_id
        if OrderStatus(row.status) not in ASKED or settled or another or report.status in OVER:
            known = with_terms(known, report)
        if row.accepted_at is None and row.open and report.status is not OrderStatus.REJECTED:
            status = OrderStatus.ACCEPTED if row.status == OrderStatus.NEW else OrderStatus(row.status)
            known = replace(known, status=status.value, accepted_at=self.now)
            self.events.append(OrderAccepted.told(known, LIVE, self.now))
        status = OrderStatus(known.status)
        for index, deal in enumerate(deals, start=1):
            known = replace(known, fills=known.fills + 1)
            last = index == len(deals)
            status = following(known, report, complete=complete and last, settled=settled)
            known = self._deal(replace(known, status=status.value), deal)
        if not deals:
            known = replace(known, status=following(known, report, complete=complete, settled=settled).value)
        if known.quantity is not None and known.filled > known.quantity:
            # It was filled in part while it was replaced: what is filled was ordered.
            known = replace(known, quantity=known.filled)
        after = self._closed(known, report) if row.open else known
        if after == row:
            return row
        after = replace(after, version=row.version + 1, changed_at=self.now)
        self.put(after)
        if row.open and not after.open and after.status != OrderStatus.FILLED:
            self.events.append(told_end(after, LIVE, self.now))
        return after

    def ask(self, row: OrderRow) -> None:
        """What is about to be asked of the broker is kept before."""
        self.put(row)

    def count(self, filled: Mapping[str, Decimal]) -> None:
        """What the broker counts as filled of open purchases, by order, is held, also where it is not booked yet."""
        for id, units in filled.items():
            row = self.orders.get(id)
            if row is not None and row.open and units > row.filled:
                self.coming = added(self.coming, {pot_of(row.instrument): _EXACT.subtract(units, row.filled)})

    def hold_back(self, row: OrderRow) -> OrderRow:
        """An order that has outgrown what was asked for: PENDING_CANCEL where it was but to reduce, and closes more
        than is held and others leave it."""
        if not row.open or OrderStatus(row.status) in ASKED:
            return row
        last = [*(each for each in self.open if each.id != row.id), replace(row, number=self.w.account.orders + 1)]
        if row.id not in unheld(last, self.positions.values(), self.cash, lends=self.lends):
            return row
        after = replace(asked(row, OrderStatus.PENDING_CANCEL, self.now), reason=OUTGROWN)
        self.ask(after)
        return after

    def _closed(self, row: OrderRow, report: Report) -> OrderRow:
        if OrderStatus(row.status) not in TERMINAL:
            return row
        # Why we asked for its end says more than that the broker has done it.
        own = row.reason if row.status == OrderStatus.CANCELED else None
        reason = None if row.status == OrderStatus.FILLED else own or told_reason(report.reason)
        return replace(row, open=False, ended_at=self.now, reserved=ZERO, reason=reason)

    def _deal(self, row: OrderRow, deal: Deal) -> OrderRow:
        """One fill: position, ledger, events. The row counts it already."""
        side, instrument = Side(row.side), parse_instrument(row.instrument)
        cost = charged(deal, side, instrument.base, row.currency)
        before = self.positions.get(row.instrument)
        applied = apply(
            position_of(before) if before else None, side, cost.quantity, deal.price, self.now,
            LotMethod(self.w.account.method), quantum=quantum_of(row.currency), fee=cost.fee,
        )  # fmt: skip
        row = replace(
            row, filled=_EXACT.add(row.filled, cost.quantity),
            paid=_EXACT.add(row.paid, _EXACT.multiply(cost.quantity, deal.price)),
        )  # fmt: skip
        fill = FillRow(
            tenant_id=row.tenant_id, id=new_id("fill"), account_id=row.account_id, order_id=row.id, number=row.fills,
            broker_fill_id=deal.id, instrument=row.instrument, side=row.side, quantity=cost.quantity,
            price=deal.price, currency=row.currency, reference=None, fee=cost.fee, liquidity=deal.liquidity.value,
            realised=applied.realised, strategy=row.strategy, provider=self.w.account.broker, mode=LIVE.value,
            priced_at=deal.at, at=self.now,
        )  # fmt: skip
        self.fills.append(fill)
        self._draft(row, fill, Spec(instrument=instrument, currency=row.currency))
        self._charge(row, deal, cost)
        self._touched[row.instrument] = None
        self.events.append(OrderFilled.told(row, fill))
        self._hold(row, before, applied, fill.mode)
        return row

    def _charge(self, row: OrderRow, deal: Deal, cost: Charged) -> None:
        """A fee in an asset that is neither what was traded nor what it was paid in."""
        if cost.other is None or not money(cost.other[1], cost.other[0]):
            return
        asset, amount = cost.other
        draft = commission(
            asset, amount, order_id=row.id, memo=f"of the broker's fill {deal.id}", instrument=row.instrument
        )
        self.cash[asset] = _EXACT.add(self.cash.get(asset, ZERO), draft.moved(Ledger.CASH, asset))
        self._drafts.append(draft)
