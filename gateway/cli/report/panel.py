"""Series out of a CSV file: `date` and a column each; what is wrong is told with its line and its column."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from gateway.cli.outcome import Stop, usage

DATE = "date"
NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FIRST_YEAR = 1600
SHOWN = 40
"""Characters of a cell in a message."""

Values = tuple[float | None, ...]
Cells = list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A column of prices, or of simple returns, a name; None where its cell is blank."""

    file: str
    dates: tuple[date, ...]
    columns: Mapping[str, Values]
    returns: bool = False
    """What the columns are; a return belongs to the date on which it ends."""

    @property
    def opening(self) -> tuple[date, ...]:
        """The dates of `levels`: before the first return stands a day that the file does not have."""
        return (self.dates[0] - timedelta(days=1), *self.dates) if self.returns else self.dates

    def levels(self, name: str) -> Values:
        """Prices; of returns, what 1 grows to, from before the first of them."""
        values = self.columns[name]
        return _grown(values) if self.returns else values


def read_panel(file: Path, *, returns: bool = False) -> Panel:
    """The file; Stop names the line and the column of the first thing that is wrong."""
    return panel_of(text_of(file), file.name, returns=returns)


def text_of(file: Path) -> str:
    """What is in the file, without the mark of its encoding."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise usage(f"{file} is not UTF-8 (byte {error.start + 1}): save it as CSV in UTF-8") from None
    except OSError as error:
        raise usage(f"{file} cannot be read ({error.strerror or type(error).__name__})") from None


def header_of(text: str, name: str) -> Cells:
    """The names of the columns; Stop where there are none."""
    _, header = next(rows_of(text, name), (1, []))
    if not header:
        raise usage(f"{name} is empty: its first line names the columns, the others are data")
    return header


def rows_of(text: str, name: str) -> Iterator[tuple[int, Cells]]:
    """Rows that hold something, each with the number of its line."""
    reader, line = csv.reader(io.StringIO(text, newline=""), strict=True), 0
    try:
        for cells in reader:
            first, line = line + 1, reader.line_num
            if any(cell.strip() for cell in cells):
                yield first, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise usage(f"{name}:{reader.line_num}: cannot be read as CSV ({error})") from None


def panel_of(text: str, name: str, *, returns: bool = False) -> Panel:
    """As `read_panel`, of a text."""
    names = _checked_names(header_of(text, name), name)
    at, rows = names.index(DATE), rows_of(text, name)
    next(rows)
    lines: dict[date, int] = {}
    found: list[list[float | None]] = []
    for line, cells in rows:
        if len(cells) != len(names):
            raise usage(f"{name}:{line}: has {len(cells)} cells under {len(names)} columns")
        day = _day(cells[at], f"{name}:{line}: {DATE}")
        _check_order(day, lines, f"{name}:{line}: {DATE}")
        lines[day] = line
        found.append([_number(cell, f"{name}:{line}: column {names[i]}") for i, cell in enumerate(cells) if i != at])
    if len(found) < (2 if returns else 3):
        raise Stop(f"{name} has {_dates(len(found))}: two returns are the fewest, {_needed(returns=returns)}")
    columns = {column: values for column, *values in zip([n for n in names if n != DATE], *found, strict=True)}
    for column, values in columns.items():
        _check_values(column, values, list(lines.values()), name, returns=returns)
    return Panel(
        file=name, dates=tuple(lines), columns={key: tuple(values) for key, values in columns.items()}, returns=returns
    )


def _checked_names(header: Cells, name: str) -> Cells:
    names = [DATE if cell.lower() == DATE else cell for cell in header]
    if DATE not in names:
        hint = "columns are parted by commas, not by semicolons" if ";" in header[0] else f"add a column {DATE}"
        raise usage(f"{name}:1: there is no column {DATE}: {hint}")
    if len(names) < 2:
        raise usage(f"{name}:1: there is no column beside {DATE}: give each series one")
    for position, cell in enumerate(names):
        if not cell:
            raise usage(f"{name}:1: column {position + 1} has no name")
        if names.index(cell) < position:
            raise usage(f"{name}:1: column {cell[:SHOWN]} is there twice")
    return names


def _day(cell: str, where: str) -> date:
    try:
        day = date.fromisoformat(cell) if DAY.fullmatch(cell) else None
    except ValueError:
        day = None
    if day is None or day.year < FIRST_YEAR:
        raise usage(f"{where}: {cell[:SHOWN]!r} is no date: write 2026-11-20")
    return day


def _check_order(day: date, lines: dict[date, int], where: str) -> None:
    if day in lines:
        raise usage(f"{where}: {day} is in line {lines[day]} already: give each date once")
    latest = next(reversed(lines), None)
    if latest is not None and day < latest:
        raise usage(f"{where}: {day} comes after {latest}: sort the lines by date")


def _number(cell: str, where: str) -> float | None:
    """None for a blank cell."""
    if not cell:
        return None
    value = float(cell) if NUMBER.fullmatch(cell) else math.inf
    if not math.isfinite(value):
        raise usage(f"{where}: {cell[:SHOWN]!r} is no number: write digits with a point, such as 1234.5")
    return value


def _check_values(column: str, values: Sequence[float | None], lines: list[int], name: str, *, returns: bool) -> None:
    """Nothing grows from nothing: a price of 0, or a return of -1, may only be the last."""
    there = [position for position, value in enumerate(values) if value is not None]
    least = -1.0 if returns else 0.0
    for position in there:
        value = values[position]
        if value is not None and (value < least or (value == least and position != there[-1])):
            told = "a simple return is above -1 (-0.05 is a loss of 5 %)" if returns else "a price is above 0"
            raise usage(f"{name}:{lines[position]}: column {column}: {value:g} cannot be: {told}")
    if returns and there:
        holes = [p for p in range(there[0], there[-1]) if values[p] is None]
        if holes:
            told = "no return, and none can span it: give prices instead"
            raise usage(f"{name}:{lines[holes[0]]}: column {column}: {told}")


def _grown(returns: Values) -> Values:
    level, found = 1.0, list[float | None]()
    for value in returns:
        if value is None:
            found.append(None)
        else:
            level *= 1 + value
            found.append(level)
    first = next((position for position, value in enumerate(returns) if value is not None), len(returns))
    opening: Values = (None,) * first + (1.0,)
    return opening + tuple(found[first:])


def _dates(count: int) -> str:
    return f"{count} date{'' if count == 1 else 's'}"


def _needed(*, returns: bool) -> str:
    return "that is 2 dates with returns" if returns else "that is 3 dates with prices"
