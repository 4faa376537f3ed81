"""Candles of Yahoo's chart: parallel arrays with holes, days named by an instant, and a last row of its own kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import compress, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from providers.equities._adjusted import with_dividends
from providers.equities._yahoo import currency_of, shifted
from providers.exact import exact
from providers.row import Row
from schema.errors import NotCovered
from schema.symbols import AssetClass
from schema.words.candles import COLUMNS, NO_BARS, Adjustment, Bars, CandlesAsk, cut
from schema.words.intervals import Interval
from schema.words.venues import TradingHours

PRICES = ("open", "high", "low", "close")
VOLUME, ADJUSTED_CLOSE = 5, 6
UTC_DAYS = ZoneInfo("UTC")


def parse_candles(ask: CandlesAsk, chart: Row) -> Bars:
    """The bars of the ask's range; `timestamp` is missing where there are none."""
    kind, meta = ask.instrument.asset_class, chart["meta"]
    dividends = ask.adjustment is Adjustment.SPLITS_AND_DIVIDENDS and kind is AssetClass.EQUITY
    table = table_of(chart, dividends=dividends)
    if not table.value:
        return NO_BARS
    currency, power = currency_of(ask.instrument, meta)
    zone = UTC_DAYS if kind is AssetClass.CRYPTO else meta.zone("exchangeTimezoneName")
    bars = table.bars(time=0, open=1, high=2, low=3, close=4, unit="s")
    bars = replace(bars, currency=None if ask.instrument.quote else currency, time_zone=zone.key)
    if kind is not AssetClass.FX:
        # Of coins it is money, of currencies nothing.
        holes = any(row[VOLUME] is None for row in table.value)
        volumes = table.column(VOLUME, _or_none) if holes else table.decimals(VOLUME)
        coins = kind is AssetClass.CRYPTO
        bars = replace(bars, volume=None if coins else volumes, quote_volume=volumes if coins else None)
    if dividends:
        bars = with_dividends(bars, table.decimals(ADJUSTED_CLOSE), table)
    if power:
        columns = (tuple([shifted(v, power) for v in c]) for c in (bars.open, bars.high, bars.low, bars.close))
        prices: dict[str, Any] = dict(zip(PRICES, columns, strict=True))
        bars = replace(bars, **prices)
    if ask.interval.intraday:
        return intraday(ask, bars, meta, zone)
    days = [moment.astimezone(zone).date() for moment in bars.open_time]
    return daily(ask, bars, days, meta) if ask.interval is Interval.D1 else longer(ask, bars, days, chart)


def table_of(chart: Row, *, dividends: bool) -> Row:
    """The arrays turned into rows; one with a null among its prices is a bar that never was."""
    stamps = chart.get("timestamp")
    if stamps is None:
        return Row(chart.provider, [], chart, "rows")
    indicators = chart["indicators"]
    quote = indicators["quote"][0]
    volume = quote.get("volume")
    nothing = Row(chart.provider, [None] * len(stamps), quote, "volume")
    arrays = [stamps, *(quote[name] for name in PRICES), nothing if volume is None else volume]
    if dividends:
        arrays.append(indicators["adjclose"][0]["adjclose"])
    for array in arrays:
        if type(array.value) is not list or len(array) != len(stamps):
            array.broken(f"is not a list of {len(stamps)}")
    rows = list(zip(*(array.value for array in arrays), strict=True))
    needed = [1, 2, 3, 4, *range(ADJUSTED_CLOSE, len(arrays))]
    # By identity: comparing 500 decimals with None costs as much as reading them.
    if any(any(value is None for value in arrays[i].value) for i in needed):
        rows = [row for row in rows if not any(row[i] is None for i in needed)]
    # While a market is open the newest row may come twice.
    if len(rows) > 1 and rows[-1][0] == rows[-2][0]:
        del rows[-2]
    return Row(chart.provider, rows, chart, "rows")


def _or_none(value: Any) -> Decimal | None:
    return None if value is None else exact(value)


def intraday(ask: CandlesAsk, bars: Bars, meta: Row, zone: ZoneInfo) -> Bars:
    """The newest row may be the price of this moment, stamped off the grid: it belongs to the bar before."""
    regular = ask.hours is TradingHours.REGULAR
    times = bars.open_time
    # The first bar of pre or post market may follow a shortened one, but on a whole minute.
    if len(times) > 1 and times[-1] - times[-2] < ask.interval.delta and (regular or times[-1].second):
        bars = joined(bars, sum)
    spans = meta.get("tradingPeriods") if regular and ask.instrument.asset_class is AssetClass.EQUITY else None
    if spans is not None and isinstance(spans.value, list):
        bars = kept(bars, during(bars.open_time, spans, zone))
    return cut(bars, ask.start, ask.end)


def during(moments: Sequence[datetime], spans: Row, zone: ZoneInfo) -> list[bool]:
    """Which moments are inside their day's session; post market rows come along unasked. Days without one are kept."""
    sessions: dict[date, tuple[datetime, datetime]] = {}
    for span in (span for day in spans for span in day):
        start, end = span.epoch("start"), span.epoch("end")
        day = start.astimezone(zone).date()
        first, last = sessions.get(day, (start, end))
        sessions[day] = min(first, start), max(last, end)
    found = [(moment, sessions.get(moment.astimezone(zone).date())) for moment in moments]
    return [session is None or session[0] <= moment < session[1] for moment, session in found]


def daily(ask: CandlesAsk, bars: Bars, days: list[date], meta: Row) -> Bars:
    """A bar stands for the day of its stamp at the exchange; today's newest row replaces the one of the opening."""
    if len(days) > 1 and days[-1] == days[-2]:
        bars = joined(bars, max)
        days = days[:-1]
    if ask.instrument.asset_class is AssetClass.CRYPTO:
        return cut(bars, ask.start, ask.end)
    opened = opening_of(meta)
    if opened is not None and opened.astimezone(meta.zone("exchangeTimezoneName")).date() == days[-1]:
        bars = replace(bars, open_time=(*bars.open_time[:-1], min(opened, bars.open_time[-1])))
    first, last = ask.start.date(), ask.end.date()
    return kept(replace(bars, session_date=tuple(days)), [first <= day < last for day in days])


def opening_of(meta: Row) -> datetime | None:
    """When the current session opens: the newest daily row may be stamped with the last trade instead."""
    periods = meta.get("currentTradingPeriod")
    session = None if periods is None else periods.get("regular")
    return None if session is None else session.epoch("start")


def longer(ask: CandlesAsk, bars: Bars, days: list[date], chart: Row) -> Bars:
    """Weeks from Monday and months from the 1st; the newest row is of today and belongs to the one before."""
    weekly = ask.interval is Interval.W1
    # The upstream counts the weeks of a young listing from its first day.
    if weekly and any(day.weekday() for day in days[:-1]):
        raise NotCovered(chart.provider, f"its weeks of {ask.instrument} do not begin on a Monday")
    starts = [day - timedelta(days=day.weekday()) if weekly else day.replace(day=1) for day in days]
    if len(starts) > 1 and starts[-1] == starts[-2]:
        bars = joined(bars, sum)
        del starts[-1]
    if any(a >= b for a, b in pairwise(starts)):
        chart["timestamp"].broken(f"has two rows of one {'week' if weekly else 'month'}")
    return cut(replace(bars, open_time=tuple(datetime.combine(s, time(), UTC) for s in starts)), ask.start, ask.end)


def joined(bars: Bars, total: Callable[[Iterable[Any]], Any]) -> Bars:
    """The last two rows made one; *total* says what becomes of their volumes."""

    def volumes(column: tuple[Decimal | None, ...] | None) -> tuple[Decimal | None, ...] | None:
        return None if column is None else (*column[:-2], None if None in column[-2:] else total(column[-2:]))

    return replace(
        bars, open_time=bars.open_time[:-1], open=bars.open[:-1], high=(*bars.high[:-2], max(bars.high[-2:])),
        low=(*bars.low[:-2], min(bars.low[-2:])), close=(*bars.close[:-2], bars.close[-1]),
        volume=volumes(bars.volume), quote_volume=volumes(bars.quote_volume),
    )  # fmt: skip


def kept(bars: Bars, wanted: Sequence[bool]) -> Bars:
    """The rows that are wanted."""
    if all(wanted):
        return bars
    columns: dict[str, Any] = {
        name: tuple(compress(column, wanted)) for name in COLUMNS if (column := getattr(bars, name)) is not None
    }
    return replace(bars, **columns)
