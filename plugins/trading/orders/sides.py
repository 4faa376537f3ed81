"""Stops and take-profits wait on their side of the market: what would be triggered at once is refused. Pure.

A sale's stop lies below what a sale gets, a purchase's above what a purchase pays; a take-profit, and what waits to be
touched, lie the other way. Exits of a bracket are judged by the price at which their entry is to be filled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from gateway.core.matching.contingencies import EXITS
from gateway.core.matching.model import Spec, Tick
from gateway.core.matching.rounding import COIN_STEP, EXACT, ceil_to, floor_to
from plugins.trading.ledger.chart import shown
from plugins.trading.orders.checks import Path, check_reduces, check_short, side_price
from plugins.trading.orders.forms import SIZES, check_form, freed
from plugins.trading.orders.market import Market
from plugins.trading.orders.wishes import AT_ONCE, Exit, Wish, exit_wish, exits_of, wished
from plugins.trading.rows import OrderRow
from schema.names import camel
from schema.words.orders import OrderLeg, OrderType
from schema.words.problems import Refused
from schema.words.trades import Side

if TYPE_CHECKING:
    from plugins.trading.orders.floor import Floor
    from plugins.trading.orders.ground import Ground

WRONG_SIDE = "WRONG_SIDE_OF_MARKET"
_STOPS = frozenset({OrderType.STOP_MARKET, OrderType.STOP_LIMIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A price that an order waits at, and where the market must be for that."""

    field: str
    price: Decimal
    below: bool
    """Whether it waits below the market."""


def check_side(wish: Wish, leg: OrderLeg | None, market: Decimal | None, spec: Spec, path: Path) -> None:
    """Refused WRONG_SIDE_OF_MARKET, with the nearest price that passes; *market* is that of the side that it takes."""
    waiting = _waiting(wish, leg)
    if waiting is None or market is None:
        return
    if waiting.price < market if waiting.below else waiting.price > market:
        return
    words = "below" if waiting.below else "above"
    told = (
        f"{waiting.field} {shown(waiting.price)} of a {wish.side} must lie {words} {shown(market)}, else it is met at "
        f"once: {_nearest(market, spec, below=waiting.below)}."
    )
    raise Refused(WRONG_SIDE, told, *path, waiting.field)


def check_exits(wish: Wish, ground: Ground, now: datetime, path: Path) -> None:
    """The form and the side of a bracket's exits."""
    for leg, name, exit in exits_of(wish):
        if exit is not None:
            check_exit(wish, exit, leg, ground, now, (*path, name))


def check_exit(wish: Wish, exit: Exit, leg: OrderLeg, ground: Ground, now: datetime, path: Path) -> None:
    """One of them, of the entry that is wished for: at the price at which that is to be filled."""
    closing, price, spec = exit_wish(wish, exit), _entry_price(wish, ground.fresh), ground.spec
    # A limit has its side to be judged by: one that is met at once is told so.
    trailed = price if closing.type is OrderType.TRAILING_STOP else None
    check_form(
        closing, spec, now=now, path=path, collar_bps=ground.model.collar_bps, price=trailed, but=SIZES
    )  # fmt: skip
    check_side(closing, leg, price, spec, path)


def keeps_exit(wish: Wish, exit: Exit, leg: OrderLeg, ground: Ground, now: datetime) -> bool:
    """Whether an exit passes with such prices of its entry."""
    try:
        check_exit(wish, exit, leg, ground, now, ())
    except Refused:
        return False
    return True


def refused_by_exit(
    entry: Wish, given: Sequence[str], row: OrderRow, exit: Exit, ground: Ground, now: datetime, refused: Refused
) -> Refused:  # fmt: skip
    """Why an entry has no such prices while an exit waits for it: by the field of the *given* one that the exit is
    beyond, with what passes there."""
    leg = OrderLeg(str(row.leg))
    which, waiting = f"Its {leg} {row.id}", _waiting(exit_wish(entry, exit), leg)
    for name in given:
        price: Decimal | None = getattr(entry, name)
        if waiting is None or price is None or (price > waiting.price if waiting.below else price < waiting.price):
            continue
        near = _near(waiting.price, ground.spec, below=not waiting.below)
        moved = replace(entry, limit_price=near) if name == "limit_price" else replace(entry, stop_price=near)
        if not keeps_exit(moved, exit, leg, ground, now):
            continue
        words, passes = ("above", "at least") if waiting.below else ("below", "at most")
        told = (
            f"{which} has {waiting.field} {shown(waiting.price)}, and is met at once unless the entry lies {words} it: "
            f"a {camel(name)} of {passes} {shown(near)} passes, or move that exit first."
        )
        return Refused(refused.code, told, camel(name))
    return Refused(refused.code, f"{which}: {refused.message} Move that exit first.", camel(given[0]))


def check_woken(floor: Floor, row: OrderRow, market: Market) -> None:
    """The form, and of what is no exit the side, of an order that another one's fill has woken, by the message that
    filled that one; of what waits for nothing also what it may sell. What its entry's price has told already is not
    asked again; another instrument's is not known."""
    first, tick = floor.orders.get(row.parent_id or ""), market.tick
    foreseen = row.leg in EXITS and first is not None and first.type != OrderType.TRAILING_STOP
    if tick is None or row.instrument != str(tick.instrument) or foreseen:
        return
    wish = wished(row)
    price, exits = side_price(tick, wish.side), row.leg in EXITS
    but = SIZES if exits else freed(floor, row.instrument, wish, row.quantity)
    check_form(wish, market.spec, now=floor.now, collar_bps=market.model.collar_bps, price=price, but=but)
    if exits:
        return
    check_side(wish, None, price, market.spec, ())
    if wish.time_in_force in AT_ONCE and row.quantity is not None:
        check_reduces(floor, market, wish, row.quantity, ())
        check_short(floor, market, wish, row.quantity, (), but=row.id)


def _waiting(wish: Wish, leg: OrderLeg | None) -> Waiting | None:
    sells = wish.side is Side.SELL
    if wish.type in _STOPS and wish.stop_price is not None:
        return Waiting(field="stopPrice", price=wish.stop_price, below=sells)
    if wish.type is OrderType.MARKET_IF_TOUCHED and wish.stop_price is not None:
        return Waiting(field="stopPrice", price=wish.stop_price, below=not sells)
    if leg is OrderLeg.TAKE_PROFIT and wish.limit_price is not None:
        return Waiting(field="limitPrice", price=wish.limit_price, below=not sells)
    return None


def _nearest(price: Decimal, spec: Spec, *, below: bool) -> str:
    """The nearest price on one side of another that the instrument has, in words."""
    return f"{'at most' if below else 'at least'} {shown(_near(price, spec, below=below))}"


def _near(price: Decimal, spec: Spec, *, below: bool) -> Decimal:
    unit = spec.tick or COIN_STEP
    return ceil_to(EXACT.subtract(price, unit), unit) if below else floor_to(EXACT.add(price, unit), unit)


def _entry_price(wish: Wish, tick: Tick | None) -> Decimal | None:
    """About where the other side's market will be when the entry is filled; None where nobody can say."""
    other = Side.SELL if wish.side is Side.BUY else Side.BUY
    now = side_price(tick, other) if tick else None
    if wish.stop_price is not None and wish.limit_price is not None:
        # Its stop triggers it, and it is filled at its limit or better.
        return _better(wish.side, wish.stop_price, wish.limit_price)
    if wish.stop_price is not None:
        return wish.stop_price
    if wish.condition is not None or wish.type is OrderType.TRAILING_STOP:
        return wish.limit_price
    if wish.limit_price is None or now is None:
        return wish.limit_price or now
    return _better(wish.side, wish.limit_price, now)


def _better(side: Side, one: Decimal, other: Decimal) -> Decimal:
    return min(one, other) if side is Side.BUY else max(one, other)
