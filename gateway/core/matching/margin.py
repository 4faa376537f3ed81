"""Margin of an account, what open orders reserve of it, and which positions go first when it is not enough.

Amounts are in one currency, which the caller chooses: reserves in the price's, the rest in the account's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Protocol

from gateway.core.matching.chances import LIMITED
from gateway.core.matching.fees import commission, commissions
from gateway.core.matching.model import ONE, ZERO, ExecutionModel, Fees, Spec
from gateway.core.matching.rounding import EXACT, FINEST, quantum_of
from gateway.core.matching.slippage import BASIS
from gateway.core.matching.venue import closable
from schema.words.orders import Liquidity, OrderType
from schema.words.trades import Side

CALL = Decimal("1.25")
"""Of the maintenance margin: below it there is a margin call, and a liquidation ends there."""
CALM = Decimal("1.5")
"""Of the maintenance margin: from there a margin call is over. What moves around the level of one is told once."""
HALF = Decimal("0.5")
DEFAULT_COLLAR = 1_000


class Terms(Protocol):
    """What a reserve depends on of an order, in matching or as it is kept: its side and its type by their words."""

    @property
    def side(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def limit_price(self) -> Decimal | None: ...
    @property
    def stop_price(self) -> Decimal | None: ...
    @property
    def reduce_only(self) -> bool: ...
    @property
    def fills(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """An account's figures, in its base currency."""

    equity: Decimal
    used: Decimal
    available: Decimal
    buying_power: Decimal
    maintenance: Decimal

    @property
    def call(self) -> bool:
        """`equity < maintenance × 1.25`, where anything is held."""
        return self.maintenance > 0 and self.equity < EXACT.multiply(self.maintenance, CALL)

    @property
    def calm(self) -> bool:
        """`equity ≥ maintenance × 1.5`, or nothing is held."""
        return self.maintenance <= 0 or self.equity >= EXACT.multiply(self.maintenance, CALM)

    @property
    def liquidation(self) -> bool:
        """`equity < maintenance`."""
        return self.equity < self.maintenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """A position as a liquidation sees it: what it has lost or gained, and the maintenance margin that it needs."""

    name: str
    unrealised: Decimal
    maintenance: Decimal


def initial(notional: Decimal, leverage: Decimal) -> Decimal:
    """`|notional| ÷ leverage`, half to even at 24 digits."""
    with localcontext(EXACT):
        return (abs(notional) / leverage).quantize(ONE.scaleb(-FINEST)) if leverage != ONE else abs(notional)


def maintenance(notional: Decimal, leverage: Decimal) -> Decimal:
    """Half of the initial margin."""
    return EXACT.multiply(initial(notional, leverage), HALF)


def margin(
    equity: Decimal, notionals: Iterable[Decimal], leverage: Decimal, reserved: Decimal = ZERO, pending: Decimal = ZERO
) -> Margin:
    """Of a margin account: positions at their marks, what open orders reserve, and what pending entries hold: money
    that is there still, and may not be spent.

    `used = Σ initial + reserved`, `available = equity − used − pending`,
    `buying power = available × leverage`, never below 0.
    """
    with localcontext(EXACT):
        each = [initial(notional, leverage) for notional in notionals]
        held = sum(each, ZERO)
        used = held + reserved
        available = equity - used - pending
        return Margin(
            equity=equity,
            used=used,
            available=available,
            buying_power=max(ZERO, available * leverage),
            maintenance=held * HALF,
        )


def buying_power(cash: Decimal, held: Decimal, reserved: Decimal) -> Decimal:
    """Of a cash account, in one currency: `cash − held − reserved`, never below 0."""
    with localcontext(EXACT):
        return max(ZERO, cash - held - reserved)


def opening(side: Side, quantity: Decimal, held: Decimal, ahead: Decimal = ZERO) -> Decimal:
    """The part of an order that opens: what is left once it has closed a position of the other side.

    `ahead` is what open orders before it, of the same side, are to close already.
    """
    with localcontext(EXACT):
        closing = max(ZERO, closable(side, held) - ahead)
        return max(ZERO, quantity - closing)


def worst_price(order: Terms, price: Decimal, collar_bps: int | None) -> Decimal:
    """The price at which an order is reserved for.

    A purchase with a limit: the limit. A sale with one: the limit, or the market's price where that is higher. Without
    a limit: the market's price, or the stop where that is higher, and half the collar more (5 % where there is none).
    """
    if order.type in LIMITED and order.limit_price is not None:
        return order.limit_price if order.side == Side.BUY else max(order.limit_price, price)
    with localcontext(EXACT):
        from_price = price
        if order.stop_price is not None and order.type != OrderType.MARKET_IF_TOUCHED:
            from_price = max(price, order.stop_price)
        buffer = Decimal(DEFAULT_COLLAR if collar_bps is None else collar_bps) / BASIS * HALF
        return from_price * (ONE + buffer)


def reserve(
    order: Terms, price: Decimal, spec: Spec, model: ExecutionModel, leverage: Decimal, opens: Decimal
) -> Decimal:
    """What an open order holds back: `opens × contract size × worst price ÷ leverage`, and the fee of a fill at it.

    `opens` is the part of what is left of it that opens (`opening`); nothing for a reduce-only order, and for what
    closes. Leverage is 1 in a cash account, where `opens` of a sale is 0: it is covered by units, not by cash.
    """
    if order.reduce_only or opens <= 0:
        return ZERO
    worst = worst_price(order, price, model.collar_bps)
    return _reserve(worst, opens, spec.contract_size, spec.currency, model.fees, leverage, not order.fills)


@lru_cache(maxsize=16_384)
def _reserve(
    worst: Decimal, opens: Decimal, size: Decimal, currency: str, fees: Fees, leverage: Decimal, first: bool
) -> Decimal:
    """Kept, as all that rests in an account is reckoned anew with each of its fills."""
    dearer = Liquidity.TAKER if fees.taker >= fees.maker else Liquidity.MAKER
    raw = commission(fees, opens, worst, size, dearer, first=first)
    with localcontext(EXACT):
        needed = initial(opens * size * worst, leverage)
        return _up(needed, quantum_of(currency)) + commissions(fees, (raw,), currency)[0]


def liquidations(equity: Decimal, stakes: Iterable[Stake]) -> tuple[Stake, ...]:
    """Which positions are closed, in order: the largest loss first, until `equity ≥ maintenance × 1.25`, or all.

    Nothing where `equity ≥ maintenance`. Closing at the mark leaves equity as it is and frees the maintenance margin;
    what fees and slippage take shows when it is asked again.
    """
    ordered = sorted(stakes, key=lambda stake: (stake.unrealised, stake.name))
    with localcontext(EXACT):
        needed = sum((stake.maintenance for stake in ordered), ZERO)
        if equity >= needed:
            return ()
        chosen = list[Stake]()
        for stake in ordered:
            if equity >= needed * CALL and chosen:
                break
            chosen.append(stake)
            needed -= stake.maintenance
        return tuple(chosen)


def _up(amount: Decimal, quantum: Decimal) -> Decimal:
    """To the currency's digits, never too little."""
    rounded = amount.quantize(quantum)
    return rounded if rounded >= amount else rounded + quantum
