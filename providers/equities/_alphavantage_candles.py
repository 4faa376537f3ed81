"""Candles of Alpha Vantage: objects keyed by local time, newest first, every number a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import accumulate, pairwise
from operator import mul
from zoneinfo import ZoneInfo

from providers.equities._adjusted import SCALE, with_dividends
from providers.equities._alphavantage import same_name, symbol_of
from providers.equities._listed import NEW_YORK, TRADED_IN
from providers.row import Row
from schema.words.candles import NO_BARS, Adjustment, Bars, CandlesAsk
from schema.words.intervals import Interval

RAW_VOLUME, VOLUME = "5. volume", "6. volume"
ADJUSTED_CLOSE, SPLIT = "5. adjusted close", "8. split coefficient"


def months(start: datetime, end: datetime) -> Iterator[str]:
    """`YYYY-MM` of every month that `[start, end)` touches in New York."""
    zone = ZoneInfo(NEW_YORK)
    day, last = start.astimezone(zone).date().replace(day=1), (end - timedelta(microseconds=1)).astimezone(zone).date()
    while day <= last:
        yield f"{day:%Y-%m}"
        day = (day + timedelta(days=31)).replace(day=1)


def parse_intraday(ask: CandlesAsk, body: Row) -> Bars:
    """Bars keyed by their local open time."""
    meta = body["Meta Data"]
    zone = zone_of(meta)
    first, last = (f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}" for moment in (ask.start, ask.end))
    series = series_of(ask, body)
    stamps = [stamp for stamp in sorted(series.value) if first <= stamp < last]
    if not stamps:
        return NO_BARS
    keys = (Row(series.provider, stamp, series, stamp) for stamp in stamps)
    times = tuple([key.instant().replace(tzinfo=zone).astimezone(UTC) for key in keys])
    return replace(columns(ask, series, stamps, times), time_zone=zone.key)


def parse_daily(ask: CandlesAsk, body: Row) -> Bars:
    """Bars keyed by the session's date; with adjustment, every later split of the series counts."""
    series = series_of(ask, body)
    first, last = ask.start.date().isoformat(), ask.end.date().isoformat()
    days = [day for day in sorted(series.value) if day >= first]
    inside = [day for day in days if day < last]
    if not inside:
        return NO_BARS
    dates = dates_of(series, inside)
    bars = columns(ask, series, inside, midnights(dates))
    bars = replace(bars, session_date=dates, time_zone=None if ask.instrument.venue else NEW_YORK)
    if ask.adjustment is Adjustment.NONE:
        return bars
    return adjusted(ask, bars, Row(series.provider, [series.value[day] for day in days], series, "rows"))


def parse_longer(ask: CandlesAsk, body: Row) -> Bars:
    """Weeks and months are keyed by their last session so far; here they are named by their first day."""
    series, weekly = series_of(ask, body), ask.interval is Interval.W1
    first, last = ask.start.date(), ask.end.date()
    # All of history comes in one answer: only what is inside is read.
    stamps = [stamp for stamp in sorted(series.value) if first.isoformat() <= stamp < last.isoformat()]
    days = dates_of(series, stamps)
    starts = tuple([day - timedelta(days=day.weekday()) if weekly else day.replace(day=1) for day in days])
    if any(a >= b for a, b in pairwise(starts)):
        series.broken(f"has two rows of one {'week' if weekly else 'month'}")
    if not starts:
        return NO_BARS
    bars = columns(ask, series, stamps, midnights(starts))
    return replace(bars, time_zone=None if ask.instrument.venue else NEW_YORK)


def series_of(ask: CandlesAsk, body: Row) -> Row:
    """The one member that is called a time series; its name tells the interval."""
    meta = body.get("Meta Data")
    if meta is not None:
        same_name(meta, "2. Symbol", symbol_of(ask.instrument) or "")
    found = next((row for key, row in body.items() if "Time Series" in key), None)
    if found is None:
        body.broken("has no time series")
    if not isinstance(found.value, dict):
        found.broken("is not an object")
    return found


def zone_of(meta: Row) -> ZoneInfo:
    """The zone of the stamps; `US/Eastern` is an old name that not every system knows."""
    key = next((key for key, _ in meta.items() if key.endswith("Time Zone")), "6. Time Zone")
    return ZoneInfo(NEW_YORK) if meta[key].value == "US/Eastern" else meta.zone(key)


def dates_of(series: Row, texts: Sequence[str]) -> tuple[date, ...]:
    """The keys as dates."""
    return tuple([Row(series.provider, text, series, text).day() for text in texts])


def midnights(days: Sequence[date]) -> tuple[datetime, ...]:
    """The first moments of days in UTC."""
    return tuple([datetime.combine(day, time(), UTC) for day in days])


def columns(ask: CandlesAsk, series: Row, keys: Sequence[str], times: tuple[datetime, ...]) -> Bars:
    """The rows under *keys*, as columns."""
    table = Row(series.provider, [series.value[key] for key in keys], series, "rows")
    return Bars(
        open_time=times,
        open=table.decimals("1. open"),
        high=table.decimals("2. high"),
        low=table.decimals("3. low"),
        close=table.decimals("4. close"),
        volume=table.decimals(RAW_VOLUME) if RAW_VOLUME in table[0] else None,
        currency=TRADED_IN[ask.instrument.venue],
    )


def adjusted(ask: CandlesAsk, bars: Bars, table: Row) -> Bars:
    """Prices divided, and volumes multiplied, by all splits after the day; *table* goes on to the newest day."""
    ratios = table.decimals(SPLIT)
    if any(ratio <= 0 for ratio in ratios):
        table.broken("has a split coefficient that is not positive")
    factors = [Decimal(1), *accumulate(reversed(ratios), mul)][-2::-1][: len(bars)]
    volumes = table.decimals(VOLUME)[: len(bars)]

    def divided(column: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
        return tuple([v if by == 1 else SCALE.divide(v, by) for v, by in zip(column, factors, strict=True)])

    bars = replace(
        bars, open=divided(bars.open), high=divided(bars.high), low=divided(bars.low), close=divided(bars.close),
        volume=tuple([v if by == 1 else SCALE.multiply(v, by) for v, by in zip(volumes, factors, strict=True)]),
    )  # fmt: skip
    if ask.adjustment is Adjustment.SPLITS:
        return bars
    return with_dividends(bars, table.decimals(ADJUSTED_CLOSE)[: len(bars)], table)
