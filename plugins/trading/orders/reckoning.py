"""What open orders hold of a margin, by what of them opens: the first placed closes first. Pure.

What is filled at once closes before what waits. What waits to be touched from the other side (stops) and what waits
at a limit are reckoned each by itself: only one of them is reached first, and what it fills reckons the others anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

from gateway.core.matching.chances import awaits
from gateway.core.matching.contingencies import EXITS
from gateway.core.matching.margin import opening, reserve
from gateway.core.matching.model import ExecutionModel, Spec, Tick, Working
from gateway.core.matching.rounding import total_of
from plugins.trading.orders.checks import side_price
from plugins.trading.orders.turning import working
from plugins.trading.rows import OrderRow
from schema.words.orders import OrderType

if TYPE_CHECKING:
    from plugins.trading.orders.market import Market

ZERO = Decimal(0)


class _Way(Enum):
    AT_ONCE = 0
    STOP = 1
    LIMIT = 2


def opening_part(row: OrderRow, before: Iterable[OrderRow], held: Decimal) -> Decimal:
    """The part of it that opens, once it and those *before* it have closed what is held."""
    order = working(row)
    ahead = total_of((each.quantity or ZERO) - each.filled for each in before if _is_ahead(each, row, order))
    return opening(order.side, order.left, held, ahead)


def reserve_at(
    row: OrderRow, tick: Tick | None, spec: Spec, model: ExecutionModel, leverage: Decimal, opens: Decimal
) -> Decimal:
    """What it holds while it is open; for what nobody prices yet by its own limit or stop."""
    order = working(row)
    price = (side_price(tick, order.side) if tick else None) or order.limit_price or order.stop_price
    return ZERO if price is None else reserve(order, price, spec, model, leverage, opens)


def reckoned(rows: Iterable[OrderRow], held: Decimal, market: Market, leverage: Decimal) -> Iterator[OrderRow]:
    """Those of an instrument's open orders that hold another amount now, with it; what waits for a condition holds
    nothing."""
    before = list[OrderRow]()
    for row in sorted(rows, key=lambda each: each.number):
        if row.quantity is None or row.condition is not None:
            continue
        opens = opening_part(row, before, held)
        before.append(row)
        reserved = reserve_at(row, market.tick, market.spec, market.model, leverage, opens)
        if reserved != row.reserved:
            yield replace(row, reserved=reserved)


def _is_ahead(each: OrderRow, row: OrderRow, order: Working) -> bool:
    if each.id == row.id or each.instrument != row.instrument or each.side != row.side or each.leg in EXITS:
        return False
    if each.quantity is None or each.condition is not None:
        return False
    return _way(working(each)) in (_Way.AT_ONCE, _way(order))


def _way(order: Working) -> _Way:
    if order.type is OrderType.MARKET:
        return _Way.AT_ONCE
    return _Way.STOP if awaits(order) and order.type is not OrderType.MARKET_IF_TOUCHED else _Way.LIMIT
