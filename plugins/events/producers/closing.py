"""Which candles of a stream are complete, which of them are told, and what has to be fetched before. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from schema.words.candles import Candle
from schema.words.intervals import Interval

MOST_MISSED = 100
"""Candles that are told late after an outage; those before them are left out."""
_DAYS = timedelta(days=32)


def following(interval: Interval, opened: datetime) -> datetime:
    """Open time of the candle after the one that opened then; months begin on the 1st."""
    return (opened.replace(day=1) + _DAYS).replace(day=1) if interval is Interval.MO1 else opened + interval.delta


def preceding(interval: Interval, opened: datetime) -> datetime:
    """Open time of the candle before."""
    return (opened - timedelta(days=1)).replace(day=1) if interval is Interval.MO1 else opened - interval.delta


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a delivery means: `closed` are complete and not told yet, ascending; `again` were complete before.

    `missing` is a range of open times, half-open, in which nothing was seen.
    """

    closed: tuple[Candle, ...] = ()
    again: tuple[Candle, ...] = ()
    missing: tuple[datetime, datetime] | None = None


@dataclass(slots=True, kw_only=True)
class Closing:
    """One series. `mark` is the open time of the last candle that was told, or that closed before anybody asked."""

    interval: Interval
    mark: datetime | None = None
    _forming: Candle | None = field(default=None, init=False)
    _looked: datetime | None = field(default=None, init=False)
    """Up to where missing ones were looked for."""

    def first_mark(self, values: Sequence[Candle]) -> datetime | None:
        """Where a series begins that nobody has asked for before: what is complete by now is past."""
        closed = [bar.open_time for bar in values if bar.closed]
        if closed:
            return max(closed)
        return preceding(self.interval, min(bar.open_time for bar in values)) if values else None

    def take(self, values: Iterable[Candle], *, broken: bool) -> Step:
        """The next delivery. *broken*: the stream was in trouble, so that a candle may have gone on unseen."""
        mark = self.mark
        if mark is None:
            raise RuntimeError("a series begins with its mark")
        seen = {} if broken or self._forming is None else {self._forming.open_time: self._forming}
        seen.update((bar.open_time, bar) for bar in values)
        if not seen:
            self._forming = None
            return Step()
        ordered = [seen[at] for at in sorted(seen)]
        newest = ordered[-1]
        # Not every feed says that a candle is done; the beginning of the next one says it, where nothing was missed.
        done = [
            bar for bar in ordered if bar.closed or (not broken and following(self.interval, bar.open_time) in seen)
        ]
        self._forming = None if newest.closed else newest
        return Step(
            closed=tuple(bar for bar in done if bar.open_time > mark),
            again=tuple(bar for bar in done if bar.open_time <= mark),
            missing=self._missing(mark, {bar.open_time for bar in done}, newest.open_time),
        )

    def _missing(self, mark: datetime, done: set[datetime], edge: datetime) -> tuple[datetime, datetime] | None:
        """Asked for once: what is not there then never was, as in a minute without trades."""
        if self._looked is not None and edge <= self._looked:
            return None
        absent = [at for at in self._grid(mark, edge) if at not in done]
        self._looked = edge
        return (absent[0], following(self.interval, absent[-1])) if absent else None

    def _grid(self, mark: datetime, edge: datetime) -> Iterator[datetime]:
        """Open times between the mark and the newest candle, at most so many, counted from the newest."""
        found: list[datetime] = []
        at = preceding(self.interval, edge)
        while at > mark and len(found) < MOST_MISSED:
            found.append(at)
            at = preceding(self.interval, at)
        return reversed(found)


def joined(found: Iterable[Candle], step: Step, mark: datetime) -> tuple[Candle, ...]:
    """What was fetched and what came, ascending; what came counts."""
    start, end = step.missing or (mark, mark)
    fetched = {bar.open_time: bar for bar in found if bar.open_time > mark and start <= bar.open_time < end}
    came = {bar.open_time: bar for bar in step.closed}
    return tuple(bar for _, bar in sorted({**fetched, **came}.items()))
