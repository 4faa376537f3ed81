"""Profit and loss by lots: realised, unrealised, income and fees of each instrument, in its own currency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Context as Precision
from decimal import Decimal
from typing import Self

from gateway.core.contract import Context
from gateway.core.quant.lots import Book, Entry, Fee, Income, Lot, LotMethod, Split, Trade, book_in_steps
from gateway.core.quant.steps import Steps
from plugins.portfolio.bench import Bench
from plugins.portfolio.ledger import EXACT, Ratios, held_in_steps, units_of
from plugins.portfolio.store import PortfolioRow, TransactionRow
from plugins.portfolio.transactions import PRICED, ZERO, TransactionKind
from plugins.portfolio.valuation.holdings import Appraiser
from plugins.portfolio.valuation.marks import Mark, Marks

_DIVIDED = Precision(prec=40)
K = TransactionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Profit:
    """Of one instrument, or of cash in one currency (`instrument` is None then), in `currency`."""

    instrument: str | None
    currency: str
    lots: tuple[Lot, ...]
    quantity: Decimal
    cost: Decimal
    realised: Decimal
    income: Decimal
    fees: Decimal
    price: Decimal | None = None
    """In `currency`; None where it is not known."""

    @classmethod
    def of(cls, instrument: str, currency: str, made: Book) -> Self:
        """Summed once: prices come and go."""
        return cls(
            instrument=instrument or None, currency=currency, lots=made.lots, quantity=made.quantity, cost=made.cost,
            realised=made.realised, income=made.income, fees=made.fees,
        )  # fmt: skip

    @property
    def unrealised(self) -> Decimal | None:
        """None without a price."""
        if not self.quantity:
            return ZERO
        return None if self.price is None else EXACT.subtract(EXACT.multiply(self.quantity, self.price), self.cost)

    @property
    def total(self) -> Decimal | None:
        """Realised and unrealised, and income, less fees."""
        unrealised = self.unrealised
        if unrealised is None:
            return None
        gained = EXACT.add(EXACT.add(self.realised, unrealised), self.income)
        return EXACT.subtract(gained, self.fees)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profits:
    """All of a portfolio at an instant, with the rates by which it is summed."""

    method: LotMethod
    at: datetime
    lines: tuple[Profit, ...]
    marks: Marks

    def sums(self) -> dict[str, Decimal | None]:
        """Realised, unrealised, income, fees and total of all lines, in the portfolio's currency."""
        return {
            "realised": self.sum([(line.realised, line.currency) for line in self.lines]),
            "unrealised": self.sum([(line.unrealised, line.currency) for line in self.lines]),
            "income": self.sum([(line.income, line.currency) for line in self.lines]),
            "fees": self.sum([(line.fees, line.currency) for line in self.lines]),
            "total": self.sum([(line.total, line.currency) for line in self.lines]),
        }

    def at_marks(self, marks: Marks) -> Profits:
        """The same lots by other prices of now."""
        lines = []
        for line in self.lines:
            mark = marks.prices.get(line.instrument or "")
            price = None if mark is None else _price(mark, marks, line.currency)
            lines.append(replace(line, price=price))
        return replace(self, lines=tuple(lines), marks=marks)

    def sum(self, amounts: Sequence[tuple[Decimal | None, str]]) -> Decimal | None:
        """In the portfolio's currency at the rates of the instant; None where one is missing."""
        total = ZERO
        for amount, currency in amounts:
            worth = None if amount is None else self.marks.worth(amount, currency)
            if worth is None:
                return None
            total = EXACT.add(total, worth)
        return total


async def profits_of(
    context: Context, appraiser: Appraiser, row: PortfolioRow, method: LotMethod, at: datetime | None,
    rows: Sequence[TransactionRow] | None = None,
) -> Profits:  # fmt: skip
    """By average cost or first in, first out; of a portfolio of weights there are none.

    *rows* are its transactions, where they were read already.
    """
    rows, bench = await appraiser.transactions(context, row) if rows is None else rows, context.service(Bench)
    booked = await bench.run_in_turns(context, _booked, row, rows, method, at)
    marks = await appraiser.marks(context, row, booked.units, dict.fromkeys(booked.currencies, ZERO), at)
    return await bench.run(context, _marked, booked, method, at, at or context.now, marks)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Booked:
    units: Mapping[str, Decimal]
    ratios: Ratios
    lines: tuple[Profit, ...]
    currencies: frozenset[str]


def _booked(
    row: PortfolioRow, rows: Sequence[TransactionRow], method: LotMethod, at: datetime | None
) -> Steps[_Booked]:
    told = [each for each in rows if at is None or each.at <= at]
    held = yield from held_in_steps(told, tracks_cash=row.tracks_cash)
    lines = []
    for (name, currency), entries in sorted((yield from _by_line(told)).items()):
        made = yield from book_in_steps(entries, method)
        lines.append(Profit.of(name, currency, made))
    currencies = frozenset(each.currency for each in told)
    return _Booked(units=held.units, ratios=Ratios(rows), lines=tuple(lines), currencies=currencies)


def _marked(booked: _Booked, method: LotMethod, at: datetime | None, then: datetime, marks: Marks) -> Profits:
    found = Profits(method=method, at=then, lines=booked.lines, marks=marks).at_marks(marks)
    if at is None:
        return found
    # Closes come adjusted for splits; the portfolio's own splits say what a unit was then.
    turned = [
        line if line.price is None else replace(line, price=EXACT.multiply(line.price, booked.ratios.since(name, at)))
        for line in found.lines
        for name in (line.instrument or "",)
    ]
    return replace(found, lines=tuple(turned))


def _by_line(rows: Sequence[TransactionRow]) -> Steps[Mapping[tuple[str, str], list[Entry]]]:
    found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for row in rows:
        if entries := _entries(row):
            found[row.instrument or "", row.currency] += entries
        yield
    return found


def _entries(row: TransactionRow) -> list[Entry]:
    """What a transaction is to lots; a payment is nothing to them but its fee."""
    kind, entries = TransactionKind(row.kind), list[Entry]()
    if kind in PRICED:
        return [Trade(at=row.at, quantity=units_of(row), price=row.price or ZERO, fee=row.fee)]
    if kind is K.SPLIT:
        return [Split(at=row.at, new=row.ratio or Decimal(1))]
    if kind in (K.DIVIDEND, K.INTEREST):
        entries.append(Income(at=row.at, amount=row.amount or ZERO))
    elif kind is K.FEE:
        entries.append(Fee(at=row.at, amount=row.amount or ZERO))
    if row.fee:
        entries.append(Fee(at=row.at, amount=row.fee))
    return entries


def _price(mark: Mark, marks: Marks, currency: str) -> Decimal | None:
    """In the currency that the instrument was recorded in."""
    if mark.currency == currency:
        return mark.price
    worth, one = marks.worth(mark.price, mark.currency), marks.worth(Decimal(1), currency)
    return None if worth is None or not one else _DIVIDED.divide(worth, one)
