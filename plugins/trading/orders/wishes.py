"""What somebody wants ordered, before anything is known of the market: its own contradictions are refused here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from plugins.trading.rows import OrderRow
from schema.idempotency import digest
from schema.symbols import InstrumentId
from schema.words.orders import OrderCause, OrderLeg, OrderType, TimeInForce
from schema.words.problems import Refused
from schema.words.trades import Side

LONGEST_CLIENT_ID = 64
LONGEST_STRATEGY = 64
WAITING = frozenset({
    OrderType.STOP_MARKET, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP, OrderType.MARKET_IF_TOUCHED
})  # fmt: skip
"""Types that wait for a trigger."""
AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a bracket closes: at a limit, at a stop, at a stop with a limit, or behind a trail."""

    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None

    @property
    def type(self) -> OrderType:
        """The order type that does it."""
        if self.trail_amount is not None or self.trail_percent is not None:
            return OrderType.TRAILING_STOP
        if self.stop_price is not None:
            return OrderType.STOP_MARKET if self.limit_price is None else OrderType.STOP_LIMIT
        return OrderType.LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One order, as it was asked for."""

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expires_at: datetime | None = None
    post_only: bool = False
    reduce_only: bool = False
    client_order_id: str | None = None
    take_profit: Exit | None = None
    stop_loss: Exit | None = None
    condition: dict[str, Any] | None = None
    strategy: str | None = None
    cause: OrderCause = OrderCause.USER
    group: str | None = None
    """What it belongs to with others, where that is no contingency: a hedge's id."""


def check_wish(wish: Wish, *path: str) -> None:
    """Refused, with the field and the way out, where the order contradicts itself; its form is matching's to judge."""
    if (wish.quantity is None) == (wish.notional is None):
        raise _wrong("Give either quantity or notional.", *path, "quantity")
    for name, amount in (
        ("notional", wish.notional), ("limitPrice", wish.limit_price), ("stopPrice", wish.stop_price)
    ):  # fmt: skip
        if amount is not None and not (amount.is_finite() and amount > 0):
            raise _wrong(f"{name} must be above 0.", *path, name)
    if wish.time_in_force in AT_ONCE and (wish.type in WAITING or wish.condition is not None):
        told = f"An order that waits cannot be {wish.time_in_force}: use GTC, DAY or GTD."
        raise _wrong(told, *path, "timeInForce")
    if wish.expires_at is not None and wish.time_in_force is not TimeInForce.GTD:
        raise _wrong(f"expiresAt does not go with {wish.time_in_force}: only with GTD.", *path, "expiresAt")
    if wish.reduce_only and (wish.take_profit or wish.stop_loss):
        raise _wrong("An order that closes a position has no takeProfit and no stopLoss.", *path, "reduceOnly")
    check_tag("clientOrderId", wish.client_order_id, LONGEST_CLIENT_ID, *path)
    check_tag("strategy", wish.strategy, LONGEST_STRATEGY, *path)
    for _, name, exit in exits_of(wish):
        if exit is not None:
            _check_exit(wish, exit, name, path)


def check_tag(name: str, text: str | None, longest: int, *path: str) -> None:
    """Refused for what a caller may not call an order."""
    if text is not None and not (0 < len(text) <= longest and text.isascii() and text.isprintable()):
        raise _wrong(f"{name} must be 1 to {longest} printable ASCII characters.", *path, name)


def exit_wish(wish: Wish, exit: Exit) -> Wish:
    """The order that closes what a bracket's entry opens; its quantity follows the entry's fills."""
    return Wish(
        symbol=wish.symbol, side=Side.SELL if wish.side is Side.BUY else Side.BUY, type=exit.type,
        quantity=wish.quantity, limit_price=exit.limit_price, stop_price=exit.stop_price,
        trail_amount=exit.trail_amount, trail_percent=exit.trail_percent, reduce_only=True, strategy=wish.strategy,
        cause=wish.cause,
    )  # fmt: skip


def digest_of_wish(wish: Wish, instrument: InstrumentId) -> str:
    """What stands for an order that a client's id came with, however its symbol was written."""
    return digest(replace(wish, symbol=str(instrument)))


def exits_of(wish: Wish) -> tuple[tuple[OrderLeg, str, Exit | None], ...]:
    """A bracket's, by the names of the input."""
    return (
        (OrderLeg.TAKE_PROFIT, "takeProfit", wish.take_profit), (OrderLeg.STOP_LOSS, "stopLoss", wish.stop_loss)
    )  # fmt: skip


def wished(row: OrderRow) -> Wish:
    """What an order was asked for as, by how it stands."""
    return Wish(
        symbol=row.instrument, side=Side(row.side), type=OrderType(row.type), quantity=row.quantity,
        notional=row.notional if row.quantity is None else None, limit_price=row.limit_price,
        stop_price=row.stop_price, trail_amount=row.trail_amount, trail_percent=row.trail_percent,
        time_in_force=TimeInForce(row.time_in_force),
        expires_at=row.expires_at if row.time_in_force == TimeInForce.GTD else None, post_only=row.post_only,
        reduce_only=row.reduce_only, condition=row.condition,
    )  # fmt: skip


def _check_exit(wish: Wish, exit: Exit, name: str, path: tuple[str, ...]) -> None:
    where = (*path, name)
    trails = exit.trail_amount is not None or exit.trail_percent is not None
    if name == "takeProfit":
        if exit.limit_price is None or trails or exit.stop_price is not None:
            raise _wrong("takeProfit has a limitPrice, and nothing else.", *where)
        return
    if trails:
        if exit.stop_price is not None or exit.limit_price is not None:
            raise _wrong("A stopLoss that trails has no stopPrice and no limitPrice.", *where)
    elif exit.stop_price is None:
        raise _wrong("stopLoss needs stopPrice, trailAmount or trailPercent.", *where)
    profit = wish.take_profit.limit_price if wish.take_profit else None
    if profit is not None and exit.stop_price is not None:
        right = profit > exit.stop_price if wish.side is Side.BUY else profit < exit.stop_price
        if not right:
            side = "above" if wish.side is Side.BUY else "below"
            raise _wrong(f"takeProfit must lie {side} stopLoss for a {wish.side} order.", *where)


def _wrong(message: str, *field: str) -> Refused:
    return Refused("ORDER_INVALID", message, *field)
