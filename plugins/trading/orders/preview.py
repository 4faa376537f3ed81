"""What an order would do if it were placed now: the same checks and matching, on an account that is only read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Context as Exactness
from decimal import Decimal
from typing import Annotated

import strawberry

from gateway.core.contract import Context, Ctx
from gateway.core.matching.fees import commission, commissions
from gateway.core.matching.rounding import total_of
from gateway.core.matching.venue import give_back
from plugins.trading.accounts.access import Gate
from plugins.trading.markets.prices import Prices
from plugins.trading.orders.checks import side_price
from plugins.trading.orders.conditions import check_condition
from plugins.trading.orders.fields import wish_of
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.ground import Ground, ground_of
from plugins.trading.orders.inputs import OrderPlaceErrorCode, OrderPlaceInput
from plugins.trading.orders.offers import OfferBook
from plugins.trading.orders.placing import Place, place
from plugins.trading.orders.store import OrderStore
from plugins.trading.orders.types import average_price
from plugins.trading.orders.wishes import Wish, check_wish, digest_of_wish
from plugins.trading.positions.standing import Standing, money, standing
from plugins.trading.positions.standings import Appraiser, Held
from plugins.trading.rows import AccountRow, BalanceRow, FillRow, OrderRow
from plugins.trading.writing import Writing
from schema.arguments import says
from schema.facts import facts
from schema.model import described, model
from schema.provenance import DataMode, Provenance
from schema.scopes import Scope
from schema.words.orders import Liquidity, OrderStatus, OrderType
from schema.words.problems import Refused, UserError
from schema.words.trades import Side

ZERO = Decimal(0)
_EXACT = Exactness(prec=200)


@model("A fill that would come at once.")
class PreviewedFill:
    """At the prices of now."""

    quantity: Decimal = described("Units.")
    price: Decimal = described("For a unit, with slippage.")
    fee: Decimal = described("Commission.")
    liquidity: Liquidity = described("Whether it would make or take liquidity.")
    realised_pnl: Decimal = described("Profit of what it would close, before the fee.")


@model("What an order would be and cost, if it were placed now. Nothing is kept of it.")
class OrderPreview:
    """Prices move: what is placed a moment later may be filled otherwise."""

    accepted: bool = described("Whether it would be taken; otherwise `userErrors` says why, as `orderPlace` would.")
    at: datetime = described("The instant that it was reckoned for.")
    symbol: str | None = described("The instrument's id.", default=None)
    side: Side = described("To buy or to sell.")
    type: OrderType = described("How it is priced.")
    status: OrderStatus | None = described("Where it would stand right after placing.", default=None)
    reason: str | None = described("Why it would end at once, where it would.", default=None)
    currency: str | None = described("Of its prices, its notional, its fee and its reserve.", default=None)
    market_price: Decimal | None = described("What its side would pay or get now, without slippage.", default=None)
    quantity: Decimal | None = described("Units; of a notional, what it would buy.", default=None)
    estimated_price: Decimal | None = described(
        "Of what would be filled at once, else its limit, its trigger, else the market's price.", default=None
    )
    notional: Decimal | None = described("Quantity at the estimated price.", default=None)
    fee: Decimal | None = described("Of all of it at that price.", default=None)
    fills: list[PreviewedFill] = described("What would be filled at once.")
    filled_quantity: Decimal | None = described("How much that is.", default=None)
    reserved: Decimal | None = described("How much buying power the rest would hold.", default=None)
    position_before: Decimal | None = described("What the account holds; below zero where short.", default=None)
    position_after: Decimal | None = described("What it would hold then.", default=None)
    base_currency: str | None = described("The account's: of margin and buying power.", default=None)
    buying_power_before: Decimal | None = described("Of the account; null where it cannot be valued.", default=None)
    buying_power_after: Decimal | None = described("The same with the order.", default=None)
    margin_used_before: Decimal | None = described("Of a MARGIN account; zero in a CASH account.", default=None)
    margin_used_after: Decimal | None = described("The same with the order.", default=None)
    repeats: strawberry.ID | None = described(
        "The order that the same clientOrderId has placed already: placing it again is that order.", default=None
    )
    mode: DataMode | None = described("Whether the price is live, recorded or simulated.", default=None)
    provenance: Provenance | None = described("Where the price is from.", default=None)
    user_errors: list[UserError[OrderPlaceErrorCode]] = described("Why it would not be taken; empty where it would.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """An account before and after."""

    order: OrderRow
    fills: Sequence[FillRow]
    held_before: Decimal
    held_after: Decimal
    before: Standing
    after: Standing


async def preview(context: Context, account_id: str, wish: Wish) -> OrderPreview:
    """The answer; Refused where the order contradicts itself, or where account or instrument are none."""
    check_wish(wish)
    async with context.host.store.read() as tx:
        account = await Gate().look(tx, context, account_id)
        held = await context.service(Appraiser).read(tx, account)
        repeated = None
        if wish.client_order_id is not None:
            repeated = await OrderStore().with_client_id(tx, context.tenant, account.id, wish.client_order_id)
    prices = Prices.of(context)
    instrument = await prices.find(wish.symbol, "symbol")
    instruments = {str(instrument), *(row.instrument for row in held.positions)}
    currencies = {row.asset for row in held.cash} | {*held.reserved} | {row.currency for row in held.positions}
    ground = await ground_of(
        context, account, instrument, "symbol", held=instruments, currencies=currencies,
        time_in_force=wish.time_in_force,
    )  # fmt: skip
    told = _head(context, wish, ground, account)
    if repeated is not None:
        return _repeated(told, repeated, digest_of_wish(wish, instrument))
    marks = await prices.marks(instruments, {*currencies, ground.spec.currency}, account.currency, ground.model)
    try:
        found = await _outcome(context, account.id, wish, replace(ground, marks=marks))
        await check_condition(context, account, wish)
        return _told(told, found, ground)
    except Refused as refused:
        return replace(told, user_errors=_errors(refused))


async def _outcome(context: Context, account_id: str, wish: Wish, ground: Ground) -> _Outcome:
    """Placed on a floor that is never written, in a transaction that only reads: nobody waits for it."""
    gate, host = Gate(), context.host
    async with host.store.read() as tx:
        account = await gate.look(tx, context, account_id)
        held = await context.service(Appraiser).read(tx, account)
        floor = await Floor.opened(host, Writing(tx=tx, account=account))
    cash = dict(floor.cash)
    name, day = str(ground.spec.instrument), floor.now.date().isoformat()
    held_before = floor.held(name)
    before = standing(account, held.cash, held.reserved, held.positions, ground.marks, day=day)
    floor.offers = host.service(OfferBook).of(account_id)
    try:
        row = place(floor, ground, wish, Place(made_by=context.principal.actor, halted=floor.halted))[0]
    finally:
        for made in floor.taken:
            give_back(made)
    after = standing(
        account, _moved(held, cash, floor), floor.reserved(), tuple(floor.positions.values()), ground.marks, day=day
    )
    return _Outcome(
        order=floor.orders[row.id], fills=[fill for fill in floor.fills if fill.order_id == row.id],
        held_before=held_before, held_after=floor.held(name), before=before, after=after,
    )  # fmt: skip


def _moved(held: Held, before: Mapping[str, Decimal], floor: Floor) -> list[BalanceRow]:
    """The account's money after what its fills moved."""
    rows = {row.asset: row for row in held.cash}
    found = []
    for asset in sorted(rows.keys() | floor.cash.keys()):
        change = _EXACT.subtract(floor.cash.get(asset, ZERO), before.get(asset, ZERO))
        row = rows.get(asset) or BalanceRow(
            tenant_id=floor.w.tenant, account_id=floor.w.account.id, ledger="cash", asset=asset, posted=ZERO, held=ZERO
        )
        found.append(replace(row, posted=_EXACT.add(row.posted, change)))
    return found


def _head(context: Context, wish: Wish, ground: Ground, account: AccountRow) -> OrderPreview:
    priced = ground.priced
    return OrderPreview(
        accepted=False, at=context.host.clock.now(), symbol=str(ground.spec.instrument), side=wish.side,
        type=wish.type, currency=ground.spec.currency, base_currency=account.currency,
        market_price=side_price(priced.tick, wish.side) if priced else None,
        mode=priced.provenance.mode if priced else None, provenance=priced.provenance if priced else None,
        fills=[], user_errors=[],
    )  # fmt: skip


def _errors(refused: Refused) -> list[UserError[OrderPlaceErrorCode]]:
    return refused.within(OrderPlaceInput, "accountId").errors(OrderPlaceErrorCode)


def _repeated(told: OrderPreview, row: OrderRow, digest: str) -> OrderPreview:
    """A clientOrderId that was used: the same order again, or a refusal."""
    if row.request_digest == digest:
        return replace(told, accepted=True, repeats=strawberry.ID(row.id))
    words = "This clientOrderId came with another order: repeat that one, or give another id."
    refused = Refused("IDEMPOTENCY_MISMATCH", words, "clientOrderId")
    return replace(told, user_errors=_errors(refused))


def _told(told: OrderPreview, found: _Outcome, ground: Ground) -> OrderPreview:
    order, base = found.order, told.base_currency or ""
    price, quantity = _price(order, told.market_price), order.quantity
    filled = total_of(fill.quantity for fill in found.fills)
    whole = None if price is None or quantity is None else _EXACT.multiply(quantity, price)
    if whole is not None:
        whole = _EXACT.multiply(whole, ground.spec.contract_size)
    return replace(
        told, accepted=True, status=OrderStatus(order.status), reason=order.reason, quantity=quantity,
        estimated_price=price, notional=whole, fee=_fee(order, found.fills, price, ground), filled_quantity=filled,
        fills=[_fill(each) for each in found.fills], reserved=order.reserved, position_before=found.held_before,
        position_after=found.held_after, buying_power_before=money(found.before.buying_power, base),
        buying_power_after=money(found.after.buying_power, base),
        margin_used_before=money(found.before.margin_used, base),
        margin_used_after=money(found.after.margin_used, base),
    )  # fmt: skip


def _price(order: OrderRow, market: Decimal | None) -> Decimal | None:
    return average_price(order) or order.limit_price or order.stop_price or market


def _fee(order: OrderRow, fills: Sequence[FillRow], price: Decimal | None, ground: Ground) -> Decimal | None:
    """Of what is filled at once as it would be charged; of the rest at the estimated price."""
    paid = total_of(fill.fee for fill in fills)
    if order.quantity is None or price is None:
        return None
    left = _EXACT.subtract(order.quantity, order.filled)
    if not left or not order.open:
        return paid
    waits = order.type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    raw = commission(
        ground.model.fees, left, price, ground.spec.contract_size, Liquidity.MAKER if waits else Liquidity.TAKER,
        first=not fills,
    )  # fmt: skip
    return _EXACT.add(paid, commissions(ground.model.fees, (raw,), ground.spec.currency)[0])


def _fill(row: FillRow) -> PreviewedFill:
    return PreviewedFill(
        quantity=row.quantity, price=row.price, fee=row.fee, liquidity=Liquidity(row.liquidity),
        realised_pnl=row.realised,
    )  # fmt: skip


async def resolve_preview(
    info: Ctx, input: Annotated[OrderPlaceInput, says("What would be ordered, as `orderPlace` takes it.")]
) -> OrderPreview:
    """Refusals are data here too."""
    context = info.context
    try:
        return await preview(context, input.account_id, await wish_of(context, input))
    except Refused as refused:
        return OrderPreview(
            accepted=False, at=context.host.clock.now(), side=input.side, type=input.type, fills=[],
            user_errors=_errors(refused),
        )  # fmt: skip


@strawberry.type(description="What orders would do.")
class PreviewQuery:
    """Root fields."""

    order_preview: OrderPreview = strawberry.field(
        resolver=resolve_preview,
        description="What an order would cost if it were placed now: price, fee, reserve, what would be filled at "
        "once, what is left of the account; or why it would be refused. Nothing is kept.",
        metadata=facts(cost=10, needs=Scope.TRADING_READ, also=Scope.MARKET_READ),
    )
