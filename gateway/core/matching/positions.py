"""Positions of one instrument, fill by fill: netting, average cost or first in, first out; exact.

Lots are what `gateway.core.quant.lots.book` makes of the same trades, one fill at a time. Where a quantum is given,
every amount of money is a multiple of it (half to even), and what rounding leaves stays in the cost: for each fill
`opened cost − closed proceeds + cash = 0` and `realised = proceeds − cost of what left`, to the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, localcontext

from gateway.core.matching.rounding import EXACT, ZERO, money, quotient, total_of
from gateway.core.quant.lots import Closing, Lot, LotMethod
from schema.words.trades import Side

PRICE_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What is held of an instrument. Quantities are contracts, below 0 where short; costs are money, signed alike."""

    lots: tuple[Lot, ...]
    opened_at: datetime
    bought: Decimal = ZERO
    """Contracts that opened it, since it was flat, and their value before any rounding."""
    bought_value: Decimal = ZERO
    sold: Decimal = ZERO
    """Contracts that closed it, and their value before any rounding."""
    sold_value: Decimal = ZERO
    realised: Decimal = ZERO
    """Since it was opened, before fees and funding."""
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    """Received; below 0 where it was paid."""

    @property
    def quantity(self) -> Decimal:
        """Contracts, below 0 where short."""
        return total_of(lot.quantity for lot in self.lots)

    @property
    def cost(self) -> Decimal:
        """Of what is held, before fees; below 0 where short."""
        return total_of(lot.cost for lot in self.lots)

    @property
    def side(self) -> Side:
        """BUY where it is long."""
        return Side.BUY if self.lots[0].quantity > 0 else Side.SELL


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A position from its opening to its end: `realised − fees + funding` is what it brought."""

    side: Side
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    realised: Decimal
    fees: Decimal
    funding: Decimal
    opened_at: datetime
    closed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What a fill made of a position. Costs and proceeds are signed as what they belong to was held."""

    position: Position | None
    """None where nothing is held any more."""
    closed: tuple[Closing, ...]
    opened_quantity: Decimal
    """Contracts that were opened, below 0 where short."""
    cost_in: Decimal
    """Of what was opened."""
    trip: Trip | None = None
    """What ended with it; where the fill went through to the other side, `position` is a new one."""

    @property
    def cost_out(self) -> Decimal:
        """Of what was closed."""
        return total_of(each.cost for each in self.closed)

    @property
    def proceeds(self) -> Decimal:
        """Of what was closed."""
        return total_of(each.proceeds for each in self.closed)

    @property
    def closed_quantity(self) -> Decimal:
        """Contracts that were closed, signed as they were held."""
        return total_of(each.quantity for each in self.closed)

    @property
    def realised(self) -> Decimal:
        """`proceeds − cost_out`, before fees."""
        return EXACT.subtract(self.proceeds, self.cost_out)

    @property
    def cash(self) -> Decimal:
        """What spot moves, before fees: `proceeds − cost_in`; a derivative moves `realised`."""
        return EXACT.subtract(self.proceeds, self.cost_in)


def apply(
    position: Position | None,
    side: Side,
    quantity: Decimal,
    price: Decimal,
    at: datetime,
    method: LotMethod,
    contract_size: Decimal = Decimal(1),
    *,
    quantum: Decimal | None = None,
    fee: Decimal = ZERO,
) -> Applied:
    """A fill closes lots of the other side, by `method`, and opens with what is left of it.

    A fee belongs to the position that the fill opens, adds to or closes; one that goes through to the other side
    divides it by quantity. ValueError where the quantity is not above 0.
    """
    if quantity <= 0:
        raise ValueError(f"a fill of {quantity}: it must be above 0")
    with localcontext(EXACT):
        signed = quantity if side is Side.BUY else -quantity
        purse = _Purse(price * contract_size, quantum)
        held, closed, left = _close(position.lots if position else (), signed, at, purse, quantum)
        cost_in = purse.value(left) if left else ZERO
        closed_quantity = abs(signed - left)
        fee_out = (
            money(quotient(fee * closed_quantity, quantity), quantum) if closed and left else fee if closed else ZERO
        )
        ended = _reduced(position, held, closed, closed_quantity * price * contract_size, fee_out)
        over = position is not None and ended is not None and not held
        trip = _trip(ended, position.side, at, contract_size) if over and position and ended else None
        after = None if over else ended
        if left:
            lots = _open(held, Lot(opened=at, quantity=left, cost=cost_in), method)
            after = _grown(after, lots, at, abs(left), abs(left) * price * contract_size, fee - fee_out)
    return Applied(position=after, closed=closed, opened_quantity=left, cost_in=cost_in, trip=trip)


def funded(position: Position, amount: Decimal) -> Position:
    """With funding that was received, below 0 where it was paid."""
    return replace(position, funding=EXACT.add(position.funding, amount))


def average_price(position: Position, contract_size: Decimal = Decimal(1)) -> Decimal:
    """`cost ÷ (quantity × contract size)`: what a unit that is held has cost."""
    return quotient(position.cost, EXACT.multiply(position.quantity, contract_size), PRICE_DIGITS)


def market_value(quantity: Decimal, price: Decimal, contract_size: Decimal = Decimal(1)) -> Decimal:
    """`quantity × contract size × price`, below 0 where short."""
    return EXACT.multiply(EXACT.multiply(quantity, contract_size), price)


def unrealised(position: Position, price: Decimal, contract_size: Decimal = Decimal(1)) -> Decimal:
    """`quantity × contract size × price − cost`: for longs and shorts alike."""
    return EXACT.subtract(market_value(position.quantity, price, contract_size), position.cost)


def unrealised_percent(position: Position, price: Decimal, contract_size: Decimal = Decimal(1)) -> Decimal | None:
    """`100 × unrealised ÷ |cost|`; None where it has cost nothing."""
    cost = position.cost
    if not cost:
        return None
    gain = EXACT.multiply(unrealised(position, price, contract_size), Decimal(100))
    return quotient(gain, EXACT.abs(cost), PRICE_DIGITS)


class _Purse:
    """The value of a fill's parts, each rounded so that together they are the rounded value of the fill."""

    __slots__ = ("_each", "_quantum", "_told", "_units")

    def __init__(self, each: Decimal, quantum: Decimal | None) -> None:
        self._each, self._quantum = each, quantum
        self._units, self._told = ZERO, ZERO

    def value(self, quantity: Decimal) -> Decimal:
        """Of the next so many contracts, signed as these are."""
        self._units += abs(quantity)
        until = money(self._units * self._each, self._quantum)
        part, self._told = until - self._told, until
        return part if quantity > 0 else -part


def _close(
    lots: tuple[Lot, ...], signed: Decimal, at: datetime, purse: _Purse, quantum: Decimal | None
) -> tuple[tuple[Lot, ...], tuple[Closing, ...], Decimal]:
    """The lots that stay, what was closed, and what of the fill is left to open with."""
    held, closed, left = list(lots), list[Closing](), signed
    while left and held and (held[0].quantity > 0) != (left > 0):
        lot = held[0]
        whole = abs(left) >= abs(lot.quantity)
        quantity = lot.quantity if whole else -left
        cost = lot.cost if whole else _share(lot, quantity, quantum)
        proceeds = purse.value(quantity)
        closed.append(Closing(opened=lot.opened, closed=at, quantity=quantity, cost=cost, proceeds=proceeds))
        held[:1] = [] if whole else [replace(lot, quantity=lot.quantity - quantity, cost=lot.cost - cost)]
        left += quantity
    return tuple(held), tuple(closed), left


def _share(lot: Lot, quantity: Decimal, quantum: Decimal | None) -> Decimal:
    """The cost that leaves with a part of a lot, half to even; what stays keeps the rest."""
    share = quotient(lot.cost * quantity, lot.quantity)
    return money(lot.cost * quantity / lot.quantity, quantum) if quantum is not None else share


def _open(held: tuple[Lot, ...], lot: Lot, method: LotMethod) -> tuple[Lot, ...]:
    """By average cost there is one lot, as old as its first part."""
    if method is LotMethod.AVERAGE_COST and held:
        first = held[0]
        return (replace(first, quantity=first.quantity + lot.quantity, cost=first.cost + lot.cost),)
    return (*held, lot)


def _reduced(
    position: Position | None,
    held: tuple[Lot, ...],
    closed: tuple[Closing, ...],
    value: Decimal,
    fee: Decimal,
) -> Position | None:
    if position is None or not closed:
        return position
    quantity = sum((abs(each.quantity) for each in closed), ZERO)
    return replace(
        position,
        lots=held,
        sold=position.sold + quantity,
        sold_value=position.sold_value + value,
        realised=position.realised + sum((each.proceeds - each.cost for each in closed), ZERO),
        fees=position.fees + fee,
    )


def _grown(
    position: Position | None, lots: tuple[Lot, ...], at: datetime, quantity: Decimal, value: Decimal, fee: Decimal
) -> Position:
    before = position or Position(lots=(), opened_at=at)
    return replace(
        before,
        lots=lots,
        bought=before.bought + quantity,
        bought_value=before.bought_value + value,
        fees=before.fees + fee,
    )


def _trip(position: Position, side: Side, at: datetime, contract_size: Decimal) -> Trip:
    return Trip(
        side=side,
        quantity=position.sold,
        entry_price=quotient(position.bought_value, position.bought * contract_size, PRICE_DIGITS),
        exit_price=quotient(position.sold_value, position.sold * contract_size, PRICE_DIGITS),
        realised=position.realised,
        fees=position.fees,
        funding=position.funding,
        opened_at=position.opened_at,
        closed_at=at,
    )
