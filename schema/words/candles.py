"""Candles: open, high, low, close and volume over equal intervals."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any

import strawberry

from schema.capability import Capability, Ranges
from schema.model import Columns, choices, computed, described, model
from schema.paging import PageInfo
from schema.provenance import Provenance
from schema.symbols import AssetClass, InstrumentId
from schema.words.instruments import DESCRIBED, instrument_of
from schema.words.intervals import Interval
from schema.words.venues import TradingHours


@choices(
    "Which corporate actions the prices are adjusted for.",
    NONE="As traded.",
    SPLITS="For splits.",
    SPLITS_AND_DIVIDENDS="For splits and dividends.",
)
class Adjustment(StrEnum):
    """Never mixed in one series."""

    NONE = "NONE"
    SPLITS = "SPLITS"
    SPLITS_AND_DIVIDENDS = "SPLITS_AND_DIVIDENDS"


@choices(
    "What to do where no candle is.",
    NONE="Leave the gap, and name it.",
    PREVIOUS_CLOSE="Put a marked row with the close before.",
)
class Fill(StrEnum):
    """PREVIOUS_CLOSE is opt-in and marks its rows."""

    NONE = "NONE"
    PREVIOUS_CLOSE = "PREVIOUS_CLOSE"


@model("One interval of trading.")
class Candle:
    """Named by its open time; the interval is half-open."""

    open_time: datetime = described("Start of the interval.")
    session_date: date | None = described("The session that a daily bar of a venue stands for.", default=None)
    open: Decimal = described("First price.")
    high: Decimal = described("Highest price.")
    low: Decimal = described("Lowest price.")
    close: Decimal = described("Last price.")
    volume: Decimal | None = described("Volume in base units.", default=None)
    quote_volume: Decimal | None = described("Volume in the quote currency.", default=None)
    vwap: Decimal | None = described("Volume-weighted average price.", default=None)
    trade_count: int | None = described("Number of trades.", default=None)
    closed: bool = described("False while the candle is still forming.", default=True)
    filled: bool = described("True where `fill` made the row.", default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A run of candles as columns of equal length, ascending by open time: what adapters answer.

    A column that the provider does not send is None. `session_date` is filled for daily bars of venues with
    sessions, where the provider names a day and not an instant; `open_time` is then that day's midnight UTC and
    the core moves it to the session's opening. `closed` and `filled` belong to the core; an adapter sets
    `closed` only where the provider says so itself. `currency` is the prices' where the instrument does not tell.
    """

    open_time: tuple[datetime, ...]
    open: tuple[Decimal, ...]
    high: tuple[Decimal, ...]
    low: tuple[Decimal, ...]
    close: tuple[Decimal, ...]
    volume: tuple[Decimal | None, ...] | None = None
    quote_volume: tuple[Decimal | None, ...] | None = None
    vwap: tuple[Decimal | None, ...] | None = None
    trade_count: tuple[int | None, ...] | None = None
    session_date: tuple[date, ...] | None = None
    closed: tuple[bool, ...] | None = None
    filled: tuple[bool, ...] | None = None
    currency: str | None = None
    time_zone: str | None = None

    def __len__(self) -> int:
        return len(self.open_time)


COLUMNS = (
    "open_time", "open", "high", "low", "close", "volume", "quote_volume", "vwap", "trade_count", "session_date",
    "closed", "filled",
)  # fmt: skip
NO_BARS = Bars(open_time=(), open=(), high=(), low=(), close=())


@model("The series as columns, for charts and frames.")
class CandleColumns:
    """All of one length."""

    open_time: tuple[datetime, ...] = described("Starts of the intervals.")
    open: tuple[Decimal, ...] = described("First prices.")
    high: tuple[Decimal, ...] = described("Highest prices.")
    low: tuple[Decimal, ...] = described("Lowest prices.")
    close: tuple[Decimal, ...] = described("Last prices.")
    volume: tuple[Decimal | None, ...] = described("Volumes in base units.")
    closed: tuple[bool, ...] = described("False for a candle that is still forming.")


@model("A range without candles while the venue was open.")
class Gap:
    """Half-open."""

    start: datetime = described("Open time of the first missing candle.")
    end: datetime = described("Open time of the next candle that is there, or the end of the range.")
    missing: int = described("How many candles are missing.")


def resolve_rows(root: CandleSeries) -> list[Candle]:
    """The columns, turned."""
    return rows_of(root.bars)


def rows_of(bars: Bars) -> list[Candle]:
    """Candles of columns."""
    count = len(bars)
    nothing = (None,) * count
    return [
        Candle(
            open_time=t, open=o, high=h, low=low, close=c, volume=v, quote_volume=q, vwap=w, trade_count=n,
            session_date=d, closed=done, filled=made,
        )
        for t, o, h, low, c, v, q, w, n, d, done, made in zip(
            bars.open_time, bars.open, bars.high, bars.low, bars.close, bars.volume or nothing,
            bars.quote_volume or nothing, bars.vwap or nothing, bars.trade_count or nothing,
            bars.session_date or nothing, bars.closed or (True,) * count, bars.filled or (False,) * count,
            strict=True,
        )
    ]  # fmt: skip


def columns_of(root: CandleSeries) -> dict[str, tuple[Any, ...]]:
    """The attributes of the rows, each a column."""
    bars, count = root.bars, len(root.bars)
    columns = {name: getattr(bars, name) or (None,) * count for name in COLUMNS}
    return columns | {"closed": bars.closed or (True,) * count, "filled": bars.filled or (False,) * count}


def resolve_columns(root: CandleSeries) -> CandleColumns:
    """The columns as they are."""
    bars = root.bars
    return CandleColumns(
        open_time=bars.open_time,
        open=bars.open,
        high=bars.high,
        low=bars.low,
        close=bars.close,
        volume=bars.volume or (None,) * len(bars),
        closed=bars.closed or (True,) * len(bars),
    )


@model("A price series of one instrument, ascending.")
class CandleSeries:
    """At most 5,000 rows a page."""

    instrument: strawberry.Private[InstrumentId]
    bars: strawberry.Private[Bars]
    interval: Interval = described("Length of each candle.")
    currency: str = described("Currency of the prices.")
    time_zone: str = described("IANA time zone that days and weeks are aligned to.")
    adjustment: Adjustment = described("The adjustment that was applied.")
    hours: TradingHours = described("Which trading hours are covered.")
    gaps: list[Gap] = described("Missing ranges while the venue was open.")
    page_info: PageInfo = described("Where this page stands.")
    provenance: list[Provenance] = described("One for each provider used.")
    instrument_ = computed(instrument_of, "What is priced.", name="instrument", direct=DESCRIBED)
    rows = computed(resolve_rows, "The candles as rows.", direct=Columns(columns_of))
    columns = computed(resolve_columns, "The candles as columns.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CandlesAsk:
    """Candles with open times in `[start, end)`, at most as many as the provider gives in one answer.

    `start` and `end` are aligned to the interval (UTC; weeks to Monday, months to the 1st). An adapter may answer
    more than was asked (the core cuts), never less than its upstream has of the range.
    """

    instrument: InstrumentId
    interval: Interval
    start: datetime
    end: datetime
    adjustment: Adjustment = Adjustment.SPLITS
    hours: TradingHours = TradingHours.REGULAR


def freshness(ask: CandlesAsk, now: datetime) -> timedelta:
    """Closed history keeps an hour; a range that may hold the forming candle ends with it, after 5 s at most."""
    if ask.end + ask.interval.delta < now:
        return timedelta(hours=1)
    # Weeks and months end at midnight too, and are not equal parts of the time since 1970. Sessions open and close
    # on half hours, and their longer candles with them.
    sessions = ask.instrument.asset_class in (AssetClass.EQUITY, AssetClass.INDEX)
    seconds = min(ask.interval.seconds, 1_800 if sessions else 86_400)
    left = seconds - (now - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() % seconds
    return timedelta(seconds=min(left, 5.0))


def split_range(ask: CandlesAsk, rows: int) -> tuple[CandlesAsk, ...]:
    """Pieces of at most *rows* candles. Inner cuts stand on a fixed grid, so that pieces are shared between asks."""
    if ask.interval is Interval.MO1:
        first, end = _month(ask.start), _month(ask.end)
        inner = [_first_of(month) for month in range(first - first % rows + rows, end, rows)]
        whole = end - first <= rows
    else:
        step, origin = ask.interval.delta * rows, _MONDAY if ask.interval is Interval.W1 else _EPOCH
        cut_at = ask.start + step - (ask.start - origin) % step
        inner = [cut_at + step * n for n in range(-((cut_at - ask.end) // step))]
        whole = ask.end - ask.start <= step
    if whole:
        return (ask,)
    return tuple(replace(ask, start=a, end=b) for a, b in pairwise([ask.start, *inner, ask.end]))


_EPOCH, _MONDAY = datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 5, tzinfo=UTC)


def _month(moment: datetime) -> int:
    return moment.year * 12 + moment.month - 1


def _first_of(month: int) -> datetime:
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def cut(bars: Bars, start: datetime, end: datetime) -> Bars:
    """The rows with open times in `[start, end)`."""
    first, last = bisect_left(bars.open_time, start), bisect_left(bars.open_time, end)
    if first == 0 and last == len(bars):
        return bars
    kept = {name: column[first:last] for name in COLUMNS if (column := getattr(bars, name)) is not None}
    return replace(bars, **kept)


def join_bars(ask: CandlesAsk, pieces: Sequence[Bars]) -> Bars:
    """One run of candles inside the ask's range; a column that one piece lacks is None there."""
    if len(pieces) == 1:
        return pieces[0]
    filled = [piece for piece in pieces if len(piece)]
    if not filled:
        return pieces[0]
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        if any(getattr(piece, name) is not None for piece in filled):
            columns[name] = tuple(value for piece in filled for value in (getattr(piece, name) or (None,) * len(piece)))
    return replace(filled[0], **columns)


CANDLES: Capability[CandlesAsk, Bars] = Capability(
    name="candles",
    ask=CandlesAsk,
    answer=Bars,
    description="Open, high, low, close and volume over equal intervals.",
    fresh_for=timedelta(seconds=5),
    freshness=freshness,
    keep_for=timedelta(hours=1),
    ranges=Ranges(split=split_range, join=join_bars, cut=lambda ask, bars: cut(bars, ask.start, ask.end)),
)
