"""Statistics as answers: each with its convention and what it was computed from."""

from __future__ import annotations

import datetime as dt

from schema.model import described, model


@model("A statistic, with how it was computed and from what.")
class Figure:
    """Never NaN or infinite: where it cannot be computed there is null instead, and a warning that says why."""

    value: float = described("The figure, as a fraction where it is a return or a loss: 0.05 is 5 %.")
    method: str = described("The convention in words, such as `historical, linear quantile (R type 7)`.")
    periods_per_year: int | None = described("What was used to annualise; null where nothing was.", default=None)
    ddof: int | None = described("Degrees of freedom taken off in a variance; null where there is none.", default=None)
    count: int = described("How many observations it was computed from.")
    start: dt.date = described("The first day of them.")
    end: dt.date = described("The last day of them.")
