"""A range of candles of any length: cut into parts, kept on disk, put together again. Sends nothing itself."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from marketgate_client.errors import DataError, InstrumentError, MarketgateError, RequestError, shaped
from marketgate_client.frame import NUMBERS, CandleFailure, CandleFrame
from marketgate_client.generated import CandleSeries, DataMode, Gap, Interval, Provenance
from marketgate_client.shelf import Shelf
from marketgate_client.wire import arguments_of

Numbers: TypeAlias = Literal["decimal", "float64"]
MOST_ROWS = 5_000
"""Candles of one answer, as the gateway allows."""
SETTLED = timedelta(minutes=1)
"""Late trades revise a candle that has just closed: nothing younger is kept."""
UNITS = {"S": 1, "M": 60, "H": 3_600, "D": 86_400, "W": 604_800, "MO": 2_678_400}
SHORTEST_MONTH = 28 * 86_400
MONDAY = 4 * 86_400
"""Weeks begin on Mondays; the epoch was a Thursday."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One question: open times in `[start, end)`."""

    symbol: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What became of a part."""

    part: Part
    series: CandleSeries | None = None
    error: MarketgateError | None = None
    """Both None: it was not asked for, because its symbol had been refused."""


@dataclass(slots=True, kw_only=True)
class History:
    """What was asked for, and how each part of it is answered."""

    gateway: str
    caller: str
    """Who asks: another one may be answered otherwise."""
    symbols: tuple[str, ...]
    interval: Interval
    start: datetime
    end: datetime
    options: Mapping[str, object]
    """`adjustment`, `hours` and `route`, as variables of the operation."""
    shelf: Shelf | None
    now: Callable[[], datetime]
    rows: int = MOST_ROWS
    mode: str = "live"
    """What the gateway's answers rest on, as it says now: a live one has parts of its own on the shelf."""
    refused: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if not 1 <= self.rows <= MOST_ROWS:
            raise ValueError(f"chunk must be 1 to {MOST_ROWS}, not {self.rows}")
        if self.start >= self.end:
            raise ValueError(f"start {self.start} is not before end {self.end}")
        self.symbols = tuple(dict.fromkeys(self.symbols))

    @property
    def parts(self) -> list[Part]:
        """Of all symbols; their borders lie on a grid, so that other ranges have the same parts inside."""
        borders = list(borders_of(self.interval, self.rows, self.start, self.end))
        return [
            Part(symbol=symbol, start=start, end=end) for symbol in self.symbols for start, end in pairwise(borders)
        ]

    def variables(self, part: Part) -> dict[str, object]:
        """Of the operation CandlePage."""
        asked = {"symbol": part.symbol, "interval": self.interval, "start": part.start, "end": part.end}
        return {**asked, "first": min(self.rows, _room(self.interval, part)), **self.options}

    def kept(self, part: Part) -> Fetched | None:
        """A part that needs no question: one on the shelf that can be read, or of a symbol that nobody knows."""
        if part.symbol in self.refused:
            return Fetched(part=part)
        found = None if self.shelf is None else self.shelf.find(self._question(part))
        try:
            series = None if found is None else shaped(_reader(part), found)
        except MarketgateError:
            return None
        return None if series is None or not self._belongs(series) else Fetched(part=part, series=series)

    def take(self, part: Part, answer: Any) -> Fetched:
        """A part that was answered; it goes to the shelf when nothing of it will change any more."""
        series = shaped(_reader(part), answer)
        if series.page_info.has_next_page:
            told = f"more than {self.rows} candles in a part that has no room for them"
            return Fetched(part=part, error=MarketgateError(told, code="INCOMPLETE"))
        if self.shelf is not None and self._finished(part, series):
            self.shelf.keep(self._question(part), answer)
        return Fetched(part=part, series=series)

    def failed(self, part: Part, error: MarketgateError) -> Fetched:
        """A part that did not come; what ails the caller and neither the data nor a symbol is raised again."""
        of_symbol = isinstance(error, InstrumentError) or (isinstance(error, RequestError) and error.field == "symbol")
        if not isinstance(error, DataError) and not of_symbol:
            raise error
        if of_symbol:
            self.refused.add(part.symbol)
        return Fetched(part=part, error=error)

    def _question(self, part: Part) -> dict[str, Any]:
        asker = {"gateway": self.gateway, "caller": self.caller, "mode": self.mode}
        return {**asker, **arguments_of(self.variables(part))}

    def _finished(self, part: Part, series: CandleSeries) -> bool:
        settled = part.end + max(SETTLED, timedelta(seconds=seconds_of(self.interval))) <= self.now()
        fresh = all(series.columns.closed) and not any(each.stale for each in series.provenance)
        return settled and fresh and self._belongs(series)

    def _belongs(self, series: CandleSeries) -> bool:
        """Whether it is of one mode, and that the gateway's: what is simulated a live one gives where a route asks."""
        modes = {each.mode for each in series.provenance}
        if len(modes) != 1:
            return not modes
        if self.mode != "live":
            return modes != {DataMode.LIVE}
        return modes == {DataMode.LIVE} or (modes == {DataMode.SIMULATED} and self.options.get("route") is not None)


def _reader(part: Part) -> Callable[[Any], CandleSeries]:
    """Reads the answer to a part; ValueError where it cannot be one."""

    def read(answer: Any) -> CandleSeries:
        series = CandleSeries.read(answer)
        columns, times = series.columns, series.columns.open_time
        lengths = {len(getattr(columns, name)) for name in ("open_time", "closed", *NUMBERS)}
        if len(lengths) > 1:
            raise ValueError(f"columns of {' and '.join(map(str, sorted(lengths)))} candles")
        if any(a >= b for a, b in pairwise(times)):
            raise ValueError("open times that do not ascend")
        if times and not part.start <= times[0] <= times[-1] < part.end:
            raise ValueError(f"candles of {times[0]} to {times[-1]} in a part of {part.start} to {part.end}")
        for name in NUMBERS:
            if any(value is not None and not value.is_finite() for value in getattr(columns, name)):
                raise ValueError(f"a number in {name} that is none")
        return series

    return read


def seconds_of(interval: Interval) -> int:
    """Length of a candle, of a month the longest; ValueError where it is none."""
    found = re.fullmatch(r"([A-Z]+)(\d+)", interval)
    if found is None or found[1] not in UNITS or interval not in set(Interval):
        raise ValueError(f"interval must be one of {', '.join(Interval)}, not {interval}")
    return UNITS[found[1]] * int(found[2])


def borders_of(interval: Interval, rows: int, start: datetime, end: datetime) -> Iterator[datetime]:
    """Where the parts of a range begin, and its end; none holds more than *rows* candles."""
    step = rows * _shortest(interval)
    yield start
    place = (int(start.timestamp()) - MONDAY) // step + 1
    while (border := datetime.fromtimestamp(MONDAY + place * step, UTC)) < end:
        yield border
        place += 1
    yield end


def _room(interval: Interval, part: Part) -> int:
    """How many candles can begin in a part."""
    return math.ceil((part.end - part.start).total_seconds() / _shortest(interval))


def _shortest(interval: Interval) -> int:
    return SHORTEST_MONTH if interval == Interval.MO1 else seconds_of(interval)


def frame_of(history: History, found: Iterable[Fetched], numbers: Numbers) -> CandleFrame[Any]:
    """One frame of all that came, in the order of the parts."""
    symbols: dict[str, str] = {}
    failures: list[CandleFailure] = []
    series: dict[str, list[Fetched]] = {}
    for symbol, parts in _by_symbol(found).items():
        good, bad = _joined(parts)
        failures += _failures(symbol, bad)
        if good:
            symbols[symbol] = _series(good[0]).instrument.id
            series.setdefault(symbols[symbol], good)
    columns = _columns([_series(each) for parts in series.values() for each in parts], numbers)
    return CandleFrame(
        interval=history.interval,
        **columns,
        symbols=symbols,
        currency={id: _series(parts[0]).currency for id, parts in series.items()},
        provenance={id: _provenance(parts) for id, parts in series.items()},
        gaps={id: _gaps(parts) for id, parts in series.items()},
        failures=tuple(failures),
    )


def _by_symbol(found: Iterable[Fetched]) -> dict[str, list[Fetched]]:
    parts: dict[str, list[Fetched]] = {}
    for each in found:
        parts.setdefault(each.part.symbol, []).append(each)
    return parts


def _joined(parts: Sequence[Fetched]) -> tuple[list[Fetched], list[Fetched]]:
    """What makes one series, and what does not belong to it: another currency, or simulated beside real."""
    good: list[Fetched] = []
    bad: list[Fetched] = []
    first: tuple[object, ...] | None = None
    for each in parts:
        if each.series is None:
            bad.append(each)
            continue
        kind = _kind(each.series)
        first = first or (kind if each.series.columns.open_time else None)
        if first is not None and each.series.columns.open_time and kind != first:
            told = f"this part is {_told(kind)}, those before it are {_told(first)}"
            bad.append(Fetched(part=each.part, error=MarketgateError(told, code="MIXED_SERIES")))
        else:
            good.append(each)
    return good, bad


def _kind(series: CandleSeries) -> tuple[object, ...]:
    live = all(each.mode == DataMode.LIVE for each in series.provenance)
    return (series.instrument.id, series.currency, "live" if live else "not live")


def _told(kind: tuple[object, ...]) -> str:
    return " ".join(map(str, kind))


def _failures(symbol: str, bad: Sequence[Fetched]) -> list[CandleFailure]:
    """Neighbours that failed alike are one; parts that were not asked for failed as their symbol did."""
    refusal = next((each.error for each in bad if isinstance(each.error, InstrumentError | RequestError)), None)
    found: list[CandleFailure] = []
    for each in bad:
        error = each.error or refusal
        assert error is not None
        start, last = each.part.start, found[-1] if found else None
        if last is not None and last.end == start and last.code == error.code:
            start, found = last.start, found[:-1]
        found.append(CandleFailure(symbol=symbol, start=start, end=each.part.end, error=error))
    return found


def _columns(pages: Sequence[CandleSeries], numbers: Numbers) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "instrument": tuple([page.instrument.id for page in pages for _ in page.columns.open_time]),
        "open_time": tuple([time for page in pages for time in page.columns.open_time]),
        "closed": tuple([closed for page in pages for closed in page.columns.closed]),
    }
    for name in NUMBERS:
        values: Iterator[Decimal | None] = (value for page in pages for value in getattr(page.columns, name))
        columns[name] = tuple(values) if numbers == "decimal" else array("d", map(_float, values))
    return columns


def _float(value: Decimal | None) -> float:
    return float("nan") if value is None else float(value)


def _provenance(parts: Sequence[Fetched]) -> tuple[Provenance, ...]:
    newest: dict[tuple[str, str], Provenance] = {}
    for each in parts:
        for made in _series(each).provenance:
            key = (made.provider, made.mode)
            if key not in newest or made.fetched_at > newest[key].fetched_at:
                newest[key] = made
    return tuple(newest.values())


def _gaps(parts: Sequence[Fetched]) -> tuple[Gap, ...]:
    """A gap that a border cuts is one."""
    found: list[Gap] = []
    border: datetime | None = None
    for each in parts:
        series = _series(each)
        for gap in series.gaps:
            first = series.columns.open_time[0] if series.columns.open_time else each.part.end
            if found and border == each.part.start and found[-1].end >= border and gap.start < first:
                gap = Gap(start=found[-1].start, end=gap.end, missing=found.pop().missing + gap.missing)
            found.append(gap)
        border = each.part.end
    return tuple(found)


def _series(fetched: Fetched) -> CandleSeries:
    assert fetched.series is not None
    return fetched.series
