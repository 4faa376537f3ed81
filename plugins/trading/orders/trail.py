"""What the audit trail keeps of orders: who placed, replaced, cancelled which. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from gateway.core.contract import Context
from gateway.core.ports import Act
from plugins.trading.rows import OrderRow
from schema.names import camel


def placed(context: Context, row: OrderRow, **more: object) -> Act:
    """An order, alone or with others."""
    told = {
        "account": row.account_id, "symbol": row.instrument, "side": row.side, "type": row.type,
        "quantity": _plain(row.quantity), "clientOrderId": row.client_order_id,
    }  # fmt: skip
    return context.act("order.placed", row.id, after=told | more)


def replaced(context: Context, before: OrderRow, terms: Mapping[str, Any]) -> Act:
    """Its terms that were given anew."""
    return context.act(
        "order.replaced", before.id, before={camel(name): _plain(getattr(before, name)) for name in terms},
        after={"account": before.account_id, **{camel(name): _plain(value) for name, value in terms.items()}},
    )  # fmt: skip


def canceled(context: Context, row: OrderRow, with_it: Iterable[OrderRow] = ()) -> Act:
    """An order, and what was cancelled with it."""
    told = {"account": row.account_id, "symbol": row.instrument, "withIt": [each.id for each in with_it]}
    return context.act("order.canceled", row.id, after=told)


def canceled_all(context: Context, account_id: str, instrument: str | None, rows: Iterable[OrderRow]) -> Act:
    """All that were open, or those of one instrument."""
    return context.act(
        "orders.canceled", account_id, after={"symbol": instrument, "orders": [each.id for each in rows]}
    )  # fmt: skip


def protected(
    context: Context, account_id: str, instrument: str, rows: Sequence[OrderRow], gone: Sequence[OrderRow]
) -> Act:
    """What protects a position from now on, and what did before."""
    told = {"symbol": instrument, "orders": [each.id for each in rows], "canceled": [each.id for each in gone]}
    return context.act("position.protected", account_id, after=told)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, datetime) else value
