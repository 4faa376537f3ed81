"""Whether a message fills an order, and at which prices: the fill rules for quotes and books, and for bars.

Rules, each with its test:
- A purchase takes the ask, a sale the bid; only where neither is known, the last price.
- MARKET takes what is there. LIMIT takes what is at its limit or better; while it rests, a better price is its own
  (a favourable gap).
- STOP_MARKET and STOP_LIMIT are triggered when the price of the side that they take touches the stop: from below for
  a purchase, from above for a sale. They are filled at the market price of that message, so that a gap costs.
- MARKET_IF_TOUCHED is triggered from the other side.
- TRAILING_STOP is a STOP_MARKET whose stop follows the best price since acceptance.

Of a bar only four prices are known, so what is not known is taken to be unfavourable:
- A market order is filled at the open. A stop is filled at the open where that is beyond it, else at the stop.
- A resting LIMIT is filled at the open where that is better, else at the limit, and only where the bar goes through
  it: a touch fills nothing. An order that is to be filled at once looks at the open alone.
- A STOP_LIMIT that was triggered within a bar takes the stop's price where its limit allows, else rests to the next.
- A trailing stop follows the bars before and the open; a bar's own extreme counts from the next on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from gateway.core.matching.lifecycle import PARTLY, TRIGGERED, advance
from gateway.core.matching.model import Bar, Spec, Working
from gateway.core.matching.offers import Offer, Offered
from gateway.core.matching.trailing import follow, level
from schema.words.orders import Liquidity, OrderType, TimeInForce
from schema.words.trades import Side

AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
UNTIL_TRIGGERED = frozenset(
    {OrderType.STOP_MARKET, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP, OrderType.MARKET_IF_TOUCHED}
)
LIMITED = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """What a message is to an order that has met the market: prices and what is offered there, maybe nothing."""

    order: Working
    """With what it remembers: a trigger, an extreme."""
    takes: Sequence[tuple[Decimal, Offer]] = ()
    liquidity: Liquidity = Liquidity.TAKER
    triggered: bool = False
    waits: bool = False
    """Whether it is a stop that was not touched."""


def awaits(order: Working) -> bool:
    """Whether an order waits for its stop price."""
    return order.type in UNTIL_TRIGGERED and order.status not in (TRIGGERED, PARTLY) and not order.filled


def limit_of(order: Working) -> Decimal | None:
    """The price beyond which an order is not filled."""
    return order.limit_price if order.type in LIMITED else None


def chance(order: Working, offered: Offered, spec: Spec) -> Chance | None:
    """None where the message does not tell the side that the order takes."""
    if offered.bar is not None and offered.pool is not None:
        return _of_bar(order, offered.bar, offered.pool, spec)
    offers = offered.side(order.side)
    if offers:
        return _of_quotes(order, offers, spec)
    return Chance(order=_arrived(order)) if offered.whole and not awaits(order) else None


def _of_quotes(order: Working, offers: Sequence[Offer], spec: Spec) -> Chance:
    arrives, best, met = order.due_at is not None, offers[0].price, _arrived(order)
    if not awaits(met):
        return _taking(met, offers, taker=arrives or limit_of(met) is None)
    met = _followed(met, best)
    if not touched(met, best, stop_of(met, spec)):
        return Chance(order=met, waits=True)
    return _taking(_triggered(met), offers, taker=True, triggered=True)


def _taking(order: Working, offers: Sequence[Offer], *, taker: bool, triggered: bool = False) -> Chance:
    limit = limit_of(order)
    takes = [(each.price, each) for each in offers if limit is None or not beyond(order.side, each.price, limit)]
    liquidity = Liquidity.TAKER if taker else Liquidity.MAKER
    return Chance(order=order, takes=takes, liquidity=liquidity, triggered=triggered)


def _of_bar(order: Working, bar: Bar, pool: Offer, spec: Spec) -> Chance:
    arrives, met = order.due_at is not None, _arrived(order)
    if awaits(met):
        return _stop_in_bar(met, bar, pool, spec)
    limit = limit_of(met)
    if limit is None:
        return Chance(order=met, takes=((bar.open, pool),))
    if arrives and not beyond(met.side, bar.open, limit):
        return Chance(order=met, takes=((bar.open, pool),))
    if beyond(met.side, limit, bar.open):
        return Chance(order=met, takes=((bar.open, pool),), liquidity=Liquidity.MAKER)
    reach = bar.low if met.side is Side.BUY else bar.high
    through = reach < limit if met.side is Side.BUY else reach > limit
    if through and met.time_in_force not in AT_ONCE:
        return Chance(order=met, takes=((limit, pool),), liquidity=Liquidity.MAKER)
    return Chance(order=met, liquidity=Liquidity.MAKER)


def _stop_in_bar(order: Working, bar: Bar, pool: Offer, spec: Spec) -> Chance:
    met = _followed(order, bar.open)
    stop = stop_of(met, spec)
    if touched(met, bar.open, stop):
        price = bar.open
    elif touched(met, bar.high if is_rising(met) else bar.low, stop):
        price = stop
    else:
        return Chance(order=_followed(met, bar.low if met.side is Side.BUY else bar.high), waits=True)
    met = _triggered(met)
    limit = limit_of(met)
    takes = ((price, pool),) if limit is None or not beyond(met.side, price, limit) else ()
    return Chance(order=met, takes=takes, triggered=True)


def touched(order: Working, price: Decimal, stop: Decimal) -> bool:
    """Whether a price of the side that an order takes sets it off."""
    return price >= stop if is_rising(order) else price <= stop


def beyond(side: Side, price: Decimal, limit: Decimal) -> bool:
    """Whether a price is worse than a limit: above it for a purchase, below it for a sale."""
    return price > limit if side is Side.BUY else price < limit


def is_rising(order: Working) -> bool:
    """Whether an order waits for the price to rise: a stop that buys, a touch that sells."""
    return (order.side is Side.BUY) != (order.type is OrderType.MARKET_IF_TOUCHED)


def stop_of(order: Working, spec: Spec) -> Decimal:
    """The price that sets it off, by how far it has followed; ValueError where it has none."""
    if order.type is OrderType.TRAILING_STOP and order.trail_extreme is not None:
        return level(order.side, order.trail_extreme, order.trail_amount, order.trail_percent, spec.tick)
    if order.stop_price is None:
        raise ValueError(f"{order.id} is {order.type} and has no stop price")
    return order.stop_price


def _followed(order: Working, price: Decimal) -> Working:
    if order.type is not OrderType.TRAILING_STOP:
        return order
    extreme = follow(order.side, order.trail_extreme, price)
    return order if extreme == order.trail_extreme else replace(order, trail_extreme=extreme)


def _arrived(order: Working) -> Working:
    return order if order.due_at is None else replace(order, due_at=None)


def _triggered(order: Working) -> Working:
    return replace(order, status=advance(order.status, TRIGGERED))
