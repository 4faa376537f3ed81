"""The simulated venue: what a message makes of orders. Pure, and the same for the same tape and seed.

- Nothing happens before `due_at = accepted_at + latency`; then the order meets the first message that tells a price of
  its side, and takes what is there as TAKER. What is not filled rests, and is filled as MAKER where it has a limit.
- IOC and FOK are decided by that message (a stop's, by the one that triggers it): the rest of an IOC is cancelled, a
  FOK is filled whole or rejected. A post-only order that would take then is rejected.
- Against bars that message is the first bar that starts at or after `due_at`: no order looks into the bar of its birth.
- A message that is stale, or comes while the market is closed, fills nothing and triggers nothing.
- Of one message an order takes at most `participation × size`, rounded down to the step, and all orders together at
  most the size.
- A stop and a target of one group within one bar: the stop comes first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

from gateway.core.matching.chances import AT_ONCE, Chance, awaits, chance, limit_of
from gateway.core.matching.fees import commission, commissions
from gateway.core.matching.lifecycle import (
    ACCEPTED,
    CANCELED,
    EXPIRED,
    FILLED,
    NEW,
    PARTLY,
    REJECTED,
    TERMINAL,
    WORKING,
    advance,
)
from gateway.core.matching.model import Execution, ExecutionModel, Spec, Step, Tick, Working
from gateway.core.matching.offers import Offer, Offered, is_stale
from gateway.core.matching.rounding import EXACT, ZERO, money, quantum_of, total_of
from gateway.core.matching.slippage import fraction, jitter, slipped
from schema.words.orders import FillSource, Liquidity, OrderStatus, OrderType, TimeInForce
from schema.words.trades import Side

IOC_UNFILLED = "IOC_UNFILLED"
FOK_NOT_FILLABLE = "FOK_NOT_FILLABLE"
MARKET_CLOSED = "MARKET_CLOSED"
POST_ONLY_WOULD_TAKE = "POST_ONLY_WOULD_TAKE"
REDUCE_ONLY_WOULD_INCREASE = "REDUCE_ONLY_WOULD_INCREASE"
ORDER_EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    """What a step looks at beside the order."""

    spec: Spec
    model: ExecutionModel
    offered: Offered
    now: datetime
    most: Decimal | None


def accept(
    order: Working,
    tick: Tick | None,
    spec: Spec,
    model: ExecutionModel,
    *,
    open: bool = True,
    most: Decimal | None = None,
    offered: Offered | None = None,
) -> Step:
    """An order arrives: it is accepted, and meets the price of now where it is due, fresh and the market is open."""
    status = advance(order.status, ACCEPTED) if order.status is NEW else order.status
    due_at = order.accepted_at + timedelta(milliseconds=model.latency_ms)
    accepted = replace(order, status=status, due_at=due_at)
    if tick is None:
        return Step(order=accepted, changed=True)
    met = step(accepted, tick, spec, model, offered, open=open, most=most, now=order.accepted_at)
    return replace(met, changed=True)


def revise(changed: Working, at: datetime, model: ExecutionModel) -> Step:
    """An order whose terms were replaced: it loses its place, and arrives anew after the latency, accepted then.

    What is filled stays; where the quantity falls to that or below, the order is filled.
    """
    arriving = replace(changed, accepted_at=at, due_at=at + timedelta(milliseconds=model.latency_ms))
    return resize(arriving, max(arriving.quantity, arriving.filled))


def resize(order: Working, quantity: Decimal) -> Step:
    """Another quantity, in the same place: of a protecting order that follows its entry. Not below what is filled."""
    if order.status in TERMINAL or quantity < order.filled:
        return Step(order=order)
    resized = replace(order, quantity=quantity)
    if order.filled and quantity == order.filled:
        resized = replace(resized, status=advance(order.status, FILLED))
    return Step(order=resized, changed=True)


def step(
    order: Working,
    tick: Tick,
    spec: Spec,
    model: ExecutionModel,
    offered: Offered | None = None,
    *,
    open: bool = True,
    most: Decimal | None = None,
    now: datetime | None = None,
) -> Step:
    """What a message makes of an order that works. `offered` is what orders before it left of the message.

    `most` is what a reduce-only order may fill: the position that it closes. `now` is given where the newest message
    is looked at again, for an order that has become due since: one that has met the market is passed by.
    """
    if order.status not in WORKING or order.instrument != tick.instrument:
        return Step(order=order)
    again, now = now is not None, now or tick.at
    ended = _out_of_time(order, tick, model, now)
    if ended is not None:
        return ended
    if order.left <= 0:
        # An exit whose entry is yet to open more.
        return Step(order=order)
    if (again and order.due_at is None) or not _is_met(order, tick, model, now):
        return Step(order=order)
    if not open:
        return _refused(order, MARKET_CLOSED) if order.time_in_force in AT_ONCE else Step(order=order)
    if order.reduce_only and most is not None and most <= 0:
        return _refused(order, REDUCE_ONLY_WOULD_INCREASE)
    if offered is None:
        offered = Offered.of(tick, spec, model)
    found = chance(order, offered, spec)
    if found is None:
        return Step(order=order)
    return _taken(order, found, _Message(spec=spec, model=model, offered=offered, now=now, most=most))


def give_back(made: Step) -> None:
    """What a step took of the message is there again, for those after it: it is not to be."""
    for offer, quantity in made.taken:
        offer.take(EXACT.minus(quantity))


class Meeting:
    """One message while an account's orders meet it, one after the other: they share its size.

    Once an order of a group is filled, even in part, the message passes the others by; what trails follows it still.
    """

    def __init__(
        self, tick: Tick, spec: Spec, model: ExecutionModel, offered: Offered | None = None, *, open: bool = True
    ) -> None:
        self._tick, self._spec, self._model, self._open = tick, spec, model, open
        self._offered = Offered.of(tick, spec, model) if offered is None else offered
        self._served = set[str]()

    def again(self) -> Meeting:
        """As far as it has got, to go on with: of the same that is offered."""
        other = Meeting(self._tick, self._spec, self._model, self._offered, open=self._open)
        other._served = set(self._served)
        return other

    def queue(self, orders: Iterable[Working]) -> list[Working]:
        """The first in price-time order first.

        First those without a limit, by time, then limits, the best price first, then by time. Stops that wait come
        after them, against bars before them. Those of one time stay as they are given.
        """
        stops_first = self._model.source is FillSource.BARS
        return sorted(orders, key=lambda each: _priority(each, stops_first))

    def meet(self, order: Working, most: Decimal | None = None, *, was: Working | None = None) -> Step:
        """What the message makes of the next one. `was` is how the message found it, where others have changed it.

        What it has grown by since meets a quote or a book as well; a bar it does not, as nobody knows which of the
        bar's prices came first.
        """
        if order.group is not None and order.group in self._served:
            return self._passed(order)
        if was is not None and self._model.source is FillSource.BARS and order.quantity > was.quantity:
            return _grown(self._met(replace(order, quantity=was.quantity), most), order)
        return self._met(order, most)

    def release(self, order: Working) -> None:
        """What it was filled by is not to be: the message meets the others of its group."""
        self._served.discard(order.group or "")

    def _met(self, order: Working, most: Decimal | None) -> Step:
        made = step(order, self._tick, self._spec, self._model, self._offered, open=self._open, most=most)
        if made.executions and order.group is not None:
            self._served.add(order.group)
        return made

    def _passed(self, order: Working) -> Step:
        tick, unmet = self._tick, order.status not in WORKING or order.due_at is not None or not self._open
        if unmet or order.instrument != tick.instrument or is_stale(tick, tick.at, self._model):
            return Step(order=order)
        found = chance(order, self._offered, self._spec)
        if found is None or not found.waits:
            return Step(order=order)
        return Step(order=found.order, changed=found.order is not order)


def match(
    orders: Iterable[Working],
    tick: Tick,
    spec: Spec,
    model: ExecutionModel,
    *,
    open: bool = True,
    held: Decimal | None = None,
) -> list[Step]:
    """One message for an account's orders of its instrument, in their order, where none of them changes another.

    `held` is the position, below 0 where it is short: reduce-only orders close it together at most.
    """
    meeting, steps = Meeting(tick, spec, model, open=open), []
    for order in meeting.queue(orders):
        most = closable(order.side, held) if order.reduce_only and held is not None else None
        made = meeting.meet(order, most)
        steps.append(made)
        filled = total_of(each.quantity for each in made.executions)
        if filled and held is not None:
            held = EXACT.add(held, filled if order.side is Side.BUY else EXACT.minus(filled))
    return steps


def expire(order: Working, now: datetime) -> Step:
    """EXPIRED from `expires_at` on; DAY has the end of its session there."""
    if order.status in TERMINAL or order.expires_at is None or now < order.expires_at:
        return Step(order=order)
    return _ended(order, EXPIRED, ORDER_EXPIRED)


def cancel(order: Working, reason: str | None = None) -> Step:
    """CANCELED, where it has not ended before."""
    return Step(order=order) if order.status in TERMINAL else _ended(order, CANCELED, reason)


def closable(side: Side, held: Decimal) -> Decimal:
    """How much of a position an order of a side closes at most."""
    return max(ZERO, EXACT.minus(held) if side is Side.BUY else held)


def _priority(order: Working, stops_first: bool) -> tuple[int, Decimal, datetime, int]:
    limit, came = limit_of(order), (order.accepted_at, order.number)
    if awaits(order):
        first = stops_first and order.type is not OrderType.MARKET_IF_TOUCHED
        return 1 if first else 3, ZERO, *came
    if limit is None:
        return 0, ZERO, *came
    return 2, -limit if order.side is Side.BUY else limit, *came


def _grown(made: Step, order: Working) -> Step:
    """What became of an order at the size that it had, at the size that it has."""
    if not made.changed:
        return Step(order=order)
    status = PARTLY if made.order.status is FILLED else made.order.status
    return replace(made, order=replace(made.order, quantity=order.quantity, status=status))


def _out_of_time(order: Working, tick: Tick, model: ExecutionModel, now: datetime) -> Step | None:
    """A bar that ends when the order does is its last one; what comes later finds it expired."""
    if order.expires_at is None:
        return None
    if model.source is FillSource.BARS and tick.bar is not None:
        return expire(order, now) if tick.bar.end > order.expires_at else None
    return expire(order, now) if now >= order.expires_at else None


def _is_met(order: Working, tick: Tick, model: ExecutionModel, now: datetime) -> bool:
    if is_stale(tick, now, model):
        return False
    if order.due_at is None:
        return True
    if model.source is FillSource.BARS:
        return tick.bar is not None and tick.bar.start >= order.due_at
    return now >= order.due_at


def _taken(order: Working, found: Chance, message: _Message) -> Step:
    met = found.order
    if found.waits:
        return Step(order=met, changed=met is not order)
    if not found.takes and met.time_in_force not in AT_ONCE:
        return Step(order=met, changed=met is not order, triggered=found.triggered)
    if met.post_only and order.due_at is not None and found.liquidity is Liquidity.TAKER:
        return _refused(order, POST_ONLY_WOULD_TAKE)
    wanted = met.left if not met.reduce_only or message.most is None else min(met.left, message.most)
    portions = _portions(found, wanted, message)
    total = total_of(quantity for _, quantity, _ in portions)
    if met.time_in_force is TimeInForce.FOK and total < met.left:
        return replace(_refused(met, FOK_NOT_FILLABLE), triggered=found.triggered)
    for _, quantity, offer in portions:
        offer.take(quantity)
    executions = _executions(met, found, portions, total, message) if portions else ()
    return _after(order, found, executions, portions, message)


def _portions(found: Chance, wanted: Decimal, message: _Message) -> list[tuple[Decimal, Decimal, Offer]]:
    step_quantity, participation = message.spec.step_quantity, message.model.participation
    portions = []
    for price, offer in found.takes:
        quantity = offer.portion(wanted, participation, step_quantity)
        if quantity > 0 and (quantity >= wanted or _costs(quantity, price, message.spec)):
            portions.append((price, quantity, offer))
            wanted = EXACT.subtract(wanted, quantity)
        if wanted <= 0:
            break
    return portions


def _costs(quantity: Decimal, price: Decimal, spec: Spec) -> bool:
    """Whether so much comes to anything in its currency: what does not is bought for nothing."""
    amount = EXACT.multiply(EXACT.multiply(quantity, spec.contract_size), price)
    return money(amount, quantum_of(spec.currency)) > 0


def _executions(
    order: Working, found: Chance, portions: list[tuple[Decimal, Decimal, Offer]], total: Decimal, message: _Message
) -> tuple[Execution, ...]:
    spec, model = message.spec, message.model
    units, volume = EXACT.multiply(total, spec.contract_size), _volume(portions, message)
    made, raw = [], []
    for number, (reference, quantity, _) in enumerate(portions, order.fills + 1):
        price = reference
        if found.liquidity is Liquidity.TAKER:
            part = fraction(model.slippage, units, volume, jitter(model.seed, order.number, number))
            price = slipped(order.side, reference, part, spec.tick, limit_of(order))
        raw.append(commission(model.fees, quantity, price, spec.contract_size, found.liquidity, first=number == 1))
        made.append((number, quantity, price, reference))
    fees = commissions(model.fees, raw, spec.currency)
    return tuple(
        Execution(
            number=number, quantity=quantity, price=price, reference=reference, fee=fee,
            liquidity=found.liquidity, at=message.now,
        )
        for (number, quantity, price, reference), fee in zip(made, fees, strict=True)
    )  # fmt: skip


def _volume(portions: list[tuple[Decimal, Decimal, Offer]], message: _Message) -> Decimal | None:
    """In units: what the message says was traded, else what it offers where the order takes; None: unknown."""
    with localcontext(EXACT):
        if message.offered.traded:
            return message.offered.traded * message.spec.contract_size
        sizes = [offer.size for _, _, offer in portions]
        known = [size for size in sizes if size is not None]
        return sum(known, ZERO) * message.spec.contract_size if known and len(known) == len(sizes) else None


def _after(
    order: Working, found: Chance, executions: tuple[Execution, ...], portions: list[tuple[Decimal, Decimal, Offer]],
    message: _Message,
) -> Step:  # fmt: skip
    met, total = found.order, total_of(quantity for _, quantity, _ in portions)
    if executions:
        filled = EXACT.add(met.filled, total)
        status = FILLED if filled == met.quantity else PARTLY
        fills = met.fills + len(executions)
        met = replace(met, filled=filled, fills=fills, status=advance(met.status, status))
    step_ = Step(
        order=met, executions=executions, changed=met is not order, triggered=found.triggered,
        taken=tuple((offer, quantity) for _, quantity, offer in portions),
    )  # fmt: skip
    if met.status is FILLED:
        return step_
    if met.reduce_only and message.most is not None and total >= message.most:
        return _closed(step_, REDUCE_ONLY_WOULD_INCREASE)
    if met.time_in_force in AT_ONCE:
        return _closed(step_, IOC_UNFILLED)
    return step_


def _closed(made: Step, reason: str) -> Step:
    ended = _ended(made.order, CANCELED, reason)
    return replace(ended, executions=made.executions, triggered=made.triggered, taken=made.taken)


def _refused(order: Working, reason: str) -> Step:
    """REJECTED before anything of it is filled, else what is left is cancelled."""
    return _ended(order, CANCELED if order.filled else REJECTED, reason)


def _ended(order: Working, status: OrderStatus, reason: str | None) -> Step:
    return Step(order=replace(order, status=advance(order.status, status)), reason=reason, changed=True)
