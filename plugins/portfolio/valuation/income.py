"""What a portfolio has earned and paid. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from gateway.core.quant.steps import Steps
from plugins.portfolio.ledger import EXACT, total
from plugins.portfolio.store import TransactionRow
from plugins.portfolio.transactions import ZERO, TransactionKind

EARNING = frozenset({TransactionKind.DIVIDEND, TransactionKind.INTEREST, TransactionKind.FEE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """Income or costs of one kind, of one instrument (None: of none), in one currency."""

    instrument: str | None
    kind: TransactionKind
    currency: str
    amount: Decimal
    worth: Decimal | None
    """In the portfolio's currency, each transaction at the rate of its day; None where one has no rate."""
    count: int


Told = tuple[Decimal, date]


def within(rows: Sequence[TransactionRow], start: date | None, end: date | None) -> list[TransactionRow]:
    """Those of `[start, end)` that earn or cost."""
    return [
        row
        for row in rows
        if (start is None or row.at.date() >= start)
        and (end is None or row.at.date() < end)
        and (row.fee or row.kind in EARNING)
    ]


def earned(
    rows: Sequence[TransactionRow], worth: Callable[[Decimal, str, date], Decimal | None]
) -> Steps[list[Earned]]:
    """Dividends and interest (as they were paid), and fees of all kinds (negative)."""
    found: dict[tuple[str, TransactionKind, str], list[Told]] = defaultdict(list)
    for row in rows:
        yield
        kind = TransactionKind(row.kind)
        if kind in (TransactionKind.DIVIDEND, TransactionKind.INTEREST):
            found[row.instrument or "", kind, row.currency].append((row.amount or ZERO, row.at.date()))
        cost = EXACT.add(row.fee, (row.amount or ZERO) if kind is TransactionKind.FEE else ZERO)
        if cost:
            found[row.instrument or "", TransactionKind.FEE, row.currency].append((-cost, row.at.date()))
    return [
        Earned(
            instrument=name or None, kind=kind, currency=currency, amount=total(amount for amount, _ in told),
            worth=summed(worth(amount, currency, day) for amount, day in told), count=len(told),
        )
        for (name, kind, currency), told in sorted(found.items())
    ]  # fmt: skip


def summed(worths: Iterable[Decimal | None]) -> Decimal | None:
    """None where one is not known."""
    told = list(worths)
    known = [each for each in told if each is not None]
    return total(known) if len(known) == len(told) else None
