"""An order is placed on an account that is locked: checked, reserved for, accepted. Pure but for what it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from gateway.core.matching.contingencies import EXITS
from gateway.core.matching.rounding import EXACT
from gateway.core.matching.rules import quantity_for
from gateway.core.matching.session import expiry
from gateway.core.store import new_id
from plugins.trading.orders.affording import UNVALUED, arrival, check_funds, reserve_of
from plugins.trading.orders.arriving import check_arrival
from plugins.trading.orders.checks import (
    check_comes,
    check_kind,
    check_market,
    check_opens,
    check_reduces,
    check_room,
    check_short,
    check_switches,
    closed_by,
    side_price,
)
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.forms import LEAST, SIZES, check_form, freed
from plugins.trading.orders.ground import Ground
from plugins.trading.orders.losing import check_loss, check_owed, check_unheld
from plugins.trading.orders.protecting import check_size_kept, check_still_opens, exits_behind, idles
from plugins.trading.orders.sides import check_exit, check_exits, check_side, refused_by_exit
from plugins.trading.orders.sizes import sized_by, sizing_price
from plugins.trading.orders.turning import is_triggered, working
from plugins.trading.orders.wishes import Exit, Wish, exit_wish, exits_of, wished
from plugins.trading.rows import OrderRow
from schema.names import camel
from schema.words.orders import OrderLeg, OrderStatus, TimeInForce
from schema.words.problems import Refused
from schema.words.trades import Side

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What an order is to others, and under whose name it is placed."""

    made_by: str
    halted: str | None = None
    """Which kill switch is on, in words."""
    digest: str | None = None
    leg: OrderLeg | None = None
    group: str | None = None
    parent: str | None = None
    path: tuple[str, ...] = ()
    """Where the order stands in the input."""


def place(floor: Floor, ground: Ground, wish: Wish, how: Place) -> list[OrderRow]:
    """The order and its children as they stand then; Refused where it does not pass, and the floor is left as it was.

    An order that waits (a condition, a parent) is NEW; any other one is accepted and meets the price of now.
    """
    exits = [(leg, exit) for leg, _, exit in exits_of(wish) if exit is not None]
    check_room(floor, wish, 1 + len(exits), waits=wish.condition is not None or how.parent is not None)
    row = _checked(floor, ground, wish, replace(how, leg=OrderLeg.ENTRY) if exits else how)
    check_comes(row, (*how.path, "condition", "time"))
    check_opens(floor, ground, wish, None if _waits(row) else row.quantity, how.path)
    check_exits(wish, ground, floor.now, how.path)
    step = None if _waits(row) else arrival(floor, ground, row)
    check_funds(floor, ground, row, step, how.path)
    group = new_id("grp") if exits else None
    children = [
        _row(
            floor, ground, exit_wish(wish, exit),
            Place(made_by=how.made_by, leg=leg, group=group, parent=row.id), row.quantity,
        )
        for leg, exit in exits
    ]  # fmt: skip
    check_arrival(floor, ground, row, wish, step, how.path)
    row, *children = [floor.add(each) for each in (row, *children)]
    if not _waits(row):
        floor.accept(row, ground.market)
    return [floor.orders[each.id] for each in (row, *children)]


def place_remote(floor: Floor, ground: Ground, wish: Wish, how: Place) -> OrderRow:
    """An order for a broker, NEW until the broker has answered; whether there is money for it, the broker knows."""
    check_room(floor, wish, 1)
    check_switches(floor, how.halted, wish.side, reduce_only=wish.reduce_only)
    check_loss(floor, ground, wish.side, reduce_only=wish.reduce_only, notes=True)
    check_market(floor, ground, wish, how.path, remote=True)
    quantity = _quantity(ground, wish, how.path)
    _check_form(floor, ground, wish, quantity, how.path, remote=True)
    beside = closed_by(floor.open, str(ground.spec.instrument), wish.side)
    check_reduces(floor, ground.market, wish, quantity, how.path, beside=beside)
    if wish.reduce_only:
        check_owed(str(ground.spec.instrument), wish.side, *how.path, sized_by(wish))
    row = _row(floor, ground, wish, how, quantity)
    check_unheld(floor, ground, row, (*how.path, sized_by(wish)))
    return floor.add(row)


def replaced_remote(
    floor: Floor, ground: Ground, row: OrderRow, terms: Mapping[str, Any], halted: str | None
) -> OrderRow:  # fmt: skip
    """An order at a broker with other terms, checked as if it were placed with them; nothing is kept yet. A sale that
    does not grow sells no more than it does already, whatever is held."""
    after = _with(row, terms)
    if "expires_at" in terms:
        told = "No broker has orders until a time: leave expiresAt out."
        raise Refused("ORDER_INVALID", told, "expiresAt")
    check_switches(floor, halted, Side(row.side), reduce_only=row.reduce_only)
    check_loss(floor, ground, Side(row.side), reduce_only=row.reduce_only, notes=True)
    wish = wished(after)
    _check_form(floor, ground, wish, after.quantity, (), remote=True)
    # Other terms have no notional: what passes is told as a quantity.
    sized, field = replace(after, notional=None), "quantity" if "quantity" in terms else "orderId"
    # Nobody has made it smaller with its position.
    beside = closed_by(floor.open, row.instrument, wish.side, but=row.id)
    check_reduces(floor, ground.market, wished(sized), working(after).left, (), beside=beside, field=field)
    if (after.quantity or ZERO) > (row.quantity or ZERO):
        check_unheld(floor, ground, sized, (field,))
    return after


def arrive(floor: Floor, ground: Ground, row: OrderRow) -> None:
    """An order whose condition is met is checked as if it were placed now: accepted, or rejected with the reason. While
    a price is missing or old that it, or its account, is judged by, it waits on."""
    wish = replace(wished(row), condition=None)
    try:
        check_loss(floor, ground, wish.side, reduce_only=wish.reduce_only)
        check_market(floor, ground, wish, ())
        quantity = _quantity(ground, wish, ())
        sized = replace(row, quantity=quantity, condition=None)
        _check_form(floor, ground, wish, quantity, ())
        check_reduces(floor, ground.market, wish, quantity, ())
        check_short(floor, ground.market, wish, quantity, (), group=row.group_id, but=row.id)
        _check_side(ground, wish, None, ())
        bracket = _with_exits(floor, row, wish)
        check_opens(floor, ground, bracket, quantity, ())
        check_exits(bracket, ground, floor.now, ())
        sized = replace(sized, reserved=reserve_of(floor, ground, sized))
        check_funds(floor, ground, sized, arrival(floor, ground, sized), ())
    except Refused as refused:
        if refused.code not in UNVALUED:
            floor.fail(row, refused.code, refused.message)
        return
    floor.accept(sized, ground.market)


def replaced(floor: Floor, ground: Ground, row: OrderRow, terms: Mapping[str, Any], halted: str | None) -> OrderRow:
    """An order with other terms, checked as if it were placed with them; what is filled stays."""
    after = _with(row, terms)
    _check_terms(row, after, terms)
    check_switches(floor, halted, Side(row.side), reduce_only=row.reduce_only)
    wish, waits = wished(after), _waits(row) and idles(row)
    # An exit's size is none that anybody has given.
    kept, size = after.leg in EXITS, None if after.leg in EXITS else after.quantity
    _check_form(
        floor, ground, replace(wish, quantity=size), size, (), kept=kept, filled=row.filled,
        arrives=not waits or _elsewhere(floor, ground, wish, row.parent_id),
    )  # fmt: skip
    if "expires_at" in terms:
        check_comes(after, ("expiresAt",))
    _check_new_side(floor, ground, after, terms)
    _check_kept_exits(floor, ground, after, terms)
    if "quantity" in terms and row.condition is None:
        check_still_opens(floor, after)
    if waits:
        if row.condition is None:
            after = replace(after, reserved=reserve_of(floor, ground, after))
            check_funds(floor, ground, replace(after, notional=None), None, ())
        after = replace(after, version=row.version + 1, changed_at=floor.now)
        with floor.shifts.change(ground.market):
            floor.put(after)
        return floor.orders[row.id]
    left = working(after).left
    with floor.shifts.change(ground.market):
        floor.put(after)
        if "quantity" in terms:
            check_reduces(floor, ground.market, wish, left, (), filled=row.filled)
        check_short(floor, ground.market, wish, left, (), group=row.group_id, but=row.id, filled=row.filled)
        after = replace(after, reserved=reserve_of(floor, ground, after))
        # Other terms have no notional: what passes is told as a quantity.
        step, sized = arrival(floor, ground, after), replace(after, notional=None)
        check_funds(floor, ground, sized, step, ())
        check_arrival(floor, ground, sized, _with_exits(floor, after, wish), step, ())
        floor.revise(after, ground.market)
    return floor.orders[row.id]


def _with(row: OrderRow, terms: Mapping[str, Any]) -> OrderRow:
    """A quantity takes the place of a notional."""
    return replace(row, **terms, notional=None if "quantity" in terms else row.notional)


def _check_terms(row: OrderRow, after: OrderRow, terms: Mapping[str, Any]) -> None:
    """What no market would make a term of the order."""
    check_size_kept(row, after)
    if "quantity" in terms and after.quantity is not None and after.quantity <= row.filled:
        told = f"{row.filled:f} is filled already: a quantity above that, or `orderCancel` for the rest."
        raise Refused("ORDER_INVALID", told, "quantity")
    if "expires_at" in terms and row.time_in_force != TimeInForce.GTD:
        told = f"expiresAt does not go with {row.time_in_force}: only with GTD."
        raise Refused("ORDER_INVALID", told, "expiresAt")
    triggers = [name for name in ("stop_price", "trail_amount", "trail_percent") if name in terms]
    if triggers and is_triggered(row):
        way = "`positionProtect` sets another" if row.leg in EXITS else "cancel it, and place another"
        raise Refused("ORDER_INVALID", f"The stop was triggered: {way}.", camel(triggers[0]))


def _check_kept_exits(floor: Floor, ground: Ground, row: OrderRow, terms: Mapping[str, Any]) -> None:
    """An entry's new price, by the exits that wait for what it opens: refused with the field that was given, and which
    exit."""
    given, entry = [name for name in ("limit_price", "stop_price") if name in terms], _entry(row)
    waiting = filter(idles, exits_behind(floor, row)) if given else ()
    for each in waiting:
        try:
            check_exit(entry, _exit(each), OrderLeg(str(each.leg)), ground, floor.now, ())
        except Refused as refused:
            raise refused_by_exit(entry, given, each, _exit(each), ground, floor.now, refused) from refused


def _check_new_side(floor: Floor, ground: Ground, row: OrderRow, terms: Mapping[str, Any]) -> None:
    """Another trigger, trail or take-profit of an order that waits for it; of a bracket by how its entry stands."""
    leg = OrderLeg(row.leg) if row.leg else None
    profits = leg is OrderLeg.TAKE_PROFIT and "limit_price" in terms
    if row.condition is not None or not (profits or {"stop_price", "trail_amount"} & terms.keys()):
        return
    entry = floor.orders.get(row.parent_id or "")
    if entry is None or not idles(row) or _elsewhere(floor, ground, wished(row), row.parent_id):
        _check_side(ground, wished(row), leg, ())
    elif leg in EXITS:
        check_exit(_entry(entry), _exit(row), leg, ground, floor.now, ())


def _checked(floor: Floor, ground: Ground, wish: Wish, how: Place) -> OrderRow:
    check_switches(floor, how.halted, wish.side, reduce_only=wish.reduce_only)
    check_loss(floor, ground, wish.side, reduce_only=wish.reduce_only)
    check_kind(ground.spec, how.path, lends=floor.lends)
    waits = wish.condition is not None or how.parent is not None
    if not waits:
        check_market(floor, ground, wish, how.path)
    if wish.quantity is None:
        _check_form(floor, ground, wish, None, how.path, arrives=not waits)
    if wish.quantity is None and wish.condition is not None:
        return _row(floor, ground, wish, how, None)
    quantity, elsewhere = _quantity(ground, wish, how.path), _elsewhere(floor, ground, wish, how.parent)
    if not waits and how.leg in EXITS:
        # A price far off on the wrong side is told so, and not that it is far off.
        _check_side(ground, wish, how.leg, how.path)
    _check_form(floor, ground, wish, quantity, how.path, arrives=not waits or elsewhere)
    row = _row(floor, ground, wish, how, quantity)
    if wish.condition is not None:
        return row
    if not waits:
        check_reduces(floor, ground.market, wish, quantity, how.path)
        check_short(floor, ground.market, wish, quantity, how.path, group=how.group)
    if not waits or elsewhere:
        _check_side(ground, wish, how.leg, how.path)
    # What waits for another order arrives with its fill, when nobody can be asked for prices: it reserves now.
    return replace(row, reserved=reserve_of(floor, ground, row))


def _elsewhere(floor: Floor, ground: Ground, wish: Wish, parent: str | None) -> bool:
    """Whether it waits for an order of another instrument, whose fill tells nothing of its own market."""
    first = floor.orders.get(parent or "")
    return wish.condition is None and first is not None and first.instrument != str(ground.spec.instrument)


def _check_side(ground: Ground, wish: Wish, leg: OrderLeg | None, path: tuple[str, ...]) -> None:
    tick = ground.fresh
    check_side(wish, leg, side_price(tick, wish.side) if tick else None, ground.spec, path)


def _with_exits(floor: Floor, row: OrderRow, wish: Wish) -> Wish:
    """An entry as it was asked for, with the exits that wait for it."""
    waiting = {each.leg: _exit(each) for each in exits_behind(floor, row)}
    return replace(
        wish, take_profit=waiting.get(OrderLeg.TAKE_PROFIT), stop_loss=waiting.get(OrderLeg.STOP_LOSS)
    )  # fmt: skip


def _entry(row: OrderRow) -> Wish:
    """An entry by what it is filled at: a trigger that was met says nothing of that any more."""
    return replace(wished(row), stop_price=None) if is_triggered(row) else wished(row)


def _exit(row: OrderRow) -> Exit:
    return Exit(
        limit_price=row.limit_price, stop_price=row.stop_price, trail_amount=row.trail_amount,
        trail_percent=row.trail_percent,
    )  # fmt: skip


def _waits(row: OrderRow) -> bool:
    return row.condition is not None or row.parent_id is not None


def _quantity(ground: Ground, wish: Wish, path: tuple[str, ...]) -> Decimal:
    if wish.quantity is not None:
        return wish.quantity
    tick = ground.market.tick
    price = sizing_price(wish, side_price(tick, wish.side) if tick else None)
    if price is None or wish.notional is None:
        lacking = ground.lacking or f"none is told in {ground.spec.currency}"
        raise Refused("NO_PRICE", f"A notional needs a price, and {lacking}.", *path, "notional")
    return quantity_for(wish.notional, price, ground.spec)


def _row(floor: Floor, ground: Ground, wish: Wish, how: Place, quantity: Decimal | None) -> OrderRow:
    account, now = floor.w.account, floor.now
    return OrderRow(
        tenant_id=account.tenant_id, id=new_id("ord"), account_id=account.id, number=0,
        made_by=how.made_by, client_order_id=wish.client_order_id, request_digest=how.digest, broker_order_id=None,
        instrument=str(ground.spec.instrument), side=wish.side.value, type=wish.type.value,
        time_in_force=wish.time_in_force.value, quantity=quantity, notional=wish.notional,
        limit_price=wish.limit_price, stop_price=wish.stop_price, trail_amount=wish.trail_amount,
        trail_percent=wish.trail_percent, trail_extreme=None, post_only=wish.post_only, reduce_only=wish.reduce_only,
        expires_at=expiry(wish.time_in_force, now, wish.expires_at, ground.closes_at), condition=wish.condition,
        parent_id=how.parent, group_id=how.group or wish.group,
        leg=how.leg.value if how.leg else None, cause=wish.cause.value, strategy=wish.strategy,
        status=OrderStatus.NEW.value, reason=None, filled=ZERO, paid=ZERO, fills=0, reserved=ZERO,
        currency=ground.spec.currency, accepted_at=None, due_at=None, triggered_at=None, open=True,
        shard=account.shard, version=1, created_at=now, changed_at=now, ended_at=None,
    )  # fmt: skip


def _check_form(
    floor: Floor, ground: Ground, wish: Wish, quantity: Decimal | None, path: tuple[str, ...], *, arrives: bool = True,
    kept: bool = False, filled: Decimal = ZERO, remote: bool = False,
) -> None:  # fmt: skip
    """*kept*: the size of an exit, which follows its entry's. A broker's own rules hold there; whether it takes less
    than its least where that is all, it says itself."""
    tick = ground.priced.tick if ground.priced and arrives else None
    price = side_price(tick, wish.side) if tick else None
    if quantity is None and wish.notional is not None:
        quantity = quantity_for(wish.notional, sizing_price(wish, price) or ZERO, ground.spec)
    name, left = str(ground.spec.instrument), EXACT.subtract(quantity, filled) if quantity else None
    but = SIZES if kept else freed(floor, name, wish, left)
    whole = EXACT.add(floor.held(name).copy_abs(), filled) if but and floor.held(name) and not remote else None
    if remote:
        but = LEAST if wish.reduce_only and left and left == floor.held(name).copy_abs() else frozenset()
    check_form(
        wish, ground.spec, now=floor.now, path=path, collar_bps=ground.model.collar_bps, price=price, but=but,
        whole=whole,
    )  # fmt: skip
