"""What happened before a tape was heard, asked for over HTTP: its last trades, and whole candles before those."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from gateway.core.access import Lane
from gateway.core.lines.grid import candles_at, ending, opening
from gateway.core.live.bars import Print, before, ladder
from schema.capability import Capability
from schema.errors import UpstreamError
from schema.words.candles import CANDLES, Bars, Candle, CandlesAsk, cut, split_range
from schema.words.intervals import Interval
from schema.words.quotes import PriceType, Quote
from schema.words.trades import TRADES, Trade, TradesAsk
from schema.words.venues import MarketState

TAPE = 1_000
"""Trades that are asked for at once."""
MOST_PARTS = 2_000
"""Whole candles that the first part of a longer one is made of."""
ROWS = 500
"""Candles of one request where the provider does not say how many it gives."""
PUBLISHED = timedelta(seconds=5)
"""After its end a candle is final over HTTP."""

Ask = Callable[[Lane, Capability[Any, Any], Any], Awaitable[Any]]
"""See `gateway.core.lines.line.Lines.ask`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """Over one provider's lanes; `candles` is None where it offers none, `trades` where its tape is of quotes."""

    ask: Ask
    wanted: CandlesAsk
    trades: Lane | None
    candles: Lane | None

    async def tape(self) -> tuple[Print, ...] | UpstreamError | None:
        """The last trades, ascending; None where there is nobody to ask."""
        if self.trades is None:
            return None
        found = await self.ask(self.trades, TRADES, TradesAsk(instrument=self.wanted.instrument, last=TAPE))
        return found if isinstance(found, UpstreamError) else prints(sorted(found, key=lambda trade: trade.time))

    def joint(self, known_since: datetime) -> datetime | None:
        """From when on prints count after whole candles: the end of the shortest that the tape has all prints after."""
        shorter = self._shorter()
        if not shorter:
            return None
        shortest = min(shorter, key=lambda each: each.seconds)
        return ending(shortest, opening(shortest, known_since))

    async def parts(self, begin: datetime, until: datetime) -> list[Candle] | None:
        """Whole candles from *begin* until then; None where they cannot be had."""
        rungs = ladder(begin, until, self._shorter(), MOST_PARTS)
        if rungs is None:
            return None
        found: list[Candle] = []
        for rung in rungs:
            rows = await self._rows(rung.interval, rung.start, rung.end)
            if rows is None:
                return None
            found += rows
        return found

    async def history(self, start: datetime, end: datetime) -> list[Candle]:
        """Whole candles of the length that is wanted; none where the provider offers no such, or fails."""
        if self.wanted.interval not in self._offered() or start >= end:
            return []
        rows = await self._rows(self.wanted.interval, start, end)
        return [replace(row, closed=True) for row in rows or ()]

    def previous(self, running: datetime) -> datetime:
        """Open time of the candle before."""
        return opening(self.wanted.interval, before(running))

    def _offered(self) -> tuple[Interval, ...]:
        return (self.candles.answer.intervals or tuple(Interval)) if self.candles is not None else ()

    def _shorter(self) -> list[Interval]:
        return [each for each in self._offered() if each.seconds < self.wanted.interval.seconds]

    async def _rows(self, interval: Interval, start: datetime, end: datetime) -> list[Candle] | None:
        lane = self.candles
        if lane is None:
            return None
        whole = replace(self.wanted, interval=interval, start=start, end=end)
        rows: list[Candle] = []
        for piece in split_range(whole, lane.answer.max_rows or ROWS):
            found: Bars | UpstreamError = await self.ask(lane, CANDLES, piece)
            if isinstance(found, UpstreamError):
                return None
            rows += candles_at(cut(found, piece.start, piece.end), interval, end)
        return rows


def prints(values: Sequence[Any]) -> tuple[Print, ...]:
    """Of trades; of quotes whose price is a last one, while regular trading runs."""
    return tuple([found for value in values if (found := _print(value)) is not None])


def is_no_print(value: Any) -> bool:
    """An index, a mark, a mid: nobody paid it."""
    return isinstance(value, Quote) and value.price_type is not PriceType.LAST


def _print(value: Any) -> Print | None:
    match value:
        case Trade():
            return Print(id=value.id, time=value.time, price=value.price, size=value.size)
        case Quote() if value.as_of is not None and value.price_type is PriceType.LAST:
            regular = value.market_state in (MarketState.REGULAR, MarketState.UNKNOWN)
            return Print(id="", time=value.as_of, price=value.price, size=None) if regular else None
    return None
