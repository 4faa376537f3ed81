"""A condition tried on history: how often it would have fired. Candles in, instants out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from plugins.alerts.conditions import AlertKind, AlertSide, Condition
from plugins.alerts.evaluation.course import Window
from plugins.alerts.evaluation.indicators import values_of
from plugins.alerts.evaluation.ladder import Act, AlertState, Ladder, Rung
from schema.words.candles import Candle
from schema.words.intervals import Interval

FINEST = (Interval.M1, Interval.M5, Interval.M15, Interval.H1, Interval.H4, Interval.D1)
MOST_BARS = 3_000
DAY = timedelta(days=1)
TRIED = frozenset({AlertKind.PRICE, AlertKind.CHANGE, AlertKind.VOLUME, AlertKind.INDICATOR})
"""What candles say something about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How an alert would behave."""

    condition: Condition
    repeating: bool = True
    cooldown: timedelta = timedelta(minutes=1)
    hysteresis_bps: int = 0
    fire_if_true: bool = False


def bases_of(condition: Condition, days: int) -> tuple[Interval, ...]:
    """Lengths of candles to try it on, the best first."""
    if condition.kind is AlertKind.INDICATOR and condition.interval is not None:
        return (condition.interval,)
    span, window = timedelta(days=days), timedelta(milliseconds=condition.window_ms)
    fitting = [each for each in FINEST if span / each.delta <= MOST_BARS and (not window or each.delta <= window)]
    return tuple(fitting)


def firings(trial: Trial, bars: Sequence[Candle], interval: Interval) -> list[datetime]:
    """Open times of the candles in which it would have fired."""
    rung = Rung(
        id="trial", threshold=trial.condition.threshold, below=trial.condition.side is AlertSide.BELOW,
        inclusive=trial.condition.inclusive, hysteresis_bps=trial.hysteresis_bps, cooldown=trial.cooldown,
        repeating=trial.repeating, state=AlertState.PRIMED if trial.fire_if_true else AlertState.WAITING,
    )  # fmt: skip
    ladder, found = Ladder(), []
    ladder.put(rung)
    for opened, at, value in _course(trial.condition, bars, interval):
        found += [opened for move in ladder.step(value, at) if move.act is Act.FIRED]
    return found


def _course(
    condition: Condition, bars: Sequence[Candle], interval: Interval
) -> Iterator[tuple[datetime, datetime, Decimal]]:
    """What is measured, step by step: the candle, the instant, the value."""
    match condition.kind:
        case AlertKind.PRICE:
            yield from _path(bars, interval)
        case AlertKind.CHANGE:
            window = Window(timedelta(milliseconds=condition.window_ms))
            for bar, at, price in _path(bars, interval):
                if (change := window.take(price, at)) is not None:
                    yield bar, at, change
        case AlertKind.VOLUME:
            yield from _volumes(bars, interval)
        case AlertKind.INDICATOR:
            closed = [bar for bar in bars if bar.closed]
            for each, value in zip(closed, values_of(condition, [bar.close for bar in closed]), strict=True):
                if value is not None:
                    yield each.open_time, each.open_time + interval.delta, value


def _path(bars: Sequence[Candle], interval: Interval) -> Iterator[tuple[datetime, datetime, Decimal]]:
    step = interval.delta / 4
    for bar in bars:
        within = (bar.low, bar.high) if bar.close >= bar.open else (bar.high, bar.low)
        for number, price in enumerate((bar.open, *within, bar.close)):
            yield bar.open_time, bar.open_time + step * number, price


def _volumes(bars: Sequence[Candle], interval: Interval) -> Iterator[tuple[datetime, datetime, Decimal]]:
    """Sums over the last 24 hours, once a day is full."""
    volumes = [bar.volume or Decimal(0) for bar in bars]
    total, first = Decimal(0), 0
    for number, bar in enumerate(bars):
        total += volumes[number]
        while bars[first].open_time <= bar.open_time - DAY:
            total -= volumes[first]
            first += 1
        if first:
            yield bar.open_time, bar.open_time + interval.delta, total
