"""Candles of the simulated exchange: every interval is cut out of the same path, so that all of them agree."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from providers.simulated._calendar import Window
from providers.simulated._markets import Market
from providers.simulated._track import Span, Track
from schema.words.candles import NO_BARS, Bars, CandlesAsk

SINCE = datetime(2010, 1, 1, tzinfo=UTC)
Row = tuple[int, date | None, Span, int]


def candles(seed: int, market: Market, ask: CandlesAsk, now: int) -> Bars:
    """The candles of the range that have begun; the last one may still be forming."""
    start, end = int(max(ask.start, SINCE).timestamp()), min(int(ask.end.timestamp()), now + 1)
    seen = [
        Window(window.open_time, parts, window.session_date)
        for window in market.calendar.windows(ask.interval, start, end)
        if (parts := tuple((first, min(last, now)) for first, last in window.parts if first <= now))
    ]
    if not seen:
        return NO_BARS
    track = Track(seed, market, seen[0].parts[0][0], seen[-1].parts[-1][1])
    return _bars(market, [_row(track, window) for window in seen])


def _row(track: Track, window: Window) -> Row:
    spans = [track.span(first, last) for first, last in window.parts]
    volume = sum(track.volume(first, last) for first, last in window.parts) if track.volumes else 0
    whole = Span(
        spans[0].open, max(span.high for span in spans), min(span.low for span in spans), spans[-1].close
    )  # fmt: skip
    return window.open_time, window.session_date, whole, volume


def _bars(market: Market, rows: list[Row]) -> Bars:
    tick, step = market.tick, market.step
    times, days, spans, volumes = zip(*rows, strict=True)

    def prices(index: int) -> tuple[Decimal, ...]:
        return tuple([span[index] * tick for span in spans])

    return Bars(
        open_time=tuple([datetime.fromtimestamp(at, UTC) for at in times]),
        open=prices(0), high=prices(1), low=prices(2), close=prices(3),
        volume=tuple([size * step for size in volumes]) if market.turnover else None,
        session_date=days if days[0] else None, currency=market.currency,
    )  # fmt: skip
