"""Between an order's row and the order that matching knows. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal

from gateway.core.matching.chances import UNTIL_TRIGGERED, awaits
from gateway.core.matching.contingencies import Linked
from gateway.core.matching.lifecycle import TERMINAL, advance
from gateway.core.matching.model import Execution, ExecutionModel, Working
from gateway.core.matching.positions import Applied
from gateway.core.matching.rounding import EXACT, quantum_of, total_of
from gateway.core.store import new_id
from plugins.trading.ledger.chart import money
from plugins.trading.ledger.drafts import spot_cash
from plugins.trading.orders.market import Market
from plugins.trading.rows import FillRow, OrderRow
from schema.provenance import DataMode
from schema.symbols import parse_instrument
from schema.words.orders import OrderLeg, OrderStatus, OrderType, TimeInForce
from schema.words.trades import Side

ZERO = Decimal(0)


def working(row: OrderRow) -> Working:
    """As matching sees it; its quantity must be known."""
    if row.quantity is None:
        raise ValueError(f"order {row.id} has no quantity yet")
    return Working(
        id=row.id, instrument=parse_instrument(row.instrument), side=Side(row.side), type=OrderType(row.type),
        time_in_force=TimeInForce(row.time_in_force), quantity=row.quantity,
        accepted_at=row.accepted_at or row.created_at,
        limit_price=row.limit_price, stop_price=row.stop_price, trail_amount=row.trail_amount,
        trail_percent=row.trail_percent, trail_extreme=row.trail_extreme, post_only=row.post_only,
        reduce_only=row.reduce_only, expires_at=row.expires_at, due_at=row.due_at, group=row.group_id,
        number=row.number, status=OrderStatus(row.status), filled=row.filled, fills=row.fills,
    )  # fmt: skip


def is_triggered(row: OrderRow) -> bool:
    """Whether it was a stop once, which is an order like any other since."""
    return row.type in UNTIL_TRIGGERED and row.quantity is not None and not awaits(working(row))


def form_of(row: OrderRow, *, lends: bool) -> Working:
    """An order as matching sees it: the sale of an account that cannot borrow closes, whatever it was placed as."""
    form = working(row)
    return form if lends or form.side is Side.BUY else replace(form, reduce_only=True)


def returned(row: OrderRow, order: Working, now: datetime, reason: str | None = None) -> OrderRow:
    """The row after what matching made of its order."""
    ended = order.status in TERMINAL
    triggered = order.status is OrderStatus.TRIGGERED and row.triggered_at is None
    return replace(
        row, quantity=order.quantity, limit_price=order.limit_price, stop_price=order.stop_price,
        trail_extreme=order.trail_extreme, due_at=order.due_at,
        accepted_at=None if order.status is OrderStatus.NEW else order.accepted_at, status=order.status.value,
        filled=order.filled,
        fills=order.fills, reason=reason if reason is not None else row.reason, open=not ended,
        triggered_at=now if triggered else row.triggered_at, ended_at=now if ended else None,
        reserved=ZERO if ended else row.reserved, version=row.version + 1, changed_at=now,
    )  # fmt: skip


def ended(row: OrderRow, status: OrderStatus, reason: str | None, now: datetime) -> OrderRow:
    """The row of an order that ends without matching; IllegalTransition where it has ended before."""
    advance(OrderStatus(row.status), status)
    return replace(
        row, status=status.value, reason=reason, open=False, ended_at=now, reserved=ZERO, version=row.version + 1,
        changed_at=now,
    )  # fmt: skip


def resized(row: OrderRow, quantity: Decimal, now: datetime, model: ExecutionModel) -> OrderRow:
    """The row of an exit that keeps its place, with another quantity. What has protected nothing is accepted anew with
    what it protects next, as if that had woken it, and trails anew."""
    same = replace(row, quantity=quantity, version=row.version + 1, changed_at=now)
    if row.quantity != row.filled:
        return same
    if quantity <= row.filled:
        return replace(same, trail_extreme=None)
    due_at = now + timedelta(milliseconds=model.latency_ms)
    return replace(same, trail_extreme=None, accepted_at=now, due_at=due_at)


def linked(row: OrderRow) -> Linked:
    """As the orders that belong to it see it."""
    status = OrderStatus(row.status)
    touched = status is OrderStatus.TRIGGERED or row.filled > ZERO
    return Linked(
        id=row.id, status=status, quantity=row.quantity or ZERO, filled=row.filled,
        leg=OrderLeg(row.leg) if row.leg else None, parent=row.parent_id, group=row.group_id,
        triggered=touched and row.type in UNTIL_TRIGGERED,
    )  # fmt: skip


def left_of(before: OrderRow, after: OrderRow) -> Decimal:
    """What an order still holds: of its reserve the part that is not filled, rounded up."""
    if not after.open or after.quantity is None or before.quantity is None:
        return ZERO if not after.open else before.reserved
    was = EXACT.subtract(before.quantity, before.filled)
    left = EXACT.subtract(after.quantity, after.filled)
    if not was or left >= was:
        return before.reserved
    return part_of(before.reserved, left, was, after.currency)


def part_of(reserved: Decimal, left: Decimal, was: Decimal, currency: str) -> Decimal:
    """What of a reserve is for what is left of a size, rounded up to the currency's digits."""
    exact = EXACT.divide(EXACT.multiply(reserved, left), was)
    return exact.quantize(quantum_of(currency), rounding=ROUND_UP, context=EXACT)


def cash_taken(row: OrderRow, executions: Iterable[Execution]) -> Decimal:
    """What executions take of cash, fees included; below zero where a sale brings more than it costs.

    To the digit what the ledger books of them, each rounded by itself: what affording lets pass is never refused there.
    """
    buys, currency = row.side == Side.BUY, row.currency
    return total_of(
        EXACT.subtract(
            money(each.fee, currency),
            spot_cash(each.quantity if buys else each.quantity.copy_negate(), each.price, currency),
        )
        for each in executions
    )


def fill_row(row: OrderRow, execution: Execution, applied: Applied, market: Market, now: datetime) -> FillRow:
    """One execution, as it is kept."""
    tick = market.tick
    return FillRow(
        tenant_id=row.tenant_id, id=new_id("fill"), account_id=row.account_id, order_id=row.id,
        number=execution.number, broker_fill_id=None, instrument=row.instrument, side=row.side,
        quantity=execution.quantity, price=execution.price, contract_size=market.spec.contract_size,
        currency=row.currency, reference=execution.reference,
        fee=execution.fee, liquidity=execution.liquidity.value, realised=applied.realised, strategy=row.strategy,
        provider=tick.provider if tick else "", mode=(market.mode or DataMode.LIVE).value,
        priced_at=tick.as_of if tick else None, at=now,
    )  # fmt: skip
