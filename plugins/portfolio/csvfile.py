"""Transactions as comma-separated values: read row by row with what is wrong in which column, written for spreadsheets.

The first line names the columns, in any order: `at`, `kind`, and those of `symbol`, `quantity`, `price`, `amount`,
`fee`, `ratio`, `currency`, `note` that are needed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from gateway.core.quant.steps import Steps
from plugins.portfolio.store import TransactionRow
from plugins.portfolio.transactions import Draft, TransactionKind
from schema.scalars import datetime_text, decimal_text, parse_datetime, parse_decimal
from schema.spreadsheet import FORMULAS, spreadsheet_text
from schema.words.problems import Refused

COLUMNS = ("at", "kind", "symbol", "quantity", "price", "amount", "fee", "ratio", "currency", "note")
NEEDED = ("at", "kind")
ALIASES = {"date": "at", "time": "at", "type": "kind", "instrument": "symbol", "ticker": "symbol"}
NUMBERS = frozenset({"quantity", "price", "amount", "fee", "ratio"})
MOST_ROWS = 5_000
LONGEST_FILE = 1_000_000
"""Characters."""
SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """What is wrong in a line of the file; the first line is 1."""

    line: int
    column: str | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRow:
    """A line as a draft; `columns` are the file's own names of them."""

    line: int
    draft: Draft
    columns: Mapping[str, str]


def drafts_of(text: str) -> Iterator[ReadRow | BadRow]:
    """Row by row, each problem by itself; Refused for a file that is none at all."""
    if len(text) > LONGEST_FILE:
        raise Refused("CSV_INVALID", f"The file has more than {LONGEST_FILE} characters: split it.", "csv")
    reader, count = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True), 0
    try:
        written = [cell.strip() for cell in next(reader, [])]
        names, behind = _names(written), reader.line_num
        for cells in reader:
            line, behind = behind + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MOST_ROWS:
                raise Refused("CSV_INVALID", f"The file has more than {MOST_ROWS} rows: split it.", "csv")
            yield from _row(cells, names, dict(zip(names, written, strict=True)), line)
    except csv.Error as error:
        raise Refused("CSV_INVALID", f"Line {reader.line_num} cannot be read: {error}.", "csv") from None
    if not count:
        raise Refused("CSV_INVALID", "The file has no rows under its header.", "csv")


def csv_of(rows: Iterable[TransactionRow]) -> Steps[str]:
    """The same columns, every digit; texts that a spreadsheet would compute begin with an apostrophe."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(value) for value in _values(row)])
        yield
    return written.getvalue()


def _values(row: TransactionRow) -> tuple[Any, ...]:
    fee = row.fee or None
    return (
        row.at, row.kind, row.instrument, row.quantity, row.price, row.amount, fee, row.ratio, row.currency, row.note,
    )  # fmt: skip


def _cell(value: Any) -> str:
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, datetime):
        return datetime_text(value)
    return "" if value is None else spreadsheet_text(str(value))


def _names(written: list[str]) -> list[str]:
    """Our names of the columns, in the file's order."""
    names = [ALIASES.get(cell.lower(), cell.lower()) for cell in written]
    if len(names) == 1 and ";" in names[0]:
        raise Refused("CSV_INVALID", "Line 1: columns are parted by commas, not by semicolons.", "csv")
    for name, cell in zip(names, written, strict=True):
        if name not in COLUMNS:
            told = f"Line 1: there is no column {cell[:SHOWN]!r}; the columns are {', '.join(COLUMNS)}."
            raise Refused("CSV_INVALID", told, "csv")
        if names.count(name) > 1:
            raise Refused("CSV_INVALID", f"Line 1: the column {name} is there twice.", "csv")
    if lacking := [name for name in NEEDED if name not in names]:
        raise Refused("CSV_INVALID", f"Line 1: the column {lacking[0]} is missing.", "csv")
    return names


def _row(cells: list[str], names: list[str], columns: Mapping[str, str], line: int) -> Iterator[ReadRow | BadRow]:
    if len(cells) > len(names):
        yield BadRow(line=line, column=None, message=f"The row has {len(cells)} cells under {len(names)} columns.")
        return
    given: dict[str, Any] = {}
    wrong = False
    for name, cell in zip(names, cells, strict=False):
        text = _plain(cell.strip())
        try:
            given[name] = _read(name, text) if text else None
        except ValueError as error:
            wrong = True
            yield BadRow(line=line, column=columns[name], message=str(error))
    for name in NEEDED:
        if not wrong and given.get(name) is None:
            wrong = True
            yield BadRow(line=line, column=columns[name], message=f"{name} is empty.")
    if not wrong:
        yield ReadRow(line=line, draft=Draft(**given), columns=columns)


def _read(name: str, text: str) -> Any:
    """A cell's value; ValueError says what is wrong."""
    if name == "kind":
        wanted = text.upper().replace(" ", "_")
        if wanted not in TransactionKind.__members__:
            raise ValueError(f"{text[:SHOWN]!r} is none of {', '.join(TransactionKind)}.")
        return TransactionKind(wanted)
    if name == "at":
        try:
            return parse_datetime(text)
        except ValueError:
            told = f"{text[:SHOWN]!r} is no time: write 2026-11-20 or 2026-11-20T12:00:00Z."
            raise ValueError(told) from None
    if name not in NUMBERS:
        return text
    try:
        return parse_decimal(text)
    except ValueError:
        told = f"{text[:SHOWN]!r} is no number: write digits with a point, such as 1234.5."
        raise ValueError(told) from None


def _plain(text: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from computing it."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULAS) else text
