"""The form of an order: what can be said of it by itself and by the rules of its instrument. Pure.

Whoever keeps an order asks here first, for its exits too: placed, replaced, one of a group, of a schedule, one that
waits. What waits meets another market than that of now: what depends on a price is asked again when it arrives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from gateway.core.matching import rules
from gateway.core.matching.model import Spec, Working
from gateway.core.matching.rounding import ceil_to
from gateway.core.matching.rules import Rule, Violation, check, check_number, check_sum
from plugins.trading.orders.checks import Path, only_reduces
from plugins.trading.orders.sizes import sizing_price
from plugins.trading.orders.wishes import Wish
from schema.names import camel
from schema.words.orders import OrderCause
from schema.words.problems import Refused

if TYPE_CHECKING:
    from plugins.trading.orders.floor import Floor

ONE = Decimal(1)
QUANTITY = "quantity"
LEAST = frozenset({Rule.SIZE_BELOW_MINIMUM, Rule.NOTIONAL_BELOW_MINIMUM})
MOST = frozenset({Rule.SIZE_ABOVE_MAXIMUM})
SIZES = LEAST | MOST | {Rule.SIZE_OFF_STEP}
"""Rules that keep no whole position from being closed: what part fills, or several orders, have left must be sold."""
_SNAKE = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


def check_form(
    wish: Wish, spec: Spec, *, now: datetime, path: Path = (), collar_bps: int | None = None,
    price: Decimal | None = None, but: AbstractSet[Rule] = frozenset(), whole: Decimal | None = None,
) -> None:  # fmt: skip
    """Refused with the field of the first thing that is wrong, all others in the message and in its parts.

    *price* is the market's of the side that the order takes, where it arrives now: without it no collar and no worth
    by the market are looked at. A notional is judged by what it comes to, and told in sums. *but* are rules of its size
    that do not hold for it. *whole* is what closes a position that it reduces: that passes, be the least size greater.
    """
    if but >= MOST:
        # Else a size above it would be told of nothing further.
        spec = replace(spec, max_size=None)
    order = _order(wish, spec, ONE if wish.quantity is None else wish.quantity, now)
    found = list(check(order, spec, now=now, price=price, collar_bps=collar_bps))
    if wish.notional is not None:
        formed = not rules.check_form(order, now)
        beside = (each for each in found if each.field != QUANTITY)
        own, market = sizing_price(wish, price), rules.filled_at(order, price)
        found = [*_of_notional(wish.notional, spec, own, market, formed=formed), *beside]
    if whole is not None:
        found = [_at_most(each, whole, wish, spec, price) for each in found]
    if found := [each for each in found if each.rule not in but]:
        raise refused_of(found, path)


def freed(floor: Floor, name: str, wish: Wish, quantity: Decimal | None) -> frozenset[Rule]:
    """Rules of its size that do not hold for an order on paper that only reduces: there is no greatest size, and of a
    whole position, or all that a hedge has of one, no other rule."""
    if not only_reduces(wish.side, reduce_only=wish.reduce_only, lends=floor.lends):
        return frozenset()
    all_of_hedge = wish.group is not None and wish.cause is OrderCause.CLOSE
    return SIZES if all_of_hedge or (quantity and quantity == floor.held(name).copy_abs()) else MOST


def refused_of(found: Sequence[Violation], path: Path) -> Refused:
    """The first thing that is wrong, by its GraphQL name, with all others in the message and, by their own fields, as
    parts."""
    by_field: dict[str, list[Violation]] = {}
    for each in found:
        by_field.setdefault(each.field, []).append(each)
    parts = [_refused(some, path, name) for name, some in by_field.items()]
    return _refused(found, path, next(iter(by_field)), parts if len(parts) > 1 else ())


def _refused(found: Sequence[Violation], path: Path, name: str, parts: Sequence[Refused] = ()) -> Refused:
    told = _SNAKE.sub(lambda found: camel(found[0]), "; ".join(f"{each.field} {each.message}" for each in found))
    return Refused(found[0].rule.value, f"{told}.", *path, camel(name), parts=parts)


def _of_notional(
    notional: Decimal, spec: Spec, price: Decimal | None, market: Decimal | None, *, formed: bool
) -> Iterator[Violation]:
    """By a price only where the order is *formed*: it may be the price that is wrong."""
    wrong = check_number("notional", notional)
    if formed and (wrong is None or wrong.nearest):
        # Of a sum that is greater than all, what the instrument says of the greatest.
        wrong = check_sum(min(notional, rules.MOST), price, spec, market=market) or wrong
    if wrong is not None:
        yield wrong


def _at_most(wrong: Violation, whole: Decimal, wish: Wish, spec: Spec, price: Decimal | None) -> Violation:
    """Of what is too little, the whole position where no less passes."""
    counted, size = sizing_price(wish, price), whole
    if wish.notional is not None and counted is not None:
        size = rules.notional_for(whole, counted, spec, ceil_to)
        if rules.quantity_for(size, counted, spec) != whole:
            return wrong
    if wrong.rule not in LEAST or (wrong.nearest and wrong.nearest[0] <= size):
        return wrong
    return replace(wrong, message=f"must be {size:f}, which closes the position", nearest=(size,))


def _order(wish: Wish, spec: Spec, quantity: Decimal, now: datetime) -> Working:
    """As matching would see it."""
    return Working(
        id="", instrument=spec.instrument, side=wish.side, type=wish.type, time_in_force=wish.time_in_force,
        quantity=quantity, accepted_at=now, limit_price=wish.limit_price, stop_price=wish.stop_price,
        trail_amount=wish.trail_amount, trail_percent=wish.trail_percent, post_only=wish.post_only,
        reduce_only=wish.reduce_only, expires_at=wish.expires_at,
    )  # fmt: skip
