"""Writes a candle series as its pages arrive, so that a long one needs no more memory than a short one."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from gateway.cli.output import Column, Form, Table, write_rows, write_table

FACTS = ("instrument", "interval", "currency", "timeZone", "adjustment", "hours")
NAMES = ("openTime", "sessionDate", "open", "high", "low", "close", "volume", "closed")
COLUMNS = tuple(Column(name, {"openTime": "open time", "sessionDate": "session"}.get(name, name)) for name in NAMES)
MOST_IN_TABLE = 5_000

Page = Mapping[str, Any]


class Writer(Protocol):
    """Takes the pages of one series in order."""

    def page(self, page: Page) -> None:
        """Write its rows."""

    def end(self, gaps: Sequence[Any], provenance: Sequence[Any]) -> None:
        """Finish the document; called on a failure too, once anything is written."""


def writer_for(form: Form, expected: int) -> Writer:
    """A table only where the whole of it is of use on a terminal."""
    if form is Form.JSON:
        return JsonWriter()
    if form is Form.TABLE:
        return TableWriter() if expected <= MOST_IN_TABLE else HeldWriter()
    return LineWriter(form)


class LineWriter:
    """CSV or tab-separated lines under a header."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._begun = False

    def page(self, page: Page) -> None:
        """See `Writer`."""
        if not self._begun:
            write_rows(self._form, [NAMES])
            self._begun = True
        write_rows(self._form, rows_of(page))
        sys.stdout.flush()

    def end(self, gaps: Sequence[Any], provenance: Sequence[Any]) -> None:
        """Nothing is left to write."""


class HeldWriter:
    """Lines on a terminal, where those of a long series must wait until its progress bar is gone."""

    def __init__(self) -> None:
        self._rows: list[tuple[object, ...]] = []

    def page(self, page: Page) -> None:
        """See `Writer`."""
        self._rows += rows_of(page)

    def end(self, gaps: Sequence[Any], provenance: Sequence[Any]) -> None:
        """Write them."""
        write_rows(Form.LINES, [NAMES, *self._rows])


class TableWriter:
    """Collects a short series for an aligned table; columns without any value are left out."""

    def __init__(self) -> None:
        self._rows: list[tuple[object, ...]] = []
        self._caption = ""

    def page(self, page: Page) -> None:
        """See `Writer`."""
        self._rows += rows_of(page)
        series = f"{page['instrument']['id']} {page['interval']}"
        self._caption = f"{series}, in {page['currency']}, adjustment {page['adjustment']}, {page['hours']} hours"

    def end(self, gaps: Sequence[Any], provenance: Sequence[Any]) -> None:
        """Write it."""
        kept = [i for i, name in enumerate(NAMES) if name in ("volume", "closed") or any(row[i] for row in self._rows)]
        rows = [tuple(row[i] for i in kept) for row in self._rows]
        write_table(Table([COLUMNS[i] for i in kept], rows), self._caption)


class JsonWriter:
    """One document, `{"candles": {...}}`, with what is only known at the end behind the rows."""

    def __init__(self) -> None:
        self._begun = self._rows = False
        self._edges: list[Any] = []

    def page(self, page: Page) -> None:
        """See `Writer`."""
        if not self._begun:
            facts = json.dumps({name: page[name] for name in FACTS}, ensure_ascii=False)
            sys.stdout.write(f'{{"candles": {facts[:-1]}, "rows": [')
            self._begun = True
        self._edges.append(page["pageInfo"])
        for row in page["rows"]:
            sys.stdout.write(",\n" if self._rows else "\n")
            sys.stdout.write(json.dumps(row, ensure_ascii=False))
            self._rows = True
        sys.stdout.flush()

    def end(self, gaps: Sequence[Any], provenance: Sequence[Any]) -> None:
        """The rest of the series."""
        first, last = self._edges[0], self._edges[-1]
        info = {**last, "hasPreviousPage": first["hasPreviousPage"], "startCursor": first["startCursor"]}
        rest = {"gaps": gaps, "pageInfo": info, "provenance": provenance}
        sys.stdout.write(f"\n], {json.dumps(rest, ensure_ascii=False)[1:]}}}\n")


def rows_of(page: Page) -> list[tuple[object, ...]]:
    """A page's candles in the order of NAMES, whether it came as rows or as columns."""
    if "rows" in page:
        return [tuple(row.get(name) for name in NAMES) for row in page["rows"]]
    columns = page["columns"]
    count = len(columns["openTime"])
    # Only daily and longer candles have a session date, and those come as rows.
    return list(zip(*(columns.get(name) or (None,) * count for name in NAMES), strict=True))


def joined_gaps(gaps: Sequence[Any]) -> list[Any]:
    """A gap that a cut runs through is one gap."""
    found: list[Any] = []
    for gap in gaps:
        if found and found[-1]["end"] == gap["start"]:
            found[-1] = {**gap, "start": found[-1]["start"], "missing": found[-1]["missing"] + gap["missing"]}
        else:
            found.append(gap)
    return found
