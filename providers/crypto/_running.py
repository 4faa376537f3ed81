"""Candles of sockets that do not say when one is done: it is when the next one begins."""

from __future__ import annotations

from dataclasses import replace

from schema.words.candles import Candle


class Running:
    """The newest candle of each channel, which still runs."""

    def __init__(self) -> None:
        self._newest: dict[str, Candle] = {}

    def forget(self, channel: str) -> None:
        """Nothing is known of its candles."""
        self._newest.pop(channel, None)

    def told(self, channel: str, bar: Candle) -> tuple[Candle, ...]:
        """What a candle says: with a new one that the last is done, and of an older one that it is, as it is now.

        An older state of the running one, sent once more, says nothing.
        """
        last = self._newest.get(channel)
        if last is not None and bar.open_time == last.open_time and _less_traded(bar, last):
            return ()
        if last is not None and bar.open_time < last.open_time:
            return (replace(bar, closed=True),)
        self._newest[channel] = running = replace(bar, closed=False)
        if last is None or last.open_time == bar.open_time:
            return (running,)
        return (replace(last, closed=True), running)


def _less_traded(bar: Candle, known: Candle) -> bool:
    return bar.volume is not None and known.volume is not None and bar.volume < known.volume
