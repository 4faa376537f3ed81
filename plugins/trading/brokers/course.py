"""What a broker's report makes of an order's state, and what a fill costs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Context, Decimal
from zlib import crc32

from gateway.core.matching.lifecycle import TERMINAL, WORKING, may
from plugins.trading.brokers.port import Deal, Reference, Report, Ticket
from plugins.trading.brokers.wire import plain
from plugins.trading.ledger.chart import money
from plugins.trading.rows import OrderRow
from schema.symbols import parse_instrument
from schema.words.orders import OrderStatus, OrderType, TimeInForce
from schema.words.trades import Side

ZERO = Decimal(0)
_EXACT = Context(prec=200)
ASKED = frozenset({OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_REPLACE})
OVER = TERMINAL - {OrderStatus.CANCELED}
"""After these nothing takes an order's place at its broker; CANCELED it also is where something has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """A fill as it is booked: what was got or given, and its fee in the currency of its price."""

    quantity: Decimal
    fee: Decimal
    other: tuple[str, Decimal] | None = None
    """A fee in another asset: that asset, and how much."""


def charged(deal: Deal, side: Side, base: str, currency: str) -> Charged:
    """A fee that a purchase pays in what it bought makes that less: cash moves by the whole price all the same."""
    if deal.fee_asset is None or not deal.fee:
        return Charged(quantity=deal.quantity, fee=ZERO)
    if deal.fee_asset == currency:
        return Charged(quantity=deal.quantity, fee=money(deal.fee, currency))
    if deal.fee_asset == base and side is Side.BUY and ZERO < deal.fee < deal.quantity:
        fee = money(_EXACT.multiply(deal.fee, deal.price), currency)
        return Charged(quantity=_EXACT.subtract(deal.quantity, deal.fee), fee=fee)
    return Charged(quantity=deal.quantity, fee=ZERO, other=(deal.fee_asset, deal.fee))


def following(row: OrderRow, report: Report, *, complete: bool, settled: bool) -> OrderStatus:
    """The state after a report; never one that may not follow, so that reports may come late and out of order.

    An order ends once its last fill is booked (*complete*), not before. One that the broker was asked to cancel or to
    replace stays so until that is *settled* or it has ended; that one which is replaced is cancelled may mean that the
    other one has come.
    """
    now, told = OrderStatus(row.status), report.status
    if now in TERMINAL or (now is OrderStatus.PENDING_REPLACE and told is OrderStatus.CANCELED and not settled):
        return now
    if told in TERMINAL and not complete:
        told = OrderStatus.ACCEPTED
    if told not in TERMINAL:
        if now in ASKED and not settled:
            return now
        told = OrderStatus.PARTIALLY_FILLED if row.fills else OrderStatus.ACCEPTED
    if told is OrderStatus.REJECTED and row.fills:
        told = OrderStatus.CANCELED
    passed = OrderStatus.ACCEPTED if now is OrderStatus.NEW else now
    return told if may(now, told) or may(passed, told) or told is passed else now


def outdated(report: Report, row: OrderRow) -> Report:
    """What is left of a report about an order that another one has replaced meanwhile: what was filled of it."""
    return Report(
        broker_id=row.broker_order_id or report.broker_id, client_id=report.client_id, status=OrderStatus.ACCEPTED,
        quantity=None, filled=report.filled,
    )  # fmt: skip


def unended(report: Report) -> Report:
    """What is certain of a report that may not count all that is filled: it ends nothing, and tells no size."""
    return replace(report, status=OrderStatus.ACCEPTED, quantity=None, reason=None)


def frees_later(row: OrderRow, report: Report) -> bool:
    """Whether an order that is being made smaller may still be filled by its size of before."""
    if row.status != OrderStatus.PENDING_REPLACE or report.status in TERMINAL:
        return False
    if report.quantity is None or report.old_quantity is None:
        return False
    # What was filled of the larger one counts in both sizes of the report.
    return report.quantity < _EXACT.add(report.old_quantity, report.filled)


def outgrows(row: OrderRow, report: Report) -> bool:
    """Whether it is larger at the broker than was asked for, by what was filled before it was replaced."""
    return report.filled > ZERO and (report.quantity or ZERO) > (row.quantity or ZERO)


def with_terms(row: OrderRow, report: Report) -> OrderRow:
    """The terms that it has at the broker; what the broker does not tell stays."""
    told = {
        name: value
        for name in ("quantity", "limit_price", "stop_price", "trail_amount", "trail_percent")
        if (value := getattr(report, name)) is not None and getattr(row, name) is not None
    }
    return replace(row, **told)


def next_client_id(row: OrderRow) -> str:
    """Under which the order's replacement is sent: it follows from what is stored, so that it is found again. No broker
    takes the id of one that it has rejected once more."""
    terms = (row.quantity, row.limit_price, row.stop_price, row.trail_amount, row.trail_percent)
    told = [row.broker_order_id, *(None if each is None else plain(each) for each in terms)]
    if row.replacements:
        told.append(str(row.replacements))
    return f"{row.id}-{crc32(repr(told).encode()):08x}"


def root_id(client_id: str) -> str:
    """The order that a client id of ours is about."""
    return client_id.partition("-")[0]


def reference(row: OrderRow) -> Reference:
    """The order at its broker."""
    return Reference(
        instrument=parse_instrument(row.instrument), client_id=row.id, broker_id=row.broker_order_id,
        side=Side(row.side), by=row.changed_at if row.replacements else row.created_at,
    )  # fmt: skip


def references(row: OrderRow) -> list[Reference]:
    """Under which an order that was given up may have come: where it was being replaced, what was to take its place
    too."""
    known = reference(row)
    return [known, replace(known, client_id=next_client_id(row), broker_id=None)] if row.replacements else [known]


def ticket_of(row: OrderRow, client_id: str, *, extended_hours: bool) -> Ticket:
    """The order as it is sent; its quantity must be known."""
    if row.quantity is None:
        raise ValueError(f"order {row.id} has no quantity")
    return Ticket(
        client_id=client_id, instrument=parse_instrument(row.instrument), side=Side(row.side),
        type=OrderType(row.type), time_in_force=TimeInForce(row.time_in_force), quantity=row.quantity,
        limit_price=row.limit_price, stop_price=row.stop_price, trail_amount=row.trail_amount,
        trail_percent=row.trail_percent, post_only=row.post_only, extended_hours=extended_hours, currency=row.currency,
    )  # fmt: skip


def asked(row: OrderRow, status: OrderStatus, now: datetime) -> OrderRow:
    """The broker is about to be asked to cancel it, or to change it."""
    return replace(row, status=status.value, version=row.version + 1, changed_at=now)


def replacing(before: OrderRow, after: OrderRow, now: datetime) -> OrderRow:
    """The broker is about to be asked for other terms. Until it is known which order works, either may be filled: it
    has the larger of both sizes."""
    size = max(before.quantity or ZERO, after.quantity or ZERO)
    return replace(
        asked(after, OrderStatus.PENDING_REPLACE, now), quantity=size, replacements=before.replacements + 1
    )  # fmt: skip


def is_replaceable(row: OrderRow) -> bool:
    """Whether it works, is known to the broker, and nothing of it is filled."""
    return OrderStatus(row.status) in WORKING and row.broker_order_id is not None and not row.fills
