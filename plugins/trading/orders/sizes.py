"""A size told as an order's own was given: a quantity, or a notional. Pure."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from gateway.core.matching.model import Spec
from gateway.core.matching.rounding import floor_to
from gateway.core.matching.rules import notional_for
from plugins.trading.ledger.chart import shown
from plugins.trading.orders.wishes import Wish
from plugins.trading.rows import OrderRow


def sized_by(order: Wish | OrderRow) -> str:
    """The field that says how large it is."""
    return "quantity" if order.notional is None else "notional"


def sizing_price(order: Wish | OrderRow, market: Decimal | None) -> Decimal | None:
    """By which a notional is counted: the order's own price, else the market's."""
    return order.limit_price or order.stop_price or market


def told_size(
    order: Wish | OrderRow, quantity: Decimal, spec: Spec, market: Decimal | None,
    near: Callable[[Decimal, Decimal], Decimal] = floor_to,
) -> str:  # fmt: skip
    """What is to be given in the place of its own size."""
    price = sizing_price(order, market)
    if order.notional is None or price is None:
        return shown(quantity)
    return f"a notional of {shown(notional_for(quantity, price, spec, near))}"
