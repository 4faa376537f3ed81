"""Trailing stops: the best price since acceptance, and the stop that follows it."""

from __future__ import annotations

from decimal import Decimal, localcontext

from gateway.core.matching.rounding import EXACT, ceil_to, floor_to, plain
from schema.words.trades import Side

HUNDRED = Decimal(100)


def follow(side: Side, extreme: Decimal | None, price: Decimal) -> Decimal:
    """The extreme after a price: the highest so far for a sale, the lowest for a purchase. It only moves in favour."""
    if extreme is None:
        return price
    return max(extreme, price) if side is Side.SELL else min(extreme, price)


def level(
    side: Side, extreme: Decimal, amount: Decimal | None, percent: Decimal | None, tick: Decimal | None = None
) -> Decimal:
    """The stop price: `extreme ∓ amount`, or `extreme × (1 ∓ percent/100)`; minus for a sale, plus for a purchase.

    Where a tick is known it lies on it, away from the market.
    Source: FIX 4.4 PegOffsetValue (211) with PegMoveType floating; the exchanges' trailing stops do the same.
    """
    with localcontext(EXACT):
        distance = amount if amount is not None else extreme * (percent or Decimal(0)) / HUNDRED
        if side is Side.SELL:
            return plain(floor_to(extreme - distance, tick))
        return plain(ceil_to(extreme + distance, tick))
