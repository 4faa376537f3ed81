"""What a portfolio holds after its transactions: units by instrument, cash by currency. Pure, exact."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal

from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.steps import Steps, whole
from plugins.portfolio.store import TransactionRow
from plugins.portfolio.transactions import PAYMENTS, TRADES, TRANSFERS, ZERO, TransactionKind

EXACT = Context(prec=100)
_DIGITS = 60
"""Before the point, or noughts behind it."""
K = TransactionKind


@dataclass(slots=True)
class Held:
    """Units (short ones negative) and cash, as transactions go on."""

    units: dict[str, Decimal] = field(default_factory=dict)
    cash: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    came: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """Cash from outside, less what went there."""
    moved: dict[str, Decimal] = field(default_factory=dict)
    """Units of transfers, as units of now."""

    def take(self, row: TransactionRow, *, tracks_cash: bool) -> None:
        """One more transaction."""
        kind = K(row.kind)
        if row.instrument is not None and (change := units_of(row)):
            self._put(row.instrument, EXACT.add(self.units.get(row.instrument, ZERO), change))
        if kind is K.SPLIT and row.instrument in self.units and row.ratio is not None:
            self._put(row.instrument, _counted(EXACT.multiply(self.units[row.instrument], row.ratio), row))
        if tracks_cash and (paid := cash_of(row)):
            self.cash[row.currency] = EXACT.add(self.cash[row.currency], paid)
        if brought := brought_in(row, tracks_cash=tracks_cash):
            self.came[row.currency] = EXACT.add(self.came[row.currency], brought)
        if row.instrument is not None and kind in TRANSFERS:
            self.moved[row.instrument] = EXACT.add(self.moved.get(row.instrument, ZERO), units_of(row))
        if kind is K.SPLIT and row.instrument in self.moved and row.ratio is not None:
            self.moved[row.instrument] = _counted(EXACT.multiply(self.moved[row.instrument], row.ratio), row)

    def _put(self, instrument: str, units: Decimal) -> None:
        if units:
            self.units[instrument] = units
        else:
            self.units.pop(instrument, None)


def held_after(rows: Iterable[TransactionRow], *, tracks_cash: bool) -> Held:
    """All of them, in their order."""
    return whole(held_in_steps(rows, tracks_cash=tracks_cash))


def held_in_steps(rows: Iterable[TransactionRow], *, tracks_cash: bool) -> Steps[Held]:
    """The same, a row a step."""
    held = Held()
    for row in rows:
        held.take(row, tracks_cash=tracks_cash)
        yield
    return held


def units_of(row: TransactionRow) -> Decimal:
    """Units that come (or go, negative); 0 for what moves none."""
    if row.quantity is None:
        return ZERO
    return row.quantity if row.kind in (K.BUY, K.TRANSFER_IN) else -row.quantity


def cash_of(row: TransactionRow) -> Decimal:
    """Cash that comes (or goes, negative), in the transaction's currency, fees taken off."""
    kind = K(row.kind)
    if kind in TRADES:
        worth = EXACT.multiply(row.quantity or ZERO, row.price or ZERO)
        return EXACT.subtract(worth if kind is K.SELL else -worth, row.fee)
    amount = row.amount or ZERO
    return EXACT.subtract(-amount if kind in (K.FEE, K.WITHDRAWAL) else amount, row.fee)


def brought_in(row: TransactionRow, *, tracks_cash: bool) -> Decimal:
    """Cash from outside (or to it, negative): payments; of a portfolio without cash, what every transaction needs."""
    if not tracks_cash:
        return -cash_of(row)
    if row.kind not in PAYMENTS:
        return ZERO
    return (row.amount or ZERO) if row.kind == K.DEPOSIT else -(row.amount or ZERO)


def moves_money(row: TransactionRow, *, tracks_cash: bool) -> bool:
    """Whether anything came from outside, or went there: cash, or units."""
    return K(row.kind) in TRANSFERS or bool(brought_in(row, tracks_cash=tracks_cash))


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum, exactly."""
    found = ZERO
    for amount in amounts:
        found = EXACT.add(found, amount)
    return found


class Ratios:
    """Splits that a portfolio's own transactions tell: how many units of today a unit of the past is."""

    def __init__(self, rows: Sequence[TransactionRow]) -> None:
        """Of rows in their order."""
        splits: dict[str, list[TransactionRow]] = defaultdict(list)
        for row in rows:
            if row.kind == K.SPLIT and row.instrument is not None:
                splits[row.instrument].append(row)
        self._splits = {name: _behind(told) for name, told in splits.items()}

    def since(self, instrument: str, when: date | datetime) -> Decimal:
        """The product of the ratios of splits after an instant, or after a day's end.

        A close adjusted for splits, times it, is one of a unit as it was then.
        """
        end = when if isinstance(when, datetime) else datetime.combine(when, time.max, UTC)
        instants, products = self._splits.get(instrument, _NO_SPLITS)
        return products[bisect_right(instants, end)]


_NO_SPLITS: tuple[list[datetime], list[Decimal]] = ([], [Decimal(1)])


def _behind(splits: Sequence[TransactionRow]) -> tuple[list[datetime], list[Decimal]]:
    """Instants of splits, and before each of them (and behind the last) the product of those that are still to come."""
    products = [Decimal(1)]
    for row in reversed(splits):
        products.append(_counted(EXACT.multiply(products[-1], row.ratio or Decimal(1)), row))
    return [row.at for row in splits], products[::-1]


def _counted(number: Decimal, split: TransactionRow) -> Decimal:
    """What a split makes; NotComputable for what nobody could show, which is recorded no more."""
    if abs(number.adjusted()) > _DIGITS:
        told = "its splits make more, or less, of a unit than can be counted"
        raise NotComputable(
            f"{split.instrument}: {told}: delete the SPLIT of {split.at.date()} with ratio {split.ratio}"
        )
    return number


def weights_of(told: Sequence[Sequence[str]]) -> Mapping[str, Decimal]:
    """Weights by instrument, as they are stored."""
    return {instrument: Decimal(weight) for instrument, weight in told}
