"""Fills that are left out, while their order waits.

What an account cannot pay for only because a message offers so little of it: a fee has a least for what one message
fills, so that a sale of a few units may bring less than it costs, and the whole more. And what a margin account would
open while a price or a rate is missing by which it is valued.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.core.matching import venue
from gateway.core.matching.chances import AT_ONCE
from gateway.core.matching.lifecycle import ACCEPTED, NEW, PARTLY, TRIGGERED
from gateway.core.matching.model import Step, Tick, Working
from plugins.trading.orders.affording import lacking_cash
from plugins.trading.orders.market import Market
from plugins.trading.orders.turning import form_of, working
from plugins.trading.rows import OrderRow
from schema.words.trades import Side

if TYPE_CHECKING:
    from plugins.trading.orders.floor import Floor


def left_out(floor: Floor, row: OrderRow, step: Step, market: Market) -> Step | None:
    """A step without its fills, of an order that goes on waiting: triggered, where the message has done that.

    None where nothing would be better with more of the message: what is left of the order, filled whole at its price,
    could not be paid for either. In an account that has a margin no fill of fewer units takes more than one of many.
    """
    if floor.lends or market.tick is None or row.time_in_force in AT_ONCE:
        return None
    order, now = form_of(row, lends=False), floor.now if row.due_at is not None else None
    whole = venue.step(
        order, _plenty(market.tick), market.spec, market.model, open=market.open, most=floor.most(row), now=now
    )  # fmt: skip
    if not whole.executions or lacking_cash(floor, row, whole) is not None:
        return None
    return _unfilled(order, step)


def put_off(row: OrderRow, step: Step, closing: Step | None) -> Step:
    """A step without what it opens, of an order that waits until its account can be valued: filled by what it closes,
    see `closing_step`, and triggered. What has just reached its market arrives there again."""
    if closing is None or not closing.executions:
        return _unfilled(working(row), step, due_at=row.due_at)
    made = closing.order
    order = replace(step.order, status=PARTLY, filled=made.filled, fills=made.fills)
    return replace(closing, order=order, reason=None)


def closing_step(floor: Floor, row: OrderRow, market: Market) -> Step | None:
    """An order's step as one that only reduces, where it closes anything; only a margin account's does both."""
    most = venue.closable(Side(row.side), floor.held(row.instrument))
    if not floor.lends or market.tick is None or not most:
        return None
    order, now = replace(working(row), reduce_only=True), floor.now if row.due_at is not None else None
    if order.status is NEW:
        # It arrives with this message.
        order, now = replace(order, status=ACCEPTED, accepted_at=floor.now, due_at=floor.now), floor.now
    offered = floor.offers.of(market)
    return venue.step(order, market.tick, market.spec, market.model, offered, open=market.open, most=most, now=now)


def _unfilled(order: Working, step: Step, due_at: datetime | None = None) -> Step:
    status = TRIGGERED if step.triggered else order.status
    waits = replace(step.order, status=status, filled=order.filled, fills=order.fills, due_at=due_at)
    return Step(order=waits, changed=waits != order, triggered=step.triggered)


def _plenty(tick: Tick) -> Tick:
    """The same message, if its best prices were of any size."""
    bar = None if tick.bar is None else replace(tick.bar, volume=None)
    bid = tick.bids[0].price if tick.bids else tick.bid
    ask = tick.asks[0].price if tick.asks else tick.ask
    return replace(
        tick, bid=bid, ask=ask, bid_size=None, ask_size=None, bids=(), asks=(), traded=None, bar=bar
    )  # fmt: skip
