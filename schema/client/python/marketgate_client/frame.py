"""Candles of several instruments as columns of one frame, with what stands behind them."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from marketgate_client.errors import MarketgateError
from marketgate_client.generated import Gap, Interval, Provenance

if TYPE_CHECKING:
    import pandas
    import polars

N = TypeVar("N", Decimal, float)
NUMBERS = ("open", "high", "low", "close", "volume")
COLUMNS = (*NUMBERS, "closed")
DIGITS = 38
"""Of a decimal in Arrow and Polars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleFailure:
    """A part of a series that did not come."""

    symbol: str
    """As it was asked for."""
    start: datetime
    end: datetime
    """Exclusive."""
    error: MarketgateError

    @property
    def code(self) -> str:
        """Why, in a word."""
        return self.error.code


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleRow(Generic[N]):
    """One candle."""

    instrument: str
    open_time: datetime
    open: N
    high: N
    low: N
    close: N
    volume: N | None
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleFrame(Generic[N]):
    """Columns of equal length: instruments in the order that they were asked for, open times ascending within each."""

    interval: Interval
    instrument: Sequence[str]
    """Ids such as `crypto:BTC/USD`."""
    open_time: Sequence[datetime]
    """In UTC."""
    open: Sequence[N]
    high: Sequence[N]
    low: Sequence[N]
    close: Sequence[N]
    volume: Sequence[N | None]
    """None where it is unknown; among floats it is NaN."""
    closed: Sequence[bool]
    """False for a candle that still runs."""
    symbols: Mapping[str, str]
    """The instrument's id by the symbol that was asked for."""
    currency: Mapping[str, str]
    """By instrument."""
    provenance: Mapping[str, tuple[Provenance, ...]]
    """By instrument: one for each provider used, the newest of it."""
    gaps: Mapping[str, tuple[Gap, ...]]
    """By instrument: candles that are missing while the venue was open. Nothing is filled."""
    failures: tuple[CandleFailure, ...]
    """What did not come, by symbol and range; empty where all is there."""

    def __len__(self) -> int:
        return len(self.open_time)

    def __iter__(self) -> Iterator[CandleRow[N]]:
        return (self.row(at) for at in range(len(self)))

    def __getitem__(self, symbol: str) -> CandleFrame[N]:
        """The candles of one instrument, by its id or by the symbol that was asked for; KeyError."""
        id = self.symbols.get(symbol, symbol)
        rows = self._rows(id)
        return replace(
            self,
            **{name: getattr(self, name)[rows] for name in ("instrument", "open_time", *COLUMNS)},
            symbols={asked: each for asked, each in self.symbols.items() if each == id},
            currency={id: self.currency[id]},
            provenance={id: self.provenance[id]},
            gaps={id: self.gaps[id]},
            failures=tuple([each for each in self.failures if self.symbols.get(each.symbol) == id]),
        )

    def row(self, at: int) -> CandleRow[N]:
        """The candle at a place of the columns; IndexError."""
        return CandleRow(
            instrument=self.instrument[at],
            open_time=self.open_time[at],
            open=self.open[at],
            high=self.high[at],
            low=self.low[at],
            close=self.close[at],
            volume=self.volume[at],
            closed=self.closed[at],
        )

    def at(self, symbol: str, open_time: datetime) -> CandleRow[N]:
        """The candle of an index (instrument, open time); KeyError where there is none, ValueError without a zone."""
        if open_time.tzinfo is None:
            raise ValueError("open_time has no time zone: give datetime(..., tzinfo=UTC)")
        rows = self._rows(self.symbols.get(symbol, symbol))
        place = bisect_left(self.open_time, open_time, rows.start, rows.stop)
        if place == rows.stop or self.open_time[place] != open_time:
            raise KeyError((symbol, open_time))
        return self.row(place)

    def to_pandas(self) -> pandas.DataFrame:
        """A DataFrame with the index (instrument, openTime); Decimals are objects. Needs the extra `pandas`."""
        library = _library("pandas")
        times = library.DatetimeIndex(library.to_datetime(list(self.open_time), utc=True))
        index = library.MultiIndex.from_arrays([list(self.instrument), times], names=["instrument", "openTime"])
        columns = {name: library.Series(list(getattr(self, name)), index, dtype=self._dtype(name)) for name in COLUMNS}
        made: pandas.DataFrame = library.DataFrame(columns, index=index)
        made.attrs = {"currency": dict(self.currency), "provenance": dict(self.provenance), "gaps": dict(self.gaps)}
        return made

    def to_polars(self) -> polars.DataFrame:
        """A DataFrame with the columns instrument and openTime first; Decimals keep every digit, up to 38.

        Needs the extra `polars`. ValueError where a column needs more digits.
        """
        library = _library("polars")
        columns: dict[str, Any] = {
            "instrument": library.Series(list(self.instrument), dtype=library.String),
            "openTime": library.Series(list(self.open_time), dtype=library.Datetime("us", "UTC")),
        }
        for name in NUMBERS:
            values = list(getattr(self, name))
            dtype = library.Float64() if self._floats else library.Decimal(DIGITS, _scale(name, values))
            columns[name] = library.Series(values, dtype=dtype)
        columns["closed"] = library.Series(list(self.closed), dtype=library.Boolean)
        made: polars.DataFrame = library.DataFrame(columns)
        return made

    @property
    def _floats(self) -> bool:
        return isinstance(self.open, array)

    def _dtype(self, name: str) -> str:
        if name == "closed":
            return "bool"
        return "float64" if self._floats else "object"

    def _rows(self, id: str) -> slice:
        if id not in self.currency:
            raise KeyError(id)
        before = 0
        for each in self.currency:
            if each == id:
                break
            before = _end(self.instrument, each, before)
        return slice(before, _end(self.instrument, id, before))


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"{name} is not installed: pip install 'marketgate-client[{name}]'") from error


def _end(instruments: Sequence[str], id: str, start: int) -> int:
    """Where the run of *id* that begins at *start* ends, by halving: instruments stand together."""
    low, high = start, len(instruments)
    while low < high:
        middle = (low + high) // 2
        if instruments[middle] == id:
            low = middle + 1
        else:
            high = middle
    return low


def _scale(name: str, values: Sequence[Decimal | None]) -> int:
    scale = whole = 0
    for value in values:
        if value is not None:
            exponent = value.as_tuple().exponent
            assert isinstance(exponent, int)
            scale, whole = max(scale, -exponent), max(whole, value.adjusted() + 1)
    if whole + scale > DIGITS:
        raise ValueError(f"{name} needs {whole + scale} digits, Polars has {DIGITS}: ask for numbers='float64'")
    return scale
