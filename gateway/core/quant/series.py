"""Price and return series on dates: what is missing is found and named, never filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gateway.core.quant.refusals import NotComputable
from schema.errors import BadInput

Vector: TypeAlias = NDArray[np.float64]

LARGEST = 1e50
"""A return above it is a mistake, and its powers could not be represented."""
SMALLEST = 1e-250
"""What is left of 1 below it counts as nothing."""
NAMED = 10
"""So many dates are spelled out in a message; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """The level of one series on every date of an axis, NaN where there is none.

    Position 0 stands before the first date: returns grow from 1 there, prices have none.
    """

    field: str
    levels: Vector
    grown: bool = False
    """From returns that were given."""

    def cut(self, part: slice) -> Track:
        """The dates of a part. Returns grow from the level before its first date; prices start on a date."""
        before = self.levels[part.start : part.start + 1] if self.grown else np.array([np.nan])
        return replace(self, levels=np.concatenate((before, self.levels[1:][part])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Simple returns of one or more tracks between the dates on which all of them have a level, a row a track."""

    returns: NDArray[np.float64]
    dates: tuple[date, ...]
    """The day on which each return ends."""
    base: date | None
    """The day from which the first return counts; None where returns were given from the first date on."""
    missing: tuple[date, ...]
    """Dates inside the span on which a track has no level: the return to the next one spans them."""

    def row(self, position: int) -> Vector:
        """Returns of one of the tracks."""
        found: Vector = self.returns[position]
        return found


def checked_dates(field: str, dates: Sequence[date]) -> tuple[date, ...]:
    """The axis of a series; BadInput where it is not strictly ascending."""
    for position, (earlier, later) in enumerate(pairwise(dates), 1):
        if later <= earlier:
            raise BadInput(
                f"{field}[{position}]", f"{later} does not come after {earlier}: give each day once, ascending"
            )
    return tuple(dates)


def named(dates: Sequence[date]) -> str:
    """The first of them in words, and how many more there are."""
    words = ", ".join(day.isoformat() for day in dates[:NAMED])
    return f"{words} and {len(dates) - NAMED} more" if len(dates) > NAMED else words


def from_prices(field: str, prices: Sequence[float | None], dates: Sequence[date]) -> Track:
    """Levels of prices; BadInput where one is not finite, NotComputable where one is not above 0 (the last may be)."""
    levels = _array(field, prices, dates)
    _refuse_ruin(field, levels, dates, "a price of")
    return Track(field=field, levels=np.concatenate(([np.nan], levels)))


def from_returns(field: str, returns: Sequence[float | None], dates: Sequence[date]) -> Track:
    """Levels that grow from 1 by simple returns, each ending on its date; NotComputable where one inside is missing."""
    values = _array(field, returns, dates)
    there = np.flatnonzero(~np.isnan(values))
    levels = np.full(values.size + 1, np.nan)
    if not there.size:
        return Track(field=field, levels=levels, grown=True)
    first, last = int(there[0]), int(there[-1]) + 1
    holes = np.flatnonzero(np.isnan(values[first:last])) + first
    if holes.size:
        days = [dates[hole] for hole in holes.tolist()]
        raise NotComputable(f"{field}: no return on {named(days)}; give prices, so that one return spans them")
    _refuse_ruin(field, 1 + values, dates, "1 + return is")
    with np.errstate(over="ignore", invalid="ignore"):
        levels[first : last + 1] = np.concatenate(([1.0], np.cumprod(1 + values[first:last])))
    if not np.isfinite(levels[last]) or levels[first:last].min() < SMALLEST:
        raise NotComputable(f"{field}: the returns compound to more, or less, than can be represented")
    return Track(field=field, levels=levels, grown=True)


def observed(tracks: Sequence[Track], dates: Sequence[date], fewest: int = 2) -> Observed:
    """Returns `level / level before − 1` on the tracks' common dates; NotComputable where there are too few."""
    levels = np.vstack([track.levels for track in tracks])
    known = ~np.isnan(np.asarray(levels.max(axis=0)))
    positions = np.flatnonzero(known).tolist()
    count = max(len(positions) - 1, 0)
    if count < fewest:
        fields = " and ".join(track.field for track in tracks)
        raise NotComputable(f"{fields}: {count} returns on common dates, at least {fewest} are needed")
    common = levels[:, positions]
    with np.errstate(over="ignore", invalid="ignore"):
        returns = common[:, 1:] / common[:, :-1] - 1
    if (returns > LARGEST).any():
        track, period = np.argwhere(returns > LARGEST)[0].tolist()
        day = dates[positions[period + 1] - 1]
        raise NotComputable(f"{tracks[track].field}: a return above {LARGEST:g} on {day} is too large to compute with")
    inside = [position for position in range(positions[0], positions[-1]) if not known[position]]
    return Observed(
        returns=returns,
        dates=tuple(dates[position - 1] for position in positions[1:]),
        base=dates[positions[0] - 1] if positions[0] else None,
        missing=tuple(dates[position - 1] for position in inside),
    )


def _array(field: str, values: Sequence[float | None], dates: Sequence[date]) -> Vector:
    if len(values) != len(dates):
        raise BadInput(field, f"{len(values)} values for {len(dates)} dates: give one a date, null where there is none")
    array = np.array(values, dtype=np.float64)
    strange = [i for i in np.flatnonzero(~np.isfinite(array)).tolist() if values[i] is not None]
    if strange:
        at = strange[0]
        raise BadInput(f"{field}[{at}]", f"{values[at]} on {dates[at]} is not a number: give null where there is none")
    return array


def _refuse_ruin(field: str, levels: Vector, dates: Sequence[date], what: str) -> None:
    """Nothing grows from nothing: a level of 0 may only be the last, a negative one nowhere."""
    there = np.flatnonzero(~np.isnan(levels)).tolist()
    bad = [i for i in there if levels[i] < 0 or (levels[i] == 0 and i != there[-1])]
    if bad:
        raise NotComputable(f"{field}: {what} {levels[bad[0]]:g} on {dates[bad[0]]}: no return can be counted from it")
