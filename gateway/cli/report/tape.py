"""Transactions out of a CSV file, in the columns that portfolios import."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from gateway.cli.outcome import say, usage
from plugins.portfolio.csvfile import BadRow, ReadRow, drafts_of
from plugins.portfolio.splits import beyond_of, outgrown
from plugins.portfolio.store import TransactionRow
from plugins.portfolio.transactions import PAYMENTS, ZERO, Draft, check_draft
from schema.words.problems import Refused

LATEST = datetime(9999, 12, 31, tzinfo=UTC)
"""What the file holds is not judged by the day on which it is read."""
MOST_SHOWN = 20
"""Rows that are told to be wrong, one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """Transactions in order of time."""

    file: str
    rows: tuple[TransactionRow, ...]
    currency: str | None
    """Of all of them; None where the file does not say."""
    tracks_cash: bool
    """Where nothing is paid in or out, what is bought counts as brought in, and what is sold as taken out."""

    @property
    def first(self) -> date:
        """The day of the first transaction."""
        return self.rows[0].at.date()

    @property
    def symbols(self) -> tuple[str, ...]:
        """What is traded, in order of the alphabet."""
        return tuple(sorted({row.instrument for row in self.rows if row.instrument}))


def tape_of(text: str, name: str) -> Tape:
    """All rows, or Stop once each wrong one is told with its line and its column."""
    try:
        found = list(drafts_of(text))
    except Refused as refused:
        raise usage(f"{name}: {refused.message.rstrip('.')}") from None
    good = [each for each in found if isinstance(each, ReadRow)]
    tracks_cash = any(each.draft.kind in PAYMENTS for each in good)
    wrong = [bad for each in found for bad in _faults(each, tracks_cash)]
    if wrong:
        told = [_told(name, each) for each in wrong]
        for line in told[: MOST_SHOWN - 1] if len(told) > 1 else ():
            say(line)
        raise usage(told[0] if len(told) == 1 else f"{name}: {len(told)} rows are wrong: nothing is written")
    drafts = sorted((each.draft for each in good), key=lambda draft: draft.at)
    rows = tuple(_row(draft, number) for number, draft in enumerate(drafts))
    if beyond := outgrown((), rows):
        raise usage(f"{name}: {beyond_of(next(row for row in rows if row.id in beyond)).message.rstrip('.')}")
    return Tape(
        file=name, rows=rows, currency=_currency(good, name), tracks_cash=tracks_cash,
    )  # fmt: skip


def _faults(read: ReadRow | BadRow, tracks_cash: bool) -> Iterator[BadRow]:
    if isinstance(read, BadRow):
        yield read
        return
    try:
        check_draft(read.draft, LATEST, tracks_cash=tracks_cash)
    except Refused as refused:
        column = refused.field[-1] if refused.field else None
        yield BadRow(line=read.line, column=read.columns.get(column, column) if column else None,
                     message=refused.message)  # fmt: skip


def _told(name: str, bad: BadRow) -> str:
    place = f"{name}:{bad.line}" + (f": column {bad.column}" if bad.column else "")
    return f"{place}: {bad.message.rstrip('.')}"


def _currency(rows: list[ReadRow], name: str) -> str | None:
    found: str | None = None
    for read in rows:
        given = read.draft.currency.upper() if read.draft.currency else None
        if given and found and given != found:
            told = f"a report is in one currency, and {found} stands above: report on each by itself"
            raise usage(f"{name}:{read.line}: column {read.columns['currency']}: {given}: {told}")
        found = found or given
    return found


def _row(draft: Draft, number: int) -> TransactionRow:
    """As portfolios keep it; nobody owns it."""
    return TransactionRow(
        tenant_id="", id=str(number), portfolio_id="", sequence=number, at=draft.at, kind=draft.kind.value,
        instrument=draft.symbol, quantity=draft.quantity, price=draft.price, amount=draft.amount,
        fee=draft.fee or ZERO, ratio=draft.ratio, currency="", note=draft.note, made_by="", idempotency_key=None,
        request_digest=None, created_at=draft.at,
    )  # fmt: skip
