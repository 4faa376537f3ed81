"""A market's price, extremes and volume over any stretch of time, in whole ticks and steps."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from math import exp, log
from typing import NamedTuple

from providers.simulated._calendar import TRADING_WEEK, week_of, week_opening
from providers.simulated._markets import Asset, Market
from providers.simulated._noise import HOUR, day_course, day_volumes, hour_shapes, joined, key_of

REFERENCE = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()) // HOUR
TRADING_HOURS = TRADING_WEEK // HOUR


class Span(NamedTuple):
    """First, highest, lowest and last price of a stretch of time, in ticks."""

    open: int
    high: int
    low: int
    close: int


def trading_hour(hour: int) -> int:
    """Hours of the currency week, counted without the weekends."""
    week = week_of(hour * HOUR)
    inside = hour - week_opening(week) // HOUR
    return week * TRADING_HOURS + min(max(inside, 0), TRADING_HOURS)


def _course(seed: int, asset: Asset, first: int, last: int) -> list[float]:
    """The walk of an asset at the start of each hour, both ends included; constant while a currency rests."""
    begin, end = (trading_hour(first), trading_hour(last)) if asset.weekly else (first, last)
    key = key_of(seed, "price", asset.key)
    days = (day_course(seed, key, day) for day in range(begin // 24, end // 24 + 1))
    values = joined(days, begin % 24, end - begin + 1)
    return [values[trading_hour(hour) - begin] for hour in range(first, last + 1)] if asset.weekly else values


@lru_cache(maxsize=512)
def _origin(seed: int, asset: Asset) -> float:
    """What makes the value at the reference instant the asset's stated level."""
    return log(float(asset.level)) - asset.volatility * _course(seed, asset, REFERENCE, REFERENCE)[0]


def _logarithms(seed: int, asset: Asset, first: int, last: int) -> list[float]:
    origin, scale = _origin(seed, asset), asset.volatility
    return [origin + scale * value for value in _course(seed, asset, first, last)]


def ratio(seed: int, base: Asset | None, quote: Asset | None, first: int, last: int) -> list[float]:
    """The logarithm of one asset's value in another at the start of each hour; None is the US dollar."""
    above = _logarithms(seed, base, first, last) if base else [0.0] * (last - first + 1)
    below = _logarithms(seed, quote, first, last) if quote else None
    return above if below is None else [a - b for a, b in zip(above, below, strict=True)]


def value_at(seed: int, base: Asset | None, quote: Asset | None, second: int) -> float:
    """What one asset is worth in another at a second."""
    hour = second // HOUR
    start, end = ratio(seed, base, quote, hour, hour + 1)
    shape = hour_shapes(seed, hour // 24)[hour % 24]
    return exp(start + (end - start) * shape.at(second % HOUR))


class Track:
    """One market over a range of seconds; everything is computed from whole hours around it."""

    def __init__(self, seed: int, market: Market, first: int, last: int) -> None:
        self.seed, self.market = seed, market
        self.hour, end = first // HOUR, last // HOUR
        self.knots = ratio(seed, market.base, market.quote, self.hour, end + 1)
        if market.premium:
            above = ratio(seed, market.premium, None, self.hour, end + 1)
            self.knots = [knot + more for knot, more in zip(self.knots, above, strict=True)]
        days = range(self.hour // 24, end // 24 + 1)
        self.shapes = [shape for day in days for shape in hour_shapes(seed, day)][self.hour % 24 :]
        self.scale = int(10**market.ticks)
        self.volumes = self._volumes(days) if market.turnover else []

    def _volumes(self, days: range) -> list[int]:
        usual, key = self.market.hourly_steps, key_of(self.seed, "volume", self.market.symbol)
        return [part for day in days for part in day_volumes(self.seed, key, day, usual)][self.hour % 24 :]

    def price(self, second: int) -> int:
        """The price of the trade at a second, in ticks."""
        return self._ticks(self._logarithm(second))

    def _ticks(self, logarithm: float) -> int:
        return round(exp(logarithm) * self.scale)

    def _logarithm(self, second: int) -> float:
        index = second // HOUR - self.hour
        start = self.knots[index]
        return start + (self.knots[index + 1] - start) * self.shapes[index].at(second % HOUR)

    def span(self, first: int, last: int) -> Span:
        """From one second to another, both included."""
        low = high = self._logarithm(first)
        begin, end = first // HOUR - self.hour, last // HOUR - self.hour
        knots, shapes = self.knots, self.shapes
        for index in range(begin, end + 1):
            shape = shapes[index]
            least, most = shape.low, shape.high
            if index in (begin, end):
                start, stop = first % HOUR if index == begin else 0, last % HOUR if index == end else HOUR - 1
                least, most = shape.extremes(start, stop)
            knot = knots[index]
            rise = knots[index + 1] - knot
            bottom, top = (
                (knot + rise * least, knot + rise * most) if rise > 0 else (knot + rise * most, knot + rise * least)
            )
            if bottom < low:  # not min() and max(): a month has 720 hours
                low = bottom
            if top > high:
                high = top
        return Span(self.price(first), self._ticks(high), self._ticks(low), self.price(last))

    def volume(self, first: int, last: int) -> int:
        """What was traded from one second to another, both included, in steps."""
        begin, end = first // HOUR - self.hour, last // HOUR - self.hour
        whole = sum(self.volumes[begin:end])
        return whole + self._done(end, last % HOUR + 1) - self._done(begin, first % HOUR)

    def _done(self, index: int, second: int) -> int:
        return int(self.volumes[index] * self.shapes[index].done(second))

    def vwap(self, first: int, last: int) -> int:
        """The volume-weighted mean of the hours' middle prices, in ticks and within the extremes."""
        span = self.span(first, last)
        paid = total = 0
        for hour in range(first // HOUR, last // HOUR + 1):
            start, end = max(first, hour * HOUR), min(last, hour * HOUR + HOUR - 1)
            volume = self.volume(start, end)
            paid += volume * (self.price(start) + self.price(end))
            total += 2 * volume
        return min(max(round(paid / total), span.low), span.high)
