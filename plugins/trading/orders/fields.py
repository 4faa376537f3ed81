"""The root fields of orders."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from typing import Annotated

import strawberry

from gateway.core.contract import Context, Ctx
from gateway.core.matching.conditions import (
    Condition,
    Direction,
    OrderCondition,
    PriceCondition,
    TimeCondition,
    ValueCondition,
    plain,
)
from gateway.core.matching.rules import check_number
from plugins.trading.accounts.access import Gate
from plugins.trading.markets.prices import Prices
from plugins.trading.orders.desk import OrderDesk
from plugins.trading.orders.inputs import (
    ConditionIndicator,
    IndicatorConditionInput,
    OrderCancelErrorCode,
    OrderCancelInput,
    OrderCancelPayload,
    OrderConditionInput,
    OrderGroupPlaceInput,
    OrderGroupPlacePayload,
    OrderInput,
    OrderPlaceErrorCode,
    OrderPlaceInput,
    OrderPlacePayload,
    OrderReplaceErrorCode,
    OrderReplaceInput,
    OrderReplacePayload,
    OrdersCancelAllInput,
    OrdersCancelAllPayload,
    PositionCloseInput,
    PositionProtectInput,
    PositionProtectPayload,
)
from plugins.trading.orders.knowing import Placed
from plugins.trading.orders.store import FillStore, OrderStore, Wanted
from plugins.trading.orders.types import Order, OrderConnection, OrderFill, OrderFillConnection
from plugins.trading.orders.wishes import Exit, Wish
from plugins.trading.rows import FillRow, OrderRow
from schema.arguments import From, Until, says
from schema.errors import BadInput
from schema.facts import facts
from schema.names import check_word
from schema.pages import Place, Position, cut, page_length, page_size, place_of, position_of
from schema.paging import DEFAULT_PAGE
from schema.scalars import Cursor
from schema.scopes import Scope
from schema.words.orders import OrderStatus
from schema.words.problems import Refused

ORDERS, FILLS = "order", "fill"
PLACING = facts(cost=10, needs=Scope.TRADING_WRITE, also=Scope.MARKET_READ)
CANCELLING = facts(cost=2, needs=Scope.TRADING_WRITE)

AccountId = Annotated[strawberry.ID, says("The account's id.")]
First = Annotated[int | None, says("Rows of the page, 1 to 100.")]
After = Annotated[Cursor | None, says("Continue behind this cursor.")]
OfSymbol = Annotated[str | None, says("Only of this instrument.")]
IsOpen = Annotated[bool | None, says("Only open ones, or only those that have ended.")]
OfStatus = Annotated[list[OrderStatus] | None, says("Only those that stand so.")]
OfStrategy = Annotated[str | None, says("Only those with this tag.")]


def _order_place(row: OrderRow) -> Place:
    return row.created_at, row.number


def _fill_position(row: FillRow) -> Position:
    return row.at, row.id


async def _symbol(context: Context, symbol: str | None) -> str | None:
    if symbol is None:
        return None
    try:
        return str(await Prices.of(context).find(symbol, "symbol"))
    except Refused as refused:
        raise BadInput("symbol", refused.message) from None


async def _check_seen(context: Context, account_id: str) -> None:
    async with context.host.store.read() as tx:
        await Gate().seen(tx, context, account_id, "accountId")


async def resolve_orders(
    info: Ctx, account_id: AccountId, open: IsOpen = None, status: OfStatus = None, symbol: OfSymbol = None,
    strategy: OfStrategy = None, first: First = DEFAULT_PAGE, after: After = None,
) -> OrderConnection:  # fmt: skip
    """Of one account."""
    check_word("strategy", strategy)
    context, size, behind = info.context, page_size(first), place_of(ORDERS, after)
    await _check_seen(context, account_id)
    wanted = Wanted(
        account_id=account_id, open=open, statuses=[each.value for each in status] if status is not None else None,
        instrument=await _symbol(context, symbol), strategy=strategy,
    )  # fmt: skip
    async with context.host.store.read() as tx:
        rows = await OrderStore().page(
            tx, context.tenant, wanted, size + 1, before=behind[1] if behind else None
        )  # fmt: skip
    shown, page = cut(rows, kind=ORDERS, size=size, after=after, position=_order_place)
    return OrderConnection(nodes=[Order.of(row) for row in shown], page_info=page)


async def resolve_fills(
    info: Ctx, account_id: AccountId, symbol: OfSymbol = None, start: From = None, end: Until = None,
    first: First = DEFAULT_PAGE, after: After = None,
) -> OrderFillConnection:  # fmt: skip
    """Of one account."""
    context, size, behind = info.context, page_size(first), position_of(FILLS, after)
    await _check_seen(context, account_id)
    instrument = await _symbol(context, symbol)
    async with context.host.store.read() as tx:
        rows = await FillStore().page(
            tx, context.tenant, account_id, size + 1, instrument=instrument, start=start, end=end, behind=behind
        )  # fmt: skip
    shown, page = cut(rows, kind=FILLS, size=size, after=after, position=_fill_position)
    return OrderFillConnection(nodes=[OrderFill.of(row) for row in shown], page_info=page)


async def wish_of(context: Context, input: OrderInput, *path: str) -> Wish:
    """An order's input, with its condition read."""
    wish = input.wish()
    if input.condition is None:
        return wish
    condition = await _condition(context, input, input.condition, (*path, "condition"))
    return replace(wish, condition=plain(condition))


async def _condition(
    context: Context, input: OrderInput, given: OrderConditionInput, path: tuple[str, ...]
) -> Condition:
    if given.time:
        return TimeCondition(at=given.time)
    if given.order_filled:
        return OrderCondition(order_id=given.order_filled)
    if given.price:
        where = (*path, "price")
        symbol = str(await Prices.of(context).find(given.price.symbol or input.symbol, *where, "symbol"))
        level = given.price.level
        if wrong := check_number("level", level):
            raise Refused("ORDER_INVALID", f"level {wrong.message}.", *where, "level")
        return PriceCondition(symbol=symbol, direction=Direction(given.price.crossing.value), level=level)
    if given.indicator:
        return await _indicator(context, input, given.indicator, (*path, "indicator"))
    raise Refused("ORDER_INVALID", "A condition is a price, an indicator, a time or an order.", *path)


async def _indicator(
    context: Context, input: OrderInput, given: IndicatorConditionInput, path: tuple[str, ...]
) -> Condition:
    symbol = str(await Prices.of(context).find(given.symbol or input.symbol, *path, "symbol"))
    if not 2 <= given.period <= 200:
        raise Refused("ORDER_INVALID", "period must be 2 to 200.", *path, "period")
    oscillates = given.indicator is ConditionIndicator.RSI
    if oscillates != (given.level is not None):
        told = "RSI needs a level, 0 to 100; an average is compared with the last close and has none."
        raise Refused("ORDER_INVALID", told, *path, "level")
    if given.level is not None and not (given.level.is_finite() and 0 <= given.level <= 100):
        raise Refused("ORDER_INVALID", "level must be 0 to 100.", *path, "level")
    if given.level and (wrong := check_number("level", given.level)):
        raise Refused("ORDER_INVALID", f"level {wrong.message}.", *path, "level")
    # An average is met by how far the last close lies above it: its level is zero.
    key = f"{given.indicator.value}:{given.period}:{symbol}"
    return ValueCondition(key=key, direction=Direction(given.crossing.value), level=given.level or Decimal(0))


def _placed(placed: Placed) -> OrderPlacePayload:
    return OrderPlacePayload(
        order=Order.of(placed.order), children=[Order.of(row) for row in placed.children],
        fills=[OrderFill.of(row) for row in placed.fills], user_errors=[],
    )  # fmt: skip


async def resolve_place(info: Ctx, input: Annotated[OrderPlaceInput, says("What to order.")]) -> OrderPlacePayload:
    """Checked, reserved for, accepted; perhaps filled at once."""
    try:
        wish = await wish_of(info.context, input)
        return _placed(await info.context.service(OrderDesk).place(info.context, input.account_id, wish))
    except Refused as refused:
        errors = refused.within(OrderPlaceInput, "accountId").errors(OrderPlaceErrorCode)
        return OrderPlacePayload(children=[], fills=[], user_errors=errors)


async def resolve_group(
    info: Ctx, input: Annotated[OrderGroupPlaceInput, says("What to order.")]
) -> OrderGroupPlacePayload:
    """All, or none."""
    context = info.context
    try:
        wishes = [await wish_of(context, each, "orders", str(n)) for n, each in enumerate(input.orders[:50])]
        desk = context.service(OrderDesk)
        rows = await desk.place_group(context, input.account_id, input.rule, wishes, input.idempotency_key)
    except Refused as refused:
        errors = refused.within(OrderGroupPlaceInput, "orders").errors(OrderPlaceErrorCode)
        return OrderGroupPlacePayload(orders=[], user_errors=errors)
    return OrderGroupPlacePayload(orders=[Order.of(row) for row in rows], user_errors=[])


async def resolve_replace(
    info: Ctx, input: Annotated[OrderReplaceInput, says("What to change.")]
) -> OrderReplacePayload:
    """With other terms, at the end of the queue."""
    given = {
        field.name: getattr(input, field.name)
        for field in fields(input)
        if field.name != "order_id" and getattr(input, field.name) is not None
    }
    try:
        if not given:
            raise Refused("ORDER_INVALID", "Say what is to be otherwise: quantity, a price, or expiresAt.")
        row = await info.context.service(OrderDesk).replace(info.context, input.order_id, given)
    except Refused as refused:
        errors = refused.within(OrderReplaceInput, "orderId").errors(OrderReplaceErrorCode)
        return OrderReplacePayload(user_errors=errors)
    return OrderReplacePayload(order=Order.of(row), user_errors=[])


async def resolve_cancel(info: Ctx, input: Annotated[OrderCancelInput, says("Which.")]) -> OrderCancelPayload:
    """With what waits for it."""
    try:
        row, gone = await info.context.service(OrderDesk).cancel(info.context, input.order_id)
    except Refused as refused:
        error = refused.within(OrderCancelInput, "orderId").error(OrderCancelErrorCode)
        return OrderCancelPayload(canceled=[], user_errors=[error])
    return OrderCancelPayload(order=Order.of(row), canceled=[Order.of(each) for each in gone], user_errors=[])


async def resolve_cancel_all(
    info: Ctx, input: Annotated[OrdersCancelAllInput, says("Which.")]
) -> OrdersCancelAllPayload:
    """All open ones."""
    try:
        rows = await info.context.service(OrderDesk).cancel_all(info.context, input.account_id, input.symbol)
    except Refused as refused:
        return OrdersCancelAllPayload(canceled=[], user_errors=[refused.error(OrderCancelErrorCode)])
    return OrdersCancelAllPayload(canceled=[Order.of(row) for row in rows], user_errors=[])


async def resolve_close(info: Ctx, input: Annotated[PositionCloseInput, says("Which position.")]) -> OrderPlacePayload:
    """At the market."""
    try:
        placed = await info.context.service(OrderDesk).close(
            info.context, input.account_id, input.symbol, input.quantity, input.client_order_id
        )
    except Refused as refused:
        error = refused.within(PositionCloseInput, "symbol").error(OrderPlaceErrorCode)
        return OrderPlacePayload(children=[], fills=[], user_errors=[error])
    return _placed(placed)


async def resolve_protect(info: Ctx, input: Annotated[PositionProtectInput, says("How.")]) -> PositionProtectPayload:
    """In place of what protected it before."""
    profit = Exit(limit_price=input.take_profit.limit_price) if input.take_profit else None
    loss = input.stop_loss.exit() if input.stop_loss else None
    try:
        rows, gone = await info.context.service(OrderDesk).protect(
            info.context, input.account_id, input.symbol, profit, loss
        )
    except Refused as refused:
        errors = refused.within(PositionProtectInput, "symbol").errors(OrderPlaceErrorCode)
        return PositionProtectPayload(orders=[], canceled=[], user_errors=errors)
    return PositionProtectPayload(
        orders=[Order.of(row) for row in rows], canceled=[Order.of(row) for row in gone], user_errors=[]
    )


@strawberry.type(description="Orders and fills.")
class OrderQuery:
    """Root fields."""

    orders: OrderConnection = strawberry.field(
        resolver=resolve_orders,
        description="An account's orders, the newest first.",
        metadata=facts(times=page_length, needs=Scope.TRADING_READ),
    )
    fills: OrderFillConnection = strawberry.field(
        resolver=resolve_fills,
        description="An account's fills, the newest first.",
        metadata=facts(times=page_length, needs=Scope.TRADING_READ),
    )


@strawberry.type(description="Placing, changing and cancelling orders.")
class OrderMutation:
    """Root fields."""

    order_place: OrderPlacePayload = strawberry.field(
        resolver=resolve_place,
        description="Place an order, with takeProfit or stopLoss a bracket. The same clientOrderId is the same order.",
        metadata=PLACING,
    )
    order_group_place: OrderGroupPlacePayload = strawberry.field(
        resolver=resolve_group,
        description="Place orders that belong together (OCO, OTO, or all-or-none): all of them, or none.",
        metadata=facts(cost=30, needs=Scope.TRADING_WRITE, also=Scope.MARKET_READ),
    )
    order_replace: OrderReplacePayload = strawberry.field(
        resolver=resolve_replace,
        description="Give an open order other terms; its place in the queue is lost.",
        metadata=PLACING,
    )
    order_cancel: OrderCancelPayload = strawberry.field(
        resolver=resolve_cancel, description="Cancel an order, and those that wait for it.", metadata=CANCELLING
    )
    orders_cancel_all: OrdersCancelAllPayload = strawberry.field(
        resolver=resolve_cancel_all,
        description="Cancel all open orders of an account, or of one instrument of it.",
        metadata=facts(cost=5, needs=Scope.TRADING_WRITE),
    )
    position_close: OrderPlacePayload = strawberry.field(
        resolver=resolve_close,
        description="Close a position at the market, whole or in part.",
        metadata=PLACING,
    )
    position_protect: PositionProtectPayload = strawberry.field(
        resolver=resolve_protect,
        description="Set a position's take-profit and stop-loss, in place of those before; leave one out to take it "
        "away.",
        metadata=PLACING,
    )
