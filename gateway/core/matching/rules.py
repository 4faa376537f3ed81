"""An instrument's trading rules and an order's form: what is wrong, and the nearest values that would pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, localcontext
from enum import StrEnum

from gateway.core.matching.chances import AT_ONCE, LIMITED
from gateway.core.matching.model import ZERO, Spec, Working
from gateway.core.matching.rounding import (
    COIN_STEP,
    EXACT,
    FINEST,
    ceil_to,
    fits,
    floor_to,
    nearest,
    plain,
    quantum_of,
    quotient,
)
from gateway.core.matching.slippage import BASIS
from gateway.core.matching.trailing import HUNDRED
from schema.scalars import datetime_text
from schema.words.orders import OrderType, TimeInForce
from schema.words.trades import Side

MOST = Decimal(10**18)
"""No number of an order is greater."""
STOPS = frozenset({OrderType.STOP_MARKET, OrderType.STOP_LIMIT, OrderType.MARKET_IF_TOUCHED})


class Rule(StrEnum):
    """What an order may break before it reaches a market."""

    ORDER_INVALID = "ORDER_INVALID"
    PRICE_OFF_TICK = "PRICE_OFF_TICK"
    PRICE_COLLAR = "PRICE_COLLAR"
    SIZE_OFF_STEP = "SIZE_OFF_STEP"
    SIZE_BELOW_MINIMUM = "SIZE_BELOW_MINIMUM"
    SIZE_ABOVE_MAXIMUM = "SIZE_ABOVE_MAXIMUM"
    NOTIONAL_BELOW_MINIMUM = "NOTIONAL_BELOW_MINIMUM"
    EXPIRES_IN_PAST = "EXPIRES_IN_PAST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule, the field that breaks it, and what would pass: `nearest`, the lower first."""

    rule: Rule
    field: str
    message: str
    nearest: tuple[Decimal, ...] = ()


def check(
    order: Working, spec: Spec, *, now: datetime, price: Decimal | None, collar_bps: int | None
) -> tuple[Violation, ...]:
    """All that an order breaks; `price` is the market's of the side that it takes, None where it is not known.

    Where its form is wrong, that alone is told.
    """
    wrong = check_form(order, now)
    if wrong:
        return tuple(_bounded(each, spec) for each in wrong)
    found = [
        check_price("limit_price", order.limit_price, spec),
        check_price("stop_price", order.stop_price, spec),
        check_price("trail_amount", order.trail_amount, spec),
        check_quantity(order.quantity, spec),
        check_notional(order.quantity, worth(order, price), spec, market=filled_at(order, price)),
        check_collar(order.side, order.limit_price, _collared(order, price), collar_bps, spec),
        check_trail(order.side, order.trail_amount, price),
    ]
    return tuple(each for each in found if each is not None)


def check_form(order: Working, now: datetime) -> tuple[Violation, ...]:
    """The fields that an order's type, time in force and flags need, and those that they do not go with."""
    return (*_prices(order), *_numbers(order), *_times(order, now), *_flags(order))


def check_number(field: str, value: Decimal) -> Violation | None:
    """ORDER_INVALID: above zero, a percentage below 100, no more than there is, and no finer than is kept."""
    percent = field == "trail_percent"
    if not value.is_finite() or value <= 0 or (percent and value >= HUNDRED):
        return _invalid(field, "must be above 0 and below 100" if percent else "must be above 0")
    if value > MOST:
        message = f"must be at most {MOST:f}"
        return Violation(rule=Rule.ORDER_INVALID, field=field, message=message, nearest=(MOST,))
    if int(value.as_tuple().exponent) < -FINEST:
        return _invalid(field, f"has at most {FINEST} digits behind the point")
    return None


def check_price(field: str, price: Decimal | None, spec: Spec) -> Violation | None:
    """PRICE_OFF_TICK: a price is a multiple of `spec.tick`."""
    if price is None or not spec.tick or fits(price, spec.tick):
        return None
    near = tuple(each for each in nearest(price, spec.tick) if each > 0)
    message = f"must be a multiple of {spec.tick:f}: {_or(near)}"
    return Violation(rule=Rule.PRICE_OFF_TICK, field=field, message=message, nearest=near)


def check_quantity(quantity: Decimal, spec: Spec, field: str = "quantity") -> Violation | None:
    """SIZE_BELOW_MINIMUM, SIZE_ABOVE_MAXIMUM or SIZE_OFF_STEP, in this order."""
    step, least, most = spec.step_quantity, _least(spec), _most(spec)
    if quantity < least:
        message = f"must be at least {least:f}"
        return Violation(rule=Rule.SIZE_BELOW_MINIMUM, field=field, message=message, nearest=(least,))
    if most is not None and quantity > most:
        message = f"must be at most {most:f}"
        return Violation(rule=Rule.SIZE_ABOVE_MAXIMUM, field=field, message=message, nearest=(most,))
    if step and not fits(quantity, step):
        near = tuple(each for each in nearest(quantity, step) if least <= each and (most is None or each <= most))
        message = f"must be a multiple of {step:f}: {_or(near)}"
        return Violation(rule=Rule.SIZE_OFF_STEP, field=field, message=message, nearest=near)
    return None


def check_notional(
    quantity: Decimal, price: Decimal | None, spec: Spec, field: str = "quantity", *, market: Decimal | None = None
) -> Violation | None:
    """NOTIONAL_BELOW_MINIMUM: `quantity × contract size × price ≥ min_notional`; SIZE_BELOW_MINIMUM: it is no less than
    the smallest amount of the currency, as what is bought for less costs nothing, also at *market* where it is filled
    there. None where no price is known."""
    if market is not None:
        cost = check_notional(quantity, market, replace(spec, min_notional=None), field)
        wrong = [each for each in (check_notional(quantity, price, spec, field), cost) if each is not None]
        # What no size passes has none that is nearest.
        return max(wrong, key=lambda each: each.nearest or (Decimal("Infinity"),), default=None)
    if price is None or price <= 0:
        return None
    least_worth = _least_worth(spec)
    with localcontext(EXACT):
        each, most = spec.contract_size * price, _most(spec)
        worth_now = quantity * each
        if most and most * each < least_worth:
            return _never_worth(price, spec, most, field)
        if worth_now >= least_worth:
            return None
        least = _worth_enough(each, spec)
    message = f"is worth {plain(worth_now):f} {spec.currency}, and must be worth {least_worth:f}: {least:f} is"
    return Violation(rule=_too_little(worth_now, spec), field=field, message=message, nearest=(least,))


def check_sum(
    notional: Decimal, price: Decimal | None, spec: Spec, field: str = "notional", *, market: Decimal | None = None
) -> Violation | None:
    """NOTIONAL_BELOW_MINIMUM, SIZE_BELOW_MINIMUM or SIZE_ABOVE_MAXIMUM: of what a sum comes to at a price, with the
    nearest sum that comes to a size that passes, also at *market* where it is filled there. Where no
    price is known only the sum itself is looked at."""
    least_worth, currency = _least_worth(spec), spec.currency
    if price is None or price <= 0:
        if notional >= least_worth:
            return None
        message = f"must be at least {least_worth:f} {currency}"
        return Violation(rule=_too_little(notional, spec), field=field, message=message, nearest=(least_worth,))
    quantity, most = quantity_for(notional, price, spec), _most(spec)
    with localcontext(EXACT):
        each = spec.contract_size * price
        least, rule = _worth_enough(each, spec), _too_little(quantity * each, spec)
        if most and most * each < least_worth:
            return _never_worth(price, spec, most, field)
        if market is not None:
            plainly = replace(spec, min_notional=None)
            each = spec.contract_size * market
            if most and most * each < _least_worth(plainly):
                return _never_worth(market, plainly, most, field)
            least = max(least, _worth_enough(each, plainly))
        if most is not None and quantity > most:
            sum_ = notional_for(most, price, spec)
            message = f"must be at most {sum_:f} {currency}: {most:f} at {plain(price):f}"
            return Violation(rule=Rule.SIZE_ABOVE_MAXIMUM, field=field, message=message, nearest=(sum_,))
        if quantity >= least:
            return None
        sum_ = notional_for(least, price, spec, ceil_to)
    message = f"must be at least {sum_:f} {currency}: {least:f} at {plain(price):f}"
    return Violation(rule=rule, field=field, message=message, nearest=(sum_,))


def check_collar(
    side: Side, limit_price: Decimal | None, price: Decimal | None, collar_bps: int | None, spec: Spec
) -> Violation | None:
    """PRICE_COLLAR: a purchase's limit is at most `price × (1 + collar)`, a sale's at least `price × (1 − collar)`."""
    if limit_price is None or price is None or collar_bps is None:
        return None
    with localcontext(EXACT):
        part = Decimal(collar_bps) / BASIS
        if side is Side.BUY:
            bound = floor_to(price * (1 + part), spec.tick)
            wrong, word = limit_price > bound, "at most"
        else:
            bound = ceil_to(price * (1 - part), spec.tick)
            wrong, word = limit_price < bound, "at least"
    if not wrong:
        return None
    message = f"must be {word} {plain(bound):f}: within {collar_bps} basis points of {plain(price):f}"
    return Violation(rule=Rule.PRICE_COLLAR, field="limit_price", message=message, nearest=(plain(bound),))


def check_trail(side: Side, trail_amount: Decimal | None, price: Decimal | None) -> Violation | None:
    """ORDER_INVALID: behind a sale's best price so far that its stop lies at zero or below, which no price touches."""
    if trail_amount is None or price is None or side is Side.BUY or trail_amount < price:
        return None
    return _invalid("trail_amount", f"must be below {plain(price):f}: a stop at zero or below is never met")


def quantity_for(notional: Decimal, price: Decimal, spec: Spec) -> Decimal:
    """`notional ÷ (price × contract size)`, rounded down to the step, to 8 digits where none is known."""
    if price <= 0 or notional <= 0:
        return ZERO
    with localcontext(EXACT):
        return plain(floor_to(notional / (price * spec.contract_size), spec.step_quantity or COIN_STEP))


def notional_for(
    quantity: Decimal, price: Decimal, spec: Spec, near: Callable[[Decimal, Decimal], Decimal] = floor_to
) -> Decimal:  # fmt: skip
    """The sum that comes to a size: exact, where sizes have a step; else in money as it is paid."""
    with localcontext(EXACT):
        amount = quantity * spec.contract_size * price
        return plain(amount if spec.step_quantity else near(amount, quantum_of(spec.currency)))


def worth(order: Working, price: Decimal | None) -> Decimal | None:
    """The price at which an order's notional is counted: its limit, its stop, or the market's."""
    if order.type in LIMITED:
        return order.limit_price
    return order.stop_price if order.type in STOPS else price


def filled_at(order: Working, price: Decimal | None) -> Decimal | None:
    """The market's price, where a purchase's limit lies above it: there it is filled, and costs no less than the
    smallest amount. Else None."""
    if order.side is not Side.BUY or order.limit_price is None or price is None:
        return None
    return price if 0 < price < order.limit_price else None


def _bounded(wrong: Violation, spec: Spec) -> Violation:
    """Of a size that is greater than all, what the instrument says of the greatest."""
    too_great = wrong.field == "quantity" and MOST in wrong.nearest
    return (check_quantity(MOST, spec) if too_great else None) or wrong


def _least(spec: Spec) -> Decimal:
    step = spec.step_quantity
    return ceil_to(spec.contracts(spec.min_size) or step or ZERO, step)


def _most(spec: Spec) -> Decimal | None:
    most = spec.contracts(spec.max_size)
    return None if most is None else plain(floor_to(most, spec.step_quantity))


def _worth_enough(each: Decimal, spec: Spec) -> Decimal:
    """The least size above zero that passes, where each of it is worth so much."""
    step = spec.step_quantity or COIN_STEP
    return plain(ceil_to(max(_least(spec), step, _least_worth(spec) / each), step))


def _least_worth(spec: Spec) -> Decimal:
    """What an order must be worth: as the instrument says, and the smallest amount that its currency knows."""
    return max(spec.min_notional or ZERO, quantum_of(spec.currency))


def _too_little(worth_now: Decimal, spec: Spec) -> Rule:
    """The rule that a worth below the least breaks."""
    little = spec.min_notional is not None and worth_now < spec.min_notional
    return Rule.NOTIONAL_BELOW_MINIMUM if little else Rule.SIZE_BELOW_MINIMUM


def _never_worth(price: Decimal, spec: Spec, most: Decimal, field: str) -> Violation:
    """No size at this price; and from which price on one is."""
    least_worth = _least_worth(spec)
    worth_most = most * spec.contract_size * price
    enough = plain(ceil_to(quotient(least_worth, most * spec.contract_size), spec.tick or COIN_STEP))
    message = (
        f"cannot be worth {least_worth:f} {spec.currency} at {plain(price):f}: the greatest size, {most:f}, is worth "
        f"{plain(worth_most):f}; from a price of {enough:f} on it can"
    )
    return Violation(rule=_too_little(worth_most, spec), field=field, message=message)


def _collared(order: Working, price: Decimal | None) -> Decimal | None:
    """What a limit is compared with: the market's price, or the stop that comes before it where that is worse, or where
    the market is not known."""
    if order.type is not OrderType.STOP_LIMIT or order.stop_price is None:
        return price
    if price is None:
        return order.stop_price
    return max(price, order.stop_price) if order.side is Side.BUY else min(price, order.stop_price)


def _prices(order: Working) -> tuple[Violation, ...]:
    needs = {
        "limit_price": (order.limit_price, order.type in LIMITED),
        "stop_price": (order.stop_price, order.type in STOPS),
    }
    found = [_presence(name, given, needed, order.type) for name, (given, needed) in needs.items()]
    trails = sum(each is not None for each in (order.trail_amount, order.trail_percent))
    if order.type is OrderType.TRAILING_STOP and trails != 1:
        found.append(_invalid("trail_amount", "is needed with TRAILING_STOP, or trail_percent: one of them"))
    if order.type is not OrderType.TRAILING_STOP and trails:
        name = "trail_amount" if order.trail_amount is not None else "trail_percent"
        found.append(_invalid(name, f"does not go with {order.type}: only with TRAILING_STOP"))
    return tuple(each for each in found if each is not None)


def _presence(name: str, given: Decimal | None, needed: bool, type_: OrderType) -> Violation | None:
    if needed and given is None:
        return _invalid(name, f"is needed with {type_}")
    if not needed and given is not None:
        return _invalid(name, f"does not go with {type_}")
    return None


def _numbers(order: Working) -> tuple[Violation, ...]:
    named = {
        "quantity": order.quantity,
        "limit_price": order.limit_price,
        "stop_price": order.stop_price,
        "trail_amount": order.trail_amount,
        "trail_percent": order.trail_percent,
    }
    found = [check_number(name, value) for name, value in named.items() if value is not None]
    return tuple(each for each in found if each is not None)


def _times(order: Working, now: datetime) -> tuple[Violation, ...]:
    if order.time_in_force is TimeInForce.GTD and order.expires_at is None:
        return (_invalid("expires_at", "is needed with GTD"),)
    if order.time_in_force not in (TimeInForce.GTD, TimeInForce.DAY) and order.expires_at is not None:
        return (_invalid("expires_at", f"does not go with {order.time_in_force}: only with GTD"),)
    if order.expires_at is not None and order.expires_at <= now:
        message = f"must be after {datetime_text(now)}, not {datetime_text(order.expires_at)}"
        return (Violation(rule=Rule.EXPIRES_IN_PAST, field="expires_at", message=message),)
    return ()


def _flags(order: Working) -> tuple[Violation, ...]:
    if not order.post_only:
        return ()
    if order.type is not OrderType.LIMIT:
        return (_invalid("post_only", f"does not go with {order.type}: only with LIMIT"),)
    if order.time_in_force in AT_ONCE:
        return (_invalid("post_only", f"does not go with {order.time_in_force}: the order has to rest"),)
    return ()


def _invalid(field: str, message: str) -> Violation:
    return Violation(rule=Rule.ORDER_INVALID, field=field, message=message)


def _or(values: tuple[Decimal, ...]) -> str:
    return " or ".join(f"{plain(each):f}" for each in values)
