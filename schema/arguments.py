"""Arguments that root fields of many plugins have, each described once."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import strawberry

from schema.errors import BadInput
from schema.scalars import Cursor
from schema.words.intervals import Interval
from schema.words.routes import RouteInput


def says(description: str, name: str | None = None) -> object:
    """A description for an argument's type."""
    return strawberry.argument(description=description, name=name)


Symbol = Annotated[
    str, says("An id such as `crypto:BTC/USD`, a short form (`BTC-USD`, `AAPL`) or a number (`isin:US0378331005`).")
]
Route = Annotated[RouteInput | None, says("By whom, how old, how long.")]
PageSize = Annotated[int | None, says("Rows of the page, 1 to 100.")]
After = Annotated[Cursor | None, says("Continue behind this cursor.")]
From = Annotated[datetime | None, says("Begin of the range, inclusive.")]
Until = Annotated[datetime | None, says("End of the range, exclusive.")]
FromDay = Annotated[date | None, says("First day of the range.")]
UntilDay = Annotated[date | None, says("Day behind the last one of the range.")]
FirstDay = Annotated[date, says("First day of the range.")]
EndDay = Annotated[date, says("Day behind the last one of the range, at most 400 days later.")]
ConvertTo = Annotated[str | None, says("Convert prices to this currency; the rate stands in the provenance.")]
Length = Annotated[Interval, says("Length of a candle.")]
Start = Annotated[datetime | None, says("First open time, inclusive.")]
End = Annotated[datetime | None, says("End of the range, exclusive; by default now.")]
Last = Annotated[int | None, says("So many from the end.")]
KnownAt = Annotated[datetime | None, says("Only what was known by then: nothing that was published or revised later.")]


def two_letters(field: str, text: str | None) -> str:
    """The code of a country or a language as it was written, or nothing; BadInput for what is none."""
    code = (text or "").strip()
    if code and (len(code) != 2 or not code.isascii() or not code.isalpha()):
        raise BadInput(field, f"{code[:20]!r} is no code of two letters")
    return code
