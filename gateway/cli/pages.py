"""Long candle ranges: cut into pieces, fetched a few at a time, handed on in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TypeVar

from gateway.cli.outcome import usage
from schema.words.intervals import Interval

T = TypeVar("T")
P = TypeVar("P")

PIECE_ROWS = 5_000
# Venues with extended hours have up to three sessions a day, which long intraday intervals count apart.
EXTENDED_PIECE_ROWS = 1_500
MOST_ROWS = 2_000_000
TOGETHER = 4
# Thursday, 1 January 1970 plus four days: inner cuts on Mondays suit weeks, and every other interval as well.
MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Piece:
    """A half-open range of open times."""

    start: datetime
    end: datetime


def cut(interval: Interval, start: datetime, end: datetime, rows: int = PIECE_ROWS) -> list[Piece]:
    """Pieces of at most *rows* candles that hold the range without gap or overlap.

    Inner cuts stand on a fixed grid, so that two ranges share pieces, and with them the gateway's cached answers.
    """
    estimate = (end - start) // interval.delta + 1
    if estimate > MOST_ROWS:
        raise usage(
            f"--start: the range holds about {estimate:,} {interval} candles, at most {MOST_ROWS:,} are fetched at "
            "once: choose a longer interval or a shorter range"
        )
    if interval is Interval.MO1:
        return [Piece(start, end)]
    length: timedelta = interval.delta * rows
    first = start - (start - MONDAY) % length + length
    inner = [first + length * n for n in range(max(0, -((first - end) // length)))]
    return [Piece(a, b) for a, b in pairwise([start, *(moment for moment in inner if moment < end), end])]


async def in_order(
    pieces: Sequence[P], fetch: Callable[[P], Awaitable[T]], together: int = TOGETHER
) -> AsyncIterator[T]:
    """Answers in the order of the pieces; *together* of them are under way at any time."""
    running: deque[asyncio.Task[T]] = deque()
    waiting = iter(pieces)
    try:
        for piece in waiting:
            running.append(asyncio.ensure_future(fetch(piece)))
            if len(running) == together:
                yield await running.popleft()
        while running:
            yield await running.popleft()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
