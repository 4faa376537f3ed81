"""Orders by their ids, for events and `node`: an order of an account that the caller may not see is none."""

from __future__ import annotations

from gateway.core.contract import Context
from gateway.core.identity import Scope
from plugins.trading.accounts.access import Gate
from plugins.trading.orders.store import OrderStore
from plugins.trading.orders.types import Order
from plugins.trading.rows import OrderRow
from schema.model import NAMED
from schema.names import could_be_id


async def find_row(context: Context, order_id: str) -> OrderRow | None:
    """Of an account that the caller may see, or trade with."""
    if not could_be_id(order_id):
        return None
    async with context.host.store.read() as tx:
        row = await OrderStore().find(tx, context.tenant, order_id)
        if row is None or await Gate().find(tx, context, row.account_id) is None:
            return None
    return row


async def find_order(context: Context, id: str) -> Order | None:
    """By its id, for `node`; who may only write reads none."""
    row = await find_row(context, id) if context.principal.may(Scope.TRADING_READ) else None
    return Order.of(row) if row else None


async def order_of(context: Context, id: str, selected: frozenset[str]) -> Order | None:
    """The order of an event: where no more than its id is wanted, it is not looked for."""
    return Order.named(id) if selected <= NAMED else await find_order(context, id)
