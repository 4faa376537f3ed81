"""Tables with captions and heads of rows and columns, in a frame that scrolls where the page is narrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from gateway.cli.report.markup import Markup, element


@dataclass(frozen=True, slots=True)
class Column:
    """Its head, and how its cells are set: numbers to the right, days to the left, words also on several lines."""

    title: str
    kind: Literal["days", "words"] | None = None


class Cell(Markup):
    """A cell that is made already."""

    __slots__ = ()


Row = Sequence[str]


def table(
    caption: str, columns: Sequence[Column], rows: Sequence[Row], *, key: str, class_: str | None = None
) -> Markup:
    """The first cell of a row is its head; a row of one cell heads those that follow."""
    head = element("tr", *(element("th", c.title, scope="col", class_=c.kind) for c in columns))
    name = element("caption", element("span", caption), id=f"{key}-caption")
    grid = element("table", name, element("thead", head), *_bodies(rows, columns), class_=class_)
    # Who has no pointer must be able to scroll it.
    return element("div", grid, class_="wide", role="region", aria_labelledby=f"{key}-caption", tabindex="0")


def _bodies(rows: Sequence[Row], columns: Sequence[Column]) -> Iterator[Markup]:
    """One a group, which begins with its head."""
    begins = [0, *(place for place, row in enumerate(rows) if place and len(row) == 1), len(rows)]
    for begin, end in pairwise(begins):
        yield element("tbody", *(_row(row, columns) for row in rows[begin:end]))


def _row(row: Row, columns: Sequence[Column]) -> Markup:
    if len(row) == 1:
        return element("tr", element("th", row[0], scope="rowgroup", colspan=str(len(columns)), class_="group"))
    first, *others = row
    cells = [
        cell if isinstance(cell, Cell) else element("td", cell, class_=column.kind)
        for cell, column in zip(others, columns[1:], strict=True)
    ]
    return element("tr", element("th", first, scope="row"), *cells)
