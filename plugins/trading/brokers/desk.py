"""Orders of accounts at brokers: kept first, then sent, then settled by the answer. None is ever sent twice.

What no answer decides, because there was none or this process has ended before it came, `reconciling` decides by
asking the broker for the order's client id.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import structlog

from gateway.core.contract import Context, Host
from gateway.core.matching.lifecycle import TERMINAL
from gateway.core.matching.model import ExecutionModel
from gateway.core.ports import Act, Audit
from plugins.trading.accounts.access import Access, Gate
from plugins.trading.accounts.store import PermitStore
from plugins.trading.brokers import course
from plugins.trading.brokers.afresh import Afresh, Taken
from plugins.trading.brokers.catalog import Brokers
from plugins.trading.brokers.closable import Bounds, bounds_of, closable
from plugins.trading.brokers.floor import LiveFloor
from plugins.trading.brokers.pacing import Urgency
from plugins.trading.brokers.port import (
    ZERO,
    Broker,
    BrokerBusy,
    BrokerRefused,
    BrokerTrouble,
    KeyRefused,
    OutcomeUnknown,
    Report,
    SendAnew,
    Ticket,
)
from plugins.trading.brokers.sendings import Sendings
from plugins.trading.brokers.settling import SOON, Settler
from plugins.trading.brokers.together import Batch, Together
from plugins.trading.markets.prices import Prices
from plugins.trading.orders import trail
from plugins.trading.orders.ground import Ground, ground_of
from plugins.trading.orders.groups import unclaimed
from plugins.trading.orders.losing import check_owed
from plugins.trading.orders.placing import Place, place_remote, replaced_remote
from plugins.trading.orders.selling import added, is_coin, pot_of
from plugins.trading.orders.store import OrderStore
from plugins.trading.orders.wishes import Wish, check_wish
from plugins.trading.positions.store import PositionStore
from plugins.trading.rows import AccountRow, OrderRow
from plugins.trading.writing import writing
from schema.symbols import InstrumentId, parse_instrument
from schema.words.orders import OrderCause, OrderStatus, OrderType
from schema.words.problems import Refused
from schema.words.trades import Side

LOG = structlog.get_logger(__name__)


class LiveDesk:
    """What `OrderDesk` does for accounts whose orders a broker fills. Callers have been looked at, and are again."""

    def __init__(self, host: Host) -> None:
        self._host, self._gate, self._settler = host, Gate(), Settler(host)
        self.together, self._afresh = Together(host, self), Afresh(host, self._settler)

    async def place(self, context: Context, account: AccountRow, wish: Wish, digest: str) -> OrderRow:
        """The order as far as the broker's answer decides it; NEW where there was none in time."""
        ground = await self._ground(context, await self._unasked(account), account, wish)
        broker = await self._ready(account)
        keep = partial(self._keep, context, account, ground, wish, digest)
        row, kept = await self._afresh.judged(broker, account, _taken((ground, wish)), keep)
        return await self.send(broker, account, row) if kept else row

    async def place_fitted(
        self, context: Context, account: AccountRow, wish: Wish, fit: Callable[[LiveFloor], Awaitable[Wish | None]]
    ) -> OrderRow | None:
        """An order whose size is told behind the lock; None where nothing is wanted any more then."""
        ground = await self._ground(context, await self._unasked(account), account, wish)
        broker = await self._ready(account)

        async def keep(coming: Mapping[str, Decimal]) -> OrderRow | None:
            async with self._floor(context, account.id, coming) as (floor, halted):
                now = await fit(floor)
                how = Place(made_by=context.principal.actor, halted=halted)
                return None if now is None else await self._put(floor, context, ground, now, how)

        row = await self._afresh.judged(broker, account, _taken((ground, wish)), keep)
        return None if row is None else await self.send(broker, account, row)

    async def place_all(self, context: Context, account: AccountRow, batch: Batch) -> Sequence[OrderRow]:
        """All of them are kept, or none; then they are sent one after the other, whoever waits for it, or what was
        placed in their stead before."""
        unasked = await self._unasked(account)
        grounds = [
            await self._ground(context, unasked, account, wish, batch.path, str(n))
            for n, wish in enumerate(batch.wishes)
        ]
        broker = await self._ready(account, len(grounds))
        keep = partial(self._keep_all, context, account, batch, grounds)
        taken = _taken(*zip(grounds, batch.wishes, strict=True))
        rows, kept = await self._afresh.judged(broker, account, taken, keep)
        if not kept:
            return rows
        return await self._host.service(Sendings).carried(self.together.send(broker, account, rows))

    async def replace(
        self, context: Context, account: AccountRow, row: OrderRow, terms: Mapping[str, Any], *, again: bool = True
    ) -> OrderRow:  # fmt: skip
        """The order with other terms, as another one at the broker; PENDING_REPLACE where no answer came in time.
        Before it is sent *again*, it is judged anew."""
        broker = await self._broker(account)
        held, currencies = await self._held(account)
        instrument = parse_instrument(row.instrument)
        ground = await ground_of(context, account, instrument, held=held, currencies=currencies)
        if row.status == OrderStatus.PENDING_REPLACE:
            await self._resolve(broker, row, Urgency.ORDER)
        keep = partial(self._keep_terms, context, broker, ground, row, terms)
        taken = _closed(row.instrument, Side(row.side), reduce_only=row.reduce_only)
        before, after, asked = await self._afresh.judged(broker, account, taken, keep)
        ticket = self._ticket(account, after, course.next_client_id(asked))
        ticket = replace(ticket, same_size=after.quantity == before.quantity)
        try:
            report = await broker.replace(course.reference(before), ticket)
        except (BrokerRefused, BrokerBusy) as error:
            now = await self._settler.restore(before, asked)
            if again and isinstance(error, SendAnew):
                return await self.replace(context, account, now, terms, again=False)
            raise _told(error) from None
        except OutcomeUnknown as error:
            return self._open(asked, error)
        now = await self._learn(broker, asked, report, settled=True)
        if now.open and now.status == OrderStatus.PENDING_CANCEL:
            return await self.send_cancel(broker, now)
        return now

    async def _keep_terms(
        self, context: Context, broker: Broker, ground: Ground, row: OrderRow, terms: Mapping[str, Any],
        coming: Mapping[str, Decimal],
    ) -> tuple[OrderRow, OrderRow, OrderRow]:  # fmt: skip
        """The order as it stands, with other terms, and as it is kept before the broker is asked for them."""
        if row.broker_order_id is not None:
            async with self._floor(context, row.account_id, coming) as (floor, _):
                # What is refused anyhow asks nothing of the broker.
                row, _ = await self._judge(floor, broker, ground, row, terms)
        try:
            looked_at = await self._settler.booked(broker, row)
        except BrokerTrouble as error:
            raise _unknown(str(error)) from None
        async with self._floor(context, row.account_id, coming) as (floor, _):
            before, after = await self._judge(floor, broker, ground, row, terms)
            if before.broker_order_id != looked_at:
                raise _unknown("somebody has replaced it meanwhile")
            asked = course.replacing(before, after, floor.now)
            floor.ask(asked)
            await self._record(floor, trail.replaced(context, before, terms))
            await floor.write()
        return before, after, asked

    async def _judge(
        self, floor: LiveFloor, broker: Broker, ground: Ground, row: OrderRow, terms: Mapping[str, Any]
    ) -> tuple[OrderRow, OrderRow]:  # fmt: skip
        """The order as it stands, and with other terms; Refused where it cannot have them."""
        before = _open(floor, row)
        await self.check_permit(floor)
        _check_replaced(broker, before)
        if not course.is_replaceable(before):
            told = f"It is {before.status}, {before.filled:f} of it filled: cancel it, and place the rest anew."
            raise Refused("ORDER_INVALID", told, "orderId")
        after = replaced_remote(floor, ground, before, terms, floor.halted)
        if (unfit := broker.check(course.ticket_of(after, "", extended_hours=False))) is not None:
            raise Refused("ORDER_INVALID", unfit, "orderId")
        return before, after

    async def cancel(self, context: Context, account: AccountRow, row: OrderRow) -> OrderRow:
        """The order; PENDING_CANCEL as long as the broker has not said how it ended."""
        broker = await self._canceller(account)
        if row.status == OrderStatus.PENDING_REPLACE:
            await self._resolve(broker, row, Urgency.CANCEL)
        async with self._floor(context, account.id) as (floor, _):
            now = _open(floor, row)
            _check_replaced(broker, now)
            asked = self._ask_cancel(floor, now)
            await self._record(floor, trail.canceled(context, now))
            await floor.write()
        return await self.send_cancel(broker, asked)

    async def cancel_all(self, context: Context, account: AccountRow, instrument: str | None) -> list[OrderRow]:
        """All open orders of an account, or of one instrument of it; not those that may be another one by now, as long
        as the broker does not say so."""
        broker = await self._canceller(account)
        async with self._host.store.read() as tx:
            some = None if instrument is None else (instrument,)
            rows = await OrderStore().open(tx, account.tenant_id, account.id, some)
        for row in rows:
            if row.status == OrderStatus.PENDING_REPLACE:
                await self._resolve(broker, row, Urgency.CANCEL)
        async with self._floor(context, account.id) as (floor, _):
            wanted = [each for each in floor.open if instrument is None or each.instrument == instrument]
            known = [each for each in wanted if each.status != OrderStatus.PENDING_REPLACE]
            asked = [self._ask_cancel(floor, each) for each in known]
            await self._record(floor, trail.canceled_all(context, account.id, instrument, known))
            await floor.write()
        return [await self.send_cancel(broker, each) for each in asked]

    async def closing(
        self, context: Context, account: AccountRow, instrument: InstrumentId, quantity: Decimal | None, key: str | None
    ) -> Wish:
        """The order that closes a position; before it is refused because nothing is held, the broker is asked whether
        that is so still."""
        now = await self._units(account, instrument)
        opening = () if now else await self._afresh.telling(account, {(str(instrument), each) for each in Side})
        if opening:
            await self._afresh.learned(await self._broker(account), opening)
            now = await self._units(account, instrument)
        if not now:
            raise Refused("REDUCE_ONLY_WOULD_INCREASE", f"The account holds nothing of {instrument}.", "symbol")
        side = Side.SELL if now > 0 else Side.BUY
        check_owed(str(instrument), side, "symbol")
        if quantity is None:
            quantity = await closable(context, await self._broker(account), account, instrument, now)
        wish = Wish(
            symbol=str(instrument), side=side, type=OrderType.MARKET, quantity=quantity,
            reduce_only=True, cause=OrderCause.CLOSE, client_order_id=key,
        )  # fmt: skip
        check_wish(wish)
        return wish

    async def _units(self, account: AccountRow, instrument: InstrumentId) -> Decimal:
        async with self._host.store.read() as tx:
            held = await PositionStore().of(tx, account.tenant_id, account.id)
        return next((each.quantity for each in held if each.instrument == str(instrument)), ZERO)

    async def bounds(
        self, context: Context, account: AccountRow, held: Mapping[str, Decimal]
    ) -> dict[str, Bounds]:  # fmt: skip
        """Of what closes positions, which *held* has the units of."""
        named = {parse_instrument(name): units for name, units in held.items()}
        found = await bounds_of(context, await self._broker(account), account, named)
        return {str(instrument): bounds for instrument, bounds in found.items()}

    async def send_cancel(self, broker: Broker, asked: OrderRow) -> OrderRow:
        """To cancel twice does nothing twice: where no answer comes it is sent again, by the reconciliation."""
        try:
            report = await broker.cancel(course.reference(asked))
            if report is not None:
                return await self._settler.learn(broker, asked, report)
            return await self._settler.sync(broker, asked) or asked
        except BrokerRefused as error:
            # It is too late, or there is no such order: how it stands decides.
            LOG.info("broker_cancel_refused", broker=broker.id, order=asked.id, reason=str(error))
            return await self._look(broker, asked)
        except BrokerTrouble as error:
            return self._open(asked, error)

    async def _resolve(self, broker: Broker, row: OrderRow, urgency: Urgency) -> None:
        try:
            await self._settler.resolve(broker, row, urgency)
        except BrokerTrouble as error:
            self._open(row, error)

    async def _look(self, broker: Broker, asked: OrderRow) -> OrderRow:
        try:
            return await self._settler.sync(broker, asked) or asked
        except BrokerTrouble as error:
            return self._open(asked, error)

    async def _keep(
        self, context: Context, account: AccountRow, ground: Ground, wish: Wish, digest: str,
        coming: Mapping[str, Decimal],
    ) -> tuple[OrderRow, bool]:  # fmt: skip
        """The order as it is kept before anything is sent; or one that the same client id had placed meanwhile."""
        async with self._floor(context, account.id, coming) as (floor, halted):
            key = wish.client_order_id
            if key is not None:
                held = await OrderStore().with_client_id(floor.w.tx, context.tenant, account.id, key)
                if held is not None and held.request_digest != digest:
                    told = "This clientOrderId came with another order: repeat that one, or give another id."
                    raise Refused("IDEMPOTENCY_MISMATCH", told, "clientOrderId")
                if held is not None:
                    return held, False
            how = Place(made_by=context.principal.actor, halted=halted, digest=digest)
            row = await self._put(floor, context, ground, wish, how)
        return row, True

    async def _keep_all(
        self, context: Context, account: AccountRow, batch: Batch, grounds: Sequence[Ground],
        coming: Mapping[str, Decimal],
    ) -> tuple[Sequence[OrderRow], bool]:  # fmt: skip
        """The orders as they are kept before any is sent; or those that were placed in their stead before."""
        async with self._floor(context, account.id, coming) as (floor, halted):
            if (before := await batch.before(floor)) is not None:
                return before, False
            await self.check_permit(floor)
            rows = list[OrderRow]()
            for n, (ground, wish) in enumerate(zip(grounds, batch.wishes, strict=True)):
                path = (batch.path, str(n))
                how = Place(made_by=context.principal.actor, halted=halted, digest=batch.digest, path=path)
                row = place_remote(floor, ground, await unclaimed(floor, wish), how)
                rows.append(row)
                if wish.side is Side.BUY:
                    # It is sent before what sells it, which the broker judges then.
                    floor.coming = added(floor.coming, {pot_of(row.instrument): row.quantity or ZERO})
            if batch.note is not None:
                await batch.note(floor, rows)
            for row in rows:
                await self._record(floor, trail.placed(context, row, broker=account.broker))
            await floor.write()
        return rows, True

    async def _put(self, floor: LiveFloor, context: Context, ground: Ground, wish: Wish, how: Place) -> OrderRow:
        await self.check_permit(floor)
        row = place_remote(floor, ground, wish, how)
        await self._record(floor, trail.placed(context, row, broker=floor.w.account.broker))
        await floor.write()
        return row

    async def _record(self, floor: LiveFloor, act: Act) -> None:
        await self._host.service(Audit).record(floor.w.tx, act)

    async def _ground(
        self, context: Context, broker: Broker, account: AccountRow, wish: Wish, *path: str
    ) -> Ground:  # fmt: skip
        """What is asked of the markets; Refused for what the broker does not have, before and after that is known."""
        _check_single(wish, *path)
        instrument = await Prices.of(context).find(wish.symbol, *path, "symbol")
        if (unfit := broker.check(_form(wish, instrument))) is not None:
            raise Refused("ORDER_INVALID", unfit, *path, "type")
        held, currencies = await self._held(account)
        ground = await ground_of(
            context, account, instrument, *path, "symbol", held=held, currencies=currencies,
            time_in_force=wish.time_in_force,
        )  # fmt: skip
        priced = replace(_form(wish, instrument), currency=ground.spec.currency)
        if (unfit := broker.check(priced)) is not None:
            raise Refused("ORDER_INVALID", unfit, *path, "symbol")
        return ground

    async def _held(self, account: AccountRow) -> tuple[set[str], set[str]]:
        """What its greatest daily loss is reckoned by."""
        if account.max_daily_loss is None:
            return set(), set()
        async with self._host.store.read() as tx:
            held = await PositionStore().of(tx, account.tenant_id, account.id)
            cash = await PositionStore().cash(tx, account.tenant_id, account.id)
        return {row.instrument for row in held}, {row.asset for row in cash} | {row.currency for row in held}

    async def check_permit(self, floor: LiveFloor) -> None:
        """An organisation that wants no live trading any more sends nothing but cancellations."""
        permit = await PermitStore().find(floor.w.tx, floor.w.tenant)
        if permit is None or not permit.live:
            told = "Your organisation has not opted in to live trading: an owner or admin does so with"
            raise Refused("NOT_ALLOWED", f"{told} `tradingLiveOptIn`.", "accountId")

    async def send(
        self, broker: Broker, account: AccountRow, row: OrderRow, *, again: bool = True
    ) -> OrderRow:  # fmt: skip
        """An order that is kept; NEW where no answer came in time. Before it is sent *again*, it is looked at anew."""
        if self._host.clock.now() - row.created_at > SOON:
            return await self._settler.end(row, OrderStatus.REJECTED, "BROKER_UNAVAILABLE: it was not sent in time")
        try:
            report = await broker.place(self._ticket(account, row, row.id))
        except BrokerRefused as error:
            return await self._settler.end(row, OrderStatus.REJECTED, f"BROKER_REFUSED: {error}")
        except BrokerBusy as error:
            if again and isinstance(error, SendAnew):
                now = await self.together.waiting(row, ())
                return await self.send(broker, account, now, again=False) if now.status == OrderStatus.NEW else now
            return await self._settler.end(row, OrderStatus.REJECTED, f"BROKER_UNAVAILABLE: {error}")
        except OutcomeUnknown as error:
            return self._open(row, error)
        now = await self._learn(broker, row, report)
        if now.open or report.status in TERMINAL:
            return now
        # It was given up while it was on its way, and must not work.
        LOG.error("broker_order_stray", order=now.id, broker=broker.id, status=now.status)
        return await self.send_cancel(broker, now)

    async def _learn(self, broker: Broker, row: OrderRow, report: Report, *, settled: bool = False) -> OrderRow:
        try:
            return await self._settler.learn(broker, row, report, settled=settled)
        except BrokerTrouble as error:
            # What the answer has told is kept; fills that it counts come with the reconciliation.
            self._open(row, error)
            return await self._settler.settle(row, report, report.deals, settled=settled)

    def _open(self, row: OrderRow, error: BrokerTrouble) -> OrderRow:
        LOG.warning("broker_outcome_unknown", order=row.id, status=row.status, reason=str(error))
        return row

    def _ask_cancel(self, floor: LiveFloor, row: OrderRow) -> OrderRow:
        if row.status == OrderStatus.PENDING_CANCEL:
            return row
        asked = course.asked(row, OrderStatus.PENDING_CANCEL, floor.now)
        floor.ask(asked)
        return asked

    def _ticket(self, account: AccountRow, row: OrderRow, client_id: str) -> Ticket:
        extended = ExecutionModel.read(account.model).extended_hours
        return course.ticket_of(row, client_id, extended_hours=extended)

    async def _broker(self, account: AccountRow) -> Broker:
        """By a key of this account there: its books are of no other."""
        try:
            return await self._host.service(Brokers).of(account, Urgency.ORDER)
        except BrokerTrouble as error:
            raise Refused("BROKER_UNAVAILABLE", f"{error}.") from None

    async def _canceller(self, account: AccountRow) -> Broker:
        """The same; where the broker does not say whose the key is, by it all the same."""
        try:
            broker, _ = await self._host.service(Brokers).of_orders(account, Urgency.CANCEL)
        except KeyRefused as error:
            raise Refused("BROKER_UNAVAILABLE", f"{error}.") from None
        return broker

    async def _ready(self, account: AccountRow, orders: int = 1) -> Broker:
        """By a key of this account there, and with room for so many orders."""
        broker = await self._broker(account)
        if (wait := broker.busy(orders)) > 0:
            raise Refused("BROKER_UNAVAILABLE", f"{broker.id} takes no more orders for {wait:.1f} s: try again then.")
        return broker

    async def _unasked(self, account: AccountRow) -> Broker:
        """By whosever key: it is asked nothing, or to cancel."""
        try:
            return await self._host.service(Brokers).by_key(account.tenant_id, account.broker)
        except KeyRefused as error:
            raise Refused("BROKER_UNAVAILABLE", f"{error}.") from None

    @asynccontextmanager
    async def _floor(
        self, context: Context, account_id: str, coming: Mapping[str, Decimal] | None = None
    ) -> AsyncIterator[tuple[LiveFloor, str | None]]:
        async with writing(self._host, context.tenant, account_id) as w:
            if await self._gate.access(w.tx, context, w.account) < Access.TRADE:
                raise Refused("NOT_ALLOWED", "You may look at this account, and not trade with it.", "accountId")
            floor = await LiveFloor.opened(self._host, w)
            floor.count(coming or {})
            yield floor, floor.halted


def _taken(*some: tuple[Ground, Wish]) -> set[Taken]:
    found = [_closed(str(ground.spec.instrument), wish.side, reduce_only=wish.reduce_only) for ground, wish in some]
    return set[Taken]().union(*found)


def _closed(instrument: str, side: Side, *, reduce_only: bool) -> set[Taken]:
    """What an order takes of what is held; of what is owed too, which is never a coin."""
    takes = side is Side.SELL or (reduce_only and not is_coin(instrument))
    return {(instrument, side)} if takes else set()


def _check_replaced(broker: Broker, row: OrderRow) -> None:
    if row.status == OrderStatus.PENDING_REPLACE:
        told = f"{broker.id} has not said yet whether it was replaced: try again in a few seconds."
        raise Refused("BROKER_UNAVAILABLE", told, "orderId")


def _unknown(why: str) -> Refused:
    told = f"How much of the order is filled is not known, and would be ordered once more: {why}."
    return Refused("BROKER_UNAVAILABLE", f"{told} Nothing was changed: try again in a few seconds.", "orderId")


def _check_single(wish: Wish, *path: str) -> None:
    for field, given in (("takeProfit", wish.take_profit), ("stopLoss", wish.stop_loss), ("condition", wish.condition)):
        if given is not None:
            told = f"At a broker each order stands alone: leave {field} out, and place what protects it on its own."
            raise Refused("ORDER_INVALID", told, *path, field)


def _form(wish: Wish, instrument: InstrumentId) -> Ticket:
    """For what a broker has at all; the quantity says nothing of that."""
    return Ticket(
        client_id="", instrument=instrument, side=wish.side, type=wish.type, time_in_force=wish.time_in_force,
        quantity=wish.quantity or Decimal(1), limit_price=wish.limit_price, stop_price=wish.stop_price,
        trail_amount=wish.trail_amount, trail_percent=wish.trail_percent, post_only=wish.post_only,
    )  # fmt: skip


def _open(floor: LiveFloor, row: OrderRow) -> OrderRow:
    now = floor.orders.get(row.id)
    if now is None or not now.open:
        ended = row if now is None else now
        # Read before the account was locked, it may be as it was before it ended.
        told = "has ended" if ended.open else f"is {ended.status}{': ' + ended.reason if ended.reason else ''}"
        raise Refused("ORDER_ENDED", f"The order {told}: that is for good.", "orderId")
    return now


def _told(error: BrokerTrouble) -> Refused:
    return Refused("BROKER_UNAVAILABLE" if isinstance(error, BrokerBusy) else "BROKER_REFUSED", f"{error}.", "orderId")
