"""Orders that are placed together: what refuses the whole of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway.core.matching.model import Tick
from gateway.core.matching.rounding import plain
from plugins.trading.orders.checks import side_price
from plugins.trading.orders.inputs import GroupRule
from plugins.trading.orders.placing import Place
from plugins.trading.orders.wishes import Wish, check_wish
from plugins.trading.rows import OrderRow
from schema.words.orders import OrderLeg, OrderStatus, OrderType, TimeInForce
from schema.words.problems import Refused
from schema.words.trades import Side

GROUP_LEAST, GROUP_MOST = 2, 10
_AT_ONCE = "One of an OCO that is filled at once leaves no other"
_RESTS = "LIMIT, STOP_MARKET, STOP_LIMIT, MARKET_IF_TOUCHED and TRAILING_STOP rest, as GTC, DAY or GTD"


def check_group(wishes: Sequence[Wish], rule: GroupRule) -> None:
    """Refused where they cannot be a group, whatever the market says."""
    if not GROUP_LEAST <= len(wishes) <= GROUP_MOST:
        raise Refused("ORDER_INVALID", f"Give {GROUP_LEAST} to {GROUP_MOST} orders.", "orders")
    for n, wish in enumerate(wishes):
        path = ("orders", str(n))
        check_wish(wish, *path)
        if wish.take_profit or wish.stop_loss:
            raise Refused("ORDER_INVALID", "An order of a group has no bracket of its own.", *path)
        if wish.client_order_id is not None:
            raise Refused("ORDER_INVALID", "Orders of a group have no clientOrderId.", *path, "clientOrderId")
        at_once = wish.type is OrderType.MARKET or wish.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
        if rule is GroupRule.OCO and at_once:
            raise Refused("ORDER_INVALID", f"{_AT_ONCE}: {_RESTS}.", *path, "type")


def check_placed(row: OrderRow, rule: GroupRule, path: tuple[str, ...], tick: Tick | None = None) -> None:
    """All, or none: refused where one is rejected, or of an OCO is filled before the others are there, by a message."""
    if row.status == OrderStatus.REJECTED:
        code, _, told = str(row.reason).partition(": ")
        raise Refused(code, f"The order would be rejected: {told}.", *path)
    if rule is GroupRule.OCO and (row.filled or not row.open):
        price = side_price(tick, Side(row.side)) if tick else None
        side = "below" if row.side == Side.BUY else "above"
        rests = f": a limit {side} {plain(price):f} rests now" if price is not None else ""
        raise Refused("ORDER_INVALID", f"{_AT_ONCE}{rests}.", *path, "limitPrice")


def place_of(rule: GroupRule, n: int, first: OrderRow | None, how: Place, group: str) -> Place:
    """What the n-th of them is to the others."""
    legs = {GroupRule.OCO: OrderLeg.OCO, GroupRule.OTO: OrderLeg.OTO}
    return replace(
        how, path=("orders", str(n)), group=group if rule is GroupRule.OCO else None, leg=legs.get(rule),
        parent=first.id if rule is GroupRule.OTO and first is not None else None,
    )  # fmt: skip
