"""The months of a report as a table whose cells are coloured, each with its number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from gateway.cli.report.markup import Markup, element
from gateway.cli.report.numbers import exact, points
from gateway.cli.report.tables import Cell, Column, Row, table

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STEPS = (0.01, 0.025, 0.05, 0.1)
"""Beyond each of them a cell is a shade darker."""
CAPTION = (
    "Returns of calendar months and years in per cent, compounded. Gains are blue with a plus, losses orange with a "
    "minus, darker beyond 1, 2.5, 5 and 10. The first and the last month and year may be partial."
)


def month_table(calendar: Mapping[str, Any]) -> Markup:
    """A row a year, a column a month, and the year's own return."""
    months: dict[int, dict[int, float]] = defaultdict(dict)
    for one in calendar["months"]:
        months[one["year"]][one["part"]] = one["value"]
    rows: list[Row] = [
        (str(one["year"]), *(_cell(months[one["year"]].get(month)) for month in range(1, 13)), _cell(one["value"]))
        for one in calendar["years"]
    ]
    columns = [Column("Year", "days"), *map(Column, MONTHS), Column("Whole year")]
    return table(CAPTION, columns, rows, key="months", class_="months")


def _cell(value: float | None) -> Cell:
    if value is None:
        return Cell(element("td"))
    shade = sum(abs(value) >= step for step in STEPS)
    way = f"{'up' if value > 0 else 'down'}{shade}" if value else None
    return Cell(element("td", exact(points(value), value), class_=way))
