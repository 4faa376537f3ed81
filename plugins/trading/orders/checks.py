"""Pre-trade checks: what refuses an order. They look at a locked account and at what was asked of the markets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from gateway.core.matching.conditions import TimeCondition, read
from gateway.core.matching.contingencies import EXITS
from gateway.core.matching.model import Spec, Tick
from gateway.core.matching.rounding import floor_to
from gateway.core.matching.rules import check_notional, check_quantity, check_sum, notional_for, quantity_for
from plugins.trading.accounts.rules import SIMULATOR
from plugins.trading.ledger.chart import EXACT, shown, total
from plugins.trading.markets.opening import Shut
from plugins.trading.orders.market import tells
from plugins.trading.orders.sizes import sized_by, sizing_price, told_size
from plugins.trading.orders.wishes import AT_ONCE, Wish, exits_of
from plugins.trading.rows import OrderRow
from schema.scalars import datetime_text
from schema.words.orders import OrderCause, OrderStatus, OrderType, TimeInForce
from schema.words.problems import Refused
from schema.words.trades import Side

if TYPE_CHECKING:
    from plugins.trading.orders.floor import Floor
    from plugins.trading.orders.ground import Ground
    from plugins.trading.orders.market import Market

ZERO = Decimal(0)
MOST_OPEN = 1_000
"""Open orders of an account."""
BESIDE = 100
"""More of them that only reduce, and as many again that do it at once: so no position is locked in by other orders."""

Path = tuple[str, ...]


def only_reduces(side: Side, *, reduce_only: bool, lends: bool) -> bool:
    """Whether an order can but make a position smaller, as each sale of an account does that cannot borrow; at a broker
    as far as `selling` says."""
    return reduce_only or (side is Side.SELL and not lends)


def told_reducing(floor: Floor) -> str:
    """What is taken after the greatest loss of a day, in words."""
    if floor.lends:
        return "only what reduces is taken: orders with reduceOnly, `positionClose` and `hedgeClose`"
    return "only sales are taken" if floor.w.account.broker == SIMULATOR else "only sales of what is held are taken"


def told_reached(floor: Floor) -> str:
    """That the greatest loss of a day was reached before, in words."""
    account = floor.w.account
    most = f"{account.max_daily_loss} {account.currency}"
    return f"The account has reached its greatest daily loss of {most}: until the next UTC day {told_reducing(floor)}."


def check_switches(floor: Floor, halted: str | None, side: Side, *, reduce_only: bool) -> None:
    """Kill switches stop everything; a loss of the day leaves only what reduces."""
    if halted is not None:
        raise Refused("KILL_SWITCH", halted, "accountId")
    account = floor.w.account
    reduces = only_reduces(side, reduce_only=reduce_only, lends=floor.lends)
    if account.loss_day == floor.now.date().isoformat() and not reduces:
        raise Refused("DAILY_LOSS_REACHED", told_reached(floor), "accountId")


def check_kind(spec: Spec, path: Path, *, lends: bool) -> None:
    """What is settled by margin needs an account that has one."""
    if spec.derivative and not lends:
        told = f"{spec.instrument} is a derivative: it is traded in an account of margin MARGIN."
        raise Refused("MARGIN_ACCOUNT_REQUIRED", told, *path, "symbol")


def check_room(floor: Floor, wish: Wish, more: int, *, waits: bool = False) -> None:
    """An account has a bounded number of open orders, with a reserve for what only reduces."""
    there = sum(row.open for row in floor.orders.values()) + floor.unread
    most, told = MOST_OPEN, "at most: cancel some first"
    beside = ". Orders that only reduce are taken beside them"
    if only_reduces(wish.side, reduce_only=wish.reduce_only, lends=floor.lends):
        most, told = MOST_OPEN + BESIDE, "at most with those that only reduce: cancel some first"
        beside = ". What reduces at once is taken beside them"
        if not waits and (wish.type is OrderType.MARKET or wish.time_in_force in AT_ONCE):
            most, beside = most + BESIDE, ""
    if there + more > most:
        raise Refused(
            "TOO_MANY_ORDERS", f"The account has {there} open orders, and {most} {told}{beside}.", "accountId"
        )


def check_market(floor: Floor, ground: Ground, wish: Wish, path: Path, *, remote: bool = False) -> None:
    """What is decided at once needs an open market and a fresh price; what rests or waits may wait for both.

    A limit that takes what there is at a broker needs no price of ours. A price in another currency than the
    instrument's is none that anything could be sized or filled by, not even in part.
    """
    if not remote or sizing_price(wish, None) is None:
        _check_currency(ground, (*path, "symbol"))
    if wish.type is OrderType.MARKET:
        _check_now(ground, (*path, "symbol"), opens=_told_opening(wish))
    elif wish.time_in_force in AT_ONCE and not remote:
        rests = f"{wish.time_in_force} waits for nothing, GTC, DAY and GTD do"
        _check_now(ground, (*path, "timeInForce"), opens=rests, rests=rests)


def _check_currency(ground: Ground, path: Path) -> None:
    priced, spec = ground.priced, ground.spec
    if priced is None or tells(spec, priced.currency):
        return
    told = f"{priced.tick.provider} tells its price in {priced.currency}: nothing is filled or sized by that"
    helps = f"Name a provider that tells it in {spec.currency}: model.provider."
    raise Refused("NO_PRICE", f"{spec.instrument} is traded in {spec.currency}, and {told}. {helps}", *path)


def _told_opening(wish: Wish) -> str:
    """What helps whoever has placed an order at the market; hedges and schedules have no others."""
    if wish.cause is OrderCause.SCHEDULE:
        return "an order of a schedule waits for nothing, and passes after the opening"
    if wish.cause is OrderCause.HEDGE:
        return "orders of a hedge wait for nothing: execute it after the opening"
    if wish.cause is OrderCause.CLOSE and wish.group is not None:
        return "orders of a hedge wait for nothing: close it after the opening"
    return "place a LIMIT order, which waits for its opening"


def _check_now(ground: Ground, path: Path, *, opens: str, rests: str | None = None) -> None:
    """Refused with what helps while a market is closed, and what helps always."""
    priced, name, also = ground.priced, ground.spec.instrument, f"; {rests}" if rests else ""
    if priced is None:
        raise Refused("NO_PRICE", f"Nobody prices {name} now: {ground.lacking}{also}.", *path)
    if not priced.open:
        raise Shut(name, f"The market of {name} is {priced.state.value}: {opens}.", *path)
    if priced.too_old(ground.model):
        raise Refused("STALE_PRICE", f"{priced.told_old(ground.model)}{also}.", *path)


def check_comes(row: OrderRow, path: Path) -> None:
    """An order that waits for a time waits in vain where it ends before, or then."""
    condition = None if row.condition is None or row.expires_at is None else read(row.condition)
    if not isinstance(condition, TimeCondition) or row.expires_at is None or condition.at < row.expires_at:
        return
    at, end = datetime_text(condition.at), datetime_text(row.expires_at)
    last = f", an expiresAt after {at}" if row.time_in_force == TimeInForce.GTD else ""
    told = f"The order is {row.time_in_force} and ends at {end}, so that it never comes to {at}"
    raise Refused("ORDER_INVALID", f"{told}: a time before its end would pass{last}, or GTC, which has no end.", *path)


def side_price(tick: Tick, side: Side) -> Decimal | None:
    """What a purchase pays and a sale gets at once: the ask, the bid, else the last price, of a bar its close."""
    best = tick.ask if side is Side.BUY else tick.bid
    if best is not None:
        return best
    return tick.last if tick.bar is None else tick.bar.close


def closing_part(floor: Floor, instrument: str, side: Side, quantity: Decimal) -> Decimal:
    """How much of an order only makes the position smaller."""
    held = floor.held(instrument)
    against = held != 0 and (held > 0) == (side is Side.SELL)
    return min(quantity, held.copy_abs()) if against else ZERO


def closed_by(open: Iterable[OrderRow], instrument: str, side: Side, but: str | None = None) -> Decimal:
    """What open orders that only reduce a position have left to close of it; one of them does not count."""
    some = (each for each in open if each.instrument == instrument and each.side == side and each.reduce_only)
    return total(EXACT.subtract(each.quantity or ZERO, each.filled) for each in some if each.id != but)


def check_reduces(
    floor: Floor, market: Market, wish: Wish, quantity: Decimal, path: Path, filled: Decimal = ZERO,
    beside: Decimal = ZERO, field: str | None = None,
) -> None:  # fmt: skip
    """An order that only reduces must not turn or open a position: what is left of it, beside what is *filled*, and
    beside what others close. *field* is refused, else its size."""
    if not wish.reduce_only:
        return
    name = str(market.spec.instrument)
    closes, held = closing_part(floor, name, wish.side, quantity), floor.held(name)
    can = min(closes, max(EXACT.subtract(held.copy_abs(), beside), ZERO))
    if can < quantity:
        deed, there = wish.side.value.lower(), f"The account holds {shown(held)} of {name}"
        others = "other open orders with reduceOnly close"
        if not held:
            told = f"The account holds nothing of {name}: there is nothing to reduce."
        elif not closes:
            told = f"{there}: to {deed} more does not reduce it, the other side does."
        elif not can:
            told = f"{there}, all of which {others}: cancel one of them first, or wait until it has ended."
        else:
            there += f", of which {others} {shown(beside)}" if beside else ""
            most = _told_most(floor, market, wish, can, filled)
            if most is None and floor.w.account.broker == SIMULATOR:
                most = f"a quantity of {shown(can)}"
            passes = f"{_beside(filled)}at most {most} passes" if most else "no order passes for so little"
            told = f"{there}: to {deed} {shown(quantity)} would not only reduce it; {passes}."
        raise Refused("REDUCE_ONLY_WOULD_INCREASE", told, *path, field or sized_by(wish))


def check_opens(floor: Floor, ground: Ground, wish: Wish, quantity: Decimal | None, path: Path) -> None:
    """A bracket's exits protect what its entry opens: one that only closes leaves them nothing."""
    named = [name for _, name, exit in exits_of(wish) if exit is not None]
    if not named:
        return
    name = str(ground.spec.instrument)
    held = floor.held(name)
    sells = wish.side is Side.SELL and not floor.lends
    if sells or (quantity is not None and closing_part(floor, name, wish.side, quantity) == quantity):
        told = (
            f"The order only makes the position of {shown(held)} smaller, and leaves nothing for an exit "
            "to close: protect what is left with `positionProtect`."
        )
        if not held:
            told = "A sale of a cash account opens no position, and leaves nothing for an exit to close."
        raise Refused("ORDER_INVALID", told, *path, named[0])


def check_short(
    floor: Floor, market: Market, wish: Wish, quantity: Decimal, path: Path, group: str | None = None,
    but: str | None = None, filled: Decimal = ZERO,
) -> None:  # fmt: skip
    """A cash account sells what it has, less what its other open sales will sell; those of one group count once. So
    much is left of the order, beside what is *filled*.

    What only reduces is bounded by the position when it is filled, and what waits when it arrives.
    """
    if wish.side is Side.BUY or floor.lends or wish.reduce_only:
        return
    name = str(market.spec.instrument)
    free = _unpromised(floor, name, group, but)
    if quantity > free:
        told = f"A cash account sells only what it has: of {name} {shown(free)} is free, not {shown(quantity)}"
        most = _told_most(floor, market, wish, free, filled) if free and (filled or wish.notional) else None
        passes = f": {_beside(filled)}{most} would pass" if most else ""
        if not free and floor.held(name) > 0:
            passes = f": open sales hold {shown(floor.held(name))}, cancel one or make it smaller"
        raise Refused("SHORT_NOT_ALLOWED", f"{told}{passes}.", *path, sized_by(wish))


def _told_most(floor: Floor, market: Market, wish: Wish, left: Decimal, filled: Decimal) -> str | None:
    """The size of which so much is *left*, as the order's own was given; None where it is not traded in that. What only
    reduces has no greatest one, and a whole position on paper no rule of sizes: a broker takes whole steps of it."""
    spec, held = replace(market.spec, max_size=None), abs(floor.held(str(market.spec.instrument)))
    now = side_price(market.tick, wish.side) if market.tick else None
    size, price = EXACT.add(left, filled), sizing_price(wish, now)
    if floor.w.account.broker != SIMULATOR:
        size = floor_to(size, spec.step_quantity)
        left = EXACT.subtract(size, filled)
        if left <= ZERO:
            return None
    if wish.notional is None or price is None:
        wrong = left != held and (check_quantity(size, spec) or check_notional(size, price, spec))
    else:
        asked = notional_for(size, price, spec)
        wrong = quantity_for(asked, price, spec) != held and check_sum(asked, price, spec)
    return None if wrong else told_size(wish, size, spec, now)


def _beside(filled: Decimal) -> str:
    return f"with the {shown(filled)} that are filled, " if filled else ""


def sellable(floor: Floor, row: OrderRow) -> Decimal:
    """The greatest size that a sale of a cash account may have, with what is filled of it."""
    if row.reduce_only:
        return EXACT.add(row.filled, floor.held(row.instrument))
    return EXACT.add(row.filled, _unpromised(floor, row.instrument, row.group_id, row.id))


def _unpromised(floor: Floor, name: str, group: str | None, but: str | None) -> Decimal:
    promised = dict[str, Decimal]()
    for order in floor.open:
        own = order.id == but or (group is not None and order.group_id == group)
        if own or order.instrument != name or order.side != Side.SELL or order.leg in EXITS or _is_new(order):
            continue
        key = order.group_id if order.group_id and order.leg else order.id
        promised[key] = max(promised.get(key, ZERO), EXACT.subtract(order.quantity or ZERO, order.filled))
    return max(EXACT.subtract(floor.held(name), total(promised.values())), ZERO)


def _is_new(order: OrderRow) -> bool:
    return order.status == OrderStatus.NEW
