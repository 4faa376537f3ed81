"""Candles from a tape of trades: pure folding, exact sums, aligned to the interval's grid in UTC."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Context, Decimal

from gateway.core.lines.grid import ending, opening
from schema.words.candles import Candle
from schema.words.intervals import Interval

KEPT = 64
"""Candles that late trades may still revise."""
MOST_IDS = 4_000
"""Ids of trades that are remembered, so that none counts twice."""

EXACT = Context(prec=120)
"""Sums and products of numbers of sane size are never rounded."""
RATIO = Context(prec=28)


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """One price that was paid. `id` is empty and `size` None where only the price is known (of a quote)."""

    id: str
    time: datetime
    price: Decimal
    size: Decimal | None


@dataclass(slots=True, kw_only=True)
class _Bar:
    """Grows. What a part of it does not tell (a volume) is not known of the whole."""

    open_time: datetime
    first: datetime
    last: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None
    quote_volume: Decimal | None
    trade_count: int | None

    def add(self, print_: Print) -> None:
        """The earliest of its prints opens it and the latest closes it, in whatever order they come."""
        price = print_.price
        if print_.time < self.first:
            self.open, self.first = price, print_.time
        if print_.time >= self.last:
            self.close, self.last = price, print_.time
        self.high, self.low = max(self.high, price), min(self.low, price)
        self.volume = _sum(self.volume, print_.size)
        self.quote_volume = _sum(self.quote_volume, _worth(print_))
        self.trade_count = None if self.trade_count is None or print_.size is None else self.trade_count + 1

    def candle(self, *, closed: bool) -> Candle:
        """As it stands."""
        vwap = None
        if self.volume and self.quote_volume is not None:
            vwap = RATIO.divide(self.quote_volume, self.volume)
        return Candle(
            open_time=self.open_time, open=self.open, high=self.high, low=self.low, close=self.close,
            volume=self.volume, quote_volume=self.quote_volume, vwap=vwap, trade_count=self.trade_count, closed=closed,
        )  # fmt: skip


class BarFold:
    """The newest candles of one tape. Prints before `floor` count nowhere: what they belong to is not whole."""

    def __init__(self, interval: Interval) -> None:
        self._interval = interval
        self._bars: dict[datetime, _Bar] = {}
        self._ids: dict[str, None] = {}
        self._closed: set[datetime] = set()
        self.floor: datetime | None = None
        """None: nothing is whole yet."""
        self.last: datetime | None = None
        """Time of the newest print, whether it counts or not."""

    def start(self, floor: datetime, parts: Sequence[Candle] = ()) -> None:
        """Begin anew: prints from *floor* on count, *parts* are the candle that runs then, until *floor*."""
        self._bars, self._ids, self._closed, self.floor = {}, {}, set(), floor
        if parts:
            bar = _joined(opening(self._interval, parts[0].open_time), parts)
            self._bars[bar.open_time] = bar

    def copy(self) -> BarFold:
        """As it stands, to come back to."""
        made = BarFold(self._interval)
        made._bars = {at: replace(bar) for at, bar in self._bars.items()}
        made._ids, made._closed = dict(self._ids), set(self._closed)
        made.floor, made.last = self.floor, self.last
        return made

    def knows(self, each: Print) -> bool:
        """Whether it was taken already."""
        return each.id in self._ids

    def take(self, prints: Iterable[Print]) -> list[datetime]:
        """Open times of the candles that have changed, ascending. Prints are ascending but for late ones."""
        changed: set[datetime] = set()
        for each in prints:
            self.last = each.time if self.last is None else max(self.last, each.time)
            if each.id in self._ids:
                continue
            if each.id:
                self._ids[each.id] = None
            if self.floor is None or each.time < self.floor:
                continue
            at = opening(self._interval, each.time)
            self._grow(at, each)
            changed.add(at)
        self._forget()
        return sorted(changed & self._bars.keys())

    def times(self) -> list[datetime]:
        """Open times of the candles that are held, ascending."""
        return sorted(self._bars)

    def next_end(self) -> datetime | None:
        """When the first candle ends that was not told closed."""
        running = self._bars.keys() - self._closed
        return ending(self._interval, min(running)) if running else None

    def over(self, now: datetime) -> list[datetime]:
        """Those that have ended by then and were not told closed, ascending."""
        return sorted(at for at in self._bars.keys() - self._closed if ending(self._interval, at) <= now)

    def told(self, times: Sequence[datetime], now: datetime | None) -> tuple[Candle, ...]:
        """Candles as they stand, closed where they have ended by then, once and for all; None: no further one is."""
        done = [at in self._closed or (now is not None and ending(self._interval, at) <= now) for at in times]
        self._closed.update(at for at, closed in zip(times, done, strict=True) if closed)
        return tuple([self._bars[at].candle(closed=closed) for at, closed in zip(times, done, strict=True)])

    def _grow(self, at: datetime, each: Print) -> None:
        bar = self._bars.get(at)
        if bar is not None:
            bar.add(each)
            return
        price, count = each.price, None if each.size is None else 1
        self._bars[at] = _Bar(
            open_time=at, first=each.time, last=each.time, open=price, high=price, low=price, close=price,
            volume=each.size, quote_volume=_worth(each), trade_count=count,
        )  # fmt: skip

    def _forget(self) -> None:
        """A print that is later still than what is held counts nowhere: what it belongs to is not known any more."""
        while len(self._ids) > MOST_IDS:
            del self._ids[next(iter(self._ids))]
        if len(self._bars) > KEPT:
            kept = sorted(self._bars)[-KEPT:]
            self._bars = {at: self._bars[at] for at in kept}
            self._closed &= self._bars.keys()
            self.floor = kept[0] if self.floor is None else max(self.floor, kept[0])


def _joined(open_time: datetime, parts: Sequence[Candle]) -> _Bar:
    """Consecutive candles as the first part of a longer one."""
    counts = [part.trade_count for part in parts]
    known = [count for count in counts if count is not None]
    return _Bar(
        open_time=open_time, first=open_time, last=open_time, open=parts[0].open,
        high=max(part.high for part in parts), low=min(part.low for part in parts), close=parts[-1].close,
        volume=_total([part.volume for part in parts]), quote_volume=_total([part.quote_volume for part in parts]),
        trade_count=sum(known) if len(known) == len(counts) else None,
    )  # fmt: skip


def _worth(each: Print) -> Decimal | None:
    return None if each.size is None else EXACT.multiply(each.price, each.size)


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else EXACT.add(one, other)


def _total(values: Sequence[Decimal | None]) -> Decimal | None:
    total: Decimal | None = Decimal(0)
    for value in values:
        total = _sum(total, value)
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A run of whole candles, `[start, end)`."""

    interval: Interval
    start: datetime
    end: datetime


def ladder(begin: datetime, until: datetime, offered: Iterable[Interval], most: int) -> list[Rung] | None:
    """The fewest whole candles from *begin* to exactly *until*; None where they do not reach, or are more than that."""
    rungs: list[Rung] = []
    at, count = begin, 0
    for interval in sorted(offered, key=lambda each: each.seconds, reverse=True):
        start = at
        while opening(interval, at) == at and ending(interval, at) <= until and count <= most:
            at, count = ending(interval, at), count + 1
        if at > start:
            rungs.append(Rung(interval=interval, start=start, end=at))
    return rungs if at == until and count <= most else None


def first_whole(interval: Interval, known_since: datetime) -> datetime:
    """Open time of the first candle that begins after a tape does. Of the moment itself some prints may be lacking."""
    return ending(interval, opening(interval, known_since))


def before(moment: datetime) -> datetime:
    """The instant before, to find the candle that ended at a moment."""
    return moment - timedelta(microseconds=1)
