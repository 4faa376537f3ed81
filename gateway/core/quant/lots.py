"""Lots of one instrument by average cost or first in, first out: exact decimals, long and short, no numpy.

Realised PnL is before fees, which are counted apart, as income is. Money is never lost by rounding: only the cost that
leaves with a part of a lot is rounded (24 digits, half even), and what stays keeps the rest, so that realised and
unrealised PnL sum to the cash that came in plus the market value, exactly. A split touches no lot: each is counted in
units of when it was last traded, and turned (24 digits, half even) when it is next needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from enum import StrEnum
from itertools import pairwise

from gateway.core.quant.steps import Steps, whole
from schema.errors import BadInput

ZERO = Decimal(0)
_STEP = Decimal("1e-24")
_DECIMALS, _LARGEST = 24, 30
_EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)
A_STEP = 100
"""Entries."""


class LotMethod(StrEnum):
    """Which units a sale takes."""

    AVERAGE_COST = "AVERAGE_COST"
    FIFO = "FIFO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """So many units bought (positive) or sold (negative) at a price each; selling more than is held goes short."""

    at: date
    quantity: Decimal
    price: Decimal
    fee: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """`new` units for each `old`: 4 for 1, or 1 for 10 where it is a reverse split. Cost stays."""

    at: date
    new: Decimal
    old: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Income:
    """A dividend or interest; negative where a short position pays it."""

    at: date
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """A cost that belongs to no trade, such as custody."""

    at: date
    amount: Decimal


Entry = Trade | Split | Income | Fee
"""`at` is a day or an instant; one kind throughout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Units held since a day; quantity and cost are negative where they are short."""

    opened: date
    quantity: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What closing a lot, or a part of it, brought: `pnl = proceeds − cost`, all of them signed as the lot was."""

    opened: date
    closed: date
    quantity: Decimal
    cost: Decimal
    proceeds: Decimal

    @property
    def pnl(self) -> Decimal:
        """Before fees."""
        return _EXACT.subtract(self.proceeds, self.cost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """An instrument after all entries."""

    lots: tuple[Lot, ...]
    closings: tuple[Closing, ...]
    income: Decimal
    fees: Decimal

    @property
    def quantity(self) -> Decimal:
        """Units held, negative where short."""
        return _sum(lot.quantity for lot in self.lots)

    @property
    def cost(self) -> Decimal:
        """Of what is held, before fees."""
        return _sum(lot.cost for lot in self.lots)

    @property
    def realised(self) -> Decimal:
        """PnL of what was closed, before fees and without income."""
        return _sum(closing.pnl for closing in self.closings)

    def unrealised(self, price: Decimal) -> Decimal:
        """PnL of what is held at a price: `quantity·price − cost`."""
        return _EXACT.subtract(_EXACT.multiply(self.quantity, price), self.cost)

    def total(self, price: Decimal) -> Decimal:
        """`realised + unrealised + income − fees`."""
        return _sum((self.realised, self.unrealised(price), self.income, _EXACT.minus(self.fees)))


def book(entries: Sequence[Entry], method: LotMethod) -> Book:
    """Entries of one instrument in order of time; BadInput names the one that is out of order or not a number.

    `realised = Σ quantity·(price − cost of a unit)` of what is closed, in the instrument's currency; the cost of a
    unit is that of the oldest lot, or `Σ cost / Σ quantity` of what is held. Source: IAS 2.25 and 2.27, first in,
    first out and weighted average cost.
    """
    return whole(book_in_steps(entries, method))


def book_in_steps(entries: Sequence[Entry], method: LotMethod) -> Steps[Book]:
    """The same, some entries a step; the precision of a thread is as it was wherever it yields."""
    _check(entries)
    page = _Page(method)
    for begin in range(0, len(entries), A_STEP):
        yield
        with localcontext(_EXACT):
            for entry in entries[begin : begin + A_STEP]:
                page.enter(entry)
    with localcontext(_EXACT):
        lots = page.lots
    return Book(lots=lots, closings=tuple(page.closings), income=page.income, fees=page.fees)


@dataclass(slots=True)
class _Page:
    """A book while it is written."""

    method: LotMethod
    held: list[tuple[Lot, Decimal]] = field(default_factory=list)
    """Each with the factor that its units are of."""
    factor: Decimal = Decimal(1)
    """The product of all splits until now."""
    closings: list[Closing] = field(default_factory=list)
    income: Decimal = ZERO
    fees: Decimal = ZERO

    @property
    def lots(self) -> tuple[Lot, ...]:
        return tuple(self._turned(place) for place in range(len(self.held)))

    def enter(self, entry: Entry) -> None:
        match entry:
            case Trade():
                self.fees += entry.fee
                self._trade(entry)
            case Split():
                self.factor = self.factor * entry.new / entry.old
            case Income():
                self.income += entry.amount
            case Fee():
                self.fees += entry.amount

    def _trade(self, trade: Trade) -> None:
        left = trade.quantity
        while left and self.held and (self.held[0][0].quantity > 0) != (left > 0):
            left += self._close(trade, left)
        if left:
            self._open(Lot(opened=trade.at, quantity=left, cost=left * trade.price))

    def _close(self, trade: Trade, wanted: Decimal) -> Decimal:
        """Close the first lot against a trade as far as both go; the units closed, signed as the lot was."""
        lot = self._turned(0)
        whole = abs(wanted) >= abs(lot.quantity)
        quantity = lot.quantity if whole else -wanted
        cost = lot.cost if whole else _share(lot.cost, quantity, lot.quantity)
        closing = Closing(
            opened=lot.opened, closed=trade.at, quantity=quantity, cost=cost, proceeds=quantity * trade.price
        )
        self.closings.append(closing)
        rest = replace(lot, quantity=lot.quantity - quantity, cost=lot.cost - cost)
        self.held[:1] = [] if whole else [(rest, self.factor)]
        return quantity

    def _open(self, lot: Lot) -> None:
        if self.method is LotMethod.AVERAGE_COST and self.held:
            held = self._turned(0)
            both = replace(held, quantity=held.quantity + lot.quantity, cost=held.cost + lot.cost)
            self.held[0] = (both, self.factor)
        else:
            self.held.append((lot, self.factor))

    def _turned(self, place: int) -> Lot:
        """In units of now."""
        lot, factor = self.held[place]
        return lot if factor == self.factor else replace(lot, quantity=_share(lot.quantity, self.factor, factor))


def _share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    share = (amount * part / whole).quantize(_STEP).normalize()
    return share.quantize(Decimal(1)) if share == share.to_integral_value() else share


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    with localcontext(_EXACT):
        return sum(amounts, ZERO)


def _check(entries: Sequence[Entry]) -> None:
    for position, (before, entry) in enumerate(pairwise(entries), 1):
        if entry.at < before.at:
            raise BadInput(f"entries[{position}].at", f"{entry.at} is before {before.at}: give them in order of time")
    for position, entry in enumerate(entries):
        for name, amount in _amounts(entry):
            _check_amount(f"entries[{position}].{name}", amount)
        if isinstance(entry, Trade) and not entry.quantity:
            raise BadInput(f"entries[{position}].quantity", "a trade of nothing: leave it out")
        if isinstance(entry, Split) and (entry.new <= 0 or entry.old <= 0):
            raise BadInput(f"entries[{position}].new", f"a split of {entry.new} for {entry.old}: both must be above 0")


def _amounts(entry: Entry) -> tuple[tuple[str, Decimal], ...]:
    match entry:
        case Trade():
            return ("quantity", entry.quantity), ("price", entry.price), ("fee", entry.fee)
        case Split():
            return ("new", entry.new), ("old", entry.old)
        case Income() | Fee():
            return (("amount", entry.amount),)


def _check_amount(name: str, amount: Decimal) -> None:
    if not amount.is_finite():
        raise BadInput(name, f"{amount} is not a number")
    decimals = -int(amount.as_tuple().exponent)
    if amount and (decimals > _DECIMALS or amount.adjusted() > _LARGEST):
        raise BadInput(name, f"{amount}: at most {_DECIMALS} decimals, and below 10^{_LARGEST + 1}")
