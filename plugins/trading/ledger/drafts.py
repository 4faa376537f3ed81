"""Entries before anybody booked them: pure values whose lines sum to zero for each asset, or there are none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from plugins.trading.ledger.chart import EXACT, ZERO, Ledger, minus, money, shown, times, total
from schema.words.orders import EntryKind


class Unbalanced(ValueError):
    """Lines that are no entry: a fault of whoever wrote them, never of a caller's input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """So much of an asset on one ledger: a debit above zero, a credit below."""

    ledger: Ledger
    asset: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry to be: what for, and its lines."""

    kind: EntryKind
    lines: tuple[Line, ...]
    memo: str | None = None
    order_id: str | None = None
    fill_id: str | None = None
    instrument: str | None = None
    """Of the position that it belongs to."""

    def moved(self, ledger: Ledger, asset: str) -> Decimal:
        """What it changes of a balance: 0 where it does not."""
        return total(line.amount for line in self.lines if (line.ledger, line.asset) == (ledger, asset))


def draft(
    kind: EntryKind,
    lines: Iterable[tuple[Ledger, str, Decimal]],
    *,
    memo: str | None = None,
    order_id: str | None = None,
    fill_id: str | None = None,
    instrument: str | None = None,
) -> Draft:
    """Of lines; those of nothing are left out. Unbalanced where an asset's do not sum to zero, or nothing is left."""
    kept = tuple(Line(ledger=ledger, asset=asset, amount=amount) for ledger, asset, amount in lines if amount)
    check(kept)
    return Draft(kind=kind, lines=kept, memo=memo, order_id=order_id, fill_id=fill_id, instrument=instrument)


def check(lines: Sequence[Line]) -> None:
    """Unbalanced says which asset, and by how much."""
    if not lines:
        raise Unbalanced("an entry without lines")
    for line in lines:
        if not line.amount.is_finite() or not line.amount:
            raise Unbalanced(f"{line.amount} {line.asset} is no amount of {line.ledger}")
    for asset in sorted({line.asset for line in lines}):
        left = total(line.amount for line in lines if line.asset == asset)
        if left:
            raise Unbalanced(f"{asset} does not sum to zero: {shown(left)} is left")


def deposit(currency: str, amount: Decimal, *, memo: str | None = None) -> Draft:
    """Money in."""
    amount = _above_zero(money(amount, currency))
    return draft(EntryKind.DEPOSIT, _both(Ledger.CASH, Ledger.EXTERNAL, currency, amount), memo=memo)


def withdrawal(currency: str, amount: Decimal, *, memo: str | None = None) -> Draft:
    """Money out; the amount is above zero."""
    amount = _above_zero(money(amount, currency))
    return draft(EntryKind.WITHDRAWAL, _both(Ledger.CASH, Ledger.EXTERNAL, currency, minus(amount)), memo=memo)


def spot_cash(units: Decimal, price: Decimal, currency: str) -> Decimal:
    """What cash becomes more by units bought (above zero) or sold at a price each, before fees."""
    return money(minus(times(units, price)), currency)


def spot_fill(
    *,
    instrument: str,
    currency: str,
    units: Decimal,
    price: Decimal,
    realised: Decimal = ZERO,
    order_id: str | None = None,
    fill_id: str | None = None,
) -> Draft:
    """Units bought (above zero) or sold at a price each, and the profit, before fees, of what that closed.

    Cash takes `-units × price`, pnl `-realised`, cost what is left of both: `moved(Ledger.COST, currency)` is what
    the position's cost changes by, rounding included.
    """
    cash = spot_cash(units, price, currency)
    profit = money(realised, currency)
    cost = EXACT.subtract(profit, cash)
    return draft(
        EntryKind.TRADE_PNL,
        (
            (Ledger.CASH, currency, cash), (Ledger.COST, currency, cost), (Ledger.PNL, currency, minus(profit)),
            *_both(Ledger.UNITS, Ledger.MARKET, instrument, _something(units)),
        ),
        memo=_deal(units, instrument, price), order_id=order_id, fill_id=fill_id, instrument=instrument,
    )  # fmt: skip


def derivative_fill(
    *,
    instrument: str,
    currency: str,
    units: Decimal,
    price: Decimal,
    realised: Decimal = ZERO,
    order_id: str | None = None,
    fill_id: str | None = None,
) -> Draft:
    """Contracts bought (above zero) or sold: only the profit or loss of what that closed moves cash."""
    profit = money(realised, currency)
    return draft(
        EntryKind.TRADE_PNL,
        (
            *_both(Ledger.CASH, Ledger.PNL, currency, profit),
            *_both(Ledger.UNITS, Ledger.MARKET, instrument, _something(units)),
        ),
        memo=_deal(units, instrument, price), order_id=order_id, fill_id=fill_id, instrument=instrument,
    )  # fmt: skip


def commission(
    currency: str, fee: Decimal, *, order_id: str | None = None, fill_id: str | None = None, memo: str | None = None,
    instrument: str | None = None,
) -> Draft:  # fmt: skip
    """The fee of a fill; below zero it is a rebate."""
    amount = _something(money(fee, currency))
    lines = _both(Ledger.CASH, Ledger.FEES, currency, minus(amount))
    return draft(
        EntryKind.COMMISSION, lines, memo=memo, order_id=order_id, fill_id=fill_id, instrument=instrument
    )  # fmt: skip


def funding(currency: str, amount: Decimal, *, instrument: str, memo: str | None = None) -> Draft:
    """Funding of a perpetual: received above zero, paid below."""
    lines = _both(Ledger.CASH, Ledger.FUNDING, currency, _something(money(amount, currency)))
    return draft(EntryKind.FUNDING, lines, memo=memo, instrument=instrument)


def interest(currency: str, amount: Decimal, *, memo: str | None = None) -> Draft:
    """Interest: received above zero, paid below."""
    lines = _both(Ledger.CASH, Ledger.INTEREST, currency, _something(money(amount, currency)))
    return draft(EntryKind.INTEREST, lines, memo=memo)


def adjustment(currency: str, amount: Decimal, *, memo: str) -> Draft:
    """A correction of cash, or what a broker booked by itself; it says why."""
    lines = _both(Ledger.CASH, Ledger.ADJUSTMENT, currency, _something(money(amount, currency)))
    return draft(EntryKind.ADJUSTMENT, lines, memo=memo)


def units_adjustment(
    *, instrument: str, currency: str, units: Decimal, realised: Decimal, memo: str
) -> Draft:  # fmt: skip
    """Units that came (above zero) or went without a trade, for no money: what those that are gone have cost is
    realised. It says why."""
    profit = money(realised, currency)
    return draft(
        EntryKind.ADJUSTMENT,
        (
            (Ledger.COST, currency, profit), (Ledger.PNL, currency, minus(profit)),
            *_both(Ledger.UNITS, Ledger.MARKET, instrument, _something(units)),
        ),
        memo=memo, instrument=instrument,
    )  # fmt: skip


def conversion(source: str, amount: Decimal, target: str, got: Decimal, *, memo: str | None = None) -> Draft:
    """So much of one currency for so much of another."""
    if source == target:
        raise Unbalanced(f"{source} into itself is no conversion")
    given, taken = _above_zero(money(amount, source)), _above_zero(money(got, target))
    lines = (
        *_both(Ledger.CASH, Ledger.EXCHANGE, source, minus(given)),
        *_both(Ledger.CASH, Ledger.EXCHANGE, target, taken),
    )
    return draft(EntryKind.TRANSFER, lines, memo=memo)


def transfer(currency: str, amount: Decimal, *, memo: str | None = None) -> tuple[Draft, Draft]:
    """From one account to another: what the first books, and what the second does."""
    amount = _above_zero(money(amount, currency))
    out, into = (_both(Ledger.CASH, Ledger.EXCHANGE, currency, each) for each in (minus(amount), amount))
    return draft(EntryKind.TRANSFER, out, memo=memo), draft(EntryKind.TRANSFER, into, memo=memo)


def reversal(of: Draft, *, memo: str | None = None) -> Draft:
    """The same with its sides turned."""
    lines = ((line.ledger, line.asset, minus(line.amount)) for line in of.lines)
    return draft(
        of.kind, lines, memo=memo, order_id=of.order_id, fill_id=of.fill_id, instrument=of.instrument
    )  # fmt: skip


def outgoing(lines: Iterable[Line]) -> dict[str, Decimal]:
    """What a pending entry holds of cash, by currency."""
    lines = tuple(line for line in lines if line.ledger is Ledger.CASH)
    sums = {line.asset: total(each.amount for each in lines if each.asset == line.asset) for line in lines}
    return {asset: minus(amount) for asset, amount in sums.items() if amount < 0}


def _both(one: Ledger, other: Ledger, asset: str, amount: Decimal) -> tuple[tuple[Ledger, str, Decimal], ...]:
    return (one, asset, amount), (other, asset, minus(amount))


def _above_zero(amount: Decimal) -> Decimal:
    if amount <= 0:
        raise Unbalanced(f"{shown(amount)} is not above zero")
    return amount


def _something(amount: Decimal) -> Decimal:
    if not amount:
        raise Unbalanced("an entry of nothing")
    return amount


def _deal(units: Decimal, instrument: str, price: Decimal) -> str:
    return f"{'buy' if units > 0 else 'sell'} {shown(abs(units))} {instrument} at {shown(price)}"
