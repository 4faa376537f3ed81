"""Data on stdout: a table on a terminal, tab-separated lines elsewhere, CSV or one JSON document when asked for."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from gateway.cli.outcome import one_line, usage
from schema.spreadsheet import spreadsheet_text

Row = Sequence[object]

GUTTER = 2
TEXT_WIDTH = 20
NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")


class Form(Enum):
    """How data is written."""

    TABLE = "table"
    LINES = "lines"
    CSV = "csv"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Column:
    """`name` heads the machine forms, `title` the table; a column without title is not in the table."""

    name: str
    title: str = ""
    text: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, and rows of as many values: texts, numbers, truth values or None."""

    columns: Sequence[Column]
    rows: Sequence[Row]


def form_of(*, as_json: bool, as_csv: bool) -> Form:
    """What the options and the kind of stdout come to."""
    if as_json and as_csv:
        raise usage("--json and --csv exclude each other: give one")
    if as_json or as_csv:
        return Form.JSON if as_json else Form.CSV
    return Form.TABLE if sys.stdout.isatty() else Form.LINES


def write(form: Form, data: object, table: Table, caption: str = "") -> None:
    """The same answer in the form asked for: JSON is GraphQL's data as it came."""
    if form is Form.JSON:
        write_json(data)
    elif form is Form.TABLE:
        write_table(table, caption)
    else:
        write_rows(form, [[column.name for column in table.columns]])
        write_rows(form, table.rows)


def write_json(data: object) -> None:
    """One document; indented for human eyes."""
    indent = 2 if sys.stdout.isatty() else None
    json.dump(data, sys.stdout, indent=indent, ensure_ascii=False, separators=None if indent else (",", ":"))
    sys.stdout.write("\n")


def write_rows(form: Form, rows: Iterable[Row]) -> None:
    """Lines without a header, comma- or tab-separated."""
    if form is Form.CSV:
        csv.writer(sys.stdout, lineterminator="\n").writerows(map(_cell, row) for row in rows)
    else:
        sys.stdout.writelines("\t".join(one_line(shown(value)) for value in row) + "\n" for row in rows)


def write_table(table: Table, caption: str = "") -> None:
    """Aligned for a terminal. Numbers are never wrapped or shortened, whatever the terminal's width."""
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(box=None, pad_edge=False, padding=(0, GUTTER, 0, 0), caption=caption or None, caption_justify="left")
    kept = [index for index, column in enumerate(table.columns) if column.title]
    room = 0
    for index in kept:
        column, cells = table.columns[index], [one_line(shown(row[index])) for row in table.rows]
        least = TEXT_WIDTH if column.text else max(map(len, (column.title, *cells)))
        justify: Literal["left", "right"] = "right" if all(map(_is_number, cells)) and any(cells) else "left"
        grid.add_column(
            Text(column.title, "bold"), min_width=least, no_wrap=not column.text, overflow="fold", justify=justify
        )
        room += least + GUTTER
    for row in table.rows:
        grid.add_row(*(Text(one_line(shown(row[index])), justify=None) for index in kept))
    console = Console(highlight=False)
    console.width = max(console.width, room)
    console.print(grid)


def shown(value: object) -> str:
    """The text of a value; nothing for None, true and false as GraphQL has them."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cell(value: object) -> str:
    """For CSV: what came as text and is no number must not be computed. GraphQL's decimals come as text."""
    text = shown(value)
    return spreadsheet_text(text) if isinstance(value, str) and not NUMBER.fullmatch(text) else text


def _is_number(cell: str) -> bool:
    return not cell or cell.lstrip("-").replace(".", "", 1).isdigit()


def members(value: Any, *path: str) -> Any:
    """A value below a GraphQL object, None where the way ends in null."""
    for name in path:
        value = value[name] if value is not None else None
    return value


def chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Runs of at most *size*."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def silence_stdout() -> None:
    """After a broken pipe: what is still buffered must not fail a second time at the interpreter's end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
