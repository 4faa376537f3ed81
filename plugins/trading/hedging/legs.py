"""What orders of a hedge are, and what of it is still open. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from hashlib import sha256

from gateway.core.matching.venue import closable
from gateway.core.store import new_id
from plugins.trading.brokers.closable import Bounds
from plugins.trading.orders.wishes import Wish
from plugins.trading.rows import OrderRow
from schema.symbols import InstrumentId
from schema.words.orders import OrderCause, OrderType
from schema.words.problems import Refused
from schema.words.trades import Side

KIND = "hedge"
MOST_LEGS = 10
LONGEST_CLIENT_ID = 64
ZERO = Decimal(0)
_EXACT = Context(prec=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One order at the market."""

    symbol: str
    side: Side
    quantity: Decimal


def hedge_id(account_id: str, client_id: str | None) -> str:
    """The same for the same client's id, so that a repetition finds its orders; else a new one."""
    if client_id is None:
        return new_id(KIND)
    if not (0 < len(client_id) <= LONGEST_CLIENT_ID and client_id.isascii() and client_id.isprintable()):
        told = f"clientHedgeId must be 1 to {LONGEST_CLIENT_ID} printable ASCII characters."
        raise Refused("HEDGE_INVALID", told, "clientHedgeId")
    return f"{KIND}_{sha256(f'{account_id} {client_id}'.encode()).hexdigest()[:24]}"


def check_legs(legs: Sequence[Leg]) -> None:
    """Refused for none, too many, or a quantity that is none."""
    if not 1 <= len(legs) <= MOST_LEGS:
        raise Refused("HEDGE_INVALID", f"A hedge has 1 to {MOST_LEGS} legs, not {len(legs)}.", "legs")
    for n, leg in enumerate(legs):
        if not (leg.quantity.is_finite() and leg.quantity > 0):
            raise Refused("HEDGE_INVALID", "quantity must be above 0.", "legs", str(n), "quantity")


def check_apart(instruments: Sequence[InstrumentId]) -> None:
    """Refused where two legs are of one instrument: they would be one order, or cancel out."""
    for n, instrument in enumerate(instruments):
        if instrument in instruments[:n]:
            raise Refused("HEDGE_INVALID", f"{instrument} has two legs: give one.", "legs", str(n), "symbol")


def wish_of(leg: Leg, hedge: str, number: int, strategy: str | None) -> Wish:
    """An order of a hedge, under an id that no second one can have."""
    return Wish(
        symbol=leg.symbol, side=leg.side, type=OrderType.MARKET, quantity=leg.quantity, strategy=strategy,
        cause=OrderCause.HEDGE, client_order_id=client_order_id(hedge, number), group=hedge,
    )  # fmt: skip


def client_order_id(hedge: str, number: int) -> str:
    """Of a leg, by its place."""
    return f"{hedge}:{number}"


def closing_wish(row: OrderRow, left: Decimal, held: Decimal, hedge: str, bounds: Bounds | None = None) -> Wish | None:
    """The order that takes back what a hedge has of an instrument, as far as the account still holds it, and as its
    broker takes it; None where that is nothing, or less than a step."""
    side = Side.SELL if left > 0 else Side.BUY
    quantity = min(left.copy_abs(), closable(side, held))
    quantity = quantity if bounds is None else bounds.of(quantity)
    if not quantity:
        return None
    return Wish(
        symbol=row.instrument, side=side, type=OrderType.MARKET, quantity=quantity, reduce_only=True,
        cause=OrderCause.CLOSE, strategy=row.strategy, group=hedge,
    )  # fmt: skip


def is_closing(row: OrderRow) -> bool:
    """Whether an order of a hedge takes it back, and has not ended."""
    return row.open and row.cause == OrderCause.CLOSE


def left_of(rows: Iterable[OrderRow]) -> dict[str, Decimal]:
    """What a hedge's orders have opened and not closed again, by instrument; below zero where it was sold."""
    found: dict[str, Decimal] = {}
    for row in rows:
        filled = row.filled if row.side == Side.BUY else row.filled.copy_negate()
        found[row.instrument] = _EXACT.add(found.get(row.instrument, ZERO), filled)
    return {name: amount for name, amount in found.items() if amount}


def unclosed(rows: Iterable[OrderRow]) -> dict[str, Decimal]:
    """The same, less what orders that close it and are still open have left to close."""
    return left_of(replace(row, filled=row.quantity or row.filled) if is_closing(row) else row for row in rows)


def held_of(left: Mapping[str, Decimal], held: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The same as far as an account still holds it: what others have closed since is no part of a hedge."""
    found = {}
    for name, amount in left.items():
        side = Side.SELL if amount > 0 else Side.BUY
        quantity = min(amount.copy_abs(), closable(side, held.get(name, ZERO)))
        found[name] = quantity if amount > 0 else quantity.copy_negate()
    return {name: amount for name, amount in found.items() if amount}
