"""Comma-separated values by RFC 4180, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from schema.scalars import datetime_text, decimal_text
from schema.spreadsheet import spreadsheet_text

Cell = str | int | Decimal | datetime | date | None


def csv_of(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A header line and the rows; decimals with every digit."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_text(cell) for cell in row] for row in rows)
    return written.getvalue()


def _text(cell: Cell) -> str:
    if isinstance(cell, Decimal):
        return decimal_text(cell)
    if isinstance(cell, datetime):
        return datetime_text(cell)
    if isinstance(cell, str):
        return spreadsheet_text(cell)
    return "" if cell is None else str(cell)
