"""What the venue would refuse at once is a refusal, and no order: it says what would pass."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from gateway.core.matching import venue
from gateway.core.matching.lifecycle import FILLED, TERMINAL
from gateway.core.matching.model import Step
from gateway.core.matching.offers import Offered
from gateway.core.matching.rounding import ceil_to, floor_to, total_of
from gateway.core.matching.rules import check_notional, check_quantity, filled_at, worth
from plugins.trading.ledger.chart import EXACT, shown
from plugins.trading.orders.affording import arrival, check_funds, only_closes, reserve_of
from plugins.trading.orders.checks import Path, side_price
from plugins.trading.orders.sides import keeps_exit
from plugins.trading.orders.sizes import sizing_price, told_size
from plugins.trading.orders.turning import working
from plugins.trading.orders.wishes import Wish, exits_of
from plugins.trading.rows import OrderRow
from schema.words.orders import OrderType, TimeInForce
from schema.words.problems import Refused
from schema.words.trades import Side

if TYPE_CHECKING:
    from plugins.trading.orders.floor import Floor
    from plugins.trading.orders.ground import Ground

ZERO = Decimal(0)


def check_arrival(
    floor: Floor, ground: Ground, row: OrderRow, wish: Wish, step: Step | None, path: Path
) -> None:  # fmt: skip
    """By what the market of now makes of it; *wish* is the same order, with the exits that wait for it."""
    if step is None or step.order.status not in TERMINAL or not step.reason:
        return
    if step.reason == venue.POST_ONLY_WOULD_TAKE:
        told = f"limitPrice {row.limit_price} would be filled at once: {_resting(floor, ground, row, wish)}."
        raise Refused(step.reason, told, *path, "limitPrice")
    if step.reason == venue.FOK_NOT_FILLABLE:
        raise Refused(step.reason, _filling(floor, ground, row, wish, path), *path, "timeInForce")


def _resting(floor: Floor, ground: Ground, row: OrderRow, wish: Wish) -> str:
    """The last price at which it takes nothing."""
    best, unit, buys = _best(ground, row, None), ground.spec.tick, row.side == Side.BUY
    if best is None:
        return "move it away from the market"
    if unit is None:
        return f"a price {'below' if buys else 'above'} {shown(best)} would pass"
    near = floor_to(best, unit) if buys else ceil_to(best, unit)
    if near == best:
        near = EXACT.subtract(best, unit) if buys else EXACT.add(best, unit)
    passes = near > 0 and _keeps_exits(floor, ground, wish, near)
    return f"{shown(near)} would pass" if passes else "move it away from the market"


def _filling(floor: Floor, ground: Ground, row: OrderRow, wish: Wish, path: Path) -> str:
    """How much of it is there now, at its price or at the market's."""
    quantity, limit = row.quantity or ZERO, row.limit_price
    there = _there(floor, ground, row)
    if there:
        told, least = f"Only {shown(there)} of {shown(quantity)} is offered now", replace(row, quantity=there)
        named = f"{_sized(ground, least)} would pass, as would" if _passes(floor, ground, least, wish, path) else "use"
        return f"{told}: {named} IOC or GTC, which take what there is."
    best = _best(ground, row, floor.offers.of(ground.market))
    if limit is None or row.type != OrderType.LIMIT or best is None:
        return "Nothing is offered now: use GTC, which waits for it."
    told, at_best = f"Nothing is offered at {shown(limit)} now", replace(row, limit_price=best)
    there = min(quantity, _there(floor, ground, at_best))
    if not _passes(floor, ground, replace(at_best, quantity=there), wish, path):
        return f"{told}, the best price is {shown(best)}: use GTC, which waits."
    size = "" if there == quantity else f"{_sized(ground, replace(at_best, quantity=there))} at "
    return f"{told}: {size}a limitPrice of {shown(best)} would pass, as would GTC, which waits."


def _best(ground: Ground, row: OrderRow, offered: Offered | None) -> Decimal | None:
    """What it would take first, of what others have left; else of what the message says."""
    tick = ground.market.tick
    if tick is None:
        return None
    offered = offered or Offered.of(tick, ground.spec, ground.model)
    if offered.bar is not None:
        return offered.bar.open
    return next((each.price for each in offered.side(Side(row.side)) if each.left != 0), None)


def _there(floor: Floor, ground: Ground, row: OrderRow) -> Decimal:
    step = arrival(floor, ground, replace(row, time_in_force=TimeInForce.IOC.value))
    return total_of(each.quantity for each in step.executions) if step is not None else ZERO


def _passes(floor: Floor, ground: Ground, row: OrderRow, wish: Wish, path: Path) -> bool:
    if only_closes(floor, row, row.quantity or ZERO) or not _keeps_exits(floor, ground, wish, row.limit_price):
        return False
    row = replace(row, reserved=reserve_of(floor, ground, row))
    step, order, now = arrival(floor, ground, row), working(row), _now(ground, row)
    counted, there = worth(order, sizing_price(row, now)), filled_at(order, now)
    if step is None or step.order.status is not FILLED:
        return False
    if check_quantity(order.quantity, ground.spec):
        return False
    if check_notional(order.quantity, counted, ground.spec, market=there):
        return False
    try:
        check_funds(floor, ground, row, step, path)
    except Refused:
        return False
    return True


def _keeps_exits(floor: Floor, ground: Ground, wish: Wish, limit: Decimal | None) -> bool:
    moved = replace(wish, limit_price=limit)
    return all(keeps_exit(moved, exit, leg, ground, floor.now) for leg, _, exit in exits_of(wish) if exit is not None)


def _sized(ground: Ground, row: OrderRow) -> str:
    """As it was asked for: a quantity, or a notional."""
    return told_size(row, row.quantity or ZERO, ground.spec, _now(ground, row))


def _now(ground: Ground, row: OrderRow) -> Decimal | None:
    tick = ground.market.tick
    return side_price(tick, Side(row.side)) if tick else None
