"""An account's orders and positions while it is locked: changed in memory, written once at the end.

The desk and the engine change orders through it and nowhere else, so that a fill, its ledger entries, its position,
its events and what it does to other orders stand in one transaction, or none of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from decimal import Context, Decimal
from typing import Self

from gateway.core.contract import Host
from gateway.core.matching import venue
from gateway.core.matching.chances import AT_ONCE
from gateway.core.matching.contingencies import EXITS, Cancel, Consequence, Resize, Wake, consequences
from gateway.core.matching.lifecycle import WORKING
from gateway.core.matching.margin import opening
from gateway.core.matching.model import ExecutionModel, Step
from gateway.core.matching.rounding import total_of
from gateway.core.ports import Outbox
from plugins.trading.accounts.access import FLEET, Gate
from plugins.trading.accounts.rules import is_valued
from plugins.trading.ledger.chart import Ledger
from plugins.trading.markets.marks import Marks
from plugins.trading.markets.modes import usual_mode
from plugins.trading.orders.affording import UNVALUED, lacking_cash, lacking_margin
from plugins.trading.orders.books import Books
from plugins.trading.orders.events import OrderAccepted, told_end
from plugins.trading.orders.floorstore import FloorStore
from plugins.trading.orders.leaving import closing_step, left_out, put_off
from plugins.trading.orders.losing import read_began
from plugins.trading.orders.market import Market
from plugins.trading.orders.offers import Offers, Round
from plugins.trading.orders.protecting import fitting
from plugins.trading.orders.reasons import told_reason
from plugins.trading.orders.reckoning import Reserves
from plugins.trading.orders.rowbook import RowBook
from plugins.trading.orders.shifting import Shifts
from plugins.trading.orders.sides import check_woken
from plugins.trading.orders.store import OrderStore
from plugins.trading.orders.turning import (
    ended,
    form_of,
    left_of,
    linked,
    resized,
    returned,
    working,
)
from plugins.trading.rows import OrderRow
from plugins.trading.writing import Writing
from schema.provenance import DataMode
from schema.words.orders import MarginType, OrderStatus
from schema.words.problems import Refused
from schema.words.trades import Side

TOPIC = "trading.orders.changed"
ZERO = Decimal(0)
_EXACT = Context(prec=200)


class Floor(Books):
    """Of one account, for one transaction. Nothing here waits but `opened` and `write`."""

    def __init__(self, host: Host, w: Writing, now: datetime) -> None:
        super().__init__(w, now)
        self._host = host
        self.orders = RowBook()
        """Open ones, and the ended ones of their families."""
        self.elsewhere: dict[str, Decimal] = {}
        """What open orders hold that were not read, by currency."""
        self.unread = 0
        self.marks: Marks | None = None
        """By which a margin account's fills are judged; None where their orders were judged by prices of now."""
        self._judged: str | None = None
        self.offers = Offers()
        self.taken: list[Step] = []
        """What was taken of them here."""
        self.unpaid: dict[str, Step] = {}
        """Fills that were left out, of orders that wait on: see `left_out`."""
        self.unvalued: dict[str, Market] = {}
        """Orders whose fills a message had to leave out as the account cannot be valued: see `put_off`."""
        self.passed: dict[str, None] = {}
        """Orders that a message has passed by, as they are others than it has found."""
        self._new: dict[str, None] = {}
        self._changed: dict[str, None] = {}
        self.shifts, self.reserves = Shifts(self), Reserves(self.leverage)
        self.began: dict[str, Decimal] | None = None
        """See `read_began`."""
        self.coming: dict[str, Decimal] = {}
        """What is held beside the books, in units by `pot_of`: a broker has it, or is sent its purchase before."""
        self.halted: str | None = None
        """Which kill switch is on, in words."""

    @classmethod
    async def opened(cls, host: Host, w: Writing, instruments: Collection[str] | None = None) -> Self:
        """As the account stands; of orders that belong to none of some instruments only what they hold together."""
        floor, account = cls(host, w, host.clock.now()), w.account
        stand = await FloorStore().read(w.tx, w.tenant, account.id, FLEET, instruments, valued=is_valued(account))
        floor.orders = RowBook(stand.orders)
        floor.elsewhere = {each.currency: each.amount for each in stand.elsewhere}
        floor.unread = sum(each.number for each in stand.elsewhere)
        if instruments is not None:
            await floor.shifts.read(w.tx, instruments)
            floor._read_beside(instruments)
        floor.positions = {row.instrument: row for row in stand.positions}
        for row in stand.balances:
            w.balances[row.ledger, row.asset] = row
            if row.ledger == Ledger.CASH:
                floor.cash[row.asset] = _EXACT.subtract(row.posted, row.held)
        if stand.halted or account.halted:
            floor.halted = await Gate().halted(w.tx, account)
        floor.began = await read_began(floor)
        return floor

    def _read_beside(self, instruments: Collection[str]) -> None:
        """Orders of other instruments that were read with these are none of those elsewhere."""
        for row in self.orders.values():
            if row.open and row.instrument not in instruments:
                self.elsewhere[row.currency] = _EXACT.subtract(self.elsewhere[row.currency], row.reserved)
                self.unread -= 1

    @property
    def open(self) -> list[OrderRow]:
        """Open orders, in the order of placing."""
        return sorted((row for row in self.orders.values() if row.open), key=lambda row: row.number)

    @property
    def changed(self) -> dict[str, OrderRow]:
        """Orders that are others than they were, new ones too."""
        return {id: self.orders[id] for id in self._changed}

    @property
    def lends(self) -> bool:
        """Whether the account may borrow and sell short."""
        return MarginType(self.w.account.margin) is MarginType.MARGIN

    @property
    def leverage(self) -> Decimal:
        """1 where nothing is borrowed."""
        return self.w.account.leverage if self.lends else Decimal(1)

    def reserved(self, but: str | None = None) -> dict[str, Decimal]:
        """What open orders hold, by currency; without that of one of them."""
        found = {currency: amount for currency, amount in self.elsewhere.items() if amount}
        for currency, amount in self.orders.reserved(but).items():
            found[currency] = _EXACT.add(found.get(currency, ZERO), amount)
        return found

    def most(self, row: OrderRow) -> Decimal | None:
        """How much an order may fill where it must not open: one that only reduces, a cash account's sale."""
        if row.reduce_only or (row.side == Side.SELL and not self.lends):
            return venue.closable(Side(row.side), self.held(row.instrument))
        return None

    def add(self, row: OrderRow) -> OrderRow:
        """A new order, as it was placed, with the account's next number; what it waits for is not looked at."""
        self._new[row.id] = None
        self.orders[row.id] = replace(row, number=self.w.next_order())
        return self.orders[row.id]

    def accept(self, row: OrderRow, market: Market) -> Step:
        """It works, and meets the price of now where it is due."""
        order = replace(form_of(row, lends=self.lends), accepted_at=self.now)
        step = venue.accept(
            order, market.tick, market.spec, market.model, open=market.open, most=self.most(row),
            offered=self.offers.of(market),
        )  # fmt: skip
        self._take(row, step, market, told=True)
        return step

    def step(self, row: OrderRow, market: Market) -> Step | None:
        """What the market's message makes of an order that works; None where it leaves it as it is."""
        if market.tick is None:
            return None
        order = form_of(row, lends=self.lends)
        step = venue.step(
            order, market.tick, market.spec, market.model, self.offers.of(market), open=market.open,
            most=self.most(row), now=self.now,
        )  # fmt: skip
        if not step.changed:
            return None
        self._take(row, step, market)
        return step

    def round(self, rows: Iterable[OrderRow], market: Market, *, heard: bool = True) -> Round:
        """A message, and the orders that are to meet it, as it finds them."""
        offered, open = self.offers.of(market, heard=heard), market.open
        meeting = venue.Meeting(market.tick, market.spec, market.model, offered, open=open) if market.tick else None
        forms = (form_of(row, lends=self.lends) for row in rows)
        return Round(market, meeting, deque(meeting.queue(forms) if meeting else ()))

    def take(self, round: Round, fills: int | None = None) -> None:
        """A message meets its orders, one after the other: each as those before it have left it, and what is held; what
        they wake meets the next one. After so many *fills* (an order has one for each level of a book) it stops: the
        rest is for another transaction."""
        met = 0
        while round.meeting and round.queue and (fills is None or met < fills):
            found = round.queue.popleft()
            now = self.orders.get(found.id)
            # What others have changed since, or was accepted anew by what another one has opened, it has not found.
            if now is None or not now.open or working(now).accepted_at != found.accepted_at:
                self.passed[found.id] = None
                continue
            step = round.meeting.meet(form_of(now, lends=self.lends), self.most(now), was=found)
            booked = len(self.fills)
            if step.changed:
                self._take(now, step, round.market)
            # What cannot be paid is looked at as long, what cannot be valued is not; what it wakes may be filled too.
            made = 0 if found.id in self.unvalued else len(step.executions)
            met += max(made, len(self.fills) - booked)
            if step.executions and self.orders[found.id].filled == now.filled:
                round.meeting.release(found)

    def judge(self, order_id: str, marks: Marks) -> None:
        """What an order wakes, by these; the order itself is judged by prices of now before it is filled."""
        self.marks, self._judged = marks if self.lends else None, order_id

    def revise(self, row: OrderRow, market: Market) -> Step:
        """Other terms: it loses its place, and arrives anew."""
        step = venue.revise(working(row), self.now, market.model)
        self._take(row, step, market)
        if step.order.status in WORKING and not market.model.latency_ms:
            return self.step(self.orders[row.id], market) or step
        return step

    def end(self, row: OrderRow, status: OrderStatus, reason: str | None) -> None:
        """It ends without being filled further: cancelled, expired or rejected."""
        with self.shifts.change(None):
            after = ended(row, status, told_reason(reason), self.now)
            self.put(after)
            self.events.append(told_end(after, self._mode(row), self.now))
            self._follow(after, None)

    def end_all(self, order_ids: Iterable[str], status: OrderStatus, reason: str) -> None:
        """Those of them that are open still: the end of one may be that of others."""
        with self.shifts.change(None):
            for each in order_ids:
                if self.orders[each].open:
                    self.end(self.orders[each], status, reason)

    def fail(self, row: OrderRow, code: str, message: str) -> None:
        """A check refused it after it was kept."""
        status = OrderStatus.CANCELED if row.filled else OrderStatus.REJECTED
        self.end(row, status, f"{code}: {message}")

    def follow(self, order_id: str, market: Market) -> None:
        """What became of an order is told to those that came after it: they wake, shrink or end."""
        with self.shifts.change(market):
            self._follow(self.orders[order_id], market)

    async def write(self) -> None:
        """All of it; nothing before."""
        tx, tenant, orders = self.w.tx, self.w.tenant, OrderStore()
        if self._new:
            await orders.add(tx, tenant, [self.orders[each] for each in self._new])
        await orders.change(tx, tenant, [self.orders[each] for each in self._changed if each not in self._new])
        await self.write_books()
        if not (self._new or self._changed or self._touched):
            return
        self.w.touch()
        outbox = self._host.service(Outbox)
        for event in self.events:
            outbox.emit(tx, event, tenant=tenant)
        news = {"account": self.w.account.id, "tenant": tenant, "shard": self.w.account.shard}
        tx.then(lambda: self._host.bus.publish(TOPIC, news))

    def put(self, row: OrderRow) -> None:
        """As it is from now on."""
        self.shifts.note(row)
        self.orders[row.id] = row
        self._changed[row.id] = None

    def _take(self, row: OrderRow, step: Step, market: Market, *, told: bool = False) -> None:
        with self.shifts.change(market):
            if step.executions and (lacking := self._lacking(row, step, market)) is not None:
                venue.give_back(step)
                instead = self._instead(row, step, market, lacking, told=told)
                if instead is None:
                    return
                step = instead
            self.taken.append(step)
            with self.shifts.reckoning(row.instrument, market) if step.executions and self.lends else nullcontext():
                self._apply(row, step, market, told=told)

    def _apply(self, row: OrderRow, step: Step, market: Market, *, told: bool) -> None:
        held = self.held(row.instrument)
        after = returned(row, step.order, self.now, told_reason(step.reason))
        after = replace(after, reserved=left_of(row, after))
        if told or (row.status == OrderStatus.NEW and after.status != OrderStatus.NEW):
            accepted = replace(after, filled=row.filled)
            self.events.append(OrderAccepted.told(accepted, self._mode(row, market), self.now))
        after = self._fill(row, after, step, market)
        self.put(after)
        if not after.open and after.status != OrderStatus.FILLED:
            self.events.append(told_end(after, self._mode(row, market), self.now))
        self._filled(after, market, total_of(each.quantity for each in step.executions), held)

    def _filled(self, row: OrderRow, market: Market, filled: Decimal, held: Decimal) -> None:
        """What so much of it means to others; so much was *held* before. What protected what is gone has ended before
        another order is woken; but what an exit has filled, its own group knows first."""
        opened = opening(Side(row.side), filled, held)
        if filled and row.leg not in EXITS:
            now = self.held(row.instrument)
            self._fit(row.instrument, held, market, row.id)
            if (now > 0) != (held > 0) or now.copy_abs() < held.copy_abs():
                self._fit(row.instrument, now, market, row.id)
        self._follow(row, market, opened)
        if filled and row.leg in EXITS:
            self._fit(row.instrument, self.held(row.instrument), market)

    def _instead(self, row: OrderRow, step: Step, market: Market, lacking: Refused, *, told: bool) -> Step | None:
        """What becomes of an order whose fills cannot be paid; None where that is nothing, or its end."""
        if not told and (waits := left_out(self, row, step, market)) is not None:
            self.unpaid[row.id] = step
            return waits if waits.changed else None
        closing = closing_step(self, row, market)
        if lacking.code in UNVALUED and row.time_in_force not in AT_ONCE:
            self.unvalued[row.id] = market
            waits = put_off(row, step, closing)
            return waits if waits.changed else None
        if closing is None:
            self.fail(row, lacking.code, lacking.message)
            return None
        return replace(closing, reason=f"{lacking.code}: {lacking.message}")

    def _lacking(self, row: OrderRow, step: Step, market: Market) -> Refused | None:
        """Why an account cannot pay these fills, or has no margin for them; None where it can."""
        if self.lends:
            marks = None if row.id == self._judged else self.marks
            return None if marks is None else lacking_margin(self, marks, market, row, step)
        told = lacking_cash(self, row, step)
        return None if told is None else Refused("INSUFFICIENT_FUNDS", told)

    def _mode(self, row: OrderRow, market: Market | None = None) -> DataMode:
        """Of the market's price, else of what is held, else of what the account would be told."""
        if market is not None and market.mode is not None:
            return market.mode
        position = self.positions.get(row.instrument)
        if position is not None:
            return DataMode(position.mode)
        return usual_mode(self.w.account, offline=self._host.settings.mode == "recorded")

    def _model(self, market: Market | None) -> ExecutionModel:
        return market.model if market else ExecutionModel.read(self.w.account.model)

    def _follow(self, row: OrderRow, market: Market | None, opened: Decimal = ZERO) -> None:
        """What its change makes of the orders that belong to it; they follow in turn."""
        for consequence in consequences(linked(row), map(linked, self.orders.kin(row)), opened):
            self._do(consequence, market)

    def _fit(self, instrument: str, held: Decimal, market: Market, filled: str | None = None) -> None:
        """Whatever has reduced a position to this: its exits are no larger together. Those of an order that was
        *filled* just now hear of that next."""
        for consequence in fitting([*self.orders.open_of(instrument)], held, filled):
            self._do(consequence, market)

    def _do(self, consequence: Consequence, market: Market | None) -> None:
        other = self.orders[consequence.id]
        if not other.open:
            return
        match consequence:
            case Cancel():
                self.end(other, OrderStatus.CANCELED, consequence.reason)
            case Resize():
                self.put(resized(other, consequence.quantity, self.now, self._model(market)))
            case Wake() if other.status == OrderStatus.NEW and other.condition is None:
                self._wake(replace(other, quantity=consequence.quantity) if other.leg in EXITS else other, market)

    def _wake(self, row: OrderRow, market: Market | None) -> None:
        """It arrives at the venue, and meets the message after the one that has woken it; what waits for nothing, what
        is left of that one, where its fill can be judged."""
        if market is not None and market.tick is not None:
            try:
                check_woken(self, row, market)
            except Refused as refused:
                self.fail(row, refused.code, refused.message)
                return
            known = row.instrument == str(market.tick.instrument) and (self.marks is not None or not self.lends)
            if known and row.time_in_force in AT_ONCE:
                if self.lends:
                    # What has woken it has changed what others hold, by which it is judged.
                    self.shifts.reckon(row.instrument, market)
                self.accept(self.orders[row.id] if row.leg not in EXITS else row, market)
                return
        order = replace(working(row), accepted_at=self.now)
        spec = market.spec if market else None
        step = venue.accept(order, None, spec, self._model(market))  # type: ignore[arg-type]
        after = returned(row, step.order, self.now)
        self.put(after)
        self.events.append(OrderAccepted.told(after, self._mode(row, market), self.now))
