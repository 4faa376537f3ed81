"""Whether what an order waits for can come: the instrument is priced, the other order is there and open or filled."""

from __future__ import annotations

from gateway.core.contract import Context
from gateway.core.matching.conditions import OrderCondition, PriceCondition, ValueCondition, read
from gateway.core.matching.lifecycle import TERMINAL
from gateway.core.matching.model import ExecutionModel
from plugins.trading.markets.prices import Prices
from plugins.trading.orders.reading import find_row
from plugins.trading.orders.wishes import Wish
from plugins.trading.rows import AccountRow
from schema.errors import FailureCode, NoAnswer
from schema.symbols import parse_instrument
from schema.words.orders import OrderStatus
from schema.words.problems import Refused


async def check_condition(context: Context, account: AccountRow, wish: Wish, *path: str) -> None:
    """Refused UNKNOWN_INSTRUMENT, NOT_FOUND or ORDER_INVALID, with the field of the condition."""
    if wish.condition is None:
        return
    where = (*path, "condition")
    match read(wish.condition):
        case PriceCondition(symbol=symbol):
            # It is looked at by quotes of the account's provider, whatever its orders are matched against.
            model = ExecutionModel(provider=ExecutionModel.read(account.model).provider)
            await _check_priced(context, symbol, model, *where, "price", "symbol")
        case ValueCondition(key=key):
            await _check_priced(context, key.split(":", 2)[2], ExecutionModel(), *where, "indicator", "symbol")
        case OrderCondition(order_id=order_id, status=status):
            await _check_order(context, account, order_id, status, *where, "orderFilled")


async def _check_priced(context: Context, symbol: str, model: ExecutionModel, *field: str) -> None:
    """Refused where no provider has prices of it at all; that it has none now is no reason."""
    found = await Prices.of(context).told(parse_instrument(symbol), model, *field)
    if isinstance(found, NoAnswer) and found.code is FailureCode.NOT_COVERED:
        told = f"Nobody prices {symbol}, so that this condition never comes: {found.message}."
        raise Refused("ORDER_INVALID", told, *field)


async def _check_order(
    context: Context, account: AccountRow, order_id: str, status: OrderStatus, *field: str
) -> None:  # fmt: skip
    row = await find_row(context, order_id)
    if row is None or row.account_id != account.id:
        told = "The account has no order with this id: `orders(accountId:)` lists those that it has."
        raise Refused("NOT_FOUND", told, *field)
    if OrderStatus(row.status) in TERMINAL and row.status != status:
        told = f"This order is {row.status} for good: it will never be {status}."
        raise Refused("ORDER_INVALID", told, *field)
