"""What open orders hold of a margin, by what of them opens: the first placed closes first. Pure.

What is filled at once closes before what waits. What waits to be touched from the other side (stops) and what waits
at a limit are reckoned each by itself: only one of them is reached first, and what it fills reckons the others anew.
What ends an order or changes its size reckons those behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from gateway.core.matching.chances import UNTIL_TRIGGERED
from gateway.core.matching.contingencies import EXITS
from gateway.core.matching.lifecycle import PARTLY, TRIGGERED
from gateway.core.matching.margin import reserve
from gateway.core.matching.model import ExecutionModel, Spec, Tick
from gateway.core.matching.rounding import EXACT
from gateway.core.matching.venue import closable
from plugins.trading.orders.checks import side_price
from plugins.trading.orders.turning import part_of
from plugins.trading.rows import OrderRow
from schema.words.orders import OrderType
from schema.words.trades import Side

if TYPE_CHECKING:
    from plugins.trading.orders.market import Market

ZERO = Decimal(0)
_STOPS = UNTIL_TRIGGERED - {OrderType.MARKET_IF_TOUCHED}
_TOUCHED = frozenset({TRIGGERED, PARTLY})


class _Way(IntEnum):
    AT_ONCE = 0
    STOP = 1
    LIMIT = 2


class Part(NamedTuple):
    """An open order, and what of it opens."""

    row: OrderRow
    opens: Decimal


def parts_of(rows: Iterable[OrderRow], held: Decimal) -> dict[str, Part]:
    """Of an instrument's open orders the part that opens, by their ids: once those before it have closed what is held.

    What has no number yet comes last; what waits for a condition holds nothing, and is left out.
    """
    found, ahead = dict[str, Part](), dict[tuple[str, _Way], Decimal]()
    closes = {side.value: closable(side, held) for side in Side}
    for row in sorted(rows, key=lambda each: (not each.number, each.number)):
        if row.quantity is None or row.condition is not None:
            continue
        left, closing = EXACT.subtract(row.quantity, row.filled), closes[row.side]
        # What nothing is held against is not counted: most orders.
        if closing:
            way = _way(row)
            before = ahead.get((row.side, _Way.AT_ONCE), ZERO)
            if way is not _Way.AT_ONCE:
                before = EXACT.add(before, ahead.get((row.side, way), ZERO))
            if row.leg not in EXITS:
                ahead[row.side, way] = EXACT.add(ahead.get((row.side, way), ZERO), left)
            if before < closing:
                left = max(ZERO, EXACT.subtract(left, EXACT.subtract(closing, before)))
        found[row.id] = Part(row, left)
    return found


def weight_of(row: OrderRow | None) -> object:
    """What of it counts for the orders behind it: the same again changes nothing of what they open."""
    if row is None or not row.open or row.quantity is None or row.condition is not None or row.leg in EXITS:
        return None
    return _way(row), EXACT.subtract(row.quantity, row.filled)


def reserve_at(
    row: OrderRow, tick: Tick | None, spec: Spec, model: ExecutionModel, leverage: Decimal, opens: Decimal
) -> Decimal:
    """What it holds while it is open; for what nobody prices yet by its own limit or stop."""
    if not opens:
        return ZERO
    price = (side_price(tick, Side(row.side)) if tick else None) or row.limit_price or row.stop_price
    return ZERO if price is None else reserve(row, price, spec, model, leverage, opens)


def reckoned(rows: Iterable[OrderRow], held: Decimal, market: Market, leverage: Decimal) -> Iterator[OrderRow]:
    """Those of an instrument's open orders that hold another amount by the price of now, with it."""
    for part in parts_of(rows, held).values():
        reserved = reserve_at(part.row, market.tick, market.spec, market.model, leverage, part.opens)
        if reserved != part.row.reserved:
            yield replace(part.row, reserved=reserved)


def shifted(
    rows: Iterable[OrderRow], before: Mapping[str, Part], held: Decimal, market: Market | None, leverage: Decimal
) -> Iterator[OrderRow]:
    """Those that open another part than *before* another order was changed or ended, with what they hold by that."""
    for id, part in parts_of(rows, held).items():
        was = before.get(id)
        if was is None or was.opens == part.opens:
            continue
        reserved = _anew(part, was, market, leverage)
        if reserved != part.row.reserved:
            yield replace(part.row, reserved=reserved)


def _anew(part: Part, was: Part, market: Market | None, leverage: Decimal) -> Decimal:
    """By the price of now; where nobody tells one, by what it has held for what it was to open."""
    row = part.row
    if not part.opens:
        return ZERO
    if was.opens and (market is None or market.tick is None) and _terms(row) == _terms(was.row):
        return part_of(row.reserved, part.opens, was.opens, row.currency)
    if market is None:
        return row.reserved
    return reserve_at(row, market.tick, market.spec, market.model, leverage, part.opens)


def _terms(row: OrderRow) -> object:
    return row.reserved, row.limit_price, row.stop_price


def _way(row: OrderRow) -> _Way:
    if row.type == OrderType.MARKET:
        return _Way.AT_ONCE
    return _Way.STOP if row.type in _STOPS and row.status not in _TOUCHED and not row.filled else _Way.LIMIT
