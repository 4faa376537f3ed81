"""What an account cannot pay for only because a message offers so little of it: that fill is left out, the order waits.

A fee has a least for what one message fills: a sale of a few units may bring less than it costs, and the whole more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.core.matching import venue
from gateway.core.matching.chances import AT_ONCE
from gateway.core.matching.lifecycle import TRIGGERED
from gateway.core.matching.model import Step, Tick
from plugins.trading.orders.affording import lacking_cash
from plugins.trading.orders.market import Market
from plugins.trading.orders.turning import form_of
from plugins.trading.rows import OrderRow

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
    status = TRIGGERED if step.triggered else order.status
    waits = replace(step.order, status=status, filled=order.filled, fills=order.fills)
    return Step(order=waits, changed=waits != order, triggered=step.triggered)


def _plenty(tick: Tick) -> Tick:
    """The same message, if its best prices were of any size."""
    bar = None if tick.bar is None else replace(tick.bar, volume=None)
    bid = tick.bids[0].price if tick.bids else tick.bid
    ask = tick.asks[0].price if tick.asks else tick.ask
    return replace(
        tick, bid=bid, ask=ask, bid_size=None, ask_size=None, bids=(), asks=(), traded=None, bar=bar
    )  # fmt: skip
