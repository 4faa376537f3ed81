"""The simulated exchange as its tests see it: at a moment of their choice, without anything to send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from providers.simulated.sandbox import Sandbox
from schema.symbols import parse_instrument
from schema.words.candles import Bars, CandlesAsk
from schema.words.intervals import Interval
from schema.words.quotes import Quote, QuotesAsk

T = TypeVar("T")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday; New York opens at 14:30 UTC


class Still:
    """A clock that stands."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


class NoHttp:
    """Any use of it fails: there is no such attribute."""


def sandbox_at(moment: datetime, kind: type[Sandbox] = Sandbox) -> Sandbox:
    return kind(NoHttp(), Still(moment))  # type: ignore[arg-type]


async def quote_of(moment: datetime, name: str, kind: type[Sandbox] = Sandbox) -> Quote:
    quotes: list[Quote] = await sandbox_at(moment, kind).quotes(QuotesAsk(instruments=(parse_instrument(name),)))
    assert len(quotes) == 1
    return quotes[0]


async def bars_of(now: datetime, name: str, interval: Interval, start: datetime, end: datetime, **terms) -> Bars:
    ask = CandlesAsk(instrument=parse_instrument(name), interval=interval, start=start, end=end, **terms)
    bars: Bars = await sandbox_at(now).candles(ask)
    return bars


def opening(interval: Interval, moment: datetime) -> datetime:
    """The start of the UTC interval that holds a moment."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if interval is Interval.MO1:
        return midnight.replace(day=1)
    if interval is Interval.W1:
        return midnight - timedelta(days=midnight.weekday())
    second = int(moment.timestamp())
    return datetime.fromtimestamp(second - second % interval.seconds, UTC)


def following(interval: Interval, start: datetime) -> datetime:
    if interval is Interval.MO1:
        return (start + timedelta(days=32)).replace(day=1)
    return start + interval.delta


def whole(bars: Bars) -> tuple[Decimal | None, ...]:
    """All rows as one candle: open, high, low, close, volume."""
    volume = None if bars.volume is None else sum(volumes(bars), Decimal(0))
    return bars.open[0], max(bars.high), min(bars.low), bars.close[-1], volume


def sure(value: T | None) -> T:
    assert value is not None
    return value


def volumes(bars: Bars) -> tuple[Decimal, ...]:
    """The column, of which no part is missing."""
    found = tuple(volume for volume in bars.volume or () if volume is not None)
    assert len(found) == len(bars)
    return found
