"""A line for each event that was posted."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

from gateway.cli.outcome import one_line
from gateway.cli.output import Form, shown, write_rows
from gateway.cli.posting import Posted

COLUMNS = ("time", "id", "type", "status", "latencyMs", "error")
WIDTHS = (28, 26, 28, 6, 9, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An event, and what the receiver said; `at` is when it happened."""

    id: str
    type: str
    at: str
    posted: Posted


def write_head(form: Form) -> None:
    """Names of the columns, where lines have no names of their own."""
    if form is not Form.JSON:
        _write(form, COLUMNS)


def write_sent(form: Form, sent: Sent) -> None:
    """One line; a document of its own as JSON."""
    posted = sent.posted
    row = (sent.at, sent.id, sent.type, posted.status, posted.latency_ms, posted.error or None)
    if form is Form.JSON:
        json.dump(dict(zip(COLUMNS, row, strict=True)), sys.stdout, ensure_ascii=False, separators=(",", ":"))
        sys.stdout.write("\n")
    else:
        _write(form, row)


def _write(form: Form, row: tuple[object, ...]) -> None:
    if form is Form.TABLE:
        cells = [one_line(shown(value)).ljust(width) for value, width in zip(row, WIDTHS, strict=True)]
        print("  ".join(cells).rstrip())
    else:
        write_rows(form, [row])
