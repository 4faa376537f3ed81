"""Candles of venues that do not say when one is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from schema.words.candles import Candle


class Running:
    """The newest candle of each channel. It is done when the next one opens: then it is told once more, closed."""

    def __init__(self) -> None:
        self._newest: dict[str, Candle] = {}

    def __contains__(self, channel: str) -> bool:
        return channel in self._newest

    def told(self, channel: str, bars: Sequence[Candle]) -> tuple[Candle, ...]:
        """What to say of candles that came, the running one open; ascending, as they come (newest first or last)."""
        by_time = {bar.open_time: bar for bar in bars}
        held = self._newest.get(channel)
        if held is not None:
            by_time.setdefault(held.open_time, held)
        ordered = [by_time[time] for time in sorted(by_time)]
        if not ordered:
            return ()
        newest = ordered[-1]
        self._newest[channel] = newest
        came = {bar.open_time for bar in bars}
        done = [replace(bar, closed=True) for bar in ordered[:-1] if bar.open_time in came or not bar.closed]
        return (*done, newest) if newest.open_time in came else tuple(done)

    def forget(self, channel: str) -> None:
        """The candle of a channel."""
        self._newest.pop(channel, None)
