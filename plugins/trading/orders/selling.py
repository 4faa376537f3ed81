"""How far orders at a broker only reduce: nobody there keeps them from turning what is held. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from gateway.core.matching.rounding import floor_to
from plugins.trading.ledger.chart import EXACT, ZERO, shown, total
from plugins.trading.orders.checks import only_reduces, side_price
from plugins.trading.orders.market import Market
from plugins.trading.orders.sizes import told_size
from plugins.trading.rows import OrderRow
from schema.words.orders import OrderStatus
from schema.words.trades import Side


def told_unheld(row: OrderRow, open: Iterable[OrderRow], held: Decimal, market: Market) -> str | None:
    """What of an order passes, in words, where with the account's other open sales it sells more than is *held*."""
    others = [each for each in open if each.id != row.id and each.instrument == row.instrument]
    sold = total(_sells(each) for each in others)
    free, name = EXACT.subtract(held, sold), row.instrument
    if _sells(row) <= max(free, ZERO):
        return None
    if held <= 0:
        return f"It holds nothing of {name}"
    there = f"It holds {shown(held)} of {name}"
    if free <= 0:
        return f"{there}, all of which its other open sales sell: cancel one of them first"
    beside = f", of which its other open sales sell {shown(sold)}" if sold else ""
    now = side_price(market.tick, Side.SELL) if market.tick else None
    whole = floor_to(free, market.spec.step_quantity)
    if not whole:
        return f"{there}{beside}: no order passes for so little"
    return f"{there}{beside}: at most {told_size(row, whole, market.spec, now)} passes"


def unheld(open: Iterable[OrderRow], held: Mapping[str, Decimal], *, lends: bool) -> frozenset[str]:
    """Of open orders that would but reduce, those that close more than is *held* with those that were placed before
    them and stay. What is being cancelled is none of these."""
    left, found = dict[tuple[str, str], Decimal](), set[str]()
    for row in sorted(open, key=lambda row: row.number):
        size, side = EXACT.subtract(row.quantity or ZERO, row.filled), Side(row.side)
        reduces = only_reduces(side, reduce_only=row.reduce_only, lends=lends)
        if row.status == OrderStatus.PENDING_CANCEL or not size or not reduces:
            continue
        units, key = held.get(row.instrument, ZERO), (row.instrument, row.side)
        rest = EXACT.subtract(left.get(key, units if side is Side.SELL else units.copy_negate()), size)
        if rest < 0:
            found.add(row.id)
        else:
            left[key] = rest
    return frozenset(found)


def _sells(row: OrderRow) -> Decimal:
    return EXACT.subtract(row.quantity or ZERO, row.filled) if row.side == Side.SELL else ZERO
