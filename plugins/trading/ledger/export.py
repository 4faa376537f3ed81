"""A ledger as files: CSV with a row a line, and a journal of plain text that hledger and ledger-cli read. Pure.

A journal holds what counts; entries that are pending, and those that give them up, stand in it as comments. Its forms:
https://hledger.org/hledger.html#journal and https://ledger-cli.org/doc/ledger3.html#Journal-Format
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from plugins.trading.ledger.chart import JOURNAL, Ledger, shown
from plugins.trading.ledger.drafts import Line
from plugins.trading.ledger.shown import Shown
from plugins.trading.rows import AccountRow
from schema.scalars import datetime_text, decimal_text
from schema.spreadsheet import spreadsheet_text
from schema.words.orders import EntryState

COLUMNS = (
    "number", "at", "kind", "state", "ledger", "asset", "amount", "memo", "entry", "resolves", "reverses", "order",
    "fill", "madeBy", "symbol",
)  # fmt: skip
_WIDTH = 56


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One of the files."""

    ending: str
    media: str
    head: Callable[[AccountRow], str]
    page: Callable[[Sequence[Shown]], str]


def csv_head(account: AccountRow) -> str:
    """The names of the columns."""
    return _rows([COLUMNS])


def csv_page(entries: Sequence[Shown]) -> str:
    """A row for each line; one without ledger for an entry that has none."""
    return _rows(_cells(entry, line) for entry in entries for line in (entry.lines or (None,)))


def journal_head(account: AccountRow) -> str:
    """Whose it is."""
    return f"; Ledger of {_safe(account.name)} ({account.id}), kept in {account.currency}\n"


def journal_page(entries: Sequence[Shown]) -> str:
    """A transaction for each entry that counts."""
    return "".join(f"\n{_transaction(entry)}" for entry in entries)


FORMS = (
    Form(ending="csv", media="text/csv; charset=utf-8; header=present", head=csv_head, page=csv_page),
    Form(ending="journal", media="text/plain; charset=utf-8", head=journal_head, page=journal_page),
)


def _cells(entry: Shown, line: Line | None) -> list[str]:
    row = entry.row
    values = (
        row.number, row.at, row.kind, _state(entry).value, line and line.ledger.value, line and line.asset,
        line and line.amount, row.memo, row.id, row.resolves, row.reverses, row.order_id, row.fill_id, row.made_by,
        row.instrument,
    )  # fmt: skip
    return [_cell(value) for value in values]


def _state(entry: Shown) -> EntryState:
    """Of its lines, so that those that are POSTED sum to the balances: one that another posts moves nothing itself."""
    return EntryState.PENDING if entry.row.pending and entry.state is EntryState.POSTED else entry.state


def _cell(value: object) -> str:
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, datetime):
        return datetime_text(value)
    return "" if value is None else spreadsheet_text(str(value))


def _rows(rows: Iterable[Sequence[str]]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue()


def _transaction(entry: Shown) -> str:
    row = entry.row
    told = f"({row.number}) {_safe(row.memo or row.kind.capitalize())}"
    if row.pending or row.voids:
        return f"; {row.at:%Y-%m-%d} {told} [{row.id}] {_remark(entry)}\n"
    tags = {
        "id": row.id, "kind": row.kind, "at": datetime_text(row.at), "symbol": row.instrument, "order": row.order_id,
        "fill": row.fill_id,
        "posts": row.resolves, "reverses": row.reverses,
    }  # fmt: skip
    notes = "".join(f"    ; {name}: {value}\n" for name, value in tags.items() if value)
    return f"{row.at:%Y-%m-%d} * {told}\n{notes}{''.join(_posting(row.account_id, line) for line in entry.lines)}"


def _remark(entry: Shown) -> str:
    """What a comment says of an entry that moves nothing by itself."""
    if entry.row.voids:
        return f"gives {entry.row.resolves} up"
    cash = ", ".join(_amount(line) for line in entry.lines if line.ledger is Ledger.CASH)
    if entry.followed is None:
        return f"pending: {cash}"
    return f"{entry.state.value.lower()} by {entry.followed.id}: {cash}"


def _posting(account_id: str, line: Line) -> str:
    top, _, rest = JOURNAL[line.ledger].partition(":")
    return f"    {f'{top}:{account_id}:{rest}':<{_WIDTH}}  {_amount(line)}\n"


def _amount(line: Line) -> str:
    """Names of commodities that are more than letters stand in quotes."""
    plain = line.asset.isascii() and line.asset.isalpha()
    name = line.asset if plain else '"' + line.asset.replace('"', "") + '"'
    return f"{shown(line.amount)} {name}"


def _safe(text: str) -> str:
    """Without what begins a comment or parts a payee from a note."""
    return " ".join(text.replace(";", ",").replace("|", "/").split())
