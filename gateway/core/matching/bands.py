"""Prices between which a message changes nothing of orders that rest, but how far their stops have followed. Pure.

To match many orders takes long, and most messages reach none of them: the orders nearest to the market tell so for
all. What is told of here is what `gateway.core.matching.venue.match` would make of a message, never less: an order that
may do something else than rest makes its band wary, and a wary band lets no message pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from gateway.core.matching.chances import AT_ONCE, awaits, is_rising, limit_of, stop_of
from gateway.core.matching.lifecycle import WORKING
from gateway.core.matching.model import ExecutionModel, Spec, Tick, Working
from gateway.core.matching.offers import Offer, Offered, is_stale
from gateway.core.matching.trailing import follow, level
from gateway.core.matching.venue import closable
from schema.words.orders import FillSource, OrderType
from schema.words.trades import Side

NO_END = Decimal("Infinity")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lane:
    """Of orders of one side: prices of what they take."""

    side: Side
    low: Decimal
    """A price at or below it does something."""
    high: Decimal
    """A price at or above it does something."""
    extreme: Decimal
    """Of trailing stops, the one that the best price moves first: above it for a sale, below it for a purchase."""
    amount: Decimal | None
    """The least distance at which one of them follows."""
    percent: Decimal | None
    trails: tuple[str, ...]
    """Their orders."""
    best: Decimal | None = None
    """How far messages have moved them since that was told."""

    def after(self, offers: Sequence[Offer], tick: Decimal | None) -> _Lane | None:
        """What a message leaves of it; None where the message may do something."""
        if not offers:
            return self
        best, moved = offers[0].price, self
        if follow(self.side, self.extreme, best) != self.extreme:
            moved = self._followed(best, tick)
        prices = [each.price for each in offers]
        # Stops look at the best price alone, limits at each that is offered.
        lowest, highest = (min(prices), best) if self.side is Side.BUY else (best, max(prices))
        return moved if moved.low < lowest and highest < moved.high else None

    def _followed(self, best: Decimal, tick: Decimal | None) -> _Lane:
        """No stop that follows is nearer than one that is as near as the nearest."""
        stops = [
            level(self.side, best, amount, percent, tick)
            for amount, percent in ((self.amount, None), (None, self.percent))
            if amount is not None or percent is not None
        ]
        if self.side is Side.SELL:
            return replace(self, low=max(self.low, *stops), extreme=best, best=best)
        return replace(self, high=min(self.high, *stops), extreme=best, best=best)


class Band:
    """Of an account's orders of one instrument, until one of them changes."""

    def __init__(self, orders: Iterable[Working], spec: Spec, held: Decimal) -> None:
        """`held` is the position, below 0 where it is short."""
        self.tick = spec.tick
        """Of the prices of stops that follow: it holds for no other."""
        some = list(orders)
        self.wary = not all(_rests(each, held) for each in some)
        """Whether any message may do something."""
        self._until = min((each.expires_at for each in some if each.expires_at is not None), default=None)
        working = [] if self.wary else [each for each in some if each.left > 0]
        self._lanes = [_lane(side, [each for each in working if each.side is side], spec) for side in Side]

    def passes(self, tick: Tick, spec: Spec, model: ExecutionModel, *, open: bool = True) -> bool:
        """Whether a message changes nothing but how far stops have followed: they have then, see `moved`."""
        if self.wary or model.source is FillSource.BARS or (self._until is not None and tick.at >= self._until):
            return False
        if not open or is_stale(tick, tick.at, model):
            return True
        offered = Offered.of(tick, spec, model)
        lanes = [after for lane in self._lanes if (after := lane.after(offered.side(lane.side), self.tick))]
        if len(lanes) < len(self._lanes):
            return False
        self._lanes = lanes
        return True

    def moved(self) -> Iterator[tuple[str, Decimal]]:
        """Trailing stops, and the best price since this was asked last: some have followed a better one before."""
        for number, lane in enumerate(self._lanes):
            if lane.best is not None:
                yield from ((id, lane.best) for id in lane.trails)
                self._lanes[number] = replace(lane, best=None)


def _rests(order: Working, held: Decimal) -> bool:
    """Whether prices alone, or its end, make it do anything."""
    if order.status not in WORKING or order.due_at is not None or order.time_in_force in AT_ONCE:
        return False
    if order.left <= 0:
        return True
    if order.reduce_only and closable(order.side, held) <= 0:
        return False
    if not awaits(order):
        return limit_of(order) is not None
    if order.type is not OrderType.TRAILING_STOP:
        return order.stop_price is not None
    distance = order.trail_percent if order.trail_amount is None else order.trail_amount
    return order.trail_extreme is not None and distance is not None and distance > 0


def _lane(side: Side, orders: Sequence[Working], spec: Spec) -> _Lane:
    bounds = [(is_rising(each), stop_of(each, spec)) for each in orders if awaits(each)]
    limits = [limit_of(each) for each in orders if not awaits(each)]
    bounds += [(side is Side.SELL, limit) for limit in limits if limit is not None]
    trails = [each for each in orders if awaits(each) and each.type is OrderType.TRAILING_STOP]
    extremes = [each.trail_extreme for each in trails if each.trail_extreme is not None]
    amounts = [each.trail_amount for each in trails if each.trail_amount is not None]
    percents = [each.trail_percent for each in trails if each.trail_amount is None and each.trail_percent is not None]
    return _Lane(
        side=side,
        low=max((price for rising, price in bounds if not rising), default=-NO_END),
        high=min((price for rising, price in bounds if rising), default=NO_END),
        extreme=min(extremes, default=NO_END) if side is Side.SELL else max(extremes, default=-NO_END),
        amount=min(amounts, default=None),
        percent=min(percents, default=None),
        trails=tuple(each.id for each in trails),
    )
